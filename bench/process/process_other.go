//go:build !linux

package process

import "time"

var began = time.Now()

// ThreadClock returns the time on the wall: here it is not known how much of it a
// thread had.
func ThreadClock() time.Duration { return time.Since(began) }

// Clock returns the time on the wall.
func Clock() time.Duration { return time.Since(began) }

// PeakMemory returns 0: here it is not known.
func PeakMemory() (int64, error) { return 0, nil }
