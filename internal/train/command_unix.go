//go:build unix

package train

import (
	"os/exec"
	"syscall"
)

// group makes the program the first of a process group, which is killed as a whole.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// endGroup kills what is left of the group.
func endGroup(cmd *exec.Cmd) {
	// There is mostly nothing left, and that is no error.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
