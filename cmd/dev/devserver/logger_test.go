package devserver

import (
	"errors"
	"testing"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

func TestFatalDoesNotEndTheProcess(t *testing.T) {
	fatal := make(chan error, 1)
	logger := log.With(&fatalLogger{Logger: log.NewNoopLogger(), fatal: fatal}, tag.NewStringTag("service", "history"))
	ended, returned := make(chan struct{}), false
	for range 2 { // the second reason finds the channel full
		go func() {
			defer func() { ended <- struct{}{} }()
			logger.Fatal("no listener", tag.Error(errors.New("address already in use")))
			returned = true
		}()
		<-ended
	}
	if returned {
		t.Error("Fatal returned to a caller that does not expect it")
	}
	if got, want := (<-fatal).Error(), "no listener: address already in use"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
