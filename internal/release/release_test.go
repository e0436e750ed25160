package release

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestAssign(t *testing.T) {
	// Points by Python: int.from_bytes(sha256(salt + b"\0" + key).digest()[:8]) * 10000 >> 64
	points := []struct {
		salt, key string
		point     int
	}{
		{"2024-08/retrain", "C000001", 253},
		{"2024-08/retrain", "C000002", 2688},
		{"s", "", 1587},
		{"s", "a", 3007},
		{"t", "a", 7360},
	}
	for _, p := range points {
		for _, share := range []int{p.point, p.point + 1} {
			r := Routing{Salt: p.salt, Arms: []Arm{{"champion", Whole - share}, {"candidate", share}}}
			want := share - p.point // 1 as soon as the share goes beyond the point
			if got := r.Assign([]byte(p.key)); got != want {
				t.Errorf("%s %s with share %d: arm %d, want %d", p.salt, p.key, share, got, want)
			}
		}
	}
	if got := (&Routing{}).Assign([]byte("a")); got != 0 {
		t.Errorf("no arms: %d", got)
	}
}

func TestSharesComeOutAndNobodyGoesBack(t *testing.T) {
	const n = 20_000
	before := make([]int, n)
	for _, share := range []int{0, 1, 1000, 2500, 9999, Whole} {
		r := Routing{Format: Format, Release: "r", Salt: "r", Arms: []Arm{{"champion", Whole - share}, {"candidate", share}}}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		served := 0
		for i := range n {
			arm := r.Assign(fmt.Appendf(nil, "customer-%d", i))
			if arm < before[i] {
				t.Fatalf("customer %d goes back to the champion as the share grows to %d", i, share)
			}
			before[i] = arm
			served += arm
		}
		want := float64(n) * float64(share) / Whole
		if sigma := math.Sqrt(want * (1 - float64(share)/Whole)); math.Abs(float64(served)-want) > 4*sigma {
			t.Errorf("share %d: %d of %d, want %g ± %g", share, served, n, want, sigma)
		}
	}
}

func TestAssignGivesEveryArmItsShare(t *testing.T) {
	r := Routing{Salt: "s", Arms: []Arm{{"a", 2000}, {"b", 3000}, {"c", 5000}}}
	counts := make([]int64, 3)
	for i := range 10_000 {
		counts[r.Assign(fmt.Appendf(nil, "%d", i))]++
	}
	if p, ok := SRM(counts, []int{2000, 3000, 5000}); !ok || p < 0.01 {
		t.Errorf("%v: p = %g", counts, p)
	}
	if p, _ := SRM(counts, []int{2100, 3000, 4900}); p > 0.05 {
		t.Errorf("%v is as good as other shares: p = %g", counts, p)
	}
}

func BenchmarkAssign(b *testing.B) {
	r := Routing{Salt: "2024-08/retrain", Arms: []Arm{{"a", 9000}, {"b", 1000}}}
	key := []byte("customer-0123456")
	b.ReportAllocs()
	for b.Loop() {
		r.Assign(key)
	}
}

func TestRoutingCheck(t *testing.T) {
	arms := []Arm{{"a", 9000}, {"b", 1000}}
	tests := []struct {
		name    string
		routing Routing
		err     string
	}{
		{"the champion alone", Routing{Format: 1, Arms: []Arm{{"a", Whole}}}, ""},
		{"two arms and a shadow", Routing{Format: 1, Salt: "s", Arms: arms, Shadow: []string{"c"}}, ""},
		{"an arm without a share", Routing{Format: 1, Salt: "s", Arms: []Arm{{"a", 0}, {"b", Whole}}}, ""},
		{"another format", Routing{Format: 2, Arms: []Arm{{"a", Whole}}}, "format 2"},
		{"no arm", Routing{Format: 1}, "no arm"},
		{"no salt", Routing{Format: 1, Arms: arms}, "no salt"},
		{"shares that leave some out", Routing{Format: 1, Salt: "s", Arms: []Arm{{"a", 9000}, {"b", 999}}}, "add up to 9999"},
		{"a negative share", Routing{Format: 1, Salt: "s", Arms: []Arm{{"a", 11000}, {"b", -1000}}}, "share 11000"},
		{"one model twice", Routing{Format: 1, Salt: "s", Arms: arms, Shadow: []string{"b"}}, "b twice"},
		{"an empty model", Routing{Format: 1, Arms: []Arm{{"", Whole}}}, "empty model"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.routing.Check()
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func TestSRM(t *testing.T) {
	tests := []struct {
		name   string
		counts []int64
		shares []int
		p      float64 // by scipy.stats.chi2.sf, SciPy 1.17.1
		ok     bool
	}{
		{"as planned", []int64{5000, 5000}, []int{5000, 5000}, 1, true},
		{"10 % as planned, nearly", []int64{9020, 980}, []int{9000, 1000}, 0.5049850750938457, true},
		{"two arms, far off", []int64{5200, 4800}, []int{5000, 5000}, 6.334248366623993e-05, true},
		{"three arms", []int64{40, 30, 30}, []int{1, 1, 1}, 0.36787944117144233, true},
		{"four arms", []int64{30, 20, 25, 25}, []int{2500, 2500, 2500, 2500}, 0.5724067044708798, true},
		{"five arms", []int64{30, 20, 25, 25, 25}, []int{2000, 2000, 2000, 2000, 2000}, 0.7357588823428847, true},
		{"an arm without a share and rows", []int64{10, 1}, []int{10_000, 0}, 0, true},
		{"an arm without a share counts for nothing", []int64{5200, 4800, 0}, []int{5000, 5000, 0}, 6.334248366623993e-05, true},
		{"too few to tell", []int64{40, 4}, []int{9000, 1000}, 1, false},
		{"one arm", []int64{40}, []int{10_000}, 1, false},
		{"lengths differ", []int64{40, 40}, []int{10_000}, 1, false},
		{"a negative count", []int64{-1, 40}, []int{5000, 5000}, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := SRM(tt.counts, tt.shares)
			if ok != tt.ok || math.Abs(p-tt.p) > 1e-12 {
				t.Errorf("got %v %v, want %v %v", p, ok, tt.p, tt.ok)
			}
		})
	}
}

// The values are from Abramowitz and Stegun, table 26.8, Q = .001.
func TestChiSquareTail(t *testing.T) {
	for df, x := range map[int]float64{1: 10.8276, 2: 13.8155, 3: 16.2662, 4: 18.4668, 5: 20.5150, 10: 29.5883} {
		if p := chiSquareTail(x, df); math.Abs(p-0.001) > 1e-6 {
			t.Errorf("df %d: %g", df, p)
		}
	}
}
