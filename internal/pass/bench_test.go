package pass_test

import (
	"bytes"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/retailer"
)

// free costs nothing, so that a benchmark shows the rest of the pass.
type free struct{ model.Scorer }

func (f free) Score(dst *model.Scores, rec arrow.Record) error {
	dst.Resize(int(rec.NumRows()), 1)
	return nil
}

// BenchmarkRun passes over 100,000 rows without scoring them.
func BenchmarkRun(b *testing.B) {
	for _, bc := range []struct {
		name  string
		fault retailer.Fault
	}{{name: "good rows"}, {name: "some bad rows", fault: retailer.BadRows}} {
		b.Run(bc.name, func(b *testing.B) {
			const rows = 100_000
			var buf bytes.Buffer
			world := retailer.World{Seed: 1, Customers: rows}
			if err := world.Write(b.Context(), &buf, "2024-01", &retailer.Options{Fault: bc.fault}); err != nil {
				b.Fatal(err)
			}
			c, s := shipped(b)
			f := open(b, buf.Bytes())
			in := pass.Input{File: f, Shard: everything(f), Contract: c, Scorer: free{s}, Keep: []string{"segment", "region"}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pass.Run(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
