package workflows_test

import (
	"testing"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"headgate/workflows"
)

// A register remembers how long a workflow stays on the version that it began on.
type register struct {
	worker.WorkflowRegistry
	pinned, upgraded int
	functions        []any
}

func (r *register) RegisterWorkflowWithOptions(flow any, o workflow.RegisterOptions) {
	r.functions = append(r.functions, flow)
	switch o.VersioningBehavior {
	case workflow.VersioningBehaviorPinned:
		r.pinned++
	case workflow.VersioningBehaviorAutoUpgrade:
		r.upgraded++
	}
}

// A worker whose deployment has versions takes no workflow that does not say whether it
// goes on with the next one.
func TestEveryWorkflowSaysWhetherItIsUpgraded(t *testing.T) {
	var r register
	workflows.Register(&r)
	if len(r.functions) == 0 || r.upgraded != 3 || r.pinned != len(r.functions)-3 {
		t.Errorf("%d workflows, %d pinned, %d upgraded", len(r.functions), r.pinned, r.upgraded)
	}
}
