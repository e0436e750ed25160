//go:build e2e && unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/internal/alert"
	"headgate/internal/registration"
	"headgate/internal/worker"
	"headgate/workflows"
)

// Two receivers, and the worker ends between them. Whoever was told is not told again; a
// worker that is killed may tell the other one twice, one that is stopped does not.
func TestAWorkerEndsBetweenTwoReceivers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, tt := range []struct {
		name  string
		ends  syscall.Signal
		other int // notices that the other one gets
	}{
		{name: "killed", ends: syscall.SIGKILL, other: 2},
		{name: "stopped", ends: syscall.SIGTERM, other: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			team, duty := newMailbox(t, 0), newMailbox(t, 3*time.Second)
			settings := []string{"TEAM=" + team.url, "DUTY=" + duty.url, "SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
			s := newShelf(t, t.TempDir())
			s.registerAlerts(t, `alerts:
  receivers: { team: { webhook: { url: env:TEAM, secret: env:SECRET } }, duty: { webhook: { url: env:DUTY, secret: env:SECRET } } }
`)
			first := r.worker(t, s, tt.name, settings...)
			a, _ := alert.Sample(alert.BatchBlocked, "retailer", time.Now().UTC())
			run, err := r.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflows.AlertID("retailer", tt.name), TaskQueue: tt.name},
				workflows.Alert, workflows.AlertInput{Alert: a})
			if err != nil {
				t.Fatal(err)
			}
			<-duty.asked
			r.told(t, run, "team")
			if err := first.cmd.Process.Signal(tt.ends); err != nil {
				t.Fatal(err)
			}
			_ = first.cmd.Wait() // a killed process has no exit code that says anything

			r.worker(t, s, tt.name, settings...)
			r.told(t, run, "duty")
			got := duty.all()
			if len(team.all()) != 1 || len(got) != tt.other {
				t.Fatalf("the team got %d, duty %d, want 1 and %d", len(team.all()), len(got), tt.other)
			}
			if last := got[len(got)-1]; got[0] != last {
				t.Errorf("the second one is another: %s, then %s", got[0], last)
			}
		})
	}
}

// A mailbox is a webhook that thinks about its first notice for a while.
type mailbox struct {
	url   string
	asked chan struct{} // closed with the first notice
	mu    sync.Mutex
	got   []string // id and body
}

func newMailbox(t *testing.T, thinks time.Duration) *mailbox {
	m := &mailbox{asked: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		m.got = append(m.got, r.Header.Get(alert.HeaderID)+" "+string(body))
		first := len(m.got) == 1
		m.mu.Unlock()
		if first {
			close(m.asked)
			time.Sleep(thinks)
		}
	}))
	t.Cleanup(s.Close)
	m.url = s.URL
	return m
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// told waits until a receiver has an alert's notice.
func (r *rig) told(t *testing.T, run client.WorkflowRun, receiver string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var out workflows.AlertOutput
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		value, err := r.client.QueryWorkflow(t.Context(), run.GetID(), "", "alert")
		if err == nil {
			err = value.Get(&out)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out.Deliveries {
			if d.Receiver == receiver && d.State == alert.Arrived {
				return
			}
		}
	}
	t.Fatalf("%s was not told within a minute: %+v", receiver, out.Deliveries)
}

// registerAlerts registers the retailer's pipeline file with a section about alerts.
func (s *shelf) registerAlerts(t *testing.T, section string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"pipeline.yaml", "contract.yaml"} {
		data, err := os.ReadFile(shipped(name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "pipeline.yaml" {
			data = append(data, section...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := registration.Request{Pipeline: filepath.Join(dir, "pipeline.yaml"), By: "test", Reason: "to be told", At: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)}.
		Do(t.Context(), s.bucket, worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
}
