package activities

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/run"
)

// A keyedBatch is the keys of a small batch, as key lists and by key: whether one of its
// rows is scored.
type keyedBatch struct {
	lists  []io.Reader
	late   []run.Late
	scored map[string]bool
}

func newKeyedBatch(rng *rand.Rand) keyedBatch {
	b := keyedBatch{scored: map[string]bool{}}
	for shard := range rng.IntN(4) {
		var entries [][]byte
		for row := range int64(rng.IntN(6)) {
			key := fmt.Sprint(rng.IntN(12))
			quarantined, late := rng.IntN(3) == 0, rng.IntN(4) == 0
			if !quarantined && late {
				b.late = append(b.late, run.Late{Shard: shard, Row: row})
			}
			b.scored[key] = b.scored[key] || !quarantined && !late
			entries = append(entries, entry(key, row, quarantined))
		}
		slices.SortFunc(entries, bytes.Compare)
		b.lists = append(b.lists, bytes.NewReader(bytes.Join(entries, nil)))
	}
	return b
}

// Merged lists count what two sets of keys count.
func TestKeysAreCountedAsSetsCountThem(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		before, now := newKeyedBatch(rng), newKeyedBatch(rng)
		f := pipeline.Fallback{For: [][]pipeline.Unscored{nil, {pipeline.Quarantined}, {pipeline.Vanished}, {pipeline.Vanished, pipeline.Quarantined}}[rng.IntN(4)]}
		got := &keyCount{before: len(before.lists), late: lateRows(now.late), lateBefore: lateRows(before.late), fallback: f}
		err := pass.MergeKeys(slices.Concat(before.lists, now.lists), func(k pass.Key, row pass.Duplicate) error { return got.add(context.Background(), k, row) })
		if err != nil {
			t.Fatal(err)
		}
		got.settle()
		var want run.Keys
		var wanted [][]byte
		for i := range 12 {
			key := fmt.Sprint(i)
			scored, delivered := now.scored[key]
			expected := before.scored[key]
			count := func(n *int64, is bool) {
				if is {
					*n++
				}
			}
			count(&want.Expected, expected)
			count(&want.Delivered, delivered)
			count(&want.Scored, scored)
			count(&want.Unscored, delivered && !scored)
			count(&want.New, delivered && !expected)
			count(&want.Vanished, expected && !delivered)
			if delivered && !scored && slices.Contains(f.For, pipeline.Quarantined) || expected && !delivered && slices.Contains(f.For, pipeline.Vanished) {
				wanted = append(wanted, entry(key, 0, false)[:16])
			}
		}
		slices.SortFunc(wanted, bytes.Compare)
		if got.keys != want || !bytes.Equal(got.wanted, bytes.Join(wanted, nil)) {
			t.Fatalf("seed %d: got %+v and %d keys, want %+v and %d", seed, got.keys, len(got.wanted)/16, want, len(wanted))
		}
	}
}
