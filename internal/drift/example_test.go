package drift_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

// A partner brings customers who are new: the months since they joined are fewer.
func ExampleCompare() {
	schema := arrow.NewSchema([]arrow.Field{{Name: "tenure", Type: arrow.PrimitiveTypes.Int32}, {Name: "app", Type: arrow.FixedWidthTypes.Boolean}}, nil)
	month := func(partners int) *profile.Profile {
		b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
		for i := range 2000 {
			tenure := int32(i % 60)
			if i < partners {
				tenure = int32(i % 4)
			}
			b.Field(0).(*array.Int32Builder).Append(tenure)
			b.Field(1).(*array.BooleanBuilder).Append(i%5 < 2)
		}
		builder := profile.NewBuilder(nil)
		if err := builder.Add(b.NewRecord()); err != nil {
			panic(err)
		}
		return builder.Profile()
	}

	report, err := drift.Compare(month(0), month(500), &drift.Options{Importance: map[string]float64{"tenure": 0.2, "app": 0.1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Level, report.Reasons)
	for _, cause := range report.Causes {
		fmt.Printf("%s: effect %.2f × importance %g\n", cause.Column, cause.Effect, cause.Importance)
	}
	fmt.Println(report.Columns[1].Reasons[1])
	// Output:
	// warn [1 of 2 columns drifted: tenure]
	// tenure: effect 0.31 × importance 0.2
	// the heaviest bin: up to 5, 32.5 %, was 10.2 %
}

// Three of the last four batches must drift.
func ExampleTrigger() {
	levels := []drift.Level{drift.None, drift.Warn, drift.Warn}
	fmt.Println(drift.Trigger(levels, 3, 4))
	fmt.Println(drift.Trigger(append(levels, drift.Warn), 3, 4))
	// Output:
	// false
	// true
}
