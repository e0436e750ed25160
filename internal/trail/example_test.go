package trail_test

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
	"headgate/internal/trail"
)

// The registry says what happened; package release folds that into how a release stands.
func ExampleEvents() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	log, err := registry.Load(ctx, b, "retailer")
	if err != nil {
		panic(err)
	}
	champion, candidate := store.DigestOf([]byte("champion")), store.DigestOf([]byte("candidate"))
	for i, e := range []registry.Entry{
		{Kind: registry.KindRegister, Model: champion},
		{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: champion},
		{Kind: registry.KindRegister, Model: candidate},
		{Kind: registry.KindCandidate, Release: "2024-06/retrain", Model: candidate, Batch: "2024-05"},
	} {
		e.ID, e.By, e.At = fmt.Sprint(i), "ada", time.Date(2024, 7, 1, i, 0, 0, 0, time.UTC)
		if _, err := log.Append(ctx, e); err != nil {
			panic(err)
		}
	}

	events, err := trail.Events(ctx, b, log)
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		fmt.Println(e.Seq, e.Kind)
	}
	for _, r := range release.Fold(events).Open() {
		fmt.Println(r.Name, "has learned from", r.Candidates[0].Learned)
	}
	// Output:
	// 2 promote
	// 4 candidate
	// 2024-06/retrain has learned from 2024-05
}
