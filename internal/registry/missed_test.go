package registry

import (
	"errors"
	"testing"
	"time"
)

// calendars is what a schedule adds to the story.
func calendars() []Entry {
	return []Entry{
		{Kind: KindSchedule, ID: "schedule", At: noon, By: "test", Paper: digest("calendar")},
		missing("2024-03"),
	}
}

func missing(batch string) Entry {
	return Entry{Kind: KindMissed, ID: "missed/" + batch, At: noon, By: "test", Batch: batch, Slot: at(noon), Reason: "no file was delivered", Paper: digest("calendar")}
}

func published(batch string, n int64) Entry {
	version := n
	return Entry{Kind: KindPublished, ID: "published/" + batch, At: noon, By: "test", Batch: batch, Run: digest("run"), Publication: n, TableVersion: &version}
}

func TestAMissedBatchIsClosedByItsPublication(t *testing.T) {
	l := load(t, memory(t))
	for _, e := range calendars() {
		appendTo(t, l, e)
	}
	if s := l.State(); s.Schedule != digest("calendar") || s.Batches["2024-03"].Missed != "no file was delivered" || s.Batches["2024-03"].Publication != 0 {
		t.Errorf("schedule %s, batches %+v", s.Schedule, s.Batches)
	}
	appendTo(t, l, Entry{Kind: KindVerdict, ID: "v", At: noon, By: "test", Batch: "2024-03", Run: digest("run"), Verdict: VerdictBlock})
	if s := l.State(); s.Batches["2024-03"].Missed == "" {
		t.Error("a verdict closes it")
	}
	appendTo(t, l, published("2024-03", 1))
	if b := l.State().Batches["2024-03"]; b.Missed != "" || b.Publication != 1 || b.Seq != 4 {
		t.Errorf("%+v", b)
	}
}

func TestAPublishedBatchIsNotMissed(t *testing.T) {
	l := load(t, memory(t))
	appendTo(t, l, published("2024-03", 1))
	if _, err := l.Append(t.Context(), missing("2024-03")); !errors.Is(err, ErrNotMissed) {
		t.Errorf("%v", err)
	}
	if l.Head() != 1 {
		t.Errorf("%d entries", l.Head())
	}
}

func TestAScheduleEnds(t *testing.T) {
	l := load(t, memory(t))
	end := noon.Add(time.Hour)
	appendTo(t, l, calendars()[0])
	appendTo(t, l, Entry{Kind: KindSchedule, ID: "end", At: end, By: "test", Paper: digest("calendar"), Until: &end})
	if s := l.State(); s.Schedule != "" {
		t.Errorf("schedule %s", s.Schedule)
	}
	appendTo(t, l, Entry{Kind: KindSchedule, ID: "again", At: end, By: "test", Paper: digest("another")})
	if s := l.State(); s.Schedule != digest("another") {
		t.Errorf("schedule %s", s.Schedule)
	}
}
