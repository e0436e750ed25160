package calendar

import (
	"fmt"
	"slices"
	"time"
)

// day returns the day of the slot of the period that begins at a day, at midnight UTC, and
// why it is not the one that the rule names.
func (c *Calendar) day(begin time.Time) (day time.Time, moved string) {
	switch {
	case c.Kind == Day:
		return c.dayAfter(begin), ""
	case c.For == Previous:
		begin = begin.AddDate(0, 1, 0)
	}
	if c.BusinessDay != 0 {
		return c.businessDay(begin)
	}
	last := begin.AddDate(0, 1, -1).Day()
	n := min(c.Day, last)
	if c.Day == LastDay {
		n = last
	}
	day = begin.AddDate(0, 0, n-1)
	if c.Move == "" || c.Move == Keep || c.business(day) {
		return day, ""
	}
	step := 1
	if c.Move == Before {
		step = -1
	}
	return c.nearest(day, step), c.why(day)
}

// dayAfter returns the day on which the batch of a day is due.
func (c *Calendar) dayAfter(batch time.Time) time.Time {
	switch {
	case c.For == Current:
		return batch
	case c.Days == BusinessDays:
		return c.nearest(batch.AddDate(0, 0, 1), 1)
	}
	return batch.AddDate(0, 0, 1)
}

// longestBreak is how many days in a row may be no business days.
const longestBreak = 60

// nearest returns the first business day from a day on, forward or backward; the day
// itself if there is none for sixty days.
func (c *Calendar) nearest(day time.Time, step int) time.Time {
	for d := range longestBreak {
		if near := day.AddDate(0, 0, d*step); c.business(near) {
			return near
		}
	}
	return day
}

// businessDay returns the nth business day of a month, from its end if n is negative. A
// month with fewer has it on the last, or the first; one with none, on its last day.
func (c *Calendar) businessDay(begin time.Time) (day time.Time, moved string) {
	day = c.nth(begin, c.Holidays)
	if plain := c.nth(begin, nil); !plain.Equal(day) {
		return day, fmt.Sprintf("without holidays it would be %s", plain.Format(time.DateOnly))
	}
	return day, ""
}

func (c *Calendar) nth(begin time.Time, holidays []string) time.Time {
	next := begin.AddDate(0, 1, 0)
	var days []time.Time
	for d := begin; d.Before(next); d = d.AddDate(0, 0, 1) {
		if !weekend(d) && !contains(holidays, d) {
			days = append(days, d)
		}
	}
	switch n := c.BusinessDay; {
	case len(days) == 0:
		return next.AddDate(0, 0, -1)
	case n > 0:
		return days[min(n, len(days))-1]
	default:
		return days[max(len(days)+n, 0)]
	}
}

// business reports whether a day is neither of a weekend nor a holiday.
func (c *Calendar) business(day time.Time) bool {
	return !weekend(day) && !contains(c.Holidays, day)
}

func weekend(day time.Time) bool {
	return day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}

func contains(holidays []string, day time.Time) bool {
	_, found := slices.BinarySearch(holidays, day.Format(time.DateOnly))
	return found
}

// why says why a day is no business day.
func (c *Calendar) why(day time.Time) string {
	if contains(c.Holidays, day) {
		return day.Format(time.DateOnly) + " is a holiday"
	}
	return fmt.Sprintf("%s is a %s", day.Format(time.DateOnly), day.Weekday())
}
