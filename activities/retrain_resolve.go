package activities

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"time"

	"headgate/internal/learn"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
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
	Idle      []string      `json:"idle,omitempty"` // why nothing is trained; empty if something is
	Plan      run.Object    `json:"plan"`           // a learn.Plan
	Kind      trigger.Kind  `json:"kind"`
	Reasons   []string      `json:"reasons,omitempty"` // of the triggers
	Last      string        `json:"last"`              // latest batch that is learned from
	Batches   []string      `json:"batches"`
	Windows   []string      `json:"windows"`
	TaskQueue string        `json:"taskQueue,omitempty"` // of the trainer, if it has one
	Timeout   time.Duration `json:"timeout"`
	Notes     []string      `json:"notes,omitempty"`
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
			Training: *h.files.pipeline.Training}
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
		out.Last, out.Notes, out.Timeout = p.Last(), p.Notes, time.Duration(p.Training.Timeout)
		if p.Kind == trigger.Refit && p.Training.Trainer == pipeline.TrainerTaskQueue {
			out.TaskQueue = p.Training.TaskQueue
		}
		for _, b := range p.Batches {
			out.Batches = append(out.Batches, b.Name)
		}
		for _, w := range p.Windows {
			out.Windows = append(out.Windows, w.Name)
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
	out := ResolveTrainingOutput{Kind: in.Kind}
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
		switch err := a.asScored(ctx, b.Batch, p.Pipeline); {
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
	p.divide(windows, valid)
	return nil
}
