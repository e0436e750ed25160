package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/retailer"
)

// In March five rows of a thousand are bad: two with the same rule, one without a key.
const badMonth = "2024-03"

func TestQuarantineShow(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score(badMonth, retailer.BadRows)
	s.ask(0, `retailer 2024-03: pass; 5 of 1,000 rows in quarantine, 10 allowed
run DIGEST

RULE                  ROWS
region_known          2
age.maximum           1
customer_id.required  1
return_rate.maximum   1

FILE                                         ROW  customer_id   RULES                 VALUES
incoming/retailer/2024-03/part-0000.parquet  282  –             customer_id.required  
incoming/retailer/2024-03/part-0000.parquet  544  (classified)  region_known          region=X99
incoming/retailer/2024-03/part-0000.parquet  566  (classified)  age.maximum           age=(classified)
incoming/retailer/2024-03/part-0000.parquet  822  (classified)  region_known          region=X99
incoming/retailer/2024-03/part-0000.parquet  912  (classified)  return_rate.maximum   return_rate=1.073
`, "quarantine", "show", "retailer", "--batch", badMonth)
	out := s.ask(0, "", "quarantine", "show", "retailer", "--batch", badMonth, "--rule", "region_known", "--rows", "1", "--show-classified")
	if !strings.Contains(out, "544  C000000544-14  region_known  region=X99\n") || strings.Contains(out, " 822 ") {
		t.Errorf("one row of a rule, with its key:\n%s", out)
	}
	s.ask(1, "starter: rule age.max kept no row of retailer 2024-03 back; those that did: region_known, age.maximum, customer_id.required, return_rate.maximum\n",
		"quarantine", "show", "retailer", "--batch", badMonth, "--rule", "age.max")
	s.ask(1, "starter: batch 2024-09 of retailer was not judged yet, so no row is in quarantine\n", "quarantine", "show", "retailer", "--batch", "2024-09")
	s.ask(1, "starter: pipeline \"toys\" is not registered in file://STORE; run: starter register PIPELINE.yaml\n", "quarantine", "show", "toys", "--batch", badMonth)
}

func TestQuarantineShowForPrograms(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score(badMonth, retailer.BadRows)
	var a quarantineAnswer
	text := s.ask(0, "", "quarantine", "show", "retailer", "--batch", badMonth, "--json")
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Shown) != 5 || a.Quarantined != 5 || a.Shown[1]["customer_id"] != maskedText || a.Shown[1]["region"] != "X99" || a.Shown[0]["customer_id"] != nil {
		t.Errorf("got %s", text)
	}
	records, err := csv.NewReader(strings.NewReader(s.ask(0, "", "quarantine", "show", "retailer", "--batch", badMonth, "--csv", "--show-classified"))).ReadAll()
	if err != nil || len(records) != 6 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	key := slices.Index(records[0], "customer_id")
	if slices.Contains(records[0], "birthday") || records[1][key] != "" || records[2][key] != "C000000544-14" {
		t.Errorf("got %q", records)
	}
}

// correct writes the rows of the bad month as they should be.
func (s *shop) correct(rows ...int64) string {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "fixed.parquet")
	f, err := os.Create(name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	world := retailer.World{Seed: 1, Customers: 1000}
	for rec, err := range world.Month(badMonth) {
		if err != nil {
			s.t.Fatal(err)
		}
		w, err := columnar.Create(f, rec.Schema(), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, row := range rows {
			err = errors.Join(err, w.Write(rec.NewSlice(row, row+1)))
		}
		if err := errors.Join(err, w.Close()); err != nil {
			s.t.Fatal(err)
		}
	}
	return name
}

func TestQuarantineReplay(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score(badMonth, retailer.BadRows)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

	s.ask(3, "starter: 1 of 6 rows cannot be handed in, so none was; --partial hands the others in\n",
		"quarantine", "replay", "retailer", "--batch", badMonth, "--data", s.correct(282, 544, 566, 600, 822, 912))
	code, stdout, stderr := starter(t, "quarantine", "replay", "retailer", "--batch", badMonth, "--data", s.correct(282, 544, 566, 600, 822, 912), "--partial", "--store", s.dir)
	for _, want := range []string{"refused row 3 (from 0): customer_id,as_of is scored already\n", "retailer 2024-03: 5 corrected rows handed in, 1 refused\n", "stored as runs/retailer/2024-03/"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	want := "starter: temporal does not answer at 127.0.0.1:1 (connection refused); set TEMPORAL_ADDRESS; the rows are handed in, and starter score retailer --batch 2024-03 scores them\n"
	if code != 1 || stderr != want {
		t.Errorf("without Temporal: %d, %q", code, stderr)
	}
	out := s.again(badMonth)
	if out.Published != 1000 || out.Publication != 2 || out.Replaced != 4 {
		t.Errorf("scored again: %+v", out)
	}
	if text := s.ask(0, "", "status", "retailer"); !strings.Contains(text, "2024-03  published  2            1,000  5, 4 corrected  ") {
		t.Errorf("status:\n%s", text)
	}
	text := s.ask(0, "", "quarantine", "show", "retailer", "--batch", badMonth)
	for _, want := range []string{"pass; 5 of 1,005 rows in quarantine, 10 allowed; 4 of them corrected and published\n", "region_known (replaced)         region=X99\n", "customer_id.required"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	s.ask(0, "", "verify", "retailer", "--batch", badMonth)
}

func TestQuarantineOutIsReadyToBeCorrected(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score(badMonth, retailer.BadRows)
	name := filepath.Join(t.TempDir(), "bad.parquet")
	s.ask(0, "", "quarantine", "show", "retailer", "--batch", badMonth, "--out", name, "--rule", "region_known")
	f, err := openLocal(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.f.Close()
	if f.NumRows() != 2 || f.Schema().Field(3).Type.ID() != arrow.BOOL || len(f.Schema().FieldIndices("birthday")) > 0 {
		t.Errorf("%d rows with %s", f.NumRows(), f.Schema())
	}
	if info, err := f.f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v, %v", info.Mode(), err)
	}
	s.ask(1, "starter: "+name+" exists; name a file that does not\n", "quarantine", "show", "retailer", "--batch", badMonth, "--out", name)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	s.ask(3, "starter: 2 of 2 rows cannot be handed in, so none was\n", "quarantine", "replay", "retailer", "--batch", badMonth, "--data", name)
}
