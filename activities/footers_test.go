package activities_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/activities"
	"headgate/internal/columnar"
	"headgate/internal/retailer"
	"headgate/internal/run"
)

// number writes a column of a delivered file as unsigned numbers, which Delta Lake has
// no type for.
func (s *shop) number(name, column string) {
	s.t.Helper()
	data, err := os.ReadFile(s.input(name))
	if err != nil {
		s.t.Fatal(err)
	}
	for rec, err := range open(s.t, data).Records(s.t.Context(), columnar.ReadOptions{Rows: 600}) {
		if err != nil {
			s.t.Fatal(err)
		}
		numbers := array.NewUint64Builder(memory.DefaultAllocator)
		numbers.AppendValues(make([]uint64, rec.NumRows()), nil)
		at := rec.Schema().FieldIndices(column)[0]
		fields, columns := rec.Schema().Fields(), slices.Clone(rec.Columns())
		fields[at].Type, columns[at] = arrow.PrimitiveTypes.Uint64, numbers.NewArray()
		changed := array.NewRecord(arrow.NewSchema(fields, nil), columns, rec.NumRows())
		var buf bytes.Buffer
		w, err := columnar.Create(&buf, changed.Schema(), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := errors.Join(w.Write(changed), w.Close(), os.WriteFile(s.input(name), buf.Bytes(), 0o644)); err != nil {
			s.t.Fatal(err)
		}
		return
	}
}

// A published column of a type that neither the contract nor Delta Lake has is an
// answer to the batch, and not a failed run.
func TestATypeOutsideTheContractBlocks(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	s.number("part-0000.parquet", "region")
	out := must(s, s.act.CheckFooters, activities.CheckFootersInput{Run: s.resolve().Run})
	if out.Verdict != run.Block || len(out.Reasons) != 1 || !strings.HasSuffix(out.Reasons[0], "region is uint64, the contract says string") {
		t.Errorf("got %s: %q, want a block that names the type", out.Verdict, out.Reasons)
	}
}
