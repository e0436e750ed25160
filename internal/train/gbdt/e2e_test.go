//go:build e2e

package gbdt

import (
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headgate/internal/model"
)

// predictByLightGBM loads DIR/*.txt with LightGBM, predicts DIR/rows, and writes raw
// scores and predictions beside each model.
const predictByLightGBM = `
import pathlib, sys
import lightgbm as lgb, numpy as np
folder = pathlib.Path(sys.argv[1])
rows = np.fromfile(folder / "rows", "<f8").reshape(-1, int(sys.argv[2]))
for path in sorted(folder.glob("*.txt")):
    model = lgb.Booster(model_file=path)
    model.predict(rows, raw_score=True).astype("<f8").tofile(path.with_suffix(".raw"))
    model.predict(rows).astype("<f8").tofile(path.with_suffix(".pred"))
    saved = lgb.Booster(model_str=model.model_to_string())
    assert (saved.predict(rows) == model.predict(rows)).all()
    assert model.feature_importance().sum() == sum(t["num_leaves"] - 1 for t in model.dump_model()["tree_info"])
`

// oddRows are rows as training saw them, and then rows of values that it never saw.
func oddRows() []column {
	rows := mixed(2000, 9)
	values := []float64{0, math.Copysign(0, -1), nan, 1e300, -1e300, 1e-36, -1e-36, math.MaxFloat64, 0.5}
	texts := []string{"A", "", "Z", "L", "B", "", "never seen", "C", "D"}
	for i, v := range values {
		for c := range rows {
			switch {
			case rows[c].texts != nil:
				rows[c].texts = append(rows[c].texts, texts[i])
			default:
				rows[c].numbers = append(rows[c].numbers, v)
			}
		}
	}
	return rows
}

// matrix is the rows as LightGBM's Python reads them: texts as their codes.
func matrix(rows []column, inputs []model.Input) []byte {
	var out []byte
	for i := range rows[0].texts {
		for f, in := range inputs {
			v := nan
			if in.Categories == nil {
				v = rows[f].numbers[i]
			} else if code := slices.Index(in.Categories, rows[f].texts[i]); code >= 0 {
				v = float64(code)
			}
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
	}
	return out
}

func TestLightGBMLoadsTheModelsAndPredictsTheSame(t *testing.T) {
	python := os.Getenv("HEADGATE_PYTHON")
	if python == "" {
		python = "../../../.venv/bin/python"
	}
	dir, rows := t.TempDir(), oddRows()
	scores := map[string]model.Scores{}
	for _, s := range append(setups, setup{name: "binary, 31 leaves, 100 rounds", label: "y", params: []string{"objective", "binary"}}) {
		rounds := 10
		if strings.Contains(s.name, "100 rounds") {
			rounds = 100
		}
		m, err := s.trained(t, rounds, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, s.name+".txt"), m.Text, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "rows"), matrix(rows, m.Inputs), 0o666); err != nil {
			t.Fatal(err)
		}
		scores[s.name] = scoreAll(t, m, rows)
	}
	if out, err := exec.Command(python, "-c", predictByLightGBM, dir, "7").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, s := range scores {
		t.Run(name, func(t *testing.T) {
			compareDoubles(t, filepath.Join(dir, name+".raw"), s.Raw)
			compareDoubles(t, filepath.Join(dir, name+".pred"), s.Pred)
		})
	}
}

// scoreAll scores rows with the parser that a pipeline scores with.
func scoreAll(t *testing.T, m *Model, rows []column) (all model.Scores) {
	t.Helper()
	s := scorer(t, m)
	var scores model.Scores
	for rec, err := range stream(rows...) {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		all.Raw, all.Pred = append(all.Raw, scores.Raw...), append(all.Pred, scores.Pred...)
	}
	return all
}

// compareDoubles compares scores with those in a file, to 1e-12.
func compareDoubles(t *testing.T, path string, got []float64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 8*len(got) {
		t.Fatalf("LightGBM has %d scores, we have %d", len(data)/8, len(got))
	}
	for i, v := range got {
		if want := math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])); math.Abs(v-want) > 1e-12*max(1, math.Abs(want)) {
			t.Fatalf("score %d is %v, LightGBM's %v", i, v, want)
		}
	}
}
