package profile_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/profile"
)

// Two shards are profiled apart, on any machines, and merged in any order.
func Example() {
	schema := arrow.NewSchema([]arrow.Field{{Name: "age", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, nil)
	var shards []*profile.Profile
	for _, ages := range [][]int32{{31, 45, 45}, {62, 17}} {
		b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
		b.Field(0).(*array.Int32Builder).AppendValues(ages, nil)
		b.Field(0).AppendNull()

		builder := profile.NewBuilder(nil)
		if err := builder.Add(b.NewRecord()); err != nil {
			fmt.Println(err)
			return
		}
		shards = append(shards, builder.Profile())
	}
	p, err := profile.Merge(shards[0], shards[1])
	if err != nil {
		fmt.Println(err)
		return
	}
	age := p.Column("age")
	mean, _ := age.MeanStd()
	fmt.Printf("%d rows, %d without an age\n", age.Rows, age.Nulls)
	fmt.Printf("%g to %g, mean %g, median %g\n", age.Min, age.Max, mean, age.Quantile(0.5))
	fmt.Println("most frequent:", age.Top(1))
	// Output:
	// 7 rows, 2 without an age
	// 17 to 62, mean 40, median 45
	// most frequent: [{45 2}]
}
