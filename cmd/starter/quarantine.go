package main

import (
	"github.com/spf13/cobra"
)

func newQuarantineCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine",
		Short: "Show the rows that were kept back, or hand corrected ones in",
		Long: `quarantine is about the rows of a batch that broke its contract and were not published.
show prints or writes them, with the rules that they break; replay takes them back in
after somebody has corrected them, and publishes the batch again with them.`,
		Example: `  starter quarantine show retailer --batch 2024-02
  starter quarantine show retailer --batch 2024-02 --out bad.parquet
  starter quarantine replay retailer --batch 2024-02 --data fixed.parquet --wait`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },

		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newQuarantineShowCommand(e), newQuarantineReplayCommand(e))
	return c
}
