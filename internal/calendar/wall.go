package calendar

import (
	"fmt"
	"time"
)

// ParseClock reads an hour and a minute: 06:30.
func ParseClock(s string) (hour, minute int, err error) {
	t, err := time.Parse("15:04", s)
	if err != nil || t.Format("15:04") != s {
		return 0, 0, fmt.Errorf("calendar: %q is no time of the day, as in 06:30", s)
	}
	return t.Hour(), t.Minute(), nil
}

// moment returns when the calendar's time of the day is on a day, in UTC.
func (c *Calendar) moment(day time.Time, zone *time.Location) (time.Time, error) {
	hour, minute, err := ParseClock(c.At)
	if err != nil {
		return time.Time{}, err
	}
	return wall(time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, time.UTC), zone).UTC(), nil
}

// wall returns the moment at which clocks in a zone show what asked shows in UTC. If they
// are put forward over it, it is the moment at which they are. If they are put back, and
// show it twice, it is the first.
func wall(asked time.Time, zone *time.Location) time.Time {
	t := time.Date(asked.Year(), asked.Month(), asked.Day(), asked.Hour(), asked.Minute(), 0, 0, zone)
	begin, end := t.ZoneBounds()
	switch shown := clock(t); {
	case shown.After(asked):
		return begin
	case shown.Before(asked):
		return end
	case begin.IsZero():
		return t
	}
	_, before := begin.Add(-time.Second).Zone()
	_, now := t.Zone()
	if first := t.Add(time.Duration(now-before) * time.Second); before > now && first.Before(begin) {
		return first
	}
	return t
}

// clock returns what clocks show at a moment, as if it were UTC.
func clock(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}
