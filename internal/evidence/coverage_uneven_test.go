package evidence_test

import (
	"slices"
	"strings"
	"testing"

	"headgate/internal/evidence"
	"headgate/internal/store"
)

// spotty are people of four segments: outcomes of seven tenths of the smallest one are
// not known. It has a share of the rows.
func spotty(n int, share float64) []person {
	all := people(n, 0, func(i int, _ float64) int { return i % 2 })
	for i := range all {
		all[i].segment = []string{"a", "b", "c"}[i%3]
		if i%100 < int(100*share) {
			all[i].segment = "charter"
			if i/100%10 < 7 {
				all[i].outcome = -1
			}
		}
	}
	return all
}

func TestASmallSliceWithFewOutcomesIsLeftOut(t *testing.T) {
	s := newShop(t, untreated)
	all := spotty(4000, 0.04)
	b := s.label(s.score("2024-01", all), all, true)
	r := evidence.Request{Models: []store.Digest{champion, arm}, Batches: []evidence.Batch{b}}
	e, err := evidence.Evaluate(s.load(r), nil)
	if err != nil {
		t.Fatal(err)
	}
	left := e.Coverage.LeftOut()
	if want := []evidence.Left{{By: "segment", Value: "charter"}}; e.Verdict != "pass" || !e.Coverage.Even || !slices.Equal(left, want) {
		t.Fatalf("verdict %s %q, without %v, want %v", e.Verdict, e.Reasons, left, want)
	}
	if e.Rows.Omitted != 160 || e.Rows.Judged != 3840 || e.Rows.Missing != 0 || e.Models[0].Rows != 3840 || e.Coverage.Known.Value != 1 {
		t.Errorf("rows %+v, of the champion %d, coverage %v", e.Rows, e.Models[0].Rows, e.Coverage.Known)
	}
	if note := strings.Join(e.Notes, " "); !strings.Contains(note, "rows with segment charter are left out: 30.0 % of their outcomes are known, and 100.0 % of the others") {
		t.Errorf("notes %q", e.Notes)
	}
	// Whoever asks for the rows without the slice gets the same ones.
	r.Batches[0].Without = left
	rows := s.load(r)
	judged := rows.Judged()
	if len(rows.Labels) != 4000 || len(judged.Labels) != 3840 {
		t.Errorf("%d of %d rows count", len(judged.Labels), len(rows.Labels))
	}
	for _, of := range judged.Slices[0].Of {
		if judged.Slices[0].Values[of] == "charter" {
			t.Fatal("a row of the slice counts")
		}
	}
}

func TestNotEverySliceMayBeLeftOut(t *testing.T) {
	for _, tt := range []struct {
		name     string
		share    float64
		contract func(string) string
	}{
		{"a large slice", 0.2, func(c string) string { return c }},
		{"a protected slice", 0.04, func(c string) string { return strings.Replace(c, "value: slice", "value: [slice, protected]", 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, untreated)
			s.contract = tt.contract(contractFile)
			all := spotty(4000, tt.share)
			e, err := evidence.Evaluate(s.load(evidence.Request{Models: []store.Digest{champion}, Batches: []evidence.Batch{s.label(s.score("2024-01", all), all, true)}}), nil)
			if err != nil {
				t.Fatal(err)
			}
			if e.Verdict != "inconclusive" || e.Coverage.Even || len(e.Coverage.Without) > 0 || e.Rows.Omitted > 0 {
				t.Errorf("verdict %s %q, without %v, rows %+v", e.Verdict, e.Reasons, e.Coverage.Without, e.Rows)
			}
		})
	}
}
