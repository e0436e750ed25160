package activities

import (
	"errors"
	"fmt"
	"testing"

	"go.temporal.io/sdk/temporal"
)

func TestFailureKind(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{name: "no retry can cure it", err: classify(fail(KindCorrupt, "damaged")), want: KindCorrupt},
		{name: "it may pass", err: errors.New("no answer"), want: FailureRetried},
		{name: "the worker stops", err: temporal.NewApplicationError("stops", KindWorkerStopped), want: FailureRetried},
		{name: "no type", err: fmt.Errorf("wrapped: %w", temporal.NewApplicationError("x", "")), want: FailureRetried},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := failureKind(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
