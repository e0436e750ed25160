package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/delta"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// PlanSlotInput names a slot by a moment: it is the last one that is due then.
type PlanSlotInput struct {
	Pipeline string       `json:"pipeline"`
	Schedule store.Digest `json:"schedule"` // blob of a calendar.Calendar
	At       time.Time    `json:"at"`
	Until    time.Time    `json:"until,omitzero"` // last slot that the scheduler knows
}

// PlanSlotOutput is the slot.
type PlanSlotOutput struct {
	calendar.Slot
	Local string        `json:"local"` // when it is due, by the clocks of the calendar's zone
	Poll  time.Duration `json:"poll"`  // how often it looks
	Left  int           `json:"left"`  // slots that the scheduler knows after it; −1 if there is no need for more
}

// PlanSlot finds the slot that a run is for: one that begins late is for the batch that
// was due.
func (a *Activities) PlanSlot(ctx context.Context, in PlanSlotInput) (PlanSlotOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (PlanSlotOutput, error) {
		c, err := a.calendar(ctx, in.Schedule)
		if err != nil {
			return PlanSlotOutput{}, err
		}
		s, ok := c.Latest(in.At)
		if !ok {
			return PlanSlotOutput{}, fail(KindConfig, "pipeline %s has no slot at %s: the first batch that its schedule expects is %s",
				in.Pipeline, in.At.UTC().Format(time.RFC3339), c.First)
		}
		zone, err := c.Location()
		if err != nil {
			return PlanSlotOutput{}, &kindError{KindConfig, err}
		}
		out := PlanSlotOutput{Slot: s, Local: s.Due.In(zone).Format("Mon 2006-01-02 15:04 MST"), Poll: time.Duration(c.PollSeconds) * time.Second,
			Left: len(c.Between(s.Due, in.Until, maxLeft))}
		if c.Last != "" {
			out.Left = -1
		}
		return out, nil
	})
}

// maxLeft is how many coming slots are counted.
const maxLeft = 100

// calendar reads a stored calendar.
func (a *Activities) calendar(ctx context.Context, d store.Digest) (*calendar.Calendar, error) {
	c := new(calendar.Calendar)
	if err := run.LoadBlob(ctx, a.store, d, c); err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	if err := c.Check(); err != nil {
		return nil, &kindError{KindConfig, err}
	}
	return c, nil
}

// LookSlotInput names the batch of a slot, and when it is looked at.
type LookSlotInput struct {
	Pipeline string       `json:"pipeline"`
	Schedule store.Digest `json:"schedule"`
	Batch    string       `json:"batch"`
	At       time.Time    `json:"at"`
}

// LookSlotOutput is what there is of the batch, and what there is not of those before it.
type LookSlotOutput struct {
	Publication int64        `json:"publication"`       // number; 0: it is not published
	Verdict     string       `json:"verdict,omitempty"` // last one over the batch
	Reasons     []string     `json:"reasons,omitempty"` // of the verdict
	Files       int          `json:"files"`             // of its data
	Bytes       int64        `json:"bytes"`
	Data        store.Digest `json:"data,omitempty"`   // of the list of its files; "" if there is none
	Alerts      bool         `json:"alerts,omitempty"` // somebody is told when something goes wrong

	// Earlier batches must have been published before now, are not, and nobody has named
	// them as missing: their slots never ran, or did not come to an end.
	Earlier []Missing `json:"earlier,omitempty"`
	More    bool      `json:"more,omitempty"` // there are more earlier ones
}

// maxEarlier is how many earlier batches one look returns, the first ones: each look
// stands in the history of its slot.
const maxEarlier = 50

// A Missing batch was due and is not published in time.
type Missing struct {
	Batch  string    `json:"batch"`
	Due    time.Time `json:"due"`
	Reason string    `json:"reason"`
}

// LookSlot looks for the data of a batch and for its publication.
func (a *Activities) LookSlot(ctx context.Context, in LookSlotInput) (LookSlotOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (LookSlotOutput, error) {
		c, err := a.calendar(ctx, in.Schedule)
		if err != nil {
			return LookSlotOutput{}, err
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return LookSlotOutput{}, err
		}
		snapshot, err := delta.Open(a.store, run.TablePrefix(in.Pipeline)).Snapshot(ctx)
		if err != nil {
			return LookSlotOutput{}, err
		}
		state := log.State()
		b := state.Batches[in.Batch]
		out := LookSlotOutput{Publication: snapshot.Publication(in.Batch), Verdict: b.Verdict, Reasons: b.Reasons}
		for _, s := range c.Overdue(in.At, func(batch string) bool { return snapshot.Publication(batch) > 0 }) {
			if earlier := state.Batches[s.Batch]; s.Batch < in.Batch && earlier.Missed == "" {
				if out.More = len(out.Earlier) == maxEarlier; out.More {
					break
				}
				out.Earlier = append(out.Earlier, Missing{Batch: s.Batch, Due: s.Due, Reason: whyMissing(earlier)})
			}
		}
		return out, a.lookForData(ctx, state.Pipeline, in.Batch, &out)
	})
}

// whyMissing says why a batch may be missing whose slot has said nothing.
func whyMissing(b registry.BatchState) string {
	switch b.Verdict {
	case "":
		return "it was never scored: its slot did not run, or did not come to its end; was the schedule paused or deleted, or the server down for too long?"
	case registry.VerdictAsk:
		return "it waits for an answer"
	}
	return "its last verdict is " + b.Verdict + because(b.Reasons)
}

// because joins reasons to what they are for.
func because(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return ": " + strings.Join(reasons, "; ")
}

// lookForData lists the files of a batch.
func (a *Activities) lookForData(ctx context.Context, file store.Digest, batch string, out *LookSlotOutput) error {
	if file == "" {
		return fail(KindUnknown, "the pipeline of batch %s is not registered in this store; run: starter register PIPELINE.yaml", batch)
	}
	data, err := a.store.GetBlob(ctx, file)
	if err != nil {
		return fmt.Errorf("pipeline file: %w", err)
	}
	c, err := pipeline.ParseKept("pipeline file "+string(file), data)
	if err != nil {
		return &kindError{KindConfig, err}
	}
	out.Alerts = c.Alerts != nil
	base, prefix, match := c.Files(batch)
	in, err := a.openInputs(ctx, base)
	if err != nil {
		return err
	}
	defer in.close()
	var list strings.Builder
	for attrs, err := range in.bucket.List(ctx, prefix) {
		switch {
		case err != nil:
			return fmt.Errorf("list %s in %s: %w", prefix, in.bucket.URL(), err)
		case match(attrs.Key):
			out.Files++
			out.Bytes += attrs.Size
			fmt.Fprintf(&list, "%s %d %s\n", attrs.Key, attrs.Size, attrs.Version)
		}
	}
	if out.Files > 0 {
		out.Data = store.DigestOf([]byte(list.String()))
	}
	return nil
}

// NameMissedInput is what a slot found missing.
type NameMissedInput struct {
	Pipeline  string       `json:"pipeline"`
	Schedule  store.Digest `json:"schedule"`
	Missing   []Missing    `json:"missing"`
	Several   bool         `json:"several,omitempty"` // people are told of all that is missing at once
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
}

// NameMissedOutput has those of the batches that this operation was the first to name.
type NameMissedOutput struct {
	Missed []Missing `json:"missed,omitempty"`
	Alerts bool      `json:"alerts,omitempty"` // somebody is told when something goes wrong
	Anchor string    `json:"anchor"`

	// All has every batch that is named as missing by now, if people are told of several at
	// once, and there are several.
	All []calendar.Range `json:"all,omitempty"`
}

// NameMissed enters batches in the registry as missing. It leaves out what was published
// meanwhile, and what another slot has named: a batch is named once.
func (a *Activities) NameMissed(ctx context.Context, in NameMissedInput) (NameMissedOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (NameMissedOutput, error) {
		// Publications that are not in the registry yet would be named.
		log, err := a.recordPublications(ctx, in.Pipeline)
		if err != nil {
			return NameMissedOutput{}, err
		}
		var out NameMissedOutput
		for _, m := range in.Missing {
			named, err := nameMissed(ctx, log, in, m)
			if err != nil {
				return NameMissedOutput{}, err
			}
			if named {
				out.Missed = append(out.Missed, m)
			}
		}
		// A pipeline file that cannot be read names nobody to tell, and months are missing all the same.
		told, err := a.alerts(ctx, log.State().Pipeline)
		out.Alerts, out.Anchor = err == nil && told != nil, log.Anchor()
		if !in.Several || !out.Alerts {
			return out, nil
		}
		c, err := a.calendar(ctx, in.Schedule)
		if err != nil {
			return NameMissedOutput{}, err
		}
		if all := missing(c, log.State().Batches, in.At); calendar.Count(all) > 1 {
			out.All = all
		}
		return out, nil
	})
}

// nameMissed enters one batch, and reports whether this operation is the one that did.
func nameMissed(ctx context.Context, log *registry.Log, in NameMissedInput, m Missing) (bool, error) {
	id := missedID(m.Batch)
	if e, found := log.Find(id); found {
		return e.Cause == in.Operation, nil
	}
	e, err := log.Append(ctx, registry.Entry{Kind: registry.KindMissed, ID: id, At: in.At, By: "schedule", Cause: in.Operation,
		Batch: m.Batch, Slot: &m.Due, Paper: in.Schedule, Reason: m.Reason})
	if errors.Is(err, registry.ErrNotMissed) || errors.Is(err, registry.ErrIDTaken) {
		return false, nil
	}
	return e.Cause == in.Operation, err
}
