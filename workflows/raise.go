package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/internal/alert"
)

// raise tells people of an alert, by a workflow that goes on by itself. If one about the
// same trouble runs, it learns that the trouble was found again. Whoever raises an alert
// is not cancelled and does not fail because of it.
//
// It adds to the history, so it needs a pipeline with alerts: old histories have none.
func raise(ctx workflow.Context, a alert.Alert) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	info := workflow.GetInfo(ctx)
	a.At = workflow.Now(ctx).UTC()
	a.Workflow = alert.Execution{Namespace: info.Namespace, ID: info.WorkflowExecution.ID, Run: info.WorkflowExecution.RunID}
	a = a.Fit()
	id := AlertID(a.Pipeline, a.Fingerprint())
	// The one that runs may end before it hears the signal: then the next one starts.
	for range 2 {
		err := tryAlone(ctx, id, a.Title, plain(a.Text), Alert, AlertInput{Alert: a})
		if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			err = workflow.SignalExternalWorkflow(ctx, id, "", SignalFound, a).Get(ctx, nil)
		}
		if err == nil {
			return
		}
		workflow.GetLogger(ctx).Error("an alert was not raised", "alert", id, "title", a.Title, "error", err)
	}
}

// resolve says that trouble of some kinds about a subject is over. Whether anybody was
// told of it does not matter.
func resolve(ctx workflow.Context, why, pipeline, subject string, kinds ...alert.Kind) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	word := alert.Word{By: workflow.GetInfo(ctx).WorkflowExecution.ID, Reason: why}
	for _, kind := range kinds {
		id := AlertID(pipeline, alert.Fingerprint(kind, pipeline, subject))
		if err := workflow.SignalExternalWorkflow(ctx, id, "", SignalOver, word).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Debug("no alert was open", "alert", id, "error", err)
		}
	}
}
