//go:build e2e

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sharedGoldens is where the goldens are that may not be shipped.
func sharedGoldens() string {
	if dir := os.Getenv("HEADGATE_SHARED"); dir != "" {
		return filepath.Join(dir, "golden")
	}
	return "../../../shared/data/golden"
}

func TestPredictReproducesEverySharedGoldenCase(t *testing.T) {
	for _, dir := range goldenCases(t, sharedGoldens()) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			checkGolden(t, dir, filepath.Join(dir, "input.csv"))
		})
	}
}

// toParquetByPandas converts input.csv of every case: whole numbers become int64,
// text becomes a dictionary.
const toParquetByPandas = `
import pathlib, sys
import pandas as pd
for case in sorted(pathlib.Path(sys.argv[1]).glob("lgb-*")):
    x = pd.read_csv(case / "input.csv", keep_default_na=False, na_values=[""], float_precision="round_trip")
    for c in x.columns:
        if not pd.api.types.is_numeric_dtype(x[c]):
            x[c] = x[c].astype("category")
    x.to_parquet(f"{sys.argv[2]}/{case.name}.parquet", engine="pyarrow")
`

func TestPredictReproducesEverySharedGoldenCaseFromPandasParquet(t *testing.T) {
	python := os.Getenv("HEADGATE_PYTHON")
	if python == "" {
		python = "../../.venv/bin/python"
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, "-c", toParquetByPandas, sharedGoldens(), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range goldenCases(t, sharedGoldens()) {
		t.Run(filepath.Base(c), func(t *testing.T) {
			checkGolden(t, c, filepath.Join(dir, filepath.Base(c)+".parquet"))
		})
	}
}
