package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
)

// suiteFiles are the Parquet files of the conformance suite that have rows: all types
// and many odd values.
func suiteFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "odcs", "batches", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files (%v)", err)
	}
	var out []string
	for _, f := range files {
		if filepath.Base(f) != "no-rows.parquet" {
			out = append(out, f)
		}
	}
	return out
}

// A file keeps the contract that was inferred from it: no row goes to quarantine.
func TestInferredContractsAreKeptByTheirFile(t *testing.T) {
	for _, file := range suiteFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "contract.yaml")
			if got := answer(t, "contract", "infer", file, "--out", out); !strings.HasPrefix(got, "wrote "+out) {
				t.Errorf("got %q", got)
			}
			got := answer(t, "validate", out, "--data", file)
			if !strings.Contains(got, "\n0 rows of ") || !strings.Contains(got, "the batch keeps its contract") {
				t.Errorf("got:\n%s\nfor\n%s", got, readFile(t, out))
			}
		})
	}
}

func TestInferTakesBackWhatRowsBreak(t *testing.T) {
	var rows []string
	for i := range 30 {
		mail := fmt.Sprintf("p%d@example.org", i)
		if i == 7 {
			mail = "p7@example..org"
		}
		rows = append(rows, fmt.Sprintf(`{"id": %d, "contact": "%s"}`, i, mail))
	}
	file := batch(t, "["+strings.Join(rows, ",")+"]", arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: "contact", Type: arrow.BinaryTypes.String})
	got := answer(t, "contract", "infer", file, "--name", "people")
	for _, want := range []string{"# not format: email: 1 of 30 rows break it", "piiKind, value: email"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "example") {
		t.Errorf("the contract shows a personal value:\n%s", got)
	}
}

func TestDiffAsJSON(t *testing.T) {
	dir := t.TempDir()
	was, is := filepath.Join(dir, "was.yaml"), filepath.Join(dir, "is.yaml")
	for name, text := range map[string]string{was: batchContract, is: strings.Replace(batchContract, "minimum: 18", "minimum: 16", 1)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := starter(t, "contract", "diff", was, is, "--json")
	if want := "starter: the changes need a major version; make the version 3.0.0\n"; code != 3 || stderr != want {
		t.Errorf("got %d and %q, want 3 and %q", code, stderr, want)
	}
	var got contractDiff
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Changes) != 1 || got.Changes[0].Rule != "age.minimum" || got.Needs != "major" || got.Has != "none" || got.Next != "3.0.0" || got.Enough {
		t.Errorf("got %+v", got)
	}
}
