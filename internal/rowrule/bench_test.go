package rowrule_test

import (
	"math/rand/v2"
	"testing"

	"cel.dev/cel-go/cel"
	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/rowrule"
)

// benchmarked are rules of the kinds that contracts have.
var benchmarked = []struct{ name, rule string }{
	{"compare", "x <= y"},
	{"arithmetic", "x * 1.19 + y <= 1000.0 || i > j"},
	{"logic", "b ? x <= y && i >= 0 : i < j"},
	{"texts", "s in ['a', 'ab', 'bb'] || t.startsWith('a')"},
	{"times", "day <= at && opens < duration('18h')"},
}

// BenchmarkRules compares the kernels with CEL's evaluator, which is given row after
// row as maps that are there already. The metric is time a row.
func BenchmarkRules(b *testing.B) {
	w := writer{rand.New(rand.NewPCG(1, 1))}
	rows := make([]map[string]any, 16384)
	for i := range rows {
		rows[i] = w.row()
	}
	for _, bench := range benchmarked {
		b.Run(bench.name+"/kernel", func(b *testing.B) {
			r, err := rowrule.Compile(bench.rule, columns)
			if err != nil {
				b.Fatal(err)
			}
			var types []arrow.DataType
			var arrays []arrow.Array
			for _, name := range r.Columns() {
				types, arrays = append(types, physical[name]), append(arrays, arrowOf(name, rows))
			}
			k, err := r.Bind(types)
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for b.Loop() {
				k.Broken(arrays, len(rows), func(int) { n++ })
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
		})
		b.Run(bench.name+"/cel", func(b *testing.B) {
			env := standard(b)
			compiled, issues := env.Compile(bench.rule)
			if issues.Err() != nil {
				b.Fatal(issues.Err())
			}
			program, err := env.Program(compiled, cel.EvalOptions(cel.OptOptimize))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				for _, row := range rows {
					if _, _, err := program.Eval(row); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
		})
	}
}
