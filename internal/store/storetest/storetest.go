// Package storetest says in code what every store has to do, and breaks stores on
// purpose.
//
// [Run] is the conformance suite: each kind of storage runs it, the real servers
// in the end-to-end tests as well. [Break] makes a bucket lose answers, for the
// tests of whatever is built on one.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"headgate/internal/store"
)

// Run checks that the buckets which open returns do all that a store has to do.
// open is called for each subtest and returns an empty bucket; Run closes it.
//
// For buckets that other processes can open as well, Run starts some that compete.
// They are the test's own program: its TestMain must call [Main].
func Run(t *testing.T, open func(t *testing.T) *store.Bucket) {
	tests := []struct {
		name string
		test func(*testing.T, *store.Bucket)
	}{
		{"the same bytes again are success, others are not", testPutTwice},
		{"objects of any size and content come back", testSizes},
		{"any valid key names its own object", testKeys},
		{"a string that is no key is refused before the store sees it", testBadKeys},
		{"what is missing is ErrNotFound", testMissing},
		{"deleting twice is deleting once", testDelete},
		{"List is sorted, recursive and exact about prefixes", testList},
		{"Folders has the names of one level, and nothing deeper", testFolders},
		{"a folder is where an object lies", testFolderOfNothing},
		{"List and Folders go on where a page of the store ends", testListMany},
		{"Stat, List and Reader agree, and a new object is a new version", testAttrs},
		{"a blob is found by its digest, and checked", testBlobs},
		{"a Reader reads any range", testRanges},
		{"a Reader serves many goroutines", testRangesAtOnce},
		{"a Reader never mixes two objects", testReplacedWhileRead},
		{"a cancelled context stops every call", testCancelled},
		{"a probe passes, again and again", testProbe},
		{"of many writers of one key one wins", testOneWinner},
		{"of many processes that write one key one wins", testOneWinnerAmongProcesses},
		{"writers of the same bytes all win", testSameBytesAtOnce},
		{"failed and not written: the caller is told, and can try again", testLostRequest},
		{"failed and written: the caller does not notice", testLostAnswer},
		{"failed, and another wrote: ErrExists", testLostRace},
		{"failed, and out of reach: the caller is told of both", testLostStore},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := open(t)
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			test.test(t, b)
		})
	}
}

// ErrLost is what a broken bucket's calls return.
var ErrLost = errors.New("storetest: the connection broke")

// A Fault says which calls of a bucket break, and how.
type Fault struct {
	Call  string // store.CallPut and so on; "" is any
	Key   string // what the key begins with; "" is any
	After int    // this many such calls go well before
	Times int    // this many break, then all go well again; 0 is all

	// Done tells the two ways to fail apart: the store did what was asked and only
	// its answer got lost, or the request never arrived.
	Done bool
}

// Break returns a bucket over the same storage whose calls break as the faults
// say, with [ErrLost]. The first fault that fits a call decides.
func Break(b *store.Bucket, faults ...Fault) *store.Bucket {
	var mu sync.Mutex
	seen := make([]int, len(faults))
	broken := func(call store.Call) (done, broken bool) {
		mu.Lock()
		defer mu.Unlock()
		for i, f := range faults {
			if f.Call != "" && f.Call != call.Name || !strings.HasPrefix(call.Key, f.Key) {
				continue
			}
			n := seen[i] - f.After
			seen[i]++
			if n >= 0 && (f.Times == 0 || n < f.Times) {
				return f.Done, true
			}
		}
		return false, false
	}
	return b.Intercept(func(_ context.Context, call store.Call, do func() error) error {
		done, lost := broken(call)
		if !lost {
			return do()
		}
		if done {
			if err := do(); err != nil {
				return err
			}
		}
		return fmt.Errorf("%s %s: %w", call.Name, call.Key, ErrLost)
	})
}

// Keys returns all keys of a bucket, sorted, for tests that check what a run leaves.
func Keys(t testing.TB, b *store.Bucket) []string {
	t.Helper()
	return listKeys(t, b, "")
}

func listKeys(t testing.TB, b *store.Bucket, prefix string) []string {
	t.Helper()
	var keys []string
	for attrs, err := range b.List(context.Background(), prefix) {
		if err != nil {
			t.Fatalf("List(%q): %v", prefix, err)
		}
		keys = append(keys, attrs.Key)
	}
	return keys
}

func put(t testing.TB, b *store.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(context.Background(), key, data); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

// holds checks what a key holds.
func holds(t testing.TB, b *store.Bucket, key string, want []byte) {
	t.Helper()
	have, err := b.Get(context.Background(), key)
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	if !bytes.Equal(have, want) {
		t.Fatalf("Get(%q) = %d bytes %.40q, want %d bytes %.40q", key, len(have), have, len(want), want)
	}
}

// wants checks that err is what it should be.
func wants(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", call, err, want)
	}
}
