package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

// The canaries: values that nothing but the classified columns of the test's data
// has. Texts have the mark of their column within them.
var (
	marks = map[string]string{
		"person": "CANARYKEY", "email": "CANARYMAIL", "national_id": "CANARYNAT", "diagnosis": "CANARYILL", "nickname": "CANARYNICK",
		planted: "CANARYPLANT",
	}
	// Numbers use all bytes of their types, so that no search finds one by chance.
	incomes    = []float64{183461.67187193, 264173.89062547, 318273.64062581, 427319.29687529, 518432.70312563, 637281.54687517, 731846.01562591, 842917.32812537}
	newIncomes = []float64{1931846.7656257, 2747291.3593713, 3258173.9218791, 4863917.4843739}
	badIncome  = 88613274.1406273
	debts      = []int64{2246351902117, 2841734902231, 3746193827119, 4918273645127, 5738291046133, 6829104637139, 7910463728149, 8104637291151}
	badDebt    = int64(9441734902173)
	birthdays  = []time.Time{day(1931, 7, 19), day(1947, 2, 23), day(1958, 11, 17), day(1969, 5, 29), day(1983, 10, 13)}
	badBirth   = day(1871, 3, 27)
	seenFirst  = time.Date(1971, 3, 4, 5, 16, 37, 891_234_000, time.UTC)
	// confident and restricted are the classified columns.
	confident  = []string{"person", "email", "nickname", "income", "born"}
	restricted = []string{"national_id", "diagnosis", "debt", "seen"}
)

// planted is the column of a value that is in no delivery.
const planted = "planted"

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// A needle is a trace of a classified value.
type needle struct {
	column string
	form   string // what it is, for people
	bytes  []byte
}

// needles returns the traces of all canaries: texts plain, in base64 and in hex;
// numbers and times as people write them and as 8 bytes.
func needles() []needle {
	var all []needle
	add := func(column, form string, b []byte) { all = append(all, needle{column, form, b}) }
	for _, column := range slices.Sorted(maps.Keys(marks)) {
		mark := []byte(marks[column])
		add(column, "text", mark)
		add(column, "hex", []byte(hex.EncodeToString(mark)))
		for offset := range 3 {
			code := base64.StdEncoding.EncodeToString(append(make([]byte, offset), mark...))
			add(column, "base64", []byte(code[(8*offset+5)/6:8*(offset+len(mark))/6]))
		}
	}
	word := func(column string, bits uint64) {
		add(column, "little-endian", binary.LittleEndian.AppendUint64(nil, bits))
		add(column, "big-endian", binary.BigEndian.AppendUint64(nil, bits))
	}
	for _, v := range slices.Concat(incomes, newIncomes, []float64{badIncome}) {
		add("income", "text", []byte(strconv.FormatFloat(v, 'f', -1, 64)))
		word("income", math.Float64bits(v))
	}
	for _, v := range append(slices.Clone(debts), badDebt) {
		add("debt", "text", strconv.AppendInt(nil, v, 10))
		word("debt", uint64(v))
		word("debt", math.Float64bits(float64(v)))
	}
	for _, d := range append(slices.Clone(birthdays), badBirth) {
		add("born", "text", []byte(d.Format(time.DateOnly)))
	}
	add("seen", "text", []byte(seenFirst.Format(time.DateOnly)))
	for i := range instants {
		us := seen(i).UnixMicro()
		add("seen", "text", strconv.AppendInt(nil, us, 10))
		word("seen", uint64(us))
		word("seen", math.Float64bits(float64(us)))
	}
	return all
}

const (
	people   = 400 // rows of a month
	instants = 10  // different times among them
)

func seen(i int) time.Time {
	return seenFirst.Add(time.Duration(i%instants) * 1_234_567 * time.Microsecond)
}

// A person is one row by column; nil is null.
type person map[string]any

// crowd returns the rows of an ordinary month. All values of classified columns are
// canaries, but for categories that the model knows.
func crowd() []person {
	var all []person
	for i := range people {
		all = append(all, person{
			"person":      fmt.Sprintf("KEY%07d%s", i, marks["person"]),
			"segment":     []string{"north", "south"}[i%2],
			"email":       fmt.Sprintf("person%d-%s@example.org", i%50, marks["email"]),
			"national_id": fmt.Sprintf("NAT%07d%s", i, marks["national_id"]),
			"diagnosis":   []string{"none", "cold", marks["diagnosis"], "rare" + marks["diagnosis"]}[i%4],
			"nickname":    []string{"nobody", "somebody", marks["nickname"]}[i%3],
			"income":      incomes[i%len(incomes)],
			"debt":        debts[i%len(debts)],
			"born":        birthdays[i%len(birthdays)],
			"seen":        seen(i),
			"visits":      int64(i % 40),
		})
	}
	return all
}

var peopleSchema = arrow.NewSchema([]arrow.Field{
	{Name: "person", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "segment", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "email", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "national_id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "diagnosis", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "nickname", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "income", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "debt", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "born", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "seen", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	{Name: "visits", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

// retyped returns the schema with another type for a column.
func retyped(column string, t arrow.DataType) *arrow.Schema {
	fields := slices.Clone(peopleSchema.Fields())
	fields[peopleSchema.FieldIndices(column)[0]].Type = t
	return arrow.NewSchema(fields, nil)
}

// parquet returns the rows as a file. Without compression its bytes show its values.
func parquet(t *testing.T, schema *arrow.Schema, rows []person, compression string) []byte {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range rows {
		for i, f := range schema.Fields() {
			if row[f.Name] == nil {
				b.Field(i).AppendNull()
				continue
			}
			switch b := b.Field(i).(type) {
			case *array.StringBuilder:
				b.Append(fmt.Sprint(row[f.Name]))
			case *array.Float64Builder:
				b.Append(row[f.Name].(float64))
			case *array.Int64Builder:
				b.Append(row[f.Name].(int64))
			case *array.Date32Builder:
				b.Append(arrow.Date32FromTime(row[f.Name].(time.Time)))
			case *array.TimestampBuilder:
				b.Append(arrow.Timestamp(row[f.Name].(time.Time).UnixMicro()))
			}
		}
	}
	rec := b.NewRecord()
	defer rec.Release()
	var file bytes.Buffer
	w, err := columnar.Create(&file, schema, &columnar.Options{Compression: compression})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// save writes a file and the directories above it.
func save(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
