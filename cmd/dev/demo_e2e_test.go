//go:build e2e && unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// TestTheDemoGoesAsTold tells the story on a server of its own, watched from outside. It
// leaves the same decisions and the same bytes in the table whenever and wherever it is
// told; dashboards and alerts find their metrics, and the month whose labels lead to
// another champion is one trace.
func TestTheDemoGoesAsTold(t *testing.T) {
	var stderr bytes.Buffer
	watched, dir := observe(t), t.TempDir()
	args := []string{"demo", "--once", "--port", "0", "--ui-port", "0", "--dir", dir}
	if code := run(t.Context(), args, watched, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s\n%s", code, stderr.String(), watched.output.String())
	}
	leftAsEver(t, filepath.Join(dir, "store"))
	t.Run("its reports", func(t *testing.T) { readReports(t, filepath.Join(dir, "store")) })
	watched.checkMetrics()
	watched.checkTrace("StartWorkflow:ScoreBatch", "score/retailer/2024-05", "RunWorkflow:ScoreBatch", "RunActivity:ScoreShard", "RunActivity:JudgeData", "RunActivity:Publish",
		"RunWorkflow:EvaluateBatch", "RunActivity:EvaluateScores", "RunWorkflow:Retrain", "RunActivity:TrainModel", "RunWorkflow:Release", "RunActivity:Promote")
	watched.checkLogs(filepath.Join(dir, "worker.log"))
	t.Run("its Web UI, brought up again", func(t *testing.T) { readScorecards(t, dir) })
	t.Run("on PostgreSQL and S3, with cmd/worker and cmd/starter alone", func(t *testing.T) { toldAlike(t, dir) })
}

// leftAsEver holds what a demo has left against testdata/demo.txt.
func leftAsEver(t *testing.T, dir string) {
	t.Helper()
	got, err := left(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "demo.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the demo left\n%s\nand %s has (rewrite it with -update)\n%s", got, golden, want)
	}
}

// left writes what a demo has left in its store: who decided what, and the data files of
// all publications, whose names are the digests of their bytes.
func left(ctx context.Context, dir string) (string, error) {
	bucket, err := store.Open(ctx, "file://"+filepath.ToSlash(dir))
	if err != nil {
		return "", err
	}
	defer bucket.Close()
	log, err := registry.Load(ctx, bucket, "retailer")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, e := range log.Of(registry.KindPipeline, registry.KindRegister, registry.KindTraining, registry.KindCandidate, registry.KindVerdict,
		registry.KindAdvance, registry.KindApproval, registry.KindRouting, registry.KindRejected, registry.KindPromote, registry.KindControl) {
		words := []string{e.Kind}
		for _, word := range []string{e.Batch, e.Release, e.Step, e.Verdict, e.Answer, e.Control} {
			if word != "" {
				words = append(words, word)
			}
		}
		if e.Model != "" {
			words = append(words, papers.Short(e.Model))
		}
		if e.Run != "" {
			words = append(words, "run "+papers.Short(e.Run))
		}
		fmt.Fprintln(&out, strings.Join(words, " "))
	}
	prefix := papers.TablePrefix("retailer") + "/"
	for attrs, err := range bucket.List(ctx, prefix+"batch=") {
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&out, strings.TrimPrefix(attrs.Key, prefix))
	}
	return out.String(), nil
}
