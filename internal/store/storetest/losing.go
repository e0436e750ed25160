package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"headgate/internal/store"
)

func testLostRequest(t *testing.T, b *store.Bucket) {
	ctx := context.Background()
	broken := Break(b, Fault{Call: store.CallPut, Times: 1})
	err := broken.Put(ctx, "log/1.json", []byte("one"))
	wants(t, "Put", err, ErrLost)
	if errors.Is(err, store.ErrExists) {
		t.Errorf("Put says that something exists: %v", err)
	}
	if got := Keys(t, b); got != nil {
		t.Errorf("the store has %q", got)
	}
	put(t, broken, "log/1.json", []byte("one"))
	holds(t, b, "log/1.json", []byte("one"))
}

func testLostAnswer(t *testing.T, b *store.Bucket) {
	broken := Break(b, Fault{Call: store.CallPut, Times: 1, Done: true})
	put(t, broken, "log/1.json", []byte("one"))
	put(t, broken, "log/1.json", []byte("one"))
	holds(t, b, "log/1.json", []byte("one"))
	wants(t, "Put of others", broken.Put(context.Background(), "log/1.json", []byte("two")), store.ErrExists)
}

func testLostRace(t *testing.T, b *store.Bucket) {
	put(t, b, "log/1.json", []byte("theirs"))
	broken := Break(b, Fault{Call: store.CallPut, Times: 1})
	wants(t, "Put", broken.Put(context.Background(), "log/1.json", []byte("ours")), store.ErrExists)
	holds(t, b, "log/1.json", []byte("theirs"))
}

// testLostStore breaks the reading back as well, so nobody knows what happened.
func testLostStore(t *testing.T, b *store.Bucket) {
	for _, done := range []bool{false, true} {
		key := "log/asked.json"
		if done {
			key = "log/done.json"
		}
		broken := Break(b,
			Fault{Call: store.CallPut, Times: 1, Done: done},
			Fault{Call: store.CallGet, Times: 1})
		err := broken.Put(context.Background(), key, []byte("one"))
		wants(t, "Put", err, ErrLost)
		if errors.Is(err, store.ErrExists) || err == nil || !strings.Contains(err.Error(), "reading it back") {
			t.Errorf("Put of %s: %v", key, err)
		}
		put(t, broken, key, []byte("one"))
		holds(t, b, key, []byte("one"))
	}
}
