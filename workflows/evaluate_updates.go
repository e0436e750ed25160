package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"
)

// listen takes the Update that ends the waiting for labels.
func (e *evaluation) listen(ctx workflow.Context) error {
	return update(ctx, UpdateRetryNow, `Looks for labels now: {"by": "your name", "reason": "why"}.`, e.checkRetry, e.retry)
}

func (e *evaluation) checkRetry(in RetryNow) error {
	if in.Shard != nil {
		return fmt.Errorf("an evaluation has no shard %d", *in.Shard)
	}
	if err := checkPerson(in.By, in.Reason); err != nil {
		return err
	}
	if !e.asleep {
		return fmt.Errorf("it does not wait for labels now: its stage is %s", e.card.Stage)
	}
	return nil
}

func (e *evaluation) retry(ctx workflow.Context, in RetryNow) (RetryNowOutput, error) {
	e.hurried.SendAsync(nil) // whoever comes second finds it sent already
	return RetryNowOutput{Tried: []string{"look for labels of " + e.in.Batch}}, nil
}

// waits says for the list what an evaluation waits for, "" while it does not.
func (c EvaluationCard) waits() string {
	if c.Next == "" {
		return ""
	}
	return "labels of " + c.Batch
}
