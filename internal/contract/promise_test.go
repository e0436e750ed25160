package contract_test

import (
	"fmt"
	"testing"
	"time"

	"headgate/internal/contract"
)

// promised parses a contract with service levels on the columns day, at and later.
func promised(t *testing.T, entries string) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("t.yaml", []byte(`apiVersion: v3.1.0
kind: DataContract
id: t
version: 1.0.0
status: active
slaProperties: [`+entries+`]
schema:
- name: t
  properties:
  - { name: at, logicalType: timestamp }
  - { name: day, logicalType: date }
  - { name: later, logicalType: date, customProperties: [{ property: mlRole, value: label }] }
`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPeriods(t *testing.T) {
	at := time.Date(2024, 3, 31, 12, 30, 0, 0, time.UTC)
	for _, tt := range []struct{ value, want string }{
		{"90, unit: s", "2024-03-31T12:28:30Z"}, {"1.5, unit: m", "2024-03-31T12:28:30Z"}, {"36, unit: hours", "2024-03-30T00:30:00Z"},
		{"2, unit: d", "2024-03-29T12:30:00Z"}, {"0.5, unit: day", "2024-03-31T00:30:00Z"}, {"1, unit: week", "2024-03-24T12:30:00Z"},
		{"1, unit: month", "2024-02-29T12:30:00Z"}, {"13, unit: mo", "2023-02-28T12:30:00Z"}, {"3, unit: y", "2021-03-31T12:30:00Z"}, {"0.5, unit: yr", "2023-09-30T12:30:00Z"},
	} {
		c := promised(t, "{ property: latency, element: t.at, value: "+tt.value+" }")
		if got := c.Promises[0].Period.Before(at).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s before %s is %s, want %s", c.Promises[0].Period, at.Format(time.RFC3339), got, tt.want)
		}
	}
}

func TestJudgeTimes(t *testing.T) {
	c := promised(t, "{ property: latency, value: 2, unit: d, element: 't.at, t.day' }, { property: retention, value: 1, unit: y, element: t.day }, { property: freshness, value: 1, unit: d, element: t.later }")
	if got := fmt.Sprint(c.TimeColumns()); got != "[at day later]" {
		t.Errorf("the times of %s are needed", got)
	}
	asOf := time.Date(2024, 2, 3, 12, 0, 0, 0, time.FixedZone("", 3600)) // 11:00 UTC
	day := func(y, m, d, h int) time.Time { return time.Date(y, time.Month(m), d, h, 0, 0, 0, time.UTC) }
	type times = map[string]time.Time
	for _, tt := range []struct {
		name           string
		newest, oldest times
		want           string
	}{
		{"in time, to the second", times{"at": day(2024, 2, 1, 11), "day": day(2024, 2, 1, 0)}, times{"day": day(2023, 2, 3, 0)}, ""},
		{"late by a second, or by a day", times{"at": day(2024, 2, 1, 11).Add(-time.Second), "day": day(2024, 1, 31, 0)}, times{"day": day(2023, 2, 2, 0)},
			"error at.latency: no value of at is within 2 d of 2024-02-03T11:00:00Z\n" +
				"error day.latency: no value of day is within 2 d of 2024-02-03T11:00:00Z\n" +
				"error day.retention: values of day are older than 1 y before 2024-02-03T11:00:00Z"},
		{"what comes later may be late", times{"at": day(2025, 1, 1, 0), "day": day(2025, 1, 1, 0), "later": day(2024, 1, 1, 0)}, times{"day": day(2024, 1, 1, 0)},
			"error later.latency: no value of later is within 1 d of 2024-02-03T11:00:00Z"},
		{"no value is no pass", nil, nil, "error at.latency: at has no value, so its latency is not known\n" +
			"error day.latency: day has no value, so its latency is not known\nerror day.retention: day has no value, so its retention is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := say(c.JudgeTimes(tt.newest, tt.oldest, asOf)); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}
