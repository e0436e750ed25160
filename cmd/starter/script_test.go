package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"headgate/internal/retailer"
)

var update = flag.Bool("update", false, "rewrite the scripts with what the commands print now")

// TestMain lets scripts run the starter as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starter": main})
}

// Scripts are what needs no server: see testdata/*.txtar. They run in a directory
// that has month.parquet, 200 customers of the simulated shop, and judged.parquet and
// challenger.parquet, scores with and without labels; RETAILER and GOLDEN
// are directories of this repository.
func TestScripts(t *testing.T) {
	shop, golden := absolute(t, shipped), absolute(t, goldens)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(script *testscript.Env) error {
			script.Setenv("RETAILER", shop)
			script.Setenv("GOLDEN", golden)
			script.Setenv("USER", "ada")
			customers := retailer.World{Seed: 1, Customers: 200}
			files, err := customers.WriteDir(t.Context(), script.WorkDir, "2024-01", nil)
			if err != nil {
				return err
			}
			if err := writeJudged(script.WorkDir); err != nil {
				return err
			}
			return os.Rename(files[0], filepath.Join(script.WorkDir, "month.parquet"))
		},
	})
}

func absolute(t *testing.T, dir string) string {
	t.Helper()
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
