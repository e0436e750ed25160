package evaluate_test

import (
	"testing"

	"headgate/internal/evaluate"
)

func BenchmarkAUC(b *testing.B) {
	d := people(1_000_000)
	for b.Loop() {
		if _, err := evaluate.Of(evaluate.AUC, d, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/row")
}
