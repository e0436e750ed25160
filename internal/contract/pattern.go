package contract

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"headgate/internal/strictyaml"
)

// pattern compiles a regular expression of ECMA-262, as the standard has them,
// or adds the problem that says which part cannot be run.
func pattern(v strictyaml.Value) (*regexp.Regexp, bool) {
	s, ok := v.Str("pattern")
	if !ok {
		return nil, false
	}
	re, err := compileECMA(s)
	if err != nil {
		v.Problemf("pattern cannot be run: %v", err)
		return nil, false
	}
	return re, true
}

// compileECMA translates an ECMA-262 pattern to RE2, whose time is linear in the
// text, so that it matches the same texts. What RE2 cannot say, or says
// differently without a translation, is an error: it is never run as something else.
func compileECMA(s string) (*regexp.Regexp, error) {
	t := ecma{in: s}
	if err := t.translate(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

const (
	ecmaSpace = `\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	ecmaDot   = `[^\n\r\x{2028}\x{2029}]`
)

// An ecma translates one pattern from left to right.
type ecma struct {
	in    string
	i     int
	out   strings.Builder
	class bool // inside [ ]
}

func (t *ecma) translate() error {
	if !utf8.ValidString(t.in) {
		return fmt.Errorf("it is not UTF-8")
	}
	for t.i < len(t.in) {
		if err := t.next(); err != nil {
			return err
		}
	}
	return nil
}

func (t *ecma) next() error {
	c := t.in[t.i]
	rest := t.in[t.i:]
	switch {
	case c == '\\':
		return t.escape()
	case t.class && c == ']':
		t.class = false
		t.copy(1)
	case t.class && c == '[':
		t.put(`\[`, 1)
	case t.class:
		t.copy(1)
	case strings.HasPrefix(rest, "[]"), strings.HasPrefix(rest, "[^]"):
		return fmt.Errorf("the empty class %s is not supported", rest[:strings.IndexByte(rest, ']')+1])
	case strings.HasPrefix(rest, "[^"):
		t.class = true
		t.copy(2)
	case c == '[':
		t.class = true
		t.copy(1)
	case strings.HasPrefix(rest, "(?"):
		return t.group(rest)
	case c == '.':
		t.put(ecmaDot, 1)
	default:
		t.copy(1)
	}
	return nil
}

// group lets through groups that mean the same on both sides.
func (t *ecma) group(rest string) error {
	for _, look := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, look) {
			return fmt.Errorf("look-around %s is not supported (patterns run in linear time)", look)
		}
	}
	switch {
	case strings.HasPrefix(rest, "(?:"), strings.HasPrefix(rest, "(?<"):
		t.copy(3)
		return nil
	}
	return fmt.Errorf("the group %s is not of ECMA-262", rest[:min(len(rest), 3)])
}

// escape translates what begins with a backslash.
func (t *ecma) escape() error {
	if t.i+1 == len(t.in) {
		return fmt.Errorf("it ends in a backslash")
	}
	c := t.in[t.i+1]
	switch {
	case c == 's' && t.class:
		t.put(ecmaSpace, 2)
	case c == 's':
		t.put("["+ecmaSpace+"]", 2)
	case c == 'S' && !t.class:
		t.put("[^"+ecmaSpace+"]", 2)
	case c == 'S':
		return fmt.Errorf(`\S inside a class is not supported`)
	case c == 'b' && t.class:
		t.put(`\x08`, 2)
	case strings.IndexByte("dDwWtnvfrpP", c) >= 0, (c == 'b' || c == 'B') && !t.class:
		t.copy(2)
	case c >= '1' && c <= '9', c == 'k':
		return fmt.Errorf(`back-reference \%c is not supported (patterns run in linear time)`, c)
	case c == '0':
		if t.i+2 < len(t.in) && t.in[t.i+2] >= '0' && t.in[t.i+2] <= '9' {
			return fmt.Errorf("octal escapes are not of ECMA-262")
		}
		t.put(`\x00`, 2)
	case c == 'x' || c == 'u' || c == 'c':
		return t.code(c)
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return fmt.Errorf(`the escape \%c is not of ECMA-262`, c)
	case c >= utf8.RuneSelf:
		t.i++ // an identity escape: the character itself
	default:
		t.copy(2)
	}
	return nil
}

var codeForms = regexp.MustCompile(`^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|c([A-Za-z]))`)

// code translates \xHH, \uHHHH, \u{H…} and \cL.
func (t *ecma) code(c byte) error {
	m := codeForms.FindStringSubmatch(t.in[t.i:])
	if m == nil {
		return fmt.Errorf(`the escape \%c is not complete`, c)
	}
	if m[4] != "" {
		t.put(fmt.Sprintf(`\x{%x}`, m[4][0]&31), len(m[0]))
		return nil
	}
	n, err := strconv.ParseUint(m[1]+m[2]+m[3], 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return fmt.Errorf("%s is not a character; write pairs of surrogates as one \\u{…}", m[0])
	}
	t.put(fmt.Sprintf(`\x{%x}`, n), len(m[0]))
	return nil
}

func (t *ecma) copy(n int) {
	t.out.WriteString(t.in[t.i : t.i+n])
	t.i += n
}

func (t *ecma) put(s string, n int) {
	t.out.WriteString(s)
	t.i += n
}
