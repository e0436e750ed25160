package activities

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/model"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		kind string // "": try again
	}{
		{"a kind that an activity chose", fail(KindNoData, "no file"), KindNoData},
		{"a chosen kind decides before the error inside", &kindError{KindConfig, store.ErrExists}, KindConfig},
		{"the registry changed under a decision", registry.ErrHeadMoved, KindHeadMoved},
		{"another run published meanwhile", delta.ErrConflict, KindConflict},
		{"a key is taken by other bytes", store.ErrExists, KindConflict},
		{"an id records something else", registry.ErrIDTaken, KindConflict},
		{"another model is the champion", registry.ErrAliasTaken, KindConflict},
		{"a rejected model cannot be promoted", registry.ErrRejected, KindConflict},
		{"a proposal does not wait", registry.ErrProposal, KindConflict},
		{"a batch is published and not missed", registry.ErrNotMissed, KindConflict},
		{"a model was never registered", registry.ErrUnknownModel, KindUnknown},
		{"the registry takes no such entry", registry.ErrEntry, KindConfig},
		{"ranks are damaged", serving.ErrRanks, KindCorrupt},
		{"an input changed while it was read", store.ErrChanged, KindInputChanged},
		{"the registry's chain is broken", &registry.HashError{Seq: 3}, KindCorrupt},
		{"a registry entry is none", &registry.EntryError{Seq: 3, Err: registry.ErrEntry}, KindCorrupt},
		{"a paper was changed", &run.DigestError{Key: "runs/x"}, KindCorrupt},
		{"a blob was changed", &store.CorruptError{Key: "blobs/x"}, KindCorrupt},
		{"a Parquet file is damaged", &columnar.Error{Name: "a", Err: columnar.ErrCorrupt}, KindCorrupt},
		{"a Parquet file is encrypted", columnar.ErrEncrypted, KindCorrupt},
		{"a column is nested", columnar.ErrNested, KindCorrupt},
		{"a column is missing", columnar.ErrColumn, KindCorrupt},
		{"a Parquet file is of another world", columnar.ErrUnsupported, KindCorrupt},
		{"a page is too large", columnar.ErrLimit, KindCorrupt},
		{"someone else wrote into the table", &delta.ForeignError{Batch: "2024-01"}, KindCorrupt},
		{"the table's log is broken", &delta.LogError{Key: "a"}, KindCorrupt},
		{"the table has another schema", &delta.SchemaError{Column: "a"}, KindCorrupt},
		{"data files are gone", &delta.MissingError{Problems: []delta.Problem{{}}}, KindCorrupt},
		{"the table needs a feature", &delta.UnsupportedError{Feature: "a"}, KindCorrupt},
		{"a golden row has another score", &model.GoldenError{}, KindGoldenRows},
		{"a model input cannot be read", &model.InputError{Column: "a"}, KindConfig},
		{"a model format is unknown", bundle.ErrFormat, KindConfig},
		{"a pipeline cannot have that name", registry.ErrPipeline, KindUnknown},
		{"a name makes no key", store.ErrKey, KindUnknown},
		{"a missing object may turn up", store.ErrNotFound, ""},
		{"a broken connection", io.ErrUnexpectedEOF, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := fmt.Errorf("score shard 3: %w", tt.err)
			got := classify(err)
			var app *temporal.ApplicationError
			switch {
			case tt.kind == "" && got != err:
				t.Errorf("got %v, want the error as it is", got)
			case tt.kind == "":
			case !errors.As(got, &app) || app.Type() != tt.kind || !app.NonRetryable() || app.Message() != err.Error():
				t.Errorf("got %#v, want kind %s", got, tt.kind)
			}
		})
	}
	if err := classify(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestCutShards(t *testing.T) {
	for _, tt := range []struct {
		name   string
		groups []int64 // rows
		rows   int64
		want   []run.Shard
	}{
		{"no row groups", nil, 10, nil},
		{"an empty file has no shard", []int64{0, 0}, 10, nil},
		{"one group, one shard", []int64{4}, 10, []run.Shard{{Groups: 1, Rows: 4}}},
		{"groups that fit go together", []int64{4, 6, 1}, 10,
			[]run.Shard{{Groups: 2, Rows: 10}, {FirstGroup: 2, Groups: 1, FirstRow: 10, Rows: 1}}},
		{"a group over the limit is a shard of its own", []int64{4, 25, 4}, 10,
			[]run.Shard{{Groups: 1, Rows: 4}, {FirstGroup: 1, Groups: 1, FirstRow: 4, Rows: 25}, {FirstGroup: 2, Groups: 1, FirstRow: 29, Rows: 4}}},
		{"empty groups at the start are left out", []int64{0, 4}, 10, []run.Shard{{FirstGroup: 1, Groups: 1, Rows: 4}}},
		{"empty groups in the middle and at the end cost nothing", []int64{4, 0, 6, 0, 3, 0}, 10,
			[]run.Shard{{Groups: 3, Rows: 10}, {FirstGroup: 4, Groups: 1, FirstRow: 10, Rows: 3}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var groups []columnar.RowGroup
			for _, n := range tt.groups {
				groups = append(groups, columnar.RowGroup{Rows: n})
			}
			for i := range tt.want {
				tt.want[i].File = 7
			}
			if got := cutShards(7, groups, tt.rows); !slices.Equal(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFew(t *testing.T) {
	all := strings.Split("a b c d e f g h i j", " ")
	if got := few(all); !slices.Equal(got, all) {
		t.Errorf("ten reasons became %v", got)
	}
	got := few(append(slices.Clone(all), "k", "l"))
	if want := append(slices.Clone(all), "and 2 more"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if all[9] != "j" || few(nil) != nil {
		t.Error("few changed its argument, or made something of nothing")
	}
}

func TestDeltaType(t *testing.T) {
	for _, tt := range []struct {
		arrow arrow.DataType
		want  string // "": no such type
	}{
		{arrow.BinaryTypes.String, "string"},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, "string"},
		{arrow.BinaryTypes.Binary, "binary"},
		{arrow.FixedWidthTypes.Boolean, "boolean"},
		{arrow.FixedWidthTypes.Date32, "date"},
		{arrow.PrimitiveTypes.Int8, "byte"},
		{arrow.PrimitiveTypes.Int16, "short"},
		{arrow.PrimitiveTypes.Int32, "integer"},
		{arrow.PrimitiveTypes.Int64, "long"},
		{arrow.PrimitiveTypes.Float32, "float"},
		{arrow.PrimitiveTypes.Float64, "double"},
		{&arrow.Decimal128Type{Precision: 12, Scale: 2}, "decimal(12,2)"},
		{&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, "timestamp"},
		{&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, ""},
		{&arrow.TimestampType{Unit: arrow.Microsecond}, ""},
		{arrow.PrimitiveTypes.Uint64, ""},
		{arrow.FixedWidthTypes.Float16, ""},
		{arrow.FixedWidthTypes.Time64us, ""},
	} {
		got, err := deltaType(tt.arrow)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: got %q, %v; want %q", tt.arrow, got, err, tt.want)
		}
		if err != nil && err.Error() != tt.arrow.String()+" has no type in Delta Lake" {
			t.Errorf("%s: %v", tt.arrow, err)
		}
	}
}
