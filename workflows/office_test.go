package workflows_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"headgate/internal/alert"
	"headgate/workflows"
)

// withAlerts is a pipeline whose team is told of everything.
const withAlerts = "alerts: { receivers: { team: { slack: { url: env:TEAM } } } }\n"

// An office notes which alerts are raised, and which of them are said to be over.
type office struct {
	mu    sync.Mutex
	lines []string
	open  map[string]alert.Alert // by the id of the workflow
	last  alert.Alert
}

// attach puts the office in the place of the workflow [workflows.Alert]. Signals to alerts
// that another workflow raised come here, too.
func (o *office) attach(env *testsuite.TestWorkflowEnvironment) {
	note := func(ctx workflow.Context, in workflows.AlertInput) (workflows.AlertOutput, error) {
		a, id := in.Alert, workflow.GetInfo(ctx).WorkflowExecution.ID
		o.found(id, a)
		// The test environment waits for all children.
		if ok, _ := workflow.GetSignalChannel(ctx, workflows.SignalOver).ReceiveWithTimeout(ctx, 100*24*time.Hour, nil); ok {
			o.over(id)
		}
		return workflows.AlertOutput{}, nil
	}
	env.RegisterWorkflowWithOptions(note, workflow.RegisterOptions{Name: "Alert", DisableAlreadyRegisteredCheck: true})
	env.OnSignalExternalWorkflow("default-test-namespace", anything, "", workflows.SignalOver, anything).Return(func(_, id, _, _ string, _ any) error {
		o.over(id)
		return &temporal.UnknownExternalWorkflowExecutionError{}
	})
}

// found notes that an alert was raised.
func (o *office) found(id string, a alert.Alert) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, strings.TrimSpace(string(a.Kind)+" "+a.Subject))
	o.open[id], o.last = a, a
}

// over notes that an alert is over, if it was open.
func (o *office) over(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if a, ok := o.open[id]; ok {
		delete(o.open, id)
		o.lines = append(o.lines, strings.TrimSpace("over: "+string(a.Kind)+" "+a.Subject))
	}
}

// withOffice notes the alerts of a world from now on.
func (w *world) withOffice() *office {
	w.office = &office{open: map[string]alert.Alert{}}
	return w.office
}

// forgetLabels drops what evaluations say that scoring starts and whose labels come later.
func (o *office) forgetLabels() {
	o.lines = slices.DeleteFunc(o.lines, func(line string) bool { return strings.HasPrefix(line, "labelsMissing") })
}

// mustHear fails unless the office heard these lines.
func (o *office) mustHear(t *testing.T, want ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.lines, want) {
		t.Errorf("heard\n%s\nwant\n%s", strings.Join(o.lines, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range o.lines {
		if strings.Contains(line, "sha256:") {
			t.Errorf("a whole digest is no subject: %s", line)
		}
	}
}
