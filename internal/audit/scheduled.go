package audit

import (
	"context"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/registry"
)

// scheduled checks an entry that rests on a calendar: that the calendar is one of this
// pipeline, and that it expects the batch that is named as missing at the moment that the
// entry says. That no published batch is named, the log itself sees to.
func (t *trail) scheduled(ctx context.Context, e registry.Entry) {
	c := new(calendar.Calendar)
	if t.paper(ctx, e, c) == nil {
		return
	}
	t.same(e, "pipeline", t.log.Pipeline(), c.Pipeline)
	if err := c.Check(); err != nil {
		t.found(e, "its calendar is none: %v", err)
		return
	}
	if e.Kind == registry.KindSchedule {
		return
	}
	switch slot, err := c.Slot(e.Batch); {
	case err != nil:
		t.found(e, "its calendar does not expect %s: %v", e.Batch, err)
	case !slot.Due.Equal(*e.Slot):
		t.found(e, "%s was due at %s by its calendar, and it says %s", e.Batch, slot.Due.Format(time.RFC3339), e.Slot.Format(time.RFC3339))
	case e.At.Before(slot.Data):
		t.found(e, "it names %s as missing at %s, and data could come until %s", e.Batch, e.At.Format(time.RFC3339), slot.Data.Format(time.RFC3339))
	}
}
