package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/report"
	"headgate/internal/report/page"
	"headgate/internal/report/pagetest"
)

var update = flag.Bool("update", false, "rewrite the golden Markdown")

// pages are the facts in testdata and what they are of. They were cut from the demo's year.
var pages = map[string]func() interface{ Page() *page.Page }{
	"canary-month.json":     func() interface{ Page() *page.Page } { return new(report.Batch) },
	"corrected-month.json":  func() interface{ Page() *page.Page } { return new(report.Batch) },
	"refit.json":            func() interface{ Page() *page.Page } { return new(report.Training) },
	"rejected-release.json": func() interface{ Page() *page.Page } { return new(report.Release) },
	"month-end.json":        func() interface{ Page() *page.Page } { return new(report.Month) },
	"model-card.json":       func() interface{ Page() *page.Page } { return new(report.Card) },
}

func read(t *testing.T, name string) interface{ Page() *page.Page } {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	s := pages[name]()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestFactsBecomePages(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(pages) {
		t.Fatalf("%d files of facts (%v), want %d", len(files), err, len(pages))
	}
	for name := range pages {
		t.Run(name, func(t *testing.T) {
			s := read(t, name)
			html, err := page.HTML(s.Page())
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range pagetest.Check(html) {
				t.Error(problem)
			}
			golden := filepath.Join("testdata", strings.TrimSuffix(name, ".json")+".md")
			got := page.Markdown(s.Page())
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the Markdown is not that of %s; see the difference with -update", golden)
			}
		})
	}
}

// The JSON is all that a page is made of.
func TestAPageCanBeMadeOfItsJSON(t *testing.T) {
	for name := range pages {
		first := read(t, name)
		text, err := page.JSON(first)
		if err != nil {
			t.Fatal(err)
		}
		again := pages[name]()
		if err := json.Unmarshal(text, again); err != nil {
			t.Fatal(err)
		}
		a, err := page.HTML(first.Page())
		if err != nil {
			t.Fatal(err)
		}
		b, err := page.HTML(again.Page())
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: the page of its JSON is another (%v)", name, err)
		}
	}
}

// What a page says first follows from the verdict, the publications and what is odd.
func TestThePageBeginsWithItsVerdict(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*report.Batch)
		tone page.Tone
		word string
		act  string
	}{
		{"all is well", func(b *report.Batch) { b.Drift.Level, b.Outcome = "none", nil }, page.Good, "Published", "Nobody."},
		{"labels are far from what scores had promised", func(b *report.Batch) { b.Drift.Level = "none" }, page.Warn, "Published, with reservations", "look at what is marked"},
		{"drift that lasts", func(b *report.Batch) { b.Outcome = nil }, page.Warn, "Published, with reservations", "the drift has lasted"},
		{"blocked, and nothing else was delivered", func(b *report.Batch) {
			b.Verdict.Verdict, b.Publications, b.Published = "block", nil, 0
		}, page.Bad, "Blocked", "starter score retailer --batch 2024-08"},
		{"blocked, but another delivery is published", func(b *report.Batch) { b.Verdict.Verdict, b.Published = "block", 0 }, page.Bad, "Blocked", "Nobody: another delivery"},
		{"a question", func(b *report.Batch) {
			b.Verdict.Verdict, b.Verdict.Asks, b.Published = "ask", []string{"the mean of age fell"}, 0
		}, page.Warn, "Waits for an answer", "starter approve retailer --batch 2024-08"},
		{"another run is published", func(b *report.Batch) { b.Published = 0 }, page.Plain, "Superseded by another run", "Nobody."},
		{"never published", func(b *report.Batch) { b.Published, b.Publications = 0, nil }, page.Plain, "Passed, not published", "Nobody."},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := read(t, "canary-month.json").(*report.Batch)
			test.edit(b)
			v := b.Page().Verdict
			if v.Tone != test.tone || v.Word != test.word || !strings.Contains(v.Act.String(), test.act) {
				t.Errorf("%q %q: %s; want %q %q: …%s…", v.Tone, v.Word, v.Act, test.tone, test.word, test.act)
			}
		})
	}
}
