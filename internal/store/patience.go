package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errPatience is the cause of a context that a patience ended.
var errPatience = errors.New("no answer in time")

// A patience ends the requests of a store that keeps a connection open and says
// nothing: no client of a service does by itself, and some try for ever.
type patience struct {
	least time.Duration // for an answer of no bytes
	timer *time.Timer
	end   context.CancelCauseFunc
	ctx   context.Context
}

// newPatience returns the context of the request, and how it is ended. The caller ends
// it by stop, when the answer is read.
func (c *cloud) newPatience(ctx context.Context) (context.Context, *patience) {
	p := &patience{least: c.patience}
	if p.least == 0 {
		p.least = time.Minute
	}
	p.ctx, p.end = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(p.least, func() { p.end(errPatience) })
	return p.ctx, p
}

// extend begins to wait anew, for an answer of that many bytes.
func (p *patience) extend(size int64) {
	const slowest = 1 << 20 // bytes a second
	p.timer.Reset(p.least + time.Duration(size/slowest)*time.Second)
}

func (p *patience) stop() {
	p.timer.Stop()
	p.end(nil)
}

// told returns err, or that it is for want of an answer.
func (p *patience) told(err error) error {
	if err != nil && errors.Is(context.Cause(p.ctx), errPatience) {
		return fmt.Errorf("%w: the store was silent for %v or slower than 1 MB/s", errPatience, p.least)
	}
	return err
}
