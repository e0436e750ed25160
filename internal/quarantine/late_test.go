package quarantine_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/pass"
	"headgate/internal/retailer"
)

// repeat delivers rows of the month a second time, changed, in a file of their own.
func (s *shop) repeat(change func(row map[string]string), ordinals ...int64) {
	s.t.Helper()
	for rec, err := range s.world.Month(month) {
		if err != nil {
			s.t.Fatal(err)
		}
		var all rows
		for _, at := range ordinals {
			all = append(all, rowsOf(rec.NewSlice(at, at+1))...)
		}
		for _, row := range all {
			change(row)
		}
		data, err := os.ReadFile(s.write(all, rec.Schema()))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := s.bucket.Put(s.t.Context(), "incoming/retailer/2024-01/part-0002.parquet", data); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestRowsThatRepeatEachOtherAreCorrectedByOne(t *testing.T) {
	s := newShop(t, "1%")
	s.deliver(retailer.NoFault)
	s.repeat(func(map[string]string) {}, 5, 17)
	if first := s.score(); first.Published != 1998 || first.Quarantined != 4 {
		t.Fatalf("got %+v", first)
	}
	bad, schema := s.quarantined()
	if len(bad) != 4 || bad[0][pass.ColumnRules] != "primaryKey" || bad[0]["brand"] == "" || bad[3][pass.ColumnFile] != "incoming/retailer/2024-01/part-0002.parquet" {
		t.Fatalf("got %v", bad)
	}
	if _, err := s.replay(s.write(bad, schema), false); err == nil || !strings.Contains(err.Error(), "customer_id,as_of is that of another row of the file") {
		t.Errorf("all of them: %v", err)
	}
	s.mustReplay(s.write(bad[:2], schema))
	if second := s.score(); second.Published != 2000 || second.Replaced != 4 {
		t.Errorf("after the correction: %+v", second)
	}
}

// Two rows with different keys may be the same person: of the two corrections one changes
// what made them the same.
func TestRowsThatShareAnotherKeyAreCorrectedBoth(t *testing.T) {
	s := newShop(t, "1%")
	s.deliver(retailer.NoFault)
	s.register(false, func(_, text string) string {
		return strings.Replace(text, "      - { id: rows, ", "      - { id: person, metric: duplicateValues, arguments: { properties: [birthday, tenure, recency, distance_km] }, mustBe: 0 }\n      - { id: rows, ", 1)
	})
	s.repeat(func(row map[string]string) { row["customer_id"] = "C999999999-99" }, 5)
	if first := s.score(); first.Published != 1999 || first.Quarantined != 2 {
		t.Fatalf("got %+v", first)
	}
	bad, schema := s.quarantined()
	if len(bad) != 2 || bad[0][pass.ColumnRules] != "person" {
		t.Fatalf("got %v", bad)
	}
	if _, err := s.replay(s.write(bad, schema), false); err == nil || !strings.Contains(err.Error(), "birthday,tenure,recency,distance_km is that of another row") {
		t.Errorf("not corrected: %v", err)
	}
	bad[1]["tenure"] = "3"
	s.mustReplay(s.write(bad, schema))
	if second := s.score(); second.Published != 2001 || second.Replaced != 2 {
		t.Errorf("after the correction: %+v", second)
	}
}

// In a delivery that was replaced nobody can read the values of late rows any more.
func TestLateRowsOfAFileThatWasReplacedComeWithoutValues(t *testing.T) {
	s := newShop(t, "1%")
	s.deliver(retailer.NoFault)
	s.repeat(func(map[string]string) {}, 5)
	s.score()
	if err := s.bucket.Delete(t.Context(), "incoming/retailer/2024-01/part-0002.parquet"); err != nil {
		t.Fatal(err)
	}
	bad, _ := s.quarantined()
	notes := s.load().Notes
	if len(bad) != 2 || bad[0]["brand"] == "" || bad[1]["brand"] != "" || bad[1][pass.ColumnRow] != "0" || len(notes) != 1 {
		t.Errorf("got %v, %q", bad, notes)
	}
}

// partnered makes brands a set of their own, which knows all brands but one.
func (s *shop) partnered(missing string) {
	s.t.Helper()
	s.register(false, func(name, text string) string {
		if name == "pipeline.yaml" {
			return text + "table: customers\nreferences: { brands: 'reference/brands.parquet' }\n"
		}
		text = strings.Replace(text, "description: Brand bought most often.\n", "relationships: [{ to: brands.id }]\n", 1)
		return text + "  - name: brands\n    properties:\n      - { name: id, logicalType: string }\n"
	})
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	var brands rows
	for i := range 1000 {
		if id := fmt.Sprintf("B%03d", i); id != missing {
			brands = append(brands, map[string]string{"id": id})
		}
	}
	data, err := os.ReadFile(s.write(brands, schema))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.bucket.Put(s.t.Context(), "reference/brands.parquet", data); err != nil {
		s.t.Fatal(err)
	}
}

func TestRowsWithoutAPartnerAreCorrected(t *testing.T) {
	s := newShop(t, "10%")
	s.deliver(retailer.NoFault)
	s.partnered("B031")
	first := s.score()
	bad, schema := s.quarantined()
	if len(bad) == 0 || int64(len(bad)) != first.Quarantined || bad[0][pass.ColumnRules] != "brand.relationship" {
		t.Fatalf("got %v, %+v", bad, first)
	}
	if _, err := s.replay(s.write(bad, schema), false); err == nil || !strings.Contains(err.Error(), "row 0 (from 0): brand.relationship") {
		t.Errorf("not corrected: %v", err)
	}
	for _, row := range bad {
		row["brand"] = "B030"
	}
	s.mustReplay(s.write(bad, schema))
	if second := s.score(); second.Published != 2000 || second.Replaced != first.Quarantined {
		t.Errorf("after the correction: %+v", second)
	}
}
