package main

import (
	"bytes"
	"testing"
	"time"

	"headgate/internal/calendar"
)

func TestWhatIsMissingTakesALineForWhatFollowsEachOther(t *testing.T) {
	due := time.Date(2023, 2, 3, 5, 30, 0, 0, time.UTC)
	one := calendar.Range{First: "2024-03", Last: "2024-03", Count: 1, Due: due.AddDate(1, 2, 0), Why: "no data came"}
	for _, tt := range []struct {
		name string
		all  []calendar.Range
		want string
	}{
		{"nothing", nil, ""},
		{"one", []calendar.Range{one}, `
1 missing; have the data delivered, then: starter schedule trigger retailer --batch 2024-03
MISSING  WAS DUE                   WHY
2024-03  Wed 2024-04-03 05:30 UTC  no data came
`},
		{"a year and one", []calendar.Range{{First: "2023-01", Last: "2023-12", Count: 12, Due: due, Why: "nobody has named it"}, one}, `
13 missing; have the data delivered, then: starter schedule backfill retailer --from 2023-01 --to 2024-03
MISSING             WAS DUE                        WHY
2023-01 to 2023-12  from Fri 2023-02-03 05:30 UTC  each of 12: nobody has named it
2024-03             Wed 2024-04-03 05:30 UTC       no data came
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := printLacking(&env{stdout: &out}, &calendar.Calendar{Zone: "UTC"}, "retailer", tt.all); err != nil || out.String() != tt.want {
				t.Errorf("%v, got\n%s\nwant\n%s", err, out.String(), tt.want)
			}
		})
	}
}
