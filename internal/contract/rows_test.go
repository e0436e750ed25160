package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/contract"
)

// rule is a quality entry with a row rule.
func rule(implementation string) string {
	return "  - { type: custom, engine: headgate, implementation: { check: row, " + implementation + " } }\n"
}

// rows makes a record from objects of JSON.
func rows(t testing.TB, values string, fields ...arrow.Field) arrow.Record {
	t.Helper()
	for i := range fields {
		fields[i].Nullable = true
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(fields, nil), strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestRowRules(t *testing.T) {
	table := "  quality:\n" + rule("rule: net <= price") + rule("rule: quantity * price < 100, mustBeLessOrEqualTo: 50, unit: percent") +
		rule("rule: net > 0.0, mustBeLessThan: 1")
	c := parse(t, table,
		"{ name: id, logicalType: integer }",
		"{ name: price, physicalName: gross, logicalType: number, quality: [{ type: custom, engine: headgate, severity: warning, implementation: price != 13 }] }",
		"{ name: net, logicalType: number }",
		"{ name: quantity, logicalType: integer }",
		"{ name: bought, logicalType: boolean, customProperties: [{ property: mlRole, value: label }], quality: [{ type: custom, engine: headgate, implementation: bought || quantity == 0 }] }",
	)
	fields := []arrow.Field{{Name: "net", Type: arrow.PrimitiveTypes.Float64}, {Name: "gross", Type: arrow.PrimitiveTypes.Int32}, {Name: "quantity", Type: arrow.PrimitiveTypes.Int64}}
	values := `[{"gross":10,"net":8,"quantity":1}, {"gross":8,"net":10,"quantity":1}, {"gross":13,"quantity":9}, {"gross":5,"net":-1}, {"gross":13,"net":13.5,"quantity":8}]`
	k := c.NewChecker()
	rec := rows(t, values, fields...)
	m, err := k.Add(rec)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := marks(m, rec.NumRows()), "1:row 3:row.3 4:row"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want := contract.Result{Rows: 5, Bad: 3, Rules: map[string]int64{"gross.row": 2, "bought.row": 0, "row": 2, "row.2": 2, "row.3": 1}}
	if got := k.Result(); !equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := fmt.Sprint(c.Needs()); got != "[gross net quantity bought]" {
		t.Errorf("the checker needs %s", got)
	}
	violations := "warning gross.row: 2 of 5 rows that break the rule price != 13, must be 0"
	if got := say(c.Judge(k.Result(), contract.Counts{})); got != violations {
		t.Errorf("got:\n%s\nwant:\n%s", got, violations)
	}
	// With the label the rule that was unknown is judged, and other types may come.
	fields = append(fields, arrow.Field{Name: "bought", Type: arrow.FixedWidthTypes.Boolean})
	fields[1].Type = arrow.PrimitiveTypes.Float64
	rec = rows(t, `[{"gross":10,"net":8,"quantity":1,"bought":true}, {"gross":10,"net":8,"quantity":1,"bought":false}, {"gross":10,"net":8,"quantity":1}]`, fields...)
	if m, err = k.Add(rec); err != nil {
		t.Fatal(err)
	}
	if got, want := marks(m, rec.NumRows()), "1:bought.row"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A rule across columns and the columns' own rules mark a row together, in the
// order of the contract, wherever the row lies in a long record.
func TestRowRulesOfALongRecord(t *testing.T) {
	c := parse(t, "  quality:\n"+rule("rule: x < 5000 || x % 2 == 0"), "{ name: x, logicalType: integer, logicalTypeOptions: { maximum: 7999 } }")
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range 9000 {
		b.Append(int64(i))
	}
	m, err := c.NewChecker().Add(recordOf(b.NewArray()))
	if err != nil {
		t.Fatal(err)
	}
	if m.Count() != 2000+500 {
		t.Errorf("%d rows are bad", m.Count())
	}
	for row, want := range map[int]string{4999: "[]", 5001: "[row]", 5002: "[]", 8000: "[x.maximum]", 8001: "[x.maximum row]"} {
		if got := fmt.Sprint(m.Rules(row)); got != want {
			t.Errorf("row %d breaks %s, want %s", row, got, want)
		}
	}
}

func BenchmarkRowRule(b *testing.B) {
	c := parse(b, "  quality:\n"+rule("rule: x <= y && (s != 'value7' || y > 0)"), "{ name: x, logicalType: number }", "{ name: y, logicalType: number }", "{ name: s, logicalType: string }")
	const n = 16384
	xs, ys, codes := array.NewFloat64Builder(memory.DefaultAllocator), array.NewFloat64Builder(memory.DefaultAllocator), array.NewInt32Builder(memory.DefaultAllocator)
	for i := range n {
		xs.Append(float64(i))
		ys.Append(float64(i + 1))
		codes.Append(int32(i * 7 % 20))
	}
	words := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range 20 {
		words.Append(fmt.Sprintf("value%d", i))
	}
	texts := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}, {Name: "y", Type: arrow.PrimitiveTypes.Float64}, {Name: "s", Type: texts}}, nil)
	rec := array.NewRecord(schema, []arrow.Array{xs.NewArray(), ys.NewArray(), array.NewDictionaryArray(texts, codes.NewArray(), words.NewArray())}, n)
	k := c.NewChecker()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Add(rec); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
