package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/calendar"
	"headgate/internal/store"
)

// ScheduleID is the id of the schedule of a pipeline.
func ScheduleID(pipeline string) string { return schedulePrefix + pipeline }

const schedulePrefix = "schedule/"

// ScheduledPipeline returns the pipeline of a schedule; false if it is none of ours.
func ScheduledPipeline(id string) (pipeline string, ok bool) {
	return strings.CutPrefix(id, schedulePrefix)
}

// A ScheduleRequest is what the scheduler is to do.
type ScheduleRequest struct {
	Calendar *calendar.Calendar
	Digest   store.Digest // of the calendar, a blob
	Jitter   time.Duration
	CatchUp  time.Duration
	Overlap  string // [calendar.OverlapAllow] or another
	Queue    string // task queue of the workers, "" for [TaskQueue]
	By       string
	Reason   string
	Now      time.Time
}

// An AppliedSchedule says what a request changed.
type AppliedSchedule struct {
	Created bool
	Changes []string  // of one that was there; none if it stays as it is
	Until   time.Time // last slot that the scheduler knows
	Known   int       // slots to come that it knows
	Paused  string    // why it is paused, if it is
}

// How far a schedule reaches. Temporal's calendars know no last day, no business day and no
// holiday, so the scheduler gets every slot by itself (docs/decisions/0013-schedules.md).
const (
	monthsAhead = 60
	daysAhead   = 400
	monthsBack  = 60 // that can be backfilled
	daysBack    = 100
)

// ChangedCalendar is the change of a schedule that has another calendar.
const ChangedCalendar = "the calendar"

// known returns the slots that the scheduler is told: those to come, and some that are
// past, so that they can be backfilled.
func (r *ScheduleRequest) known() []calendar.Slot {
	ahead, back := monthsAhead, r.Now.AddDate(0, -monthsBack, 0)
	if r.Calendar.Kind == calendar.Day {
		ahead, back = daysAhead, r.Now.AddDate(0, 0, -daysBack)
	}
	past := r.Calendar.Between(back, r.Now, daysAhead)
	return append(past, r.Calendar.Between(r.Now, r.Now.AddDate(100, 0, 0), ahead)...)
}

// ApplySchedule makes the schedule of a pipeline what is asked for: it creates it, changes
// it, or leaves it as it is. A paused one stays paused.
func ApplySchedule(ctx context.Context, c client.Client, r ScheduleRequest) (AppliedSchedule, error) {
	slots := r.known()
	out := AppliedSchedule{}
	for _, s := range slots {
		if s.Due.After(r.Now) {
			out.Known++
		}
		out.Until = s.Due
	}
	spec, policy, action := r.spec(slots), r.policy(), r.action(out.Until)
	id := ScheduleID(r.Calendar.Pipeline)
	handle := c.ScheduleClient().GetHandle(ctx, id)
	have, err := handle.Describe(ctx)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		out.Created = true
		_, err = c.ScheduleClient().Create(ctx, client.ScheduleOptions{ID: id, Spec: spec, Action: action, Overlap: policy.Overlap, CatchupWindow: policy.CatchupWindow,
			Note: r.note(), Memo: map[string]any{"slots": "starter schedule next " + r.Calendar.Pipeline}, TypedSearchAttributes: temporal.NewSearchAttributes(attrPipeline.ValueSet(r.Calendar.Pipeline))})
		if err != nil {
			return out, fmt.Errorf("create %s: %w", id, err)
		}
		return out, nil
	case err != nil:
		return out, fmt.Errorf("look at %s: %w", id, err)
	}
	if state := have.Schedule.State; state != nil && state.Paused {
		out.Paused = state.Note
	}
	if out.Changes = r.changes(have, slots); len(out.Changes) == 0 {
		return out, nil
	}
	err = handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		s := in.Description.Schedule
		s.Spec, s.Policy, s.Action = &spec, &policy, action
		if s.State != nil && !s.State.Paused {
			s.State.Note = r.note()
		}
		return &client.ScheduleUpdate{Schedule: &s}, nil
	}})
	if err != nil {
		return out, fmt.Errorf("change %s: %w", id, err)
	}
	return out, nil
}

// spec has every slot as a calendar of its own, in UTC: what clocks do in the zone is in it
// already.
func (r *ScheduleRequest) spec(slots []calendar.Slot) client.ScheduleSpec {
	spec := client.ScheduleSpec{TimeZoneName: "UTC", Jitter: r.Jitter}
	at := func(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n}} }
	for _, s := range slots {
		d := s.Due
		spec.Calendars = append(spec.Calendars, client.ScheduleCalendarSpec{Comment: s.Batch, Year: at(d.Year()), Month: at(int(d.Month())), DayOfMonth: at(d.Day()),
			Hour: at(d.Hour()), Minute: at(d.Minute()), Second: at(d.Second())})
	}
	return spec
}

var overlaps = map[string]enums.ScheduleOverlapPolicy{
	calendar.OverlapAllow:  enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
	calendar.OverlapBuffer: enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
	calendar.OverlapSkip:   enums.SCHEDULE_OVERLAP_POLICY_SKIP,
}

func (r *ScheduleRequest) policy() client.SchedulePolicies {
	return client.SchedulePolicies{Overlap: overlaps[r.Overlap], CatchupWindow: r.CatchUp}
}

func (r *ScheduleRequest) action(until time.Time) *client.ScheduleWorkflowAction {
	name := r.Calendar.Pipeline
	return &client.ScheduleWorkflowAction{
		ID: SlotID(name), Workflow: Slot, TaskQueue: queueOr(r.Queue), Args: []any{SlotInput{Pipeline: name, Schedule: r.Digest, Until: until}},
		TypedSearchAttributes: temporal.NewSearchAttributes(attrPipeline.ValueSet(name)),
		StaticSummary:         fmt.Sprintf("A slot of %s: %s", name, r.Calendar),
		StaticDetails:         r.details(),
	}
}

// note tells whoever looks at the list of schedules when slots are due.
func (r *ScheduleRequest) note() string {
	return fmt.Sprintf("%s; applied by %s", r.Calendar, r.By)
}

// details tells whoever opens a slot's page what it does and what to do next.
func (r *ScheduleRequest) details() string {
	return fmt.Sprintf(`Sees to it that the batch of **%[1]s** that is due is published in time: waits for its data, starts `+"`score/%[1]s/BATCH`"+`, waits for the publication, and names the batch as missing if it does not come.

- **No data yet?** Nothing to do: it looks again and again until the time under Current Details.
- **Missing?** Have the data delivered, then: `+"`starter schedule trigger %[1]s --batch BATCH`"+`
- **What is due next:** `+"`starter schedule next %[1]s`"+`
- **Cancel** stops the waiting and cancels no scoring; a later slot names the batch if nobody publishes it.

The schedule was applied by %[2]s (claimed): %[3]s`, r.Calendar.Pipeline, r.By, r.Reason)
}

// changes says what of a schedule that is there is not as asked for.
func (r *ScheduleRequest) changes(have *client.ScheduleDescription, slots []calendar.Slot) []string {
	var all []string
	change := func(what string, old, new any) {
		if old != new {
			all = append(all, fmt.Sprintf("%s: %v instead of %v", what, new, old))
		}
	}
	s := have.Schedule
	change("jitter", s.Spec.Jitter, r.Jitter)
	change("catchUp", s.Policy.CatchupWindow, r.CatchUp)
	for name, policy := range overlaps {
		if policy == s.Policy.Overlap {
			change("overlap", name, r.Overlap)
		}
	}
	if action, ok := s.Action.(*client.ScheduleWorkflowAction); ok {
		change("task queue", action.TaskQueue, queueOr(r.Queue))
		if was := scheduledInput(action).Schedule; was != r.Digest {
			all = append(all, ChangedCalendar)
		}
	}
	old := after(Moments(s.Spec), r.Now)
	switch is := after(Moments(new(r.spec(slots))), r.Now); {
	case slices.EqualFunc(old, is, time.Time.Equal):
	case len(old) == len(is):
		all = append(all, fmt.Sprintf("the times of %d slots to come", len(is)))
	default:
		all = append(all, fmt.Sprintf("%d slots to come instead of %d", len(is), len(old)))
	}
	return all
}

// scheduledInput returns the input of the slots that an action starts; none if it cannot be
// read.
func scheduledInput(action *client.ScheduleWorkflowAction) (in SlotInput) {
	if len(action.Args) == 1 {
		if payload, ok := action.Args[0].(*commonpb.Payload); ok && converter.GetDefaultDataConverter().FromPayload(payload, &in) != nil {
			return SlotInput{}
		}
	}
	return in
}

// Moments returns the slots of a schedule that [ApplySchedule] made, in order.
func Moments(spec *client.ScheduleSpec) []time.Time {
	var all []time.Time
	one := func(r []client.ScheduleRange) int {
		if len(r) == 0 {
			return 0
		}
		return r[0].Start
	}
	for _, c := range spec.Calendars {
		all = append(all, time.Date(one(c.Year), time.Month(one(c.Month)), one(c.DayOfMonth), one(c.Hour), one(c.Minute), one(c.Second), 0, time.UTC))
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func after(all []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(all, func(t time.Time) bool { return !t.After(now) })
}

// RunSlots has slots of past batches run now: one after the other, or all at once. They
// must be slots that the scheduler knows.
func RunSlots(ctx context.Context, c client.Client, pipeline string, from, to calendar.Slot, together bool) error {
	overlap := enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL
	if together {
		overlap = enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
	}
	err := c.ScheduleClient().GetHandle(ctx, ScheduleID(pipeline)).Backfill(ctx, client.ScheduleBackfillOptions{
		Backfill: []client.ScheduleBackfill{{Start: from.Due.Add(-time.Second), End: to.Due, Overlap: overlap}}})
	if err != nil {
		return fmt.Errorf("run the slots from %s to %s: %w", from.Batch, to.Batch, err)
	}
	return nil
}
