package devserver

import (
	"errors"
	"fmt"
	"runtime"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// A fatalLogger keeps the server from ending the process. Where the server finds
// that it cannot go on, it logs at level fatal and expects not to return; the
// logger sends the reason to a channel and ends the calling goroutine instead.
type fatalLogger struct {
	log.Logger
	fatal chan<- error
}

// With keeps the promise for loggers that are derived from this one.
func (l *fatalLogger) With(tags ...tag.Tag) log.Logger {
	return &fatalLogger{Logger: log.With(l.Logger, tags...), fatal: l.fatal}
}

// Fatal logs, delivers the first reason, and does not return.
func (l *fatalLogger) Fatal(msg string, tags ...tag.Tag) {
	l.Error(msg, tags...)
	err := errors.New(msg)
	for _, t := range tags {
		if t.Key() == "error" {
			err = fmt.Errorf("%s: %v", msg, t.Value())
		}
	}
	select {
	case l.fatal <- err:
	default:
	}
	runtime.Goexit()
}
