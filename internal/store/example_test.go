package store_test

import (
	"context"
	"errors"
	"fmt"

	"headgate/internal/store"
)

// Of many writers of one key, one wins; the winner may ask again.
func Example() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		panic(err)
	}
	defer b.Close()

	fmt.Println(b.Put(ctx, "log/0000000001.json", []byte("first")))
	fmt.Println(b.Put(ctx, "log/0000000001.json", []byte("first")))
	err = b.Put(ctx, "log/0000000001.json", []byte("second"))
	fmt.Println(errors.Is(err, store.ErrExists))
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// true
	// store: put "log/0000000001.json" in mem://: exists with other bytes
}

func ExampleBucket_List() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	for _, key := range []string{"runs/b/plan.json", "runs/a/plan.json", "blobs/x"} {
		if err := b.Put(ctx, key, nil); err != nil {
			panic(err)
		}
	}
	for attrs, err := range b.List(ctx, "runs/") {
		if err != nil {
			panic(err)
		}
		fmt.Println(attrs.Key)
	}
	// Output:
	// runs/a/plan.json
	// runs/b/plan.json
}

func ExampleBucket_PutBlob() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		panic(err)
	}
	defer b.Close()
	ref, err := b.PutBlob(ctx, []byte("tree\n"))
	if err != nil {
		panic(err)
	}
	fmt.Println(ref.Size, store.BlobKey(ref.Digest)[:22]+"…")
	// Output:
	// 5 blobs/sha256/f2/f27e01…
}
