package activities

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/store"
)

const shippedRetailer = "../testdata/retailer/"

// twoVersions puts the shipped model into a store in memory, in two versions that differ in
// what their golden rows are called.
func twoVersions(t *testing.T) (b *store.Bucket, formats model.Formats, versions []store.Digest) {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	formats = model.Formats{"lightgbm": lightgbm.Format}
	for _, source := range []string{"one", "another"} {
		out, err := registration.Request{Pipeline: shippedRetailer + "pipeline.yaml", Model: shippedRetailer + "champion.txt", Source: source,
			Golden: shippedRetailer + "golden.csv", Expected: shippedRetailer + "golden_expected.csv", By: "test", At: time.Unix(1e9, 0).UTC()}.Do(t.Context(), b, formats)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, out.Version.Digest)
	}
	return b, formats, versions
}

// A store that takes its time over one version keeps nobody from another.
func TestAVersionIsLoadedWhileAnotherOneIs(t *testing.T) {
	b, formats, versions := twoVersions(t)
	slow, begun, goOn := store.BlobKey(versions[0]), make(chan struct{}), make(chan struct{})
	a := New(b.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		if c.Name == store.CallGet && c.Key == slow {
			close(begun)
			<-goOn
		}
		return do()
	}), formats)
	var wg sync.WaitGroup
	for range 2 { // of which one reads, and the other waits for it
		wg.Go(func() {
			if v, err := a.version(context.Background(), versions[0]); err != nil || v.Digest != versions[0] {
				t.Errorf("the slow one: %v", err)
			}
		})
	}
	<-begun
	if v, err := a.version(t.Context(), versions[1]); err != nil || v.Digest != versions[1] {
		t.Errorf("the other one: %v", err)
	}
	close(goOn)
	wg.Wait()
}

// What failed once is tried again, and what was loaded is read no more.
func TestAVersionIsLoadedOnce(t *testing.T) {
	b, formats, versions := twoVersions(t)
	reads, down := 0, true
	a := New(b.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		if !strings.HasPrefix(c.Key, "blobs/") {
			return do()
		}
		reads++
		if down {
			return errors.New("the store is down")
		}
		return do()
	}), formats)
	if _, err := a.version(t.Context(), versions[0]); err == nil || !strings.Contains(err.Error(), "the store is down") {
		t.Errorf("got %v", err)
	}
	down = false
	if _, err := a.version(t.Context(), versions[0]); err != nil {
		t.Fatal(err)
	}
	before := reads
	if _, err := a.version(t.Context(), versions[0]); err != nil || reads != before {
		t.Errorf("%d more reads (%v)", reads-before, err)
	}
}
