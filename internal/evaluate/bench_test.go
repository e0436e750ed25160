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

func BenchmarkSketch(b *testing.B) {
	d := people(1_000_000)
	for range 1_000_000 {
		d.Clusters = append(d.Clusters, uint64(len(d.Clusters)/4))
	}
	for b.Loop() {
		s, err := evaluate.NewSketch(true, 0.5)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Add(d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/row")
}
