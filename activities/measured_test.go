package activities_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"headgate/activities"
	"headgate/internal/retailer"
	"headgate/internal/telemetry"
)

// measured runs one attempt of ScoreShard on a worker that measures, and returns what it
// shows to Prometheus.
func measured(s *shop, in activities.ScoreShardInput) (activities.ScoreShardOutput, string) {
	s.t.Helper()
	told, err := telemetry.Start(s.t.Context(), "test", func(err error) { s.t.Error(err) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = told.Stop(context.WithoutCancel(s.t.Context())) })
	var options client.Options
	told.Apply(&options)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	suite.SetMetricsHandler(options.MetricsHandler)
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(s.act.ScoreShard)
	var out activities.ScoreShardOutput
	if value, err := env.ExecuteActivity(s.act.ScoreShard, in); err == nil {
		if err := value.Get(&out); err != nil {
			s.t.Fatal(err)
		}
	}
	answer := httptest.NewRecorder()
	told.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return out, answer.Body.String()
}

func TestAShardCountsItsRowsAndItsTime(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	plan := s.resolve()
	out, shown := measured(s, activities.ScoreShardInput{Run: plan.Run, Shard: 0})
	for _, want := range []string{
		`headgate_rows_scored_total{pipeline="retailer"} ` + strconv.FormatInt(out.Rows, 10),
		`headgate_rows_quarantined_total{pipeline="retailer"} ` + strconv.FormatInt(out.Quarantined, 10),
		`headgate_stage_duration_seconds_count{pipeline="none",stage="ScoreShard"} 1`, // the test environment has no workflow
	} {
		if out.Rows == 0 || !strings.Contains(shown, "\n"+want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

func TestAFailureIsCountedByItsKind(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	plan := s.resolve()
	_, shown := measured(s, activities.ScoreShardInput{Run: plan.Run, Shard: 99})
	want := `headgate_stage_failures_total{kind="Unknown",pipeline="none",stage="ScoreShard"} 1`
	if !strings.Contains(shown, "\n"+want+"\n") || strings.Contains(shown, "headgate_rows_scored_total{") {
		t.Errorf("no line %s, or rows were counted", want)
	}
}
