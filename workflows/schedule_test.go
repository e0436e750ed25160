package workflows

import (
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"headgate/internal/calendar"
	"headgate/internal/store"
)

func request(change func(r *ScheduleRequest)) *ScheduleRequest {
	r := &ScheduleRequest{
		Calendar: &calendar.Calendar{Format: calendar.Format, Pipeline: "retailer", Kind: calendar.Month, Zone: "Europe/Berlin", Day: calendar.LastDay, At: "06:30",
			For: calendar.Current, First: "2020-01", WaitSeconds: 3600, PublishSeconds: 7200, PollSeconds: 60},
		Digest: store.DigestOf([]byte("calendar")), Jitter: time.Minute, CatchUp: time.Hour, Overlap: calendar.OverlapAllow, By: "ann",
		Now: time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC)}
	change(r)
	return r
}

// The scheduler knows five years of months to come, and as many that can be backfilled.
func TestSlotsThatTheSchedulerKnows(t *testing.T) {
	for _, tt := range []struct {
		name        string
		change      func(r *ScheduleRequest)
		past, ahead int
		last        string
	}{
		{"months", func(*ScheduleRequest) {}, 60, 60, "2031-02-28T05:30:00Z"},
		{"months from this year on", func(r *ScheduleRequest) { r.Calendar.First = "2026-01" }, 2, 60, "2031-02-28T05:30:00Z"},
		{"months with an end", func(r *ScheduleRequest) { r.Calendar.Last = "2026-12" }, 60, 10, "2026-12-31T05:30:00Z"},
		{"days", func(r *ScheduleRequest) {
			c := r.Calendar
			c.Kind, c.Day, c.Days, c.First = calendar.Day, 0, calendar.AllDays, "2020-01-01"
		}, 100, 400, "2027-04-18T04:30:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.change)
			if err := r.Calendar.Check(); err != nil {
				t.Fatal(err)
			}
			slots := r.known()
			spec := r.spec(slots)
			all := Moments(&spec)
			ahead := len(after(slices.Clone(all), r.Now))
			if len(all)-ahead != tt.past || ahead != tt.ahead || all[len(all)-1].Format(time.RFC3339) != tt.last {
				t.Errorf("%d past and %d to come, the last %s; want %d, %d, %s", len(all)-ahead, ahead, all[len(all)-1], tt.past, tt.ahead, tt.last)
			}
			for i, s := range slots {
				if !all[i].Equal(s.Due) || spec.Calendars[i].Comment != s.Batch {
					t.Fatalf("entry %d is %s, of %s; want %s, of %s", i, all[i], spec.Calendars[i].Comment, s.Due, s.Batch)
				}
			}
		})
	}
}

func TestChangesOfASchedule(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *ScheduleRequest)
		want   []string
	}{
		{"nothing", func(*ScheduleRequest) {}, nil},
		{"another author", func(r *ScheduleRequest) { r.By = "bob" }, nil},
		{"a past slot was forgotten", func(r *ScheduleRequest) { r.Calendar.First = "2025-01" }, nil},
		{"times and overlap", func(r *ScheduleRequest) { r.Jitter, r.CatchUp, r.Overlap = 0, 2*time.Hour, calendar.OverlapBuffer },
			[]string{"jitter: 0s instead of 1m0s", "catchUp: 2h0m0s instead of 1h0m0s", "overlap: buffer instead of allow"}},
		{"the queue", func(r *ScheduleRequest) { r.Queue = "night" }, []string{"task queue: night instead of headgate"}},
		{"another calendar", func(r *ScheduleRequest) { r.Digest, r.Calendar.At = store.DigestOf([]byte("another")), "07:30" },
			[]string{ChangedCalendar, "the times of 60 slots to come"}},
		{"a month later there is one more", func(r *ScheduleRequest) { r.Now = r.Now.AddDate(0, 1, 0) }, []string{"60 slots to come instead of 59"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			have := request(func(*ScheduleRequest) {})
			r := request(tt.change)
			if got := r.changes(described(t, have), r.known()); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// described is what the server says of a schedule: inputs are payloads then.
func described(t *testing.T, r *ScheduleRequest) *client.ScheduleDescription {
	t.Helper()
	slots := r.known()
	spec, policy, action := r.spec(slots), r.policy(), r.action(slots[len(slots)-1].Due)
	payload, err := converter.GetDefaultDataConverter().ToPayload(action.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	action.Args = []any{payload}
	return &client.ScheduleDescription{Schedule: client.Schedule{Action: action, Spec: &spec, Policy: &policy, State: &client.ScheduleState{}}}
}
