package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headgate/internal/alert"
)

// play lets an alert take its course for a time, and returns who was told what and when.
// happens has what happens on the way.
func play(kind alert.Kind, p alert.Plan, happens map[time.Duration]func(*alert.State, time.Time), long time.Duration) string {
	a, _ := alert.Sample(kind, "retailer", found)
	s := alert.State{Alert: a, Since: found, Count: 1}
	var lines []string
	say := func(after time.Duration, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("%s ", after)+fmt.Sprintf(format, args...))
	}
	const tick = time.Minute
	for after := time.Duration(0); after <= long; after += tick {
		now := found.Add(after)
		if do := happens[after]; do != nil {
			do(&s, now)
		}
		for {
			m := s.Next(p, now)
			if m.Event == "" && !m.Wait {
				say(after, "ends")
				return strings.Join(lines, "\n")
			}
			if m.Wait {
				break
			}
			n := s.Make(m, "base", now)
			say(after, "%s %s %s", n.ID, n.Event, strings.Join(m.To, " "))
		}
	}
	say(long, "goes on")
	return strings.Join(lines, "\n")
}

func acknowledge(s *alert.State, now time.Time) {
	s.Acknowledged = &alert.Word{By: "ann", Reason: "on it", At: now}
}

func over(s *alert.State, now time.Time) {
	s.Resolved = &alert.Word{By: "score/retailer/2024-03", Reason: "the batch is published", At: now}
}

func again(s *alert.State, now time.Time) {
	a := s.Alert
	a.At = now
	s.Find(a)
}

func lost(names ...string) func(*alert.State, time.Time) {
	return func(s *alert.State, now time.Time) {
		for _, name := range names {
			s.Deliver(alert.Delivery{Receiver: name, ID: "base-1", At: now, State: alert.Failed})
		}
	}
}

func TestCourse(t *testing.T) {
	const h, m = time.Hour, time.Minute
	simple := alert.Plan{Levels: []alert.Level{{To: []string{"team"}}}, Quiet: h}
	chain := alert.Plan{Levels: []alert.Level{{To: []string{"team"}}, {After: 30 * m, To: []string{"duty"}}, {After: 2 * h, To: []string{"boss"}}}, Quiet: h, Repeat: 24 * h}
	prom := alert.Plan{Levels: []alert.Level{{To: []string{"team", "prom"}}}, Quiet: h, Forgets: []string{"prom"}}
	type events = map[time.Duration]func(*alert.State, time.Time)
	for _, tt := range []struct {
		name    string
		kind    alert.Kind
		plan    alert.Plan
		happens events
		long    time.Duration
		want    string
	}{
		{name: "nobody is told", kind: alert.BatchBlocked, long: h, want: "0s ends"},
		{name: "told once, and over after the quiet time", kind: alert.BatchBlocked, plan: simple, happens: events{2 * h: over}, long: 9 * h,
			want: "0s base-1 firing team\n2h0m0s base-2 resolved team\n2h0m0s ends"},
		{name: "found again within the quiet time, told when that is over", kind: alert.BatchBlocked, plan: simple, happens: events{10 * m: again, 20 * m: again, 2 * h: over}, long: 9 * h,
			want: "0s base-1 firing team\n1h0m0s base-2 firing team\n2h0m0s base-3 resolved team\n2h0m0s ends"},
		{name: "over and found again: told once only", kind: alert.BatchBlocked, plan: simple, happens: events{10 * m: over, 20 * m: again, 30 * m: over}, long: 9 * h,
			want: "0s base-1 firing team\n10m0s base-2 resolved team\n1h0m0s ends"},
		{name: "over and found again, and it lasts", kind: alert.BatchBlocked, plan: simple, happens: events{10 * m: over, 20 * m: again}, long: 3 * h,
			want: "0s base-1 firing team\n10m0s base-2 resolved team\n1h0m0s base-3 firing team\n3h0m0s goes on"},
		{name: "nobody acknowledges", kind: alert.BatchBlocked, plan: chain, long: 27 * h,
			want: "0s base-1 firing team\n30m0s base-2 escalated duty\n2h30m0s base-3 escalated boss\n26h30m0s base-4 reminder team duty boss\n27h0m0s goes on"},
		{name: "somebody acknowledges", kind: alert.BatchBlocked, plan: chain, happens: events{40 * m: acknowledge, 50 * h: over}, long: 60 * h,
			want: "0s base-1 firing team\n30m0s base-2 escalated duty\n40m0s base-3 acknowledged team duty\n50h0m0s base-4 resolved team duty\n50h0m0s ends"},
		{name: "found again after somebody has acknowledged", kind: alert.BatchBlocked, plan: chain, happens: events{10 * m: acknowledge, 5 * h: again}, long: 30 * h,
			want: "0s base-1 firing team\n10m0s base-2 acknowledged team\n30h0m0s goes on"},
		{name: "what has merely happened ends when it is seen", kind: alert.RolledBack, plan: chain, happens: events{10 * m: acknowledge}, long: 9 * h,
			want: "0s base-1 firing team\n10m0s base-2 acknowledged team\n10m0s ends"},
		{name: "the first ones cannot be reached", kind: alert.BatchBlocked, plan: chain, happens: events{2 * m: lost("team"), 3 * m: lost("team", "duty"), 4 * m: acknowledge}, long: h,
			want: "0s base-1 firing team\n2m0s base-2 escalated duty\n3m0s base-3 escalated boss\n4m0s base-4 acknowledged team duty boss\n1h0m0s goes on"},
		{name: "a receiver that forgets is told that it lasts", kind: alert.BatchBlocked, plan: prom, happens: events{h: acknowledge, 9 * h: over}, long: 20 * h,
			want: "0s base-1 firing team prom\n1h0m0s base-2 acknowledged team\n4h0m0s base-3 refresh prom\n8h0m0s base-4 refresh prom\n9h0m0s base-5 resolved team prom\n9h0m0s ends"},
		{name: "over before anybody was told", kind: alert.BatchBlocked, plan: chain, happens: events{0: over}, long: h, want: "0s ends"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(tt.kind, tt.plan, tt.happens, tt.long); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Whoever was told by an earlier plan hears the end, and nothing else; a plan that tells
// nobody any more lets an alert go on that somebody was told of.
func TestThePlanChanges(t *testing.T) {
	a, _ := alert.Sample(alert.BatchBlocked, "retailer", found)
	later := found.Add(48 * time.Hour)
	is := alert.Plan{Levels: []alert.Level{{To: []string{"crew"}}, {After: time.Hour, To: []string{"duty"}}}, Repeat: 24 * time.Hour, Forgets: []string{"prom"}, Follows: true}
	for _, tt := range []struct {
		name   string
		plan   alert.Plan
		change func(s *alert.State)
		want   string
	}{
		{"the next ones are told", is, func(*alert.State) {}, "escalated duty"},
		{"those of now are reminded", is, func(s *alert.State) { s.Level = 1 }, "reminder crew duty"},
		{"who was told hears that somebody takes care, but not who forgets", is, func(s *alert.State) { acknowledge(s, later) }, "acknowledged crew team"},
		{"and that it is over", is, func(s *alert.State) { over(s, later) }, "resolved crew team prom"},
		{"nobody is told any more", alert.Plan{Follows: true}, func(*alert.State) {}, "waits"},
		{"and the end is told all the same", alert.Plan{Follows: true}, func(s *alert.State) { over(s, later) }, "resolved team prom"},
		{"a plan that does not change", alert.Plan{Levels: is.Levels}, func(s *alert.State) { over(s, later) }, "resolved crew"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := alert.State{Alert: a, Since: found, Count: 1, Told: found, LevelAt: found, Refreshed: later, Firing: true,
				Deliveries: []alert.Delivery{{Receiver: "team", State: alert.Arrived}, {Receiver: "prom", State: alert.Failed}}}
			tt.change(&s)
			m := s.Next(tt.plan, later)
			got := strings.Join(append([]string{string(m.Event)}, m.To...), " ")
			if m.Wait {
				got = "waits"
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// What is known of an earlier notice does not take the place of a later one.
func TestTheLastNoticeCounts(t *testing.T) {
	var s alert.State
	s.Deliver(alert.Delivery{Receiver: "team", ID: "base-1", State: alert.Sending})
	s.Deliver(alert.Delivery{Receiver: "team", ID: "base-2", State: alert.Sending})
	s.Deliver(alert.Delivery{Receiver: "team", ID: "base-1", State: alert.Failed})
	if len(s.Deliveries) != 1 || s.Deliveries[0].ID != "base-2" || s.Deliveries[0].State != alert.Sending {
		t.Errorf("%+v", s.Deliveries)
	}
	s.Deliver(alert.Delivery{Receiver: "team", ID: "base-2", State: alert.Arrived})
	if s.Deliveries[0].State != alert.Arrived {
		t.Errorf("%+v", s.Deliveries)
	}
}
