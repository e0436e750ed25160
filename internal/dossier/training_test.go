package dossier_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"headgate/internal/bundle"
	"headgate/internal/dossier"
	"headgate/internal/learn"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/trigger"
)

const cause = "retrain/retailer/2024-06"

// paper keeps a paper under a key of its own.
func (s *shop) paper(name string, paper any) run.Object {
	s.t.Helper()
	o, err := run.SaveJSON(s.t.Context(), s.b, "training/retailer", name, paper)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// trained appends a training on two months that made two challengers: one of them passed and
// is registered with the bytes of the first champion, whose bundle stands for its own.
func (s *shop) trained() learn.Evidence {
	s.t.Helper()
	log := s.log()
	state := log.State()
	champion := state.Champion()
	b, err := bundle.Read(s.t.Context(), s.b, champion)
	if err != nil {
		s.t.Fatal(err)
	}
	var plan learn.Plan
	for _, month := range []string{"2024-01", "2024-02"} {
		plan.Batches = append(plan.Batches, learn.Batch{Name: month, Run: state.Batches[month].Run, Labels: store.DigestOf([]byte("labels of " + month))})
	}
	plan.Format, plan.Pipeline, plan.File, plan.Contract, plan.Champion, plan.Seed = learn.Format, "retailer", state.Pipeline, state.Contract, champion, 7
	plan.Kind, plan.Training = trigger.Refit, pipeline.Training{Trainer: "gbdt"}
	e := learn.Evidence{Format: learn.Format, Kind: trigger.Refit, Plan: s.paper("plan.json", plan), Verdict: registry.VerdictPass, Notes: []string{"a short year"}}
	for i, batch := range plan.Batches {
		e.Sets = append(e.Sets, s.paper("set.json", learn.Set{Format: learn.Format, Batch: batch, Counts: learn.Counts{Scored: 1000, Rows: 900 - int64(i), Unknown: 100 + int64(i)}}))
	}
	sanity := s.paper("sanity.json", learn.Sanity{Format: learn.Format, Window: "2", Rows: 180, Base: 0.4, Verdict: registry.VerdictPass})
	e.Models = []learn.Outcome{
		{Window: "1", Verdict: registry.VerdictBlock, Reasons: []string{"tenure predicts the label alone"},
			Trained: s.paper("trained.json", learn.Trained{Format: learn.Format, Window: learn.Window{Name: "1", Train: []string{"2024-02"}}, Verdict: registry.VerdictBlock})},
		{Window: "2", Verdict: registry.VerdictPass, Sanity: &sanity, Model: b.Model.Digest,
			Trained: s.paper("trained.json", learn.Trained{Format: learn.Format, Window: learn.Window{Name: "2", Train: []string{"2024-01", "2024-02"}}, Verdict: registry.VerdictPass})},
	}
	s.append(
		registry.Entry{Kind: registry.KindTraining, Batch: "2024-02", Verdict: e.Verdict, Cause: cause, Paper: s.keep(e), Reason: "the AUC fell by 0.05; the drift lasted"},
		registry.Entry{Kind: registry.KindRegister, Model: champion, Cause: cause},
		registry.Entry{Kind: registry.KindCandidate, Model: champion, Cause: cause, Release: hand, Batch: "2024-02"})
	return e
}

func TestTraining(t *testing.T) {
	s := newMonths(t)
	evidence := s.trained()
	s.remove(evidence.Sets[1].Key)
	id := short(evidence.Plan.Digest)
	for _, name := range []string{"2024-02", id, string(evidence.Plan.Digest)} {
		got, err := s.open().Training(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.ID != string(evidence.Plan.Digest) || got.Owner != "demo" || got.Trainer != "gbdt" || got.Seed != 7 || got.Leak != train.DefaultLeak || got.Release != hand || got.Entry != 7 {
			t.Errorf("%s: %+v", name, got)
		}
		if want := []string{"the AUC fell by 0.05", "the drift lasted"}; !slices.Equal(got.Triggers, want) || fmt.Sprint(got.Notes) != "[a short year]" {
			t.Errorf("triggers %q, notes %q", got.Triggers, got.Notes)
		}
		if b := got.Batches; len(b) != 2 || b[0].Rows != 900 || b[0].Unknown != 100 || b[0].Set == "" || b[1].Rows != 0 || b[1].Set != "" {
			t.Errorf("batches, of which one is gone: %+v", b)
		}
		c := got.Challengers
		if len(c) != 2 || c[0].Version != nil || c[0].Reasons[0] != "tenure predicts the label alone" || c[1].Version.Digest != string(s.champion()) || c[1].Sanity.Rows != 180 || len(c[1].Train) != 2 {
			t.Errorf("challengers %+v", c)
		}
	}
	for _, name := range []string{"2024-01", "ffffffff", ""} {
		if _, err := s.open().Training(t.Context(), name); !errors.Is(err, dossier.ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestFatesOfAChallenger(t *testing.T) {
	for _, tt := range []struct {
		name    string
		entries func(s *shop, model store.Digest) []registry.Entry
		want    string
	}{
		{"it waits to be judged", func(*shop, store.Digest) []registry.Entry { return nil }, "candidate of " + hand},
		{"a gate has judged it", func(s *shop, m store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindAdvance, Release: hand, Step: "10%", Model: m, Verdict: "block", Paper: s.keep(struct{}{})}}
		}, "10%: block"},
		{"a gate of another release says nothing of it", func(s *shop, m store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindAdvance, Release: "other", Step: "10%", Model: m, Verdict: "block", Paper: s.keep(struct{}{})}}
		}, "candidate of " + hand},
		{"it became the champion, and what came later is another story", func(_ *shop, m store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: m, Decision: store.DigestOf(nil)}, {Kind: registry.KindRejected, Model: m, Reason: "late"}}
		}, "became the champion"},
		{"it was rejected", func(_ *shop, m store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindRejected, Model: m, Reason: "worse in auc"}}
		}, "rejected: worse in auc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newMonths(t)
			s.trained()
			s.append(tt.entries(s, s.champion())...)
			got, err := s.open().Training(t.Context(), "2024-02")
			if err != nil {
				t.Fatal(err)
			}
			if fate := got.Challengers[1].Fate; fate != tt.want {
				t.Errorf("fate %q, want %q", fate, tt.want)
			}
		})
	}
}

func TestATrainingWithoutItsPlan(t *testing.T) {
	s := newMonths(t)
	s.remove(s.trained().Plan.Key)
	if _, err := s.open().Training(t.Context(), "2024-02"); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "plan.") {
		t.Errorf("got %v", err)
	}
}
