package workflows_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"headgate/internal/telemetry"
	"headgate/workflows"
)

func TestAMissedSlotIsCounted(t *testing.T) {
	told, err := telemetry.Start(t.Context(), "test", func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = told.Stop(context.WithoutCancel(t.Context())) })
	var options client.Options
	told.Apply(&options)
	var suite testsuite.WorkflowTestSuite
	suite.SetMetricsHandler(options.MetricsHandler)
	env := suite.NewTestWorkflowEnvironment()
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		workflows.MissedSlot(ctx, "churn")
		return nil
	})
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	told.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if want := `headgate_missed_slots_total{pipeline="churn"} 1`; !strings.Contains(answer.Body.String(), "\n"+want+"\n") {
		t.Errorf("no line %s", want)
	}
}
