package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"headgate/cmd/dev/devserver"
	"headgate/internal/retailer"
)

// demoOptions choose the world of the demo.
type demoOptions struct {
	siteOptions
	once      bool
	customers int
}

func newDemoCommand() *cobra.Command {
	var o demoOptions
	demo := &cobra.Command{
		Use:   "demo",
		Short: "Tell the story of four months in a simulated shop, on real Temporal",
		Long: `demo starts a Temporal server, its Web UI and a worker in a fresh directory, and scores
January to April 2024 of a simulated online shop: a good month, one with a few bad rows that
are corrected, one in which other customers come, and one that comes without a column, is
blocked, and is delivered again. Nothing in the data is real; everything else is.

Then it stays up, so that you can look around. With --once it ends with the story: exit
code 0 if every month went as told.`,
		Example: `  go run -C cmd/dev . demo
  go run -C cmd/dev . demo --once --customers 200000`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.customers < 1000 {
				return usageError{errors.New("--customers must be at least 1000: the story needs a few bad rows among them")}
			}
			if err := freshDir(c.Context(), o.dir, c.Flags().Changed("dir")); err != nil {
				return err
			}
			return runSite(c.Context(), o.siteOptions, c.ErrOrStderr(), func(ctx context.Context, s *site) error {
				out := c.OutOrStdout()
				fmt.Fprintf(out, "Temporal Web UI  %s\n\n", s.server.UI())
				t := &story{site: s, out: out, dir: o.dir, trail: map[string][]string{}, shop: retailer.World{Seed: 1, Customers: o.customers}}
				if err := t.tell(ctx); err != nil {
					return err
				}
				t.epilogue()
				if !o.once {
					fmt.Fprintln(out, "\nstill running, so that you can look around; Ctrl-C stops")
					<-ctx.Done()
				}
				return nil
			})
		},
	}
	o.addFlags(demo, "demo")
	demo.Flags().BoolVar(&o.once, "once", false, "end when the story ends")
	demo.Flags().IntVar(&o.customers, "customers", 20_000, "customers of the simulated shop")
	return demo
}

// marker is a file that says that a directory is a demo's and may be made anew.
const marker = "this-is-a-demo"

// freshDir empties the demo's own directory. One that the user chose must be empty,
// or an earlier demo's.
func freshDir(ctx context.Context, dir string, chosen bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil && len(entries) > 0 && chosen {
		return usageError{fmt.Errorf("%s is not empty; choose another directory with --dir", dir)}
	}
	if err := devserver.Free(ctx, dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), []byte("made by cmd/dev demo, which may delete this directory\n"), 0o644)
}
