package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	rollout "headgate/internal/release"
	"headgate/internal/store"
)

// An undo is what takes a release back. It is noted before a candidate gets anything to
// score, and forgotten when the candidate is the champion or serves nobody any more. If
// the workflow is cancelled or fails in between, this compensation runs on a context that
// a cancellation does not reach: the candidate is rejected, the routing goes back to the
// champion, published batches with the candidate's rows are published again with the
// champion's, and the registry, the search attributes and the scorecard say so.
//
// All of that follows from one entry in the registry. So the next run of the workflow
// takes up a compensation that was interrupted, and it is the same whether it is done
// once or twice.
type undo struct {
	release  string
	model    store.Digest // the candidate
	champion store.Digest // in force before
}

// serving returns the undo of the routing in force, nil if the champion serves alone. In
// the routing before a promotion the former champion has a share; it is no candidate.
func (r *releases) serving() *undo {
	f := r.view.Facts
	for _, arm := range f.Arms {
		if arm.Share > 0 && arm.Model != string(f.Champion) && (f.Routed != f.Release || r.candidate(arm.Model)) {
			return &undo{release: f.Routed, model: store.Digest(arm.Model), champion: f.Champion}
		}
	}
	return nil
}

// route puts a routing in force. An entry that is under way is carried through.
func (r *releases) route(ctx workflow.Context, next rollout.Action) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, arm := range next.Routing.Arms {
		if arm.Share > 0 && arm.Model != string(r.view.Facts.Champion) {
			r.undo = &undo{release: next.Release, model: store.Digest(arm.Model), champion: r.view.Facts.Champion}
		}
	}
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	_, err := run(stage(disconnected, "Routing of step "+next.Step, 5*time.Minute), act.Route, r.stepInput(ctx))
	return err
}

// promote makes a model the champion.
func (r *releases) promote(ctx workflow.Context, next rollout.Action) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.candidate(next.Model) {
		r.undo = &undo{release: next.Release, model: store.Digest(next.Model), champion: r.view.Facts.Champion}
	}
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	_, err := run(stage(disconnected, "Make "+short(next.Model)+" the champion", 5*time.Minute), act.Promote, r.stepInput(ctx))
	if err == nil {
		r.undo = nil
	}
	return err
}

// candidate reports whether a model is one of the release under way, and not a former
// champion that comes back.
func (r *releases) candidate(model string) bool {
	return slices.ContainsFunc(r.view.Facts.Candidates, func(c activities.CandidateFact) bool { return c.Model == model })
}

// republish publishes a batch again with the champion's scores in every row.
func (r *releases) republish(ctx workflow.Context, next rollout.Action) error {
	in := RepublishBatchInput{Pipeline: r.in.Pipeline, Batch: next.Batch, Model: store.Digest(next.Model), By: "release " + next.Release, Reason: next.Reason}
	var out activities.PublishOutput
	return workflow.ExecuteChildWorkflow(child(ctx, RepublishID(in.Pipeline, in.Batch), "Publish "+in.Batch+" again with the champion's scores", republishDetails(in)),
		RepublishBatch, in).Get(ctx, &out)
}

// giveUp runs the compensation of a release that ends before its time, and returns why
// it ends.
func (r *releases) giveUp(ctx workflow.Context, why error) error {
	r.card.Trouble = cause(why)
	stage, cancelled := "Failed", temporal.IsCanceledError(why)
	if cancelled {
		r.card.Trouble, stage = "cancelled", "Cancelled"
	}
	disconnected, _ := workflow.NewDisconnectedContext(ctx)
	fails := !cancelled
	var taken *undo
	// A registry that cannot be read says nothing of what is to be taken back.
	if r.view.Head > 0 || cancelled {
		var err error
		if taken, err = r.takeBack(disconnected, "the release ended before its time: "+r.card.Trouble); err != nil {
			fails = true
			why = errors.Join(why, fmt.Errorf("taking the release back: %w", err))
			r.card.Trouble += "; and it could not be taken back: " + cause(err)
		}
	}
	r.alertEnd(disconnected, taken, why, fails)
	heard := workflow.Await(disconnected, func() bool { return workflow.AllHandlersFinished(ctx) })
	if err := errors.Join(heard, r.show(disconnected, stage)); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// takeBack runs the compensation: it enters that the candidate is rejected, and does what
// follows from that until nothing of the release is left. Rows of a candidate that was
// rejected before go back, too. It returns what was taken back, nil beside an error.
func (r *releases) takeBack(ctx workflow.Context, reason string) (*undo, error) {
	if err := r.turn.Lock(ctx); err != nil {
		return nil, err
	}
	defer r.turn.Unlock()
	r.done = "" // what was broken off is done again
	if r.undo == nil {
		// Somebody may have been cancelled before the registry was read.
		if err := r.read(ctx); err != nil {
			return nil, err
		}
	}
	u := r.undo
	if u != nil {
		_, err := run(stage(ctx, "Take release "+u.release+" back", 5*time.Minute), act.TakeBack, activities.TakeBackInput{Pipeline: r.in.Pipeline,
			Release: u.release, Model: u.model, Champion: u.champion, Reason: reason, Operation: operation(ctx), At: workflow.Now(ctx).UTC()})
		if err == nil {
			err = r.read(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	for {
		next := r.view.Next
		ours := u != nil && appends(next.Kind) && (next.Release == u.release || r.undo != nil)
		if !ours && next.Kind != rollout.DoRepublish {
			return u, nil
		}
		if err := r.do(ctx); err != nil && !failed(err, activities.KindHeadMoved) {
			return nil, fmt.Errorf("%s of %s: %w", next.Kind, short(next.Model), err)
		}
		if err := r.read(ctx); err != nil {
			return nil, err
		}
	}
}
