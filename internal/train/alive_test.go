package train_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// alive reports whether a process runs. One that was killed and that nobody has waited
// for does not.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat")); err == nil {
		return !strings.Contains(string(stat), ") Z ")
	}
	p, err := os.FindProcess(n)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
