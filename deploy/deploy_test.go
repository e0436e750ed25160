// Package deploy has no code of its own: its tests check what lies beside it, the image,
// the compose file, the manifests and the unit. It is a module of its own, because it
// takes the API of Kubernetes and the libraries of compose to check them strictly, of
// which production code should see nothing.
package deploy

import (
	"os"
	"regexp"
	"testing"
	"time"
)

// A unit stops its worker in peace: systemd waits longer than the worker hands over.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("systemd/headgate-worker.service")
	if err != nil {
		t.Fatal(err)
	}
	first := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		if found == nil {
			t.Fatalf("no %s", pattern)
		}
		return string(found[1])
	}
	stop, err := time.ParseDuration(first(`(?m)^TimeoutStopSec=(\d+)$`) + "s")
	if err != nil {
		t.Fatal(err)
	}
	drain, err := time.ParseDuration(first(`HEADGATE_DRAIN=(\S+)`))
	if err != nil || stop <= drain {
		t.Errorf("it is killed after %v and hands over for %v (%v)", stop, drain, err)
	}
	if got := first(`(?m)^ExecStart=(.+)$`); got != "/usr/local/bin/worker" {
		t.Errorf("it runs %s", got)
	}
}
