package pass

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

func TestStatistics(t *testing.T) {
	long := strings.Repeat("x", maxStatString+1)
	for _, tc := range []struct {
		name string
		t    arrow.DataType
		rows string
		want string
	}{
		{name: "doubles", t: arrow.PrimitiveTypes.Float64, rows: `[{"c": 2.5}, {"c": -1}, {"c": 2}]`,
			want: `{"numRecords":3,"minValues":{"c":-1},"maxValues":{"c":2.5},"nullCount":{"c":0}}`},
		{name: "nulls count and bound nothing", t: arrow.PrimitiveTypes.Float64, rows: `[{"c": null}, {"c": 3}, {"c": null}]`,
			want: `{"numRecords":3,"minValues":{"c":3},"maxValues":{"c":3},"nullCount":{"c":2}}`},
		{name: "nothing but nulls", t: arrow.PrimitiveTypes.Int32, rows: `[{"c": null}]`,
			want: `{"numRecords":1,"minValues":{},"maxValues":{},"nullCount":{"c":1}}`},
		{name: "whole numbers beyond a double", t: arrow.PrimitiveTypes.Int64, rows: `[{"c": "9007199254740993"}]`,
			want: `{"numRecords":1,"minValues":{"c":9007199254740993},"maxValues":{"c":9007199254740993},"nullCount":{"c":0}}`},
		{name: "dates", t: arrow.FixedWidthTypes.Date32, rows: `[{"c": "2024-02-29"}, {"c": "1969-12-31"}]`,
			want: `{"numRecords":2,"minValues":{"c":"1969-12-31"},"maxValues":{"c":"2024-02-29"},"nullCount":{"c":0}}`},
		{name: "texts", t: arrow.BinaryTypes.String, rows: `[{"c": "b"}, {"c": ""}, {"c": "Z"}]`,
			want: `{"numRecords":3,"minValues":{"c":""},"maxValues":{"c":"b"},"nullCount":{"c":0}}`},
		{name: "a text that is too long to show leaves the column without bounds", t: arrow.BinaryTypes.String, rows: `[{"c": "a"}, {"c": "` + long + `"}]`,
			want: `{"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"c":0}}`},
		{name: "booleans have none", t: arrow.FixedWidthTypes.Boolean, rows: `[{"c": true}, {"c": null}]`,
			want: `{"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"c":1}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := fromJSON(t, arrow.NewSchema([]arrow.Field{{Name: "c", Type: tc.t, Nullable: true}}, nil), tc.rows)
			for _, cut := range []int64{0, 1} { // one record, and two
				s := newStats(nil)
				s.add(rec.NewSlice(0, cut))
				s.add(rec.NewSlice(cut, rec.NumRows()))
				got, err := s.encode(rec.NumRows())
				if err != nil || string(got) != tc.want {
					t.Errorf("cut at %d: got %s, %v; want %s", cut, got, err, tc.want)
				}
			}
		})
	}
}

func TestStatisticsOfValuesThatJSONCannotShow(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		s := newStats(nil)
		s.add(floatsRecord(1, v, 2))
		s.add(floatsRecord(5))
		got, err := s.encode(4)
		if want := `{"numRecords":4,"minValues":{},"maxValues":{},"nullCount":{"c":0}}`; err != nil || string(got) != want {
			t.Errorf("%v: got %s, %v; want %s", v, got, err, want)
		}
	}
}

func floatsRecord(values ...float64) arrow.Record {
	return array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "c", Type: arrow.PrimitiveTypes.Float64}}, nil),
		[]arrow.Array{columnar.Float64s(values)}, int64(len(values)))
}

func TestStatisticsOfADictionary(t *testing.T) {
	rec := withDictionary(fromJSON(t, contentSchema, contentRowsJSON))
	s := newStats(nil)
	s.add(rec.NewSlice(3, 5)) // Ärger and a, of a dictionary that has more
	got, err := s.encode(2)
	if want := `"minValues":{"f":1.5,"i":-3,"s":"a"},"maxValues":{"f":7,"i":1,"s":"Ärger"}`; err != nil || !strings.Contains(string(got), want) {
		t.Errorf("got %s, %v; want %s in it", got, err, want)
	}
}

// The reader uses the memory of a record again for later ones, of any file.
func TestStatisticsOutliveTheirRecords(t *testing.T) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues([]string{"bravo", "alpha"}, nil)
	texts := b.NewStringArray()
	codes := array.NewInt32Builder(memory.DefaultAllocator)
	codes.AppendValues([]int32{0, 1, 0}, nil)
	for name, col := range map[string]arrow.Array{
		"texts":      texts,
		"dictionary": array.NewDictionaryArray(columnar.DictionaryType, codes.NewInt32Array(), texts),
	} {
		s := newStats(nil)
		s.add(array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "c", Type: col.DataType()}}, nil), []arrow.Array{col}, int64(col.Len())))
		bytes := texts.Data().Buffers()[2].Bytes()
		before := string(bytes)
		copy(bytes, "zzzzzzzzzz")
		got, err := s.encode(int64(col.Len()))
		copy(bytes, before)
		if want := fmt.Sprintf(`{"numRecords":%d,"minValues":{"c":"alpha"},"maxValues":{"c":"bravo"},"nullCount":{"c":0}}`, col.Len()); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, want)
		}
	}
}
