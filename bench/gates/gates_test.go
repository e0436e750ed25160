package main

import (
	"bytes"
	"strings"
	"testing"

	"headgate/internal/gate"
)

// A small world is enough to see that the gate tells good from bad: what is equal or
// worse is not promoted in a year, and what is better is.
func TestTheDefaultPolicyTellsGoodFromBad(t *testing.T) {
	w, err := retailerWorld("small", 6_000, 4_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]gate.Verdict{"equal": gate.Block, "−.01": gate.Block, "+.02": gate.Pass}
	seen := 0
	for _, c := range w.challengers {
		verdict, ok := want[c.name]
		if !ok {
			continue
		}
		seen++
		for i := range 3 {
			e, err := w.release(c, i, 1)
			if err != nil {
				t.Fatal(err)
			}
			if e.verdict != verdict {
				t.Errorf("release %d of %s: %s after %d batches, want %s", i, c.name, e.verdict, e.batches, verdict)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d challengers were judged", seen, len(want))
	}
}

func TestChallengersAreAsGoodAsTheySay(t *testing.T) {
	w, err := retailerWorld("small", 6_000, 4_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range w.challengers {
		want := map[string]float64{"−.01": -0.01, "−.005": -0.005, "+.01": 0.01, "+.02": 0.02}[c.name]
		// The errors of 6,000 customers are chance.
		if d := c.auc - want; d < -0.004 || d > 0.004 || want*c.logLoss > 0 {
			t.Errorf("%s differs by %.4f in AUC and by %.2f %% in log loss", c.name, c.auc, 100*c.logLoss)
		}
	}
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for flags, want := range map[string]string{
		"-releases 3":    "-releases is at least 12",
		"-pool 10":       "-pool is at least 40000",
		"-world nowhere": `no world has "nowhere" in its name`,
		"more":           `unknown argument "more"`,
	} {
		var out bytes.Buffer
		if err := run(strings.Fields(flags), &out, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", flags, err, want)
		}
	}
}
