package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"headgate/activities"
	"headgate/internal/figure"
	"headgate/workflows"
)

func newRestoreCommand(e *env) *cobra.Command {
	in := workflows.RestoreBatchInput{}
	var queue string
	c := &cobra.Command{
		Use:   "restore PIPELINE --batch BATCH --publication N --reason TEXT",
		Short: "Bring back what a batch published earlier",
		Long: `restore publishes the files of an earlier publication of a batch again, in one
commit: readers see the old rows, and both publications stay in the history. starter
log lists the publications of a batch.`,
		Example: `  starter restore retailer --batch 2024-01 --publication 1 --reason "supplier withdrew the correction"`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			in.Pipeline = args[0]
			if in.Batch == "" || in.Publication < 1 || in.Reason == "" {
				return usageError{errors.New("restore needs --batch, --publication and --reason; see starter restore --help")}
			}
			temporalClient, err := dial(c.Context())
			if err != nil {
				return err
			}
			defer temporalClient.Close()
			run, err := workflows.StartRestore(c.Context(), temporalClient, queue, in)
			if err != nil {
				return err
			}
			warnIfUnattended(c.Context(), e, temporalClient, queue)
			var out activities.PublishOutput
			if err := await(c.Context(), e, temporalClient, run, &out); err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "%s %s: publication %d is what publication %d was, %s, table version %d\nregistry %s\n",
				in.Pipeline, in.Batch, out.Publication, in.Publication, figure.Things(out.Rows, "row"), out.TableVersion, out.Anchor)
			return nil
		},
	}
	c.Flags().StringVar(&in.Batch, "batch", "", "`batch` to restore")
	c.Flags().Int64Var(&in.Publication, "publication", 0, "`number` of the publication that becomes the current one again")
	orderFlags(c, e, &in.By, &in.Reason, &queue)
	return c
}
