package contract_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/contract"
)

const head = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n- name: t\n"

// parse reads a contract of one table: its rules first, then its columns.
func parse(t testing.TB, table string, columns ...string) *contract.Contract {
	t.Helper()
	text := head + table + "  properties:\n"
	for _, c := range columns {
		text += "  - " + c + "\n"
	}
	c, err := contract.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// record makes a record of one column x from JSON, such as [1, null].
func record(t testing.TB, dt arrow.DataType, values string) arrow.Record {
	t.Helper()
	arr, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	return recordOf(arr)
}

func recordOf(arr arrow.Array) arrow.Record {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arr.DataType(), Nullable: true}}, nil)
	return array.NewRecord(schema, []arrow.Array{arr}, int64(arr.Len()))
}

func floats64(values ...float64) arrow.Record {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return recordOf(b.NewArray())
}

func floats32(values ...float32) arrow.Record {
	b := array.NewFloat32Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return recordOf(b.NewArray())
}

// marks lists the bad rows: "1:x.minimum,x.maximum 3:x.required".
func marks(m contract.Marks, rows int64) string {
	var out []string
	for i := range int(rows) {
		if m.Bad(i) {
			out = append(out, fmt.Sprintf("%d:%s", i, strings.Join(m.Rules(i), ",")))
		}
	}
	return strings.Join(out, " ")
}

func TestCheckerMarksRows(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	text := func(values string) func(testing.TB) arrow.Record {
		return func(t testing.TB) arrow.Record { return record(t, arrow.BinaryTypes.String, values) }
	}
	of := func(dt arrow.DataType, values string) func(testing.TB) arrow.Record {
		return func(t testing.TB) arrow.Record { return record(t, dt, values) }
	}
	made := func(r arrow.Record) func(testing.TB) arrow.Record { return func(testing.TB) arrow.Record { return r } }
	utc := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	local := &arrow.TimestampType{Unit: arrow.Second}
	for _, tt := range []struct {
		name   string
		column string // what follows name: x
		rec    func(testing.TB) arrow.Record
		want   string
	}{
		{"a null breaks required", "required: true", of(arrow.PrimitiveTypes.Int64, `[1, null]`), "1:x.required"},
		{"a null is in every range", "logicalType: integer, logicalTypeOptions: { minimum: 1 }", of(arrow.PrimitiveTypes.Int64, `[1, null, 0]`), "2:x.minimum"},
		{"limits of whole numbers are inclusive", "logicalType: integer, logicalTypeOptions: { minimum: -1, maximum: 2 }", of(arrow.PrimitiveTypes.Int8, `[-2, -1, 2, 3]`), "0:x.minimum 3:x.maximum"},
		{"exclusive limits are not", "logicalType: integer, logicalTypeOptions: { exclusiveMinimum: -1, exclusiveMaximum: 2 }", of(arrow.PrimitiveTypes.Int16, `[-1, 0, 1, 2]`), "0:x.exclusiveMinimum 3:x.exclusiveMaximum"},
		{"limits between whole numbers", "logicalType: integer, logicalTypeOptions: { minimum: -0.5, exclusiveMaximum: 1.5 }", of(arrow.PrimitiveTypes.Int32, `[-1, 0, 1, 2]`), "0:x.minimum 3:x.exclusiveMaximum"},
		{"limits beyond the type", "logicalType: integer, logicalTypeOptions: { minimum: -1e30, maximum: 1e30 }", of(arrow.PrimitiveTypes.Int64, `[0]`), ""},
		{"a limit that no value of the type keeps", "logicalType: integer, logicalTypeOptions: { minimum: 1e30 }", of(arrow.PrimitiveTypes.Int64, `[0]`), "0:x.minimum"},
		{"unsigned values above int64", "logicalType: integer, logicalTypeOptions: { maximum: 9223372036854775808 }", of(arrow.PrimitiveTypes.Uint64, `[9223372036854775808, 9223372036854777856]`), "1:x.maximum"},
		{"unsigned values are above a negative minimum", "logicalType: integer, logicalTypeOptions: { minimum: -5 }", of(arrow.PrimitiveTypes.Uint64, `[0]`), ""},
		{"unsigned values cannot be negative", "logicalType: integer, logicalTypeOptions: { maximum: -5 }", of(arrow.PrimitiveTypes.Uint64, `[0]`), "0:x.maximum"},
		{"a width is about values, not about the file", "logicalType: integer, logicalTypeOptions: { format: u8 }", of(arrow.PrimitiveTypes.Int64, `[-1, 0, 255, 256]`), "0:x.format 3:x.format"},
		{"multiples of whole numbers", "logicalType: integer, logicalTypeOptions: { multipleOf: 3 }", of(arrow.PrimitiveTypes.Int64, `[-3, 0, 1, 6]`), "2:x.multipleOf"},
		{"multiples of a fraction", "logicalType: number, logicalTypeOptions: { multipleOf: 1.5 }", of(arrow.PrimitiveTypes.Int64, `[3, 4]`), "1:x.multipleOf"},
		{"NaN is in no range", "logicalType: number, logicalTypeOptions: { minimum: 0 }", made(floats64(nan, 0, inf, -0.5)), "0:x.minimum 3:x.minimum"},
		{"NaN is not null", "logicalType: number, required: true", made(floats64(nan)), ""},
		{"NaN is no multiple, and no infinity is", "logicalType: number, logicalTypeOptions: { multipleOf: 0.01 }", made(floats64(nan, 0.07, 19.99, 0.005, inf)), "0:x.multipleOf 3:x.multipleOf 4:x.multipleOf"},
		{"a limit has the precision of the column", "logicalType: number, logicalTypeOptions: { maximum: 0.1 }", made(floats32(0.1, 0.11)), "1:x.maximum"},
		{"an exclusive limit too", "logicalType: number, logicalTypeOptions: { exclusiveMaximum: 0.1 }", made(floats32(0.1, 0.09)), "0:x.exclusiveMaximum"},
		{"decimals are compared exactly", "logicalType: number, logicalTypeOptions: { minimum: 0.1, exclusiveMaximum: 0.3, multipleOf: 0.05 }", of(&arrow.Decimal128Type{Precision: 10, Scale: 2}, `["0.09", "0.10", "0.29", "0.30"]`), "0:x.multipleOf,x.minimum 2:x.multipleOf 3:x.exclusiveMaximum"},
		{"limits finer than a decimal", "logicalType: number, logicalTypeOptions: { exclusiveMinimum: 0.099, maximum: 0.299 }", of(&arrow.Decimal128Type{Precision: 10, Scale: 2}, `["0.09", "0.10", "0.29", "0.30"]`), "0:x.exclusiveMinimum 3:x.maximum"},
		{"wide decimals", "logicalType: number, logicalTypeOptions: { minimum: 1 }", of(&arrow.Decimal256Type{Precision: 40, Scale: 1}, `["0.9", "1.0"]`), "0:x.minimum"},
		{"dates", "logicalType: date, logicalTypeOptions: { minimum: 1969-12-31, maximum: 1970-01-02 }", of(arrow.FixedWidthTypes.Date32, `["1969-12-30", "1969-12-31", "1970-01-02", "1970-01-03"]`), "0:x.minimum 3:x.maximum"},
		{"instants are compared as instants", "logicalType: timestamp, logicalTypeOptions: { minimum: '2024-01-01 00:00:00', defaultTimezone: Europe/Berlin }", of(utc, `["2023-12-31 22:59:59.999999", "2023-12-31 23:00:00"]`), "0:x.minimum"},
		{"clock readings as clock readings", "logicalType: timestamp, logicalTypeOptions: { minimum: '2024-01-01 00:00:00', defaultTimezone: Europe/Berlin }", of(local, `["2023-12-31 23:59:59", "2024-01-01 00:00:00"]`), "0:x.minimum"},
		{"times of day", "logicalType: time, logicalTypeOptions: { exclusiveMaximum: '18:00' }", of(arrow.FixedWidthTypes.Time32ms, `["17:59:59.999", "18:00:00"]`), "1:x.exclusiveMaximum"},
		{"lengths count characters", "logicalType: string, logicalTypeOptions: { minLength: 2, maxLength: 3 }", text(`["é", "éé", "日本語", "日本語日", ""]`), "0:x.minLength 3:x.maxLength 4:x.minLength"},
		{"a pattern may match anywhere", "logicalType: string, logicalTypeOptions: { pattern: 'b+' }", text(`["abc", "ac", null]`), "1:x.pattern"},
		{"the dot does not match a line end", `logicalType: string, logicalTypeOptions: { pattern: '^a.c$' }`, text(`["abc", "a\nc", "a\rc"]`), "1:x.pattern 2:x.pattern"},
		{"white space is Unicode's", `logicalType: string, logicalTypeOptions: { pattern: '^\s[\s]\S$' }`, text("[\"\u00a0\u2003x\", \"  \u3000\"]"), "1:x.pattern"},
		{"escapes of ECMA-262", `logicalType: string, logicalTypeOptions: { pattern: '^\u0041\x42\u{43}\/[\b\]]$' }`, text(`["ABC/]", "ABC/b"]`), "1:x.pattern"},
		{"uuid", "logicalType: string, logicalTypeOptions: { format: uuid }", text(`["123e4567-e89b-12d3-A456-426614174000", "123e4567e89b12d3a456426614174000"]`), "1:x.format"},
		{"email", "logicalType: string, logicalTypeOptions: { format: email }", text(`["a.b+c@ex-ample.org", "a..b@x.org", "@x", "a@", "a b@x"]`), "1:x.format 2:x.format 3:x.format 4:x.format"},
		{"uri", "logicalType: string, logicalTypeOptions: { format: uri }", text(`["https://x.org/a?b#c", "mailto:a@b", "/a", "a b"]`), "2:x.format 3:x.format"},
		{"hostname", "logicalType: string, logicalTypeOptions: { format: hostname }", text(`["x.org", "-x.org", "x..org"]`), "1:x.format 2:x.format"},
		{"addresses", "logicalType: string, logicalTypeOptions: { format: ipv4 }", text(`["1.2.3.4", "1.2.3", "::1"]`), "1:x.format 2:x.format"},
		{"long addresses", "logicalType: string, logicalTypeOptions: { format: ipv6 }", text(`["::1", "fe80::1%eth0", "1.2.3.4"]`), "1:x.format 2:x.format"},
		{"base64", "logicalType: string, logicalTypeOptions: { format: byte }", text(`["aGk=", "aGk", "a==="]`), "1:x.format 2:x.format"},
		{"valid values", "logicalType: string, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [a, b] } }]", text(`["a", "c", null]`), "1:x.invalidValues"},
		{"valid values and a pattern", "logicalType: string, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [a, bb], pattern: '^.$' } }]", text(`["a", "bb", "c"]`), "1:x.invalidValues 2:x.invalidValues"},
		{"valid numbers", "logicalType: number, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [1, 2.5, .nan] } }]", made(floats64(1, 2.5, 2, nan)), "2:x.invalidValues"},
		{"valid booleans", "logicalType: boolean, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [true] } }]", of(arrow.FixedWidthTypes.Boolean, `[true, false, null]`), "1:x.invalidValues"},
		{"valid whole numbers", "logicalType: integer, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [1, 2.5] } }]", of(arrow.PrimitiveTypes.Uint8, `[1, 2, null]`), "1:x.invalidValues"},
		{"valid decimals", "logicalType: number, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [1.50, 2.005, .nan] } }]", of(&arrow.Decimal128Type{Precision: 9, Scale: 2}, `["1.5", "2.00"]`), "1:x.invalidValues"},
		{"missing decimals", "logicalType: number, quality: [{ metric: missingValues, mustBe: 0, arguments: { missingValues: [-1] } }]", of(&arrow.Decimal256Type{Precision: 40, Scale: 2}, `["-1.00", "1", null]`), "0:x.missingValues 2:x.missingValues"},
		{"missing numbers", "logicalType: number, quality: [{ metric: missingValues, mustBe: 0, arguments: { missingValues: [-999.9, .NaN] } }]", made(floats32(-999.9, float32(nan), 0)), "0:x.missingValues 1:x.missingValues"},
		{"missing texts", "logicalType: string, quality: [{ metric: missingValues, mustBe: 0, arguments: { missingValues: [null, '', N/A] } }]", text(`["", "N/A", "n/a", null]`), "0:x.missingValues 1:x.missingValues 3:x.missingValues"},
		{"valid dates", "logicalType: date, quality: [{ metric: invalidValues, mustBe: 0, arguments: { validValues: [2024-01-31] } }]", of(arrow.FixedWidthTypes.Date64, `["2024-01-31", "2024-02-01"]`), "1:x.invalidValues"},
		{"half floats", "logicalType: number, logicalTypeOptions: { maximum: 1.5 }", of(arrow.FixedWidthTypes.Float16, `[1.5, 1.75, null]`), "1:x.maximum"},
		{"a width of decimals", "logicalType: integer, logicalTypeOptions: { format: i8 }", of(&arrow.Decimal128Type{Precision: 9}, `["127", "128", "-129"]`), "1:x.format 2:x.format"},
		{"large texts", "logicalType: string, logicalTypeOptions: { minLength: 2 }", of(arrow.BinaryTypes.LargeString, `["a", "ab"]`), "0:x.minLength"},
		{"bytes", "logicalType: string, logicalTypeOptions: { format: binary, minLength: 2 }", of(arrow.BinaryTypes.Binary, `["YQ==", "YWI="]`), "0:x.minLength"},
		{"a UUID of 16 bytes", "logicalType: string, logicalTypeOptions: { format: uuid, pattern: '^123e4567-e89b-12d3-a456-426614174000$' }", of(&arrow.FixedSizeBinaryType{ByteWidth: 16}, `["Ej5FZ+ibEtOkVkJmFBdAAA==", "AAAAAAAAAAAAAAAAAAAAAA=="]`), "1:x.pattern"},
		{"dates as the contract writes them", `logicalType: date, logicalTypeOptions: { format: "d.M.yyyy 'o''clock'", minimum: "1.2.2024 o'clock" }`, of(arrow.FixedWidthTypes.Date32, `["2024-01-31", "2024-02-01"]`), "0:x.minimum"},
		{"times of the contract with a fraction", `logicalType: timestamp, logicalTypeOptions: { format: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", minimum: "2024-01-01T00:00:00.500+01:00" }`, of(utc, `["2023-12-31 23:00:00.499999", "2023-12-31 23:00:00.5"]`), "0:x.minimum"},
		{"missing counts nulls and the list", "logicalType: integer, quality: [{ metric: missingValues, mustBe: 0, arguments: { missingValues: [-1] } }]", of(arrow.PrimitiveTypes.Int64, `[-1, 0, null]`), "0:x.missingValues 2:x.missingValues"},
		{"a tolerance quarantines nothing", "quality: [{ metric: nullValues, mustBeLessThan: 50, unit: percent }]", of(arrow.PrimitiveTypes.Int64, `[1, null]`), ""},
		{"a warning quarantines nothing", "quality: [{ metric: nullValues, mustBe: 0, severity: warning }]", of(arrow.PrimitiveTypes.Int64, `[1, null]`), ""},
		{"one row can break several rules", "logicalType: integer, logicalTypeOptions: { maximum: 5, multipleOf: 2 }", of(arrow.PrimitiveTypes.Int64, `[7]`), "0:x.multipleOf,x.maximum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := parse(t, "", "{ name: x, "+tt.column+" }").NewChecker()
			rec := tt.rec(t)
			m, err := k.Add(rec)
			if err != nil {
				t.Fatal(err)
			}
			if got := marks(m, rec.NumRows()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if m.Any() != (tt.want != "") || m.Count() != int(k.Result().Bad) {
				t.Errorf("Any %v, Count %d, Bad %d", m.Any(), m.Count(), k.Result().Bad)
			}
			sliced(t, tt.column, rec, tt.want)
		})
	}
}

// sliced checks that a slice of a longer record gives the same marks: offsets and
// the values outside of a slice must not matter.
func sliced(t *testing.T, column string, rec arrow.Record, want string) {
	t.Helper()
	twice, err := array.Concatenate([]arrow.Array{rec.Column(0), rec.Column(0)}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(rec.NumRows())
	k := parse(t, "", "{ name: x, "+column+" }").NewChecker()
	m, err := k.Add(recordOf(twice).NewSlice(n, 2*n))
	if err != nil {
		t.Fatal(err)
	}
	if got := marks(m, n); got != want {
		t.Errorf("of a slice: got %q, want %q", got, want)
	}
}

func TestDictionariesGiveWhatStringsGive(t *testing.T) {
	c := parse(t, "", "{ name: x, logicalType: string, required: true, logicalTypeOptions: { minLength: 2, pattern: '^a' } }")
	dict, _, err := array.FromJSON(memory.DefaultAllocator, arrow.BinaryTypes.String, strings.NewReader(`["ab", "a", "bb", "never used, and longer than any"]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []arrow.DataType{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint8} {
		places, _, err := array.FromJSON(memory.DefaultAllocator, index, strings.NewReader(`[0, 1, null, 2, 0, 1]`))
		if err != nil {
			t.Fatal(err)
		}
		arr := array.NewDictionaryArray(&arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}, places, dict)
		k := c.NewChecker()
		for range 2 { // the second record must not see the first one's verdicts
			m, err := k.Add(recordOf(arr))
			if err != nil {
				t.Fatal(err)
			}
			want := "1:x.minLength 2:x.required 3:x.pattern 5:x.minLength"
			if got := marks(m, 6); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		want := contract.Result{Rows: 12, Bad: 8, Rules: map[string]int64{"x.required": 2, "x.minLength": 4, "x.pattern": 2}}
		if got := k.Result(); !equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func equal(a, b contract.Result) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

// The counts of the parts, in any order and of any size, are the counts of the whole.
func TestMergeEqualsAllAtOnce(t *testing.T) {
	c := parse(t, "  quality: [{ metric: rowCount, mustBeGreaterThan: 0 }]\n",
		"{ name: x, logicalType: integer, logicalTypeOptions: { minimum: 10 }, quality: [{ metric: nullValues, mustBeLessThan: 5 }] }")
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range 1000 {
		if i%7 == 0 {
			b.AppendNull()
		} else {
			b.Append(int64(i % 50))
		}
	}
	rec := recordOf(b.NewArray())
	whole := c.NewChecker()
	if _, err := whole.Add(rec); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{1, 63, 64, 65, 999} {
		var parts []contract.Result
		for from := int64(0); from < 1000; from += size {
			k := c.NewChecker()
			if _, err := k.Add(rec.NewSlice(from, min(from+size, 1000))); err != nil {
				t.Fatal(err)
			}
			parts = append(parts, k.Result())
		}
		slices.Reverse(parts)
		var merged contract.Result
		for _, p := range parts {
			merged = contract.Merge(merged, p)
		}
		if !equal(merged, whole.Result()) {
			t.Errorf("parts of %d rows: got %+v, want %+v", size, merged, whole.Result())
		}
	}
}

func TestCheckerRefusesOtherColumns(t *testing.T) {
	c := parse(t, "", "{ name: x, logicalType: integer, required: true }")
	_, err := c.NewChecker().Add(record(t, arrow.BinaryTypes.String, `["a"]`))
	if want := "contract: x is string, the contract says integer"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	other := parse(t, "", "{ name: y, required: true }")
	_, err = other.NewChecker().Add(record(t, arrow.BinaryTypes.String, `["a"]`))
	if want := "contract: the record has column y 0 times, want once"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestACleanRecordAllocatesNothing(t *testing.T) {
	c := parse(t, "", "{ name: x, logicalType: string, required: true, logicalTypeOptions: { minLength: 1, format: hostname } }")
	rec := record(t, arrow.BinaryTypes.String, `["a", "b", "c"]`)
	k := c.NewChecker()
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := k.Add(rec); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 {
		t.Errorf("got %v allocations a record, want at most 1", allocs)
	}
}

func TestWhatAContractSaysOfItsColumns(t *testing.T) {
	c := parse(t, "",
		"{ name: id, logicalType: string, primaryKey: true }",
		"{ name: a, customProperties: [{ property: mlRole, value: feature }] }",
		"{ name: b, logicalType: integer, customProperties: [{ property: mlRole, value: [slice, feature] }], logicalTypeOptions: { minimum: 0 } }",
		"{ name: w, logicalType: number, required: true, customProperties: [{ property: mlRole, value: weight }] }",
	)
	if got := fmt.Sprint(c.Entity(), c.Features(), c.WithRole(contract.RoleSlice), c.Needs()); got != "[id] [a b] [b] [id b w]" {
		t.Errorf("got %s", got)
	}
	if r, ok := c.Rule("b.minimum"); !ok || r.Column != "b" {
		t.Errorf("got %+v, %v", r, ok)
	}
	if _, ok := c.Rule("b.maximum"); ok {
		t.Error("there is no rule b.maximum")
	}
	other := parse(t, "", "{ name: id, primaryKey: true }", "{ name: who, customProperties: [{ property: mlRole, value: entityKey }] }")
	if got := fmt.Sprint(other.Entity()); got != "[who]" {
		t.Errorf("got %s: the role goes before the primary key", got)
	}
	if col, ok := other.Column("who"); !ok || !col.Required || col.Role() != contract.RoleEntityKey {
		t.Errorf("got %+v, %v: a row about nobody cannot be scored", col, ok)
	}
}

// A weight that is not delivered is not checked, and that is no error.
func TestLaterColumnsMayBeMissing(t *testing.T) {
	c := parse(t, "", "{ name: x, required: true }", "{ name: w, logicalType: number, required: true, customProperties: [{ property: mlRole, value: weight }] }")
	k := c.NewChecker()
	if _, err := k.Add(record(t, arrow.PrimitiveTypes.Int64, `[1]`)); err != nil {
		t.Error(err)
	}
}

func TestClassifiedColumns(t *testing.T) {
	for classification, want := range map[string][2]bool{"public": {}, "internal": {}, "confidential": {true, false}, "restricted": {true, true}} {
		col := parse(t, "", "{ name: x, classification: "+classification+" }").Columns[0]
		if got := [2]bool{col.Classified(), col.Restricted()}; got != want {
			t.Errorf("%s: classified and restricted are %v, want %v", classification, got, want)
		}
	}
	if col := parse(t, "", "{ name: x }").Columns[0]; col.Classified() || col.Restricted() {
		t.Error("a column without a classification is classified")
	}
}

// Limits of 3.0 that a boolean makes exclusive are exclusive.
func TestLimitsOf30(t *testing.T) {
	text := strings.Replace(head, "v3.1.0", "v3.0.2", 1) + "  properties:\n" +
		"  - { name: x, logicalType: integer, logicalTypeOptions: { minimum: 1, exclusiveMinimum: true, maximum: 4, exclusiveMaximum: false } }\n"
	c, err := contract.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.NewChecker().Add(record(t, arrow.PrimitiveTypes.Int64, `[1, 2, 4, 5]`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := marks(m, 4), "0:x.exclusiveMinimum 3:x.maximum"; got != want || c.Compat != "3.0" {
		t.Errorf("got %q, want %q, compat %q", got, want, c.Compat)
	}
}
