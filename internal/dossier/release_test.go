package dossier_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"headgate/internal/dossier"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/report"
	"headgate/internal/store"
)

const hand = "2024-06/hand"

var next = store.DigestOf([]byte("next"))

// candidate registers a model and asks for its release; it has learned from what came
// before the first month.
func (s *shop) candidate(name string, model store.Digest) {
	s.t.Helper()
	s.append(
		registry.Entry{Kind: registry.KindRegister, Model: model, Reason: "made by hand"},
		registry.Entry{Kind: registry.KindCandidate, Release: name, Model: model, Batch: "2023-12", Reason: "it looked fine"})
}

// judged lets the gate of the shadow give a verdict on the candidate by the first month.
func (s *shop) judged(verdict gate.Verdict) store.Digest {
	s.t.Helper()
	log := s.log()
	state := log.State()
	run := state.Batches["2024-01"].Run
	d := s.keep(gate.Decision{Format: gate.Format, Subject: gate.Advance, Verdict: verdict, Reasons: []string{"auc is better beyond doubt"},
		Waivers: []gate.Waiver{{Rule: "superior", By: "bob", Reason: "to see", Until: day.AddDate(1, 0, 0), Entry: 3}, {Rule: "slice/app", By: "bob", Reason: "new", Until: day.AddDate(1, 0, 0), Entry: 2}},
		Rules:   []gate.RuleResult{{ID: "superior", Outcome: verdict, Waived: &gate.Waiver{Rule: "superior", By: "bob", Entry: 3}}},
		Evidence: gate.Evidence{Release: gate.Case{Release: hand, Step: release.StepShadow, Model: string(next), Champion: string(s.champion())}, Outcome: &gate.Outcome{Batches: []string{"2024-01"}},
			Sources: []gate.Source{{Batch: "2024-01", Run: string(run)}}}})
	s.evaluated("2024-01", registry.VerdictPass, 0.7)
	s.append(
		registry.Entry{Kind: registry.KindShadow, Batch: "2024-01", Run: run, Model: next, Paper: store.DigestOf([]byte("scores"))},
		registry.Entry{Kind: registry.KindAdvance, Release: hand, Step: release.StepShadow, Model: next, Verdict: string(verdict), Paper: d})
	return d
}

// promote makes a model the champion.
func (s *shop) promote(name string, model store.Digest) {
	s.t.Helper()
	s.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: model, Release: name, Step: "100%", Decision: store.DigestOf([]byte("decision")), Reason: "it is better"})
}

func (s *shop) reject(model store.Digest) {
	s.t.Helper()
	s.append(registry.Entry{Kind: registry.KindRejected, Release: hand, Model: model, Reason: "worse in auc"})
}

// route enters a step of the release, in which the champion scores all and another model
// scores along.
func (s *shop) route(step string, shadow store.Digest) {
	s.t.Helper()
	s.append(registry.Entry{Kind: registry.KindRouting, Release: hand, Step: step, Paper: s.keep(release.Routing{Format: release.Format, Release: hand, Step: step,
		Arms: []release.Arm{{Model: string(s.champion()), Share: release.Whole}}, Shadow: []string{string(shadow)}})})
}

func TestStandingsOfARelease(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *shop, former store.Digest)
		want report.Standing
		fate string
		won  bool
	}{
		{"its scores are yet to be judged", func(s *shop, _ store.Digest) { s.route(release.StepShadow, next) }, report.Running, "candidate", false},
		{"a gate lets it go where a person must agree", func(s *shop, _ store.Digest) { s.judged(gate.Pass) }, report.Waiting, "candidate", false},
		{"a gate has blocked it and it was rejected", func(s *shop, _ store.Digest) { s.judged(gate.Block); s.reject(next) }, report.Rejected, "rejected: worse in auc", false},
		{"the former champion scores along", func(s *shop, former store.Digest) { s.promote(hand, next); s.route(release.StepWatch, former) }, report.Watched, "champion", true},
		{"nobody watches any more", func(s *shop, former store.Digest) { s.promote(hand, next); s.route(release.StepDone, former) }, report.Released, "champion", true},
		{"another release has brought another champion", func(s *shop, former store.Digest) {
			s.promote(hand, next)
			s.route(release.StepDone, former)
			s.promote("2024-09/hand", former)
		}, report.Superseded, "was champion", true},
		{"the former champion came back", func(s *shop, former store.Digest) {
			s.promote(hand, next)
			s.promote(hand, former)
			s.reject(next)
		}, report.RolledBack, "rejected: worse in auc", true},
		{"it was judged and ended without a promotion", func(s *shop, former store.Digest) { s.judged(gate.Pass); s.route(release.StepDone, next) }, report.Kept, "candidate", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newMonths(t)
			former := s.champion()
			s.candidate(hand, next)
			tt.do(s, former)
			r, err := s.open().Release(t.Context(), hand)
			if err != nil {
				t.Fatal(err)
			}
			c := r.Contest[0]
			if r.Standing != tt.want || c.Fate != tt.fate || c.Won != tt.won || c.Model.Note != "made by hand" || c.Learned != "2023-12" {
				t.Errorf("it stands %q with %+v, want %q with fate %q", r.Standing, c, tt.want, tt.fate)
			}
			if r.Champion.Digest != string(former) || !r.Begun.Equal(c.At) {
				t.Errorf("champion %s, begun %s", r.Champion.Digest, r.Begun)
			}
			if (r.Standing == report.Waiting) != (r.Waits != nil) || r.Standing == report.Running && r.Next == "" {
				t.Errorf("waits for %+v, next %q", r.Waits, r.Next)
			}
		})
	}
}

func TestWhatAReleaseRestsOn(t *testing.T) {
	s := newMonths(t)
	former := s.champion()
	s.append(registry.Entry{Kind: registry.KindControl, Control: registry.ControlHold, Reason: "before it began"})
	s.candidate(hand, next)
	decision := s.judged(gate.Pass)
	s.append(
		registry.Entry{Kind: registry.KindControl, Control: registry.ControlResume, Reason: "the sale is over"},
		registry.Entry{Kind: registry.KindApproval, Release: hand, Step: "10%", Model: next, Answer: registry.AnswerRefused, By: "eve", Reason: "eve may not",
			Paper: s.keep(release.Approval{Format: release.Format, Decision: string(decision), Signature: "-----BEGIN"})},
		registry.Entry{Kind: registry.KindApproval, Release: hand, Step: "10%", Model: next, Answer: registry.AnswerApprove, By: "bob",
			Paper: s.keep(release.Approval{Format: release.Format, Decision: string(decision), Role: "owner", Reason: "agreed", Signature: "-----BEGIN"})})
	s.route("10%", next)
	s.promote(hand, next)
	s.route(release.StepWatch, former)
	r, err := s.open().Release(t.Context(), "2024-06")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Gates) != 1 || r.Gates[0].Paper != string(decision) || r.Gates[0].Model.Digest != string(next) {
		t.Errorf("gates %+v", r.Gates)
	}
	if len(r.Waivers) != 2 || !r.Waivers[0].Used || r.Waivers[1].Used {
		t.Errorf("waivers %+v", r.Waivers)
	}
	if a := r.Approvals; len(a) != 2 || a[0].Refused != "eve may not" || a[0].Signed || a[1].Refused != "" || !a[1].Signed || a[1].Role != "owner" || a[1].Decision != string(decision) {
		t.Errorf("approvals %+v", a)
	}
	var entered []string
	for _, step := range r.Steps {
		if step.Entry > 0 {
			entered = append(entered, step.Name)
		}
	}
	if want := []string{"10%", "100%", release.StepWatch}; !slices.Equal(entered, want) {
		t.Errorf("entered %q of %+v, want %q", entered, r.Steps, want)
	}
	if r.Back == nil || r.Back.Model.Digest != string(former) || !r.Back.Shadow || r.Back.Blocked != "" {
		t.Errorf("back %+v", r.Back)
	}
	if r.Anchor != s.log().Anchor() {
		t.Errorf("anchor %s", r.Anchor)
	}
	for _, e := range r.Events {
		if e.What == "before it began" {
			t.Error("it tells of an order from before it began")
		}
	}
}

func TestReleasesAreNamedByABeginning(t *testing.T) {
	s := newShop(t)
	s.candidate(hand, next)
	s.candidate("2024-06/again", store.DigestOf([]byte("another")))
	r := s.open()
	for _, tt := range []struct{ name, want string }{
		{"2024-06/h", hand}, {"2024-06/a", "2024-06/again"}, {"2024-06", ""}, {"2023", ""}, {"", ""},
	} {
		got, err := r.Release(t.Context(), tt.name)
		switch {
		case tt.want != "" && (err != nil || got.Name != tt.want):
			t.Errorf("%q: %v", tt.name, err)
		case tt.want == "" && err == nil:
			t.Errorf("%q names %s", tt.name, got.Name)
		}
	}
	if _, err := r.Release(t.Context(), "2023"); !errors.Is(err, dossier.ErrUnknown) || !strings.Contains(err.Error(), "starter log retailer") {
		t.Errorf("got %v", err)
	}
}

func TestAPipelineWithoutLabelsHasNoReleases(t *testing.T) {
	s := &shop{t: t, b: inMemory(t)}
	s.register(shipped + "pipeline.yaml")
	if _, err := s.open().Release(t.Context(), hand); !errors.Is(err, dossier.ErrUnknown) || !strings.Contains(err.Error(), "has no labels") {
		t.Errorf("got %v", err)
	}
}
