package calendar_test

import (
	"fmt"
	"time"

	"headgate/internal/calendar"
)

func ExampleCalendar_Between() {
	c := calendar.Calendar{Format: calendar.Format, Kind: calendar.Month, Zone: "Europe/Berlin", BusinessDay: 1, At: "06:30",
		For: calendar.Previous, Holidays: []string{"2024-05-01"}, First: "2024-02", WaitSeconds: 3600, PublishSeconds: 7200, PollSeconds: 60}
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range c.Between(begin, begin.AddDate(0, 5, 0), 100) {
		fmt.Printf("%s is due %s %q\n", s.Batch, s.Due.Format(time.RFC3339), s.Moved)
	}
	// Output:
	// 2024-02 is due 2024-03-01T05:30:00Z ""
	// 2024-03 is due 2024-04-01T04:30:00Z ""
	// 2024-04 is due 2024-05-02T04:30:00Z "without holidays it would be 2024-05-01"
}
