//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Days of flights depend on each other and are few. All the same an equal challenger is
// hardly ever promoted, one that is worse never, and one that is better by .02 nearly
// always within three months.
func TestFlightsWhoseTruthIsKnown(t *testing.T) {
	shared := os.Getenv("HEADGATE_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared", "data")
	}
	w, err := flightWorld("flights", shared)
	if err != nil {
		t.Fatal(err)
	}
	// Of 60 releases; 2 of 60 are below 5 %, and a power of .9 gives 49 or more in 98 of
	// 100 runs.
	most := map[string]int{"equal": 2, "−.01": 0, "−.005": 1}
	least := map[string]int{"+.02": 49}
	for _, c := range w.challengers {
		got, err := w.judge(c, settings{releases: 60, parallel: 2, seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		promoted := got.promoted[len(got.promoted)-1]
		if n, ok := most[c.name]; ok && promoted > n {
			t.Errorf("%s was promoted %d times of 60, want %d at most", c.name, promoted, n)
		}
		if n, ok := least[c.name]; ok && promoted < n {
			t.Errorf("%s was promoted %d times of 60, want %d at least", c.name, promoted, n)
		}
	}
}
