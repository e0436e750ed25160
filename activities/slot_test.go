package activities_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/calendar"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
)

// monthly expects months from a first one on, on the third of the next.
func (s *shop) monthly(first string) store.Digest {
	s.t.Helper()
	c := calendar.Calendar{Format: calendar.Format, Pipeline: "retailer", Kind: calendar.Month, Zone: "Europe/Berlin", Day: 3, At: "06:30",
		For: calendar.Previous, First: first, WaitSeconds: 3600, PublishSeconds: 7200, PollSeconds: 60}
	d, err := run.SaveBlob(s.t.Context(), s.bucket, c)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

var due = time.Date(2024, 2, 3, 5, 30, 0, 0, time.UTC) // of January 2024

// append enters something in the registry.
func (s *shop) append(e registry.Entry) {
	s.t.Helper()
	log, err := registry.Load(s.t.Context(), s.bucket, "retailer")
	if err == nil {
		_, err = log.Append(s.t.Context(), e)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// inForce makes a text the pipeline file in force.
func (s *shop) inForce(text string) {
	s.t.Helper()
	ref, err := s.bucket.PutBlob(s.t.Context(), []byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	log, err := registry.Load(s.t.Context(), s.bucket, "retailer")
	if err != nil {
		s.t.Fatal(err)
	}
	s.append(registry.Entry{Kind: registry.KindPipeline, ID: string(ref.Digest), At: due, By: "test", Reason: "test", Pipeline: ref.Digest, Contract: log.State().Contract})
}

// published publishes the month as it is delivered, in one shard.
func (s *shop) published() activities.PublishOutput {
	s.t.Helper()
	in := s.assembled()
	in.Operation, in.At, in.By = "score/retailer/"+month+"/run", due, "test"
	return must(s, s.act.Publish, in)
}

func TestPlanSlot(t *testing.T) {
	s := newShop(t, false)
	for _, tt := range []struct {
		name  string
		at    time.Time
		until time.Time
		batch string
		left  int
	}{
		{"on time", due, due, month, 0},
		{"three weeks late", due.AddDate(0, 0, 21), due.AddDate(1, 0, 0), month, 12},
		{"at the next one", due.AddDate(0, 1, 0), due, "2024-02", 0},
	} {
		out := must(s, s.act.PlanSlot, activities.PlanSlotInput{Pipeline: "retailer", Schedule: s.monthly("2023-01"), At: tt.at, Until: tt.until})
		if out.Batch != tt.batch || out.Left != tt.left || out.Poll != time.Minute {
			t.Errorf("%s: %+v", tt.name, out)
		}
	}
}

func TestLookSlot(t *testing.T) {
	s := newShop(t, true)
	look := func(at time.Time) activities.LookSlotOutput {
		return must(s, s.act.LookSlot, activities.LookSlotInput{Pipeline: "retailer", Schedule: s.monthly("2023-11"), Batch: month, At: at})
	}
	empty := look(due)
	if empty.Data != "" || empty.Files != 0 || len(empty.Earlier) != 2 || empty.Earlier[0].Batch != "2023-11" {
		t.Errorf("before the delivery: %+v", empty)
	}
	s.deliver(retailer.Options{})
	first, again := look(due), look(due.Add(time.Minute))
	if first.Files != 1 || first.Data == "" || !reflect.DeepEqual(first, again) {
		t.Errorf("%+v, and then %+v", first, again)
	}
	s.deliver(retailer.Options{Fault: retailer.BadRows})
	if other := look(due); other.Data == first.Data || other.Files != 1 {
		t.Errorf("after another delivery: %+v", other)
	}
	s.deliver(retailer.Options{})
	s.published()
	if out := look(due); out.Publication != 1 {
		t.Errorf("published: %+v", out)
	}
}

// However long nobody was there, a look stays small.
func TestLookSlotAfterManyYears(t *testing.T) {
	s := newShop(t, true)
	due := time.Date(2024, 2, 3, 5, 30, 0, 0, time.UTC)
	out := must(s, s.act.LookSlot, activities.LookSlotInput{Pipeline: "retailer", Schedule: s.monthly("2014-01"), Batch: month, At: due})
	if len(out.Earlier) != 50 || !out.More || out.Earlier[0].Batch != "2014-01" {
		t.Errorf("%d, more %v", len(out.Earlier), out.More)
	}
}

// A batch is named once, whoever tries again, and not if it is published.
func TestNameMissed(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	published := s.published()
	in := activities.NameMissedInput{Pipeline: "retailer", Schedule: s.monthly("2023-11"), Operation: "slot/retailer-1/run", At: due.Add(2 * time.Hour),
		Missing: []activities.Missing{{Batch: "2023-11", Due: due.AddDate(0, -2, 0), Reason: "no data"}, {Batch: month, Due: due, Reason: "nobody looked"}}}
	first := must(s, s.act.NameMissed, in)
	if len(first.Missed) != 1 || first.Missed[0].Batch != "2023-11" || first.Anchor == published.Anchor {
		t.Errorf("%+v", first)
	}
	if again := must(s, s.act.NameMissed, in); !reflect.DeepEqual(again, first) {
		t.Errorf("once more: %+v", again)
	}
	in.Operation = "slot/retailer-2/run"
	if other := must(s, s.act.NameMissed, in); len(other.Missed) != 0 || other.Anchor != first.Anchor {
		t.Errorf("by another slot: %+v", other)
	}
	e := s.entries()[len(s.entries())-1]
	if e.Kind != registry.KindMissed || e.Batch != "2023-11" || !e.Slot.Equal(due.AddDate(0, -2, 0)) || e.Cause != "slot/retailer-1/run" {
		t.Errorf("%+v", e)
	}
}

// Whoever is told of several at once is told of all that are missing, by ranges.
func TestNameMissedSeveral(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	s.published()
	text, err := os.ReadFile("../testdata/retailer/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.inForce(string(text) + "alerts: { receivers: { team: { slack: { url: env:TEAM } } } }\n")
	in := activities.NameMissedInput{Pipeline: "retailer", Schedule: s.monthly("2023-10"), Operation: "slot/1", At: due.AddDate(0, 2, 0), Several: true}
	for _, batch := range []string{"2023-10", "2023-11", "2023-12", month, "2024-02"} {
		in.Missing = append(in.Missing, activities.Missing{Batch: batch, Due: due, Reason: "no data"})
	}
	out := must(s, s.act.NameMissed, in)
	if len(out.Missed) != 4 || len(out.All) != 2 || out.All[0].String() != "2023-10 to 2023-12" || out.All[1].String() != "2024-02" {
		t.Errorf("%+v", out)
	}
	in.Several = false
	if again := must(s, s.act.NameMissed, in); len(again.All) != 0 {
		t.Errorf("each by itself: %+v", again)
	}
}

// A publication says when it was the last one that was missing. That the calendar cannot be
// read is no reason for it to fail.
func TestPublishCatchesUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		missing []string
		lost    bool // the calendar
		want    bool
	}{
		{name: "nothing was missing"},
		{name: "it was the only one", missing: []string{month}, want: true},
		{name: "another one is missing", missing: []string{"2023-12", month}},
		{name: "what the schedule in force does not expect", missing: []string{"2022-12", month}, want: true},
		{name: "nobody knows what is expected", missing: []string{month}, lost: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, true)
			schedule := s.monthly("2023-11")
			s.append(registry.Entry{Kind: registry.KindSchedule, ID: "schedule", At: due, By: "test", Reason: "test", Paper: schedule})
			for _, batch := range tt.missing {
				s.append(registry.Entry{Kind: registry.KindMissed, ID: "missed/" + batch, At: due, By: "schedule", Batch: batch, Slot: &due, Paper: schedule, Reason: "no data"})
			}
			if tt.lost {
				if err := s.bucket.Delete(t.Context(), store.BlobKey(schedule)); err != nil {
					t.Fatal(err)
				}
			}
			s.deliver(retailer.Options{})
			if out := s.published(); out.Publication != 1 || out.CaughtUp != tt.want {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A dry run knows what a batch would cost by the one before it.
func TestTryBatchMeasures(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	try := func() *activities.DryRun {
		log, err := registry.Load(t.Context(), s.bucket, "retailer")
		if err != nil {
			t.Fatal(err)
		}
		out, err := activities.TryBatch(t.Context(), s.bucket, formats, log, month, func(activities.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := try()
	if before.Rows != 600 || before.Shards != 1 || before.Verdict != run.Pass || before.Publication != 1 || before.Estimate.Rate != activities.DefaultRate ||
		!strings.HasPrefix(before.Estimate.Source, "no past run of this pipeline") || len(before.Missing) != 0 {
		t.Errorf("%+v %+v", before, before.Estimate)
	}
	s.published()
	after := try()
	if after.Publication != 2 || after.Estimate.Source != "measured on "+month || after.Estimate.Wall <= 0 {
		t.Errorf("%+v %+v", after, after.Estimate)
	}
	s.deliver(retailer.Options{Fault: retailer.MissingColumn})
	if blocked := try(); blocked.Verdict != run.Block || len(blocked.Reasons) == 0 {
		t.Errorf("%+v", blocked)
	}
}
