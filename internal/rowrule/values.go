package rowrule

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// textTests are the functions of two texts.
var textTests = map[string]func(string, string) bool{
	"startsWith": strings.HasPrefix,
	"endsWith":   strings.HasSuffix,
	"contains":   strings.Contains,
}

// parts are the functions that read a part of an instant in UTC, as CEL counts them:
// months, days of the year and days of the week from 0, a Sunday being 0.
var parts = map[string]func(time.Time) int{
	"getFullYear":  time.Time.Year,
	"getMonth":     func(t time.Time) int { return int(t.Month()) - 1 },
	"getDate":      time.Time.Day,
	"getDayOfYear": func(t time.Time) int { return t.YearDay() - 1 },
	"getDayOfWeek": func(t time.Time) int { return int(t.Weekday()) },
	"getHours":     time.Time.Hour,
	"getMinutes":   time.Time.Minute,
	"getSeconds":   time.Time.Second,
}

var intOperations = map[string]func(int64, int64) (int64, bool){
	operators.Add: addInt, operators.Subtract: subtractInt, operators.Multiply: multiplyInt,
	operators.Divide: divideInt, operators.Modulo: moduloInt,
}

// ints builds whole numbers.
func (b *builder) ints(e ast.Expr) vector[int64] {
	if c, place, ok := b.column(e); ok && c.Type == Integer {
		if v := integers(place, b.physical[place]); v != nil {
			return v
		}
		b.mistyped(e, c, place)
		return nulls[int64]()
	}
	if v, ok := literalOf[int64](e); ok {
		return constant(v)
	}
	function, args, ok := call(e)
	if !ok {
		b.unsupported(e)
		return nulls[int64]()
	}
	if op := intOperations[function]; op != nil {
		return try2(b.ints(args[0]), b.ints(args[1]), op)
	}
	if part := parts[function]; part != nil {
		return map1(b.moments(args[0]), func(m moment) int64 {
			return int64(part(time.Unix(m.seconds, int64(m.nanos)).UTC()))
		})
	}
	switch function {
	case operators.Conditional:
		return conditional(b, args, b.ints)
	case operators.Negate:
		return try1(b.ints(args[0]), negateInt)
	case "math.abs":
		return try1(b.ints(args[0]), absInt)
	case "int":
		if b.kind(args[0]) == types.IntKind {
			return b.ints(args[0])
		}
		return try1(b.doubles(args[0]), intOf)
	case "size":
		return map1(b.texts(args[0]), func(s string) int64 { return int64(utf8.RuneCountInString(s)) })
	}
	b.unsupported(e)
	return nulls[int64]()
}

// doubles builds numbers; whole ones are converted.
func (b *builder) doubles(e ast.Expr) vector[float64] {
	if b.kind(e) == types.IntKind {
		return map1(b.ints(e), func(v int64) float64 { return float64(v) })
	}
	if c, place, ok := b.column(e); ok && c.Type == Number {
		if v := numbers(place, b.physical[place]); v != nil {
			return v
		}
		b.mistyped(e, c, place)
		return nulls[float64]()
	}
	if v, ok := number(e); ok {
		return constant(v)
	}
	function, args, ok := call(e)
	if !ok {
		b.unsupported(e)
		return nulls[float64]()
	}
	switch function {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide:
		return doubles(b.doubles(args[0]), b.doubles(args[1]), function[1])
	case operators.Conditional:
		return conditional(b, args, b.doubles)
	case operators.Negate:
		return map1(b.doubles(args[0]), func(v float64) float64 { return -v })
	case "math.abs":
		return map1(b.doubles(args[0]), math.Abs)
	case "double":
		return b.doubles(args[0])
	}
	b.unsupported(e)
	return nulls[float64]()
}

// number returns a number that the rule itself has.
func number(e ast.Expr) (float64, bool) {
	if v, ok := literalOf[int64](e); ok {
		return float64(v), true
	}
	return literalOf[float64](e)
}

// doublesBeside builds x, which is compared with y.
func (b *builder) doublesBeside(x, y ast.Expr) vector[float64] {
	if v, ok := number(x); ok {
		return constant(b.roundBeside(v, y))
	}
	return b.doubles(x)
}

// roundBeside gives a number of the rule the precision of the column that it is
// compared with, so that a column of floats with 0.1 is equal to 0.1.
func (b *builder) roundBeside(v float64, e ast.Expr) float64 {
	if _, place, ok := b.column(e); ok && single(b.physical[place]) {
		return float64(float32(v))
	}
	return v
}

// texts builds texts.
func (b *builder) texts(e ast.Expr) vector[string] {
	if c, place, ok := b.column(e); ok && c.Type == String {
		if v := characters(place, b.physical[place]); v != nil {
			return v
		}
		b.mistyped(e, c, place)
		return nulls[string]()
	}
	if s, ok := literalOf[string](e); ok {
		return constant(s)
	}
	if function, args, ok := call(e); ok && function == operators.Conditional {
		return conditional(b, args, b.texts)
	}
	b.unsupported(e)
	return nulls[string]()
}

// moments builds instants.
func (b *builder) moments(e ast.Expr) vector[moment] {
	if c, place, ok := b.column(e); ok && (c.Type == Date || c.Type == Timestamp) {
		if v := instants(place, b.physical[place]); v != nil {
			return v
		}
		b.mistyped(e, c, place)
		return nulls[moment]()
	}
	function, args, ok := call(e)
	if !ok {
		b.unsupported(e)
		return nulls[moment]()
	}
	switch function {
	case operators.Conditional:
		return conditional(b, args, b.moments)
	case operators.Add:
		if b.kind(args[0]) == types.DurationKind {
			args[0], args[1] = args[1], args[0]
		}
		return try2(b.moments(args[0]), b.durations(args[1]), shift)
	case operators.Subtract:
		return try2(b.moments(args[0]), b.durations(args[1]), func(m moment, d int64) (moment, bool) {
			earlier, ok := shift(m, -d)
			return earlier, ok && d != math.MinInt64
		})
	case "date", "timestamp":
		m, _ := b.constantTime(function, args[0])
		return constant(m)
	}
	b.unsupported(e)
	return nulls[moment]()
}

// durations builds durations in nanoseconds.
func (b *builder) durations(e ast.Expr) vector[int64] {
	if c, place, ok := b.column(e); ok && c.Type == Time {
		if v := timesOfDay(place, b.physical[place]); v != nil {
			return v
		}
		b.mistyped(e, c, place)
		return nulls[int64]()
	}
	function, args, ok := call(e)
	if !ok {
		b.unsupported(e)
		return nulls[int64]()
	}
	switch function {
	case operators.Conditional:
		return conditional(b, args, b.durations)
	case operators.Add:
		return try2(b.durations(args[0]), b.durations(args[1]), addInt)
	case operators.Subtract:
		if b.kind(args[0]) == types.TimestampKind {
			return try2(b.moments(args[0]), b.moments(args[1]), since)
		}
		return try2(b.durations(args[0]), b.durations(args[1]), subtractInt)
	case "duration":
		_, d := b.constantTime(function, args[0])
		return constant(int64(d))
	}
	b.unsupported(e)
	return nulls[int64]()
}
