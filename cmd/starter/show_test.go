package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/profile"
)

// runShow runs the command alone.
func runShow(args ...string) (string, error) {
	var out bytes.Buffer
	c := newShowCommand(&env{stdout: &out, stderr: &out, getenv: os.Getenv})
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

// writeShop writes 300 rows in three row groups; every tenth segment is null.
func writeShop(t *testing.T) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "segment", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "spend", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "day", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range 300 {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%10 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append([]string{"bronze", "silver\nline", "gold"}[i%3])
		}
		spend := float64(i) / 2
		if i == 7 {
			spend = math.NaN()
		}
		b.Field(2).(*array.Float64Builder).Append(spend)
		b.Field(3).(*array.Date32Builder).Append(arrow.Date32(19000 + i))
	}
	rec := b.NewRecord()
	defer rec.Release()
	path := filepath.Join(t.TempDir(), "shop.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w, err := columnar.Create(out, schema, &columnar.Options{RowGroup: 100})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShow(t *testing.T) {
	path := writeShop(t)
	got, err := runShow(path, "--rows", "2")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"300 rows in 4 columns and 3 row groups",
		"written by headgate",
		"int64 required",
		"silver·line",
		"0 +1 nan",
		"2022-01-08",
		"ZSTD",
		"RLE_DICTIONARY",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n"); n != 18 {
		t.Errorf("%d lines, want 18:\n%s", n, got)
	}
}

// columnOf is the profile of so many rows of numbers that take so many values.
func columnOf(t *testing.T, values, rows int) *profile.Column {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		b.Field(0).(*array.Float64Builder).Append(float64(i%values) / 7)
	}
	rec := b.NewRecord()
	defer rec.Release()
	builder := profile.NewBuilder(nil)
	if err := builder.Add(rec); err != nil {
		t.Fatal(err)
	}
	return builder.Profile().Columns[0]
}

// An estimate is marked as one, and is never above the number of rows.
func TestShowMarksWhatIsEstimated(t *testing.T) {
	for _, tt := range []struct {
		name         string
		values, rows int
		want         string
	}{
		{"few values, counted", 3, 5_000, "\t3\t"},
		{"many values", 5_000, 20_000, "\t~"},
		{"a value in each row", 20_000, 20_000, "\t~"},
	} {
		var c anatomyColumn
		c.fill(columnOf(t, tt.values, tt.rows))
		if line := c.line(); !strings.Contains(line, tt.want) || c.Distinct > int64(tt.rows) {
			t.Errorf("%s: %q, %d distinct of %d rows; want %q", tt.name, line, c.Distinct, tt.rows, tt.want)
		}
	}
}

func TestShowJSON(t *testing.T) {
	got, err := runShow(writeShop(t), "--json", "--rows", "11")
	if err != nil {
		t.Fatal(err)
	}
	var a anatomy
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatal(err)
	}
	segment, spend := a.Columns[1], a.Columns[2]
	if segment.Nulls != 30 || segment.Distinct != 3 || segment.Min != "bronze" || segment.Max != "silver\nline" || segment.Mean != nil {
		t.Errorf("segment is %+v", segment)
	}
	if spend.NaNs != 1 || spend.Min != 0.0 || spend.Max != 149.5 || spend.Mean == nil || math.Abs(*spend.Mean-74.988) > 0.01 {
		t.Errorf("spend is %+v, mean %v", spend, spend.Mean)
	}
	if len(a.RowGroups) != 3 || len(a.First) != 11 || a.First[7]["spend"] != "NaN" || a.First[0]["segment"] != nil || a.First[10]["id"] != 10.0 {
		t.Errorf("row groups %v, first rows %v", a.RowGroups, a.First)
	}
}

func TestShowRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.parquet")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		args []string
		err  string
	}{
		{"no file", nil, "show takes one file, got 0"},
		{"two files", []string{"a", "b"}, "show takes one file, got 2"},
		{"a negative number of rows", []string{empty, "--rows", "-1"}, "--rows -1: give 0 or more"},
		{"a file that is not there", []string{filepath.Join(dir, "no.parquet")}, "no such file"},
		{"a directory", []string{dir}, "is a directory"},
		{"an empty file", []string{empty}, "the file is empty"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := runShow(c.args...); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
}
