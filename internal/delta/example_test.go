package delta_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"headgate/internal/delta"
	"headgate/internal/store"
)

func Example() {
	ctx := context.Background()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	table := delta.Open(b, "scores/shop")

	// First the data file, then the commit.
	data := []byte("Parquet")
	file := delta.File{Path: delta.FilePath("2024-01", "5d0f.parquet"), Size: int64(len(data)), Rows: 3}
	if err := b.Put(ctx, table.Key(file.Path), data); err != nil {
		log.Fatal(err)
	}
	commit := delta.Commit{
		Pipeline: "shop", Batch: "2024-01", Expect: 0, Operation: "score/shop/2024-01#1",
		Fields: []delta.Field{{Name: "customer", Type: "long"}, {Name: "score", Type: "double"}},
		Files:  []delta.File{file},
		Info:   map[string]string{"run": "sha256:77ab"},
		At:     time.Date(2024, 2, 1, 6, 0, 0, 0, time.UTC),
	}
	for range 2 { // the second attempt finds the commit of the first
		p, err := table.Publish(ctx, commit)
		fmt.Println(p.Version, p.Publication, p.Already, err)
	}

	s, err := table.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range s.Files("2024-01") {
		fmt.Println(f.Path, f.Rows)
	}
	// Output:
	// 0 1 false <nil>
	// 0 1 true <nil>
	// batch=2024-01/5d0f.parquet 3
}
