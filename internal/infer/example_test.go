package infer_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/infer"
	"headgate/internal/profile"
)

func ExampleNew() {
	schema := arrow.NewSchema([]arrow.Field{{Name: "customer_id", Type: arrow.PrimitiveTypes.Int64}, {Name: "age", Type: arrow.PrimitiveTypes.Int64}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"customer_id": 1, "age": 18}, {"customer_id": 2, "age": 87}]`))
	if err != nil {
		log.Fatal(err)
	}
	b := profile.NewBuilder(nil)
	if err := b.Add(rec); err != nil {
		log.Fatal(err)
	}
	seen := b.Profile()

	d := infer.New("shop", schema, seen.Rows, map[string]int64{})
	fmt.Println("count these:", d.Candidates(seen)[0])
	d.Key = []string{"customer_id"}
	d.Guess(seen)
	_, columns, _ := strings.Cut(string(d.YAML()), "properties:\n")
	fmt.Print(columns)
	// Output:
	// count these: [[customer_id]]
	//       - name: customer_id
	//         # guess: customer_id is whom a row is about
	//         logicalType: integer
	//         required: true
	//         primaryKey: true
	//         primaryKeyPosition: 1
	//         customProperties:
	//           - { property: mlRole, value: entityKey }
	//       - name: age
	//         # seen: 18 to 87
	//         logicalType: integer
	//         logicalTypeOptions: { minimum: 10, maximum: 90 }
	//         required: true
}
