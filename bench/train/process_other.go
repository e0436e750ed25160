//go:build !linux

package main

import "time"

var began = time.Now()

// processClock returns the time on the wall: here it is not known how much of it the
// process had.
func processClock() time.Duration { return time.Since(began) }

// peakMemory returns 0: here it is not known.
func peakMemory() (int64, error) { return 0, nil }
