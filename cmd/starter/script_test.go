package main

import (
	"errors"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/rogpeppe/go-internal/testscript"

	"headgate/internal/columnar"
	"headgate/internal/retailer"
)

var update = flag.Bool("update", false, "rewrite the scripts with what the commands print now")

// TestMain lets scripts run the starter as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starter": main})
}

// Scripts are what needs no server: see testdata/*.txtar. They run in a directory
// that has month.parquet, 200 customers of the simulated shop, bought-2023-09.parquet to
// bought-2023-12.parquet, 1500 customers and whether they bought, judged.parquet and
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
			if err := os.Rename(files[0], filepath.Join(script.WorkDir, "month.parquet")); err != nil {
				return err
			}
			for _, month := range []string{"2023-09", "2023-10", "2023-11", "2023-12"} {
				if err := writeBought(filepath.Join(script.WorkDir, "bought-"+month+".parquet"), month); err != nil {
					return err
				}
			}
			return writeJudged(script.WorkDir)
		},
	})
}

// writeBought writes a month of customers with the column bought. The column oracle
// knows it, too.
func writeBought(name, month string) (err error) {
	w := retailer.World{Seed: 3, Customers: 1500}
	next, stop := iter.Pull2(w.Labels(month, nil))
	defer stop()
	var out *columnar.Writer
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close(), file.Close()) }()
	for rec, err := range w.Month(month) {
		if err != nil {
			return err
		}
		labels, err, _ := next()
		if err != nil {
			return err
		}
		bought := labels.Schema().FieldIndices("bought")[0]
		field := labels.Schema().Field(bought)
		oracle := arrow.Field{Name: "oracle", Type: field.Type, Nullable: field.Nullable}
		schema := arrow.NewSchema(append(slices.Clone(rec.Schema().Fields()), field, oracle), nil)
		if out == nil {
			if out, err = columnar.Create(file, schema, nil); err != nil {
				return err
			}
		}
		columns := append(slices.Clone(rec.Columns()), labels.Column(bought), labels.Column(bought))
		joined := array.NewRecord(schema, columns, rec.NumRows())
		err = out.Write(joined)
		joined.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func absolute(t *testing.T, dir string) string {
	t.Helper()
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
