package quarantine_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/pass"
	"headgate/internal/quarantine"
	"headgate/internal/retailer"
)

func TestRowsThatCannotBeHandedIn(t *testing.T) {
	s := newShop(t, "1%")
	s.score()
	bad, schema := s.quarantined()
	good := s.correct(bad)
	at := slices.IndexFunc(bad, func(row map[string]string) bool { return strings.Contains(row[pass.ColumnRules], "return_rate") })
	if at < 0 {
		t.Fatal("no row with a bad return_rate")
	}
	plain := arrow.NewSchema(slices.DeleteFunc(slices.Clone(schema.Fields()), func(f arrow.Field) bool { return strings.HasPrefix(f.Name, "headgate_") }), nil)
	full := arrow.NewSchema(append(plain.Fields(), arrow.Field{Name: "birthday", Type: arrow.FixedWidthTypes.Date32, Nullable: true}), nil)
	doubles := retyped(schema, "visits_30d", arrow.PrimitiveTypes.Float64)
	for _, tt := range []struct {
		name   string
		rows   rows
		schema *arrow.Schema
		want   string // of the error; "" for none
	}{
		{"a value that is still wrong", good.edited(func(all rows) { all[at]["return_rate"] = "7" }), schema,
			fmt.Sprintf("1 of %d rows cannot be handed in, and none was: row %d (from 0): return_rate.maximum", len(bad), at)},
		{"a customer who is scored already", good.edited(func(all rows) { all[at]["customer_id"] = s.customer(3) }), schema, "customer_id,as_of is scored already"},
		{"a customer who was not delivered, in the place of one in quarantine", good.edited(func(all rows) { all[at]["customer_id"] = "C999999999-99" }), schema, ""},
		{"a customer who was not delivered, without a place", good.edited(func(all rows) {
			for i, row := range all {
				row["customer_id"] = fmt.Sprintf("C99999%04d-99", i)
			}
		}), full, "no row in quarantine has its customer_id,as_of"},
		{"two rows of one customer", good.edited(func(all rows) { all[0]["customer_id"] = all[1]["customer_id"] }), schema, "customer_id,as_of is that of another row of the file"},
		{"a column that is gone, without a place", good, plain, "lacks birthday; keep the columns headgate_file and headgate_row of the quarantine, and they are taken from the delivery"},
		{"a place that the delivery does not have", good.edited(func(all rows) { all[0][pass.ColumnRow] = "123456" }), schema, "row 0 (from 0): the delivery has no such row"},
		{"a file that the delivery does not have", good.edited(func(all rows) { all[0][pass.ColumnFile] = "other.parquet" }), schema, "row 0 (from 0) lacks birthday, and its headgate_file and headgate_row name no delivered row"},
		{"integers as doubles", good, doubles, ""},
		{"doubles that are no integers", good.edited(func(all rows) { all[1]["visits_30d"] = "1.5" }), doubles,
			"row 1 (from 0): column visits_30d is float64, and this value is no int32, as the column has in the delivery"},
		{"all columns and no place", good, full, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(s.replays())
			out, err := s.replay(s.write(tt.rows, tt.schema), false)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || len(s.replays()) != before {
					t.Errorf("got %v, want %q; %d files handed in, before %d", err, tt.want, len(s.replays()), before)
				}
				return
			}
			if err != nil || out.Rows != int64(len(bad)) {
				t.Fatalf("got %+v, %v", out, err)
			}
			if err := errors.Join(s.bucket.Delete(t.Context(), out.Key), s.bucket.Delete(t.Context(), strings.TrimSuffix(out.Key, ".parquet")+".json")); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// edited returns a changed copy of rows.
func (r rows) edited(change func(all rows)) rows {
	var all rows
	for _, row := range r {
		all = append(all, maps.Clone(row))
	}
	change(all)
	return all
}

// retyped returns a schema in which a column has another type.
func retyped(schema *arrow.Schema, name string, to arrow.DataType) *arrow.Schema {
	fields := slices.Clone(schema.Fields())
	for i := range fields {
		if fields[i].Name == name {
			fields[i].Type = to
		}
	}
	return arrow.NewSchema(fields, nil)
}

// replays counts the files of corrected rows in the store.
func (s *shop) replays() []string {
	s.t.Helper()
	var keys []string
	for attrs, err := range s.bucket.List(s.t.Context(), "runs/retailer/") {
		if err != nil {
			s.t.Fatal(err)
		}
		if strings.Contains(attrs.Key, "/replay/") {
			keys = append(keys, attrs.Key)
		}
	}
	return keys
}

// customer returns the key of a row of the month that is good.
func (s *shop) customer(row int) string {
	s.t.Helper()
	for rec, err := range s.world.Month(month) {
		if err != nil {
			s.t.Fatal(err)
		}
		return rowsOf(rec)[row]["customer_id"]
	}
	return ""
}

func TestRowsOfAnotherDeliveryAreStale(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(s *shop)
		want   string
	}{
		{"the delivery was replaced", func(s *shop) { s.deliver(retailer.Cents) }, "incoming/retailer/2024-01/part-0000.parquet is new or was replaced"},
		{"a file came", func(s *shop) {
			if err := s.bucket.Put(s.t.Context(), "incoming/retailer/2024-01/part-0007.parquet", []byte("x")); err != nil {
				s.t.Fatal(err)
			}
		}, "incoming/retailer/2024-01/part-0007.parquet is new or was replaced"},
		{"a file is gone", func(s *shop) {
			if err := s.bucket.Delete(s.t.Context(), "incoming/retailer/2024-01/part-0001.parquet"); err != nil {
				s.t.Fatal(err)
			}
		}, "incoming/retailer/2024-01/part-0001.parquet is gone"},
		{"there is another contract", func(s *shop) {
			s.register(false, func(_, text string) string { return strings.Replace(text, "maximum: 1200", "maximum: 1300", 1) })
		}, "the contract is another one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, "1%")
			s.score()
			bad, schema := s.quarantined()
			file := s.write(s.correct(bad), schema)
			tt.change(s)
			_, err := s.replay(file, false)
			if !errors.Is(err, quarantine.ErrStale) || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
