package activities

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/run"
	"headgate/internal/store"
)

// published writes a data file with customers first to last; score says what each gets,
// and NaN stands for null.
func published(t *testing.T, b *store.Bucket, name string, first, last int, model string, score func(i int) float64) delta.File {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "score", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "model", Type: arrow.BinaryTypes.String}}, nil)
	rows := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer rows.Release()
	for i := first; i <= last; i++ {
		rows.Field(0).(*array.StringBuilder).Append(fmt.Sprint("C", i))
		if s := score(i); s == s {
			rows.Field(1).(*array.Float64Builder).Append(s)
		} else {
			rows.Field(1).AppendNull()
		}
		rows.Field(2).(*array.StringBuilder).Append(model)
	}
	rec := rows.NewRecord()
	defer rec.Release()
	var out bytes.Buffer
	w, err := columnar.Create(&out, schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), run.TablePrefix("shop")+"/"+name, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	return delta.File{Path: name, Rows: int64(last - first + 1)}
}

func TestChangesCountsKeys(t *testing.T) {
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	a := New(b, nil)
	same := func(i int) float64 { return float64(i) / 100 }
	was := []delta.File{published(t, b, "1", 1, 60, "a", same), published(t, b, "2", 61, 100, "a", same)}
	other := published(t, b, "3", 1, 100, "b", same)
	moved := published(t, b, "4", 1, 100, "a", func(i int) float64 {
		switch i {
		case 7:
			return 0
		case 8:
			return math.NaN()
		}
		return same(i)
	})
	fewer := published(t, b, "5", 11, 103, "a", same)
	for _, tt := range []struct {
		name   string
		is     []delta.File
		key    []string
		atOnce int64
		want   int64
		known  bool
	}{
		{"the same files", was, []string{"id"}, 1000, 0, true},
		{"the same rows by another model in other files", []delta.File{other}, []string{"id"}, 1000, 0, true},
		{"a score that is another, and one that is gone", []delta.File{moved}, []string{"id"}, 1000, 2, true},
		{"customers that left and that came", []delta.File{fewer}, []string{"id"}, 1000, 13, true},
		{"the same in four parts", []delta.File{fewer}, []string{"id"}, 30, 13, true},
		{"too many to be counted", []delta.File{fewer}, []string{"id"}, 5, 0, false},
		{"another key", []delta.File{fewer}, []string{"number"}, 1000, 0, false},
		{"a file that is gone", []delta.File{{Path: "6", Rows: 1}}, []string{"id"}, 1000, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, known, err := a.changes(t.Context(), "shop", was, tt.is, tt.key, tt.atOnce)
			if err != nil || got != tt.want || known != tt.known {
				t.Errorf("changes = %d, %v, %v, want %d, %v", got, known, err, tt.want, tt.known)
			}
		})
	}
}
