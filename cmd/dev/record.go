package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"headgate/internal/columnar"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// windowFiles is one file more than a window of shards holds, so that a batch goes
// through child workflows.
const windowFiles = 201

func newRecordCommand() *cobra.Command {
	var o siteOptions
	var out string
	record := &cobra.Command{
		Use:   "record",
		Short: "Run every workflow and keep their histories",
		Long: `record scores months of every kind, restores one, closes the loop once, rehearses a schedule and raises an alert, in a fresh
directory, and writes the workflows' histories to --out. The replay tests hold every later version
of the workflows against them. Record into a new folder when a workflow changes, and
keep the old ones.`,
		Example: "  go run -C cmd/dev . record --out workflows/testdata/histories/v5",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("where to? give --out")}
			}
			if !filepath.IsAbs(out) {
				out = filepath.Join(home(), out)
			}
			if err := freshDir(c.Context(), o.dir, c.Flags().Changed("dir")); err != nil {
				return err
			}
			return runSite(c.Context(), o, c.ErrOrStderr(), func(ctx context.Context, s *site) error {
				t := &recording{story: &story{site: s, out: c.OutOrStdout(), dir: o.dir, trail: map[string][]string{}, shop: retailer.World{Seed: 1, Customers: 2000}}}
				return t.record(ctx, out)
			})
		},
	}
	o.addFlags(record, "record")
	record.Flags().StringVar(&out, "out", "", "folder for the histories, relative to the project")
	return record
}

// A recording is a story whose histories are kept.
type recording struct {
	*story
	candidates []store.Digest // of the last training
}

// record lets every workflow run and writes down what the server remembers of it.
func (t *recording) record(ctx context.Context, dir string) (err error) {
	if err := t.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.bucket.Close()) }()
	for _, do := range []func(context.Context) error{t.register, t.months, t.windows, t.restore, t.asked, t.loop, t.slots, t.alerts} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return t.save(ctx, dir)
}

// open opens the store.
func (t *recording) open(ctx context.Context) (err error) {
	t.bucket, err = store.Open(ctx, t.store)
	return err
}

// months scores an ordinary month, one with bad rows, one that is blocked, and the first
// once more.
func (t *recording) months(ctx context.Context) error {
	for _, month := range []struct {
		batch string
		fault retailer.Fault
	}{{"2024-01", retailer.NoFault}, {"2024-02", retailer.BadRows}, {"2024-03", retailer.NoFault}, {"2024-04", retailer.MissingColumn}} {
		if _, err := t.month(ctx, month.batch, month.fault, "is recorded"); err != nil {
			return err
		}
	}
	_, err := t.score(ctx, "2024-01")
	return err
}

// windows scores a month of many shards.
func (t *recording) windows(ctx context.Context) error {
	t.say("2024-05     in %d files, through windows of child workflows", windowFiles)
	if _, err := t.shop.WriteDir(ctx, t.path("incoming/retailer/2024-05"), "2024-05", &retailer.Options{Parts: windowFiles}); err != nil {
		return err
	}
	_, err := t.score(ctx, "2024-05")
	return err
}

// restore restores what is current, which repairs the batch and is a publication as well.
func (t *recording) restore(ctx context.Context) error {
	run, err := workflows.StartRestore(ctx, t.client, "", workflows.RestoreBatchInput{Pipeline: "retailer", Batch: "2024-03", Publication: 1, By: "demo", Reason: "to show how"})
	if err != nil {
		return err
	}
	t.say("restored    2024-03")
	return run.Get(ctx, nil)
}

// asked scores two months with a pipeline that asks about drift, knows a set of regions
// and gives last month's score to whom it cannot score; one is approved, one rejected.
func (t *recording) asked(ctx context.Context) error {
	file, err := t.askingPipeline()
	if err != nil {
		return err
	}
	request := registration.Request{Pipeline: file, By: "demo", Reason: "to be asked", At: time.Now().UTC().Truncate(time.Millisecond)}
	if _, err := request.Do(ctx, t.bucket, worker.Formats()); err != nil {
		return err
	}
	for _, month := range []struct {
		batch   string
		approve bool
	}{{"2024-06", true}, {"2024-07", false}} {
		incoming := filepath.Join(t.dir, "store", "incoming", "retailer", month.batch)
		if _, err := t.shop.WriteDir(ctx, incoming, month.batch, &retailer.Options{Fault: retailer.BadRows}); err != nil {
			return err
		}
		run, err := workflows.StartScore(ctx, t.client, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month.batch, By: "demo"})
		if err != nil {
			return err
		}
		if err := t.reply(ctx, run, workflows.Answer{Approve: month.approve, By: "demo", Reason: "the campaign is known"}); err != nil {
			return err
		}
		t.say("%s     asked, and answered %v", month.batch, month.approve)
	}
	return nil
}

// reply answers a batch as soon as it asks.
func (t *recording) reply(ctx context.Context, run client.WorkflowRun, answer workflows.Answer) error {
	for answer.Decision == "" {
		var card workflows.Scorecard
		if err := t.card(ctx, run.GetID(), &card); err != nil {
			return err
		}
		if card.Verdict != "" && card.Verdict != "ask" {
			return fmt.Errorf("%s asks nothing: %+v", run.GetID(), card)
		}
		if card.Until != "" {
			answer.Decision = card.Decision
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	update, err := t.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: run.GetID(), RunID: run.GetRunID(),
		UpdateName: workflows.UpdateAnswer, Args: []any{answer}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return err
	}
	return errors.Join(update.Get(ctx, nil), run.Get(ctx, nil))
}

// askingPipeline writes the pipeline file of [recording.asked], its contract and the set of
// regions.
func (t *recording) askingPipeline() (file string, err error) {
	dir := filepath.Join(t.dir, "asking")
	regions := filepath.Join(t.dir, "store", "reference", "regions")
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.MkdirAll(regions, 0o777)); err != nil {
		return "", err
	}
	pipeline, err1 := os.ReadFile(shipped("pipeline.yaml"))
	contract, err2 := os.ReadFile(shipped("contract.yaml"))
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	related := bytes.Replace(contract, []byte("      - name: region\n"), []byte("      - name: region\n        relationships: [{ to: regions.code }]\n"), 1)
	more := "drift: { action: ask }\nfallback: { score: last, for: [quarantined, vanished] }\nreferences: { regions: \"reference/regions/*.parquet\" }\n"
	file = filepath.Join(dir, "pipeline.yaml")
	return file, errors.Join(os.WriteFile(file, append(pipeline, more...), 0o644),
		os.WriteFile(filepath.Join(dir, "contract.yaml"), related, 0o644), writeRegions(filepath.Join(regions, "all.parquet")))
}

// writeRegions writes the codes of the shop's twenty regions.
func writeRegions(name string) (err error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range 20 {
		b.Append(fmt.Sprintf("R%02d", i+1))
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "code", Type: arrow.BinaryTypes.String}}, nil)
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := columnar.Create(f, schema, nil)
	if err != nil {
		return err
	}
	return errors.Join(w.Write(array.NewRecord(schema, []arrow.Array{b.NewArray()}, 20)), w.Close())
}

// save writes every workflow's history as JSON, the oldest first.
func (t *recording) save(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	list, err := t.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	if err != nil {
		return err
	}
	slices.Reverse(list.Executions)
	here, err := filepath.Abs(t.dir)
	if err != nil {
		return err
	}
	for i, e := range list.Executions {
		history := new(historypb.History)
		events := t.client.GetWorkflowHistory(ctx, e.Execution.WorkflowId, e.Execution.RunId, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				return err
			}
			history.Events = append(history.Events, event)
		}
		data, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(history)
		if err != nil {
			return err
		}
		data = bytes.ReplaceAll(data, []byte(here), []byte("/headgate")) // failures name files
		name := fmt.Sprintf("%02d-%s.json", i+1, e.Type.Name)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	t.say("recorded    %d histories in %s", len(list.Executions), dir)
	return nil
}
