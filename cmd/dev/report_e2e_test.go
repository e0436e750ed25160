//go:build e2e

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"headgate/internal/dossier"
	"headgate/internal/registry"
	"headgate/internal/report/page"
	"headgate/internal/report/pagetest"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// readReports makes the pages of the demo's year and reads each as everybody might: in a
// light and a dark theme, on a desk and on a telephone.
func readReports(t *testing.T, dir string) {
	b, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r, err := dossier.Open(t.Context(), b, "retailer", worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	pages := t.TempDir()
	for _, name := range []string{"2024-02", "2024-04/blocked", "2024-08", "2024-12", "training/2024-05", "training/2024-11",
		"month/2024-08", "month/2024-12", "release/2024-05-refit", "release/" + rejected(t, r), "card", "card/" + first(t, r), "index"} {
		file := reportFile(t, r, pages, name)
		t.Run(name, func(t *testing.T) { readPage(t, file) })
	}
	takePictures(t, r, pages)
}

// takePictures takes the pictures of docs/reports.md, and of the demo's year for README.md.
func takePictures(t *testing.T, r *dossier.Reader, pages string) {
	t.Helper()
	b := openBrowser(t)
	for _, shot := range []struct {
		picture, page, from, theme string
		height                     int64
	}{
		{"report-batch.png", "2024-08", "body", "light", 1260},
		{"report-drift.png", "2024-11", "#drift", "light", 1100},
		{"report-training.png", "training/2024-05", "body", "dark", 1510},
		{"report-month.png", "month/2024-10", "body", "dark", 1230},
		{"report-release.png", "release/2024-05-refit", "body", "light", 1620},
		{"report-index.png", "index", "body", "light", 1380},
		{"year.png", "index", "#months", "light", 883},
	} {
		b.do(t, shot.picture, chromedp.EmulateViewport(1280, shot.height), inTheme(shot.theme),
			chromedp.Navigate("file://"+reportFile(t, r, pages, shot.page)),
			chromedp.Evaluate[chromedp.Void]("document.querySelector('"+shot.from+"').scrollIntoView({behavior: 'instant'})"))
		b.picture(t, pictureFile(t, shot.picture))
	}
}

// reportFile makes a page and writes it into the directory.
func reportFile(t *testing.T, r *dossier.Reader, pages, name string) string {
	t.Helper()
	file := filepath.Join(pages, strings.NewReplacer("/", "-", ":", "-").Replace(name)+".html")
	if err := os.WriteFile(file, renderReport(t, r, name), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// renderReport makes a page, twice: the bytes must be the same.
func renderReport(t *testing.T, r *dossier.Reader, name string) []byte {
	t.Helper()
	var texts [2][]byte
	for i := range texts {
		p, err := reportPage(t.Context(), r, name)
		if err != nil {
			t.Fatal(err)
		}
		if texts[i], err = page.HTML(p); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(texts[0], texts[1]) {
		t.Errorf("%s: made again, the page has other bytes", name)
	}
	for _, problem := range pagetest.Check(texts[0]) {
		t.Errorf("%s: %s", name, problem)
	}
	return texts[0]
}

// rejected names the last release whose canary was rejected.
func rejected(t *testing.T, r *dossier.Reader) string {
	t.Helper()
	name := ""
	for _, e := range r.Log.Of(registry.KindRejected) {
		if e.Step == "10%" {
			name = e.Release
		}
	}
	if name == "" {
		t.Fatal("no canary was rejected")
	}
	return name
}

// first names the first champion.
func first(t *testing.T, r *dossier.Reader) string {
	t.Helper()
	promoted := r.Log.Of(registry.KindPromote)
	if len(promoted) == 0 {
		t.Fatal("there was no champion")
	}
	return string(promoted[0].Model)
}

// facts are what a page is made of.
type facts interface{ Page() *page.Page }

func pageOf[F facts](f F, err error) (*page.Page, error) {
	if err != nil {
		return nil, err
	}
	return f.Page(), nil
}

func reportPage(ctx context.Context, r *dossier.Reader, name string) (*page.Page, error) {
	batch, run, _ := strings.Cut(name, "/")
	switch batch {
	case "training":
		return pageOf(r.Training(ctx, run))
	case "month":
		return pageOf(r.Month(ctx, run))
	case "release":
		return pageOf(r.Release(ctx, run))
	case "card":
		return pageOf(r.Card(ctx, run))
	case "index":
		return pageOf(r.Shelf(ctx))
	}
	if run == "blocked" {
		for _, e := range r.Log.Of("verdict") {
			if e.Batch == batch {
				run = strings.TrimPrefix(string(e.Run), "sha256:")
			}
		}
	}
	return pageOf(r.Batch(ctx, batch, run))
}

// readPage opens a page in both themes and two widths: nothing is said on the console,
// nothing sticks out, and axe-core finds nothing serious. Pictures of it are kept.
func readPage(t *testing.T, file string) {
	axe, err := os.ReadFile(filepath.Join("..", "..", ".tools", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v; run .ci/axe", err)
	}
	b := openBrowser(t)
	var said []string
	if err := chromedp.Listen(b.ctx, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			said = append(said, e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			said = append(said, "console: "+string(e.Type))
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			at := fmt.Sprintf("%s, %d pixels", theme, width)
			b.do(t, at, chromedp.EmulateViewport(width, 900), inTheme(theme), chromedp.Navigate("file://"+file))
			if wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); err != nil || wide > width {
				t.Errorf("%s: the page is %d wide (%v)", at, wide, err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".html")
			b.picture(t, filepath.Join(t.ArtifactDir(), fmt.Sprintf("report-%s-%s-%d.png", name, theme, width)))
			b.do(t, at+": open what is folded", chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('details').forEach(d => d.open = true)"))
			if wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); err != nil || wide > width {
				t.Errorf("%s: the page is %d wide once all is unfolded (%v)", at, wide, err)
			}
			// Contrast depends on the theme and layout on the width: two of four see all.
			if (theme == "light") == (width == 1280) {
				for _, problem := range b.violations(t, string(axe)) {
					t.Errorf("%s: %s", at, problem)
				}
			}
		}
	}
	for _, s := range said {
		t.Errorf("the console says: %s", s)
	}
}

// inTheme makes the browser prefer a theme.
func inTheme(theme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
		return chromedp.Void{}, err
	}
}

// violations lists what axe-core finds that is serious or critical. It runs in the page and
// loads nothing.
func (b *browser) violations(t *testing.T, axe string) []string {
	t.Helper()
	b.do(t, "load axe-core", chromedp.Evaluate[chromedp.Void](axe))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct {
		Passes     int
		Violations []string
	}](`axe.run(document, {resultTypes: ['violations']}).then(r => ({passes: r.passes.length, violations: r.violations
		.filter(v => v.impact === 'serious' || v.impact === 'critical')
		.map(v => v.id + ': ' + v.help + ' (' + v.nodes.length + ' times), first ' + v.nodes[0].html.slice(0, 200) + ' ' + v.nodes[0].failureSummary)}))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("axe-core: %v", err)
	}
	if found.Passes < 10 {
		t.Fatalf("axe-core checked %d rules; it has many more", found.Passes)
	}
	return found.Violations
}
