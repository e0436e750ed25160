//go:build e2e && unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/cmd/dev/devserver"
	"headgate/internal/audit"
	"headgate/internal/delta"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// A child is one of our programs as a process of its own.
type child struct {
	cmd *exec.Cmd
	log string // file with what it prints
}

// start runs a program that the test must end.
func start(t *testing.T, env []string, program string, args ...string) *child {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := &child{cmd: exec.Command(program, args...), log: log.Name()}
	c.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			c.cmd.Process.Kill()
			c.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), c.said(t))
		}
	})
	return c
}

// said returns what the process has printed so far.
func (c *child) said(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(c.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// waitFor waits until the process has printed a text.
func (c *child) waitFor(t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(c.said(t), text); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it did not say within a minute: %s\n%s", text, c.said(t))
		}
	}
}

// hold stops all threads of the process until goOn, and returns when they stand.
func (c *child) hold(t *testing.T) {
	t.Helper()
	pid := c.cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		if err == nil {
			break
		}
		if err != syscall.EINTR {
			t.Fatal(err)
		}
	}
	if !status.Stopped() {
		t.Fatalf("the process ended by itself: exit code %d\n%s", status.ExitStatus(), c.said(t))
	}
}

func (c *child) goOn(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(c.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process as kill -9 does, without a chance to tidy up.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err == nil {
		t.Fatal("the process ended by itself, want it killed")
	}
}

// stepUntil lets the process run for slices of a few milliseconds, and looks in
// between, while it stands still. When seen is true it leaves the process held.
func (c *child) stepUntil(t *testing.T, what string, seen func() bool) {
	t.Helper()
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		c.hold(t)
		if seen() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within two minutes: %s\n%s", what, c.said(t))
		}
		c.goOn(t)
		<-tick.C
	}
}

// slow makes the process run about thirty times slower until the returned function
// is called: it stands still most of the time.
func (c *child) slow(t *testing.T) (quick func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for {
			syscall.Kill(c.cmd.Process.Pid, syscall.SIGSTOP)
			select {
			case <-done:
				syscall.Kill(c.cmd.Process.Pid, syscall.SIGCONT)
				return
			case <-tick.C:
			}
			syscall.Kill(c.cmd.Process.Pid, syscall.SIGCONT)
			time.Sleep(time.Millisecond)
		}
	})
	quick = sync.OnceFunc(func() { close(done); wg.Wait() })
	t.Cleanup(quick)
	return quick
}

// build compiles a program of the project and returns its path.
func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join(home(), dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return program
}

// A rig is a Temporal server in the test's process, with workers outside of it.
type rig struct {
	server  *devserver.Server
	client  client.Client
	program string // cmd/worker
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{program: build(t, "cmd/worker", "worker")}
	var err error
	if r.server, err = devserver.Start(t.Context(), t.TempDir(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.server.Stop(); err != nil {
			t.Error(err)
		}
	})
	r.client = dial(t, r.server.Address())
	if err := worker.EnsureSearchAttributes(t.Context(), r.client, devserver.Namespace); err != nil {
		t.Fatal(err)
	}
	return r
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address, Namespace: devserver.Namespace,
		Logger: newLogger(t.Context(), false, t.Output(), t.Output())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// worker starts cmd/worker on a store and a task queue, two activities at a time if
// settings do not say otherwise.
func (r *rig) worker(t *testing.T, s *shelf, queue string, settings ...string) *child {
	t.Helper()
	if queue == "" {
		queue = workflows.TaskQueue
	}
	c := start(t, append([]string{"TEMPORAL_ADDRESS=" + r.server.Address(), "HEADGATE_STORE=" + s.dir,
		"HEADGATE_TASK_QUEUE=" + queue, "HEADGATE_PARALLEL=2", "HEADGATE_HEALTH="}, settings...), r.program)
	c.waitFor(t, "worker started")
	return c
}

// score starts the scoring of a batch.
func (r *rig) score(t *testing.T, queue, batch string) client.WorkflowRun {
	t.Helper()
	return score(t, r.client, queue, batch)
}

func score(t *testing.T, c client.Client, queue, batch string) client.WorkflowRun {
	t.Helper()
	run, err := workflows.StartScore(t.Context(), c, queue,
		workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// outcome waits for a batch, two minutes at most.
func outcome(t *testing.T, run client.WorkflowRun) workflows.ScoreBatchOutput {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out workflows.ScoreBatchOutput
	if err := run.Get(ctx, &out); err != nil {
		t.Fatalf("%s: %v", run.GetID(), err)
	}
	return out
}

// A shelf is a store in a directory, with the retailer's pipeline registered.
type shelf struct {
	dir    string
	bucket *store.Bucket
}

func newShelf(t *testing.T, dir string) *shelf {
	t.Helper()
	s := &shelf{dir: dir}
	var err error
	if s.bucket, err = store.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.bucket.Close() })
	shipped := filepath.Join(home(), "testdata", "retailer")
	_, err = registration.Request{
		Pipeline: filepath.Join(shipped, "pipeline.yaml"), Model: filepath.Join(shipped, "champion.txt"),
		Golden: filepath.Join(shipped, "golden.csv"), Expected: filepath.Join(shipped, "golden_expected.csv"),
		Champion: true, By: "test", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
	}.Do(t.Context(), s.bucket, worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deliver writes a batch where the pipeline expects it. The files' times are set,
// because a run is named by what it reads, and that includes them.
func (s *shelf) deliver(t *testing.T, batch string, customers int, o retailer.Options) {
	t.Helper()
	dir := filepath.Join(s.dir, "incoming", "retailer", batch)
	files, err := retailer.World{Seed: 1, Customers: customers}.WriteDir(t.Context(), dir, batch, &o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		at := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// count returns how many files match a pattern, in which {batch} stands for the
// batch. Where it does not occur, the files that say that they are about it count.
func (s *shelf) count(t *testing.T, pattern, batch string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, strings.ReplaceAll(pattern, "{batch}", batch)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(pattern, "{batch}") {
		return len(files)
	}
	n := 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, fmt.Appendf(nil, `"batch":%q`, batch)) {
			n++
		}
	}
	return n
}

// contents returns the bytes of all keys with one of the prefixes.
func (s *shelf) contents(t *testing.T, prefixes ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, prefix := range prefixes {
		for attrs, err := range s.bucket.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			data, err := s.bucket.Get(t.Context(), attrs.Key)
			if err != nil {
				t.Fatal(err)
			}
			all[attrs.Key] = string(data)
		}
	}
	return all
}

// same compares keys and bytes.
func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for key, data := range want {
		if have, ok := got[key]; !ok {
			t.Errorf("%s: %s is missing", what, key)
		} else if have != data {
			t.Errorf("%s: %s has other bytes", what, key)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: %s should not be there", what, key)
		}
	}
}

// history returns the publications of a batch.
func (s *shelf) history(t *testing.T, batch string) []delta.Publication {
	t.Helper()
	h, err := delta.Open(s.bucket, "scores/retailer").History(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// audit verifies the whole pipeline and scores the batches again.
func (s *shelf) audit(t *testing.T, batches ...string) {
	t.Helper()
	a := &audit.Auditor{Store: s.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("verify: %v %+v", err, report)
	}
	for _, batch := range batches {
		again, err := a.Recompute(t.Context(), batch)
		if err != nil || len(again.Findings) > 0 || !again.SameBytes {
			t.Errorf("recompute %s: %v %+v", batch, err, again)
		}
	}
}
