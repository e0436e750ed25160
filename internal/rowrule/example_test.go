package rowrule_test

import (
	"fmt"
	"log"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/rowrule"
)

func ExampleCompile() {
	r, err := rowrule.Compile("discount <= price", []rowrule.Column{{Name: "price", Type: rowrule.Number}, {Name: "discount", Type: rowrule.Number}})
	if err != nil {
		log.Fatal(err)
	}
	k, err := r.Bind([]arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float64}) // of r.Columns()
	if err != nil {
		log.Fatal(err)
	}
	column := func(values ...float64) arrow.Array {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		b.AppendValues(values, nil)
		return b.NewArray()
	}
	k.Broken([]arrow.Array{column(10, 10), column(2, 12)}, 2, func(row int) { fmt.Println("row", row) })

	_, err = rowrule.Compile("discount <= prise", []rowrule.Column{{Name: "price", Type: rowrule.Number}, {Name: "discount", Type: rowrule.Number}})
	fmt.Println(err)
	// Output:
	// row 1
	// 1:13: there is no column prise; did you mean price?
}
