package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/audit"
	"headgate/internal/bundle"
	"headgate/internal/figure"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// A story is the demo: what happens, told as it happens, and checked.
type story struct {
	*site
	out      io.Writer
	dir      string
	shop     retailer.World
	ask      func(context.Context) error // of a person whether a challenger may serve; nil: the story approves by itself
	bucket   *store.Bucket
	files    *registration.Files
	first    store.Digest        // the champion of 2023
	second   store.Digest        // the one that the evidence made champion
	somebody string              // a customer of August who was given the challenger's score
	heard    int                 // entries of the registry that were told
	trail    map[string][]string // decisions of a month, for the table at the end
	arrivals map[string]int      // deliveries of a month

	by     actor  // who does what the story tells; nil: this process
	before string // directory in which files wait to be carried into the store; "": its own
}

func (t *story) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// tell tells the story and returns an error where it does not go as told.
func (t *story) tell(ctx context.Context) (err error) {
	if t.bucket, err = store.Open(ctx, t.store); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.bucket.Close()) }()
	t.say("An online shop scores each of its %s customers once a month: the chance to buy within 30 days.", figure.Count(t.shop.Customers))
	t.say("The shop is simulated; the files, the model, the workflows and the published table are real.\n")
	for _, chapter := range []func(context.Context) error{
		t.register, t.january, t.february, t.correct, t.march, t.april, t.again,
		t.may, t.june, t.july, t.august, t.september, t.october, t.november, t.december, t.season, t.verify, t.summary,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// register puts the shipped pipeline, contract and champion into the registry, with the
// months of 2023 as what later months are compared with.
func (t *story) register(ctx context.Context) error {
	var months []registration.Batch
	for m := time.January; m <= time.December; m++ {
		month := fmt.Sprintf("2023-%02d", m)
		files, err := t.shop.WriteDir(ctx, filepath.Join(t.dir, "history", month), month, nil)
		if err != nil {
			return err
		}
		for _, f := range files {
			months = append(months, registration.Batch{Name: month, File: f})
		}
	}
	var err error
	if t.files, err = registration.Read(shipped("loop.yaml")); err != nil {
		return err
	}
	t.first, err = t.acts().register(ctx, registration.Request{
		Pipeline: shipped("loop.yaml"), Model: shipped("champion.txt"), Golden: shipped("golden.csv"), Expected: shipped("golden_expected.csv"),
		Reference: months,
		Source:    "LightGBM 4.6.0", Champion: true, By: "demo", Reason: "trained on 2023",
		At: now(),
	})
	if err != nil {
		return err
	}
	champion, err := bundle.Read(ctx, t.bucket, t.first)
	if err != nil {
		return err
	}
	t.say("registered  the champion, trained on 2023 by LightGBM: %d inputs,\n            its %d golden rows score here bit for bit as they did there;\n            profiles of the %d months of 2023 are frozen with it\n",
		len(champion.Inputs), champion.Golden.Rows, len(champion.Reference.Batches))
	return nil
}

// verify walks the audit trail and scores January again from its input.
func (t *story) verify(ctx context.Context) error {
	a := &audit.Auditor{Store: t.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(ctx)
	if err != nil {
		return err
	}
	again, err := a.Recompute(ctx, "2024-01")
	if err != nil {
		return err
	}
	if findings := append(report.Findings, again.Findings...); len(findings) > 0 || !again.SameBytes {
		return fmt.Errorf("verify: %v", findings)
	}
	t.say("verified    %d registry entries, %d publications, %d data files; January recomputed outside\n            Temporal: %s, the same bytes",
		report.Entries, report.Publications, report.Files, figure.Things(again.Rows, "row"))
	return nil
}

// published returns an error if a batch is not published as told.
func published(out workflows.ScoreBatchOutput, publication int64, quarantine bool) error {
	if out.Verdict == "pass" && out.Publication == publication && out.Published > 0 && (out.Quarantined > 0) == quarantine {
		return nil
	}
	return fmt.Errorf("not as told: %+v", out)
}

// month delivers a month and scores it.
func (t *story) month(ctx context.Context, batch string, fault retailer.Fault, what string) (workflows.ScoreBatchOutput, error) {
	t.say("%s     %s", batch, what)
	files, err := t.shop.WriteDir(ctx, t.path("incoming/retailer/"+batch), batch, &retailer.Options{Fault: fault})
	if err == nil {
		err = t.arrived(batch, files...)
	}
	if err != nil {
		return workflows.ScoreBatchOutput{}, err
	}
	if err := t.carry(ctx, "incoming/retailer/"+batch); err != nil {
		return workflows.ScoreBatchOutput{}, err
	}
	return t.score(ctx, batch)
}

// arrived dates the files of a delivery: the nth of a month comes n hours after its first
// day has begun. A run is named by what it reads, and that includes when it was written;
// a story that is told twice is to have the same runs.
func (t *story) arrived(batch string, files ...string) error {
	at, err := time.Parse("2006-01", batch)
	if err != nil {
		return err
	}
	if t.arrivals == nil {
		t.arrivals = map[string]int{}
	}
	t.arrivals[batch]++
	at = at.Add(time.Duration(t.arrivals[batch]) * time.Hour)
	for _, f := range files {
		err = errors.Join(err, os.Chtimes(f, at, at))
	}
	return err
}

// score scores a batch and says what came of it.
func (t *story) score(ctx context.Context, batch string) (out workflows.ScoreBatchOutput, err error) {
	began := time.Now()
	if out, err = t.acts().score(ctx, batch); err != nil {
		return out, err
	}
	took := time.Since(began).Seconds()
	switch {
	case out.Verdict == "block":
		t.say("            BLOCKED in %.1f s, nothing was published: %s\n", took, strings.Join(out.Reasons, "; "))
	case out.Unchanged:
		t.say("            the same bytes in %.1f s: publication %d stands, no new commit\n", took, out.Publication)
	default:
		t.say("            published in %.1f s: %s in = %s scored + %s in quarantine", took, figure.Things(out.Rows, "row"), figure.Count(out.Published), figure.Count(out.Quarantined))
		t.world(out)
	}
	return out, nil
}

// world says how a published batch compares with others.
func (t *story) world(out workflows.ScoreBatchOutput) {
	if out.Replaced > 0 {
		t.say("            %s of the rows in quarantine are replaced by corrected ones", figure.Count(out.Replaced))
	}
	if len(out.Models) > 1 {
		var parts []string
		for _, m := range out.Models {
			parts = append(parts, figure.Count(m.Rows)+" by "+papers.Short(m.Model))
		}
		t.say("            rows scored %s", strings.Join(parts, ", "))
	}
	if k := out.Keys; k != nil && k.Before != "" {
		t.say("            %s customers are new and %s gone since %s", figure.Count(k.New), figure.Count(k.Vanished), k.Before)
	}
	switch d := out.Drift; {
	case d == nil:
	case len(d.Columns) > 0:
		t.say("            DRIFT, %s: %s\n            (against %s; a warning stops nothing by itself)", d.Level, strings.Join(d.Columns, ", "), d.Reference)
	default:
		t.say("            drift: %s, against %s", d.Level, d.Reference)
	}
	t.say("")
}

// wait waits for a batch, and says every few seconds how far it is.
func (t *story) wait(ctx context.Context, run client.WorkflowRun, out *workflows.ScoreBatchOutput) error {
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, out) }()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return reason(err)
		case <-tick.C:
			t.progress(ctx, run)
		}
	}
}

// reason is what went wrong in a workflow, without where.
func reason(err error) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return errors.New(app.Message())
	}
	return err
}

func (t *story) progress(ctx context.Context, run client.WorkflowRun) {
	value, err := t.client.QueryWorkflow(ctx, run.GetID(), run.GetRunID(), "scorecard")
	var card workflows.Scorecard
	if err != nil || value.Get(&card) != nil {
		return
	}
	t.say("            … %s, %s of %s", card.Stage, figure.Count(card.RowsDone), figure.Things(card.Rows, "row"))
}

// shipped is where a file of the retailer lies.
func shipped(name string) string { return filepath.Join(home(), "testdata", "retailer", name) }

// now is the present as the registry writes it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// note keeps a decision for the table at the end.
func (t *story) note(month, format string, args ...any) {
	t.trail[month] = append(t.trail[month], fmt.Sprintf(format, args...))
}
