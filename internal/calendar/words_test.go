package calendar

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		change func(c *Calendar)
		want   string
	}{
		{func(*Calendar) {}, "on day 3 of the month at 06:30 UTC, for the month before"},
		{func(c *Calendar) { c.Day, c.For, c.Move = LastDay, Current, Before }, "on the last day of the month, or the last business day before it at 06:30 UTC, for the month itself"},
		{func(c *Calendar) { c.Move = Next }, "on day 3 of the month, or the next business day at 06:30 UTC, for the month before"},
		{func(c *Calendar) { c.Day, c.BusinessDay = 0, 2 }, "on business day 2 of the month at 06:30 UTC, for the month before"},
		{func(c *Calendar) { c.Day, c.BusinessDay = 0, -1 }, "on the last business day of the month at 06:30 UTC, for the month before"},
		{func(c *Calendar) { c.Day, c.BusinessDay = 0, -3 }, "on business day 3 of the month, from its end at 06:30 UTC, for the month before"},
		{func(c *Calendar) { c.Kind, c.Day, c.Days = Day, 0, AllDays }, "on every day at 06:30 UTC, for the day before"},
		{func(c *Calendar) { c.Kind, c.Day, c.Days = Day, 0, BusinessDays }, "on business days at 06:30 UTC, for the day before"},
		{func(c *Calendar) { c.Day, c.EverySeconds, c.From = 0, 10, time.Unix(0, 0).UTC() }, "every 10s from 1970-01-01T00:00:00Z on, a rehearsal"},
	} {
		if got := monthly(tt.change).String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
