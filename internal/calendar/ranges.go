package calendar

import (
	"fmt"
	"time"
)

// A Range is batches that follow each other and are missing for the same reason.
type Range struct {
	First string    `json:"first"`
	Last  string    `json:"last"`
	Count int       `json:"count"` // of batches, from 1
	Due   time.Time `json:"due"`   // slot of the first one
	Why   string    `json:"why"`   // they are missing
}

// String names the batches: "2023-01", or "2023-01 to 2023-12".
func (r Range) String() string {
	if r.Count == 1 {
		return r.First
	}
	return fmt.Sprintf("%s to %s", r.First, r.Last)
}

// Count counts the batches of ranges.
func Count(ranges []Range) int {
	n := 0
	for _, r := range ranges {
		n += r.Count
	}
	return n
}

// Missing returns the batches that were due at a moment and are missing, in their order.
// missing says why one is, and "" of one that is not.
func (c *Calendar) Missing(moment time.Time, missing func(Slot) (why string)) []Range {
	var all []Range
	follows := false // the slot before was missing as well
	for _, s := range c.Slots(moment) {
		why := missing(s)
		switch n := len(all); {
		case why == "":
		case follows && all[n-1].Why == why:
			all[n-1].Last = s.Batch
			all[n-1].Count++
		default:
			all = append(all, Range{First: s.Batch, Last: s.Batch, Count: 1, Due: s.Due, Why: why})
		}
		follows = why != ""
	}
	return all
}
