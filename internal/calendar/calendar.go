// Package calendar says when each batch of a pipeline is due.
//
// It goes from the name of a batch to its slot: the moment at which the batch is due, until
// when its data may come, and until when it must be published. A slot belongs to its batch
// and not to the clock: a run that comes late scores the month that it was for. The package
// knows no scheduler and looks at no clock.
//
// Start with [Calendar.Slot]; [Calendar.Latest] and [Calendar.Between] go the other way.
package calendar

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
	_ "time/tzdata" // the same zones on every machine that has none of its own
)

// Format is the version of a stored [Calendar].
const Format = 1

// The kinds of batches that have a calendar.
const (
	Month = "month" // 2024-01
	Day   = "day"   // 2024-01-31
)

// Which batch a slot is for.
const (
	Previous = "previous" // the period before that of the slot's day
	Current  = "current"  // the period of the slot's day
)

// What becomes of a slot on a weekend or a holiday.
const (
	Keep   = "keep"
	Next   = "next"   // the first business day after it
	Before = "before" // the last business day before it
)

// Which days have a slot, of batches of the kind day.
const (
	AllDays      = "all"
	BusinessDays = "business"
)

// What a slot does while another one is not at its end.
const (
	OverlapAllow  = "allow"  // it begins
	OverlapBuffer = "buffer" // it begins after it
	OverlapSkip   = "skip"   // it does not begin, and its batch is named as missing
)

// A Calendar is what a schedule promises: one published batch for each slot. It is kept as
// a blob, which an entry of the registry names.
//
// A calendar of months has a Day or a BusinessDay; one of days has Days. One with an
// EverySeconds is a rehearsal: it counts no calendar, and its batches follow each other in
// that time from From on.
type Calendar struct {
	Format   int    `json:"format"`
	Pipeline string `json:"pipeline"`
	Kind     string `json:"kind"` // of batches: [Month] or [Day]
	Zone     string `json:"zone"` // IANA name

	Day         int    `json:"day,omitempty"`          // of the month, from 1; [LastDay] is the last; a shorter month has it on its last
	BusinessDay int    `json:"business_day,omitempty"` // of the month, from 1; from the end, from −1
	Days        string `json:"days,omitempty"`         // [AllDays] or [BusinessDays]

	At       string   `json:"at"`                 // hour and minute in the zone: 06:30
	For      string   `json:"for"`                // [Previous] or [Current]
	Move     string   `json:"move,omitempty"`     // of a Day: [Keep], [Next] or [Before]; "" keeps
	Holidays []string `json:"holidays,omitempty"` // ISO dates, ascending

	EverySeconds int64     `json:"every_seconds,omitempty"` // of a rehearsal
	From         time.Time `json:"from,omitzero"`           // slot of First in a rehearsal, UTC

	First string `json:"first"`          // batch from which on there are slots
	Last  string `json:"last,omitempty"` // batch with the last slot; "": no end

	WaitSeconds    int64 `json:"wait_seconds"`    // so long after the slot data may come
	PublishSeconds int64 `json:"publish_seconds"` // so long after the slot the batch must be published
	PollSeconds    int64 `json:"poll_seconds"`    // how often a slot looks
}

// LastDay is the last day of a month.
const LastDay = -1

// A Slot is when one batch is due.
type Slot struct {
	Batch   string    `json:"batch"`
	Due     time.Time `json:"due"`             // UTC
	Data    time.Time `json:"data"`            // until then its data may come
	Publish time.Time `json:"publish"`         // until then it must be published
	Moved   string    `json:"moved,omitempty"` // why it is not on its day by the rule: "2024-05-01 is a holiday"
}

// ErrBatch means that a batch has no slot.
var ErrBatch = errors.New("calendar: the batch has no slot")

var layouts = map[string]string{Month: "2006-01", Day: time.DateOnly}

// Slot returns the slot of a batch. The error wraps [ErrBatch] if the batch has none: it is
// before the first or after the last, no date, or of a day that is left out.
func (c *Calendar) Slot(batch string) (Slot, error) {
	begin, err := c.begin(batch)
	if err != nil {
		return Slot{}, err
	}
	first, err := c.begin(c.First)
	if err != nil {
		return Slot{}, err
	}
	zone, err := c.Location()
	if err != nil {
		return Slot{}, err
	}
	switch {
	case begin.Before(first):
		return Slot{}, fmt.Errorf("%w: %s is before %s, the first one", ErrBatch, batch, c.First)
	case c.Last != "" && batch > c.Last:
		return Slot{}, fmt.Errorf("%w: %s is after %s, the last one", ErrBatch, batch, c.Last)
	case c.Days == BusinessDays && !c.business(begin):
		return Slot{}, fmt.Errorf("%w: %s is no business day", ErrBatch, batch)
	}
	return c.slot(begin, first, zone)
}

// slot returns the slot of the period that begins at a day.
func (c *Calendar) slot(begin, first time.Time, zone *time.Location) (s Slot, err error) {
	s.Batch = begin.Format(layouts[c.Kind])
	if c.EverySeconds > 0 {
		s.Due = c.From.Add(time.Duration(c.steps(first, begin)) * time.Duration(c.EverySeconds) * time.Second)
	} else {
		day, moved := c.day(begin)
		s.Moved = moved
		if s.Due, err = c.moment(day, zone); err != nil {
			return Slot{}, err
		}
	}
	s.Data = s.Due.Add(time.Duration(c.WaitSeconds) * time.Second)
	s.Publish = s.Due.Add(time.Duration(c.PublishSeconds) * time.Second)
	return s, nil
}

// Between returns the slots that are due after one moment and not after another, in the
// order of their batches: at most most of them.
func (c *Calendar) Between(after, until time.Time, most int) []Slot {
	var all []Slot
	for s := range c.slots() {
		if s.Due.After(until) || len(all) == most {
			break
		}
		if s.Due.After(after) {
			all = append(all, s)
		}
	}
	return all
}

// Latest returns the last slot that is due at a moment: what a run that begins then is for.
// ok is false before the first.
func (c *Calendar) Latest(moment time.Time) (last Slot, ok bool) {
	for s := range c.slots() {
		if s.Due.After(moment) {
			break
		}
		last, ok = s, true
	}
	return last, ok
}

// Slots returns the slots that are due at a moment, from the first on.
func (c *Calendar) Slots(moment time.Time) []Slot { return c.Between(time.Time{}, moment, maxSlots) }

// Overdue returns the slots that must have been published before a moment and are not.
func (c *Calendar) Overdue(moment time.Time, published func(batch string) bool) []Slot {
	return slices.DeleteFunc(c.Slots(moment), func(s Slot) bool { return s.Publish.After(moment) || published(s.Batch) })
}

// maxSlots ends a calendar without an end: three hundred years of days.
const maxSlots = 110_000

// slots yields every slot, batch by batch.
func (c *Calendar) slots() iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		first, err := c.begin(c.First)
		zone, zoneErr := c.Location()
		if err != nil || zoneErr != nil {
			return
		}
		begin := first
		for range maxSlots {
			if c.Last != "" && begin.Format(layouts[c.Kind]) > c.Last {
				return
			}
			if c.Days != BusinessDays || c.business(begin) {
				if s, err := c.slot(begin, first, zone); err != nil || !yield(s) {
					return
				}
			}
			begin = c.after(begin)
		}
	}
}

// FirstAfter returns the first batch whose slot is due after a moment, whatever the
// calendar's First. It is for a schedule that begins at that moment.
func (c *Calendar) FirstAfter(moment time.Time) string {
	other := *c
	begin := moment.UTC().AddDate(0, -3, 0)
	if c.Kind == Day {
		begin = moment.UTC().AddDate(0, 0, -40) // holidays may be many
	}
	other.First, other.Last = begin.Format(layouts[c.Kind]), ""
	for s := range other.slots() {
		if s.Due.After(moment) {
			return s.Batch
		}
	}
	return ""
}

// begin returns the first day of a batch's period, at midnight UTC.
func (c *Calendar) begin(batch string) (time.Time, error) {
	layout := layouts[c.Kind]
	t, err := time.Parse(layout, batch)
	if err != nil || layout == "" || t.Format(layout) != batch {
		return time.Time{}, fmt.Errorf("%w: %q is no %s, as in %s", ErrBatch, batch, c.Kind, time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC).Format(layout))
	}
	return t, nil
}

// after returns the beginning of the period after one.
func (c *Calendar) after(begin time.Time) time.Time {
	if c.Kind == Day {
		return begin.AddDate(0, 0, 1)
	}
	return begin.AddDate(0, 1, 0)
}

// steps counts the slots from one period to another.
func (c *Calendar) steps(from, to time.Time) int {
	if c.Kind == Month {
		return (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
	}
	if c.Days != BusinessDays {
		return int(to.Sub(from) / (24 * time.Hour))
	}
	n := 0
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		if c.business(d) {
			n++
		}
	}
	return n
}

// Location returns the calendar's zone.
func (c *Calendar) Location() (*time.Location, error) {
	if c.Zone == "" || c.Zone == "Local" {
		return nil, fmt.Errorf("calendar: %q is no time zone, as in Europe/Berlin", c.Zone)
	}
	l, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("calendar: %q is no time zone, as in Europe/Berlin", c.Zone)
	}
	return l, nil
}

// Bounds of a calendar's settings.
const (
	MaxDay         = 31
	MaxBusinessDay = 15   // any month has so many between its weekends and a few holidays
	MaxLooks       = 1000 // of one slot: each stands in the history of its workflow
	MinEvery       = 5 * time.Second
)

// Check returns everything that is wrong with a calendar, joined.
func (c *Calendar) Check() error {
	var problems []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf("calendar: "+format, args...))
		}
	}
	need(c.Format == Format, "format %d is not %d", c.Format, Format)
	need(layouts[c.Kind] != "", "batches of the kind %q have no calendar", c.Kind)
	_, err := c.Location()
	need(err == nil, "zone %q is none", c.Zone)
	_, _, err = ParseClock(c.At)
	need(err == nil, "at %q is no time of the day", c.At)
	need(c.For == Previous || c.For == Current, "for %q is neither %s nor %s", c.For, Previous, Current)
	need(slices.Contains([]string{"", Keep, Next, Before}, c.Move), "move %q is unknown", c.Move)
	need(c.Day >= LastDay && c.Day <= MaxDay, "day %d is not in a month", c.Day)
	need(c.BusinessDay >= -MaxBusinessDay && c.BusinessDay <= MaxBusinessDay, "business day %d is beyond %d", c.BusinessDay, MaxBusinessDay)
	if layouts[c.Kind] != "" {
		need(c.rules() == 1, "it has %d rules, and needs one of day, business day, days and every", c.rules())
		_, err = c.begin(c.First)
		need(err == nil, "first %q is no %s", c.First, c.Kind)
		_, err = c.begin(c.Last)
		need(c.Last == "" || err == nil && c.Last >= c.First, "last %q is no %s from %s on", c.Last, c.Kind, c.First)
	}
	need(slices.IsSorted(c.Holidays), "holidays are not in order")
	for _, h := range c.Holidays {
		_, err := time.Parse(time.DateOnly, h)
		need(err == nil, "holiday %q is no date", h)
	}
	need(c.EverySeconds == 0 || c.EverySeconds >= int64(MinEvery/time.Second) && !c.From.IsZero(), "a rehearsal needs from, and %s at least between two slots", MinEvery)
	need(c.WaitSeconds >= 0 && c.PublishSeconds > c.WaitSeconds, "a batch needs time to be published after its data may come")
	need(c.PollSeconds > 0 && c.PublishSeconds/max(c.PollSeconds, 1) <= MaxLooks, "it looks every %d s for %d s; more than %d times", c.PollSeconds, c.PublishSeconds, MaxLooks)
	return errors.Join(problems...)
}

// rules counts the rules that say on which days there are slots.
func (c *Calendar) rules() int {
	n := 0
	for _, there := range []bool{c.Day != 0, c.BusinessDay != 0, c.Days != "" && c.EverySeconds == 0, c.EverySeconds > 0} {
		if there {
			n++
		}
	}
	if c.Kind == Day && (c.Day != 0 || c.BusinessDay != 0) || c.Kind == Month && c.Days != "" {
		return 0
	}
	return n
}
