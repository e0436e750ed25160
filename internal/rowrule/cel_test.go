package rowrule_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/rowrule"
)

// An expression is written twice: as a rule, and for CEL's own evaluator, which
// takes no int beside a double.
type expression struct{ ours, cel string }

func both(format string, parts ...expression) expression {
	ours, theirs := make([]any, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		ours[i], theirs[i] = p.ours, p.cel
	}
	return expression{fmt.Sprintf(format, ours...), fmt.Sprintf(format, theirs...)}
}

// A writer makes random rules.
type writer struct{ *rand.Rand }

func (w writer) pick(words ...string) string { return words[w.IntN(len(words))] }

func (w writer) word(words ...string) expression {
	s := w.pick(words...)
	return expression{s, s}
}

func (w writer) condition(depth int) expression {
	if depth <= 0 {
		return w.word("b", "b", "i < j", "x < y", "s == t", "true")
	}
	switch w.IntN(14) {
	case 0, 1:
		return both("("+"%s && %s)", w.condition(depth-1), w.condition(depth-1))
	case 2, 3:
		return both("(%s || %s)", w.condition(depth-1), w.condition(depth-1))
	case 4:
		return both("!(%s)", w.condition(depth-1))
	case 5:
		return both("(%s ? %s : %s)", w.condition(depth-1), w.condition(depth-1), w.condition(depth-1))
	case 6:
		return both("(%s) "+w.pick("==", "!=")+" (%s)", w.condition(depth-1), w.condition(depth-1))
	case 7:
		return both("%s in [%s, 3, %s]", w.whole(depth-1), w.whole(0), w.whole(0))
	case 8:
		return both("%s in ['a', '', 'ab']", w.text(depth-1))
	case 9:
		return both("%s."+w.pick("startsWith", "endsWith", "contains")+"(%s)", w.text(depth-1), w.text(depth-1))
	case 10:
		return both("%s.matches('"+w.pick("a+", "^b", "é$", "[ab]b")+"')", w.text(depth-1))
	}
	compare := " " + w.pick("<", "<=", ">", ">=", "==", "!=") + " "
	ordered := w.pick(" < ", " <= ", " > ", " >= ")
	switch w.IntN(6) {
	case 0:
		return both("%s"+compare+"%s", w.whole(depth-1), w.whole(depth-1))
	case 1:
		return both("%s"+compare+"%s", w.number(depth-1), w.number(depth-1))
	case 2:
		return both("%s"+ordered+"%s", w.whole(depth-1), w.number(depth-1))
	case 3:
		return both("%s"+compare+"%s", w.text(depth-1), w.text(depth-1))
	case 4:
		return both("%s"+compare+"%s", w.instant(depth-1), w.instant(depth-1))
	}
	return both("%s"+compare+"%s", w.duration(depth-1), w.duration(depth-1))
}

func (w writer) whole(depth int) expression {
	if depth <= 0 {
		return w.word("i", "j", "0", "-1", "7", "size(s)", "9223372036854775807")
	}
	switch w.IntN(6) {
	case 0:
		return both("(%s ? %s : %s)", w.condition(depth-1), w.whole(depth-1), w.whole(depth-1))
	case 1:
		return both("int(%s)", w.number(depth-1))
	case 2:
		return both("-(%s)", w.whole(depth-1))
	case 3:
		return both("%s."+w.pick("getMonth", "getDayOfYear", "getDayOfWeek", "getFullYear", "getDate", "getHours", "getMinutes", "getSeconds")+"()", w.instant(depth-1))
	}
	return both("(%s "+w.pick("+", "-", "*", "/", "%%")+" %s)", w.whole(depth-1), w.whole(depth-1))
}

func (w writer) number(depth int) expression {
	if depth <= 0 {
		return w.word("x", "y", "0.5", "-1e300", "2.0")
	}
	switch w.IntN(6) {
	case 0:
		return both("(%s ? %s : %s)", w.condition(depth-1), w.number(depth-1), w.number(depth-1))
	case 1:
		i, x := w.whole(depth-1), w.number(depth-1)
		op := w.pick("+", "-", "*", "/")
		return expression{fmt.Sprintf("(%s %s %s)", i.ours, op, x.ours), fmt.Sprintf("(double(%s) %s %s)", i.cel, op, x.cel)}
	case 2:
		return both("double(%s)", w.whole(depth-1))
	}
	return both("(%s "+w.pick("+", "-", "*", "/")+" %s)", w.number(depth-1), w.number(depth-1))
}

func (w writer) text(depth int) expression {
	if depth > 0 && w.IntN(4) == 0 {
		return both("(%s ? %s : %s)", w.condition(depth-1), w.text(depth-1), w.text(depth-1))
	}
	return w.word("s", "t", "'a'", "''", "'é'")
}

func (w writer) instant(depth int) expression {
	if depth > 0 && w.IntN(3) == 0 {
		return both("(%s "+w.pick("+", "-")+" %s)", w.instant(depth-1), w.duration(depth-1))
	}
	return w.word("day", "at", "timestamp('2024-02-29T12:00:00.5Z')")
}

func (w writer) duration(depth int) expression {
	if depth > 0 && w.IntN(3) == 0 {
		return both("(%s - %s)", w.instant(depth-1), w.instant(depth-1))
	}
	return w.word("opens", "duration('36h')", "duration('1ns')", "duration('2000000h')")
}

// A row is one row of the table, for CEL.
func (w writer) row() map[string]any {
	texts := []string{"", "a", "ab", "bb", "é", "aéb"}
	whole := func() int64 {
		return []int64{0, 1, -1, 2, 3, 7, 100, math.MaxInt64, math.MinInt64, w.Int64() - w.Int64()}[w.IntN(10)]
	}
	number := func() float64 {
		return []float64{0, 1, -1, 0.5, 3, 7.25, 1e18, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), w.NormFloat64() * 100}[w.IntN(13)]
	}
	return map[string]any{
		"i": whole(), "j": whole(), "x": number(), "y": number(), "s": texts[w.IntN(len(texts))], "t": texts[w.IntN(len(texts))], "b": w.IntN(2) == 0,
		"day":   time.Unix(86_400*(w.Int64N(40_000)-10_000), 0).UTC(),
		"at":    time.Unix(w.Int64N(250_000_000_000)-60_000_000_000, w.Int64N(1_000_000)*1000).UTC(),
		"opens": time.Duration(w.Int64N(86_400)) * time.Second,
	}
}

// arrowOf makes an array of one column of the rows.
func arrowOf(name string, rows []map[string]any) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, physical[name])
	for _, row := range rows {
		switch v := row[name].(type) {
		case int64:
			b.(*array.Int64Builder).Append(v)
		case float64:
			b.(*array.Float64Builder).Append(v)
		case string:
			b.(*array.StringBuilder).Append(v)
		case bool:
			b.(*array.BooleanBuilder).Append(v)
		case time.Duration:
			b.(*array.Time32Builder).Append(arrow.Time32(v / time.Second))
		case time.Time:
			if days, ok := b.(*array.Date32Builder); ok {
				days.Append(arrow.Date32FromTime(v))
			} else {
				b.(*array.TimestampBuilder).Append(arrow.Timestamp(v.UnixMicro()))
			}
		default:
			b.AppendNull()
		}
	}
	return b.NewArray()
}

// brokenOf returns the rows that break a rule.
func brokenOf(t *testing.T, rule string, rows []map[string]any) []int {
	t.Helper()
	r, err := rowrule.Compile(rule, columns)
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	var types []arrow.DataType
	var arrays []arrow.Array
	for _, name := range r.Columns() {
		types, arrays = append(types, physical[name]), append(arrays, arrowOf(name, rows))
	}
	k, err := r.Bind(types)
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	var out []int
	k.Broken(arrays, len(rows), func(row int) { out = append(out, row) })
	return out
}

// standard is CEL's own environment with the columns of the tests.
func standard(t testing.TB) *cel.Env {
	env, err := cel.NewEnv(cel.CrossTypeNumericComparisons(true),
		cel.Variable("i", cel.IntType), cel.Variable("j", cel.IntType), cel.Variable("x", cel.DoubleType), cel.Variable("y", cel.DoubleType),
		cel.Variable("s", cel.StringType), cel.Variable("t", cel.StringType), cel.Variable("b", cel.BoolType),
		cel.Variable("day", cel.TimestampType), cel.Variable("at", cel.TimestampType), cel.Variable("opens", cel.DurationType))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// FuzzAgainstCEL holds that a random rule breaks the same random rows, none of
// which has a null, as CEL's own evaluator finds false or failing; and that a null
// only leaves open: what a row with nulls breaks, it breaks with any values.
func FuzzAgainstCEL(f *testing.F) {
	for seed := range uint64(150) {
		f.Add(seed)
	}
	env := standard(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := writer{rand.New(rand.NewPCG(seed, 1))}
		rule := both("i == i && %s", w.condition(3))
		if len(rule.ours) > rowrule.MaxLength-3 {
			return
		}
		rows := make([]map[string]any, 40)
		for i := range rows {
			rows[i] = w.row()
		}
		compiled, issues := env.Compile(rule.cel)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		program, err := env.Program(compiled)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for i, row := range rows {
			if out, _, err := program.Eval(row); err != nil || out.Value() == false {
				want = append(want, i)
			}
		}
		got := brokenOf(t, rule.ours, rows)
		if !slices.Equal(got, want) {
			t.Fatalf("%s\nbreaks %v, and CEL says %v, of\n%v", rule.ours, got, want, rows)
		}
		withNulls := make([]map[string]any, len(rows))
		for i, row := range rows {
			withNulls[i] = maps.Clone(row)
			delete(withNulls[i], w.pick("i", "x", "s", "b", "day", "opens"))
		}
		for _, text := range []string{rule.ours, "!(" + rule.ours + ")"} {
			full := brokenOf(t, text, rows)
			for _, row := range brokenOf(t, text, withNulls) {
				if !slices.Contains(full, row) {
					t.Fatalf("%s\nis broken by %v\nand not by %v", text, withNulls[row], rows[row])
				}
			}
		}
	})
}

// FuzzCompile holds that any text is refused with places inside it, or can be run
// on rows with and without nulls.
func FuzzCompile(f *testing.F) {
	for _, rule := range []string{"x <= y", "b == null", "s in ['a', t] && size(s) > i", "day < date('2024-01-31')", "(b ? i : j) % 2 == 0", "column('net price') > 1.0", "[1].all(x, x > i)"} {
		f.Add(rule)
	}
	w := writer{rand.New(rand.NewPCG(1, 1))}
	rows := []map[string]any{{}, w.row(), w.row()}
	f.Fuzz(func(t *testing.T, rule string) {
		if _, err := rowrule.Compile(rule, columns); err == nil {
			brokenOf(t, rule, rows)
		}
	})
}
