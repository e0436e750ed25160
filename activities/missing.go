package activities

import (
	"context"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/registry"
)

// missing returns the batches that a calendar expected until a moment, and that the registry
// names as missing until this day.
func missing(c *calendar.Calendar, batches map[string]registry.BatchState, at time.Time) []calendar.Range {
	return c.Missing(at, func(s calendar.Slot) string { return batches[s.Batch].Missed })
}

// caughtUp reports whether a batch was named as missing once, and none of those that the
// schedule in force expects is missing any more. A calendar that cannot be read is no reason
// to fail what asks: then somebody else says that the trouble is over.
func (a *Activities) caughtUp(ctx context.Context, log *registry.Log, batch string, at time.Time) bool {
	state := log.State()
	if _, named := log.Find(missedID(batch)); !named || state.Batches[batch].Missed != "" {
		return false
	}
	if state.Schedule == "" {
		return true
	}
	c, err := a.calendar(ctx, state.Schedule)
	return err == nil && len(missing(c, state.Batches, at)) == 0
}

// missedID is the id of the entry that names a batch as missing: it is named once.
func missedID(batch string) string { return "missed/" + batch }
