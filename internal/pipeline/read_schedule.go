package pipeline

import (
	"strings"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/strictyaml"
)

// minCatchUp is the shortest time that a Temporal server knows.
const minCatchUp = 10 * time.Second

var scheduleKeys = []string{"zone", "day", "businessDay", "days", "at", "for", "move", "holidays", "every", "first", "last",
	"jitter", "catchUp", "overlap", "wait", "publish", "poll"}

// readSchedule reads when batches are due. It knows the kind of batches already.
func (c *Config) readSchedule(v strictyaml.Value) {
	s := &Schedule{Zone: DefaultZone, At: DefaultAt, For: calendar.Previous, CatchUp: Duration(DefaultCatchUp), Overlap: calendar.OverlapAllow}
	c.Schedule = s
	fs, ok := v.Map("schedule", scheduleKeys...)
	if !ok {
		return
	}
	s.readDays(fs)
	if v, ok := fs.Get("zone"); ok {
		s.Zone, _ = v.Str("zone")
		if _, err := (&calendar.Calendar{Zone: s.Zone}).Location(); err != nil {
			v.Problemf("zone %q is no time zone, as in Europe/Berlin", s.Zone)
		}
	}
	if v, ok := fs.Get("at"); ok {
		s.At, _ = v.Text("at")
		if _, _, err := calendar.ParseClock(s.At); err != nil {
			v.Problemf("at must be an hour and a minute in quotes, as in \"06:30\", not %s", s.At)
		}
	}
	if v, ok := fs.Get("for"); ok {
		s.For, _ = v.OneOf("for", calendar.Previous, calendar.Current)
	}
	if v, ok := fs.Get("overlap"); ok {
		s.Overlap, _ = v.OneOf("overlap", calendar.OverlapAllow, calendar.OverlapBuffer, calendar.OverlapSkip)
	}
	if v, ok := fs.Get("holidays"); ok {
		s.Holidays = beside("schedule.holidays", v)
	}
	s.readTimes(fs)
	c.readRange(fs)
	c.checkDays(v, fs)
	if s.Every != nil {
		s.checkRehearsal(fs)
	}
}

// readDays reads on which days there are slots.
func (s *Schedule) readDays(fs strictyaml.Fields) {
	if v, ok := fs.Get("day"); ok {
		s.Day = monthDay("day", v, 1, calendar.MaxDay)
	}
	if v, ok := fs.Get("businessDay"); ok {
		s.BusinessDay = monthDay("businessDay", v, -calendar.MaxBusinessDay, calendar.MaxBusinessDay)
	}
	if v, ok := fs.Get("days"); ok {
		s.Days, _ = v.OneOf("days", calendar.AllDays, calendar.BusinessDays)
	}
	if v, ok := fs.Get("move"); ok {
		s.Move, _ = v.OneOf("move", calendar.Keep, calendar.Next, calendar.Before)
	}
	if v, ok := fs.Get("every"); ok {
		every := duration("every", v)
		s.Every = &every
		if time.Duration(every) < calendar.MinEvery || time.Duration(every)%time.Second != 0 {
			v.Problemf("every must be whole seconds, and %s or more", calendar.MinEvery)
		}
	}
}

// monthDay reads a day of the month, or the word last. 0 is none.
func monthDay(what string, v strictyaml.Value, lo, hi int64) MonthDay {
	if text, ok := v.Scalar(); ok && text == "last" {
		return calendar.LastDay
	}
	if !v.Number() {
		v.Problemf("%s must be a number or last, not %s", what, v.Kind())
		return 0
	}
	n := between(what, v, lo, hi)
	if n == 0 && lo < 0 {
		v.Problemf("%s counts from 1, or from -1, which is the last", what)
	}
	return MonthDay(n)
}

// readTimes reads how long things may take.
func (s *Schedule) readTimes(fs strictyaml.Fields) {
	if v, ok := fs.Get("jitter"); ok {
		s.Jitter = duration("jitter", v)
	}
	if v, ok := fs.Get("catchUp"); ok {
		if s.CatchUp = duration("catchUp", v); time.Duration(s.CatchUp) < minCatchUp {
			v.Problemf("catchUp must be %s or more", minCatchUp)
		}
	}
	for key, to := range map[string]**Duration{"wait": &s.Wait, "publish": &s.Publish, "poll": &s.Poll} {
		if v, ok := fs.Get(key); ok {
			d := duration(key, v)
			*to = &d
		}
	}
	if s.Publish != nil && s.Wait != nil && *s.Publish <= *s.Wait {
		fs.Key("publish").Problemf("publish must be longer than wait, %s: a batch needs time to be published after its data came", *s.Wait)
	}
	switch {
	case s.Poll == nil:
	case time.Duration(*s.Poll) < time.Second:
		fs.Key("poll").Problemf("poll must be 1s or more")
	case s.Publish != nil && *s.Publish / *s.Poll > calendar.MaxLooks:
		fs.Key("poll").Problemf("a slot that looks every %s for %s looks more than %d times; raise poll", *s.Poll, *s.Publish, calendar.MaxLooks)
	}
}

// readRange reads the first and the last batch.
func (c *Config) readRange(fs strictyaml.Fields) {
	for key, to := range map[string]*string{"first": &c.Schedule.First, "last": &c.Schedule.Last} {
		v, ok := fs.Get(key)
		if !ok {
			continue
		}
		if *to, ok = v.Str(key); !ok || c.Batch == Any {
			continue
		}
		if err := c.CheckBatch(*to); err != nil {
			v.Problemf("%s: %v", key, err)
		}
	}
	if s := c.Schedule; s.First != "" && s.Last != "" && s.Last < s.First {
		fs.Key("last").Problemf("last %s is before first, %s", s.Last, s.First)
	}
}

// checkDays finds rules that contradict each other or the kind of batches. at is the place
// of the schedule.
func (c *Config) checkDays(at strictyaml.Value, fs strictyaml.Fields) {
	var rules []string
	for _, key := range []string{"day", "businessDay", "days", "every"} {
		if !fs.Has(key) {
			continue
		}
		rules = append(rules, key)
		if c.Batch == Month && key == "days" || c.Batch == Day && (key == "day" || key == "businessDay") {
			fs.Key(key).Problemf("%s is not for batches of the kind %s", key, c.Batch)
		}
	}
	switch {
	case c.Batch == Any:
		at.Problemf("batches of the kind any have no date, so nobody knows when one is due; set batch to month or day")
	case len(rules) > 1:
		fs.Key(rules[1]).Problemf("schedule has %s: it can have one of them", strings.Join(rules, " and "))
	case len(rules) == 0 && c.Batch == Day:
		c.Schedule.Days = calendar.AllDays
	case len(rules) == 0:
		at.Problemf("schedule does not say when: give it a day, as in day: 3 or day: last, or a businessDay, as in businessDay: 2 or businessDay: last")
	}
	if fs.Has("move") && !fs.Has("day") {
		fs.Key("move").Problemf("move needs a day that it moves")
	}
}

// checkRehearsal finds settings of a calendar in a schedule that has none.
func (s *Schedule) checkRehearsal(fs strictyaml.Fields) {
	for _, key := range []string{"zone", "at", "for", "move", "holidays"} {
		if fs.Has(key) {
			fs.Key(key).Problemf("every makes the schedule a rehearsal, which counts no calendar and has no %s", key)
		}
	}
	if s.First == "" {
		fs.Key("every").Problemf("a rehearsal needs its first batch, as in first: 2024-01")
	}
	s.Zone, s.At, s.For = "", "", ""
}
