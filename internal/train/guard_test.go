package train_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headgate/internal/train"
)

// of makes a column from another one, by row.
func of[In, Out any](in []In, f func(i int, v In) Out) []Out {
	out := make([]Out, len(in))
	for i, v := range in {
		out[i] = f(i, v)
	}
	return out
}

func TestTheGuardStopsLeaksByName(t *testing.T) {
	label := func(s *table) []float64 { return s.columns["y"].([]float64) }
	for _, tt := range []struct {
		name   string
		leak   func(s *table) any // the column spy
		change func(m *train.Manifest)
		kind   train.FindingKind // "" if there is no leak
		text   string
	}{
		{"a feature that is the label", func(s *table) any { return slices.Clone(label(s)) }, nil, train.EqualsLabel, `feature "spy" equals the label in all 4000 rows`},
		{"the label turned around", func(s *table) any { return of(label(s), func(_ int, v float64) float64 { return 1 - v }) }, nil, train.PredictsLabel, `feature "spy" alone predicts the label with an AUC of 1.0000; the limit is 0.99`},
		{"the label with a few errors", func(s *table) any {
			return of(label(s), func(i int, v float64) float64 {
				if i%500 == 0 {
					return 1 - v
				}
				return v
			})
		}, nil, train.PredictsLabel, "alone predicts"},
		{"the label as a text", func(s *table) any {
			return of(label(s), func(_ int, v float64) string { return []string{"no", "yes"}[int(v)] })
		}, nil, train.PredictsLabel, "alone predicts"},
		{"a value that is there only for one class", func(s *table) any {
			return of(label(s), func(i int, v float64) float64 {
				if v == 1 {
					return float64(i)
				}
				return nan
			})
		}, nil, train.PredictsLabel, "alone predicts"},
		{"a value that is high and low for one class", func(s *table) any {
			return of(label(s), func(i int, v float64) float64 { return v*float64(i%2*2-1) + float64(i%7)/100 })
		}, nil, train.PredictsLabel, "alone predicts"},
		{"the label with many errors", func(s *table) any {
			return of(label(s), func(i int, v float64) float64 {
				if i%5 == 0 {
					return 1 - v
				}
				return v
			})
		}, nil, "", ""},
		{"a key, which is different in every row", func(s *table) any {
			return of(label(s), func(i int, _ float64) string { return "k" + strconv.Itoa(i) })
		}, nil, "", ""},
		{"an amount that is the label but for its unit", func(s *table) any {
			return of(s.columns["amount"].([]float64), func(_ int, v float64) float64 { return 100*v + 3 })
		}, func(m *train.Manifest) { m.Label = "amount" }, train.PredictsLabel, "with an R² of 1.0000"},
		{"the square of an amount", func(s *table) any {
			return of(s.columns["amount"].([]float64), func(_ int, v float64) float64 { return math.Exp(v) })
		}, func(m *train.Manifest) { m.Label = "amount" }, train.PredictsLabel, "with an R² of 0.99"},
		{"a day in the future", func(s *table) any {
			return of(label(s), func(i int, _ float64) time.Time { return day(i % 33) })
		}, func(m *train.Manifest) { m.AsOf = "2024-01-31" }, train.LateFeature, `feature "spy" is a date after 2024-01-31 in 242 of 4000 rows`},
		{"a day in the past", func(s *table) any {
			return of(label(s), func(i int, _ float64) time.Time { return day(i % 31) })
		}, func(m *train.Manifest) { m.AsOf = "2024-01-31" }, "", ""},
		{"a value that was known the day after", func(s *table) any {
			s.set("known", of(s.columns["on"].([]time.Time), func(i int, at time.Time) time.Time { return at.AddDate(0, 0, i%2) }))
			return s.columns["noise"]
		}, func(m *train.Manifest) { m.Features[3].Available = "known" }, train.LateFeature, `was known only after the row was true in 2000 of 4000 rows, says known`},
		{"a value that was known on the day", func(s *table) any {
			s.set("known", s.columns["on"])
			return s.columns["noise"]
		}, func(m *train.Manifest) { m.Features[3].Available = "known" }, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, m := shop(4000, 1), shopManifest()
			s.set("spy", tt.leak(s))
			m.Features = append(m.Features, train.Feature{Name: "spy", Kind: "numeric"})
			if tt.change != nil {
				tt.change(&m)
			}
			_, err := train.Guard(t.Context(), s.stream(), &m)
			var leak *train.LeakError
			switch {
			case tt.kind == "":
				if err != nil {
					t.Error(err)
				}
				return
			case !errors.As(err, &leak):
				t.Fatalf("got %v, want a leak", err)
			}
			if f := leak.Findings; len(f) != 1 || f[0].Column != "spy" || f[0].Kind != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %+v: %v", f, err)
			}
			m.Leak.Allow = []string{"spy"}
			review, err := train.Guard(t.Context(), s.stream(), &m)
			if err != nil || len(review.Findings) != 1 || review.Findings[0].Kind != tt.kind {
				t.Errorf("allowed, it is %+v, %v", review, err)
			}
		})
	}
}

func TestTheLimitOfALeakIsTheManifests(t *testing.T) {
	s, m := shop(4000, 1), shopManifest()
	m.Leak.Threshold = 0.7
	if _, err := train.Guard(t.Context(), s.stream(), &m); err == nil || !strings.Contains(err.Error(), `feature "age" alone predicts the label with an AUC of 0.7`) {
		t.Errorf("got %v", err)
	}
}

func TestOneOfSeveralClassesIsNoLeak(t *testing.T) {
	s, m := shop(4000, 1), shopManifest()
	class := of(s.columns["amount"].([]float64), func(i int, v float64) float64 {
		if v < -1 {
			return 0
		}
		return float64(1 + i%2)
	})
	s.set("class", class)
	s.set("spy", of(class, func(_ int, v float64) float64 { return min(v, 1) })) // tells class 0 only
	m.Label, m.Task = "class", train.Multiclass
	m.Features = append(m.Features, train.Feature{Name: "spy", Kind: "numeric"})
	review, err := train.Guard(t.Context(), s.stream(), &m)
	if err != nil || len(review.Classes) != 3 {
		t.Fatalf("got %+v, %v", review, err)
	}
	s.set("spy", of(class, func(_ int, v float64) float64 { return 2 - v }))
	if _, err := train.Guard(t.Context(), s.stream(), &m); err == nil || !strings.Contains(err.Error(), `"spy" alone predicts`) {
		t.Errorf("got %v", err)
	}
}

func TestWhatAPersonShouldKnowBeforeTraining(t *testing.T) {
	s, m := shop(4000, 1), shopManifest()
	s.set("y", of(s.columns["y"].([]float64), func(i int, _ float64) float64 {
		if i%400 == 7 {
			return 1
		}
		return 0
	}))
	s.set("empty", slices.Repeat([]float64{nan}, 4000)).set("same", slices.Repeat([]string{"x"}, 4000))
	m.Features = append(m.Features, train.Feature{Name: "empty", Kind: "numeric"}, train.Feature{Name: "same", Kind: "categorical"})
	review, err := train.Guard(t.Context(), s.stream(), &m)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`label "y" is 1 in only 10 of 4000 rows`, `feature "empty" has no value in any row`, `feature "same" has one value in all rows`}
	if got := review.Notes(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if review.Task != train.Binary || !slices.Equal(review.Classes, []int64{3990, 10}) {
		t.Errorf("got %+v", review)
	}
}

// The sample of the guard is drawn by the seed: the same rows, the same finding.
func TestTheGuardOfManyRowsSeesASample(t *testing.T) {
	s, m := shop(50_000, 1), shopManifest()
	s.set("spy", of(s.columns["y"].([]float64), func(i int, v float64) float64 {
		if i%1000 == 0 {
			return 1 - v
		}
		return v
	}))
	m.Features = append(m.Features, train.Feature{Name: "spy", Kind: "numeric"})
	var first string
	for range 2 {
		_, err := train.Guard(t.Context(), s.stream(), &m)
		if err == nil || !strings.Contains(err.Error(), `"spy" alone predicts`) {
			t.Fatalf("got %v", err)
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Errorf("got %s, before %s", err, first)
		}
	}
}
