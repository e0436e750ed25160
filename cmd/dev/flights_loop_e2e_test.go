//go:build e2e

package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/audit"
	"headgate/internal/gate"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// Two real years go through the closed loop by the policy of testdata/flights/loop.yaml,
// which was fixed before the first run. docs/flights.md has what came of it.
func TestTheLoopOverFlights(t *testing.T) {
	for _, n := range []int{2021, 2017} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			began := time.Now()
			l := &loopYear{year: newYear(t), n: n, file: filepath.Join(home(), "testdata", "flights", "loop.yaml"), seen: map[store.Digest]string{}}
			l.months = slices.Sorted(maps.Keys(ask[map[string]int64](l.year, "prepare.py", l.shared, l.store(), l.out, strconv.Itoa(n))))
			if err := runSite(t.Context(), siteOptions{dir: l.dir}, t.Output(), l.live); err != nil {
				t.Fatal(err)
			}
			months := ask[[]worth](l.year, "worth.py", filepath.Join(l.store(), "scores", "flights"), l.out)
			table := l.table(months)
			t.Logf("%d, in %.0f s\n\n%s", n, time.Since(began).Seconds(), table)
			l.check(months)
			l.documented(table)
		})
	}
}

// A loopYear is a year in a site whose loop is closed.
type loopYear struct {
	*year
	n      int
	file   string   // of the pipeline
	months []string // that are scored
	site   *site
	bucket *store.Bucket
	head   int64                   // last registry entry that is told
	seen   map[store.Digest]string // names of versions: v0 is the first champion
	told   []chapter
}

// A chapter is what happened up to the publication of a month; the last one has none.
type chapter struct {
	month    string
	events   []string
	served   string // names and shares
	champion string // of the month
	released string // version that was promoted last, also if it was taken back
	full     bool   // somebody other than the first champion served everybody
	back     []string
}

// live lives through the year, and tells of it.
func (l *loopYear) live(ctx context.Context, s *site) error {
	return l.through(ctx, s, func(context.Context, int) error { return nil }, func(ctx context.Context) error {
		for _, month := range l.months[len(l.months)-2:] {
			if err := l.mature(ctx, month); err != nil {
				return err
			}
		}
		if err := l.tell(ctx, chapter{}); err != nil {
			return err
		}
		if err := l.versions(ctx); err != nil {
			return err
		}
		return l.verify(ctx)
	})
}

// through registers the champion and publishes month after month. Labels come a month late;
// before happens when they are known and the month is not yet published, end after the last.
func (l *loopYear) through(ctx context.Context, s *site, before func(ctx context.Context, month int) error, end func(context.Context) error) (err error) {
	l.site = s
	if l.bucket, err = store.Open(ctx, s.store); err != nil {
		return err
	}
	defer l.bucket.Close()
	if err := l.register(ctx); err != nil {
		return err
	}
	for i, month := range l.months {
		if i >= 2 {
			if err := l.mature(ctx, l.months[i-2]); err != nil {
				return err
			}
		}
		if err := before(ctx, i); err != nil {
			return err
		}
		if err := l.publish(ctx, month); err != nil {
			return fmt.Errorf("%s: %w", month, err)
		}
	}
	return end(ctx)
}

// register puts pipeline, contracts and the first champion into the registry, with the
// months that it learned from as its reference.
func (l *loopYear) register(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(l.out, "history", "*", "*.parquet"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no history (%v)", err)
	}
	var reference []registration.Batch
	for _, f := range files {
		reference = append(reference, registration.Batch{Name: filepath.Base(filepath.Dir(f)), File: f})
	}
	out, err := registration.Request{
		Pipeline: l.file, Model: filepath.Join(l.out, "champion.txt"),
		Golden: filepath.Join(l.out, "golden.parquet"), Expected: filepath.Join(l.out, "golden_expected.parquet"),
		Reference: reference, Source: "LightGBM", Training: filepath.Join(l.out, "training.json"), Champion: true, By: "test",
		At: time.Date(l.n, 4, 1, 0, 0, 0, 0, time.UTC),
	}.Do(ctx, l.bucket, worker.Formats())
	if err == nil {
		l.seen[out.Version.Digest] = "v0"
	}
	return err
}

// mature delivers the labels of a month, and lets everything happen that follows.
func (l *loopYear) mature(ctx context.Context, month string) error {
	to := filepath.Join(l.store(), "labels", "flights", month)
	if err := os.CopyFS(to, os.DirFS(filepath.Join(l.out, "labels", month))); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "_COMPLETE"), nil, 0o666); err != nil {
		return err
	}
	flow, err := workflows.StartEvaluate(ctx, l.site.client, "", workflows.EvaluateBatchInput{Pipeline: "flights", Batch: month, By: "test"})
	if err != nil {
		return err
	}
	var out workflows.EvaluateBatchOutput
	if err := flow.Get(ctx, &out); err != nil {
		return fmt.Errorf("evaluate %s: %w", month, err)
	}
	if out.Verdict != registry.VerdictPass && out.Verdict != registry.VerdictInconclusive {
		return fmt.Errorf("evaluate %s: %s: %s", month, out.Verdict, strings.Join(out.Reasons, "; "))
	}
	if out.Retraining {
		var trained workflows.RetrainOutput
		if err := l.site.client.GetWorkflow(ctx, workflows.RetrainID("flights"), "").Get(ctx, &trained); err != nil {
			return fmt.Errorf("retrain after %s: %w", month, err)
		}
	}
	return l.settle(ctx)
}

// publish scores a month and tells what came before it.
func (l *loopYear) publish(ctx context.Context, month string) error {
	c := chapter{month: month}
	if err := l.tell(ctx, c); err != nil {
		return err
	}
	flow, err := workflows.StartScore(ctx, l.site.client, "", workflows.ScoreBatchInput{Pipeline: "flights", Batch: month, By: "test"})
	if err != nil {
		return err
	}
	var out workflows.ScoreBatchOutput
	if err := flow.Get(ctx, &out); err != nil {
		return err
	}
	if out.Verdict != registry.VerdictPass {
		return fmt.Errorf("verdict %s: %s", out.Verdict, strings.Join(out.Reasons, "; "))
	}
	if err := l.serves(ctx, month); err != nil {
		return err
	}
	return l.settle(ctx)
}

// settle waits until the release waits for more than an answer, which it gets.
func (l *loopYear) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		r, err := activities.OpenReleases(ctx, l.bucket, "flights")
		if err != nil {
			return err
		}
		next := release.Next(r.State, r.Settings, time.Now())
		switch next.Kind {
		case release.DoNothing:
			return nil
		case release.DoAsk:
			if err := l.answer(ctx, next); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the release does not go on: %s %s", next.Kind, next.Reason)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// answer says yes to a pass and to a release that nothing judges, and no to other verdicts.
func (l *loopYear) answer(ctx context.Context, question release.Action) error {
	d := gate.Decision{Verdict: gate.Pass}
	if question.Decision != question.Model {
		if err := papers.LoadBlob(ctx, l.bucket, store.Digest(question.Decision), &d); err != nil {
			return err
		}
	}
	update := workflows.UpdateReject
	if d.Verdict == gate.Pass {
		update = workflows.UpdateApprove
	}
	var out activities.CheckApprovalOutput
	return workflows.TellRelease(ctx, l.site.client, "", "flights", update, workflows.ReleaseAnswer{By: "test", Reason: "the verdict is " + string(d.Verdict),
		Decision: question.Decision, Nonce: question.Nonce, Step: question.Step, Model: question.Model}, &out)
}

// verify checks the audit trail, and measures the evidence of all decisions again.
func (l *loopYear) verify(ctx context.Context) error {
	a := &audit.Auditor{Store: l.bucket, Formats: worker.Formats(), Pipeline: "flights"}
	report, err := a.Verify(ctx)
	if err == nil && (len(report.Findings) > 0 || report.Publications < len(l.months)) {
		err = fmt.Errorf("verify: %d publications, want %d; findings %v", report.Publications, len(l.months), report.Findings)
	}
	if err != nil {
		return err
	}
	again, err := a.Remeasure(ctx)
	if err == nil && len(again.Findings) > 0 {
		err = fmt.Errorf("measured again: %v", again.Findings)
	}
	return err
}

// documented keeps the table of docs/flights.md true. With HEADGATE_UPDATE it is written.
func (l *loopYear) documented(table string) {
	l.t.Helper()
	path := filepath.Join(home(), "docs", "flights.md")
	text, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	begin, end := fmt.Sprintf("<!-- %d -->\n\n", l.n), fmt.Sprintf("\n<!-- end of %d -->", l.n)
	before, rest, ok := strings.Cut(string(text), begin)
	was, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		l.t.Fatalf("%s has no place for %d, between %q and %q", path, l.n, begin, end)
	case was == table:
	case os.Getenv("HEADGATE_UPDATE") == "":
		l.t.Errorf("%s says something else; if that is meant to be, run again with HEADGATE_UPDATE=1", path)
	default:
		if err := os.WriteFile(path, []byte(before+begin+table+end+after), fs.FileMode(0o644)); err != nil {
			l.t.Fatal(err)
		}
	}
}
