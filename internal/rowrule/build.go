package rowrule

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"github.com/apache/arrow/go/v17/arrow"
)

// A builder makes kernels of a checked expression. After a problem it goes on with
// something that is never run, so that one look shows all problems.
type builder struct {
	rule     *Rule
	physical []arrow.DataType // in the order of rule.columns
	problems []Problem
}

// build makes the kernel of a rule for columns of physical types.
func (r *Rule) build(physical []arrow.DataType) (logic, []Problem) {
	b := &builder{rule: r, physical: physical}
	root := b.logic(r.ast.Expr())
	return root, b.problems
}

func (b *builder) problem(e ast.Expr, format string, args ...any) {
	b.problems = append(b.problems, problemAt(b.rule.ast, e, format, args...))
}

// kind returns the kind of an expression's type; a nullable int is an int.
func (b *builder) kind(e ast.Expr) types.Kind { return b.rule.ast.GetType(e.ID()).Kind() }

func (b *builder) typeName(e ast.Expr) string { return typeName(b.rule.ast.GetType(e.ID())) }

func isNumber(k types.Kind) bool { return k == types.IntKind || k == types.DoubleKind }

// column returns the column that an expression is, and its place in the rule.
func (b *builder) column(e ast.Expr) (c Column, place int, ok bool) {
	if e.Kind() != ast.IdentKind {
		return Column{}, 0, false
	}
	place, ok = b.rule.at[e.AsIdent()]
	if ok {
		c = b.rule.columns[place]
	}
	return c, place, ok
}

// call returns the function and the arguments of a call, a receiver being the first.
func call(e ast.Expr) (function string, args []ast.Expr, ok bool) {
	if e.Kind() != ast.CallKind {
		return "", nil, false
	}
	c := e.AsCall()
	if c.IsMemberFunction() {
		args = append(args, c.Target())
	}
	return c.FunctionName(), append(args, c.Args()...), true
}

func isNullWord(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral().Type() == types.NullType
}

// unsupported adds the problem that an expression cannot be run.
func (b *builder) unsupported(e ast.Expr) {
	function, _, ok := call(e)
	switch {
	case isNullWord(e):
		b.problem(e, "null can stand beside == and != only, as in x == null")
	case ok:
		b.problem(e, "%s is not supported here", plain("'"+function+"'"))
	default:
		b.problem(e, "a %s is not supported here", b.typeName(e))
	}
}

// logic builds a condition.
func (b *builder) logic(e ast.Expr) logic {
	if c, place, ok := b.column(e); ok && c.Type == Boolean {
		return booleans(place)
	}
	if e.Kind() == ast.LiteralKind && e.AsLiteral().Type() == types.BoolType {
		return truths(of(e.AsLiteral() == types.True))
	}
	function, args, ok := call(e)
	if !ok {
		b.unsupported(e)
		return truths(null)
	}
	switch function {
	case operators.LogicalAnd:
		return combine(&andTable, b.logic(args[0]), b.logic(args[1]))
	case operators.LogicalOr:
		return combine(&orTable, b.logic(args[0]), b.logic(args[1]))
	case operators.LogicalNot:
		return not(b.logic(args[0]))
	case operators.Conditional:
		return chooseTruth(b.logic(args[0]), b.branch(args[1]), b.branch(args[2]))
	case operators.Equals:
		return b.equals(e, args[0], args[1])
	case operators.NotEquals:
		return not(b.equals(e, args[0], args[1]))
	case operators.Less:
		return b.less(e, args[0], args[1], false)
	case operators.LessEquals:
		return b.less(e, args[0], args[1], true)
	case operators.Greater:
		return b.less(e, args[1], args[0], false)
	case operators.GreaterEquals:
		return b.less(e, args[1], args[0], true)
	case operators.In:
		return b.in(args[0], args[1])
	case "matches":
		return b.matches(args[0], args[1])
	}
	if is := textTests[function]; is != nil {
		if part, ok := literalOf[string](args[1]); ok {
			return b.textTest(args[0], func(s string) bool { return is(s, part) })
		}
		return test2(b.texts(args[0]), b.texts(args[1]), is)
	}
	b.unsupported(e)
	return truths(null)
}

// branch is logic for a part of a ternary, which may be null.
func (b *builder) branch(e ast.Expr) logic {
	if isNullWord(e) {
		return truths(null)
	}
	return b.logic(e)
}

// matches tests for a match of an RE2 pattern, anywhere in the text.
func (b *builder) matches(e, pattern ast.Expr) logic {
	text, ok := b.literalText(pattern, "matches")
	if !ok {
		return truths(null)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		b.problem(pattern, "%v", err)
		return truths(null)
	}
	return b.textTest(e, re.MatchString)
}

// textTest applies a condition to a text: to each value of a dictionary once, if it
// is a column with one.
func (b *builder) textTest(e ast.Expr, is func(string) bool) logic {
	if c, place, ok := b.column(e); ok && c.Type == String && b.physical[place].ID() == arrow.DICTIONARY {
		return dictionaryTest(place, is)
	}
	return test(b.texts(e), is)
}

// literalText returns a text that the rule itself has.
func (b *builder) literalText(e ast.Expr, function string) (string, bool) {
	if s, ok := literalOf[string](e); ok {
		return s, true
	}
	b.problem(e, "%s needs a text in quotes here, not %s", function, b.typeName(e))
	return "", false
}

// less builds x < y, or x ≤ y.
func (b *builder) less(e, x, y ast.Expr, orEqual bool) logic {
	kx, ky := b.kind(x), b.kind(y)
	switch {
	case isNullWord(x) || isNullWord(y):
		b.problem(e, "null has no order; test for it with == null")
	case kx == types.IntKind && ky == types.IntKind:
		return less(b.ints(x), b.ints(y), orEqual)
	case isNumber(kx) && isNumber(ky):
		return less(b.doublesBeside(x, y), b.doublesBeside(y, x), orEqual)
	case kx == types.StringKind:
		return less(b.texts(x), b.texts(y), orEqual)
	case kx == types.DurationKind:
		return less(b.durations(x), b.durations(y), orEqual)
	case kx == types.TimestampKind && orEqual:
		return test2(b.moments(x), b.moments(y), func(a, b moment) bool { return a.compare(b) <= 0 })
	case kx == types.TimestampKind:
		return test2(b.moments(x), b.moments(y), func(a, b moment) bool { return a.compare(b) < 0 })
	default:
		b.unsupported(e)
	}
	return truths(null)
}

// equals builds x == y, or the test for null.
func (b *builder) equals(e, x, y ast.Expr) logic {
	switch {
	case isNullWord(x) && isNullWord(y):
		b.problem(e, "null == null is always true")
		return truths(null)
	case isNullWord(y):
		return b.isNull(x)
	case isNullWord(x):
		return b.isNull(y)
	}
	kx, ky := b.kind(x), b.kind(y)
	switch {
	case kx == types.IntKind && ky == types.IntKind:
		return equal(b.ints(x), b.ints(y))
	case isNumber(kx) && isNumber(ky):
		return equal(b.doublesBeside(x, y), b.doublesBeside(y, x))
	case kx != ky:
		b.problem(e, "%s and %s cannot be equal", b.typeName(x), b.typeName(y))
	case kx == types.StringKind:
		if s, ok := literalOf[string](y); ok {
			return b.textTest(x, func(t string) bool { return t == s })
		}
		if s, ok := literalOf[string](x); ok {
			return b.textTest(y, func(t string) bool { return t == s })
		}
		return equal(b.texts(x), b.texts(y))
	case kx == types.BoolKind:
		return combine(&equalTable, b.logic(x), b.logic(y))
	case kx == types.TimestampKind:
		return equal(b.moments(x), b.moments(y))
	case kx == types.DurationKind:
		return equal(b.durations(x), b.durations(y))
	default:
		b.problem(e, "%s cannot be compared here", b.typeName(x))
	}
	return truths(null)
}

func (b *builder) isNull(e ast.Expr) logic {
	switch b.kind(e) {
	case types.IntKind:
		return isNull(b.ints(e))
	case types.DoubleKind:
		return isNull(b.doubles(e))
	case types.StringKind:
		return isNull(b.texts(e))
	case types.BoolKind:
		return isNullTruth(b.logic(e))
	case types.TimestampKind:
		return isNull(b.moments(e))
	case types.DurationKind:
		return isNull(b.durations(e))
	}
	b.problem(e, "%s cannot be compared here", b.typeName(e))
	return truths(null)
}

// in builds x in [a, b, c]: as a set if these are texts or numbers written in the
// rule, else as x == a || x == b || x == c.
func (b *builder) in(x, list ast.Expr) logic {
	if list.Kind() != ast.ListKind || list.AsList().Size() == 0 {
		b.problem(list, "in needs a list that is not empty, as in [1, 2]")
		return truths(null)
	}
	elements := list.AsList().Elements()
	for _, e := range elements {
		if isNullWord(e) {
			b.problem(e, "null is in no list; test for it with == null")
			return truths(null)
		}
	}
	switch b.kind(x) {
	case types.StringKind:
		if set := literals(elements, literalOf[string]); set != nil {
			return b.textTest(x, member(set))
		}
	case types.IntKind:
		if set := literals(elements, literalOf[int64]); set != nil {
			return test(b.ints(x), member(set))
		}
	case types.DoubleKind:
		precise := func(e ast.Expr) (float64, bool) {
			v, ok := number(e)
			return b.roundBeside(v, x), ok
		}
		if set := literals(elements, precise); set != nil {
			return test(b.doubles(x), member(set))
		}
	}
	var any logic
	for _, e := range elements {
		same := b.equals(list, x, e)
		if any == nil {
			any = same
		} else {
			any = combine(&orTable, any, same)
		}
	}
	return any
}

// literals returns the set of a list, or nil if not all of it is written in the rule.
func literals[T comparable](elements []ast.Expr, value func(ast.Expr) (T, bool)) map[T]bool {
	set := map[T]bool{}
	for _, e := range elements {
		v, ok := value(e)
		if !ok {
			return nil
		}
		set[v] = true
	}
	return set
}

// member tests whether a value is in a set. A few values are faster looked through.
func member[T comparable](set map[T]bool) func(T) bool {
	if len(set) > 8 {
		return func(v T) bool { return set[v] }
	}
	few := slices.Collect(maps.Keys(set))
	return func(v T) bool { return slices.Contains(few, v) }
}

// literalOf returns a value of type T that is written in the rule.
func literalOf[T any](e ast.Expr) (v T, ok bool) {
	if e.Kind() == ast.LiteralKind {
		v, ok = e.AsLiteral().Value().(T)
	}
	return v, ok
}

// constantTime reads date("…"), timestamp("…") and duration("…").
func (b *builder) constantTime(function string, e ast.Expr) (moment, time.Duration) {
	s, ok := b.literalText(e, function)
	if !ok {
		return moment{}, 0
	}
	var t time.Time
	var d time.Duration
	var err error
	example := ""
	switch function {
	case "date":
		t, err = time.Parse("2006-01-02", s)
		example = "2024-01-31"
	case "timestamp":
		t, err = time.Parse(time.RFC3339, s)
		example = "2024-01-31T23:59:59Z"
	case "duration":
		d, err = time.ParseDuration(s)
		example = "36h, 15m or 1h30m"
	}
	if err != nil {
		b.problem(e, "%s(%q) cannot be read; write it as in %s", function, s, example)
		return moment{}, 0
	}
	return momentOf(t), d
}

// conditional builds a ternary of any type but bool.
func conditional[T any](b *builder, args []ast.Expr, values func(ast.Expr) vector[T]) vector[T] {
	branch := func(e ast.Expr) vector[T] {
		if isNullWord(e) {
			return nulls[T]()
		}
		return values(e)
	}
	return choose(b.logic(args[0]), branch(args[1]), branch(args[2]))
}

// usual are physical types that columns may have, to see whether a rule can be run.
func usual(columns []Column) []arrow.DataType {
	out := make([]arrow.DataType, len(columns))
	for i, c := range columns {
		switch c.Type {
		case String:
			out[i] = arrow.BinaryTypes.String
		case Integer:
			out[i] = arrow.PrimitiveTypes.Int64
		case Number:
			out[i] = arrow.PrimitiveTypes.Float64
		case Boolean:
			out[i] = arrow.FixedWidthTypes.Boolean
		case Date:
			out[i] = arrow.FixedWidthTypes.Date32
		case Timestamp:
			out[i] = arrow.FixedWidthTypes.Timestamp_us
		case Time:
			out[i] = arrow.FixedWidthTypes.Time64us
		}
	}
	return out
}

// mistyped adds the problem that a column of a type cannot be read.
func (b *builder) mistyped(e ast.Expr, c Column, place int) {
	b.problem(e, "column %s cannot be read as %s from type %s", c.Name, c.Type, fmt.Sprint(b.physical[place]))
}
