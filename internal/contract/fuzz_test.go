package contract_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/tools/txtar"

	"headgate/internal/contract"
	"headgate/internal/strictyaml"
)

// FuzzParse holds that a contract is refused with places inside the file, or can
// be run: every rule has its own id, and columns of the first fitting type can be
// checked.
func FuzzParse(f *testing.F) {
	cases, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(ar.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := contract.Parse("f.yaml", data)
		var bad *strictyaml.Error
		if err != nil {
			if !errors.As(err, &bad) || len(bad.Problems) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			for _, p := range bad.Problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Fatalf("a problem without a place: %+v", p)
				}
			}
			return
		}
		ids := map[string]bool{}
		for _, r := range c.Rules {
			if ids[r.ID] {
				t.Fatalf("two rules have the id %s", r.ID)
			}
			ids[r.ID] = true
		}
		runs(t, c)
	})
}

// physical are types of which at least one fits each logical type.
var physical = []arrow.DataType{
	arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Float32,
	arrow.PrimitiveTypes.Float64, &arrow.Decimal128Type{Precision: 20, Scale: 3}, &arrow.Decimal256Type{Precision: 50, Scale: 3},
	arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Time64us,
	arrow.FixedWidthTypes.Timestamp_us, &arrow.TimestampType{Unit: arrow.Nanosecond},
}

// runs checks a null and a zero of every physical type that each column may have,
// and judges what was counted.
func runs(t *testing.T, c *contract.Contract) {
	fits := make([][]arrow.DataType, len(c.Columns))
	rounds := 0
	for i, col := range c.Columns {
		for _, dt := range physical {
			field := arrow.Field{Name: col.Name, Type: dt, Nullable: true}
			if vs := c.CheckFooter(contract.Footer{Schema: arrow.NewSchema([]arrow.Field{field}, nil)}); !broken(vs, col.Name+".type") {
				fits[i] = append(fits[i], dt)
			}
		}
		if len(fits[i]) == 0 {
			t.Fatalf("no type fits column %s", col.Name)
		}
		rounds = max(rounds, len(fits[i]))
	}
	for round := range rounds {
		var fields []arrow.Field
		var arrays []arrow.Array
		for i, col := range c.Columns {
			dt := fits[i][round%len(fits[i])]
			b := array.NewBuilder(memory.DefaultAllocator, dt)
			b.AppendNull()
			b.AppendEmptyValue()
			fields, arrays = append(fields, arrow.Field{Name: col.Name, Type: dt, Nullable: true}), append(arrays, b.NewArray())
		}
		k := c.NewChecker()
		if _, err := k.Add(array.NewRecord(arrow.NewSchema(fields, nil), arrays, 2)); err != nil {
			t.Fatal(err)
		}
		c.Judge(k.Result(), contract.Counts{})
	}
	c.JudgeTimes(nil, nil, time.Unix(0, 0))
	if vs, notes := c.JudgeHistory(contract.Facts{}, nil, nil); len(vs)+len(notes) != len(c.History) {
		t.Fatalf("%d history rules without a batch before: %v %v", len(c.History), vs, notes)
	}
	for _, r := range c.Relationships {
		rule, ok := c.Rule(r.Rule)
		if !ok || rule.Kind != contract.KindRelationship || len(r.Columns) != len(r.To) || len(r.To) == 0 {
			t.Fatalf("the relationship %+v has the rule %+v", r, rule)
		}
	}
}

func broken(vs []contract.Violation, rule string) bool {
	for _, v := range vs {
		if v.Rule == rule {
			return true
		}
	}
	return false
}
