package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Entries that are well made, continue the chain, and should never have been written.
func TestVerifyNamesWhatShouldNotHaveBeen(t *testing.T) {
	original := newHouse(t)
	arm := func(h *house, model, share int) release.Arm {
		return release.Arm{Model: string(h.models[model]), Share: share}
	}
	for _, tt := range []struct {
		name string
		lie  func(h *house)
		want string
	}{
		{"a routing to a model without a verdict", func(h *house) {
			h.append(h.routed("100%", arm(h, 0, 10000)))
		}, "routes 100 % of the entities to model version %0, and no verdict of release 2024-02/retrain lets it"},
		{"a routing after a verdict that blocks", func(h *house) {
			d := h.judged(h.models[0], 5)
			h.append(h.advance(d, h.blob(d)))
			h.append(h.routed("50%", arm(h, 1, 5000), arm(h, 0, 5000)))
		}, "the last verdict about it, of entry 23, is block, and nobody has approved that"},
		{"a routing that nobody has approved", func(h *house) {
			d := h.judged(h.models[0], 0.5)
			h.append(h.advance(d, h.blob(d)))
			h.append(h.routed("10%", arm(h, 1, 9000), arm(h, 0, 1000)))
		}, "step 10% of release 2024-02/retrain needs 1 to approve it, and 0 have"},
		{"a routing to a rejected model", func(h *house) {
			h.append(h.routed("100%", arm(h, 1, 9000), arm(h, 2, 1000)))
		}, "routes 10 % of the entities to model version %2, and was rejected by entry"},
		{"a routing to an unknown model", func(h *house) {
			h.append(h.routed("100%", arm(h, 1, 10000), release.Arm{Model: string(h.decision)}))
		}, "was never registered"},
		{"a routing whose paper is of another step", func(h *house) {
			e := h.routed("100%", arm(h, 1, 10000))
			e.Step = "50%"
			h.append(e)
		}, `its step is "50%", and its paper says "100%"`},
		{"an end of a release whose paper is of another of its steps", func(h *house) {
			e := h.routed("100%", arm(h, 1, 10000))
			e.Step = release.StepDone
			h.append(e)
		}, `its step is "done", and its paper says "100%"`},
		{"a shard that somebody else has left out", func(h *house) {
			run1 := h.runs[0]
			paper := h.blob(run.Skip{Format: run.Format, Run: run1, Shard: 3, By: "bob", Reason: "damaged"})
			h.append(registry.Entry{Kind: registry.KindSkipped, Batch: "2024-01", Run: run1, By: "ann", Reason: "damaged", Paper: paper})
		}, `its by is "ann", and its paper says "bob"`},
		{"a paper of another kind", func(h *house) {
			e := h.routed("100%", arm(h, 1, 10000))
			e.Paper = h.evaluated
			h.append(e)
		}, "is not what an entry of kind routing rests on"},
		{"a paper that is not there", func(h *house) {
			e := h.routed("100%", arm(h, 1, 10000))
			e.Paper = store.DigestOf([]byte("nothing"))
			h.append(e)
		}, "its paper: store: "},
		{"a champion by a decision about another model", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: h.models[0], Decision: h.decision})
		}, "makes model version %0 the champion, and the decision of entry 13 is about another model"},
		{"a champion by a decision of nobody", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: h.models[0], Decision: h.evaluated})
		}, "is that of no entry before it"},
		{"a champion who is rolled back to and never was one", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindRegister, Model: h.models[2]})
			e := h.append(registry.Entry{Kind: registry.KindControl, Control: registry.ControlRollback, Reason: "r", Paper: h.blob(map[string]string{"a": "b"})})
			h.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: h.models[0], Decision: e.Paper}) // fine
			h.append(registry.Entry{Kind: registry.KindRegister, Model: h.bundle()})
			h.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: h.bundle(), Decision: e.Paper})
		}, "it goes back to it, and it never was one"},
		{"an approval by a stranger", func(h *house) {
			h.append(h.approve("eve", "100%"))
		}, "its approval does not count: eve is none of the people of the pipeline file in force"},
		{"an approval that somebody else gave", func(h *house) {
			e := h.approve("ada", "100%")
			e.By = "bob"
			h.append(e)
		}, `its author is "bob", and its paper says "ada"`},
		{"a waiver by a stranger", func(h *house) {
			until := time.Unix(3e9, 0)
			h.append(registry.Entry{Kind: registry.KindWaiver, Rule: "superior", Until: &until, By: "eve", Reason: "r"})
		}, "eve waives rule superior, and is none of the people"},
		{"a change of the files without a proposal", func(h *house) {
			s := h.log().State()
			h.append(registry.Entry{Kind: registry.KindPipeline, Pipeline: s.Pipeline, Contract: s.Contract, LabelsContract: s.LabelsContract, Reason: "r"})
		}, "it changes the files in force, which people had to approve, and carries out no proposal"},
		{"a proposal that hides what it changes", func(h *house) {
			s := h.log().State()
			p := s.Proposals[0]
			h.append(registry.Entry{Kind: registry.KindProposal, Pipeline: s.Pipeline, Contract: s.Contract, LabelsContract: s.LabelsContract, Paper: p.Paper, Reason: "r"})
		}, "its paper is not the difference between the files before it and its own"},
		{"an evaluation of another run", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindEvaluated, Batch: "2024-01", Run: h.runs[1], Model: h.models[0], Verdict: "pass", Labels: h.labels, Paper: h.evaluated})
		}, "its run is "},
		{"an evaluation with labels of another batch", func(h *house) {
			e := evidence.Evaluation{Format: 1, Batch: "2024-02", Run: h.runs[1], Verdict: "pass", Labels: evidence.LabelSummary{Version: h.labels}}
			h.append(registry.Entry{Kind: registry.KindEvaluated, Batch: "2024-02", Run: h.runs[1], Model: h.models[0], Verdict: "pass", Labels: h.labels, Paper: h.blob(e)})
		}, "its labels are of batch 2024-01"},
		{"a training whose evidence says no", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindTraining, Batch: "2024-01", Verdict: "pass", Paper: h.blob(map[string]string{"verdict": "block"})})
		}, `its verdict is "pass", and its paper says "block"`},
		{"scores in shadow that are of another model", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindShadow, Batch: "2024-01", Run: h.runs[0], Model: h.models[0], Paper: h.scored(h.models[1])})
		}, "its model is "},
		{"scores in shadow that are gone", func(h *house) {
			s := run.Scored{Format: 1, Batch: "2024-01", Run: h.runs[0], Model: h.models[0],
				Shards: []run.ShardScores{{Scores: &run.Object{Key: "runs/nothing", Digest: h.decision}}}}
			h.append(registry.Entry{Kind: registry.KindShadow, Batch: "2024-01", Run: h.runs[0], Model: h.models[0], Paper: h.blob(s)})
		}, "its scores of shard 0: "},
		{"a calendar of another pipeline", func(h *house) {
			h.append(registry.Entry{Kind: registry.KindSchedule, Paper: h.blob(monthly("another"))})
		}, `its pipeline is "retailer", and its paper says "another"`},
		{"a calendar that is none", func(h *house) {
			c := monthly("retailer")
			c.Day = 40
			h.append(registry.Entry{Kind: registry.KindSchedule, Paper: h.blob(c)})
		}, "its calendar is none: calendar: day 40 is not in a month"},
		{"a missing month that was not expected", func(h *house) {
			h.append(h.missed("2023-01", 0))
		}, "its calendar does not expect 2023-01"},
		{"a missing month that was due at another time", func(h *house) {
			h.append(h.missed("2024-05", time.Hour))
		}, "2024-05 was due at 2024-06-03T06:30:00Z by its calendar, and it says 2024-06-03T07:30:00Z"},
		{"a month that is missing before its data may come no more", func(h *house) {
			h.append(h.missed("2040-05", 0))
		}, "it names 2040-05 as missing at"},
		{"a canary that is held against the shadow of nobody", func(h *house) {
			h.append(h.canary(&gate.Moved{Decision: string(h.evaluated), Batches: []string{"2024-01"}}))
		}, "which no entry before it has"},
		{"a canary that is held against the shadow of another", func(h *house) {
			d := h.judged(h.models[0], 0.5)
			paper := h.blob(d)
			h.append(h.advance(d, paper))
			h.append(h.canary(&gate.Moved{Decision: string(paper), Batches: []string{"2024-01"}}))
		}, "its scores are held against those of entry 23, which is no verdict about the candidate in the shadow"},
		{"a canary that is held against months that the shadow had not", func(h *house) {
			h.append(h.canary(&gate.Moved{Decision: string(h.decision), Batches: []string{"2024-01", "2024-02"}}))
		}, "its scores are held against those of batch 2024-02, which the shadow was not judged on"},
		{"evidence that leaves out what the labels do not", func(h *house) {
			d := h.judged(h.models[0], 0.5)
			d.Evidence.Sources[0].Without = []gate.Left{{By: "segment", Value: "student"}}
			h.append(h.advance(d, h.blob(d)))
		}, "its evidence of batch 2024-01 leaves out [{segment student}], and the evaluation of the labels []"},
		{"a month that a rejected model served", func(h *house) {
			h.score("2024-03")
			e := registry.Entry{Kind: registry.KindRejected, ID: "before", At: time.Unix(1e9, 0).UTC(), By: "test", Model: h.models[1], Reason: "it turned bad"}
			if _, err := h.log().Append(h.t.Context(), e); err != nil {
				h.t.Fatal(err)
			}
		}, "2024-03 publication 1: has scores of model version %1, which registry entry 25 had rejected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := original.copy(t)
			tt.lie(h)
			h.wantFinding(tt.want)
		})
	}
}

// monthly is a calendar of months from 2024 on.
func monthly(pipeline string) *calendar.Calendar {
	return &calendar.Calendar{Format: calendar.Format, Pipeline: pipeline, Kind: calendar.Month, Zone: "UTC", Day: 3, At: "06:30",
		For: calendar.Previous, First: "2024-01", WaitSeconds: 3600, PublishSeconds: 7200, PollSeconds: 60}
}

// missed names a month as missing, off its slot by so much.
func (h *house) missed(batch string, off time.Duration) registry.Entry {
	c := monthly("retailer")
	slot := time.Date(2024, 6, 3, 6, 30, 0, 0, time.UTC).Add(off)
	if s, err := c.Slot(batch); err == nil {
		slot = s.Due.Add(off)
	}
	return registry.Entry{Kind: registry.KindMissed, Batch: batch, Slot: &slot, Reason: "no data", Paper: h.blob(c)}
}

// The routing that ends a release is that of another one if that goes on.
func TestTheEndOfAReleaseHasTheRoutingOfAnother(t *testing.T) {
	h := newHouse(t)
	e := h.routed(release.StepWatch, release.Arm{Model: string(h.models[1]), Share: release.Whole})
	e.Release, e.Step = "2024-02/another", release.StepDone
	h.append(e)
	if findings := h.verify().Findings; len(findings) > 0 {
		t.Errorf("verify says %q", findings)
	}
}

// Where the settings leave the shadow out, no verdict can come before the first step; a
// person's word before it and a verdict before the next one must be there all the same.
func TestVerifyOfAReleaseWithoutAShadow(t *testing.T) {
	original := newMonths(t, strings.Replace(settings, "release:\n", "release:\n  shadow: 0\n", 1))
	original.decision = original.models[1] // stands for the verdict that there is not
	original.append(registry.Entry{Kind: registry.KindCandidate, Release: releaseName, Model: original.models[1], Batch: "2023-12"})
	for _, tt := range []struct {
		name string
		do   func(h *house)
		want string // "" if nothing is found
	}{
		{"its first step is approved", func(h *house) {
			h.append(h.approve("ada", "10%"))
			h.append(h.routing("10%", 1000))
		}, ""},
		{"nobody has approved its first step", func(h *house) {
			h.append(h.routing("10%", 1000))
		}, "step 10% of release 2024-02/retrain needs 1 to approve it, and 0 have"},
		{"its second step has no verdict", func(h *house) {
			h.append(h.approve("ada", "10%"))
			h.append(h.routing("10%", 1000))
			h.append(h.routing("100%", 10000))
		}, "no verdict of release 2024-02/retrain lets it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := original.copy(t)
			tt.do(h)
			if tt.want != "" {
				h.wantFinding(tt.want)
			} else if findings := h.verify().Findings; len(findings) > 0 {
				t.Errorf("verify says %q", findings)
			}
		})
	}
}

// A candidate can be rejected before a step is asked about: the paper then names none.
func TestVerifyOfARejectionThatNobodyAskedFor(t *testing.T) {
	original := newMonths(t, settings)
	original.append(registry.Entry{Kind: registry.KindCandidate, Release: releaseName, Model: original.models[1], Batch: "2023-12"})
	for _, tt := range []struct {
		step string
		want string // "" if nothing is found
	}{
		{"none", ""},
		{"10%", `its step is "10%", and its paper says "none"`},
	} {
		t.Run(tt.step, func(t *testing.T) {
			h := original.copy(t)
			paper := h.blob(release.Approval{Format: 1, Pipeline: "retailer", Release: releaseName, Answer: "reject", By: "ada", Reason: "it was a try"})
			h.append(registry.Entry{Kind: registry.KindApproval, Release: releaseName, Step: tt.step, Answer: "reject", By: "ada", Reason: "it was a try", Paper: paper})
			if tt.want != "" {
				h.wantFinding(tt.want)
			} else if findings := h.verify().Findings; len(findings) > 0 {
				t.Errorf("verify says %q", findings)
			}
		})
	}
}

// bundle returns a copy of the first model version under another digest.
func (h *house) bundle() store.Digest {
	h.t.Helper()
	data, err := h.b.GetBlob(h.t.Context(), h.models[0])
	if err != nil {
		h.t.Fatal(err)
	}
	ref, err := h.b.PutBlob(h.t.Context(), append(data, '\n'))
	if err != nil {
		h.t.Fatal(err)
	}
	return ref.Digest
}

// wantFinding verifies and looks for a finding; %0 to %2 stand for the models.
func (h *house) wantFinding(want string) {
	h.t.Helper()
	for i, m := range h.models {
		want = strings.ReplaceAll(want, fmt.Sprint("%", i), run.Short(m))
	}
	findings := h.verify().Findings
	for _, f := range findings {
		if strings.Contains(f.String(), want) {
			return
		}
	}
	h.t.Errorf("verify says %q, want %s", findings, want)
}

// A decision is judged again from what it rests on, so none can say what its evidence
// does not.
func TestVerifyJudgesEveryDecisionAgain(t *testing.T) {
	original := newHouse(t)
	for _, tt := range []struct {
		name string
		lie  func(h *house, d *gate.Decision)
		want string
	}{
		{"a verdict that the evidence does not give", func(h *house, d *gate.Decision) {
			worse := h.judged(h.models[1], 5)
			d.Evidence = worse.Evidence
		}, "its evidence gives the verdict block, and its decision says pass"},
		{"another reason", func(h *house, d *gate.Decision) { d.Reasons[0] += "!" }, "its evidence, judged again, gives another decision"},
		{"a number that is a little higher", func(h *house, d *gate.Decision) {
			d.Rules[0].Value += "1"
		}, "its evidence, judged again, gives another decision"},
		{"another policy", func(h *house, d *gate.Decision) { d.Policy = string(h.decision) }, "which no pipeline file before it has"},
		{"a waiver that nobody gave", func(h *house, d *gate.Decision) {
			d.Waivers[0].Rule = "guardrail/auc"
		}, "its decision lets rule guardrail/auc go by a waiver that is not entry 12"},
		{"another model than the entry's", func(h *house, d *gate.Decision) {
			d.Evidence.Release.Model = string(h.models[2])
		}, "its model is "},
		{"a batch that the model has learned from", func(h *house, d *gate.Decision) {
			h.append(registry.Entry{Kind: registry.KindCandidate, Release: releaseName, Model: h.models[1], Batch: "2024-01"})
		}, "its evidence is of batch 2024-01, and the model has learned up to 2024-01"},
		{"a run that was never published", func(h *house, d *gate.Decision) {
			d.Evidence.Sources[0].Run = string(h.labels)
		}, "which was not published before"},
		{"labels that were never evaluated", func(h *house, d *gate.Decision) {
			d.Evidence.Sources[0].Labels = string(h.decision)
		}, "its evidence is of labels of batch 2024-01 that were never evaluated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := original.copy(t)
			waiver := h.log().State().Waivers[0]
			d := h.judged(h.models[1], 0.5, gate.Waiver{Rule: waiver.Rule, By: waiver.By, Reason: waiver.Reason, Until: *waiver.Until, Entry: waiver.Seq})
			e := h.advance(d, "")
			tt.lie(h, d)
			e.Paper = h.blob(d)
			h.append(e)
			h.wantFinding(tt.want)
		})
	}
}
