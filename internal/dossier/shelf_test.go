package dossier_test

import (
	"slices"
	"strings"
	"testing"

	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
)

// Whatever the shelf names, the reader has facts about it.
func TestTheShelfNamesWhatThereIs(t *testing.T) {
	s := newMonths(t)
	s.trained()
	s.candidate("2024-07/next", next)
	s.judged(gate.Pass)
	log := s.log()
	state := log.State()
	s.append(registry.Entry{Kind: registry.KindProposal, Pipeline: state.Pipeline, Contract: next, Paper: next, Reason: "a limit"})
	r := s.open()
	shelf, err := r.Shelf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if shelf.Pipeline != "retailer" || shelf.Owner != "demo" || shelf.Champion.Digest != string(s.champion()) || shelf.Anchor != s.log().Anchor() {
		t.Errorf("%+v", shelf)
	}
	seen := map[string]int{}
	for _, name := range shelf.Names() {
		kind, rest, _ := strings.Cut(name, "/")
		seen[kind]++
		var err error
		switch kind {
		case "month":
			_, err = r.Month(t.Context(), rest)
		case "training":
			_, err = r.Training(t.Context(), rest)
		case "release":
			_, err = r.Release(t.Context(), rest)
		case "card":
			if !strings.HasPrefix(string(next), "sha256:"+rest) { // which has no bundle here
				_, err = r.Card(t.Context(), rest)
			}
		default:
			_, err = r.Batch(t.Context(), kind, rest)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if seen["month"] != 3 || seen["training"] != 1 || seen["release"] != 2 || seen["card"] != 2 || seen["2024-01"] != 1 || seen["2024-04"] != 1 {
		t.Errorf("names %v", seen)
	}
	states := map[string]string{}
	for _, l := range shelf.Runs {
		states[l.Batch] = l.State
	}
	if states["2024-01"] != "published" || states["2024-04"] != "block" {
		t.Errorf("runs %+v", shelf.Runs)
	}
	var asks []string
	for _, w := range shelf.Waits {
		asks = append(asks, w.Command)
	}
	if last := asks[len(asks)-1]; !strings.HasPrefix(last, "starter approve retailer --proposal ") || !slices.Contains(asks, "starter score retailer --batch 2024-04") {
		t.Errorf("asks %q", asks)
	}
}

func TestARunThatWasReplaced(t *testing.T) {
	s := newMonths(t)
	first, err := s.open().Batch(t.Context(), "2024-01", "")
	if err != nil {
		t.Fatal(err)
	}
	s.remove("incoming/retailer/2024-01/part-0000.parquet")
	s.score("2024-01", retailer.BadRows)
	shelf, err := s.open().Shelf(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, l := range shelf.Runs {
		if l.Batch == "2024-01" {
			states[l.State] = l.Name
		}
	}
	if len(states) != 2 || !strings.Contains(first.Run, strings.TrimPrefix(states["replaced"], "2024-01/")) {
		t.Errorf("runs of the month %v", states)
	}
	if b, err := s.open().Batch(t.Context(), "2024-01", short(store.Digest(first.Run))); err != nil || b.Published != 0 || len(b.Publications) != 2 {
		t.Errorf("the first run: %v %+v", err, b)
	}
}
