package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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
		Short: "Tell a year of a simulated shop, on real Temporal",
		Long: `demo starts a Temporal server, its Web UI and a worker in a fresh directory, and lives
through 2024 of a simulated online shop. Rows and columns go wrong and are delivered again;
in May prices change, which no feature shows; when labels show it, challengers are trained;
one of them proves itself on a month that it has not seen, serves one customer in ten once
you say yes, and then all. Later a challenger that knows nothing is blocked, a canary that
turns bad is rolled back, and a published month is taken back by hand. A table at the end
says what each month was worth. Nothing in the data is real; everything else is.

Every step is checked: the demo fails where something does not go as told. It asks on the
terminal before a challenger serves anybody, and at the end stays up, so that you can look
around. With --once it approves by itself and ends with the story.`,
		Example: `  go run -C cmd/dev . demo
  go run -C cmd/dev . demo --once --dir /tmp/demo`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.customers < 20_000 {
				return usageError{errors.New("--customers must be at least 20000: the labels of fewer say too little for the story")}
			}
			if err := freshDir(c.Context(), o.dir, c.Flags().Changed("dir")); err != nil {
				return err
			}
			return runSite(c.Context(), o.siteOptions, c.ErrOrStderr(), func(ctx context.Context, s *site) error {
				out := c.OutOrStdout()
				fmt.Fprintf(out, "Temporal Web UI  %s\nmetrics          %s\n\n", s.server.UI(), s.metrics())
				t := &story{site: s, out: out, dir: o.dir, trail: map[string][]string{}, shop: retailer.World{Seed: 1, Customers: o.customers}}
				if !o.once {
					t.ask = asker(c.InOrStdin(), out)
				}
				if err := t.tell(ctx); err != nil {
					return err
				}
				t.epilogue()
				if o.once {
					fmt.Fprintf(out, "\nit ends here; to look around and to try these, bring it up again:\n  %s\n", t.bringUp())
					return nil
				}
				fmt.Fprintln(out, "\nstill running, so that you can look around; Ctrl-C stops")
				<-ctx.Done()
				return nil
			})
		},
	}
	o.addFlags(demo, "demo")
	demo.Flags().BoolVar(&o.once, "once", false, "approve by itself, and end when the story ends")
	demo.Flags().IntVar(&o.customers, "customers", 20_000, "customers of the simulated shop; the story is written for as many as there are by default")
	return demo
}

// asker returns what asks a person on the terminal, until the answer is yes or no. The end
// of the input is no.
func asker(in io.Reader, out io.Writer) func(context.Context) error {
	lines := bufio.NewScanner(in)
	return func(ctx context.Context) error {
		for {
			fmt.Fprint(out, "            approve? [y/n] ")
			said := make(chan string, 1)
			go func() {
				if !lines.Scan() {
					said <- "nothing"
					return
				}
				said <- strings.ToLower(strings.TrimSpace(lines.Text()))
			}()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case answer := <-said:
				switch answer {
				case "y", "yes":
					return nil
				case "n", "no", "nothing":
					return fmt.Errorf("you said %s, and the story ends here; with --once it approves by itself", answer)
				}
			}
		}
	}
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
