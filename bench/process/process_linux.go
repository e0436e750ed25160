// Package process measures the process that it is in: processor time and memory.
package process

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// ThreadClock returns the processor time of the calling thread. Unlike the time on
// the wall it does not count what other programs do meanwhile.
func ThreadClock() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	return used(thread)
}

// Clock returns the processor time of all threads of this process.
func Clock() time.Duration { return used(syscall.RUSAGE_SELF) }

func used(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// PeakMemory returns the most bytes that this process had resident so far.
func PeakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("/proc/self/status has no VmHWM")
	}
	kB, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kB << 10, err
}
