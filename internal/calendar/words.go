package calendar

import (
	"fmt"
	"time"
)

// String says when batches are due, in words: "on business day 2 of the month at 06:30
// Europe/Berlin, for the month before".
func (c *Calendar) String() string {
	if c.EverySeconds > 0 {
		return fmt.Sprintf("every %s from %s on, a rehearsal", time.Duration(c.EverySeconds)*time.Second, c.From.Format(time.RFC3339))
	}
	whose := "before"
	if c.For == Current {
		whose = "itself"
	}
	return fmt.Sprintf("on %s at %s %s, for the %s %s", c.days(), c.At, c.Zone, c.Kind, whose)
}

// days says on which days batches are due.
func (c *Calendar) days() string {
	switch {
	case c.Days == BusinessDays:
		return "business days"
	case c.Days != "":
		return "every day"
	case c.BusinessDay == LastDay:
		return "the last business day of the month"
	case c.BusinessDay < 0:
		return fmt.Sprintf("business day %d of the month, from its end", -c.BusinessDay)
	case c.BusinessDay > 0:
		return fmt.Sprintf("business day %d of the month", c.BusinessDay)
	}
	day := fmt.Sprintf("day %d of the month", c.Day)
	if c.Day == LastDay {
		day = "the last day of the month"
	}
	switch c.Move {
	case Next:
		return day + ", or the next business day"
	case Before:
		return day + ", or the last business day before it"
	}
	return day
}
