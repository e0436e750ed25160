package workflows_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"headgate/internal/calendar"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/telemetry"
	"headgate/workflows"
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

// A schedule that begins in the past, or a server that was down for long, is one trouble:
// people are told of all months that are missing at once, and that it is over when the last
// one is published.
func TestMonthsThatAreMissingAreToldAtOnce(t *testing.T) {
	w := configured(t, 200, withAlerts, nil, nil)
	office := w.withOffice()
	w.deliver("2024-02", retailer.Options{})
	w.deliver("2023-12", retailer.Options{})
	w.mustScore("2023-12")
	schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2023-10" })
	if _, err := w.registry().Append(t.Context(), registry.Entry{Kind: registry.KindSchedule, ID: "schedule/test", At: due, By: "test", Paper: schedule, Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	out, _, err := w.slot(schedule, due, 0, nil)
	if err != nil || out.Outcome != workflows.SlotPublished || len(out.Missed) != 3 {
		t.Fatalf("%+v, %v", out, err)
	}
	office.forgetLabels()
	office.mustHear(t, "batchMissed schedule")
	told := office.last
	if told.Title != "retailer 2023-10 to 2024-01: 3 batches are missing" || len(told.Reasons) != 2 ||
		!strings.HasPrefix(told.Reasons[0], "2023-10 to 2023-11: it was never scored") || !strings.HasPrefix(told.Reasons[1], "2024-01: it was never scored") {
		t.Errorf("%s %q", told.Title, told.Reasons)
	}
	for _, month := range []string{"2023-10", "2024-01"} {
		w.deliver(month, retailer.Options{})
		w.mustScore(month)
	}
	office.forgetLabels()
	office.mustHear(t, "batchMissed schedule")
	w.deliver("2023-11", retailer.Options{})
	w.mustScore("2023-11")
	office.forgetLabels()
	office.mustHear(t, "batchMissed schedule", "over: batchMissed schedule")
}

// What takes a slot several looks to name is told once, too; so is what it has named when
// somebody cancels it.
func TestManyYearsThatAreMissingAreToldOnce(t *testing.T) {
	for name, calls := range map[string]map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		"to its end":              nil,
		"cancelled between looks": {72*time.Hour + 30*time.Minute: func(env *testsuite.TestWorkflowEnvironment) { env.CancelWorkflow() }},
	} {
		t.Run(name, func(t *testing.T) {
			w := configured(t, 200, withAlerts, nil, nil)
			office := w.withOffice()
			w.deliver("2024-02", retailer.Options{})
			out, _, err := w.slot(w.monthly(func(c *calendar.Calendar) { c.First = "2018-01" }), due, 0, calls)
			want := "retailer 2018-01 to 2024-01: 73 batches are missing"
			if calls != nil {
				want = "retailer 2018-01 to 2022-02: 50 batches are missing"
			} else if err != nil || len(out.Missed) != 73 {
				t.Errorf("%v, named %d", err, len(out.Missed))
			}
			office.forgetLabels()
			office.mustHear(t, "batchMissed schedule")
			if office.last.Title != want {
				t.Errorf("told %s", office.last.Title)
			}
		})
	}
}

// One month that nobody has named is told as one that its own slot names, so that its
// publication ends it.
func TestOneEarlierMonthIsToldByItself(t *testing.T) {
	w := configured(t, 200, withAlerts, nil, nil)
	office := w.withOffice()
	w.deliver("2024-02", retailer.Options{})
	if _, _, err := w.slot(w.monthly(asIs), due, 0, nil); err != nil {
		t.Fatal(err)
	}
	office.forgetLabels()
	office.mustHear(t, "batchMissed 2024-01")
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
