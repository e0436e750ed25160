package main

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// sendUpdate sends an Update to a workflow and waits for what comes of it.
func sendUpdate(ctx context.Context, c client.Client, id, name string, in, out any) error {
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: name, Args: []any{in},
		WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return err
	}
	return handle.Get(ctx, out)
}

// unheard says in a sentence why an Update or a query came to nothing. who is to hear it;
// absent says what it means that no such workflow runs.
func unheard(err error, who, absent string) error {
	var missing *serviceerror.NotFound
	var refused *temporal.ApplicationError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("refused: %s", refused.Message())
	case errors.As(err, &missing):
		return errors.New(absent)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError)):
		return fmt.Errorf("%s does not answer: is a worker running?", who)
	}
	return err
}
