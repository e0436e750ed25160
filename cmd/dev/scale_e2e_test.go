//go:build e2e && unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"headgate/internal/delta"
	"headgate/internal/retailer"
	"headgate/workflows"
)

const (
	maxMemory = 600e6 // bytes that a worker may have resident
	maxEvents = 2000  // of one workflow's history
)

// Ten million rows are scored and published by one worker whose memory stays small,
// and no history grows with the batch: neither that of a large batch in few shards
// nor those of a small batch in so many shards that they go through children.
// HEADGATE_SCALE_ROWS is another number of rows.
func TestTenMillionRows(t *testing.T) {
	rows := scaleRows(t)
	r := newRig(t)
	s := newShelf(t, t.TempDir())
	w := start(t, []string{"TEMPORAL_ADDRESS=" + r.server.Address(), "HEADGATE_STORE=" + s.dir, "HEADGATE_HEALTH="}, r.program)
	for _, b := range []struct {
		batch        string
		rows, files  int
		minWorkflows int
	}{
		{batch: "2024-01", rows: rows, files: (rows + 999_999) / 1_000_000, minWorkflows: 1},
		{batch: "2024-02", rows: 2_500, files: 250, minWorkflows: 1 + 2*2},
	} {
		began := time.Now()
		deliverParts(t, s, b.batch, b.rows, b.files)
		generated := time.Since(began)
		began = time.Now()
		run := score(t, r.client, "", b.batch)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		var out workflows.ScoreBatchOutput
		if err := run.Get(ctx, &out); err != nil {
			t.Fatalf("%s: %v", b.batch, err)
		}
		t.Logf("%s: %d rows in %d files generated in %.1f s, scored and published in %.1f s: %.0f rows/s; worker's peak %.0f MB",
			b.batch, b.rows, b.files, generated.Seconds(), time.Since(began).Seconds(),
			float64(b.rows)/time.Since(began).Seconds(), float64(w.peakMemory(t))/1e6)
		publishedWhole(t, s, b.batch, int64(b.rows), out)
		if n := r.checkHistories(t, b.batch); n < b.minWorkflows {
			t.Errorf("%s: %d workflows, want at least %d", b.batch, n, b.minWorkflows)
		}
	}
	if peak := w.peakMemory(t); peak > maxMemory {
		t.Errorf("the worker had %.0f MB resident, want at most %.0f", float64(peak)/1e6, maxMemory/1e6)
	}
}

func scaleRows(t *testing.T) int {
	t.Helper()
	text, ok := os.LookupEnv("HEADGATE_SCALE_ROWS")
	if !ok {
		return 10_000_000
	}
	rows, err := strconv.Atoi(text)
	if err != nil || rows < 1 {
		t.Fatalf("HEADGATE_SCALE_ROWS=%q: want a number of rows", text)
	}
	return rows
}

// deliverParts writes a batch of many files, two at a time.
func deliverParts(t *testing.T, s *shelf, batch string, rows, files int) {
	t.Helper()
	dir := filepath.Join(s.dir, "incoming", "retailer", batch)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	world := retailer.World{Seed: 1, Customers: rows}
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(2)
	for i := range files {
		group.Go(func() error {
			f, err := os.Create(filepath.Join(dir, fmt.Sprintf("part-%04d.parquet", i)))
			if err != nil {
				return err
			}
			defer f.Close()
			return world.Write(ctx, f, batch, &retailer.Options{Part: i, Parts: files})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// publishedWhole checks that every row is in the table or in quarantine.
func publishedWhole(t *testing.T, s *shelf, batch string, rows int64, out workflows.ScoreBatchOutput) {
	t.Helper()
	if out.Verdict != "pass" || out.Rows != rows || out.Published+out.Quarantined != rows {
		t.Errorf("%s: got verdict %q, %d rows, %d published, %d in quarantine; want pass and %d rows that add up",
			batch, out.Verdict, out.Rows, out.Published, out.Quarantined, rows)
	}
	table, err := delta.Open(s.bucket, "scores/retailer").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var published int64
	for _, f := range table.Files(batch) {
		published += f.Rows
	}
	if published != out.Published {
		t.Errorf("%s: the table has %d rows, want %d", batch, published, out.Published)
	}
}

// checkHistories reads the histories of a batch's workflow and of its children, and
// returns how many there are.
func (r *rig) checkHistories(t *testing.T, batch string) int {
	t.Helper()
	id := workflows.ScoreID("retailer", batch)
	list, err := r.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowId = %q OR RootWorkflowId = %q", id, id)})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, e := range list.Executions {
		events := 0
		history := r.client.GetWorkflowHistory(t.Context(), e.Execution.WorkflowId, e.Execution.RunId, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			if _, err := history.Next(); err != nil {
				t.Fatal(err)
			}
			events++
		}
		t.Logf("%s: %d events", e.Execution.WorkflowId, events)
		if events == 0 || events >= maxEvents {
			t.Errorf("%s has %d events, want fewer than %d", e.Execution.WorkflowId, events, maxEvents)
		}
		total++
	}
	return total
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peakMemory returns the most bytes that the process has had resident.
func (c *child) peakMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("%v\n%s", err, c.said(t))
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmHWM in\n%s", status)
	}
	kB, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}
