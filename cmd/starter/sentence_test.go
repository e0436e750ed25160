package main

import (
	"errors"
	"fmt"
	"testing"

	"go.temporal.io/api/serviceerror"
)

func TestUnreachable(t *testing.T) {
	for _, tt := range []struct{ name, err, want string }{
		{"nobody listens", `failed reaching server: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`, "connection refused"},
		{"a name without an address", "failed reaching server: no children to pick from", "the name has no address"},
		{"another protocol", `failed reaching server: connection error: desc = "error reading server preface: http2: frame too large"`, "error reading server preface: http2: frame too large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := "temporal does not answer at host:7233 (" + tt.want + "); set TEMPORAL_ADDRESS"
			if got := unreachable("host:7233", errors.New(tt.err)).Error(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestWithNamespace(t *testing.T) {
	err := withNamespace(fmt.Errorf("list schedules: %w", serviceerror.NewNamespaceNotFound("nope")))
	if want := "list schedules: Namespace nope is not found; set TEMPORAL_NAMESPACE to one that the server has"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if other := errors.New("other"); withNamespace(other) != other || withNamespace(nil) != nil {
		t.Error("another error is not left as it is")
	}
}
