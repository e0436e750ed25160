package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"headgate/internal/model"
)

// starter runs a command line and returns its exit code and output.
func starter(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(context.Background(), args, &env{stdout: &out, stderr: &log, getenv: func(string) string { return "" }})
	return code, out.String(), log.String()
}

// answer runs a command line that must succeed and returns its standard output.
func answer(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := starter(t, args...)
	if code != 0 {
		t.Fatalf("starter %s: exit %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// goldenCases lists the LightGBM cases under root; none is a failure.
func goldenCases(t *testing.T, root string) []string {
	t.Helper()
	cases, err := filepath.Glob(filepath.Join(root, "lgb-*"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no golden cases in %s (%v)", root, err)
	}
	return cases
}

// predictGolden builds the command line that scores a golden case from data.
func predictGolden(t *testing.T, dir, data string) []string {
	t.Helper()
	var c struct{ Predict map[string]int }
	if err := json.Unmarshal(readFile(t, filepath.Join(dir, "case.json")), &c); err != nil {
		t.Fatal(err)
	}
	args := []string{"predict", "--model", filepath.Join(dir, "model.txt"), "--data", data}
	for option, value := range c.Predict {
		args = append(args, "--"+strings.ReplaceAll(option, "_", "-"), strconv.Itoa(value))
	}
	return args
}

// checkGolden compares predict's answer with the scores and leaves that LightGBM
// gave: raw scores and leaves by their text, transformed scores within 4 ulp.
func checkGolden(t *testing.T, dir, data string) {
	t.Helper()
	args := predictGolden(t, dir, data)
	checkScores(t, answer(t, args...), string(readFile(t, filepath.Join(dir, "expected.csv"))))
	leaves, err := os.ReadFile(filepath.Join(dir, "leaf.csv"))
	if os.IsNotExist(err) {
		return
	}
	if got := answer(t, append(args, "--leaves")...); got != string(leaves) {
		t.Error("--leaves differs from leaf.csv")
	}
}

func checkScores(t *testing.T, got, want string) {
	t.Helper()
	gotLines, wantLines := parseCSV(t, got), parseCSV(t, want)
	if len(gotLines) != len(wantLines) || strings.Join(gotLines[0], ",") != strings.Join(wantLines[0], ",") {
		t.Fatalf("%d lines under %q, want %d under %q", len(gotLines), gotLines[0], len(wantLines), wantLines[0])
	}
	for i := 1; i < len(wantLines); i++ {
		for j, want := range wantLines[i] {
			column, got := wantLines[0][j], gotLines[i][j]
			if got != want && (strings.HasPrefix(column, "raw_") || !model.Near(number(t, got), number(t, want), model.Ulps)) {
				t.Fatalf("line %d, %s: %s, want %s", i+1, column, got, want)
			}
		}
	}
}

func parseCSV(t *testing.T, text string) [][]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("%d lines of CSV (%v)", len(lines), err)
	}
	return lines
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
