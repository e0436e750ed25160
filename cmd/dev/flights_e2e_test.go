//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/internal/audit"
	"headgate/internal/registration"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// A real year: a champion that LightGBM trained on the flights of January to March
// 2021 scores the rest of the year. What is published is LightGBM's own answer.
func TestFlightsOfAYear(t *testing.T) {
	y := newYear(t)
	began := time.Now()
	rows := ask[map[string]int64](y, "prepare.py", y.shared, y.store(), y.out)
	if want := 9; len(rows) != want {
		t.Fatalf("got %d months, want %d", len(rows), want)
	}
	t.Logf("trained and delivered in %.1f s", time.Since(began).Seconds())

	began = time.Now()
	o := siteOptions{dir: y.dir}
	err := runSite(t.Context(), o, t.Output(), func(ctx context.Context, s *site) error {
		return y.score(ctx, s, slices.Sorted(maps.Keys(rows)))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("published and verified in %.1f s", time.Since(began).Seconds())
	y.check(rows, ask[[]judged](y, "judge.py", filepath.Join(y.store(), "scores", "flights"), y.out))
}

// A year is the flights of 2021 in a site's directory.
type year struct {
	t              *testing.T
	python, shared string
	dir, out       string // of the site, and of what LightGBM made
	batches        map[string]workflows.ScoreBatchOutput
}

func newYear(t *testing.T) *year {
	y := &year{t: t, python: os.Getenv("HEADGATE_PYTHON"), shared: os.Getenv("HEADGATE_SHARED"),
		dir: t.TempDir(), out: t.TempDir(), batches: map[string]workflows.ScoreBatchOutput{}}
	if y.python == "" {
		y.python = filepath.Join(home(), ".venv", "bin", "python")
	}
	if y.shared == "" {
		y.shared = filepath.Join(home(), "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(y.shared, "flights")); err != nil {
		t.Fatalf("%v; name the directory of the shared data with HEADGATE_SHARED", err)
	}
	return y
}

// store is the directory of the site's object store.
func (y *year) store() string { return filepath.Join(y.dir, "store") }

// ask runs a script of testdata/flights and returns its answer.
func ask[T any](y *year, script string, args ...string) (answer T) {
	y.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(y.t.Context(), y.python, append([]string{filepath.Join(home(), "testdata", "flights", script)}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		y.t.Fatalf("%s: %v\n%s", script, err, errs.String())
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		y.t.Fatalf("%s: %v\n%s", script, err, out.String())
	}
	return answer
}

// score registers the champion, scores all months at once and verifies the pipeline.
func (y *year) score(ctx context.Context, s *site, months []string) error {
	bucket, err := store.Open(ctx, s.store)
	if err != nil {
		return err
	}
	defer bucket.Close()
	_, err = registration.Request{
		Pipeline: filepath.Join(home(), "testdata", "flights", "pipeline.yaml"), Model: filepath.Join(y.out, "champion.txt"),
		Golden: filepath.Join(y.out, "golden.parquet"), Expected: filepath.Join(y.out, "golden_expected.parquet"),
		Source: "LightGBM", Training: filepath.Join(y.out, "training.json"), Champion: true, By: "test",
		At: time.Date(2021, 4, 1, 0, 0, 0, 0, time.UTC),
	}.Do(ctx, bucket, worker.Formats())
	if err != nil {
		return err
	}
	runs := make([]client.WorkflowRun, len(months))
	for i, month := range months {
		in := workflows.ScoreBatchInput{Pipeline: "flights", Batch: month, By: "test"}
		if runs[i], err = workflows.StartScore(ctx, s.client, "", in); err != nil {
			return err
		}
	}
	for i, month := range months {
		var out workflows.ScoreBatchOutput
		if err := runs[i].Get(ctx, &out); err != nil {
			return fmt.Errorf("%s: %w", month, err)
		}
		if out.Verdict != "pass" {
			return fmt.Errorf("%s: verdict %s: %s", month, out.Verdict, strings.Join(out.Reasons, "; "))
		}
		y.batches[month] = out
	}
	a := &audit.Auditor{Store: bucket, Formats: worker.Formats(), Pipeline: "flights"}
	report, err := a.Verify(ctx)
	if err == nil && (len(report.Findings) > 0 || report.Publications != len(months)) {
		err = fmt.Errorf("verify: %d publications, want %d; findings %v", report.Publications, len(months), report.Findings)
	}
	return err
}

// A judged month is what testdata/flights/judge.py says of it.
type judged struct {
	Month      string  `json:"month"`
	Rows       int64   `json:"rows"`
	Missing    int64   `json:"missing"`
	Strange    int64   `json:"strange"`
	RawDiffer  int64   `json:"raw_differ"`
	PredULP    int64   `json:"pred_ulp"`
	KeptDiffer int64   `json:"kept_differ"`
	Labelled   int64   `json:"labelled"`
	Late       float64 `json:"late"`
	AUC        float64 `json:"auc"`
	OwnAUC     float64 `json:"auc_lightgbm"`
}

// told is the AUC of another champion of January to March, by the README of the
// shared data. Ours has other parameters, so it is shown and not compared.
var told = map[string]float64{
	"2021-04": .648, "2021-05": .599, "2021-06": .602, "2021-07": .618, "2021-08": .590,
	"2021-09": .605, "2021-10": .586, "2021-11": .602, "2021-12": .614,
}

// check compares what was delivered, what the workflows say, and what is published.
func (y *year) check(delivered map[string]int64, published []judged) {
	y.t.Helper()
	if len(published) != len(delivered) {
		y.t.Errorf("%d months are published, want %d", len(published), len(delivered))
	}
	var table strings.Builder
	fmt.Fprintf(&table, "month      rows  quarantine  late  AUC published  LightGBM  told   ulp\n")
	for _, m := range published {
		out := y.batches[m.Month]
		if want := delivered[m.Month]; out.Publication != 1 || out.Rows != want ||
			out.Published != m.Rows || out.Published+out.Quarantined != want {
			y.t.Errorf("%s: %d rows delivered, %d published, and the workflow says %+v", m.Month, want, m.Rows, out)
		}
		if out.Quarantined != 0 || m.Missing != 0 || m.Strange != 0 {
			y.t.Errorf("%s: %d flights in quarantine, %d missing and %d strange, want none", m.Month, out.Quarantined, m.Missing, m.Strange)
		}
		if m.RawDiffer != 0 || m.KeptDiffer != 0 || m.PredULP > 4 {
			y.t.Errorf("%s: %d raw scores and %d kept values differ, want none; scores differ by up to %d ulp, want at most 4",
				m.Month, m.RawDiffer, m.KeptDiffer, m.PredULP)
		}
		if !(math.Abs(m.AUC-m.OwnAUC) <= 1e-12) {
			y.t.Errorf("%s: the AUC is %v, and %v by LightGBM's own predictions", m.Month, m.AUC, m.OwnAUC)
		}
		fmt.Fprintf(&table, "%s  %5d  %10d  %.3f        %.6f  %.6f  %.3f  %3d\n",
			m.Month, m.Rows, out.Quarantined, m.Late, m.AUC, m.OwnAUC, told[m.Month], m.PredULP)
	}
	y.t.Logf("\n%s", table.String())
}
