package main

import (
	"github.com/spf13/cobra"
)

func newContractCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "contract",
		Short: "Write a first contract from data, or tell what a new version breaks",
		Long: `contract works on data contracts (ODCS 3.1) by themselves: infer writes a first one from
a Parquet file, diff tells what changes between two versions and whom it breaks. To
check a contract, or a batch against it, use starter validate.`,
		Example: `  starter contract infer 2024-01.parquet --name shop --out contract.yaml
  starter contract diff contract.yaml contract-new.yaml`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newContractInferCommand(e), newContractDiffCommand(e))
	return c
}
