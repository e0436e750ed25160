package registry

import (
	"slices"
	"testing"
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
