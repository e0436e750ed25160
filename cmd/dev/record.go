package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"

	"headgate/internal/retailer"
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
		Short: "Run the demo's story and keep the histories of its workflows",
		Long: `record runs the demo's story, a restore and a batch of many shards in a fresh directory,
and writes the workflows' histories to --out. The replay tests hold every later version
of the workflows against them. Record into a new folder when a workflow changes, and
keep the old ones.`,
		Example: "  go run -C cmd/dev . record --out workflows/testdata/histories/v2",
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
				t := &story{site: s, out: c.OutOrStdout(), dir: o.dir, shop: retailer.World{Seed: 1, Customers: 2000}}
				return t.record(ctx, out)
			})
		},
	}
	o.addFlags(record, "record")
	record.Flags().StringVar(&out, "out", "", "folder for the histories, relative to the project")
	return record
}

// record tells the story and writes down what the server remembers of it.
func (t *story) record(ctx context.Context, dir string) error {
	if err := t.tell(ctx); err != nil {
		return err
	}
	t.say("2024-05     in %d files, through windows of child workflows", windowFiles)
	incoming := filepath.Join(t.dir, "store", "incoming", "retailer", "2024-05")
	if _, err := t.shop.WriteDir(ctx, incoming, "2024-05", &retailer.Options{Parts: windowFiles}); err != nil {
		return err
	}
	if _, err := t.score(ctx, "2024-05"); err != nil {
		return err
	}
	restore := workflows.RestoreBatchInput{Pipeline: "retailer", Batch: "2024-03", Publication: 1, By: "demo", Reason: "to show how"}
	run, err := workflows.StartRestore(ctx, t.client, "", restore)
	if err != nil {
		return err
	}
	// Restoring what is current repairs the batch; it is a publication as well.
	if err := run.Get(ctx, nil); err != nil {
		return err
	}
	t.say("restored    2024-03")
	return t.save(ctx, dir)
}

// save writes every workflow's history as JSON, the oldest first.
func (t *story) save(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	list, err := t.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	if err != nil {
		return err
	}
	slices.Reverse(list.Executions)
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
		name := fmt.Sprintf("%02d-%s.json", i+1, e.Type.Name)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	t.say("recorded    %d histories in %s", len(list.Executions), dir)
	return nil
}
