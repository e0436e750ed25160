//go:build e2e && unix

package main

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"headgate/cmd/dev/devserver"
	"headgate/internal/calendar"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/worker"
	"headgate/workflows"
)

// rehearsal is a year in two minutes.
const rehearsal = "schedule: { every: 10s, first: 2024-01, last: 2024-12, wait: 8s, publish: 40s, poll: 1s, catchUp: 60s }\n"

// What goes wrong in the year of the rehearsal.
const (
	pausedOver = "2024-03" // the schedule is paused when it is due
	lateData   = "2024-05" // its data comes after its slot
	noData     = "2024-08" // its data never comes
	downOver   = "2024-10" // server and worker are dead when it is due
)

// A schedule fires twelve slots. The server is killed over one and started again, the data
// of one is late, that of another never comes, and the schedule is paused over a fourth:
// every month is published once, or named as missing. When the missing ones are run, none is.
func TestScheduleLosesNoMonth(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	for _, month := range r.months() {
		if month != lateData && month != noData {
			r.shelf.deliver(t, month, 2000, retailer.Options{})
		}
	}
	r.must("schedule/retailer: created", "schedule", "apply", r.file, "--reason", "a rehearsal")
	r.must("schedule/retailer: unchanged", "schedule", "apply", r.file)
	r.read()

	r.sleepUntil("2024-02", 4*time.Second)
	r.must("is paused: ann: they move", "schedule", "pause", "retailer", "--reason", "they move")
	r.must("2024-01: slot/retailer-", "schedule", "trigger", "retailer", "--batch", "2024-01") // it is published, and stays so
	r.sleepUntil(pausedOver, 4*time.Second)
	r.must("paused: ann: they move", "schedule", "list", "retailer")
	r.must("is resumed: ann: they moved", "schedule", "resume", "retailer", "--reason", "they moved")

	r.sleepUntil(lateData, 3*time.Second)
	r.shelf.deliver(t, lateData, 2000, retailer.Options{})

	r.sleepUntil(downOver, -3*time.Second)
	r.site.kill(t)
	r.sleepUntil(downOver, 3*time.Second)
	r.up()

	r.sleepUntil("2024-12", 0)
	r.ended(12)
	r.want(pausedOver, noData)
	out := r.must("2 missing", "status", "retailer")
	if !strings.Contains(out, noData+"  ") || !strings.Contains(out, "no data came by") || !strings.Contains(out, "its slot did not run") {
		t.Errorf("status says\n%s", out)
	}
	r.pictures()

	r.shelf.deliver(t, noData, 2000, retailer.Options{})
	r.must(noData, "schedule", "trigger", "retailer", "--batch", noData)
	r.must(pausedOver, "schedule", "backfill", "retailer", "--from", "2024-02", "--to", "2024-04")
	r.ended(16)
	r.want()
	if out := r.must("2024-12", "status", "retailer"); strings.Contains(out, "missing") {
		t.Errorf("status says\n%s", out)
	}
	r.shelf.audit(t, lateData, downOver)
	r.must("is deleted", "schedule", "delete", "retailer", "--reason", "the rehearsal is over", "--yes")
	r.must("no batch is expected any more", "log", "retailer")
}

// A rehearsed year runs on a server of its own.
type rehearsed struct {
	t                *testing.T
	dir, file        string
	program, starter string
	site             *child
	client           client.Client
	shelf            *shelf
	calendar         calendar.Calendar
}

func newRehearsal(t *testing.T) *rehearsed {
	t.Helper()
	r := &rehearsed{t: t, dir: t.TempDir(), program: build(t, "cmd/dev", "dev"), starter: buildStarter(t)}
	r.shelf = newShelf(t, filepath.Join(r.dir, "store"))
	files := t.TempDir()
	r.file = filepath.Join(files, "pipeline.yaml")
	for _, name := range []string{"pipeline.yaml", "contract.yaml"} {
		text, err := os.ReadFile(filepath.Join(home(), "testdata", "retailer", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "pipeline.yaml" {
			text = append(text, rehearsal...)
		}
		if err := os.WriteFile(filepath.Join(files, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err := registration.Request{Pipeline: r.file, By: "test", Reason: "a rehearsal", At: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)}.Do(t.Context(), r.shelf.bucket, worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	r.up()
	return r
}

// up starts server, Web UI and worker, again on what they left.
func (r *rehearsed) up() {
	r.t.Helper()
	r.site = start(r.t, nil, r.program, "up", "--dir", r.dir, "--port", "0", "--ui-port", "0")
	r.client = r.site.dial(r.t)
}

// address finds what up printed.
func (r *rehearsed) address(what string) string {
	r.t.Helper()
	found := regexp.MustCompile(what + ` +(\S+)`).FindStringSubmatch(r.site.said(r.t))
	if found == nil {
		r.t.Fatalf("no %s in\n%s", what, r.site.said(r.t))
	}
	return found[1]
}

// must runs starter, which must say something and succeed.
func (r *rehearsed) must(say string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), r.starter, args...)
	cmd.Env = append(os.Environ(), "HEADGATE_STORE="+r.shelf.dir, "TEMPORAL_ADDRESS="+r.address("Temporal server"), "USER=ann")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || !strings.Contains(out.String(), say) {
		r.t.Fatalf("starter %s: %v, and not %q:\n%s", strings.Join(args, " "), err, say, out.String())
	}
	r.t.Logf("starter %s\n%s", strings.Join(args, " "), out.String())
	return out.String()
}

func (r *rehearsed) months() []string {
	var all []string
	for m := 1; m <= 12; m++ {
		all = append(all, fmt.Sprintf("2024-%02d", m))
	}
	return all
}

func (r *rehearsed) log() *registry.Log {
	r.t.Helper()
	log, err := registry.Load(r.t.Context(), r.shelf.bucket, "retailer")
	if err != nil {
		r.t.Fatal(err)
	}
	return log
}

// read reads the calendar in force.
func (r *rehearsed) read() {
	r.t.Helper()
	if err := papers.LoadBlob(r.t.Context(), r.shelf.bucket, r.log().State().Schedule, &r.calendar); err != nil {
		r.t.Fatal(err)
	}
}

// sleepUntil waits until a time after the slot of a month: the rehearsal goes by the clock.
func (r *rehearsed) sleepUntil(month string, after time.Duration) {
	r.t.Helper()
	s, err := r.calendar.Slot(month)
	if err != nil {
		r.t.Fatal(err)
	}
	left := time.Until(s.Due.Add(after))
	if left < -5*time.Second {
		r.t.Fatalf("%s too late for %s of %s: the machine is too busy", -left, after, month)
	}
	time.Sleep(left)
}

// ended waits until so many slots are at their end.
func (r *rehearsed) ended(n int) {
	r.t.Helper()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(90 * time.Second); ; <-tick.C {
		list, err := r.client.ListWorkflow(r.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: devserver.Namespace,
			Query: `WorkflowType="Slot" AND ExecutionStatus="Completed"`})
		if err == nil && len(list.GetExecutions()) == n {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%d slots are at their end (%v), want %d", len(list.GetExecutions()), err, n)
		}
	}
}

// want checks that every month is published once, but those that are named as missing.
func (r *rehearsed) want(missing ...string) {
	r.t.Helper()
	log := r.log()
	published := map[string]int{}
	for _, e := range log.Of(registry.KindPublished) {
		published[e.Batch]++
	}
	var open []string
	for _, month := range r.months() {
		named := log.State().Batches[month].Missed != ""
		if named {
			open = append(open, month)
		}
		if n := len(r.shelf.history(r.t, month)); n > 1 || n != published[month] || (n == 1) == named {
			r.t.Errorf("%s: %d publications, %d in the registry, named as missing: %t", month, n, published[month], named)
		}
	}
	if !slices.Equal(open, missing) {
		r.t.Errorf("missing are %v, want %v", open, missing)
	}
	if all := log.Of(registry.KindMissed); len(all) != 2 {
		r.t.Errorf("%d entries name missing months, want one each of two: %+v", len(all), all)
	}
}

// pictures looks at the schedule and at a slot that names its month.
func (r *rehearsed) pictures() {
	b := openBrowser(r.t)
	base := r.address("Web UI") + "/namespaces/" + devserver.Namespace
	b.open(r.t, base+"/schedules/"+url.PathEscape(workflows.ScheduleID("retailer")), "schedule/retailer", "Recent Runs", "Slot")
	b.picture(r.t, pictureFile(r.t, "schedule.png"))
	query := url.QueryEscape(`WorkflowType="Slot" AND HeadgateBatch="` + noData + `"`)
	s, err := r.calendar.Slot(noData)
	if err != nil {
		r.t.Fatal(err)
	}
	slot := workflows.SlotID("retailer") + "-" + s.Due.Format(time.RFC3339)
	b.open(r.t, base+"/workflows?query="+query, slot)
	b.click(r.t, slot)
	b.reads(r.t, "Timeline", "Event History")
	b.click(r.t, "User Metadata")
	b.reads(r.t, "retailer "+noData+": missing", "no data came by", "starter schedule trigger retailer --batch "+noData)
	b.picture(r.t, pictureFile(r.t, "slot-missed.png"))
}
