package devserver_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"headgate/cmd/dev/devserver"
)

// childDir names the directory on which a copy of the test binary runs a server
// and a worker instead of the tests.
const childDir = "DEVSERVER_TEST_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := serve(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestWorkGoesOnAfterKill(t *testing.T) {
	dir := t.TempDir()
	first := spawn(t, dir)
	run, err := dial(t, first.address).ExecuteWorkflow(t.Context(),
		client.StartWorkflowOptions{ID: "patient", TaskQueue: queue}, twoSteps)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the second step to begin", func() bool { return exists(dir, "second-begun") })
	first.kill(t)
	if err := os.WriteFile(filepath.Join(dir, "second-may-end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	second := spawn(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var attempts []int32
	if err := dial(t, second.address).GetWorkflow(ctx, "patient", run.GetRunID()).Get(ctx, &attempts); err != nil {
		t.Fatal(err)
	}
	if len(attempts) != 2 || attempts[0] != 1 || attempts[1] < 2 {
		t.Errorf("got attempts %v, want 1 for the step that had ended and more for the one that was killed", attempts)
	}
	second.kill(t)
}

const queue = "patience"

// twoSteps returns which attempt of each step succeeded.
func twoSteps(ctx workflow.Context) ([]int32, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    time.Second,
	})
	var attempts []int32
	for _, step := range []string{"first", "second"} {
		var attempt int32
		if err := workflow.ExecuteActivity(ctx, "Step", step).Get(ctx, &attempt); err != nil {
			return nil, err
		}
		attempts = append(attempts, attempt)
	}
	return attempts, nil
}

// step ends at once, or, if it is the second, when a file allows it.
func step(dir string) func(context.Context, string) (int32, error) {
	return func(ctx context.Context, name string) (int32, error) {
		if err := os.WriteFile(filepath.Join(dir, name+"-begun"), nil, 0o600); err != nil {
			return 0, err
		}
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for name == "second" && !exists(dir, "second-may-end") {
			activity.RecordHeartbeat(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return activity.GetInfo(ctx).Attempt, nil
	}
}

// serve runs a server and a worker on dir until the process is killed.
func serve(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := devserver.Start(ctx, dir, nil)
	if err != nil {
		return err
	}
	c, err := client.DialContext(ctx, client.Options{HostPort: s.Address()})
	if err != nil {
		return err
	}
	w := sdkworker.New(c, queue, sdkworker.Options{})
	w.RegisterWorkflow(twoSteps)
	w.RegisterActivityWithOptions(step(dir), activity.RegisterOptions{Name: "Step"})
	if err := w.Start(); err != nil {
		return err
	}
	fmt.Println("address", s.Address())
	<-ctx.Done()
	return s.Stop()
}

// A child is another process that runs serve.
type child struct {
	cmd     *exec.Cmd
	address string
}

func spawn(t *testing.T, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "address "); ok {
			return &child{cmd: cmd, address: address}
		}
	}
	t.Fatalf("the server ended before it was ready: %v", cmd.Wait())
	return nil
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

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}
