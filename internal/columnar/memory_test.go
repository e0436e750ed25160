//go:build !race

// The race detector makes sync.Pool forget on purpose, so memory is counted without it.

package columnar

import (
	"context"
	"runtime"
	"testing"
)

// TestMemoryDoesNotGrowWithTheFile reads a file of ten times the row groups and
// compares what is allocated.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	allocated := func(groups int) uint64 {
		rec := featureTable(groups*5000, 20)
		defer rec.Release()
		file := writeFile(t, rec, &Options{RowGroup: 5000, Compression: "snappy"})
		f := openBytes(t, file, nil)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for _, err := range f.Records(context.Background(), ReadOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(2)
	small, large := allocated(2), allocated(20)
	// A row group decodes to 1.2 MB. What is left is headers and array objects.
	if perGroup := (int64(large) - int64(small)) / 18; perGroup > 300_000 {
		t.Errorf("%d bytes allocated for each further row group", perGroup)
	}
}
