package pass_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"headgate/internal/pass"
)

func TestARankIsTheMidRankOfTheScores(t *testing.T) {
	var r pass.Ranks
	for _, score := range []float64{0.2, 0.5, 0.5, 0.9} {
		r.Add(score)
	}
	for _, tt := range []struct{ score, want float64 }{
		{0, 0}, {0.2, 0.125}, {0.3, 0.25}, {0.5, 0.5}, {0.7, 0.75}, {0.9, 0.875}, {1, 1}, {-1, 0}, {2, 1}, {math.NaN(), 0},
	} {
		if got := r.Share(tt.score); got != tt.want {
			t.Errorf("Share(%v) = %v, want %v", tt.score, got, tt.want)
		}
	}
	if got := new(pass.Ranks).Share(0.1); got != 0.5 {
		t.Errorf("without scores: %v", got)
	}
}

// Whatever the scores are, also if they crowd at either end, no rank is further from the
// exact one than the documented bound, and a higher score has no lower rank.
func TestARankKeepsItsBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() float64{
		"spread evenly":   random.Float64,
		"near 0":          func() float64 { return random.ExpFloat64() * 1e-6 },
		"near 1":          func() float64 { return 1 - random.ExpFloat64()*1e-6 },
		"around the half": func() float64 { return 0.5 + random.NormFloat64()*1e-3 },
		"often the same":  func() float64 { return math.Round(random.Float64()*20) / 20 },
	} {
		var r pass.Ranks
		scores := make([]float64, 3000)
		for i := range scores {
			scores[i] = draw()
			r.Add(scores[i])
		}
		n := float64(len(scores))
		for _, s := range scores {
			var below, same, near float64
			width := math.Max(math.Min(s, 1-s)/(1<<14), 1.0/(1<<33))
			for _, other := range scores {
				if other < s {
					below++
				}
				if other == s {
					same++
				}
				if math.Abs(other-s) <= width {
					near++
				}
			}
			if got, want := r.Share(s), (below+same/2)/n; math.Abs(got-want) > near/2/n+1e-15 {
				t.Fatalf("%s: Share(%v) = %v, exact %v, %v scores are near", name, s, got, want, near)
			}
		}
		last := 0.0
		for i := range 10_001 {
			got := r.Share(float64(i) / 10_000)
			if got < last {
				t.Fatalf("%s: the rank falls at %v", name, float64(i)/10_000)
			}
			last = got
		}
	}
}

func FuzzRanks(f *testing.F) {
	var r pass.Ranks
	for _, score := range []float64{0, 1e-9, 0.25, 0.25, 1} {
		r.Add(score)
	}
	good, err := r.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		var r pass.Ranks
		if r.UnmarshalBinary(data) != nil {
			return
		}
		again, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back pass.Ranks
		if err := back.UnmarshalBinary(again); err != nil || back.Rows() != r.Rows() || back.Share(0.5) != r.Share(0.5) {
			t.Errorf("%v, %d rows of %d", err, back.Rows(), r.Rows())
		}
		if len(again) > len(data) || (len(again) == len(data) && !bytes.Equal(again, data)) {
			t.Errorf("%x became %x", data, again)
		}
	})
}
