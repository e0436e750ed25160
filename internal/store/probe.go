package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ProbeKey is the object that [Bucket.Probe] leaves behind.
const ProbeKey = "probe/put-if-absent"

// probeTimeout is how long a store may take to answer a probe.
const probeTimeout = 30 * time.Second

// ErrUnconditional means that a store replaces objects although it was told not
// to. Nothing that Headgate promises would hold there.
var ErrUnconditional = errors.New("the store replaces objects that exist: it ignores the condition If-None-Match, which Headgate depends on")

// Probe checks that the store can be reached, read and written, and that it
// refuses to replace an object. A worker calls it before it takes work; many may
// do so at once, again and again. It needs no right to delete: it puts one object
// of a fixed key and content, and leaves it there. It gives up after 30 seconds.
func (b *Bucket) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()

	kept, other := []byte("headgate\n"), []byte("headgate, replaced\n")
	err := b.Put(ctx, ProbeKey, kept)
	if errors.Is(err, ErrExists) {
		return b.failed("probe", ProbeKey, fmt.Errorf("%w (or somebody else wrote there; then delete the object)", ErrUnconditional))
	}
	if err != nil {
		return err
	}
	// Beneath Put, which would forgive a put that should have been refused.
	err = b.driver.put(ctx, ProbeKey, other)
	if err == nil {
		return b.failed("probe", ProbeKey, ErrUnconditional)
	}
	have, getErr := b.driver.get(ctx, ProbeKey)
	if getErr != nil {
		return b.failed("probe", ProbeKey, getErr)
	}
	if string(have) != string(kept) {
		return b.failed("probe", ProbeKey, ErrUnconditional)
	}
	if !errors.Is(err, errConflict) {
		return b.failed("probe", ProbeKey, err)
	}
	return nil
}
