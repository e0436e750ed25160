package rowrule_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/rowrule"
)

// columns are those of the tests, one for each type, and some with odd names.
var columns = []rowrule.Column{
	{Name: "i", Type: rowrule.Integer}, {Name: "j", Type: rowrule.Integer}, {Name: "x", Type: rowrule.Number}, {Name: "y", Type: rowrule.Number},
	{Name: "s", Type: rowrule.String}, {Name: "t", Type: rowrule.String}, {Name: "b", Type: rowrule.Boolean},
	{Name: "day", Type: rowrule.Date}, {Name: "at", Type: rowrule.Timestamp}, {Name: "opens", Type: rowrule.Time},
	{Name: "net price", Type: rowrule.Number}, {Name: "in", Type: rowrule.Integer}, {Name: "int", Type: rowrule.Integer}, {Name: "any"},
}

// physical are the types of the columns in the file, unless a test has others.
var physical = map[string]arrow.DataType{
	"i": arrow.PrimitiveTypes.Int64, "j": arrow.PrimitiveTypes.Int64, "x": arrow.PrimitiveTypes.Float64, "y": arrow.PrimitiveTypes.Float64,
	"s": arrow.BinaryTypes.String, "t": arrow.BinaryTypes.String, "b": arrow.FixedWidthTypes.Boolean,
	"day": arrow.FixedWidthTypes.Date32, "at": arrow.FixedWidthTypes.Timestamp_us, "opens": arrow.FixedWidthTypes.Time32s,
	"net price": arrow.PrimitiveTypes.Float64, "in": arrow.PrimitiveTypes.Int64, "int": arrow.PrimitiveTypes.Int64,
}

// broken returns the rows that break a rule. rows are objects of JSON; what they do
// not have is null.
func broken(t testing.TB, rule, rows string, types map[string]arrow.DataType) string {
	t.Helper()
	r, err := rowrule.Compile(rule, columns)
	if err != nil {
		t.Fatal(err)
	}
	var fields []arrow.Field
	var bound []arrow.DataType
	for _, name := range r.Columns() {
		dt := physical[name]
		if types[name] != nil {
			dt = types[name]
		}
		fields = append(fields, arrow.Field{Name: name, Type: dt, Nullable: true})
		bound = append(bound, dt)
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	k, err := r.Bind(bound)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	k.Broken(rec.Columns(), int(rec.NumRows()), func(row int) { out = append(out, fmt.Sprint(row)) })
	return strings.Join(out, " ")
}

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		name, rule, rows, want string
	}{
		{"a comparison of two columns", "x <= y", `[{"x":1,"y":2},{"x":2,"y":2},{"x":3,"y":2}]`, "2"},
		{"a row with a null is unknown, and unknown breaks nothing", "x <= y", `[{"x":3},{"y":2},{}]`, ""},
		{"and is no where either side is, whatever the other", "x > 0.0 && y > 0.0", `[{"x":-1},{"y":-1},{"x":1}]`, "0 1"},
		{"or is yes where either side is", "x > 0.0 || y > 0.0", `[{"x":1},{"y":1},{"x":-1},{"x":-1,"y":-1}]`, "3"},
		{"not of unknown is unknown", "!(x > 0.0)", `[{"x":1},{"x":-1},{}]`, "0"},
		{"null is tested for by name", "y != null || x == null", `[{"x":1},{"x":1,"y":1},{}]`, "0"},
		{"null may stand left", "null == x", `[{"x":1},{}]`, "0"},
		{"a condition may be null", "b == null", `[{"b":true},{"b":false},{}]`, "0 1"},
		{"what failed is not null", "i / j == null", `[{"i":1,"j":0},{"i":1},{"i":1,"j":1}]`, "0 2"},
		{"a boolean column is a condition", "b", `[{"b":true},{"b":false},{}]`, "1"},
		{"conditions are equal or not", "b == (i > 0)", `[{"b":true,"i":1},{"b":true,"i":0},{"b":true},{"i":1}]`, "1"},
		{"an int beside a double", "i * x <= y", `[{"i":2,"x":1.5,"y":3},{"i":2,"x":1.5,"y":2.9}]`, "1"},
		{"an int is equal to a double", "i == x && x != i + 1", `[{"i":2,"x":2},{"i":2,"x":2.5}]`, "1"},
		{"a number may be compared with 0", "x >= 0 && 10 > x", `[{"x":0},{"x":-0.5},{"x":10}]`, "1 2"},
		{"division of ints is whole", "i / j == 3", `[{"i":7,"j":2},{"i":-7,"j":-2},{"i":8,"j":2}]`, "2"},
		{"division by zero breaks the row", "i / j >= 0", `[{"i":7,"j":0},{"i":7,"j":7}]`, "0"},
		{"and so does the rest of it", "i % j == 0 || true", `[{"i":7,"j":0}]`, ""},
		{"an overflow breaks the row", "i + j > 0 && i * j > 0 && i - j < 9223372036854775807 && -i < 0", `[{"i":9223372036854775807,"j":1},{"i":5,"j":2}]`, "0"},
		{"a failure beside a null is null", "i / j > x", `[{"i":1,"j":0},{"i":1,"j":0,"x":1}]`, "1"},
		{"a failure that does not matter", "j == 0 || i / j > 1", `[{"i":1,"j":0},{"i":1,"j":1}]`, "1"},
		{"a branch that is not taken cannot fail", "(j == 0 ? 0 : i / j) <= 1", `[{"i":1,"j":0},{"i":3,"j":1},{"i":3}]`, "1"},
		{"a branch may be null", "(b ? x : null) > 1.0", `[{"b":true,"x":1},{"b":false,"x":1}]`, "0"},
		{"a ternary of conditions", "b ? x > 1.0 : x < 1.0", `[{"b":true,"x":2},{"b":false,"x":2},{"x":2}]`, "1"},
		{"conversions", "int(x) == i && double(i) <= x", `[{"x":2.9,"i":2},{"x":-2.9,"i":-2},{"x":1e300,"i":1}]`, "1 2"},
		{"the distance of two numbers", "math.abs(x - y) < 0.01 && math.abs(i) < 5", `[{"x":1,"y":1.001,"i":-4},{"x":1,"y":2,"i":1},{"x":1,"y":1,"i":-9223372036854775808}]`, "1 2"},
		{"a list of numbers", "i in [1, 2] || x in [0.5, 3]", `[{"i":2,"x":9},{"i":3,"x":3},{"i":3,"x":9},{"x":9}]`, "2"},
		{"a list of texts", "s in ['a', 'b']", `[{"s":"a"},{"s":"c"},{}]`, "1"},
		{"a list with columns", "i in [j, 7]", `[{"i":1,"j":1},{"i":7,"j":1},{"i":2,"j":1},{"i":2}]`, "2"},
		{"a list of dates", "day in [date('2024-01-31'), date('2024-02-29')]", `[{"day":"2024-02-29"},{"day":"2024-03-31"}]`, "1"},
		{"parts of texts", "s.startsWith('a') && s.endsWith(t) && s.contains('b')", `[{"s":"abc","t":"c"},{"s":"abc","t":"b"},{"s":"ac","t":"c"},{"s":"abc"}]`, "1 2"},
		{"a pattern may match anywhere", `s.matches('[0-9]{2}') && matches(t, '^x')`, `[{"s":"a12b","t":"x"},{"s":"a1b","t":"x"}]`, "1"},
		{"size counts characters", "size(s) == 2 && s.size() < i", `[{"s":"日本","i":3},{"s":"abc","i":9}]`, "1"},
		{"texts have an order", "s < t && t >= 'b'", `[{"s":"a","t":"b"},{"s":"b","t":"a"}]`, "1"},
		{"dates and times", "day <= at && at < timestamp('2024-02-01T00:00:00Z') && day >= date('2024-01-01')",
			`[{"day":"2024-01-31","at":"2024-01-31 12:00:00"},{"day":"2024-01-31","at":"2024-01-30 23:59:59"},{"day":"2023-12-31","at":"2024-01-30 23:59:59"}]`, "1 2"},
		{"durations", "at - day < duration('36h') && day + duration('1h') != at && at - duration('24h') < day", `[{"day":"2024-01-31","at":"2024-01-31 12:00:00"},{"day":"2024-01-31","at":"2024-01-31 01:00:00"}]`, "1"},
		{"times of day", "opens >= duration('8h30m') && opens - duration('1h') < duration('9h')", `[{"opens":"08:30:00"},{"opens":"08:29:59"},{"opens":"10:00:00"}]`, "1 2"},
		{"parts of instants", "day.getMonth() + 1 == i && at.getFullYear() == 2024 && day.getDayOfWeek() == 3 && at.getHours() == 5", `[{"day":"2024-01-31","at":"2024-02-01 05:00:00","i":1},{"day":"2024-02-01","at":"2024-02-01 05:00:00","i":2}]`, "1"},
		{"years beyond nanoseconds", "day < at", `[{"day":"0001-01-01","at":"9999-12-31 00:00:00"},{"day":"9999-12-31","at":"2024-01-01 00:00:00"}]`, "1"},
		{"a name that is no identifier", "column('net price') >= 0.0 && column('in') == column('int')", `[{"net price":1,"in":1,"int":1},{"net price":-1,"in":1,"int":1}]`, "1"},
		{"over lines", "x > 0.0 &&\n  // the rest of it\n  y > 0.0", `[{"x":1,"y":1},{"x":1,"y":-1}]`, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, tt.rule, tt.rows, nil); got != tt.want {
				t.Errorf("rows %q break %s, want %q", got, tt.rule, tt.want)
			}
		})
	}
}

// A column may have every physical type that its logical type allows.
func TestPhysicalTypes(t *testing.T) {
	texts := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	for _, tt := range []struct {
		name, rule, column string
		types              []arrow.DataType
		rows, want         string
	}{
		{"whole numbers", "i > 1", "i", []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
			arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64}, `[{"i":1},{"i":2},{}]`, "0"},
		{"whole decimals", "i > 1", "i", []arrow.DataType{&arrow.Decimal128Type{Precision: 38}, &arrow.Decimal256Type{Precision: 60}}, `[{"i":"1"},{"i":"2"},{},{"i":"9223372036854775808"}]`, "0 3"},
		{"values above int64", "i > 1", "i", []arrow.DataType{arrow.PrimitiveTypes.Uint64}, `[{"i":9223372036854775808},{"i":2}]`, "0"},
		{"numbers", "x > 1.0", "x", []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
			arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64}, `[{"x":1},{"x":2},{}]`, "0"},
		{"floats have the precision of the column", "x <= 0.1 && x in [0.1] && 0.1 == x", "x", []arrow.DataType{arrow.PrimitiveTypes.Float32}, `[{"x":0.1},{"x":0.11}]`, "1"},
		{"decimals", "x <= 0.1", "x", []arrow.DataType{&arrow.Decimal128Type{Precision: 30, Scale: 2}, &arrow.Decimal256Type{Precision: 60, Scale: 25}}, `[{"x":"0.10"},{"x":"0.11"}]`, "1"},
		{"texts", "s == 'b'", "s", []arrow.DataType{arrow.BinaryTypes.LargeString, texts}, `[{"s":"a"},{"s":"b"},{}]`, "0"},
		{"bytes", "s == 'b'", "s", []arrow.DataType{arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, &arrow.FixedSizeBinaryType{ByteWidth: 1}}, `[{"s":"YQ=="},{"s":"Yg=="},{}]`, "0"},
		{"a UUID", "s == '00010203-0405-0607-0809-0a0b0c0d0e0f'", "s", []arrow.DataType{&arrow.FixedSizeBinaryType{ByteWidth: 16}}, `[{"s":"AAECAwQFBgcICQoLDA0ODw=="},{"s":"AAECAwQFBgcICQoLDA0ODg=="}]`, "1"},
		{"dates", "day > date('1969-12-31')", "day", []arrow.DataType{arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64}, `[{"day":"1969-12-31"},{"day":"1970-01-01"}]`, "0"},
		{"timestamps", "at >= timestamp('1969-12-31T23:59:59Z')", "at", []arrow.DataType{arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_ms, arrow.FixedWidthTypes.Timestamp_ns,
			&arrow.TimestampType{Unit: arrow.Second}}, `[{"at":"1969-12-31 23:59:58"},{"at":"1969-12-31 23:59:59"}]`, "0"},
		{"times of day", "opens > duration('1h')", "opens", []arrow.DataType{arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms, arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns}, `[{"opens":"01:00:00"},{"opens":"01:00:01"}]`, "0"},
	} {
		for _, dt := range tt.types {
			if got := broken(t, tt.rule, tt.rows, map[string]arrow.DataType{tt.column: dt}); got != tt.want {
				t.Errorf("%s of type %s: rows %q break %s, want %q", tt.name, dt, got, tt.rule, tt.want)
			}
		}
	}
}

// A dictionary gives what its texts give, with another dictionary in each record.
func TestDictionaries(t *testing.T) {
	rules := []string{"s == 'a'", "'b' == s", "s in ['a', 'c']", "s.matches('a|c')", "s.startsWith('a')", "s.contains('')", "s < 'b'", "s == t"}
	for _, index := range []arrow.DataType{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint8} {
		dt := &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}
		for _, rule := range rules {
			r, err := rowrule.Compile(rule, columns)
			if err != nil {
				t.Fatal(err)
			}
			bound := []arrow.DataType{dt, arrow.BinaryTypes.String}[:len(r.Columns())]
			coded, err := r.Bind(bound)
			if err != nil {
				t.Fatal(err)
			}
			for _, words := range []string{`["a", "b", "c"]`, `["c", "a"]`} {
				numbers, _, err := array.FromJSON(memory.DefaultAllocator, index, strings.NewReader("["+strings.Repeat("0, 1, null, ", 400)+"1]"))
				if err != nil {
					t.Fatal(err)
				}
				dict, _, err := array.FromJSON(memory.DefaultAllocator, arrow.BinaryTypes.String, strings.NewReader(words))
				if err != nil {
					t.Fatal(err)
				}
				var texts []string
				for i := range numbers.Len() {
					if numbers.IsNull(i) {
						texts = append(texts, `{"t":"a"}`)
					} else {
						texts = append(texts, fmt.Sprintf(`{"s":%q,"t":"a"}`, dict.(*array.String).Value(array.NewDictionaryArray(dt, numbers, dict).GetValueIndex(i))))
					}
				}
				rows := "[" + strings.Join(texts, ",") + "]"
				second, _, err := array.FromJSON(memory.DefaultAllocator, arrow.BinaryTypes.String, strings.NewReader(`["`+strings.Repeat(`a","`, numbers.Len()-1)+`a"]`))
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				coded.Broken([]arrow.Array{array.NewDictionaryArray(dt, numbers, dict), second}[:len(bound)], numbers.Len(), func(row int) { got = append(got, fmt.Sprint(row)) })
				if want := broken(t, rule, rows, nil); strings.Join(got, " ") != want {
					t.Errorf("%s with %s by %s: the dictionary and the texts differ", rule, words, index)
				}
			}
		}
	}
}

// Rows beyond one chunk, in a slice of an array, are the rows that are meant.
func TestChunks(t *testing.T) {
	const rows = 5000
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range rows {
		if i%7 == 0 {
			b.AppendNull()
		} else {
			b.Append(int64(i))
		}
	}
	arr := array.NewSlice(b.NewArray(), 100, rows)
	r, err := rowrule.Compile("i % 1000 != 5 || i < 0", columns)
	if err != nil {
		t.Fatal(err)
	}
	k, err := r.Bind([]arrow.DataType{arrow.PrimitiveTypes.Int64})
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	k.Broken([]arrow.Array{arr}, arr.Len(), func(row int) { got = append(got, row+100) })
	if fmt.Sprint(got) != "[1005 2005 3005 4005]" { // 4005 is no multiple of 7
		t.Errorf("broken rows are %v", got)
	}
}

func TestWhatCannotBeRunIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, rule, want string }{
		{"no rule", "", "1:1: Syntax error: mismatched input '<EOF>'"},
		{"a word too few", "x >\n", "2:1: Syntax error: mismatched input '<EOF>'"},
		{"no column of that name", "x < opnes", "1:5: there is no column opnes; did you mean opens?"},
		{"no column of that name in quotes", "column('net prise') > 1.0", "1:8: there is no column net prise; did you mean net price?"},
		{"a column by number", "column(3) > 1.0", `1:8: column needs the name of a column in quotes, as in column("net price")`},
		{"a column without a type", "any == 1", "1:1: column any needs a logicalType to be in a rule"},
		{"a number is no condition", "x + y", "1:1: the rule is double, and must be true or false"},
		{"a rule without a column", "1 < 2", "1:1: the rule names no column"},
		{"a text and a number", "x > s", "1:3: found no matching overload for '>' applied to '(double, string)'"},
		{"a text is no number", "x == s", "1:3: double and string cannot be equal"},
		{"a list of another type", "x in ['a']", "1:6: double and string cannot be equal"},
		{"null in a list", "s in ['a', null]", "1:12: null is in no list; test for it with == null"},
		{"an empty list", "s in []", "1:6: in needs a list that is not empty, as in [1, 2]"},
		{"null has no order", "day < null", "1:5: null has no order; test for it with == null"},
		{"null is null", "null == null && b", "1:6: null == null is always true"},
		{"null is no condition", "b && null", "1:6: expected type 'bool' but found 'null'"},
		{"null is no instant", "day + null < day", "1:7: null can stand beside == and != only, as in x == null"},
		{"a text has no sign", "-s == s", "1:1: found no matching overload for '-' applied to '(string)'"},
		{"texts cannot be joined", "s + t == 'ab'", "1:3: found no matching overload for '+' applied to '(string, string)'"},
		{"a function that we do not have", "s.lowerAscii() == 'a'", "1:13: undeclared reference to 'lowerAscii'"},
		{"a loop", "[1, 2].all(v, v > i)", "1:12: there is no column v"},
		{"a map", "{'a': i}['a'] == 1", "1:9: undeclared reference to '[ ]'"},
		{"an unsigned number", "i > 2u", "1:3: found no matching overload for '>' applied to '(int, uint)'"},
		{"lists are not compared", "[i] == [1]", "1:5: list(int) cannot be compared here"},
		{"branches of two types", "(b ? i : x) > 1", "1:4: found no matching overload for '? :' applied to '(bool, int, double)'"},
		{"a pattern that cannot be read", "s.matches('a(')", "1:11: error parsing regexp: missing closing ): `a(`"},
		{"a pattern from the data", "s.matches(t)", "1:11: matches needs a text in quotes here, not string"},
		{"a date from the data", "date(s) < day", "1:6: date needs a text in quotes here, not string"},
		{"a wrong date", "day < date('31.1.2024')", "1:12: date(\"31.1.2024\") cannot be read; write it as in 2024-01-31"},
		{"a wrong timestamp", "at < timestamp('2024-01-31')", "1:16: timestamp(\"2024-01-31\") cannot be read; write it as in 2024-01-31T23:59:59Z"},
		{"a wrong duration", "opens < duration('1d')", "1:18: duration(\"1d\") cannot be read; write it as in 36h, 15m or 1h30m"},
		{"a field", "x.y > 1", "1:2: type 'double' does not support field selection"},
		{"two problems", "day < date('x') && s in []", "1:12: date(\"x\") cannot be read; write it as in 2024-01-31; 1:25: in needs a list that is not empty, as in [1, 2]"},
		{"too long", "b" + strings.Repeat(" ", rowrule.MaxLength), "1:1: the rule has 2001 bytes, more than 2000"},
		{"too deep", strings.Repeat("(", 500) + "b" + strings.Repeat(")", 500), "1:1: expression recursion limit exceeded: 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := rowrule.Compile(tt.rule, columns)
			var problems *rowrule.Error
			if err == nil {
				t.Fatalf("%s was compiled, with columns %v", tt.rule, r.Columns())
			}
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestBindWantsTheTypesOfItsColumns(t *testing.T) {
	r, err := rowrule.Compile("i > j", columns)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r, r.Columns()); got != "i > j [i j]" {
		t.Errorf("the rule is %s", got)
	}
	if _, err := r.Bind([]arrow.DataType{arrow.PrimitiveTypes.Int64}); err == nil {
		t.Error("one type for two columns")
	}
	_, err = r.Bind([]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64})
	if want := "rowrule: 1:5: column j cannot be read as integer from type float64"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
