package dossier_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"headgate/internal/dossier"
	"headgate/internal/report"
	"headgate/internal/store"
)

func TestBatchThatIsPublished(t *testing.T) {
	s := newMonths(t)
	b, err := s.open().Batch(t.Context(), "2024-02", "")
	if err != nil {
		t.Fatal(err)
	}
	rows := b.Rows
	if rows.Delivered != 1000 || rows.Quarantined == 0 || rows.Scored+rows.Quarantined != rows.Delivered || rows.Budget != 10 {
		t.Errorf("rows %+v", rows)
	}
	if b.Pipeline != "retailer" || b.Owner != "demo" || b.Verdict.Verdict != "pass" || b.Verdict.Stage != "rows" || b.Champion.Digest != string(s.champion()) || b.Champion.Note != "the first one" {
		t.Errorf("%+v, champion %+v", b.Verdict, b.Champion)
	}
	if b.Published != 1 || len(b.Publications) != 1 || len(b.Served) != 1 || b.Served[0].Rows != rows.Scored || b.Publications[0].Run != b.Run {
		t.Errorf("publication %d of %+v, served by %+v", b.Published, b.Publications, b.Served)
	}
	if r := b.Contract.Rules; !r[0].Broken || r[0].Rows == 0 || r[len(r)-1].Broken {
		t.Errorf("the rules do not begin with a broken one: %+v", r[0])
	}
	if len(b.Scores) != 1 || b.Scores[0].Before != "2024-01" || b.Drift == nil || len(b.Drift.Columns) == 0 || !slices.Equal(b.Drift.Batches, []string{"2024-01", "2024-02"}) {
		t.Errorf("scores %+v, drift %+v", b.Scores, b.Drift)
	}
	// The page rests on entry 5, and the registry has a sixth.
	if len(b.Entries) != 1 || b.Entries[0].Seq != 5 || !strings.HasPrefix(b.Anchor, "5:sha256:") {
		t.Errorf("entries %+v, anchor %s", b.Entries, b.Anchor)
	}
	named := map[string]report.Input{}
	for _, in := range b.Lineage {
		named[in.What] = in
	}
	for _, what := range []string{"input file", "champion", "pipeline file", "contract", "scoring code", "published file"} {
		if _, ok := named[what]; !ok {
			t.Errorf("the lineage has no %s", what)
		}
	}
	if in := named["input file"]; in.Name != "incoming/retailer/2024-02/part-0000.parquet" || !store.Digest(in.Digest).Valid() {
		t.Errorf("input file %+v", in)
	}
}

func TestBatchThatIsBlockedBeforeARowIsRead(t *testing.T) {
	s := newMonths(t)
	b, err := s.open().Batch(t.Context(), "2024-04", "")
	if err != nil {
		t.Fatal(err)
	}
	if b.Verdict.Verdict != "block" || b.Verdict.Stage != "footers" || b.Published != 0 || len(b.Publications) != 0 || b.Rows.Scored != 0 || b.Drift != nil || b.Scores != nil {
		t.Errorf("got %+v", b)
	}
	if len(b.Verdict.Reasons) != 1 || !strings.Contains(b.Verdict.Reasons[0], "visits_30d is missing") {
		t.Errorf("reasons %q", b.Verdict.Reasons)
	}
}

func TestARunIsNamedByItsDigits(t *testing.T) {
	s := newMonths(t)
	r := s.open()
	want, err := r.Batch(t.Context(), "2024-01", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{short(store.Digest(want.Run)), want.Run, strings.TrimPrefix(want.Run, "sha256:")} {
		if got, err := r.Batch(t.Context(), "2024-01", name); err != nil || got.Run != want.Run {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{short(store.Digest(want.Run))[:7], "ffffffff", "2024-02"} {
		if _, err := r.Batch(t.Context(), "2024-01", name); !errors.Is(err, dossier.ErrUnknown) || !strings.Contains(err.Error(), "2024-01/"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Batch(t.Context(), "2024-09", ""); !errors.Is(err, dossier.ErrUnknown) {
		t.Errorf("a batch that nobody delivered: %v", err)
	}
}

// Whoever deletes what docs/privacy.md lets them delete still gets the rest of the facts.
func TestProfilesThatAreGoneLeaveANote(t *testing.T) {
	s := newMonths(t)
	s.remove("runs/retailer/2024-01/*/profile.*.bin")
	b, err := s.open().Batch(t.Context(), "2024-02", "")
	if err != nil || b.Scores[0].Before != "" || b.Scores[0].Histogram == nil || fmt.Sprint(b.Notes) != "[the profile of 2024-01 is gone]" {
		t.Errorf("without the profile before: %v, notes %q", err, b.Notes)
	}
	s.remove("runs/retailer/2024-02/*/profile.*.bin")
	b, err = s.open().Batch(t.Context(), "2024-02", "")
	if err != nil || b.Scores != nil || b.Drift == nil || fmt.Sprint(b.Notes) != "[the profile of the batch is gone]" {
		t.Errorf("without the profile: %v, notes %q", err, b.Notes)
	}
	s.remove("runs/retailer/2024-02/*/plan.json")
	if _, err = s.open().Batch(t.Context(), "2024-02", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without the plan: %v", err)
	}
}

func TestAReaderSaysWhatItReads(t *testing.T) {
	s := newMonths(t)
	r := s.open()
	var heard []string
	r.Progress = func(text string) { heard = append(heard, text) }
	if _, err := r.Batch(t.Context(), "2024-01", ""); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 1 || !strings.HasPrefix(heard[0], "run ") || !strings.HasSuffix(heard[0], " of 2024-01") {
		t.Errorf("heard %q", heard)
	}
}

func TestAPipelineThatNobodyRegistered(t *testing.T) {
	if _, err := dossier.Open(t.Context(), inMemory(t), "retailer", formats); !errors.Is(err, dossier.ErrUnknown) || !strings.Contains(err.Error(), `"retailer"`) {
		t.Errorf("got %v", err)
	}
}
