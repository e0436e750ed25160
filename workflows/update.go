package workflows

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.temporal.io/sdk/workflow"
)

// The longest by and reason of a person, in bytes.
const (
	maxBy     = 200
	maxReason = 2000
)

// A Word is what a person says to a workflow by an Update whose name says the rest: that a
// release is held or resumed, that an alert is acknowledged or resolved.
type Word struct {
	By     string `json:"by"` // as claimed: the Web UI does not say who it is
	Reason string `json:"reason"`
}

// update adds a handler. check refuses, without a trace in the history, what has not the
// right shape; whether it is right, the registry says.
func update[In, Out any](ctx workflow.Context, name, description string, check func(In) error, handle func(workflow.Context, In) (Out, error)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name, handle, workflow.UpdateHandlerOptions{
		Validator: check, Description: description, UnfinishedPolicy: workflow.HandlerUnfinishedPolicyWarnAndAbandon})
}

func checkWord(w Word) error { return checkPerson(w.By, w.Reason) }

// checkPerson wants to know who asks, and why.
func checkPerson(by, reason string) error {
	switch {
	case strings.TrimSpace(by) == "":
		return errors.New("it needs by: the name of who says so")
	case !oneLine(by, maxBy):
		return fmt.Errorf("by must be one line of at most %d bytes", maxBy)
	case strings.TrimSpace(reason) == "":
		return errors.New("it needs a reason")
	case !oneLine(reason, maxReason):
		return fmt.Errorf("the reason must be one line of at most %d bytes", maxReason)
	}
	return nil
}

// oneLine reports whether a text is whole and short enough for a registry entry and a
// line of the scorecard.
func oneLine(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// updateID names an Update among all of a pipeline, for the entry that it makes.
func updateID(ctx workflow.Context) string {
	return operation(ctx) + "/" + workflow.GetCurrentUpdateInfo(ctx).ID
}
