package run_test

import (
	"context"
	"fmt"

	"headgate/internal/run"
	"headgate/internal/store"
)

// A run is named by what it reads: another size of the input is another run.
func ExampleSavePlan() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	plan := run.Plan{Format: run.Format, Pipeline: "retailer", Batch: "2024-01", Files: []run.File{{Key: "incoming/part-0.parquet", Size: 1000}}}
	first, err := run.SavePlan(ctx, b, &plan)
	if err != nil {
		panic(err)
	}
	again, err := run.SavePlan(ctx, b, &plan)
	if err != nil {
		panic(err)
	}
	fmt.Println(again == first, run.PlanKey("retailer", "2024-01", first))

	plan.Files[0].Size++
	other, err := plan.Digest()
	if err != nil {
		panic(err)
	}
	fmt.Println(other == first, run.Dir("retailer", "2024-01", other))
	// Output:
	// true runs/retailer/2024-01/54135b16a21ff363/plan.json
	// false runs/retailer/2024-01/d9e0b05967d7efe6
}
