package registry

import (
	"context"
	"errors"
	"slices"
	"testing"

	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

func TestPipelinesAreThoseThatHaveALog(t *testing.T) {
	b := memory(t)
	for _, key := range []string{Key("retailer", 1), Key("retailer", 2), Key("flights", 1), "registry/notes.txt", "registry/empty/readme", "scores/other/log/1"} {
		if err := b.Put(ctx, key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Pipelines(ctx, b)
	if want := []string{"flights", "retailer"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Pipelines: %q (%v), want %q", got, err, want)
	}
}

func TestPipelinesAreInTheOrderOfTheirNames(t *testing.T) {
	b := memory(t)
	want := []string{"a", "a-b", "b"} // but "registry/a-b/" is before "registry/a/"
	for _, name := range want {
		if err := b.Put(ctx, Key(name, 1), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Pipelines(ctx, b); err != nil || !slices.Equal(got, want) {
		t.Errorf("Pipelines: %q (%v), want %q", got, err, want)
	}
}

func TestPipelinesListNoLog(t *testing.T) {
	b := memory(t)
	for seq := range int64(50) {
		if err := b.Put(ctx, Key("retailer", seq+1), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	var calls []store.Call
	watched := b.Intercept(func(_ context.Context, call store.Call, do func() error) error {
		calls = append(calls, call)
		return do()
	})
	if _, err := Pipelines(ctx, watched); err != nil {
		t.Fatal(err)
	}
	want := []store.Call{{Name: store.CallFolders, Key: "registry/"}, {Name: store.CallFolders, Key: "registry/retailer/log"}}
	if !slices.Equal(calls, want) {
		t.Errorf("the store was asked for %+v, want %+v", calls, want)
	}
}

func TestPipelinesOfAStoreThatBreaksAreAnError(t *testing.T) {
	b := memory(t)
	if err := b.Put(ctx, Key("retailer", 1), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"registry/", "registry/retailer/log"} {
		broken := storetest.Break(b, storetest.Fault{Call: store.CallFolders, Key: key})
		if names, err := Pipelines(ctx, broken); !errors.Is(err, storetest.ErrLost) || names != nil {
			t.Errorf("Pipelines without the folders of %s: %q, %v", key, names, err)
		}
	}
}
