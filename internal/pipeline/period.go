package pipeline

import (
	"fmt"
	"time"
)

// End returns the first moment after a batch's period. ok is false if the name of the
// batch is no date.
func (c *Config) End(batch string) (end time.Time, ok bool) {
	begin, ok := c.Begin(batch)
	if !ok {
		return time.Time{}, false
	}
	return c.next(begin), true
}

// next returns the beginning of the period after the one that begins at a moment.
func (c *Config) next(begin time.Time) time.Time {
	if c.Batch == Day {
		return begin.AddDate(0, 0, 1)
	}
	return begin.AddDate(0, 1, 0)
}

// After returns the name of the batch after one. ok is false if the name of that is no date.
func (c *Config) After(batch string) (next string, ok bool) {
	end, ok := c.End(batch)
	return end.Format(batchLayouts[c.Batch]), ok
}

// Range returns the names of the batches from one to another, both among them, oldest
// first. It is an error if names of batches are no dates, if there are none from the one
// to the other, or more than most.
func (c *Config) Range(from, to string, most int) ([]string, error) {
	begin, ok := c.Begin(from)
	last, dated := c.Begin(to)
	switch {
	case !ok:
		return nil, fmt.Errorf("pipeline %s has no batch %q: its batches are of the kind %s", c.Name, from, c.Batch)
	case !dated:
		return nil, fmt.Errorf("pipeline %s has no batch %q: its batches are of the kind %s", c.Name, to, c.Batch)
	case last.Before(begin):
		return nil, fmt.Errorf("%s is after %s, so there is no batch between them", from, to)
	}
	var all []string
	for ; !begin.After(last); begin = c.next(begin) {
		if len(all) == most {
			return nil, fmt.Errorf("there are more than %d batches from %s to %s; take them in parts", most, from, to)
		}
		all = append(all, begin.Format(batchLayouts[c.Batch]))
	}
	return all, nil
}
