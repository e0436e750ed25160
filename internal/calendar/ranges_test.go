package calendar

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestMissing(t *testing.T) {
	long := func(why string, batches ...string) map[string]string {
		all := map[string]string{}
		for _, b := range batches {
			all[b] = why
		}
		return all
	}
	for _, tt := range []struct {
		name    string
		change  func(c *Calendar)
		missing map[string]string
		want    []string
	}{
		{"nothing", func(*Calendar) {}, nil, nil},
		{"one", func(*Calendar) {}, long("no data", "2024-02"), []string{"2024-02: 1 no data"}},
		{"some that follow each other over the end of a year", func(c *Calendar) { c.First = "2023-11" }, long("no data", "2023-11", "2023-12", "2024-01"),
			[]string{"2023-11 to 2024-01: 3 no data"}},
		{"one between is there", func(*Calendar) {}, long("no data", "2024-01", "2024-03"), []string{"2024-01: 1 no data", "2024-03: 1 no data"}},
		{"another reason", func(*Calendar) {}, map[string]string{"2024-01": "no data", "2024-02": "blocked", "2024-03": "blocked"},
			[]string{"2024-01: 1 no data", "2024-02 to 2024-03: 2 blocked"}},
		{"what is not due yet", func(*Calendar) {}, long("no data", "2024-04", "2024-05"), []string{"2024-04: 1 no data"}},
		{"before the first", func(*Calendar) {}, long("no data", "2023-12"), nil},
		{"a weekend is no gap", func(c *Calendar) { c.Kind, c.Day, c.Days, c.First = Day, 0, BusinessDays, "2024-04-25" }, long("no data", "2024-04-26", "2024-04-29"),
			[]string{"2024-04-26 to 2024-04-29: 2 no data"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := monthly(tt.change)
			var got []string
			for _, r := range c.Missing(time.Date(2024, 5, 20, 0, 0, 0, 0, time.UTC), func(s Slot) string { return tt.missing[s.Batch] }) {
				if due, err := c.Slot(r.First); err != nil || !due.Due.Equal(r.Due) {
					t.Errorf("%s is due %s, %v, and not %s", r.First, due.Due, err, r.Due)
				}
				got = append(got, fmt.Sprintf("%s: %d %s", r, r.Count, r.Why))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
