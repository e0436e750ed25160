package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/report/pagetest"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// The month-end pages, the card and the site of a small real store.
func TestSiteOfAScoredStore(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.score("2024-02", retailer.BadRows)
	s.score("2024-04", retailer.MissingColumn)
	out := filepath.Join(t.TempDir(), "public")
	if text := s.ask(0, "", "site", "--out", out, "-q"); !strings.Contains(text, "9 pages written, 0 as they were") {
		t.Errorf("the first site says %q", text)
	}
	checkSite(t, out)
	before := bytesOf(t, out)
	if text := s.ask(0, "", "site", "retailer", "--out", out, "-q"); !strings.Contains(text, "0 pages written, 9 as they were") {
		t.Errorf("the second site says %q", text)
	}
	if err := os.WriteFile(filepath.Join(out, "index.html"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if text := s.ask(0, "", "site", "--out", out, "-q"); !strings.Contains(text, "1 page written, 8 as they were") {
		t.Errorf("the site after a damage says %q", text)
	}
	for name, text := range bytesOf(t, out) {
		if before[name] != text {
			t.Errorf("%s has other bytes than before", name)
		}
	}
	index := before["retailer/index.html"]
	for _, want := range []string{"2024-04 is blocked", "blocked and has no scores", "starter score retailer --batch 2024-04"} {
		if !strings.Contains(index, want) {
			t.Errorf("the index does not say %q", want)
		}
	}
}

// A month may be erased, as docs/privacy.md says: the site has no page of its run, and all
// others.
func TestSiteWithoutAMonthThatWasErased(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.score("2024-02", retailer.BadRows)
	if err := os.RemoveAll(filepath.Join(s.dir, "runs", "retailer", "2024-01")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "public")
	if text := s.ask(0, "", "site", "--out", out, "-q"); !strings.Contains(text, "6 pages written") {
		t.Errorf("the site says %q", text)
	}
	checkSite(t, out)
	if month := bytesOf(t, out)["retailer/months/2024-01.html"]; !strings.Contains(month, "the papers of its run were deleted") {
		t.Errorf("the page of the month says\n%s", month)
	}
}

// checkSite checks every page of a site, and that each link leads to a file.
func checkSite(t *testing.T, dir string) {
	t.Helper()
	link := regexp.MustCompile(`href="([^"#]+)"`)
	for name, text := range bytesOf(t, dir) {
		for _, problem := range pagetest.Check([]byte(text)) {
			t.Errorf("%s: %s", name, problem)
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			file := filepath.Join(dir, filepath.Dir(name), strings.ReplaceAll(m[1], "%25", "%"))
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: a link leads nowhere: %v", name, err)
			}
		}
	}
}

func bytesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			texts[name] = string(readFile(t, filepath.Join(dir, name)))
		}
		return err
	})
	if err != nil || len(texts) == 0 {
		t.Fatalf("%d files in %s (%v)", len(texts), dir, err)
	}
	return texts
}

func TestPagesThatAreNotThere(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.ask(1, "starter: no month 2024-09 of retailer has begun: not found; starter status retailer lists the batches\n", "report", "retailer", "month/2024-09")
	s.ask(1, "starter: pipeline retailer has no labels, so no releases: not found\n", "report", "retailer", "release/x")
	s.ask(1, "starter: no model version 00000000 of retailer: not found; starter log retailer lists them\n", "report", "retailer", "card/00000000")
	s.ask(1, "starter: pipeline \"other\" is not registered in file://STORE; run: starter register PIPELINE.yaml\n", "site", "other", "--out", t.TempDir())
	s.ask(2, "starter: site needs --out, the directory to write; see starter site --help\n", "site")
	empty := &shop{t: t, dir: t.TempDir()}
	empty.ask(1, "starter: no pipeline is registered in file://STORE; run: starter register PIPELINE.yaml\n", "site", "--out", t.TempDir())
}

// A release as its entries tell of it, step by step.
func TestReportOfARelease(t *testing.T) {
	s := openShop(t, shipped+"loop.yaml")
	s.score("2024-01", "")
	next := store.DigestOf([]byte("next"))
	say := func(want ...string) {
		t.Helper()
		text := s.ask(0, "", "report", "retailer", "release/2024-06", "-q", "--format", "markdown")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("the page does not say %q:\n%s", w, text)
			}
		}
		for _, problem := range pagetest.Check([]byte(s.ask(0, "", "report", "retailer", "release/2024-06", "-q"))) {
			t.Error(problem)
		}
	}
	entries := &writer{shop: s, at: time.Date(2024, 7, 1, 8, 0, 0, 0, time.UTC)}
	entries.append(registry.Entry{Kind: registry.KindRegister, Model: next, Reason: "made by hand"})
	entries.append(registry.Entry{Kind: registry.KindCandidate, Model: next, Release: "2024-06/hand", Reason: "it looked fine"})
	say("**Under way**", "No labels of later batches have judged it yet.", "made by hand", "`shadow`")

	decision := gate.Decision{Format: 1, Policy: string(next), Subject: gate.Advance, Verdict: gate.Block, Reasons: []string{"superior: worse in auc"},
		Evidence: gate.Evidence{Release: gate.Case{Model: string(next)}},
		Waivers:  []gate.Waiver{{Rule: "superior", By: "ada", Reason: "to see", Until: entries.at.AddDate(0, 1, 0), Entry: 3}},
		Rules:    []gate.RuleResult{{ID: "superior", Rule: "better in auc", Outcome: gate.Block, Reason: "worse in auc", Waived: &gate.Waiver{Rule: "superior", By: "ada", Entry: 3}}}}
	routing := release.Routing{Format: 1, Release: "2024-06/hand", Step: "shadow", Salt: "s", Arms: []release.Arm{{Model: string(entries.champion()), Share: release.Whole}}, Shadow: []string{string(next)}}
	entries.append(registry.Entry{Kind: registry.KindRouting, Release: "2024-06/hand", Step: "shadow", Paper: entries.put(routing)})
	paper := entries.put(decision)
	entries.append(registry.Entry{Kind: registry.KindAdvance, Release: "2024-06/hand", Step: "shadow", Model: next, Verdict: "block", Paper: paper, Reasons: decision.Reasons})
	late := release.Approval{Format: 1, Pipeline: "retailer", Release: "2024-06/hand", Step: "10%", Model: string(next), Decision: string(paper), Answer: "approve", By: "bob", Role: "owner", Signature: "-----BEGIN"}
	entries.append(registry.Entry{Kind: registry.KindApproval, Release: "2024-06/hand", Step: "10%", Model: next, Answer: registry.AnswerRefused, By: "bob", Paper: entries.put(late), Reason: "the gate has blocked it"})
	entries.append(registry.Entry{Kind: registry.KindRejected, Release: "2024-06/hand", Model: next, Reason: "superior: worse in auc"})
	say("**Rejected**", "It was rejected: superior: worse in auc.", "The rule superior was waived by ada.", "refused", "the gate has blocked it", "nothing to take back")

	month := s.ask(0, "", "report", "retailer", "month/2024-01", "-q", "--format", "markdown")
	if !strings.Contains(month, "superior: worse in auc") || !strings.Contains(month, "was rejected.") {
		t.Errorf("the month does not tell of the release:\n%s", month)
	}
	entries.append(registry.Entry{Kind: registry.KindCandidate, Model: entries.champion(), Release: "2024-06/again"})
	s.ask(1, "starter: 2024-06 begins the names of several releases: 2024-06/hand, 2024-06/again\n", "report", "retailer", "release/2024-06")
	s.ask(1, "starter: no release 2023 of retailer: not found; starter log retailer lists them\n", "report", "retailer", "release/2023")
}

// A writer appends entries to the registry of a shop, a minute apart.
type writer struct {
	*shop
	at time.Time
}

func (w *writer) append(e registry.Entry) {
	w.t.Helper()
	w.with(func(b *store.Bucket) {
		log, err := registry.Load(w.t.Context(), b, "retailer")
		if err != nil {
			w.t.Fatal(err)
		}
		w.at = w.at.Add(time.Minute)
		e.ID, e.At = fmt.Sprint("entry ", log.Head()), w.at
		if e.By == "" {
			e.By = "ada"
		}
		if _, err := log.Append(w.t.Context(), e); err != nil {
			w.t.Fatal(err)
		}
	})
}

func (w *writer) champion() (d store.Digest) {
	w.with(func(b *store.Bucket) {
		log, err := registry.Load(w.t.Context(), b, "retailer")
		if err != nil {
			w.t.Fatal(err)
		}
		state := log.State()
		d = state.Champion()
	})
	return d
}

// put keeps a paper and returns its digest.
func (w *writer) put(v any) (d store.Digest) {
	w.t.Helper()
	w.with(func(b *store.Bucket) {
		data, err := papers.Encode(v)
		if err != nil {
			w.t.Fatal(err)
		}
		ref, err := b.PutBlob(w.t.Context(), data)
		if err != nil {
			w.t.Fatal(err)
		}
		d = ref.Digest
	})
	return d
}
