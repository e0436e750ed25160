package workflows_test

import (
	"slices"
	"strings"
	"testing"

	"headgate/internal/registry"
	"headgate/internal/retailer"
)

// Scores that a model gives after the fact are those that it would have given in the run,
// byte by byte, also beside rows in quarantine.
func TestAShadowAfterTheFactSaysTheSame(t *testing.T) {
	w := looped(t, 3000, retailer.Options{Fault: retailer.BadRows, Parts: 3})
	w.repeatRows(canaryMonth, 1)
	m := w.challenger("lightgbm", 0.1, 0.8)
	later := w.twin(t)
	w.route("shadow", nil, m)
	w.mustScore(canaryMonth)
	later.mustScore(canaryMonth)
	out, err := later.shadow(m)
	if err != nil || len(out.Scored) != 1 || len(out.Failed) > 0 {
		t.Fatalf("%v %+v", err, out)
	}
	want, got := w.scoreFiles(m), later.scoreFiles(m)
	if len(want) != 4 || !slices.Equal(got, want) {
		t.Errorf("in the run %v\nafterwards %v", want, got)
	}
	keys := later.keys("")
	if again, err := later.shadow(m); err != nil || len(again.Scored) != 1 || !slices.Equal(later.keys(""), keys) {
		t.Errorf("again: %v %+v", err, again)
	}
	// The model can take over the published month now, and nothing is scored for that.
	if out := later.republish(m); out.Publication != 2 || len(out.Models) != 2 || out.Models[0].Rows != 0 {
		t.Errorf("%+v", out)
	}
	later.audited(canaryMonth)
}

// A month whose input is not what it was cannot be scored again.
func TestAShadowRefusesOtherInput(t *testing.T) {
	w := looped(t, 300, retailer.Options{})
	m := w.challenger("lightgbm", 0.1, 0.8)
	w.mustScore(canaryMonth)
	w.deliver(canaryMonth, retailer.Options{Fault: retailer.BadRows})
	if _, err := w.shadow(m); err == nil || !strings.Contains(err.Error(), "is not what the run read any more") {
		t.Errorf("got %v", err)
	}
	if e := w.entries(registry.KindShadow); len(e) > 0 {
		t.Errorf("%+v", e)
	}
}
