package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/report"
	"headgate/internal/report/page"
	"headgate/internal/report/pagetest"
)

// What a release page says first follows from how the release stands.
func TestAReleasePageBeginsWithItsVerdict(t *testing.T) {
	for _, test := range []struct {
		name  string
		edit  func(*report.Release)
		tone  page.Tone
		word  string
		says  string
		must  string
		trust string
	}{
		{"rejected", func(*report.Release) {}, page.Bad, "Rejected", "It was rejected: it failed in step 10%", "Nobody.", "The rule flips was waived by demo."},
		{"released", func(r *report.Release) {
			r.Standing, r.Contest[0].Fate, r.Contest[0].Lost, r.Contest[0].Won = report.Released, "champion", false, true
		}, page.Good, "Released", "passed every step", "Nobody.", "1 answer is not signed"},
		{"rolled back", func(r *report.Release) { r.Standing, r.Contest[0].Won = report.RolledBack, true }, page.Bad, "Rolled back", "became the champion and had to go: it failed", "Nobody.", "with labels"},
		{"watched", func(r *report.Release) { r.Standing, r.Contest[0].Won = report.Watched, true }, page.Good, "Released, and watched", "became the champion", "the former champion scores along", "with labels"},
		{"under way", func(r *report.Release) {
			r.Standing, r.Next, r.Contest[0].Fate, r.Gates, r.Approvals, r.Waivers = report.Running, "labels", "candidate", nil, nil, nil
		}, page.Plain, "Under way", "It waits for labels.", "Nobody: it goes on by itself", "No labels of later batches"},
		{"waits for two of three", func(r *report.Release) {
			r.Standing, r.Contest[0].Fate = report.Waiting, "candidate"
			r.Waits = &report.Question{Step: "10%", Model: r.Contest[0].Model, Decision: r.Gates[0].Paper, Who: []string{"ada", "ben"}, Role: "owner", Need: 2, Until: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
		}, page.Warn, "Waits for an answer", "a person decides", "Ada and ben, as owner (2 must agree): look at decision", "with labels"},
		{"waits for anybody", func(r *report.Release) {
			r.Standing, r.Waits = report.Waiting, &report.Question{Step: "10%", Model: r.Contest[0].Model}
		}, page.Warn, "Waits for an answer", "a person decides", "starter approve retailer --release --reason TEXT", "with labels"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := read(t, "rejected-release.json").(*report.Release)
			test.edit(r)
			v := r.Page().Verdict
			if v.Tone != test.tone || v.Word != test.word {
				t.Errorf("%q %q; want %q %q", v.Tone, v.Word, test.tone, test.word)
			}
			for got, want := range map[string]string{v.Happened.String(): test.says, v.Act.String(): test.must, v.Trust.String(): test.trust} {
				if !strings.Contains(got, want) {
					t.Errorf("%q does not say %q", got, want)
				}
			}
		})
	}
}

func TestTheWayBackSaysWhoComesBack(t *testing.T) {
	for _, test := range []struct {
		name string
		back *report.Back
		want string
	}{
		{"nothing was released", nil, "nothing to take back"},
		{"the former champion is in the shadow", &report.Back{Shadow: true, Batch: "2024-12"}, "starter rollback retailer --to 111111111111"},
		{"it is not", &report.Back{}, "what it has not scored is scored again"},
		{"it may not serve", &report.Back{Blocked: "it read the label"}, "it read the label"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := read(t, "rejected-release.json").(*report.Release)
			if r.Back = test.back; r.Back != nil {
				r.Back.Model.Digest = "sha256:" + strings.Repeat("1", 64)
			}
			if text := string(page.Markdown(r.Page())); !strings.Contains(text, test.want) {
				t.Errorf("the page does not say %q", test.want)
			}
		})
	}
}

func TestAMonthPageBeginsWithItsVerdict(t *testing.T) {
	last := func(m *report.Month) *report.Line { return &m.Months[len(m.Months)-1] }
	for _, test := range []struct {
		name string
		edit func(*report.Month)
		tone page.Tone
		word string
		must string
	}{
		{"a question is open", func(*report.Month) {}, page.Warn, "Published", "Ada or ben, as owner: release 2024-05-refit"},
		{"drift that lasts", func(m *report.Month) { m.Waits = nil }, page.Warn, "Published, with reservations", "the drift has lasted"},
		{"all is well", func(m *report.Month) { m.Waits, last(m).Drift = nil, "none" }, page.Good, "Published", "Nobody."},
		{"missing", func(m *report.Month) {
			*last(m) = report.Line{Batch: "2024-08", State: "missing", Why: "no file was delivered"}
		}, page.Bad, "Missing", "Ada"},
		{"blocked", func(m *report.Month) { last(m).State, last(m).Drift, m.Waits = "blocked", "", nil }, page.Bad, "Blocked", "Nobody."},
		{"no month has labels", func(m *report.Month) {
			for i := range m.Months {
				m.Months[i].Quality = nil
			}
			m.Waits, m.Matured, last(m).Drift = nil, nil, "none"
		}, page.Good, "Published", "Nobody."},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := read(t, "month-end.json").(*report.Month)
			test.edit(m)
			p := m.Page()
			if v := p.Verdict; v.Tone != test.tone || v.Word != test.word || !strings.Contains(v.Act.String(), test.must) {
				t.Errorf("%q %q: %s; want %q %q: …%s…", v.Tone, v.Word, v.Act, test.tone, test.word, test.must)
			}
			if html, err := page.HTML(p); err != nil || len(pagetest.Check(html)) > 0 {
				t.Errorf("%v %q", err, pagetest.Check(html))
			}
		})
	}
}

// A number without an artifact cannot appear: without their digests, the card loses the
// tables of numbers, and the numbers in its sentences.
func TestACardShowsNoNumberWithoutItsArtifact(t *testing.T) {
	c := read(t, "model-card.json").(*report.Card)
	with := string(page.Markdown(c.Page()))
	numbers := []string{"0.6753", "0.3761", "0.6919", "2,288", "5.0 % \\[4.0 %", "12,841", "992137180", "−0.0755", "22.0 %", "`num_leaves`", "2,051"}
	for _, n := range numbers {
		if !strings.Contains(with, n) {
			t.Fatalf("the card does not show %s to begin with", n)
		}
	}
	for i := range c.Months {
		c.Months[i].Paper = ""
	}
	for i := range c.Gates {
		c.Gates[i].Paper = ""
	}
	for i := range c.Parity {
		c.Parity[i].Paper = ""
	}
	for i := range c.Served {
		c.Served[i].Commit = ""
	}
	for i := range c.Drift {
		c.Drift[i].Paper = ""
	}
	c.Model.Digest, c.Slices.Paper, c.Training.Paper, c.Bundle.File, c.Bundle.Golden, c.Bundle.Reference = "", "", "", "", "", ""
	c.Events, c.Lineage, c.Model.Note = nil, nil, ""
	without := string(page.Markdown(c.Page()))
	for _, n := range numbers {
		if strings.Contains(without, n) {
			t.Errorf("without its artifact, %s is still there", n)
		}
	}
}

func TestFilesOfASite(t *testing.T) {
	for name, want := range map[string]string{
		"2024-08/f9cf7c62":         "runs/2024-08_f9cf7c62.html",
		"month/2024-08":            "months/2024-08.html",
		"release/2026-11-30/ab_cd": "releases/2026-11-30_ab%5Fcd.html",
		"card/13b22258":            "cards/13b22258.html",
		"training/../../etc":       "trainings/.._.._etc.html",
		"2024 08/ä":                "runs/2024%2008_%C3%A4.html",
	} {
		if got := report.File(name); got != want {
			t.Errorf("%s stands in %s, want %s", name, got, want)
		}
	}
}

func TestTheIndexNamesEveryPageAndWhoMustAct(t *testing.T) {
	m := read(t, "month-end.json").(*report.Month)
	shelf := report.Shelf{Pipeline: "retailer", Months: m.Months, Waits: m.Waits, Anchor: m.Anchor, Champion: &m.Champion,
		Runs:     []report.Leaf{{Name: "2024-08/f9cf7c62", Batch: "2024-08", State: "published"}, {Name: "2024-07/61cbb2bb", Batch: "2024-07", State: "replaced"}},
		Releases: []report.Leaf{{Name: "release/2026-11-30/x", State: string(report.Rejected)}}, Trainings: []report.Leaf{{Name: "training/1"}}, Cards: []report.Leaf{{Name: "card/2", State: "champion"}}}
	site := report.Site{Shelves: []report.Shelf{shelf, {Pipeline: "empty"}}}
	for _, p := range []*page.Page{shelf.Page(), site.Page(), site.Shelves[1].Page(), (&report.Site{}).Page()} {
		html, err := page.HTML(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range pagetest.Check(html) {
			t.Errorf("%s: %s", p.Title, problem)
		}
	}
	text := string(page.Markdown(shelf.Page()))
	for _, name := range shelf.Names() {
		if !strings.Contains(text, "(<"+strings.ReplaceAll(report.File(name), "%", "%25")+">)") {
			t.Errorf("no link leads to %s", name)
		}
	}
	if want := "Ada or ben, as owner"; !strings.Contains(text, want) || !strings.Contains(string(page.Markdown(site.Page())), "1 open question") {
		t.Errorf("the indexes do not say that %s must act", want)
	}
	if got := shelf.Beside("month/2024-08"); len(got) != 1 || got[0][0].Href != "../runs/2024-08_f9cf7c62.html" {
		t.Errorf("beside the month stands %v", got)
	}
	if got := shelf.Beside("2024-07/61cbb2bb"); len(got) != 1 || got[0].String() != "month 2024-07" {
		t.Errorf("beside the run stands %v", got)
	}
	if !slices.Equal(shelf.Names()[:1], []string{"month/2024-08"}) {
		t.Errorf("the latest month does not come first: %q", shelf.Names())
	}
}
