package lightgbm_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

// A goldenCase is a directory that LightGBM has scored; see testdata/golden/README.md.
type goldenCase struct {
	model    *lightgbm.Model
	rows     arrow.Record
	expected model.Scores
	leaves   [][]string // nil if the case records none
}

// readGolden reads a case with the predict options that it was scored with.
func readGolden(t testing.TB, dir string) goldenCase {
	t.Helper()
	var options struct {
		Predict struct {
			Start int `json:"start_iteration"`
			Count int `json:"num_iteration"`
		} `json:"predict"`
	}
	if err := json.Unmarshal(readFile(t, dir, "case.json"), &options); err != nil {
		t.Fatal(err)
	}
	var c goldenCase
	var err error
	c.model, err = lightgbm.Parse(readFile(t, dir, "model.txt"),
		model.Options{Start: options.Predict.Start, Count: options.Predict.Count})
	if err != nil {
		t.Fatal(err)
	}
	c.rows = readRows(t, dir, c.model.Inputs())
	lines := readCSV(t, filepath.Join(dir, "expected.csv"))
	c.expected.Resize(len(lines)-1, len(lines[0])/2)
	for i, line := range lines[1:] {
		for j, text := range line {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			k := c.expected.Outputs
			if j < k {
				c.expected.Raw[i*k+j] = v
			} else {
				c.expected.Pred[i*k+j-k] = v
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "leaf.csv")); !errors.Is(err, os.ErrNotExist) {
		c.leaves = readCSV(t, filepath.Join(dir, "leaf.csv"))
	}
	return c
}

// readRows reads a case's input as one record.
func readRows(t testing.TB, dir string, inputs []model.Input) arrow.Record {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for rec, err := range model.ReadCSV(f, inputs, 1<<20) {
		if err != nil {
			t.Fatal(err)
		}
		rec.Retain()
		return rec
	}
	t.Fatalf("%s has no rows", dir)
	return nil
}

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readCSV(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// goldenDirs lists the cases under root; none is a failure.
func goldenDirs(t testing.TB, root string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(root, "lgb-*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden cases in %s (%v)", root, err)
	}
	return dirs
}

func TestScoresAndLeavesAreLightGBMs(t *testing.T) {
	for _, dir := range goldenDirs(t, goldens) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := readGolden(t, dir)
			if err := model.CheckGolden(c.model, c.rows, &c.expected); err != nil {
				t.Error(err)
			}
			checkLeaves(t, c)
		})
	}
}

func checkLeaves(t *testing.T, c goldenCase) {
	t.Helper()
	if c.leaves == nil {
		return
	}
	got, err := c.model.Leaves(nil, c.rows)
	if err != nil {
		t.Fatal(err)
	}
	trees := c.model.NumTrees()
	if len(got) != len(c.leaves)*trees {
		t.Fatalf("%d leaves, want %d × %d", len(got), len(c.leaves), trees)
	}
	for i, line := range c.leaves {
		for j, want := range line {
			if got := strconv.Itoa(int(got[i*trees+j])); got != want {
				t.Fatalf("row %d, tree %d: leaf %s, want %s", i, j, got, want)
			}
		}
	}
}
