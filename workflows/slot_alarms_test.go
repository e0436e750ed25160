package workflows_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"headgate/internal/calendar"
	"headgate/internal/retailer"
	"headgate/internal/telemetry"
)

// A month that does not come is counted and told, once; when it is published after all,
// that is told as well.
func TestAMissedMonthIsCountedAndTold(t *testing.T) {
	told, err := telemetry.Start(t.Context(), "test", func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.Stop(context.WithoutCancel(t.Context())) })
	var options client.Options
	told.Apply(&options)
	w := configured(t, 200, withAlerts, nil, nil)
	w.metrics = options.MetricsHandler
	office := w.withOffice()
	schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" })
	if _, _, err := w.slot(schedule, due, 0, nil); err != nil {
		t.Fatal(err)
	}
	office.mustHear(t, "batchMissed 2024-02")
	answer := httptest.NewRecorder()
	told.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if want := `headgate_missed_slots_total{pipeline="retailer"} 1`; !strings.Contains(answer.Body.String(), "\n"+want+"\n") {
		t.Errorf("no line %s", want)
	}
	w.deliver("2024-02", retailer.Options{})
	if _, _, err := w.slot(schedule, due, 0, nil); err != nil {
		t.Fatal(err)
	}
	office.mustHear(t, "batchMissed 2024-02", "over: batchMissed 2024-02")
}

// A slot that breaks off watches over nothing, and people are told so until another one
// comes to its end.
func TestASlotThatBreaksOffIsTold(t *testing.T) {
	w := configured(t, 200, withAlerts, nil, nil)
	office := w.withOffice()
	schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" })
	if _, _, err := w.slot(schedule, due.AddDate(0, -1, 0), 0, nil); err == nil {
		t.Error("a slot before the first came to an end")
	}
	if again := office.last.Steps[1].Command; again != "starter schedule trigger retailer" {
		t.Errorf("it says to run %q", again)
	}
	w.deliver("2024-02", retailer.Options{})
	if _, _, err := w.slot(schedule, due, 0, nil); err != nil {
		t.Fatal(err)
	}
	office.mustHear(t, "runFailed schedule", "over: runFailed schedule")
}
