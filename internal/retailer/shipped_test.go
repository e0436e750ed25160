package retailer_test

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/pipeline"
	"headgate/internal/retailer"
)

// shipped is the world that the files in testdata/retailer were made for.
var shipped = retailer.World{Seed: 1, Customers: 20_000}

// file returns a file of testdata/retailer.
func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../testdata/retailer/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// shippedContract returns the contract.
func shippedContract(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("contract.yaml", file(t, "contract.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheShippedPipelineFitsItsContract(t *testing.T) {
	p, err := pipeline.Parse("pipeline.yaml", file(t, "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckContract(shippedContract(t)); err != nil {
		t.Error(err)
	}
}

func TestTheShippedContractCatchesWhatIsWrong(t *testing.T) {
	tests := []struct {
		name     string
		month    string
		fault    retailer.Fault
		min, max int64 // bad rows
	}{
		{name: "nothing is wrong", month: "2024-01"},
		{name: "nor when the campaign runs", month: "2024-03"},
		{name: "bad rows are within the budget", month: "2024-02", fault: retailer.BadRows, min: 60, max: 100},
		{name: "cents are not", month: "2024-06", fault: retailer.Cents, min: 10_000, max: 20_000},
		{name: "a tracker that is off is no violation", month: "2024-11", fault: retailer.Tracker},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := shippedContract(t).NewChecker()
			for rec, err := range shipped.Records(tt.month, &retailer.Options{Fault: tt.fault}) {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := k.Add(rec); err != nil {
					t.Fatal(err)
				}
			}
			if got := k.Result().Bad; got < tt.min || got > tt.max {
				t.Errorf("got %d bad rows, want %d to %d", got, tt.min, tt.max)
			}
		})
	}
}

func TestTheShippedContractMissesTheColumn(t *testing.T) {
	for rec, err := range shipped.Records("2024-04", &retailer.Options{Fault: retailer.MissingColumn}) {
		if err != nil {
			t.Fatal(err)
		}
		violations := shippedContract(t).CheckFooter(contract.Footer{Schema: rec.Schema(), Rows: rec.NumRows()})
		if len(violations) != 1 || violations[0].Column != "visits_30d" {
			t.Errorf("got %v, want visits_30d", violations)
		}
		return
	}
}

// TestTheShippedChampionScoresLikeLightGBM compares the first customers of
// January 2024, straight from the world, with golden_expected.csv.
func TestTheShippedChampionScoresLikeLightGBM(t *testing.T) {
	m, err := lightgbm.Parse(file(t, "champion.txt"), model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("../../testdata/retailer/golden_expected.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := csv.NewReader(f).ReadAll()
	if err != nil || len(want) != 41 {
		t.Fatalf("%d lines, %v", len(want), err)
	}
	var got model.Scores
	if err := m.Score(&got, firstRecord(t, "2024-01")); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		raw, err := strconv.ParseFloat(want[i+1][0], 64)
		if err != nil || got.Raw[i] != raw {
			t.Errorf("row %d: got %v, want %s", i, got.Raw[i], want[i+1][0])
		}
	}
}

// firstRecord returns the first record of a month.
func firstRecord(t *testing.T, month string) arrow.Record {
	t.Helper()
	for rec, err := range shipped.Month(month) {
		if err != nil {
			t.Fatal(err)
		}
		rec.Retain()
		return rec
	}
	t.Fatal("no records")
	return nil
}
