package workflows_test

import (
	"strings"
	"testing"

	"headgate/internal/bundle"
	"headgate/internal/registry"
	"headgate/internal/worker"
	"headgate/workflows"
)

func TestATrainingEndsWithCandidates(t *testing.T) {
	w := learnWorld(t, 2500, "", "2024-01", "2024-02")
	out := w.mustRetrain(workflows.RetrainInput{})
	if out.Verdict != registry.VerdictPass || len(out.Candidates) != 2 || out.Release == "" {
		t.Fatalf("%+v", out)
	}
	champion := w.entries(registry.KindPromote)
	if len(champion) != 1 {
		t.Errorf("a training promoted: %+v", champion)
	}
	for i, e := range w.entries(registry.KindCandidate) {
		if e.Release != out.Release || e.Batch != "2024-02" || e.Model != out.Candidates[i] {
			t.Errorf("candidate %d is %+v", i, e)
		}
		v, err := bundle.Load(t.Context(), w.bucket, e.Model, worker.Formats())
		if err != nil {
			t.Fatal(err)
		}
		if v.Bundle.Calibration == nil || v.Bundle.Reference == nil || v.Bundle.Golden.Rows == 0 || len(v.Bundle.Training) == 0 {
			t.Errorf("the bundle lacks a part: %+v", v.Bundle)
		}
		t.Log(e.Reason)
	}
	if got := w.entries(registry.KindTraining); len(got) != 1 || got[0].Verdict != registry.VerdictPass || got[0].Batch != "2024-02" || got[0].Paper != out.Evidence {
		t.Errorf("training entries %+v", got)
	}
}

func TestATrainingIsBlockedWithASentence(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   outcomeOf
		want string
	}{
		{"labels that have nothing to do with the features", shuffled(6), "does not rank rows better than chance"},
		{"a label that a feature repeats", sameAs("app"), `feature "app" equals the label`},
		{"a label with one class", nobody, "there is nothing to learn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := learnWorld(t, 2500, "")
			w.month("2024-01", tt.of)
			before := w.keys("registry/")
			out := w.mustRetrain(workflows.RetrainInput{})
			if out.Verdict != registry.VerdictBlock || len(out.Candidates) > 0 || !strings.Contains(strings.Join(out.Reasons, "\n"), tt.want) {
				t.Errorf("got %+v, want a block with %q", out, tt.want)
			}
			if got := w.keys("registry/"); len(got) != len(before)+1 {
				t.Errorf("%d entries more, want that of the training", len(got)-len(before))
			}
		})
	}
}
