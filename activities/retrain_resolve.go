package activities

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"time"

	"headgate/internal/learn"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// ResolveTrainingInput says what is to be trained, and who wants it.
type ResolveTrainingInput struct {
	Pipeline string       `json:"pipeline"`
	Kind     trigger.Kind `json:"kind,omitempty"` // empty: what the triggers say, or a refit
	// Automatic says that nobody asked: the triggers must still say so.
	Automatic bool      `json:"automatic,omitempty"`
	At        time.Time `json:"at"`
}

// ResolveTrainingOutput is what the workflow needs to know of the plan.
type ResolveTrainingOutput struct {
	Idle []string     `json:"idle,omitempty"` // why nothing is trained; empty if something is
	Plan run.Object   `json:"plan"`           // a learn.Plan
	Kind trigger.Kind `json:"kind"`
	// Kinds are what the windows make, in their order; empty: all make what Kind says.
	Kinds     []trigger.Kind `json:"kinds,omitempty"`
	Reasons   []string       `json:"reasons,omitempty"` // of the triggers
	Last      string         `json:"last"`              // latest batch that is learned from
	Batches   []string       `json:"batches"`
	Windows   []string       `json:"windows"`
	TaskQueue string         `json:"taskQueue,omitempty"` // of the trainer, if it has one
	Timeout   time.Duration  `json:"timeout"`
	Notes     []string       `json:"notes,omitempty"`
	Alerts    bool           `json:"alerts,omitempty"` // somebody is told when something goes wrong
	OnFail    string         `json:"onFail,omitempty"` // pipeline.OnFailFail; empty in trainings that nobody could hurry
}

// ResolveTraining pins what a training reads: the published batches whose labels are
// complete, the label versions, the settings, and which batches each window learns from.
// It writes plan.json, whose digest names the training.
//
// A training that nobody asked for decides again whether it is needed: of several
// triggers that fired at once, the second then finds nothing to do.
func (a *Activities) ResolveTraining(ctx context.Context, in ResolveTrainingInput) (ResolveTrainingOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (ResolveTrainingOutput, error) {
		h, err := a.loopHistory(ctx, in.Pipeline)
		if err != nil {
			return ResolveTrainingOutput{}, err
		}
		if err := h.canTrain(); err != nil {
			return ResolveTrainingOutput{}, err
		}
		out, err := a.wanted(ctx, h, in)
		if err != nil || len(out.Idle) > 0 {
			return out, err
		}
		p := &learn.Plan{Format: learn.Format, Pipeline: in.Pipeline, File: h.state.Pipeline, Contract: h.state.Contract,
			Labels: h.state.LabelsContract, Kind: out.Kind, Champion: h.state.Aliases[registry.AliasChampion],
			Training: *h.files.pipeline.Training, Cluster: h.files.pipeline.Labels.Cluster}
		if err := a.planBatches(ctx, h, p); err != nil {
			return out, err
		}
		h.budget(p, in.At, &out)
		if len(out.Idle) > 0 {
			return out, nil
		}
		p.Seed = seedOf(p.Training.Seed, p.Last())
		if out.Plan, err = a.savePlan(ctx, p); err != nil {
			return out, err
		}
		out.OnFail = pipeline.OnFailFail
		out.Last, out.Notes, out.Timeout = p.Last(), p.Notes, time.Duration(p.Training.Timeout)
		if p.Kind.Has(trigger.Refit) && p.Training.Trainer == pipeline.TrainerTaskQueue {
			out.TaskQueue = p.Training.TaskQueue
		}
		for _, b := range p.Batches {
			out.Batches = append(out.Batches, b.Name)
		}
		for _, w := range p.Windows {
			out.Windows = append(out.Windows, w.Name)
			if p.Kind == trigger.Both {
				out.Kinds = append(out.Kinds, w.Kind)
			}
		}
		return out, nil
	})
}

// canTrain says what a training needs and the pipeline does not have.
func (h *loopHistory) canTrain() error {
	c := h.files.pipeline
	switch {
	case c.Labels == nil || h.state.LabelsContract == "":
		return fail(KindConfig, "pipeline %q does not say where labels are, so nothing can be learned; write labels into the pipeline file and register it again", c.Name)
	case c.Training == nil:
		return fail(KindConfig, "pipeline %q does not say how it is trained; write training into the pipeline file and register it again", c.Name)
	case h.state.Aliases[registry.AliasChampion] == "":
		return fail(KindUnknown, "pipeline %q has no champion; run: starter register PIPELINE.yaml --model FILE --champion", c.Name)
	}
	return nil
}

// wanted decides what kind of training it is, and whether it still is needed.
func (a *Activities) wanted(ctx context.Context, h *loopHistory, in ResolveTrainingInput) (ResolveTrainingOutput, error) {
	out := ResolveTrainingOutput{Kind: in.Kind, Alerts: h.files.pipeline.Alerts != nil}
	if in.Automatic {
		if h.files.pipeline.Retrain == nil {
			out.Idle = []string{"the pipeline file says no longer what starts a training"}
			return out, nil
		}
		facts, err := a.facts(ctx, h, in.At)
		if err != nil {
			return out, err
		}
		d := trigger.Decide(triggers(h.files.pipeline), facts)
		switch {
		case d.Start:
			out.Kind, out.Reasons = d.Kind, d.Reasons
		case len(d.NotYet) > 0:
			out.Idle = d.NotYet
		default:
			out.Idle = []string{"nothing asks for a training any more"}
		}
	}
	if out.Kind == "" {
		out.Kind = trigger.Refit
	}
	return out, nil
}

// planBatches chooses the batches of each window: the latest ones whose labels are
// complete and whose input is still what was scored.
func (a *Activities) planBatches(ctx context.Context, h *loopHistory, p *learn.Plan) error {
	windows, valid := slices.Clone(p.Training.Windows), p.Training.Valid
	if p.Kind == trigger.Recalibrate {
		windows, valid = []int{shortest(windows)}, 0
	}
	most := slices.Max(append(windows, 1)) + valid
	if slices.Contains(windows, 0) {
		most = len(h.labelled)
	}
	var usable []learn.Batch // latest first
	for _, b := range slices.Backward(h.labelled) {
		if len(usable) == most {
			break
		}
		switch err := a.asScored(ctx, p.Pipeline, b.Batch); {
		case kindOf(err) == KindInputChanged:
			p.Notes = append(p.Notes, fmt.Sprintf("%s is left out: files of it were replaced or removed since it was scored", b.Name))
		case err != nil:
			return err
		default:
			usable = append(usable, b.Batch)
		}
	}
	slices.Reverse(usable)
	if len(usable) <= valid {
		return fail(KindNoData, "%d published batches of %s have complete labels and the input that was scored; it takes %d: 1 to learn from and %d that tell when to stop",
			len(usable), p.Pipeline, valid+1, valid)
	}
	p.Batches = usable
	divide(p, windows, valid)
	if p.Kind == trigger.Both {
		p.Windows = both(p)
	}
	return nil
}

// both returns the windows of a plan that makes challengers of both kinds. The new
// calibration comes first, so that it is the last that a year's budget leaves out.
func both(p *learn.Plan) []learn.Window {
	var names []string
	for _, b := range p.Batches {
		names = append(names, b.Name)
	}
	n := min(shortest(p.Training.Windows), len(names))
	all := []learn.Window{{Name: fmt.Sprintf("calibration-%d", n), Train: names[len(names)-n:], Kind: trigger.Recalibrate}}
	for _, w := range p.Windows {
		w.Kind = trigger.Refit
		all = append(all, w)
	}
	return all
}

// divide makes the windows out of the plan's batches. Windows that learn from the same
// batches are one; one that is longer than there are batches learns from all of them.
func divide(p *learn.Plan, windows []int, valid int) {
	cut := len(p.Batches) - valid
	var names []string
	for _, b := range p.Batches {
		names = append(names, b.Name)
	}
	for _, w := range windows {
		if w > cut {
			p.Notes = append(p.Notes, fmt.Sprintf("the window of %d batches has %d, for no more have complete labels", w, cut))
		}
		if w == 0 || w > cut {
			w = cut
		}
		one := learn.Window{Name: strconv.Itoa(w), Train: names[cut-w : cut], Valid: names[cut:]}
		if !slices.ContainsFunc(p.Windows, func(have learn.Window) bool { return have.Name == one.Name }) {
			p.Windows = append(p.Windows, one)
		}
	}
	longest := 0
	for _, w := range p.Windows {
		longest = max(longest, len(w.Train))
	}
	p.Batches = p.Batches[cut-longest:]
}

// shortest returns the shortest window: a calibration is that of the latest batches.
func shortest(windows []int) int {
	out := 0
	for _, w := range windows {
		if w > 0 && (out == 0 || w < out) {
			out = w
		}
	}
	return max(out, 1)
}

// asScored checks that the input of a published run is still there as it was.
func (a *Activities) asScored(ctx context.Context, pipeline string, b learn.Batch) error {
	plan, err := run.LoadPlan(ctx, a.store, pipeline, b.Name, b.Run)
	if err != nil {
		return err
	}
	for _, file := range plan.Files {
		src, err := a.openFile(ctx, plan, file)
		if err != nil {
			return err
		}
		err = src.unchanged(ctx, file)
		src.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// budget leaves out windows beyond the challengers that a year may have.
func (h *loopHistory) budget(p *learn.Plan, at time.Time, out *ResolveTrainingOutput) {
	r := h.files.pipeline.Retrain
	if r == nil || r.Budget == 0 {
		return
	}
	year, tried := h.tried(at)
	left := max(0, r.Budget-tried)
	if left >= len(p.Windows) {
		return
	}
	note := fmt.Sprintf("%d challengers were registered in %s of %d that a year may have", tried, year, r.Budget)
	if left == 0 {
		out.Idle = []string{note + "; raise retrain.budget, or wait"}
		return
	}
	p.Notes = append(p.Notes, fmt.Sprintf("%s, so %d of %d windows are trained", note, left, len(p.Windows)))
	p.Windows = p.Windows[:left]
}

// seedOf draws another seed for each last batch, below 2³¹, which every library takes.
func seedOf(seed int64, batch string) int64 {
	return (seed + int64(crc32.ChecksumIEEE([]byte(batch)))) & (1<<31 - 1)
}

// savePlan writes the plan of a training where its digest says.
func (a *Activities) savePlan(ctx context.Context, p *learn.Plan) (run.Object, error) {
	data, err := run.Encode(p)
	if err != nil {
		return run.Object{}, err
	}
	o := run.Object{Digest: store.DigestOf(data), Size: int64(len(data))}
	o.Key = learn.Dir(p.Pipeline, o.Digest) + "/plan.json"
	return o, a.store.Put(ctx, o.Key, data)
}
