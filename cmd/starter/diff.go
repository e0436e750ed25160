package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"headgate/internal/bundle"
	"headgate/internal/registration"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/version"
)

func newDiffCommand(e *env) *cobra.Command {
	var url string
	var asJSON bool
	var proposal int64
	c := &cobra.Command{
		Use:   "diff PIPELINE VERSION VERSION",
		Short: "Tell how two model versions differ, or what a proposal changes",
		Long: `diff lists what two registered model versions do not share: inputs, the categories that
only one of them knows, contract, parameters and data of the training, what came of it,
calibration, golden rows, reference, and the importance of features.

VERSION is a digest, its first digits, or champion.

With --proposal it shows instead what a proposal changes in the pipeline file and in the
contracts, and whom that breaks.`,
		Example: `  starter diff retailer champion 9f2c41d0
  starter diff retailer --proposal 12`,
		Args: arguments(cobra.MaximumNArgs(3)),
		RunE: func(c *cobra.Command, args []string) error {
			if proposal == 0 && len(args) != 3 || proposal != 0 && len(args) != 1 {
				return usageError{errors.New("diff takes PIPELINE VERSION VERSION, or PIPELINE with --proposal; see starter diff --help")}
			}
			b, log, err := openRegistry(c.Context(), e, url, args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			if proposal != 0 {
				return showProposal(c.Context(), e, b, log, proposal)
			}
			return diffVersions(c.Context(), e, b, log.State(), args[1:], asJSON)
		},
	}
	storeFlag(c, &url)
	c.Flags().BoolVar(&asJSON, "json", false, "print the differences as JSON")
	c.Flags().Int64Var(&proposal, "proposal", 0, "`number` of the registry's entry that proposes other files")
	return c
}

func showProposal(ctx context.Context, e *env, b *store.Bucket, log *registry.Log, seq int64) error {
	entry, c, err := registration.Proposed(ctx, b, log, seq)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "proposal %d by %s: %s\n\n", seq, entry.By, entry.Reason)
	printChange(e, c)
	return nil
}

func diffVersions(ctx context.Context, e *env, b *store.Bucket, state registry.State, names []string, asJSON bool) error {
	var digests []store.Digest
	var bundles []*bundle.Bundle
	for _, name := range names {
		d, err := findVersion(state, name)
		if err != nil {
			return err
		}
		bun, err := bundle.Read(ctx, b, d)
		if err != nil {
			return err
		}
		digests, bundles = append(digests, d), append(bundles, bun)
	}
	all := version.Diff(bundles[0], bundles[1])
	if asJSON {
		return printJSON(e, slices.Concat([]version.Difference{}, all))
	}
	if len(all) == 0 {
		fmt.Fprintf(e.stdout, "%s and %s differ in nothing that a bundle holds\n", papers.Short(digests[0]), papers.Short(digests[1]))
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "PART\tWHAT\t%s\t%s\n", papers.Short(digests[0]), papers.Short(digests[1]))
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Part, d.What, d.Old, d.New)
	}
	return w.Flush()
}

// findVersion returns the model version that a name stands for: an alias, a digest or
// its first digits.
func findVersion(state registry.State, name string) (store.Digest, error) {
	if d, ok := state.Aliases[name]; ok {
		return d, nil
	}
	prefix := strings.TrimPrefix(name, "sha256:")
	var found []store.Digest
	for _, d := range state.Models {
		if name != "" && strings.HasPrefix(strings.TrimPrefix(string(d), "sha256:"), prefix) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("no model version begins with %q; starter log names them", name)
	}
	return "", fmt.Errorf("%d model versions begin with %q; give more digits", len(found), name)
}
