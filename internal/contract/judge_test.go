package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
)

func say(vs []contract.Violation) string {
	var out []string
	for _, v := range vs {
		out = append(out, fmt.Sprintf("%s %s: %s", v.Severity, v.Rule, v.Message))
	}
	return strings.Join(out, "\n")
}

func TestCheckFooter(t *testing.T) {
	c := parse(t, "",
		"{ name: id, logicalType: string, primaryKey: true }",
		"{ name: n, logicalType: number }",
		"{ name: i, logicalType: integer }",
		"{ name: f, logicalType: number, logicalTypeOptions: { format: f32 } }",
		"{ name: at, logicalType: timestamp, logicalTypeOptions: { timezone: true } }",
		"{ name: any }",
		"{ name: bought, logicalType: boolean, customProperties: [{ property: mlRole, value: label }] }",
	)
	field := func(name string, t arrow.DataType) arrow.Field { return arrow.Field{Name: name, Type: t} }
	utc := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	good := []arrow.Field{
		field("id", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}),
		field("n", arrow.PrimitiveTypes.Int64), field("i", &arrow.Decimal128Type{Precision: 9}),
		field("f", arrow.PrimitiveTypes.Float32), field("at", utc), field("any", arrow.Null), field("more", arrow.BinaryTypes.Binary),
	}
	bad := []arrow.Field{
		field("n", arrow.BinaryTypes.String), field("i", arrow.PrimitiveTypes.Float64), field("f", arrow.PrimitiveTypes.Float64),
		field("at", &arrow.TimestampType{Unit: arrow.Second}), field("bought", arrow.PrimitiveTypes.Int8),
	}
	for _, tt := range []struct {
		name   string
		fields []arrow.Field
		nested []string
		want   []string
	}{
		{"a good file, with a column more and without the label", good, []string{"list"}, nil},
		{"a bad file", bad, []string{"any"}, []string{
			"error id.present: column id is missing",
			"error n.type: n is string, the contract says number",
			"error i.type: i is double, the contract says integer",
			"error f.type: f is double, the contract says number with format f32",
			"error at.type: at is timestamp without time zone, the contract says timestamp with timezone: true",
			"error any.type: any is nested, the contract asks for a flat column",
			"error bought.type: bought is int8, the contract says boolean",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vs := c.CheckFooter(contract.Footer{Schema: arrow.NewSchema(tt.fields, nil), Nested: tt.nested, Rows: 10})
			if got, want := say(vs), strings.Join(tt.want, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if contract.Blocks(vs) != (len(tt.want) > 0) {
				t.Errorf("Blocks is %v", contract.Blocks(vs))
			}
		})
	}
}

func TestTotalsAnswerBeforeARowIsRead(t *testing.T) {
	c := parse(t, "  quality: [{ metric: rowCount, mustBeGreaterOrEqualTo: 100 }]\n",
		"{ name: id, required: true }",
		"{ name: age, quality: [{ metric: nullValues, mustBeLessThan: 12.5, unit: percent, severity: warning }] }",
		"{ name: unknown, required: true, quality: [{ metric: nullValues, mustBeLessThan: 1 }] }",
	)
	f := contract.Footer{Rows: 80, Nulls: map[string]int64{"id": 3, "age": 10}}
	want := "warning age.nullValues: 10 of 80 null values in age, must be less than 12.5 percent\n" +
		"error rowCount: 80 rows in the batch, must be at least 100"
	if got := say(c.CheckTotals(f)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if n, rule := c.KnownBad(f); n != 3 || rule != "id.required" {
		t.Errorf("KnownBad is %d, %q", n, rule)
	}
	if n, rule := c.KnownBad(contract.Footer{Rows: 80}); n != 0 || rule != "" {
		t.Errorf("KnownBad without null counts is %d, %q", n, rule)
	}
}

func TestJudge(t *testing.T) {
	c := parse(t, "  quality:\n  - { metric: rowCount, mustBeBetween: [10, 100] }\n  - { id: pair, metric: duplicateValues, unit: percent, mustBeLessThan: 10, arguments: { properties: [a, b] } }\n",
		"{ name: a, logicalType: integer, primaryKey: true, unique: true }",
		"{ name: b, logicalType: integer, logicalTypeOptions: { minimum: 0 }, quality: [{ metric: nullValues, mustBe: 0, severity: info }, { metric: nullValues, mustBe: 0 }] }",
	)
	counts := func(rows, nulls int64) contract.Result {
		return contract.Result{Rows: rows, Rules: map[string]int64{"b.nullValues": nulls, "b.nullValues.2": nulls, "b.minimum": 5, "a.required": 1}}
	}
	for _, tt := range []struct {
		name       string
		result     contract.Result
		duplicates map[string]int64
		want       string
	}{
		{"nothing is broken; what is in quarantine is not judged", counts(50, 0), map[string]int64{"a": 0, "a,b": 4}, ""},
		{"what was not counted is not a pass", contract.Result{Rows: 50}, map[string]int64{"a,b": 0},
			"error a.required: rule a.required was not counted\nerror a.unique: rule a.unique was not counted\n" +
				"error b.minimum: rule b.minimum was not counted\ninfo b.nullValues: rule b.nullValues was not counted\n" +
				"error b.nullValues.2: rule b.nullValues.2 was not counted\nerror primaryKey: rule primaryKey was not counted"},
		{"duplicates and nulls", counts(50, 2), map[string]int64{"a": 1, "a,b": 5},
			"info b.nullValues: 2 of 50 null values in b, must be 0\n" +
				"error pair: 5 of 50 duplicate values of (a, b), must be less than 10 percent"},
		{"the ends are not between, and the message says who disagrees", counts(100, 0), map[string]int64{"a": 0, "a,b": 0},
			"error rowCount: 100 rows in the batch, must be strictly between 10 and 100 (the ends are not between; tools that count them in would pass this)"},
		{"of no rows every share is 0 percent", counts(0, 0), map[string]int64{"a": 0, "a,b": 0},
			"error rowCount: 0 rows in the batch, must be strictly between 10 and 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := say(c.Judge(tt.result, contract.Counts{Duplicates: tt.duplicates})); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
	if got := fmt.Sprint(c.NeedsKeys()); got != "[[a] [a b]]" {
		t.Errorf("NeedsKeys is %s", got)
	}
}

func TestOperators(t *testing.T) {
	for _, tt := range []struct {
		rule         string
		allowed      []int64
		notAllowed   []int64
		inWords      string
		inQuarantine bool
	}{
		{"mustBe: 3", []int64{3}, []int64{2, 4}, "3", false},
		{"mustBe: 0", []int64{0}, []int64{1}, "0", true},
		{"mustNotBe: 3", []int64{2, 4}, []int64{3}, "not 3", false},
		{"mustBeGreaterThan: 3", []int64{4}, []int64{3}, "greater than 3", false},
		{"mustBeGreaterOrEqualTo: 3", []int64{3, 4}, []int64{2}, "at least 3", false},
		{"mustBeLessThan: 3", []int64{2}, []int64{3}, "less than 3", false},
		{"mustBeLessThan: 1", []int64{0}, []int64{1}, "less than 1", true},
		{"mustBeLessOrEqualTo: 3", []int64{3}, []int64{4}, "at most 3", false},
		{"mustBeBetween: [3, 5]", []int64{4}, []int64{3, 5}, "strictly between 3 and 5", false},
		{"mustNotBeBetween: [3, 5]", []int64{3, 5, 9}, []int64{4}, "not strictly between 3 and 5", false},
		{"unit: percent, mustBeLessOrEqualTo: 0.3", []int64{3}, []int64{4}, "at most 0.3 percent", false},
		{"unit: percent, mustBeLessThan: 1", []int64{9}, []int64{10}, "less than 1 percent", false},
	} {
		r := parse(t, "", "{ name: x, quality: [{ metric: nullValues, "+tt.rule+" }] }").Rules[0]
		for _, n := range tt.allowed {
			if !r.Limit.Allows(n, 1000) {
				t.Errorf("%s: %d is not allowed", tt.rule, n)
			}
		}
		for _, n := range tt.notAllowed {
			if r.Limit.Allows(n, 1000) {
				t.Errorf("%s: %d is allowed", tt.rule, n)
			}
		}
		if got := r.Limit.String(); got != tt.inWords || r.Quarantine != tt.inQuarantine {
			t.Errorf("%s: got %q and quarantine %v", tt.rule, got, r.Quarantine)
		}
	}
}

// Every metric, at its level, takes every operator, unit and severity; it sends rows
// to quarantine if it is an error that tolerates none and says which rows they are.
func TestEveryMetricOperatorUnitAndSeverity(t *testing.T) {
	levels := []struct{ metric, arguments, id string }{
		{"nullValues", "", "x.nullValues"}, {"missingValues", ", arguments: { missingValues: [''] }", "x.missingValues"},
		{"invalidValues", ", arguments: { validValues: [a] }", "x.invalidValues"}, {"duplicateValues", "", "x.duplicateValues"},
		{"rowCount", "", "rowCount"}, {"duplicateValues", ", arguments: { properties: [x, y] }", "duplicateValues"},
	}
	limits := []struct {
		operator string
		keeps    func(v float64) bool // of a count, or of a percentage
		none     map[string]bool      // by unit: does it tolerate none?
	}{
		{"mustBe: 0", func(v float64) bool { return v == 0 }, map[string]bool{"rows": true, "percent": true}},
		{"mustBe: 3", func(v float64) bool { return v == 3 }, nil},
		{"mustNotBe: 3", func(v float64) bool { return v != 3 }, nil},
		{"mustBeGreaterThan: 3", func(v float64) bool { return v > 3 }, nil},
		{"mustBeGreaterOrEqualTo: 3", func(v float64) bool { return v >= 3 }, nil},
		{"mustBeLessThan: 1", func(v float64) bool { return v < 1 }, map[string]bool{"rows": true}},
		{"mustBeLessThan: 3", func(v float64) bool { return v < 3 }, nil},
		{"mustBeLessOrEqualTo: 0", func(v float64) bool { return v <= 0 }, map[string]bool{"rows": true, "percent": true}},
		{"mustBeLessOrEqualTo: 3", func(v float64) bool { return v <= 3 }, nil},
		{"mustBeBetween: [1, 3]", func(v float64) bool { return v > 1 && v < 3 }, nil},
		{"mustNotBeBetween: [1, 3]", func(v float64) bool { return v <= 1 || v >= 3 }, nil},
	}
	const rows = 200
	for _, level := range levels {
		for _, limit := range limits {
			for _, unit := range []string{"rows", "percent"} {
				for _, severity := range []contract.Severity{contract.Error, contract.Warning, contract.Info} {
					if level.metric == "rowCount" && unit == "percent" {
						continue // refused
					}
					entry := fmt.Sprintf("quality: [{ metric: %s, %s, unit: %s, severity: %s%s }]", level.metric, limit.operator, unit, severity, level.arguments)
					column := "logicalType: string"
					table := "  " + entry + "\n"
					if strings.HasPrefix(level.id, "x.") {
						column, table = column+", "+entry, ""
					}
					c := parse(t, table, "{ name: x, "+column+" }", "{ name: y }")
					r, ok := c.Rule(level.id)
					quarantine := severity == contract.Error && limit.none[unit] && level.metric != "rowCount"
					if !ok || len(c.Rules) != 1 || r.Severity != severity || r.Quarantine != quarantine {
						t.Fatalf("%s: %+v", entry, c.Rules)
					}
					for _, n := range []int64{0, 1, 2, 3, 4, 5, 6, 7, 200} {
						result := contract.Result{Rows: rows, Rules: map[string]int64{level.id: n}}
						measured := float64(n)
						if level.metric == "rowCount" {
							result.Rows = n
						}
						if unit == "percent" {
							measured = 100 * float64(n) / rows
						}
						vs := c.Judge(result, contract.Counts{Duplicates: map[string]int64{"x": n, "x,y": n}})
						want := !quarantine && !limit.keeps(measured)
						if got := len(vs) == 1; got != want || got && (vs[0].Severity != severity || contract.Blocks(vs) != (severity == contract.Error)) {
							t.Errorf("%s: %d of %d: got %v, want broken %v", entry, n, rows, vs, want)
						}
					}
				}
			}
		}
	}
}

// What has no partner goes to quarantine; that it was not counted is a violation.
func TestRelationshipsAreCounted(t *testing.T) {
	c := parse(t, "", "{ name: shop, relationships: [{ to: shops.id }] }")
	for _, tt := range []struct {
		name   string
		counts contract.Counts
		want   string
	}{
		{"some rows have no partner", contract.Counts{Unmatched: map[string]int64{"shop.relationship": 3}}, ""},
		{"nobody looked", contract.Counts{}, "error shop.relationship: rule shop.relationship was not counted"},
	} {
		if got := say(c.Judge(contract.Result{Rows: 10}, tt.counts)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	n, ok := contract.Counts{Unmatched: map[string]int64{"shop.relationship": 3}}.Of(c.Rules[0], contract.Result{})
	if n != 3 || !ok {
		t.Errorf("got %d, %v", n, ok)
	}
	if len(c.Needs()) != 0 || len(c.NeedsKeys()) != 0 {
		t.Errorf("the checker needs %v, and duplicates of %v", c.Needs(), c.NeedsKeys())
	}
}
