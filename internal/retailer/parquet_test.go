package retailer_test

import (
	"bytes"
	"testing"

	"headgate/internal/retailer"
)

// Whoever opens a file of the simulated shop must be able to see what it is.
func TestFilesSayThatTheyAreSimulated(t *testing.T) {
	var file bytes.Buffer
	if err := (retailer.World{Seed: 1, Customers: 10}).Write(t.Context(), &file, "2024-01", nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file.Bytes(), []byte("simulated")) || !bytes.Contains(file.Bytes(), []byte("no real customers")) {
		t.Error("the footer does not say that the data are simulated")
	}
}
