package strictyaml

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Value is one node of a file: a scalar, a list or a map.
type Value struct {
	f *File
	n *yaml.Node
}

// Pos returns where the value begins.
func (v Value) Pos() (line, column int) { return v.n.Line, v.n.Column }

// Problemf adds a problem at the value.
func (v Value) Problemf(format string, args ...any) {
	v.f.add(v.n.Line, v.n.Column, fmt.Sprintf(format, args...))
}

// ProblemInf adds a problem at a line and a column of the value's text, which count from
// 1. Where the text is not in the file as it is, as in a block or after an escape, the
// problem is at the value, and says which line and column are meant. A text without
// quotes that goes on in the next line counts as one line.
func (v Value) ProblemInf(line, column int, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	quote := 0
	if v.n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		quote = 1
	}
	folded := v.n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if folded || line > 1 || quote == 1 && strings.ContainsAny(v.n.Value, "'\"\\\n\t") {
		v.f.add(v.n.Line, v.n.Column, fmt.Sprintf("line %d, column %d: %s", line, column, message))
		return
	}
	v.f.add(v.n.Line, v.n.Column+quote+column-1, message)
}

// Problems returns how many problems the file has so far.
func (v Value) Problems() int { return len(v.f.problems) }

// IsNull reports whether the value is empty or written as null.
func (v Value) IsNull() bool { return v.n.Kind == yaml.ScalarNode && v.n.ShortTag() == "!!null" }

// IsList reports whether the value is a list.
func (v Value) IsList() bool { return v.n.Kind == yaml.SequenceNode }

// IsMap reports whether the value is a map.
func (v Value) IsMap() bool { return v.n.Kind == yaml.MappingNode }

// Number reports whether the value is an unquoted number, NaN and infinities included.
func (v Value) Number() bool {
	tag := v.n.ShortTag()
	return v.n.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!float")
}

// Kind names what the value is, as a person would.
func (v Value) Kind() string {
	switch v.n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch v.n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "a string"
	}
	return "a " + strings.TrimPrefix(v.n.ShortTag(), "!!")
}

// Str returns a string. An unquoted date counts as one, numbers and booleans do not.
func (v Value) Str(what string) (string, bool) {
	if v.plain() && v.n.Kind == yaml.ScalarNode && (v.n.ShortTag() == "!!str" || v.n.ShortTag() == "!!timestamp") {
		return v.n.Value, true
	}
	v.wrong(what, "a string")
	return "", false
}

// Text returns any scalar as it is written: version: 1.0 gives "1.0".
func (v Value) Text(what string) (string, bool) {
	if v.plain() && v.n.Kind == yaml.ScalarNode && !v.IsNull() {
		return v.n.Value, true
	}
	v.wrong(what, "a string")
	return "", false
}

// Bool returns true or false; yes, no, on and off are strings in YAML 1.2.
func (v Value) Bool(what string) (value, ok bool) {
	if v.plain() && v.n.Kind == yaml.ScalarNode && v.n.ShortTag() == "!!bool" {
		return strings.EqualFold(v.n.Value, "true"), true
	}
	v.wrong(what, "true or false")
	return false, false
}

// Int returns a whole number that fits 64 bits.
func (v Value) Int(what string) (int64, bool) {
	if v.plain() && v.n.Kind == yaml.ScalarNode && v.n.ShortTag() == "!!int" {
		if i, err := strconv.ParseInt(strings.ReplaceAll(v.n.Value, "_", ""), 10, 64); err == nil {
			return i, true
		}
	}
	v.wrong(what, "a whole number")
	return 0, false
}

// maxDigits bounds the text of a number, and its exponent, so that no few bytes
// of YAML become a number of a gigabyte.
const maxDigits = 400

// Rat returns a number exactly as written: 0.1 is one tenth.
func (v Value) Rat(what string) (*big.Rat, bool) {
	if v.plain() && v.Number() {
		if r, ok := ParseRat(v.n.Value); ok {
			return r, true
		}
		v.wrong(what, "a finite decimal number of at most 400 digits")
		return nil, false
	}
	v.wrong(what, "a number")
	return nil, false
}

// ParseRat reads a decimal number exactly. It refuses infinities, NaN, other
// bases, and numbers with more than 400 digits.
func ParseRat(s string) (*big.Rat, bool) {
	s = strings.ReplaceAll(s, "_", "")
	if len(s) > maxDigits || strings.ContainsAny(s, "/xXoObBpP") {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > maxDigits || e < -maxDigits {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// OneOf returns a string out of a closed list.
func (v Value) OneOf(what string, allowed ...string) (string, bool) {
	if !v.plain() {
		return "", false
	}
	if v.n.Kind != yaml.ScalarNode || v.IsNull() {
		v.wrong(what, "one of "+strings.Join(allowed, ", "))
		return "", false
	}
	if slices.Contains(allowed, v.n.Value) {
		return v.n.Value, true
	}
	switch near := Nearest(v.n.Value, allowed); {
	case near != "":
		v.Problemf("%s %q is not known; did you mean %s?", what, v.n.Value, near)
	case len(allowed) == 1:
		v.Problemf("%s must be %s, not %q", what, allowed[0], v.n.Value)
	default:
		v.Problemf("%s %q is not one of %s", what, v.n.Value, strings.Join(allowed, ", "))
	}
	return "", false
}

// List returns the elements of a list.
func (v Value) List(what string) ([]Value, bool) {
	if !v.plain() {
		return nil, false
	}
	if v.n.Kind != yaml.SequenceNode {
		v.wrong(what, "a list")
		return nil, false
	}
	out := make([]Value, len(v.n.Content))
	for i, n := range v.n.Content {
		out[i] = Value{f: v.f, n: n}
	}
	return out, true
}

// Scalar returns the text of a scalar and whether it is a plain value at all.
func (v Value) Scalar() (string, bool) {
	if !v.plain() || v.n.Kind != yaml.ScalarNode {
		return "", false
	}
	return v.n.Value, true
}

// wrong adds the problem "what is x, not y", unless another one was already added.
func (v Value) wrong(what, want string) {
	if v.n.Kind == yaml.AliasNode || v.n.Anchor != "" || v.n.Style&yaml.TaggedStyle != 0 {
		return
	}
	have := v.Kind()
	if v.Number() && len(v.n.Value) < 40 {
		have = "the number " + v.n.Value
	}
	v.Problemf("%s must be %s, not %s", what, want, have)
}

// plain refuses anchors, aliases and tags of one's own.
func (v Value) plain() bool {
	switch {
	case v.n.Kind == yaml.AliasNode || v.n.Anchor != "":
		v.Problemf("anchors and aliases are not read here; write the value out")
	case v.n.Style&yaml.TaggedStyle != 0:
		v.Problemf("tags such as %s are not read here", v.n.Tag)
	default:
		return true
	}
	return false
}
