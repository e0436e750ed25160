package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

const goldens = "../../testdata/golden"

func TestPredictReproducesEveryGoldenCase(t *testing.T) {
	for _, dir := range goldenCases(t, goldens) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			checkGolden(t, dir, filepath.Join(dir, "input.csv"))
		})
	}
}

// write puts a file into a new directory and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPredictExplainsWhatIsWrong(t *testing.T) {
	good := filepath.Join(goldens, "lgb-pandas-categorical", "model.txt")
	header := "age,city,floor,paid\n"
	for _, test := range []struct {
		name string
		args []string
		csv  string
		code int
		want string
	}{
		{name: "no model", args: []string{"--data", "x.csv"}, code: 2, want: "name it with --model"},
		{name: "no data", args: []string{"--model", good}, code: 2, want: "name their file with --data"},
		{name: "a stray argument", args: []string{"--model", good, "x.csv"}, code: 2, want: `takes no arguments, got "x.csv"`},
		{name: "an unknown flag", args: []string{"--modell", good}, code: 2, want: "unknown flag: --modell"},
		{name: "data of another kind", args: []string{"--model", good, "--data", "x.xlsx"}, code: 2, want: "reads .parquet and .csv"},
		{name: "output of another kind", args: []string{"--model", good, "--out", "x.json"}, csv: header, code: 2, want: "writes .parquet and .csv"},
		{name: "a negative iteration", args: []string{"--model", good, "--start-iteration", "-1"}, csv: header, code: 2, want: "cannot be negative"},
		{name: "an iteration beyond the model", args: []string{"--model", good, "--start-iteration", "10"}, csv: header, code: 1, want: "the model has iterations 0 to 9"},
		{name: "no such model", args: []string{"--model", "nowhere.txt"}, csv: header, code: 1, want: "nowhere.txt"},
		{name: "a model that is no model", args: []string{"--model", filepath.Join(goldens, "README.md")}, csv: header, code: 1, want: "README.md: lightgbm model, line 1"},
		{name: "a missing column", args: []string{"--model", good}, csv: "age,city,paid\n1,Oslo,true\n", code: 1, want: `rows.csv: column "floor" is missing`},
		{name: "a field that is no number", args: []string{"--model", good}, csv: header + "1,Oslo,3,true\nold,Oslo,3,true\n", code: 1, want: `rows.csv: line 3, column 1 (age): the text is not a number`},
		{name: "no such directory for the output", args: []string{"--model", good, "--out", "nowhere/x.csv"}, csv: header, code: 1, want: "starter: create nowhere/x.csv: no such file or directory"},
		{name: "a short line", args: []string{"--model", good}, csv: header + "1,Oslo\n", code: 1, want: "line 2, column 1: wrong number of fields"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"predict"}, test.args...)
			if test.csv != "" {
				args = append(args, "--data", write(t, "rows.csv", test.csv))
			}
			code, stdout, stderr := starter(t, args...)
			if code != test.code || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit %d, stderr %q; want %d and %q", code, stderr, test.code, test.want)
			}
			if strings.Count(stdout, "\n") > 1 {
				t.Errorf("stdout is %q", stdout)
			}
		})
	}
}

func TestPredictWritesAFileWholeOrNotAtAll(t *testing.T) {
	dir := filepath.Join(goldens, "lgb-binary")
	out := filepath.Join(t.TempDir(), "scores.csv")
	args := append(predictGolden(t, dir, filepath.Join(dir, "input.csv")), "--out", out)
	if stdout := answer(t, args...); stdout != "" {
		t.Errorf("stdout is %q", stdout)
	}
	checkScores(t, string(readFile(t, out)), string(readFile(t, filepath.Join(dir, "expected.csv"))))

	before := string(readFile(t, out))
	broken := strings.Replace(string(readFile(t, filepath.Join(dir, "input.csv"))), "\n", "\nx", 2)
	args = append(predictGolden(t, dir, write(t, "rows.csv", broken)), "--out", out)
	if code, _, stderr := starter(t, args...); code != 1 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if string(readFile(t, out)) != before {
		t.Error("a failed run changed the output of an earlier one")
	}
	if left, _ := os.ReadDir(filepath.Dir(out)); len(left) != 1 {
		t.Errorf("a failed run left %d files, want 1", len(left))
	}
}

func TestPredictRefusesToReplaceItsInput(t *testing.T) {
	data := write(t, "rows.csv", "x\n1\n")
	code, _, stderr := starter(t, "predict", "--model", filepath.Join(goldens, "lgb-stump", "model.txt"), "--data", data, "--out", data)
	if code != 2 || !strings.Contains(stderr, "would replace a file that predict reads") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestPredictOfNoRowsIsAHeader(t *testing.T) {
	data := write(t, "rows.csv", "x5,x4,extra,x3,x2,x1,x0\n")
	args := []string{"predict", "--model", filepath.Join(goldens, "lgb-stump", "model.txt"), "--data", data}
	if got := answer(t, args...); got != "raw_0,pred_0\n" {
		t.Errorf("got %q", got)
	}
}

func TestPredictReadsAndWritesParquet(t *testing.T) {
	for _, name := range []string{"lgb-binary", "lgb-rf-multiclass", "lgb-pandas-categorical"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens, name)
			data := toParquet(t, filepath.Join(dir, "input.csv"), filepath.Join(dir, "model.txt"))
			checkGolden(t, dir, data)

			out := filepath.Join(t.TempDir(), "scores.parquet")
			answer(t, append(predictGolden(t, dir, data), "--out", out)...)
			checkScores(t, parquetAsCSV(t, out, true), string(readFile(t, filepath.Join(dir, "expected.csv"))))
			answer(t, append(predictGolden(t, dir, data), "--out", out, "--leaves")...)
			if got, want := parquetAsCSV(t, out, false), string(readFile(t, filepath.Join(dir, "leaf.csv"))); got != want {
				t.Error("the leaves in Parquet differ from leaf.csv")
			}
		})
	}
}

// toParquet writes the columns that a model reads from a CSV file to a Parquet file.
func toParquet(t *testing.T, csv, modelFile string) string {
	t.Helper()
	m, err := lightgbm.Parse(readFile(t, modelFile), model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(csv)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	path := filepath.Join(t.TempDir(), "rows.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var w *columnar.Writer
	for rec, err := range model.ReadCSV(in, m.Inputs(), 50) {
		if err != nil {
			t.Fatal(err)
		}
		if w == nil {
			if w, err = columnar.Create(out, rec.Schema(), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// parquetAsCSV renders a Parquet file of numbers.
func parquetAsCSV(t *testing.T, path string, header bool) string {
	t.Helper()
	data := readFile(t, path)
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	w := model.NewCSVWriter(&b, f.Schema(), header)
	for rec, err := range f.Records(context.Background(), columnar.ReadOptions{}) {
		if err == nil {
			err = w.Write(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPredictNamesTheParquetColumnThatIsMissing(t *testing.T) {
	dir := filepath.Join(goldens, "lgb-stump")
	data := toParquet(t, filepath.Join(dir, "input.csv"), filepath.Join(dir, "model.txt"))
	code, _, stderr := starter(t, "predict", "--model", filepath.Join(goldens, "lgb-binary", "model.txt"), "--data", data)
	if code != 1 || !strings.Contains(stderr, "rows.parquet") || !strings.Contains(stderr, "mean_radius") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	code, _, stderr = starter(t, "predict", "--model", filepath.Join(dir, "model.txt"), "--data", write(t, "x.parquet", "PAR1 no"))
	if code != 1 || !strings.Contains(stderr, "x.parquet") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestLongScansTellHowFarTheyAre(t *testing.T) {
	var log strings.Builder
	m := newMeter(&log, "scored")
	m.add(5)
	m.end()
	if log.String() != "" {
		t.Errorf("a short scan says %q", log.String())
	}
	m = newMeter(&log, "scored")
	m.start, m.next = m.start.Add(-10*time.Second), m.next.Add(-10*time.Second)
	m.add(500)
	m.add(500)
	m.end()
	lines := strings.Split(log.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "scored 500 rows so far, ") || !strings.HasPrefix(lines[1], "scored 1,000 rows in all, ") {
		t.Errorf("a long scan says %q", lines)
	}
}
