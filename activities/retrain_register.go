package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/bundle"
	"headgate/internal/learn"
	"headgate/internal/pass"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// RegisterModelsInput names a training that ended.
type RegisterModelsInput struct {
	Plan      run.Object   `json:"plan"`
	Sets      []run.Object `json:"sets"`
	Evidence  store.Digest `json:"evidence"` // blob of a learn.Evidence
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
	By        string       `json:"by"`
	Reason    string       `json:"reason"`
}

// RegisterModelsOutput says which model versions ask to be released.
type RegisterModelsOutput struct {
	Release    string         `json:"release,omitempty"` // that they are candidates of
	Candidates []store.Digest `json:"candidates,omitempty"`
	Notes      []string       `json:"notes,omitempty"` // of models that ask for nothing
	Anchor     string         `json:"anchor"`
}

// RegisterModels ends a training. Each model that passed becomes a version, with golden
// rows and the profiles of the batches that it learned from; then the registry hears of
// the versions, of the training, and of the candidates, in that order. A training
// without a sound model leaves its entry and nothing else.
func (a *Activities) RegisterModels(ctx context.Context, in RegisterModelsInput) (RegisterModelsOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (RegisterModelsOutput, error) {
		var p learn.Plan
		if err := run.LoadJSON(ctx, a.store, in.Plan, &p); err != nil {
			return RegisterModelsOutput{}, err
		}
		var e learn.Evidence
		if err := a.paper(ctx, in.Evidence, &e); err != nil {
			return RegisterModelsOutput{}, err
		}
		if e.Plan != in.Plan {
			return RegisterModelsOutput{}, fail(KindCorrupt, "the evidence is of the training %s, not of %s", e.Plan.Key, in.Plan.Key)
		}
		r := &registering{in: in, plan: &p, evidence: &e}
		for i, o := range e.Models {
			if o.Verdict != registry.VerdictPass || e.Verdict != registry.VerdictPass {
				continue
			}
			if err := a.saveVersion(ctx, r, i, report); err != nil {
				return RegisterModelsOutput{}, err
			}
		}
		return a.enterTraining(ctx, r)
	})
}

// registering is a training on its way into the registry.
type registering struct {
	in       RegisterModelsInput
	plan     *learn.Plan
	evidence *learn.Evidence
	versions []registeredModel
	rows     int64 // of references that were read
}

// A registeredModel is a version that was saved.
type registeredModel struct {
	model  store.Digest
	window learn.Window
	words  string // what the training says of it
}

// saveVersion makes a version of the model of window i.
func (a *Activities) saveVersion(ctx context.Context, r *registering, i int, report func(Progress)) error {
	o := r.evidence.Models[i]
	m, err := a.trained(ctx, o.Trained)
	if err != nil {
		return err
	}
	t, err := a.newTraining(ctx, TrainModelInput{Plan: r.in.Plan, Sets: r.in.Sets, Window: i})
	if err != nil {
		return err
	}
	f, err := a.files(ctx, r.plan.File, r.plan.Contract, "")
	if err != nil {
		return err
	}
	d := bundle.Draft{Pipeline: r.plan.Pipeline, Format: m.manifest.Results.Format, Model: m.data, Categories: m.manifest.Results.Categories,
		Contract: f.contract, ContractID: r.plan.Contract, Calibration: m.manifest.Results.Calibration}
	if d.Training, err = m.manifest.Marshal(); err != nil {
		return err
	}
	rows, err := a.firstRows(ctx, t, m)
	if err != nil {
		return err
	}
	if d.Golden, err = registration.Sample(rows, m.scorer, f.contract); err != nil {
		return err
	}
	defer d.Golden.Rows.Release()
	reference := registration.NewReference(f.pipeline)
	for _, name := range slices.Concat(t.window.Train, t.window.Valid) {
		if err := a.refer(ctx, r, reference, f, name, m, report); err != nil {
			return err
		}
	}
	if d.Reference, err = reference.Profiles(); err != nil {
		return err
	}
	v, err := bundle.Save(ctx, a.store, d, a.formats)
	if err != nil {
		return err
	}
	words, err := a.words(ctx, r.plan, o, t.window)
	r.versions = append(r.versions, registeredModel{v.Digest, t.window, words})
	return err
}

// firstRows returns the model's inputs of the first rows that it learned from.
func (a *Activities) firstRows(ctx context.Context, t *training, m *trainedModel) (arrow.Record, error) {
	var names []string
	for _, in := range m.scorer.Inputs() {
		names = append(names, in.Name)
	}
	for rec, err := range learn.Rows(ctx, a.store, t.sets, t.window.Train, names) {
		if err != nil {
			return nil, err
		}
		rec.Retain()
		return rec, nil
	}
	return nil, fail(KindNoData, "window %s has no rows", t.window.Name)
}

// refer adds the profile of a batch, with the scores that the model gives it.
func (a *Activities) refer(ctx context.Context, r *registering, to *registration.Reference, f files, name string, m *trainedModel, report func(Progress)) error {
	b := r.plan.Batches[slices.IndexFunc(r.plan.Batches, func(b learn.Batch) bool { return b.Name == name })]
	plan, err := run.LoadPlan(ctx, a.store, r.plan.Pipeline, b.Name, b.Run)
	if err != nil {
		return err
	}
	for _, planned := range plan.Files {
		src, err := a.openFile(ctx, plan, planned)
		if err != nil {
			return err
		}
		file, err := src.openPlanned(ctx, planned)
		if err != nil {
			src.close()
			return err
		}
		p, err := pass.Describe(ctx, file.File, f.contract, m.scorer, func(rows int64) { report(Progress{Done: r.rows + rows}) })
		file.close()
		src.close()
		if err != nil {
			return err
		}
		r.rows += p.Rows
		if err := to.Add(name, p); err != nil {
			return &kindError{KindConfig, err}
		}
	}
	return nil
}

// words says what a model is, in a sentence.
func (a *Activities) words(ctx context.Context, p *learn.Plan, o learn.Outcome, w learn.Window) (string, error) {
	var s learn.Sanity
	if err := run.LoadJSON(ctx, a.store, *o.Sanity, &s); err != nil {
		return "", err
	}
	what := "learned from " + w.Learned()
	if n := len(w.Train) + len(w.Valid); n > 1 {
		what = fmt.Sprintf("learned from %d batches up to %s", n, w.Learned())
	}
	if p.Kind == trigger.Recalibrate {
		what = fmt.Sprintf("the champion with a calibration of %s", w.Learned())
	}
	if m := s.Ranking(); m != "" {
		what += "; " + m + " among entities that it had not seen"
	}
	return what, nil
}

// enterTraining appends what the registry does not say yet.
func (a *Activities) enterTraining(ctx context.Context, r *registering) (RegisterModelsOutput, error) {
	in, p := r.in, r.plan
	releases, err := OpenReleases(ctx, a.store, p.Pipeline)
	if err != nil {
		return RegisterModelsOutput{}, err
	}
	log := releases.Log
	base := registry.Entry{At: in.At, By: in.By, Cause: in.Operation}
	for _, v := range r.versions {
		e := base
		e.Kind, e.ID, e.Model, e.Contract, e.Reason = registry.KindRegister, "register/"+string(v.model), v.model, p.Contract, v.words
		if _, found := log.Find(e.ID); found {
			continue
		}
		if _, err := log.Append(ctx, e); err != nil {
			return RegisterModelsOutput{}, err
		}
	}
	e := base
	e.Kind, e.ID, e.Batch, e.Verdict, e.Paper = registry.KindTraining, "training/"+in.Operation, p.Last(), r.evidence.Verdict, in.Evidence
	e.Reason, e.Reasons = in.Reason, r.evidence.Reasons
	if _, err := log.Append(ctx, e); err != nil {
		return RegisterModelsOutput{}, err
	}
	return r.enterCandidates(ctx, releases, base)
}

// enterCandidates appends the versions that may be candidates, and says which may not.
func (r *registering) enterCandidates(ctx context.Context, to *Releases, base registry.Entry) (RegisterModelsOutput, error) {
	var out RegisterModelsOutput
	name := r.release(to.Log.Of(registry.KindCandidate))
	for _, v := range r.versions {
		e := base
		e.Kind, e.Release, e.Model, e.Batch = registry.KindCandidate, name, v.model, v.window.Learned()
		e.ID, e.Reason = "candidate/"+name+"/"+string(v.model), v.words
		if _, found := to.Log.Find(e.ID); !found {
			if err := release.CheckCandidate(to.State, string(v.model)); err != nil {
				out.Notes = append(out.Notes, fmt.Sprintf("window %s: %s", v.window.Name, strings.TrimPrefix(err.Error(), "release: ")))
				continue
			}
		}
		if _, err := to.Log.Append(ctx, e); err != nil {
			return out, err
		}
		out.Release, out.Candidates = name, append(out.Candidates, v.model)
	}
	out.Anchor = to.Log.Anchor()
	return out, nil
}

// release names the release of the versions, or finds the name that an attempt before
// has given it. Without versions it is "".
func (r *registering) release(candidates []registry.Entry) string {
	if len(r.versions) == 0 {
		return ""
	}
	if name := releaseOf(candidates, r.in.Operation); name != "" {
		return name
	}
	var models []store.Digest
	for _, v := range r.versions {
		models = append(models, v.model)
	}
	return nameRelease(candidates, r.plan.Last(), string(r.plan.Kind), models...)
}
