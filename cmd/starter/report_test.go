package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/report"
	"headgate/internal/report/page"
	"headgate/internal/report/pagetest"
	"headgate/internal/retailer"
)

// The pages of a small real store: a month, one with bad rows, one that its footers
// stopped.
func TestReportsOfAScoredStore(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.score("2024-02", retailer.BadRows)
	s.score("2024-04", retailer.MissingColumn)
	for _, batch := range []string{"2024-01", "2024-02", "2024-04"} {
		html := s.ask(0, "", "report", "retailer", batch, "-q")
		for _, problem := range pagetest.Check([]byte(html)) {
			t.Errorf("%s: %s", batch, problem)
		}
		if again := s.ask(0, "", "report", "retailer", batch, "-q"); again != html {
			t.Errorf("%s: made again, the page has other bytes", batch)
		}
		var facts report.Batch
		if err := json.Unmarshal([]byte(s.ask(0, "", "report", "retailer", batch, "-q", "--format", "json")), &facts); err != nil {
			t.Fatalf("%s: %v", batch, err)
		}
		if again, err := page.HTML(facts.Page()); err != nil || string(again) != html {
			t.Errorf("%s: the page of its JSON is another (%v)", batch, err)
		}
	}
	golden := filepath.Join("testdata", "report-2024-02.md")
	got := digests.ReplaceAllString(s.ask(0, "", "report", "retailer", "2024-02", "-q", "--format", "markdown"), "DIGEST")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(readFile(t, golden)); got != want {
		t.Errorf("report --format markdown is not %s but\n%s", golden, got)
	}
	s.ask(0, "", "report", "retailer", "2024-01", "-q", "--out", filepath.Join(s.dir, "page.html"))
	if text, err := os.ReadFile(filepath.Join(s.dir, "page.html")); err != nil || !strings.HasPrefix(string(text), "<!doctype html>") {
		t.Errorf("--out wrote %.20q (%v)", text, err)
	}
}

func TestReportSaysWhatIsNotThere(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.ask(1, "starter: pipeline \"other\" is not registered in file://STORE; run: starter register PIPELINE.yaml\n", "report", "other", "2024-01")
	s.ask(1, "starter: no run 2024-09 of retailer was judged: not found; starter status retailer lists the batches\n", "report", "retailer", "2024-09")
	s.ask(1, "starter: no run 2024-01/00000000 of retailer was judged: not found; starter status retailer lists the batches\n", "report", "retailer", "2024-01/00000000")
	s.ask(1, "starter: no training 2024-01 of retailer: not found; starter log retailer lists them\n", "report", "retailer", "training/2024-01")
	s.ask(2, "starter: --format is html, markdown or json, not \"pdf\"\n", "report", "retailer", "2024-01", "--format", "pdf")
	s.ask(2, "starter: report takes PIPELINE WHAT, got \"retailer\"; see starter report --help\n", "report", "retailer")
}

// Whoever has deleted what docs/privacy.md lets them delete still gets a page, which says
// what is missing.
func TestReportOfAStoreWithoutItsProfiles(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	profiles, err := filepath.Glob(filepath.Join(s.dir, "runs", "retailer", "2024-01", "*", "profile.*.bin"))
	if err != nil || len(profiles) != 1 {
		t.Fatalf("profiles %q (%v)", profiles, err)
	}
	if err := os.Remove(profiles[0]); err != nil {
		t.Fatal(err)
	}
	text := s.ask(0, "", "report", "retailer", "2024-01", "-q", "--format", "markdown")
	if !strings.Contains(text, "the profile of the batch is gone") {
		t.Errorf("nothing is said of the profile that is gone:\n%s", text)
	}
}
