package dossier_test

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/dossier"
	"headgate/internal/registration"
	"headgate/internal/store"
)

// The facts of a card are those that package report makes a page of.
func Example() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	_, err = registration.Request{Pipeline: shipped + "pipeline.yaml", Model: shipped + "champion.txt", Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv",
		Champion: true, By: "ada", At: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)}.Do(ctx, b, formats)
	if err != nil {
		panic(err)
	}

	r, err := dossier.Open(ctx, b, "retailer", formats)
	if err != nil {
		panic(err)
	}
	card, err := r.Card(ctx, "") // of the champion
	if err != nil {
		panic(err)
	}
	fmt.Println(card.Status, card.Bundle.Kind, card.Bundle.By, card.Bundle.GoldenRows)
	for _, e := range card.Events {
		fmt.Println(e.Entry, e.Kind)
	}
	_, err = r.Batch(ctx, "2024-01", "")
	fmt.Println(err)
	// Output:
	// champion lightgbm ada 40
	// 2 register
	// 3 promote
	// no run 2024-01 of retailer was judged: not found; starter status retailer lists the batches
}
