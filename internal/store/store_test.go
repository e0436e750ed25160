package store_test

import (
	"context"
	"testing"

	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func open(t *testing.T, url string) *store.Bucket {
	t.Helper()
	b, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Bucket { return open(t, "mem://") })
}

func TestDirectory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Bucket { return open(t, t.TempDir()) })
}
