package calendar

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// monthly is a calendar of months that tests change.
func monthly(change func(c *Calendar)) *Calendar {
	c := &Calendar{Format: Format, Pipeline: "p", Kind: Month, Zone: "UTC", Day: 3, At: "06:30", For: Previous, First: "2024-01",
		WaitSeconds: 3600, PublishSeconds: 7200, PollSeconds: 60}
	change(c)
	return c
}

func TestSlot(t *testing.T) {
	holidays := []string{"2024-01-01", "2024-05-01", "2024-12-25", "2024-12-26"}
	for _, tt := range []struct {
		name   string
		change func(c *Calendar)
		batch  string
		due    string
		moved  string
	}{
		{"a day of the next month", func(*Calendar) {}, "2024-01", "2024-02-03T06:30:00Z", ""},
		{"December is due in the next year", func(*Calendar) {}, "2024-12", "2025-01-03T06:30:00Z", ""},
		{"a day of the same month", func(c *Calendar) { c.For = Current }, "2024-01", "2024-01-03T06:30:00Z", ""},
		{"the last day of a leap February", func(c *Calendar) { c.Day = LastDay }, "2024-01", "2024-02-29T06:30:00Z", ""},
		{"the last day of the month itself", func(c *Calendar) { c.Day, c.For = LastDay, Current }, "2024-04", "2024-04-30T06:30:00Z", ""},
		{"the 31st of a short month is its last day", func(c *Calendar) { c.Day = 31 }, "2024-01", "2024-02-29T06:30:00Z", ""},
		{"a weekend is kept", func(*Calendar) {}, "2024-07", "2024-08-03T06:30:00Z", ""},
		{"a weekend is moved forward", func(c *Calendar) { c.Move = Next }, "2024-07", "2024-08-05T06:30:00Z", "2024-08-03 is a Saturday"},
		{"a weekend is moved back, into the month before", func(c *Calendar) { c.Move, c.Day = Before, 1 }, "2024-08", "2024-08-30T06:30:00Z", "2024-09-01 is a Sunday"},
		{"a holiday is moved", func(c *Calendar) { c.Move, c.Day, c.Holidays = Next, 1, holidays }, "2024-04", "2024-05-02T06:30:00Z", "2024-05-01 is a holiday"},
		{"the second business day", func(c *Calendar) { c.Day, c.BusinessDay = 0, 2 }, "2024-05", "2024-06-04T06:30:00Z", ""},
		{"a holiday is no business day", func(c *Calendar) { c.Day, c.BusinessDay, c.Holidays = 0, 1, holidays }, "2024-04", "2024-05-02T06:30:00Z", "without holidays it would be 2024-05-01"},
		{"the last business day", func(c *Calendar) { c.Day, c.BusinessDay, c.For = 0, -1, Current }, "2024-06", "2024-06-28T06:30:00Z", ""},
		{"the last but one", func(c *Calendar) { c.Day, c.BusinessDay, c.For, c.Holidays = 0, -4, Current, holidays }, "2024-12", "2024-12-24T06:30:00Z", "without holidays it would be 2024-12-26"},
		{"a zone", func(c *Calendar) { c.Zone = "Europe/Berlin" }, "2024-06", "2024-07-03T04:30:00Z", ""},
		{"clocks are put forward over it", func(c *Calendar) { c.Zone, c.At, c.Day, c.For = "Europe/Berlin", "02:30", 31, Current }, "2024-03", "2024-03-31T01:00:00Z", ""},
		{"clocks show it twice", func(c *Calendar) { c.Zone, c.At, c.Day, c.For = "Europe/Berlin", "02:30", 27, Current }, "2024-10", "2024-10-27T00:30:00Z", ""},
		{"just before clocks are put back", func(c *Calendar) { c.Zone, c.At, c.Day, c.For = "Europe/Berlin", "01:59", 27, Current }, "2024-10", "2024-10-26T23:59:00Z", ""},
		{"just after clocks were put back", func(c *Calendar) { c.Zone, c.At, c.Day, c.For = "Europe/Berlin", "03:00", 27, Current }, "2024-10", "2024-10-27T02:00:00Z", ""},
		{"half an hour forward at midnight", func(c *Calendar) { c.Zone, c.At, c.Day, c.For = "Australia/Lord_Howe", "02:15", 6, Current }, "2024-10", "2024-10-05T15:30:00Z", ""},
		{"a day", func(c *Calendar) { c.Kind, c.Day, c.Days, c.First = Day, 0, AllDays, "2024-01-01" }, "2024-02-29", "2024-03-01T06:30:00Z", ""},
		{"a Friday is due on Monday", func(c *Calendar) { c.Kind, c.Day, c.Days, c.First = Day, 0, BusinessDays, "2024-01-01" }, "2024-03-01", "2024-03-04T06:30:00Z", ""},
		{"a day on itself", func(c *Calendar) { c.Kind, c.Day, c.Days, c.First, c.For = Day, 0, BusinessDays, "2024-01-01", Current }, "2024-03-01", "2024-03-01T06:30:00Z", ""},
		{"a rehearsal", func(c *Calendar) { c.Day, c.EverySeconds, c.From = 0, 10, time.Unix(1000, 0).UTC() }, "2025-01", "1970-01-01T00:18:40Z", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := monthly(tt.change)
			if err := c.Check(); err != nil {
				t.Fatal(err)
			}
			s, err := c.Slot(tt.batch)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Due.Format(time.RFC3339); got != tt.due || s.Moved != tt.moved {
				t.Errorf("due %s, moved %q; want %s, %q", got, s.Moved, tt.due, tt.moved)
			}
			if s.Data.Sub(s.Due) != time.Hour || s.Publish.Sub(s.Due) != 2*time.Hour {
				t.Errorf("data until %s, published until %s", s.Data, s.Publish)
			}
			if back, ok := c.Latest(s.Due); !ok || back != s {
				t.Errorf("at its own time the slot is %+v", back)
			}
		})
	}
}

func TestBatchesWithoutASlot(t *testing.T) {
	for _, tt := range []struct{ batch, want string }{
		{"2023-12", "2023-12 is before 2024-01, the first one"},
		{"2025-01", "2025-01 is after 2024-12, the last one"},
		{"2024-1", `"2024-1" is no month, as in 2024-01`},
		{"", `"" is no month`},
	} {
		_, err := monthly(func(c *Calendar) { c.Last = "2024-12" }).Slot(tt.batch)
		if !errors.Is(err, ErrBatch) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.batch, err, tt.want)
		}
	}
	saturday := monthly(func(c *Calendar) { c.Kind, c.Day, c.Days, c.First = Day, 0, BusinessDays, "2024-01-01" })
	if _, err := saturday.Slot("2024-03-02"); !errors.Is(err, ErrBatch) {
		t.Errorf("a Saturday: %v", err)
	}
}

func TestSlotsOfAYear(t *testing.T) {
	c := monthly(func(c *Calendar) { c.Last = "2024-12" })
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	all := c.Between(begin, begin.AddDate(5, 0, 0), 100)
	if len(all) != 12 || all[0].Batch != "2024-01" || all[11].Batch != "2024-12" {
		t.Fatalf("%+v", all)
	}
	if few := c.Between(all[1].Due, all[5].Due, 100); len(few) != 4 || few[0] != all[2] {
		t.Errorf("after the second and until the sixth: %+v", few)
	}
	if two := c.Between(begin, begin.AddDate(1, 0, 0), 2); len(two) != 2 {
		t.Errorf("two at most: %+v", two)
	}
	if _, ok := c.Latest(all[0].Due.Add(-time.Second)); ok {
		t.Error("there is a slot before the first")
	}
	if late, _ := c.Latest(all[3].Due.Add(20 * 24 * time.Hour)); late != all[3] {
		t.Errorf("twenty days late it is %+v", late)
	}
}

// Slots follow each other as their batches do, whatever the rule.
func TestSlotsAreInOrder(t *testing.T) {
	for _, move := range []string{Keep, Next, Before} {
		for _, day := range []int{1, 15, 30, LastDay} {
			c := monthly(func(c *Calendar) { c.Day, c.Move, c.Zone = day, move, "America/New_York" })
			all := c.Between(time.Time{}, time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC), 1000)
			if len(all) < 400 || !slices.IsSortedFunc(all, func(a, b Slot) int { return a.Due.Compare(b.Due) }) {
				t.Errorf("day %d, move %s: %d slots, or out of order", day, move, len(all))
			}
		}
	}
}

func TestOverdue(t *testing.T) {
	c := monthly(func(*Calendar) {})
	third, _ := c.Slot("2024-03")
	published := func(batch string) bool { return batch == "2024-02" }
	var names []string
	for _, s := range c.Overdue(third.Publish, published) {
		names = append(names, s.Batch)
	}
	if !slices.Equal(names, []string{"2024-01", "2024-03"}) {
		t.Errorf("overdue are %v", names)
	}
	if got := c.Overdue(third.Publish.Add(-time.Second), published); len(got) != 1 {
		t.Errorf("a second before: %+v", got)
	}
}

func TestFirstAfter(t *testing.T) {
	now := time.Date(2026, 5, 3, 7, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		change func(c *Calendar)
		want   string
	}{
		{"today's slot is over", func(*Calendar) {}, "2026-05"},
		{"today's slot is to come", func(c *Calendar) { c.At = "08:00" }, "2026-04"},
		{"of the month itself", func(c *Calendar) { c.Day, c.For = LastDay, Current }, "2026-05"},
		{"a day", func(c *Calendar) { c.Kind, c.Day, c.Days = Day, 0, AllDays }, "2026-05-03"},
		{"a Sunday has no business", func(c *Calendar) { c.Kind, c.Day, c.Days = Day, 0, BusinessDays }, "2026-05-01"},
	} {
		c := monthly(tt.change)
		if got := c.FirstAfter(now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		change func(c *Calendar)
		want   string
	}{
		{func(c *Calendar) { c.Format = 2 }, "format 2 is not 1"},
		{func(c *Calendar) { c.Kind = "any" }, `batches of the kind "any" have no calendar`},
		{func(c *Calendar) { c.Zone = "Local" }, `zone "Local" is none`},
		{func(c *Calendar) { c.Zone = "Europe/Berln" }, `zone "Europe/Berln" is none`},
		{func(c *Calendar) { c.At = "6:30" }, `at "6:30" is no time of the day`},
		{func(c *Calendar) { c.For = "" }, `for "" is neither previous nor current`},
		{func(c *Calendar) { c.Move = "up" }, `move "up" is unknown`},
		{func(c *Calendar) { c.Day = 32 }, "day 32 is not in a month"},
		{func(c *Calendar) { c.BusinessDay = -16 }, "business day -16 is beyond 15"},
		{func(c *Calendar) { c.BusinessDay = 1 }, "it has 2 rules"},
		{func(c *Calendar) { c.Day = 0 }, "it has 0 rules"},
		{func(c *Calendar) { c.Days = AllDays }, "it has 0 rules"},
		{func(c *Calendar) { c.First = "" }, `first "" is no month`},
		{func(c *Calendar) { c.Last = "2023-01" }, `last "2023-01" is no month from 2024-01 on`},
		{func(c *Calendar) { c.Holidays = []string{"2024-02-01", "2024-01-01"} }, "holidays are not in order"},
		{func(c *Calendar) { c.Holidays = []string{"x"} }, `holiday "x" is no date`},
		{func(c *Calendar) { c.Day, c.EverySeconds = 0, 10 }, "a rehearsal needs from"},
		{func(c *Calendar) { c.PublishSeconds = 3600 }, "a batch needs time to be published"},
		{func(c *Calendar) { c.PollSeconds = 1 }, "it looks every 1 s for 7200 s"},
	} {
		if err := monthly(tt.change).Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}
