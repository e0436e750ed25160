package activities

import (
	"context"
	"fmt"
	"path"
	"strings"

	"headgate/internal/learn"
	"headgate/internal/model"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
)

// JudgeModelInput names a model that was trained.
type JudgeModelInput struct {
	TrainModelInput
	Trained run.Object `json:"trained"` // a learn.Trained with a model
}

// JudgeModelOutput says whether the model is sound.
type JudgeModelOutput struct {
	Sanity  run.Object `json:"sanity"` // a learn.Sanity
	Verdict string     `json:"verdict"`
	Reasons []string   `json:"reasons,omitempty"`
	Measure string     `json:"measure,omitempty"` // how well it ranks: "auc 0.71 [0.69, 0.73]"
}

// JudgeModel holds a model that was trained against entities that it never saw. It
// keeps broken models out of the registry; whether a sound one is better than the
// champion, later batches say.
func (a *Activities) JudgeModel(ctx context.Context, in JudgeModelInput) (JudgeModelOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (JudgeModelOutput, error) {
		t, err := a.newTraining(ctx, in.TrainModelInput)
		if err != nil {
			return JudgeModelOutput{}, err
		}
		trained, err := a.trained(ctx, in.Trained)
		if err != nil {
			return JudgeModelOutput{}, err
		}
		s, err := learn.Judge(t.window.Name, trained.manifest, trained.scorer, t.parts.Held)
		if err != nil {
			return JudgeModelOutput{}, err
		}
		s.Model = trained.paper.Model.Digest
		out := JudgeModelOutput{Verdict: s.Verdict, Reasons: s.Reasons, Measure: s.Ranking()}
		out.Sanity, err = run.SaveJSON(ctx, a.store, t.dir, "sanity.json", s)
		return out, err
	})
}

// A trainedModel is a model that was trained, ready to score.
type trainedModel struct {
	paper    learn.Trained
	data     []byte // of the model
	manifest *train.Manifest
	scorer   model.Scorer
}

// trained reads what a training of one window left.
func (a *Activities) trained(ctx context.Context, o run.Object) (*trainedModel, error) {
	m := new(trainedModel)
	if err := run.LoadJSON(ctx, a.store, o, &m.paper); err != nil {
		return nil, err
	}
	if m.paper.Model == nil || m.paper.Manifest == nil {
		return nil, fail(KindUnknown, "the training of window %s left no model: %s", m.paper.Window.Name, strings.Join(m.paper.Reasons, "; "))
	}
	var err error
	if m.data, err = run.Load(ctx, a.store, *m.paper.Model); err != nil {
		return nil, err
	}
	text, err := run.Load(ctx, a.store, *m.paper.Manifest)
	if err != nil {
		return nil, err
	}
	if m.manifest, err = train.ParseManifest(text); err != nil {
		return nil, &kindError{KindCorrupt, err}
	}
	r := train.Result{Format: m.manifest.Results.Format, Model: m.data, Categories: m.manifest.Results.Categories, Calibration: m.manifest.Results.Calibration}
	m.scorer, err = r.Scorer(a.formats)
	return m, err
}

// DecideTrainingInput names what came of every window.
type DecideTrainingInput struct {
	Plan    run.Object    `json:"plan"`
	Sets    []run.Object  `json:"sets"`
	Trained []run.Object  `json:"trained"`          // of each window, in the plan's order
	Sanity  []*run.Object `json:"sanity"`           // nil where there is no model
	Failed  string        `json:"failed,omitempty"` // why the training broke off; then the lists may be short
}

// DecideTrainingOutput is the verdict over a training.
type DecideTrainingOutput struct {
	Evidence store.Digest `json:"evidence"` // blob of a learn.Evidence
	Verdict  string       `json:"verdict"`
	Reasons  []string     `json:"reasons,omitempty"`
	Passed   []string     `json:"passed,omitempty"` // windows
}

// DecideTraining gathers the evidence of a training and says which of its models may be
// registered: those that were trained and are sound. It promotes none.
func (a *Activities) DecideTraining(ctx context.Context, in DecideTrainingInput) (DecideTrainingOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (DecideTrainingOutput, error) {
		var p learn.Plan
		if err := run.LoadJSON(ctx, a.store, in.Plan, &p); err != nil {
			return DecideTrainingOutput{}, err
		}
		e := learn.Evidence{Format: learn.Format, Kind: p.Kind, Plan: in.Plan, Sets: in.Sets, Verdict: registry.VerdictBlock, Notes: p.Notes}
		var out DecideTrainingOutput
		for i, o := range in.Trained {
			outcome, err := a.outcome(ctx, p.Windows[i].Name, o, in.Sanity[i])
			if err != nil {
				return out, err
			}
			e.Models = append(e.Models, outcome)
			if outcome.Verdict == registry.VerdictPass {
				e.Verdict = registry.VerdictPass
				out.Passed = append(out.Passed, outcome.Window)
			}
			for _, reason := range outcome.Reasons {
				e.Reasons = append(e.Reasons, fmt.Sprintf("window %s: %s", outcome.Window, reason))
			}
		}
		if in.Failed != "" {
			e.Verdict, out.Passed = registry.VerdictBlock, nil
			e.Reasons = append(e.Reasons, in.Failed)
		}
		data, err := run.Encode(e)
		if err != nil {
			return out, err
		}
		ref, err := a.store.PutBlob(ctx, data)
		out.Evidence, out.Verdict, out.Reasons = ref.Digest, e.Verdict, e.Reasons
		return out, err
	})
}

// outcome judges one window.
func (a *Activities) outcome(ctx context.Context, window string, trained run.Object, sanity *run.Object) (learn.Outcome, error) {
	out := learn.Outcome{Window: window, Trained: trained, Sanity: sanity, Verdict: registry.VerdictBlock}
	var t learn.Trained
	if err := run.LoadJSON(ctx, a.store, trained, &t); err != nil {
		return out, err
	}
	if t.Verdict != registry.VerdictPass || t.Model == nil || sanity == nil {
		out.Reasons = t.Reasons
		return out, nil
	}
	out.Model = t.Model.Digest
	var s learn.Sanity
	if err := run.LoadJSON(ctx, a.store, *sanity, &s); err != nil {
		return out, err
	}
	if s.Model != out.Model {
		return out, fail(KindCorrupt, "%s is of the model %s, and the training made %s", path.Base(sanity.Key), s.Model, out.Model)
	}
	out.Verdict, out.Reasons = s.Verdict, s.Reasons
	return out, nil
}
