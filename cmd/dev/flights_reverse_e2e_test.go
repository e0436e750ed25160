//go:build e2e

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/registration"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// In the autumn of 2017 somebody trains the champion's recipe on August, and lets it serve
// everybody at once: no gate judges it before. It is harmful. The labels that reveal that
// bring the former champion back before the next batch.
func TestAHarmfulReleaseOfFlightsIsReversed(t *testing.T) {
	l := &loopYear{year: newYear(t), n: 2017, seen: map[store.Digest]string{}, months: []string{"2017-08", "2017-09", "2017-10", "2017-11", "2017-12"}}
	ask[map[string]int64](l.year, "prepare.py", l.shared, l.store(), l.out, "2017")
	ask[int64](l.year, "refit.py", l.shared, l.out, "2017-08")
	l.file = l.allAtOnce()
	if err := runSite(t.Context(), siteOptions{dir: l.dir}, t.Output(), l.harmed); err != nil {
		t.Fatal(err)
	}
	months := ask[[]worth](l.year, "worth.py", filepath.Join(l.store(), "scores", "flights"), l.out)
	back := slices.IndexFunc(l.told, func(c chapter) bool { return len(c.back) > 0 })
	for i, w := range months {
		t.Logf("%s: served by %s with an AUC of %.3f, the first champion's is %.3f; before it: %s", w.Month, l.told[i].served, w.Served, w.Frozen, strings.Join(l.told[i].events, "; "))
	}
	// October is served by the harmful model; its labels are known before December.
	october, december := slices.Index(l.months, "2017-10"), slices.Index(l.months, "2017-12")
	switch {
	case len(months) != len(l.months):
		t.Errorf("%d months are published, want %d", len(months), len(l.months))
	case l.told[october].served != "v1" || !(months[october].Served < months[october].Frozen-harm):
		t.Errorf("October is served by %s with an AUC of %.3f, the first champion's is %.3f: nothing harmful was released", l.told[october].served, months[october].Served, months[october].Frozen)
	case back < 0 || back > december || !slices.Equal(l.told[back].back, []string{"v0"}):
		t.Errorf("the first champion did not come back before December: %+v", l.told)
	}
	for i := max(back, 0); i < len(months); i++ {
		if l.told[i].served != "v0" {
			t.Errorf("%s is served by %s after v0 came back", months[i].Month, l.told[i].served)
		}
	}
}

// allAtOnce writes a pipeline file that has no shadow and no canary, and starts no training.
func (l *loopYear) allAtOnce() string {
	l.t.Helper()
	from := filepath.Join(home(), "testdata", "flights")
	dir := l.t.TempDir()
	text, err := os.ReadFile(filepath.Join(from, "loop.yaml"))
	before, _, ok := strings.Cut(string(text), "\ntraining:")
	if err != nil || !ok {
		l.t.Fatalf("loop.yaml has no training (%v)", err)
	}
	file := filepath.Join(dir, "loop.yaml")
	err = os.WriteFile(file, []byte(before+"\nrelease:\n  strategy: allAtOnce\n  shadow: 0\n  approve: { steps: [100%] }\n"), 0o666)
	for _, name := range []string{"contract.yaml", "labels.yaml"} {
		data, readErr := os.ReadFile(filepath.Join(from, name))
		err = errors.Join(err, readErr, os.WriteFile(filepath.Join(dir, name), data, 0o666))
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return file
}

// harmed lives from August to December. The refit of August is released when its labels
// are known.
func (l *loopYear) harmed(ctx context.Context, s *site) error {
	return l.through(ctx, s, func(ctx context.Context, month int) error {
		if month != 2 {
			return nil
		}
		if err := l.release(ctx, l.months[0]); err != nil {
			return fmt.Errorf("release of the refit: %w", err)
		}
		return nil
	}, l.verify)
}

// release registers the refit of a month and lets it go to everybody.
func (l *loopYear) release(ctx context.Context, month string) error {
	name := filepath.Join(l.out, "refit-"+month)
	out, err := registration.Request{Pipeline: l.file, Model: name + ".txt", Training: name + ".json", Source: "LightGBM",
		Sample: filepath.Join(l.store(), "incoming", "flights", month, "EWR.parquet"),
		By:     "test", Reason: "learned from " + month, At: time.Now().UTC()}.Do(ctx, l.bucket, worker.Formats())
	if err != nil {
		return err
	}
	l.seen[out.Version.Digest] = "v1"
	var added activities.AddCandidateOutput
	err = workflows.TellRelease(ctx, l.site.client, "", "flights", workflows.UpdateStart,
		workflows.ReleaseStart{Model: string(out.Version.Digest), Batch: month, By: "test", Reason: "it knows the summer"}, &added)
	if err != nil {
		return err
	}
	return l.settle(ctx)
}
