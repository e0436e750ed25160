package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/alert"
	"headgate/internal/calendar"
	"headgate/internal/figure"
	"headgate/internal/metric"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// SlotInput says whose slot it is. When it is due the scheduler says, by the search
// attribute TemporalScheduledStartTime; a slot that somebody starts by hand is due now.
type SlotInput struct {
	Pipeline string       `json:"pipeline"`
	Schedule store.Digest `json:"schedule"`       // blob of a calendar.Calendar
	Until    time.Time    `json:"until,omitzero"` // last slot that the scheduler knows
}

// SlotOutput says what came of a slot.
type SlotOutput struct {
	Batch       string               `json:"batch"`
	Due         time.Time            `json:"due"`
	Outcome     string               `json:"outcome"`               // [SlotPublished] or [SlotMissed]
	Publication int64                `json:"publication,omitempty"` // number
	Missed      []activities.Missing `json:"missed,omitempty"`      // batches that it named: its own, and earlier ones
	Anchor      string               `json:"anchor,omitempty"`
}

// What can come of a slot.
const (
	SlotPublished = "published"
	SlotMissed    = "missed"
)

// SlotID is the id of the slots of a pipeline; the scheduler adds when each is due.
func SlotID(pipeline string) string { return "slot/" + pipeline }

// attrScheduled is set by the scheduler.
var attrScheduled = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// slot is the state of one Slot.
type slot struct {
	in    SlotInput
	plan  activities.PlanSlotOutput
	begin time.Time // of the workflow
	seen  activities.LookSlotOutput
	still store.Digest // data of the look before
	card  SlotCard
	out   SlotOutput

	started bool             // the scoring
	ended   bool             // the scoring, since the last look
	looked  bool             // and has seen something
	untold  []calendar.Range // several batches are missing, and nobody was told yet
	failure error            // of the scoring
}

// Slot is one slot of a schedule: the promise that one batch is published in time. It
// waits for the data, starts [ScoreBatch], and waits for the publication. What does not
// come in time it names as missing, in the registry and for everybody to see; so it does
// with earlier batches that nobody has published or named. It scores nothing that is
// published.
//
// Data is there when two looks one after the other find the same files. A slot that begins
// late, after its server was down or by hand, takes the data that is there and does not
// wait for more.
func Slot(ctx workflow.Context, in SlotInput) (SlotOutput, error) {
	s := &slot{in: in, begin: workflow.Now(ctx).UTC(), card: SlotCard{Pipeline: in.Pipeline, Stage: "Plan"}}
	err := workflow.SetQueryHandlerWithOptions(ctx, "slot", func() (SlotCard, error) { return s.card, nil },
		workflow.QueryHandlerOptions{Description: "Batch, times, data and outcome so far, as JSON."})
	if err != nil {
		return s.out, err
	}
	err = s.watch(ctx)
	s.alertSeveral(ctx)
	s.alert(ctx, err)
	return s.out, err
}

// watch finds the batch that is due, and looks until all is done.
func (s *slot) watch(ctx workflow.Context) (err error) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(s.in.Pipeline)); err != nil {
		return err
	}
	s.plan, err = run(stage(ctx, "Find the batch that is due", 5*time.Minute), act.PlanSlot,
		activities.PlanSlotInput{Pipeline: s.in.Pipeline, Schedule: s.in.Schedule, At: nominal(ctx), Until: s.in.Until})
	if err != nil {
		return err
	}
	s.planned()
	if err := workflow.UpsertTypedSearchAttributes(ctx, attrBatch.ValueSet(s.plan.Batch)); err != nil {
		return err
	}
	for {
		done, err := s.turn(ctx)
		if err != nil || done {
			return err
		}
		_, err = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: s.plan.Poll,
			TimerOptions: workflow.TimerOptions{Summary: "Look again"}}, func() bool { return s.ended })
		if err != nil {
			return err
		}
	}
}

// nominal returns when the slot is due, by the scheduler.
func nominal(ctx workflow.Context) time.Time {
	if at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(attrScheduled); ok {
		return at.UTC()
	}
	return workflow.Now(ctx).UTC()
}

// planned sets the times of a slot. One that began when its time was up has what it takes
// to see whether files stay as they are, and as long to publish as others.
func (s *slot) planned() {
	p := &s.plan
	looks := 2 * p.Poll
	toPublish := p.Publish.Sub(p.Data)
	if least := s.begin.Add(looks); p.Data.Before(least) {
		p.Data = least
	}
	if least := p.Data.Add(toPublish); p.Publish.Before(least) {
		p.Publish = least
	}
	s.out.Batch, s.out.Due = p.Batch, p.Due
	s.card.Batch, s.card.Due, s.card.Moved, s.card.Left = p.Batch, p.Local, p.Moved, p.Left
	s.card.Data, s.card.Publish = p.Data.Format(time.RFC3339), p.Publish.Format(time.RFC3339)
}

// turn looks once and does what is to be done. It reports whether that was all.
func (s *slot) turn(ctx workflow.Context) (done bool, err error) {
	if err := s.look(ctx); err != nil {
		return false, err
	}
	now := workflow.Now(ctx)
	late := !now.Before(s.plan.Publish)
	switch {
	case s.out.Outcome != "":
	case s.seen.Publication > 0:
		s.out.Outcome, s.out.Publication = SlotPublished, s.seen.Publication
	case !s.started && s.seen.Data != "" && s.seen.Data == s.still:
		if err := s.score(ctx); err != nil {
			return false, err
		}
	case late, s.seen.Data == "" && !s.started && !now.Before(s.plan.Data):
		s.out.Outcome = SlotMissed
		own := activities.Missing{Batch: s.plan.Batch, Due: s.plan.Due, Reason: s.why()}
		if err := s.name(ctx, []activities.Missing{own}, false); err != nil {
			return false, err
		}
	}
	// Slots of earlier batches that the server was down over may have begun with this one.
	if late && len(s.seen.Earlier) > 0 {
		several := len(s.seen.Earlier) > 1 || len(s.untold) > 0
		if err := s.name(ctx, s.seen.Earlier, several); err != nil {
			return false, err
		}
		s.seen.Earlier, s.card.Earlier = nil, nil
		if !s.seen.More {
			s.alertSeveral(ctx)
		}
	}
	done = s.out.Outcome != "" && len(s.seen.Earlier) == 0 && !s.seen.More
	return done, s.show(ctx, done)
}

// look sees what there is. What cannot be seen is a reason to look again: only the time
// decides that a batch is missing.
func (s *slot) look(ctx workflow.Context) error {
	s.still, s.ended = s.seen.Data, false
	seen, err := run(stage(ctx, "Look for the data and the publication of "+s.plan.Batch, 5*time.Minute), act.LookSlot,
		activities.LookSlotInput{Pipeline: s.in.Pipeline, Schedule: s.in.Schedule, Batch: s.plan.Batch, At: workflow.Now(ctx).UTC()})
	switch {
	case temporal.IsCanceledError(err):
		return err
	case err != nil:
		s.card.Blind, s.still = cause(err), "" // it has not seen that files stay as they are
		s.seen.More = false                    // another slot sees them
		return nil
	}
	s.card.Blind = ""
	s.seen, s.looked = seen, true
	s.card.Files, s.card.Bytes, s.card.Verdict, s.card.Reasons = seen.Files, seen.Bytes, seen.Verdict, seen.Reasons
	s.card.Earlier = seen.Earlier
	return nil
}

// score starts the scoring of the batch, which goes on when the slot has ended. It is a
// success that somebody has started it already.
func (s *slot) score(ctx workflow.Context) error {
	s.started = true
	in := ScoreBatchInput{Pipeline: s.in.Pipeline, Batch: s.plan.Batch, By: "schedule"}
	disconnected, _ := workflow.NewDisconnectedContext(ctx) // a cancelled slot cancels no scoring
	child := alone(disconnected, ScoreID(in.Pipeline, in.Batch), fmt.Sprintf("Score %s %s", in.Pipeline, in.Batch), scoreDetails(in), ScoreBatch, in)
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	if err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		s.failure = child.Get(ctx, nil)
		s.ended = true
	})
	return nil
}

// why says why the batch is missing.
func (s *slot) why() string {
	switch {
	case s.failure != nil:
		return "its scoring failed: " + cause(s.failure)
	case s.seen.Verdict == string(papers.Ask):
		return "it waits for an answer"
	case s.started && s.seen.Verdict != "":
		return "its last verdict is " + s.seen.Verdict + ": " + strings.Join(s.seen.Reasons, "; ")
	case s.started:
		return fmt.Sprintf("its %s came, and it was not published by %s", figure.Things(s.seen.Files, "file"), s.card.Publish)
	case s.card.Blind != "":
		return "nobody could look for its data: " + s.card.Blind
	case s.seen.Data != "":
		return fmt.Sprintf("its files were still changing at %s", s.card.Publish)
	}
	return "no data came by " + s.card.Data
}

// name enters missing batches in the registry, and tells of those that nobody has named: of
// each, or of several at once.
func (s *slot) name(ctx workflow.Context, missing []activities.Missing, several bool) error {
	out, err := run(stage(ctx, "Name what is missing", 5*time.Minute), act.NameMissed,
		activities.NameMissedInput{Pipeline: s.in.Pipeline, Schedule: s.in.Schedule, Missing: missing, Several: several, Operation: operation(ctx), At: workflow.Now(ctx).UTC()})
	if err != nil {
		return err
	}
	s.out.Anchor = out.Anchor
	for _, m := range out.Missed {
		s.out.Missed = append(s.out.Missed, m)
		s.card.Missed = append(s.card.Missed, m)
		if err := missed(ctx, s.in, m); err != nil {
			return err
		}
		if out.Alerts && len(out.All) == 0 {
			raise(ctx, alert.NewBatchMissed(s.in.Pipeline, m.Batch, m.Reason))
		}
	}
	if len(out.Missed) > 0 && len(out.All) > 0 {
		s.untold = out.All
	}
	return nil
}

// missed is the one place where it is known that a batch is missing, once for each batch:
// the registry has it already.
func missed(ctx workflow.Context, in SlotInput, m activities.Missing) error {
	workflow.GetLogger(ctx).Warn("a batch is missing", "batch", m.Batch, "due", m.Due, "reason", m.Reason)
	workflow.GetMetricsHandler(ctx).WithTags(metric.MissedSlots.Tags(in.Pipeline)).Counter(metric.MissedSlots.Name).Inc(1)
	return workflow.UpsertTypedSearchAttributes(ctx, attrVerdict.ValueSet(SlotMissed))
}

// show puts the slot into the list view, and its card onto the run's page.
func (s *slot) show(ctx workflow.Context, done bool) error {
	s.card.Outcome, s.card.Publication = s.out.Outcome, s.out.Publication
	stage, waits := "WaitForData", "data"
	switch {
	case done:
		stage, waits = "Done", ""
	case s.out.Outcome != "":
		stage, waits = "WaitForEarlier", "publication"
	case s.started:
		stage, waits = "WaitForPublication", "publication"
	}
	if s.card.Stage == stage {
		setDetails(ctx, s.card.Markdown())
		return nil
	}
	s.card.Stage = stage
	setDetails(ctx, s.card.Markdown())
	updates := []temporal.SearchAttributeUpdate{attrStage.ValueSet(stage), attrWaits.ValueUnset()}
	if waits != "" {
		updates[1] = attrWaits.ValueSet(waits)
	}
	if s.out.Outcome != "" && len(s.out.Missed) == 0 {
		updates = append(updates, attrVerdict.ValueSet(s.out.Outcome))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}
