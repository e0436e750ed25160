package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
	"headgate/workflows/workflowstest"
)

const shipped = "../../testdata/retailer/"

// A shop is a store that real workflows and activities fill.
type shop struct {
	t    *testing.T
	dir  string
	runs int
}

// openShop registers the shipped champion with a pipeline file.
func openShop(t *testing.T, pipeline string) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir()}
	s.with(func(b *store.Bucket) {
		_, err := registration.Request{Pipeline: pipeline, Model: shipped + "champion.txt",
			Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv", Champion: true,
			By: "test", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(t.Context(), b, formats)
		if err != nil {
			t.Fatal(err)
		}
	})
	return s
}

func (s *shop) with(do func(b *store.Bucket)) {
	s.t.Helper()
	b, err := store.Open(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	defer b.Close()
	do(b)
}

// score delivers a month and scores it.
func (s *shop) score(month string, fault retailer.Fault) {
	s.t.Helper()
	s.deliver(month, fault)
	s.again(month)
}

// deliver delivers a month of 1000 customers.
func (s *shop) deliver(month string, fault retailer.Fault) {
	s.t.Helper()
	customers := retailer.World{Seed: 1, Customers: 1000}
	dir := filepath.Join(s.dir, "incoming", "retailer", month)
	if _, err := customers.WriteDir(s.t.Context(), dir, month, &retailer.Options{Fault: fault}); err != nil {
		s.t.Fatal(err)
	}
}

// again scores a month as it was delivered.
func (s *shop) again(month string) (out workflows.ScoreBatchOutput) {
	s.t.Helper()
	s.with(func(b *store.Bucket) {
		out = workflowstest.Score(s.t, s.temporal(b), workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "ada"})
	})
	return out
}

// temporal returns a Temporal test environment with the real activities.
func (s *shop) temporal(b *store.Bucket) *testsuite.TestWorkflowEnvironment {
	s.runs++
	return workflowstest.Environment(b, formats, fmt.Sprintf("run-%d", s.runs), time.Date(2024, 5, 1, 12, 0, s.runs, 0, time.UTC))
}

// ask runs a command on the store; its standard output must match want, line by
// line, in which any number of digits after sha256: stands for all of them.
func (s *shop) ask(code int, want string, args ...string) string {
	s.t.Helper()
	got, stdout, stderr := starter(s.t, append(args, "--store", s.dir)...)
	text := stdout
	if code != 0 {
		text = stderr
	}
	if got != code {
		s.t.Fatalf("starter %s: exit %d, want %d: %s%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	text = digests.ReplaceAllString(strings.ReplaceAll(text, s.dir, "STORE"), "DIGEST")
	if want != "" && text != want {
		s.t.Errorf("starter %s\ngot\n%s\nwant\n%s", strings.Join(args, " "), text, want)
	}
	return stdout
}

// digests vary with what a later version stores, and are not what these tests are about.
var digests = regexp.MustCompile(`sha256:[0-9a-f]{64}|\b[0-9a-f]{16}\b`)

func TestCommandsThatReadAScoredStore(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.score("2024-02", retailer.BadRows)
	s.score("2024-04", retailer.MissingColumn)

	s.ask(0, `pipeline  retailer
champion  DIGEST
versions  1
registry  6:DIGEST

BATCH    LAST       PUBLICATION  ROWS   QUARANTINED  DRIFT  RUN               WHY
2024-01  published  1            1,000  0            –      DIGEST  
2024-02  published  1            999    1            –      DIGEST  
2024-04  block      –            –      –            –      DIGEST  incoming/retailer/2024-04/part-0000.parquet: column visits_30d is missing
`, "status", "retailer")
	s.ask(0, `SEQ  WHEN (UTC)           WHAT       BY    DETAILS
1    2024-01-01 00:00:00  pipeline   test  pipeline file DIGEST, contract DIGEST
2    2024-01-01 00:00:00  register   test  model version DIGEST
3    2024-01-01 00:00:00  promote    test  champion is model version DIGEST
4    2024-05-01 12:00:01  published  ada   2024-01: publication 1 by model DIGEST, run DIGEST, table version 0
5    2024-05-01 12:00:02  published  ada   2024-02: publication 1 by model DIGEST, run DIGEST, table version 1
6    2024-05-01 12:00:03  verdict    ada   2024-04: block; incoming/retailer/2024-04/part-0000.parquet: column visits_30d is missing

anchor 6:DIGEST
`, "log", "retailer")
	s.ask(0, `registry  6 entries, chain 6:DIGEST
models    1 version
table     2 publications, 2 data files
2024-01  publication 1 scored again: 1,000 rows, same bytes
2024-02  publication 1 scored again: 999 rows, same bytes
everything is as it was recorded
`, "verify", "retailer", "--all-batches")
}

func TestLogAsJSONIsTheStoredEntries(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	lines := bufio.NewScanner(strings.NewReader(s.ask(0, "", "log", "retailer", "--json")))
	kinds := ""
	for seq := 1; lines.Scan(); seq++ {
		var entry registry.Entry
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil || entry.Seq != int64(seq) {
			t.Fatalf("line %d is entry %d: %v", seq, entry.Seq, err)
		}
		stored := string(readFile(t, filepath.Join(s.dir, "registry", "retailer", "log", fmt.Sprintf("%010d.json", seq))))
		if lines.Text()+"\n" != stored {
			t.Errorf("line %d is\n%s\nand the store has\n%s", seq, lines.Text(), stored)
		}
		kinds += entry.Kind + " "
	}
	if kinds != "pipeline register promote published " {
		t.Errorf("kinds %s", kinds)
	}
}

func TestVerifyFindsWhatWasChanged(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.ask(2, "checking registry chain\nstarter: not an anchor: want SEQ:sha256:… as a report prints it: \"abc\"\n", "verify", "retailer", "--anchor", "abc")
	wrong := "3:sha256:" + strings.Repeat("0", 64)
	if out := s.ask(1, "", "verify", "retailer", "-q", "--anchor", wrong); !strings.Contains(out, "FOUND registry/retailer/log/0000000003.json") {
		t.Errorf("a wrong anchor: %s", out)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "scores", "retailer", "batch=2024-01", "*.parquet"))
	if err != nil || len(files) != 1 {
		t.Fatalf("data files %q, %v", files, err)
	}
	if err := os.Chmod(files[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], append(readFile(t, files[0]), 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.ask(1, "starter: 1 finding: what is stored is not what was recorded\n", "verify", "retailer", "-q"); !strings.Contains(out, "its bytes were changed (of 2024-01 publication 1)") {
		t.Errorf("a changed data file: %s", out)
	}
}

func TestWhyTellsWhereAScoreCameFrom(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	out := s.ask(0, "", "why", "retailer", "2024-01", "C000000007-13")
	for _, want := range []string{
		"retailer 2024-01, publication 1 of 2024-05-01 12:00:01 by ada\n",
		"\npublished row\n  customer_id       C000000007-13\n", "\n  run               sha256:",
		"\ninput  incoming/retailer/2024-01/part-0000.parquet, row 7 (from 0)\n",
		"\nmodel     sha256:", "entry 3, 2024-01-01 by test: champion is model version ",
		"verdict   pass: 1,000 rows, 0 in quarantine of 10 allowed", "registry  entry 4\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	s.ask(1, "starter: batch 2024-01 has no published row with this key; it may be in quarantine: see starter status retailer\n", "why", "retailer", "2024-01", "C9")
	s.ask(1, "starter: the entity key is customer_id, of 1 parts; the key that was asked for has 2\n", "why", "retailer", "2024-01", "C000000007-13,x")
	s.ask(1, "starter: batch 2024-02 of retailer is not published\n", "why", "retailer", "2024-02", "C9")
	s.ask(2, "starter: which key? it is empty\n", "why", "retailer", "2024-01", "")
	s.ask(2, "starter: why takes PIPELINE BATCH KEY, got \"retailer\"; see starter why --help\n", "why", "retailer")
	for _, command := range [][]string{{"status"}, {"log"}, {"why", "2024-01", "C9"}} {
		args := append([]string{command[0], "toys"}, command[1:]...)
		s.ask(1, "starter: pipeline \"toys\" is not registered in file://STORE; run: starter register PIPELINE.yaml\n", args...)
	}
}

// Without an entityKey the primary key says whom a row is about, here two columns.
func TestWhyTakesTheCompositeKeyInItsOrder(t *testing.T) {
	dir := t.TempDir()
	contract := strings.Replace(string(readFile(t, shipped+"contract.yaml")), "value: entityKey", "value: slice", 1)
	for name, text := range map[string]string{"contract.yaml": contract, "pipeline.yaml": string(readFile(t, shipped+"pipeline.yaml"))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := openShop(t, filepath.Join(dir, "pipeline.yaml"))
	s.score("2024-01", "")
	if out := s.ask(0, "", "why", "retailer", "2024-01", "C000000007-13,2024-01-01"); !strings.Contains(out, "part-0000.parquet, row 7 (from 0)\n") {
		t.Errorf("got %s", out)
	}
	s.ask(1, "starter: the entity key is customer_id,as_of, of 2 parts; the key that was asked for has 1\n", "why", "retailer", "2024-01", "C000000007-13")
}

func TestWhyOfARowThatTheModelDidNotScore(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"contract.yaml": string(readFile(t, shipped+"contract.yaml")),
		"pipeline.yaml": string(readFile(t, shipped+"pipeline.yaml")) + "fallback: { score: 0.125 }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := openShop(t, filepath.Join(dir, "pipeline.yaml"))
	s.score(badMonth, retailer.BadRows)
	out := s.ask(0, "", "why", "retailer", badMonth, "C000000544-14")
	for _, want := range []string{"\n  score        0.125\n", "\n  fallback     constant\n", "\nchampion  sha256:",
		"\nfallback  the model could not score this row in 2024-03; the score is the constant of the pipeline file\n", "\nverdict   pass: "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\ninput  ") {
		t.Errorf("it names an input row:\n%s", out)
	}
}
