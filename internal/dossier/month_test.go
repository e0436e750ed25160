package dossier_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/dossier"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/figure"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
)

func TestMonthTellsOfAllMonthsUpToThen(t *testing.T) {
	s := newMonths(t)
	slot := day
	s.append(registry.Entry{Kind: registry.KindMissed, Batch: "2024-03", Slot: &slot, Reason: "nothing was delivered", Paper: store.DigestOf(nil)})
	r := s.open()
	m, err := r.Month(t.Context(), "2024-03")
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, l := range m.Months {
		states = append(states, l.Batch+" "+l.State)
	}
	if want := []string{"2024-01 published", "2024-02 published", "2024-03 missing", "2024-04 blocked"}; !slices.Equal(states, want) {
		t.Errorf("months %q, want %q", states, want)
	}
	if !m.Latest || m.From != 7 || m.To != 7 || m.Anchor != s.log().Anchor() || m.Month.Why != "nothing was delivered" || m.Champion.Digest != string(s.champion()) || m.First != m.Champion {
		t.Errorf("got %+v", m)
	}
	blocked := m.Months[3]
	if blocked.Attempts != 1 || !strings.Contains(blocked.Why, "visits_30d is missing") || blocked.Publication != 0 {
		t.Errorf("the blocked month: %+v", blocked)
	}
	var waits []string
	for _, w := range m.Waits {
		waits = append(waits, w.Who+": "+w.Command)
	}
	if want := []string{"demo: starter score retailer --batch 2024-03", "demo: starter score retailer --batch 2024-04"}; !slices.Equal(waits, want) {
		t.Errorf("waits %q, want %q", waits, want)
	}

	// As the first month saw it, the others were yet to come.
	m, err = r.Month(t.Context(), "2024-01")
	if err != nil || len(m.Months) != 1 || m.Latest || m.From != 1 || m.To != 4 || !strings.HasPrefix(m.Anchor, "4:") || len(m.Waits) != 0 || len(m.Publications) != 1 {
		t.Errorf("the first month: %v %+v", err, m)
	}
	if _, err := r.Month(t.Context(), "2024-09"); !errors.Is(err, dossier.ErrUnknown) || !strings.Contains(err.Error(), "2024-09") {
		t.Errorf("a month that has not begun: %v", err)
	}
}

// evaluated appends that labels of a month came, and what they say of its champion.
func (s *shop) evaluated(month string, verdict string, auc float64) {
	s.t.Helper()
	log := s.log()
	state := log.State()
	about := state.Batches[month]
	e := evidence.Evaluation{Format: evidence.Format, Pipeline: "retailer", Batch: month, Run: about.Run, Verdict: verdict, Models: []evidence.Model{{
		Model: about.Model, Role: evidence.RoleChampion, Rows: 1000,
		Report: &evaluate.Report{Rows: 1000, Metrics: []evaluate.Measured{{Metric: evaluate.AUC, Estimate: evaluate.Estimate{Value: auc, Low: auc - 0.02, High: auc + 0.02, Level: 0.95}}}}}}}
	s.append(registry.Entry{Kind: registry.KindEvaluated, Batch: month, Run: about.Run, Model: about.Model, Verdict: verdict,
		Labels: store.DigestOf([]byte("labels of " + month)), Paper: s.keep(e)})
}

// What labels say of a month stands in its line from the month on in which they came.
func TestLabelsOfAMonth(t *testing.T) {
	s := newMonths(t)
	s.evaluated("2024-01", registry.VerdictInconclusive, 0.71)
	s.evaluated("2024-01", registry.VerdictPass, 0.74)
	r := s.open()
	m, err := r.Month(t.Context(), "2024-04")
	if err != nil {
		t.Fatal(err)
	}
	q := m.Months[0].Quality
	if q == nil || q.Metric != evaluate.AUC || q.Champion.Value != 0.74 || q.First.Value != 0.74 || !q.Evidence || q.Entry != 8 {
		t.Errorf("quality %+v", q)
	}
	if len(m.Matured) != 2 || m.Matured[0].Verdict != registry.VerdictInconclusive || m.Matured[1].Models[0].Rows != 1000 {
		t.Errorf("matured %+v", m.Matured)
	}
	if m, err = r.Month(t.Context(), "2024-02"); err != nil || m.Months[0].Quality != nil || m.Matured != nil {
		t.Errorf("before the labels came: %v %+v", err, m.Months[0].Quality)
	}
	if m, err = r.Month(t.Context(), "2024-01"); err != nil || m.Month.Quality == nil {
		t.Errorf("the month itself: %v %+v", err, m.Month)
	}

	// Somebody has deleted the papers.
	for _, e := range s.log().Of(registry.KindEvaluated) {
		if err := s.b.Delete(t.Context(), store.BlobKey(e.Paper)); err != nil {
			t.Fatal(err)
		}
	}
	if m, err = s.open().Month(t.Context(), "2024-04"); err != nil || m.Months[0].Quality != nil || len(m.Matured) != 0 {
		t.Errorf("without the evaluations: %v %+v", err, m)
	}
}

// What people and gates do belongs to the month that was the latest then.
func TestWhatHappenedInAMonth(t *testing.T) {
	s := newMonths(t)
	next := store.DigestOf([]byte("next"))
	until := day.AddDate(9, 0, 0)
	s.append(
		registry.Entry{Kind: registry.KindRegister, Model: next, Reason: "made by hand"},
		registry.Entry{Kind: registry.KindWaiver, Rule: "slice/app", Until: &until, Reason: "the app is new"},
		registry.Entry{Kind: registry.KindControl, Control: registry.ControlHold, Reason: "a sale"},
		registry.Entry{Kind: registry.KindCandidate, Model: next, Release: "2024-06/hand", Reason: "it looked fine"},
		registry.Entry{Kind: registry.KindApproval, Release: "2024-06/hand", Step: "10%", Model: next, Answer: registry.AnswerReject, By: "bob", Reason: "no",
			Paper: s.keep(release.Approval{Format: release.Format})},
		registry.Entry{Kind: registry.KindRejected, Model: next, Release: "2024-06/hand", Reason: "bob said no"},
	)
	m, err := s.open().Month(t.Context(), "2024-04")
	if err != nil {
		t.Fatal(err)
	}
	var decisions, changes []string
	for _, e := range m.Decisions {
		decisions = append(decisions, fmt.Sprint(e.Entry, " ", e.Kind, " ", e.Model.Note, ": ", e.What))
	}
	for _, e := range m.Changes {
		changes = append(changes, fmt.Sprint(e.Entry, " ", e.Kind, ": ", e.What))
	}
	if want := []string{"10 candidate made by hand: it looked fine", "11 approval made by hand: no", "12 rejected made by hand: bob said no"}; !slices.Equal(decisions, want) {
		t.Errorf("decisions %q, want %q", decisions, want)
	}
	if want := []string{"8 waiver: the app is new", "9 control: a sale"}; !slices.Equal(changes, want) {
		t.Errorf("changes %q, want %q", changes, want)
	}
	if want := []string{"hold by ada", "reject by bob", figure.Short(next) + " rejected"}; !slices.Equal(m.Month.Decisions, want) {
		t.Errorf("the month's line says %q, want %q", m.Month.Decisions, want)
	}
	if early, err := s.open().Month(t.Context(), "2024-02"); err != nil || early.Decisions != nil || early.Changes != nil {
		t.Errorf("the month before: %v %+v", err, early)
	}
	if got := m.Decisions[0].At; !got.Equal(day.Add(9 * time.Hour)) {
		t.Errorf("the candidate came at %s", got)
	}
}
