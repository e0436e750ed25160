package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/audit"
	"headgate/internal/columnar"
	"headgate/internal/quarantine"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// A story is the demo: what happens, told as it happens, and checked.
type story struct {
	*site
	out    io.Writer
	dir    string
	shop   retailer.World
	bucket *store.Bucket
}

func (t *story) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// tell tells the story and returns an error where it does not go as told.
func (t *story) tell(ctx context.Context) (err error) {
	if t.bucket, err = store.Open(ctx, t.store); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.bucket.Close()) }()
	t.say("An online shop scores each of its %d customers once a month: the chance to buy within 30 days.", t.shop.Customers)
	t.say("The shop is simulated; the files, the model, the workflows and the published table are real.\n")
	if err := t.register(ctx); err != nil {
		return err
	}
	for _, chapter := range []func(context.Context) error{t.january, t.february, t.correct, t.march, t.april, t.again, t.verify} {
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
	shipped := filepath.Join(home(), "testdata", "retailer")
	out, err := registration.Request{
		Pipeline: filepath.Join(shipped, "pipeline.yaml"), Model: filepath.Join(shipped, "champion.txt"),
		Golden: filepath.Join(shipped, "golden.csv"), Expected: filepath.Join(shipped, "golden_expected.csv"),
		Reference: months,
		Source:    "LightGBM 4.6.0", Champion: true, By: "demo", Reason: "trained on 2023",
		At: time.Now().UTC().Truncate(time.Millisecond),
	}.Do(ctx, t.bucket, worker.Formats())
	if err != nil {
		return err
	}
	t.say("registered  the champion, trained on 2023 by LightGBM: %d inputs,\n            its %d golden rows score here bit for bit as they did there;\n            profiles of the %d months of 2023 are frozen with it\n",
		len(out.Version.Bundle.Inputs), out.Version.Bundle.Golden.Rows, len(out.Version.Bundle.Reference.Batches))
	return nil
}

func (t *story) january(ctx context.Context) error {
	out, err := t.month(ctx, "2024-01", retailer.NoFault, "an ordinary month")
	return errors.Join(err, published(out, 1, false))
}

func (t *story) february(ctx context.Context) error {
	out, err := t.month(ctx, "2024-02", retailer.BadRows, "a few rows break the contract")
	if err == nil && (out.Quarantined == 0 || out.Rows != out.Published+out.Quarantined) {
		err = fmt.Errorf("february: %d rows in, %d published, %d in quarantine", out.Rows, out.Published, out.Quarantined)
	}
	return errors.Join(err, published(out, 1, true))
}

// correct hands in what the supplier says the bad rows of February should have been.
func (t *story) correct(ctx context.Context) error {
	file, rows, err := t.corrections(ctx, "2024-02")
	if err != nil {
		return err
	}
	t.say("2024-02     the supplier corrects %d of the rows in quarantine; they are handed in again", rows)
	handed, err := quarantine.Replay(ctx, t.bucket, worker.Formats(), quarantine.Request{Pipeline: "retailer", Batch: "2024-02",
		File: file, By: "demo", Reason: "corrected by the supplier", At: time.Now().UTC().Truncate(time.Millisecond)})
	if err != nil {
		return err
	}
	out, err := t.score(ctx, "2024-02")
	if err == nil && (out.Replaced != rows || handed.Rows != rows || rows == 0) {
		err = fmt.Errorf("february corrected: %d rows corrected, %d handed in, %d replaced", rows, handed.Rows, out.Replaced)
	}
	return errors.Join(err, published(out, 2, true))
}

// corrections writes the rows of a month in quarantine as they should have been. Rows
// without a key stay out: nobody can say whose they are.
func (t *story) corrections(ctx context.Context, batch string) (file string, rows int64, err error) {
	q, err := quarantine.Load(ctx, t.bucket, "retailer", batch)
	if err != nil {
		return "", 0, err
	}
	schema, err := q.Schema(ctx)
	if err != nil {
		return "", 0, err
	}
	bad := map[string]bool{}
	for rec, err := range q.Records(ctx, schema) {
		if err != nil {
			return "", 0, err
		}
		keys := rec.Column(schema.FieldIndices("customer_id")[0])
		for i := range int(rec.NumRows()) {
			if keys.IsValid(i) {
				bad[strings.Clone(keys.ValueStr(i))] = true
			}
		}
	}
	file = filepath.Join(t.dir, "corrected-"+batch+".parquet")
	return file, int64(len(bad)), t.writeRows(ctx, file, batch, bad)
}

// writeRows writes the rows of some customers of a month.
func (t *story) writeRows(ctx context.Context, file, batch string, wanted map[string]bool) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var w *columnar.Writer
	for rec, err := range t.shop.Records(batch, nil) {
		if err != nil {
			return err
		}
		if w == nil {
			if w, err = columnar.Create(f, rec.Schema(), nil); err != nil {
				return err
			}
		}
		keys := rec.Column(rec.Schema().FieldIndices("customer_id")[0])
		for i := range int(rec.NumRows()) {
			if !wanted[keys.ValueStr(i)] {
				continue
			}
			if err := w.Write(rec.NewSlice(int64(i), int64(i)+1)); err != nil {
				return err
			}
		}
	}
	return errors.Join(ctx.Err(), w.Close())
}

func (t *story) march(ctx context.Context) error {
	out, err := t.month(ctx, "2024-03", retailer.NoFault, "a partner campaign brings new customers")
	if err == nil && (out.Drift == nil || out.Drift.Level != "warn" || !slices.Contains(out.Drift.Columns, "tenure")) {
		err = fmt.Errorf("march: drift %+v, want a warning about tenure", out.Drift)
	}
	return errors.Join(err, published(out, 1, false))
}

func (t *story) april(ctx context.Context) error {
	out, err := t.month(ctx, "2024-04", retailer.MissingColumn, "the supplier has lost a column")
	if err == nil && out.Verdict != "block" {
		err = fmt.Errorf("april: verdict %q, want block", out.Verdict)
	}
	if err != nil {
		return err
	}
	out, err = t.month(ctx, "2024-04", retailer.NoFault, "the supplier delivers again")
	return errors.Join(err, published(out, 1, false))
}

func (t *story) again(ctx context.Context) error {
	t.say("2024-01     once more, on the same input")
	out, err := t.score(ctx, "2024-01")
	if err == nil && !out.Unchanged {
		err = errors.New("january again: other bytes came out")
	}
	return err
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
	t.say("verified    %d registry entries, %d publications, %d data files; January recomputed outside\n            Temporal: %d rows, the same bytes",
		report.Entries, report.Publications, report.Files, again.Rows)
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
	dir, err := url.Parse(t.store)
	if err != nil {
		return workflows.ScoreBatchOutput{}, err
	}
	incoming := filepath.Join(filepath.FromSlash(dir.Path), "incoming", "retailer", batch)
	if _, err := t.shop.WriteDir(ctx, incoming, batch, &retailer.Options{Fault: fault}); err != nil {
		return workflows.ScoreBatchOutput{}, err
	}
	t.say("%s     %s", batch, what)
	return t.score(ctx, batch)
}

// score scores a batch and says what came of it.
func (t *story) score(ctx context.Context, batch string) (out workflows.ScoreBatchOutput, err error) {
	began := time.Now()
	run, err := workflows.StartScore(ctx, t.client, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "demo"})
	if err != nil {
		return out, err
	}
	if err := t.wait(ctx, run, &out); err != nil {
		return out, err
	}
	took := time.Since(began).Seconds()
	switch {
	case out.Verdict == "block":
		t.say("            BLOCKED in %.1f s, nothing was published: %s\n", took, strings.Join(out.Reasons, "; "))
	case out.Unchanged:
		t.say("            the same bytes in %.1f s: publication %d stands, no new commit\n", took, out.Publication)
	default:
		t.say("            published in %.1f s: %d rows in = %d scored + %d in quarantine", took, out.Rows, out.Published, out.Quarantined)
		t.world(out)
	}
	return out, nil
}

// world says how a published batch compares with others.
func (t *story) world(out workflows.ScoreBatchOutput) {
	if out.Replaced > 0 {
		t.say("            %d of the rows in quarantine are replaced by corrected ones", out.Replaced)
	}
	if k := out.Keys; k != nil && k.Before != "" {
		t.say("            %d customers are new and %d gone since %s", k.New, k.Vanished, k.Before)
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
			var app *temporal.ApplicationError
			if errors.As(err, &app) {
				return errors.New(app.Message())
			}
			return err
		case <-tick.C:
			t.progress(ctx, run)
		}
	}
}

func (t *story) progress(ctx context.Context, run client.WorkflowRun) {
	value, err := t.client.QueryWorkflow(ctx, run.GetID(), run.GetRunID(), "scorecard")
	var card workflows.Scorecard
	if err != nil || value.Get(&card) != nil {
		return
	}
	t.say("            … %s, %d of %d rows", card.Stage, card.RowsDone, card.Rows)
}

// epilogue says where everything is and how to do the same by hand.
func (t *story) epilogue() {
	dir, _ := strings.CutPrefix(t.store, "file://")
	query := url.Values{"query": {`HeadgatePipeline="retailer"`}}
	t.say(`
Look at the runs     %s/namespaces/default/workflows?%s
                     (a run's page shows its scorecard; the list has search attributes)

The published table  %s/scores/retailer
  is a Delta Lake table, partitioned by batch. Read it with any of:
  duckdb      SELECT batch, count(*), avg(score) FROM delta_scan('%[3]s/scores/retailer') GROUP BY batch;
  polars      pl.read_delta("%[3]s/scores/retailer")
  deltalake   DeltaTable("%[3]s/scores/retailer").to_pandas()

The same by hand, in the project's directory, while this runs:
  export HEADGATE_STORE=%[3]s TEMPORAL_ADDRESS=%[4]s
  go run ./cmd/starter register testdata/retailer/pipeline.yaml --model testdata/retailer/champion.txt \
      --golden testdata/retailer/golden.csv --expected testdata/retailer/golden_expected.csv \
      --source "LightGBM 4.6.0" --champion \
      $(for m in 01 02 03 04 05 06 07 08 09 10 11 12; do echo --reference 2023-$m=%[5]s/history/2023-$m/part-0000.parquet; done)
  go run ./cmd/starter score retailer --batch 2024-01 --wait
  go run ./cmd/starter quarantine show retailer --batch 2024-02
  go run ./cmd/starter quarantine replay retailer --batch 2024-02 --data %[5]s/corrected-2024-02.parquet --wait
  go run ./cmd/starter status retailer
  go run ./cmd/starter log retailer
  go run ./cmd/starter verify retailer --all-batches
  go run ./cmd/starter why retailer 2024-01 C000000001-00
  go run ./cmd/starter show %[3]s/incoming/retailer/2024-02/part-0000.parquet`,
		t.server.UI(), query.Encode(), dir, t.server.Address(), t.dir)
}
