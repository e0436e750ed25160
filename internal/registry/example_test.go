package registry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headgate/internal/registry"
	"headgate/internal/store"
)

// A model is registered and becomes the first champion. Nobody else can take its
// place without a decision.
func Example() {
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
	model := store.DigestOf([]byte("a model's bundle"))
	at := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	for _, e := range []registry.Entry{
		{ID: "register/1", Kind: registry.KindRegister, At: at, By: "ada", Model: model},
		{ID: "champion/1", Kind: registry.KindPromote, At: at, By: "ada", Alias: registry.AliasChampion, Model: model},
	} {
		e, err := log.Append(ctx, e)
		if err != nil {
			panic(err)
		}
		fmt.Println(e.Seq, e.Kind, e.ID)
	}
	fmt.Println(log.State().Aliases[registry.AliasChampion] == model)

	_, err = log.Append(ctx, registry.Entry{
		ID: "champion/2", Kind: registry.KindPromote, At: at, By: "bob", Alias: registry.AliasChampion, Model: model,
	})
	fmt.Println(errors.Is(err, registry.ErrAliasTaken))
	// Output:
	// 1 register register/1
	// 2 promote champion/1
	// true
	// true
}
