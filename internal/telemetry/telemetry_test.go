package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"headgate/internal/metric"
	"headgate/internal/telemetry"
)

// start starts telemetry with nothing of OpenTelemetry in the environment but set.
func start(t *testing.T, set map[string]string) (*telemetry.Telemetry, error) {
	t.Helper()
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"} {
		t.Setenv(name, set[name])
	}
	told, err := telemetry.Start(t.Context(), "headgate-test", func(err error) { t.Log(err) })
	if err == nil {
		t.Cleanup(func() {
			if err := told.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	return told, err
}

// scrape returns what GET /metrics answers.
func scrape(told *telemetry.Telemetry) string {
	answer := httptest.NewRecorder()
	told.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body.String()
}

// handler is the metrics handler that clients and workers get.
func handler(told *telemetry.Telemetry) client.MetricsHandler {
	var o client.Options
	told.Apply(&o)
	return o.MetricsHandler
}

func wants(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

func TestFlowsAreShownWithTheirLabelsOnly(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := handler(told).WithTags(map[string]string{"namespace": "default", "activity_type": "ScoreShard"})
	h.WithTags(metric.RowsScored.Tags("churn")).Counter(metric.RowsScored.Name).Inc(1000)
	h.WithTags(metric.StageDuration.Tags("churn", "ScoreShard")).Timer(metric.StageDuration.Name).Record(2 * time.Second)
	wants(t, scrape(told), "# HELP headgate_rows_scored_total "+metric.RowsScored.Help, "# TYPE headgate_rows_scored_total counter",
		`headgate_rows_scored_total{pipeline="churn"} 1000`, "# TYPE headgate_stage_duration_seconds histogram",
		`headgate_stage_duration_seconds_bucket{pipeline="churn",stage="ScoreShard",le="1"} 0`,
		`headgate_stage_duration_seconds_bucket{pipeline="churn",stage="ScoreShard",le="2.5"} 1`)
}

func TestMetricsOfTheSDKHaveFewLabels(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := handler(told).WithTags(map[string]string{"namespace": "default", "client_name": "temporal_go", "workflow_type": "none", "activity_type": "none",
		"task_queue": "headgate", "worker_type": "none", "operation": "Poll"})
	h.Timer("temporal_request_latency").Record(time.Second)
	h.Timer("temporal_request_latency_attempt").Record(time.Second)
	text := scrape(told)
	wants(t, text, `temporal_request_latency_seconds_count{namespace="default",operation="Poll"} 1`)
	if strings.Contains(text, "latency_attempt") {
		t.Error("the attempts are shown beside the calls")
	}
}

func TestWhatIsObservedComesAndGoes(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	waits := metric.WaitingSince.At(17, "churn", metric.QuestionRelease)
	looks := [][]metric.Sample{{metric.MissedSlots.At(0, "churn"), waits}, {waits}, {metric.MissedSlots.At(0, "churn")}}
	err = told.Observe(0, func(context.Context, time.Time) ([]metric.Sample, error) {
		seen := looks[0]
		looks = looks[1:]
		if len(seen) == 1 && seen[0].Name == waits.Name {
			return seen, errors.New("the store does not answer")
		}
		return seen, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	line := `headgate_waiting_since_timestamp_seconds{pipeline="churn",question="release"} 17`
	wants(t, scrape(told), line)
	wants(t, scrape(told), line, `headgate_missed_slots_total{pipeline="churn"} 0`) // beside an error
	if text := scrape(told); strings.Contains(text, "waiting_since") {
		t.Errorf("an answered question is shown:\n%s", text)
	}
}

// A look that measures something for the first time, as a call of the Temporal SDK does, and
// one that waits for somebody who does, hold nobody up.
func TestALookMayMeasure(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, n := handler(told), 0
	err = told.Observe(0, func(context.Context, time.Time) ([]metric.Sample, error) {
		n++
		h.Counter(fmt.Sprintf("temporal_first_time_%d", n)).Inc(1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.Counter(fmt.Sprintf("temporal_first_time_elsewhere_%d", n)).Inc(1)
		}()
		<-done
		return []metric.Sample{metric.StandingTime.At(1)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	scrapes := make(chan string)
	for range 2 {
		go func() { scrapes <- scrape(told) }()
	}
	for range 2 {
		select {
		case text := <-scrapes:
			wants(t, text, "headgate_standing_timestamp_seconds 1")
		case <-time.After(20 * time.Second):
			t.Fatal("the scrape waits for a look that waits for the scrape")
		}
	}
}

func TestALookIsKeptForAWhile(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	looks := 0
	err = told.Observe(time.Hour, func(context.Context, time.Time) ([]metric.Sample, error) {
		looks++
		return []metric.Sample{metric.StandingTime.At(1)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		wants(t, scrape(told), "headgate_standing_timestamp_seconds 1")
	}
	if looks != 1 {
		t.Errorf("%d looks in three scrapes", looks)
	}
}

func TestWhereTracesGo(t *testing.T) {
	endpoint := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
	with := func(name, value string) map[string]string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint["OTEL_EXPORTER_OTLP_ENDPOINT"], name: value}
	}
	for _, test := range []struct {
		name    string
		set     map[string]string
		tracing bool
		want    string
	}{
		{name: "nowhere, unless the environment says where"},
		{name: "by HTTP, unless it says how", set: endpoint, tracing: true},
		{name: "by gRPC", set: with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), tracing: true},
		{name: "an endpoint for traces alone", set: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, tracing: true},
		{name: "nowhere, if traces are switched off", set: with("OTEL_TRACES_EXPORTER", "none")},
		{name: "nowhere, if all is switched off", set: with("OTEL_SDK_DISABLED", "true")},
		{name: "a protocol that is none", set: with("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), want: `OTEL_EXPORTER_OTLP_PROTOCOL="http/json": want grpc or http/protobuf`},
		{name: "an exporter that is none", set: with("OTEL_TRACES_EXPORTER", "zipkin"), want: `OTEL_TRACES_EXPORTER="zipkin": want otlp or none`},
	} {
		t.Run(test.name, func(t *testing.T) {
			told, err := start(t, test.set)
			switch {
			case test.want != "":
				if err == nil || err.Error() != test.want {
					t.Errorf("got %v, want %s", err, test.want)
				}
			case err != nil || told.Tracing() != test.tracing:
				t.Errorf("tracing %v, %v; want %v", err == nil && told.Tracing(), err, test.tracing)
			}
		})
	}
}

func TestLinesHaveTheNamesOfLabels(t *testing.T) {
	var out bytes.Buffer
	logger := log.With(telemetry.NewLogger(slog.NewJSONHandler(&out, nil)), "WorkflowID", "score/churn/2024-01/0123/shards/000200", "RunID", "r", "ActivityType", "ScoreShard")
	logger.Info("stage done", "Attempt", 2, "rows", 5)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"workflow_id": "score/churn/2024-01/0123/shards/000200", "run_id": "r", "stage": "ScoreShard",
		"pipeline": "churn", "batch": "2024-01", "attempt": 2.0, "rows": 5.0} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
}

// fill records a value of every metric of the list.
func fill(t *testing.T, told *telemetry.Telemetry) {
	t.Helper()
	h := handler(told)
	for _, m := range metric.Flows {
		labels := make([]string, len(m.Labels))
		if m.Kind == metric.Histogram {
			h.WithTags(m.Tags(labels...)).Timer(m.Name).Record(time.Second)
			continue
		}
		h.WithTags(m.Tags(labels...)).Counter(m.Name).Inc(1)
	}
	err := told.Observe(0, func(context.Context, time.Time) (all []metric.Sample, err error) {
		for _, m := range metric.States {
			all = append(all, m.At(1, make([]string, len(m.Labels))...))
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryMetricOfTheListIsShownWithItsKindAndMeaning(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, told)
	text := scrape(told)
	for _, m := range metric.All() {
		wants(t, text, "# HELP "+m.Name+" "+m.Help, "# TYPE "+m.Name+" "+m.Kind)
	}
}
