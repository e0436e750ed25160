package contract_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/contract"
)

func ExampleParse() {
	c, err := contract.Parse("contract.yaml", []byte(`
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - name: customers
    properties:
      - { name: customer_id, logicalType: integer, primaryKey: true }
      - { name: age, logicalType: integer, logicalTypeOptions: { minimum: 0 } }
`))
	if err != nil {
		log.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "customer_id", Type: arrow.PrimitiveTypes.Int64}, {Name: "age", Type: arrow.PrimitiveTypes.Int64}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"customer_id": 1, "age": 30}, {"customer_id": 2, "age": -1}]`))
	if err != nil {
		log.Fatal(err)
	}
	checker := c.NewChecker()
	marks, err := checker.Add(rec)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("to quarantine:", marks.Count(), marks.Rules(1))
	// Output: to quarantine: 1 [age.minimum]
}

// A rule across columns sends the rows for which it is false to quarantine. Where a
// null leaves it open, the row stays.
func ExampleContract_NewChecker_rowRule() {
	c, err := contract.Parse("contract.yaml", []byte(`
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - name: orders
    quality:
      - { id: discount, type: custom, engine: headgate, implementation: discount <= price }
    properties:
      - { name: price, logicalType: number }
      - { name: discount, logicalType: number }
`))
	if err != nil {
		log.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "price", Type: arrow.PrimitiveTypes.Float64}, {Name: "discount", Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"price": 10, "discount": 2}, {"price": 10, "discount": 12}, {"price": 10}]`))
	if err != nil {
		log.Fatal(err)
	}
	marks, err := c.NewChecker().Add(rec)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(marks.Bad(0), marks.Bad(1), marks.Bad(2))
	// Output: false true false
}

func ExampleDiff() {
	parse := func(minimum string) *contract.Contract {
		c, err := contract.Parse("contract.yaml", []byte(`
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - name: customers
    properties:
      - { name: age, logicalType: integer, logicalTypeOptions: { minimum: `+minimum+` } }
`))
		if err != nil {
			log.Fatal(err)
		}
		return c
	}
	changes := contract.Diff(parse("18"), parse("21"))
	for _, c := range changes {
		fmt.Printf("%s for producers, %s for consumers: %s\n", c.Producer, c.Consumer, c.What)
	}
	fmt.Println("needs", contract.NeedsBump(changes))
	// Output:
	// breaking for producers, compatible for consumers: rule age.minimum is tightened: minimum 21, was minimum 18
	// needs major
}
