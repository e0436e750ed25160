package quarantine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/pass"
	"headgate/internal/quarantine"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
	"headgate/workflows/workflowstest"
)

const (
	shipped = "../../testdata/retailer/"
	month   = "2024-01"
)

var formats = model.Formats{"lightgbm": lightgbm.Format}

// A shop is a store with the simulated retailer in it, filled by the real workflows.
type shop struct {
	t      *testing.T
	dir    string
	bucket *store.Bucket
	world  retailer.World
	runs   int
}

// newShop delivers a month with bad rows in two files and scores it.
func newShop(t *testing.T, budget string) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir(), world: retailer.World{Seed: 1, Customers: 2000}}
	var err error
	if s.bucket, err = store.Open(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.bucket.Close() })
	s.register(true, func(name, text string) string { return strings.Replace(text, "budget: 1%", "budget: "+budget, 1) })
	s.deliver(retailer.BadRows)
	return s
}

// register makes edited copies of the shipped files the ones in force, and the shipped
// model the champion.
func (s *shop) register(model bool, edit func(name, text string) string) {
	s.t.Helper()
	dir := s.t.TempDir()
	for _, name := range []string{"contract.yaml", "pipeline.yaml"} {
		text, err := os.ReadFile(shipped + name)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(edit(name, string(text))), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	r := registration.Request{Pipeline: filepath.Join(dir, "pipeline.yaml"), By: "test", Reason: "a test of it", At: time.Unix(1e9, 0).UTC()}
	if model {
		r.Model, r.Champion = shipped+"champion.txt", true
		r.Golden, r.Expected = shipped+"golden.csv", shipped+"golden_expected.csv"
	}
	if _, err := r.Do(s.t.Context(), s.bucket, formats); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) deliver(fault retailer.Fault) {
	s.t.Helper()
	dir := filepath.Join(s.dir, "incoming", "retailer", month)
	if _, err := s.world.WriteDir(s.t.Context(), dir, month, &retailer.Options{Fault: fault, Parts: 2}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) score() workflows.ScoreBatchOutput {
	s.t.Helper()
	s.runs++
	env := workflowstest.Environment(s.bucket, formats, fmt.Sprintf("run-%d", s.runs), time.Unix(1.1e9, 0).UTC())
	return workflowstest.Score(s.t, env, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "test"})
}

func (s *shop) load() *quarantine.Quarantine {
	s.t.Helper()
	q, err := quarantine.Load(s.t.Context(), s.bucket, "retailer", month)
	if err != nil {
		s.t.Fatal(err)
	}
	return q
}

// rows are records as maps of texts, which are easy to edit.
type rows []map[string]string

// quarantined returns the rows in quarantine; null is "".
func (s *shop) quarantined() (rows, *arrow.Schema) {
	s.t.Helper()
	q := s.load()
	schema, err := q.Schema(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var all rows
	for rec, err := range q.Records(s.t.Context(), schema) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, rowsOf(rec)...)
	}
	return all, schema
}

// rowsOf returns a record as rows.
func rowsOf(rec arrow.Record) rows {
	var all rows
	for i := range int(rec.NumRows()) {
		row := map[string]string{}
		for c, col := range rec.Columns() {
			if col.IsValid(i) {
				row[rec.ColumnName(c)] = strings.Clone(pass.Text(col, i))
			}
		}
		all = append(all, row)
	}
	return all
}

// write writes rows as a Parquet file with the columns of a schema.
func (s *shop) write(all rows, schema *arrow.Schema) string {
	s.t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for _, row := range all {
		for i, f := range schema.Fields() {
			if v, ok := row[f.Name]; !ok {
				b.Field(i).AppendNull()
			} else if err := b.Field(i).AppendValueFromString(v); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	name := filepath.Join(s.t.TempDir(), "fixed.parquet")
	f, err := os.Create(name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	w, err := columnar.Create(f, schema, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(w.Write(b.NewRecord()), w.Close()); err != nil {
		s.t.Fatal(err)
	}
	return name
}

// correct puts the values in that the world has for the rows.
func (s *shop) correct(bad rows) rows {
	s.t.Helper()
	var truth rows
	for rec, err := range s.world.Month(month) {
		if err != nil {
			s.t.Fatal(err)
		}
		truth = append(truth, rowsOf(rec)...)
	}
	var good rows
	for _, row := range bad {
		fixed := map[string]string{}
		part, ordinal := 0, 0
		fmt.Sscan(row[pass.ColumnRow], &ordinal)
		if strings.HasSuffix(row[pass.ColumnFile], "part-0001.parquet") {
			part = len(truth) / 2
		}
		for name := range row {
			if strings.HasPrefix(name, "headgate_") {
				fixed[name] = row[name]
			}
		}
		for name, value := range truth[part+ordinal] {
			fixed[name] = value
		}
		good = append(good, fixed)
	}
	return good
}

func (s *shop) replay(file string, partial bool) (*quarantine.Result, error) {
	return quarantine.Replay(s.t.Context(), s.bucket, formats, quarantine.Request{Pipeline: "retailer", Batch: month, File: file,
		Partial: partial, By: "ada", Reason: "the supplier sent them again", At: time.Unix(2e9, 0)})
}

func (s *shop) mustReplay(file string) *quarantine.Result {
	s.t.Helper()
	out, err := s.replay(file, false)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}
