package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/contract"
	"headgate/internal/pipeline"
)

const scheduled = "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nschedule: { %s }\n"

func scheduledBy(t *testing.T, settings string) *pipeline.Config {
	t.Helper()
	return parse(t, strings.Replace(scheduled, "%s", settings, 1))
}

func promising(t *testing.T, latencies ...string) *contract.Contract {
	t.Helper()
	text := "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n- name: t\n  properties:\n  - { name: id, primaryKey: true }\n" +
		"  - { name: at, logicalType: timestamp }\n"
	for i, l := range latencies {
		if i == 0 {
			text += "slaProperties:\n"
		}
		text += "- { property: latency, element: t.at, id: l" + string(rune('a'+i)) + ", " + l + " }\n"
	}
	k, err := contract.Parse("c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCalendarOfASchedule(t *testing.T) {
	now := time.Date(2026, 5, 3, 7, 0, 0, 500, time.UTC)
	h := int64(3600)
	for _, tt := range []struct {
		name, settings        string
		latencies             []string
		wait, publish, poll   int64
		first                 string
		before                *calendar.Calendar
		err                   string
		everySeconds, fromSec int64
	}{
		{name: "a day for the data, and one more", settings: "day: 3", wait: 24 * h, publish: 48 * h, poll: 346, first: "2026-05"},
		{name: "the contract's longest latency", settings: "day: 3", latencies: []string{"value: 2, unit: d", "value: 30, unit: h"}, wait: 48 * h, publish: 72 * h, poll: 519, first: "2026-05"},
		{name: "a latency of a month", settings: "day: 3", latencies: []string{"value: 1, unit: mo"}, wait: 31 * 24 * h, publish: 32 * 24 * h, poll: 5530, first: "2026-05"},
		{name: "the file's own", settings: "day: 3, wait: 1h, publish: 3h, poll: 1m, first: 2024-02", latencies: []string{"value: 2, unit: d"}, wait: h, publish: 3 * h, poll: 60, first: "2024-02"},
		{name: "no time to publish", settings: "day: 3, publish: 1h", err: "schedule.publish is 1h, and data may come until 1d after the slot"},
		{name: "too many looks for the contract", settings: "day: 3, poll: 1s", err: "more than 1000 times"},
		{name: "it goes on where the one before it began", settings: "day: 3", before: &calendar.Calendar{Kind: calendar.Month, First: "2025-01"}, wait: 24 * h, publish: 48 * h, poll: 346, first: "2025-01"},
		{name: "one of days does not", settings: "day: 3", before: &calendar.Calendar{Kind: calendar.Day, First: "2025-01-01"}, wait: 24 * h, publish: 48 * h, poll: 346, first: "2026-05"},
		{name: "a rehearsal begins after one step", settings: "every: 10s, first: 2024-01", wait: 24 * h, publish: 48 * h, poll: 346, first: "2024-01", everySeconds: 10, fromSec: now.Unix() + 10},
		{name: "and goes on", settings: "every: 10s, first: 2024-01", before: &calendar.Calendar{Kind: calendar.Month, First: "2024-01", EverySeconds: 10, From: time.Unix(7, 0)},
			wait: 24 * h, publish: 48 * h, poll: 346, first: "2024-01", everySeconds: 10, fromSec: 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cal, err := scheduledBy(t, tt.settings).Calendar(promising(t, tt.latencies...), []string{"2026-12-25"}, tt.before, now)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cal.WaitSeconds != tt.wait || cal.PublishSeconds != tt.publish || cal.PollSeconds != tt.poll || cal.First != tt.first || cal.EverySeconds != tt.everySeconds {
				t.Errorf("%+v", cal)
			}
			if tt.everySeconds > 0 && cal.From.Unix() != tt.fromSec {
				t.Errorf("from %s", cal.From)
			}
		})
	}
}

func TestNoSchedule(t *testing.T) {
	c := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\n")
	if _, err := c.Calendar(promising(t), nil, nil, time.Now()); err == nil || !strings.Contains(err.Error(), "pipeline p has no schedule") {
		t.Error(err)
	}
}
