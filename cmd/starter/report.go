package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/dossier"
	"headgate/internal/report/page"
)

// reportFlags are what a report is asked for.
type reportFlags struct {
	store, format, out string
	open, quiet        bool
}

func newReportCommand(e *env) *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report PIPELINE WHAT",
		Short: "Make a page about a batch, a month, a training, a release or a model",
		Long: `report gathers what the store holds about one thing and writes one page: what happened,
may it be trusted, who must act; then scores, drift, outcomes, gates and lineage with
their numbers and intervals. The page is a single file that needs no network and no
script. Markdown and JSON have the same facts. Same store, same bytes.

WHAT is
  BATCH              the run of a batch that is published, or was judged last
  BATCH/RUN          another run of it, by the first 8 or more digits
  training/ID        a training, by its digits or by the last batch it learned from
  month/BATCH        the month-end page: what was published, decided and is open
  release/NAME       a release, by its name or its beginning
  card[/VERSION]     the model card of a version; without one, of the champion

It reads the store only. Without --out the page goes to standard output.`,
		Example: `  starter report retailer 2024-08 --open
  starter report retailer 2024-08 --out august.html
  starter report retailer 2024-04/71ed671b --format markdown
  starter report retailer month/2024-08 --open
  starter report retailer release/2024-05-refit-9ef6f019 --out release.html
  starter report retailer card --format markdown
  starter report retailer training/2024-05 --format json | jq .challengers`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if _, ok := renderings[f.format]; !ok {
				return usageError{fmt.Errorf("--format is html, markdown or json, not %q", f.format)}
			}
			b, err := openStore(c.Context(), e, f.store)
			if err != nil {
				return err
			}
			defer b.Close()
			r, err := dossier.Open(c.Context(), b, args[0], formats)
			if errors.Is(err, dossier.ErrUnknown) {
				return notRegistered(args[0], b)
			}
			if err != nil {
				return plain(err)
			}
			if !f.quiet {
				r.Progress = func(s string) { fmt.Fprintln(e.stderr, "reading", s) }
			}
			return writeReport(c.Context(), e, r, args[1], f)
		},
	}
	storeFlag(c, &f.store)
	c.Flags().StringVar(&f.format, "format", "html", "`format`: html, markdown or json")
	c.Flags().StringVarP(&f.out, "out", "o", "", "`file` to write (default stdout)")
	c.Flags().BoolVar(&f.open, "open", false, "open the page in the browser")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return c
}

// A subject is something that there is a page about.
type subject interface{ Page() *page.Page }

// renderings are the formats of a report, and how their files are called.
var renderings = map[string]struct {
	ext    string
	render func(subject) ([]byte, error)
}{
	"html":     {".html", func(s subject) ([]byte, error) { return page.HTML(s.Page()) }},
	"markdown": {".md", func(s subject) ([]byte, error) { return page.Markdown(s.Page()), nil }},
	"json":     {".json", func(s subject) ([]byte, error) { return page.JSON(s) }},
}

// gather finds what a report is asked about.
func gather(ctx context.Context, r *dossier.Reader, what string) (subject, error) {
	kind, name, _ := strings.Cut(what, "/")
	switch kind {
	case "training":
		return r.Training(ctx, name)
	case "release":
		return r.Release(ctx, name)
	case "month":
		return r.Month(ctx, name)
	case "card":
		return r.Card(ctx, name)
	}
	return r.Batch(ctx, kind, name)
}

func writeReport(ctx context.Context, e *env, r *dossier.Reader, what string, f reportFlags) error {
	s, err := gather(ctx, r, what)
	if err != nil {
		return plain(err)
	}
	rendering := renderings[f.format]
	text, err := rendering.render(s)
	if err != nil {
		return err
	}
	switch {
	case f.out == "" && !f.open:
		_, err := e.stdout.Write(text)
		return err
	case f.out == "":
		dir, err := os.MkdirTemp("", "headgate-report-")
		if err != nil {
			return err
		}
		f.out = filepath.Join(dir, strings.ReplaceAll(r.Pipeline+"-"+what, "/", "-")+rendering.ext)
	}
	if err := os.WriteFile(f.out, text, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, f.out)
	if f.open {
		return openFile(ctx, f.out)
	}
	return nil
}

// openFile shows a file in the program that the desktop has for it.
func openFile(ctx context.Context, name string) error {
	opener := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if opener == nil {
		opener = []string{"xdg-open"}
	}
	if err := exec.CommandContext(ctx, opener[0], append(opener[1:], name)...).Run(); err != nil {
		return fmt.Errorf("open %s: %w; open it yourself", name, err)
	}
	return nil
}
