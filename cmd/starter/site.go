package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/dossier"
	"headgate/internal/figure"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/report/page"
	"headgate/internal/store"
)

// siteFlags are what a site is made with.
type siteFlags struct {
	store, out string
	quiet      bool
}

func newSiteCommand(e *env) *cobra.Command {
	var f siteFlags
	c := &cobra.Command{
		Use:   "site [PIPELINE…]",
		Short: "Make a static index of all runs, months, trainings, releases and model cards",
		Long: `site writes a directory of pages that any web server, or none, can show: an index of
the pipelines, an index of each, and one page for each month, run, training, release
and model version. Links are relative, and there is no script: open index.html in a
browser, put the directory into a bucket, or send it as an archive.

Without a name it takes every pipeline of the store. Same store, same bytes; a file
that has its bytes already is not written again, so a copy to a bucket moves only
what is new. Files of earlier sites are left alone. It reads the store only.`,
		Example: `  starter site --out public
  starter site retailer --out public --quiet
  starter site retailer flights --out /srv/www/headgate`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if f.out == "" {
				return usageError{errors.New("site needs --out, the directory to write; see starter site --help")}
			}
			b, err := openStore(c.Context(), e, f.store)
			if err != nil {
				return err
			}
			defer b.Close()
			return plain(writeSite(c.Context(), e, b, args, f))
		},
	}
	storeFlag(c, &f.store)
	c.Flags().StringVarP(&f.out, "out", "o", "", "`directory` to write; it is made if it is not there")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	return c
}

// A site is a directory of pages, while it is written.
type site struct {
	out            string
	say            func(format string, args ...any)
	written, alike int
}

func writeSite(ctx context.Context, e *env, b *store.Bucket, names []string, f siteFlags) error {
	s := &site{out: f.out, say: func(string, ...any) {}}
	if !f.quiet {
		s.say = func(format string, args ...any) { fmt.Fprintf(e.stderr, format+"\n", args...) }
	}
	var err error
	if len(names) == 0 {
		if names, err = registry.Pipelines(ctx, b); err != nil {
			return err
		}
		if len(names) == 0 {
			return fmt.Errorf("no pipeline is registered in %s; run: starter register PIPELINE.yaml", b.URL())
		}
	}
	index := &report.Site{Format: report.Format}
	for _, name := range names {
		r, err := dossier.Open(ctx, b, name, formats)
		if errors.Is(err, dossier.ErrUnknown) {
			return notRegistered(name, b)
		}
		if err != nil {
			return err
		}
		shelf, err := s.pipeline(ctx, r)
		if err != nil {
			return fmt.Errorf("site of %s: %w", name, err)
		}
		index.Shelves = append(index.Shelves, *shelf)
	}
	if err := s.put("index.html", index.Page()); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s\n%s written, %d as they were\n", filepath.Join(f.out, "index.html"), figure.Things(s.written, "page"), s.alike)
	return nil
}

// pipeline writes the pages of one pipeline and its index.
func (s *site) pipeline(ctx context.Context, r *dossier.Reader) (*report.Shelf, error) {
	shelf, err := r.Shelf(ctx)
	if err != nil {
		return nil, err
	}
	names := shelf.Names()
	for i, name := range names {
		s.say("%s: page %d of %d, %s", r.Pipeline, i+1, len(names), name)
		facts, err := gather(ctx, r, name)
		if err != nil {
			return nil, err
		}
		p := facts.Page()
		p.Trail = append([]page.Words{page.Link("All pipelines", "../../index.html"), page.Link(r.Pipeline, "../index.html"), page.Text(p.Kind)}, shelf.Beside(name)...)
		if err := s.put(filepath.Join(r.Pipeline, filepath.FromSlash(report.File(name))), p); err != nil {
			return nil, err
		}
	}
	p := shelf.Page()
	p.Trail = []page.Words{page.Link("All pipelines", "../index.html"), page.Text(r.Pipeline)}
	return shelf, s.put(filepath.Join(r.Pipeline, "index.html"), p)
}

// put writes a page unless its file has the same bytes. A reader never sees half of one.
func (s *site) put(name string, p *page.Page) error {
	text, err := page.HTML(p)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	file := filepath.Join(s.out, name)
	if have, err := os.ReadFile(file); err == nil && bytes.Equal(have, text) {
		s.alike++
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(file), "."+strings.TrimSuffix(filepath.Base(file), ".html")+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // gone already if all went well
	_, err = draft.Write(text)
	if err := errors.Join(err, draft.Chmod(0o644), draft.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(draft.Name(), file); err != nil {
		return err
	}
	s.written++
	return nil
}
