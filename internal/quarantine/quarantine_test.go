package quarantine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/quarantine"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/workflows"
)

func TestCorrectedRowsAreHandedInAndPublished(t *testing.T) {
	s := newShop(t, "1%")
	first := s.score()
	bad, schema := s.quarantined()
	if int64(len(bad)) != first.Quarantined || len(bad) < 5 {
		t.Fatalf("%d rows in quarantine, the run says %d", len(bad), first.Quarantined)
	}
	if len(schema.FieldIndices("birthday")) > 0 {
		t.Error("the quarantine shows birthday, which is restricted")
	}
	file := s.write(s.correct(bad), schema)
	out := s.mustReplay(file)
	if out.Rows != first.Quarantined || out.Already || !slices.Equal(out.Filled, []string{"birthday"}) || out.Run != first.Run {
		t.Errorf("got %+v", out)
	}
	if again := s.mustReplay(file); !again.Already || again.Key != out.Key {
		t.Errorf("the same file again: %+v", again)
	}
	second := s.score()
	if second.Publication != 2 || second.Published != first.Rows || second.Replaced == 0 {
		t.Errorf("after the correction: %+v", second)
	}
	s.checkBirthdays(out.Key)
	s.checkMarks(second)
}

// checkBirthdays compares what was taken from the delivery with the world.
func (s *shop) checkBirthdays(key string) {
	s.t.Helper()
	want := map[string]string{}
	for rec, err := range s.world.Month(month) {
		if err != nil {
			s.t.Fatal(err)
		}
		for _, row := range maps(rec) {
			want[row["customer_id"]] = row["birthday"]
		}
	}
	for _, row := range s.parquet(key) {
		if row["birthday"] == "" || row["birthday"] != want[row["customer_id"]] {
			s.t.Errorf("birthday %q of %s, want %q", row["birthday"], row["customer_id"], want[row["customer_id"]])
		}
		for name := range row {
			if strings.HasPrefix(name, "headgate_") {
				s.t.Errorf("the corrected rows have a column %s", name)
			}
		}
	}
}

func (s *shop) parquet(key string) rows {
	s.t.Helper()
	r, err := s.bucket.Reader(s.t.Context(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	f, err := columnar.Open(r, r.Size(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var all rows
	for rec, err := range f.Records(context.Background(), columnar.ReadOptions{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, maps(rec)...)
	}
	return all
}

// checkMarks checks that the rows that were replaced are marked, and handed in no more.
func (s *shop) checkMarks(out workflows.ScoreBatchOutput) {
	s.t.Helper()
	bad, schema := s.quarantined()
	marked := int64(0)
	for _, row := range bad {
		if row[quarantine.ColumnReplaced] == "true" {
			marked++
		}
	}
	if marked != out.Replaced {
		s.t.Errorf("%d rows are marked as replaced, the run says %d", marked, out.Replaced)
	}
	left := slices.DeleteFunc(slices.Clone(bad), func(row map[string]string) bool { return row[quarantine.ColumnReplaced] != "true" })
	if _, err := s.replay(s.write(left, schema), false); err == nil || !strings.HasSuffix(err.Error(), "there is no row to hand in") {
		s.t.Errorf("rows that were replaced, handed in again: %v", err)
	}
	for _, row := range left {
		row[quarantine.ColumnReplaced] = "false"
	}
	_, err := s.replay(s.write(s.correct(left), schema), false)
	if err == nil || !strings.Contains(err.Error(), "customer_id,as_of was corrected before") {
		s.t.Errorf("a second correction: %v", err)
	}
}

func TestRowsThatCannotBeHandedIn(t *testing.T) {
	s := newShop(t, "1%")
	s.score()
	bad, schema := s.quarantined()
	good := s.correct(bad)
	at := slices.IndexFunc(bad, func(row map[string]string) bool { return strings.Contains(row[pass.ColumnRules], "return_rate") })
	if at < 0 {
		t.Fatal("no row with a bad return_rate")
	}
	plain := arrow.NewSchema(slices.DeleteFunc(slices.Clone(schema.Fields()), func(f arrow.Field) bool { return strings.HasPrefix(f.Name, "headgate_") }), nil)
	full := arrow.NewSchema(append(plain.Fields(), arrow.Field{Name: "birthday", Type: arrow.FixedWidthTypes.Date32, Nullable: true}), nil)
	edit := func(change func(all rows)) rows {
		var all rows
		for _, row := range good {
			next := map[string]string{}
			for k, v := range row {
				next[k] = v
			}
			all = append(all, next)
		}
		change(all)
		return all
	}
	doubles := slices.Clone(schema.Fields())
	for i := range doubles {
		if doubles[i].Name == "visits_30d" {
			doubles[i].Type = arrow.PrimitiveTypes.Float64
		}
	}
	for _, tt := range []struct {
		name   string
		rows   rows
		schema *arrow.Schema
		want   string // of the error; "" for none
	}{
		{"a value that is still wrong", edit(func(all rows) { all[at]["return_rate"] = "7" }), schema,
			fmt.Sprintf("1 of %d rows cannot be handed in, and none was: row %d (from 0): return_rate.maximum", len(bad), at)},
		{"a customer who is scored already", edit(func(all rows) { all[at]["customer_id"] = s.customer(3) }), schema, "customer_id,as_of is scored already"},
		{"a customer who was not delivered, in the place of one in quarantine", edit(func(all rows) { all[at]["customer_id"] = "C999999999-99" }), schema, ""},
		{"a customer who was not delivered, without a place", edit(func(all rows) {
			for i, row := range all {
				row["customer_id"] = fmt.Sprintf("C99999%04d-99", i)
			}
		}), full, "no row in quarantine has its customer_id,as_of"},
		{"two rows of one customer", edit(func(all rows) { all[0]["customer_id"] = all[1]["customer_id"] }), schema, "customer_id,as_of is that of another row of the file"},
		{"a column that is gone, without a place", good, plain, "lacks birthday; keep the columns headgate_file and headgate_row of the quarantine, and they are taken from the delivery"},
		{"a place that the delivery does not have", edit(func(all rows) { all[0][pass.ColumnRow] = "123456" }), schema, "row 0 (from 0): the delivery has no such row"},
		{"a file that the delivery does not have", edit(func(all rows) { all[0][pass.ColumnFile] = "other.parquet" }), schema, "row 0 (from 0) lacks birthday, and its headgate_file and headgate_row name no delivered row"},
		{"integers as doubles", good, arrow.NewSchema(doubles, nil), ""},
		{"doubles that are no integers", edit(func(all rows) { all[1]["visits_30d"] = "1.5" }), arrow.NewSchema(doubles, nil),
			"row 1 (from 0): column visits_30d is float64, and this value is no int32, as the column has in the delivery"},
		{"all columns and no place", good, full, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(s.replays())
			out, err := s.replay(s.write(tt.rows, tt.schema), false)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || len(s.replays()) != before {
					t.Errorf("got %v, want %q; %d files handed in, before %d", err, tt.want, len(s.replays()), before)
				}
				return
			}
			if err != nil || out.Rows != int64(len(bad)) {
				t.Fatalf("got %+v, %v", out, err)
			}
			if err := errors.Join(s.bucket.Delete(t.Context(), out.Key), s.bucket.Delete(t.Context(), strings.TrimSuffix(out.Key, ".parquet")+".json")); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// replays counts the files of corrected rows in the store.
func (s *shop) replays() []string {
	s.t.Helper()
	var keys []string
	for attrs, err := range s.bucket.List(s.t.Context(), "runs/retailer/") {
		if err != nil {
			s.t.Fatal(err)
		}
		if strings.Contains(attrs.Key, "/replay/") {
			keys = append(keys, attrs.Key)
		}
	}
	return keys
}

// customer returns the key of a row of the month that is good.
func (s *shop) customer(row int) string {
	s.t.Helper()
	for rec, err := range s.world.Month(month) {
		if err != nil {
			s.t.Fatal(err)
		}
		return maps(rec)[row]["customer_id"]
	}
	return ""
}

func TestPartialHandsInTheGoodRows(t *testing.T) {
	s := newShop(t, "1%")
	first := s.score()
	bad, schema := s.quarantined()
	good := s.correct(bad)
	good[2]["return_rate"] = "7"
	file := s.write(good, schema)
	out, err := s.replay(file, true)
	if err != nil || out.Rows != int64(len(bad))-1 || len(out.Refused) != 1 || out.Refused[0].Row != 2 || !slices.Equal(out.Refused[0].Reasons, []string{"return_rate.maximum"}) {
		t.Fatalf("got %+v, %v", out, err)
	}
	if again, err := s.replay(file, true); err != nil || !again.Already || again.Key != out.Key {
		t.Errorf("the same file again: %+v, %v", again, err)
	}
	// What is left is corrected before the first correction is scored.
	good[2]["return_rate"] = "0.5"
	if _, err := s.replay(s.write(good, schema), false); err == nil || !strings.Contains(err.Error(), "by rows that are not scored yet") {
		t.Errorf("rows that were handed in, handed in again with others: %v", err)
	}
	rest := s.mustReplay(s.write(good[2:3], schema))
	if second := s.score(); second.Published != first.Rows || rest.Key == out.Key {
		t.Errorf("after both corrections: %+v", second)
	}
	data, err := s.bucket.Get(t.Context(), strings.TrimSuffix(out.Key, ".parquet")+".json")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); !strings.Contains(text, `"by":"ada","reason":"the supplier sent them again"`) {
		t.Errorf("note %s", text)
	}
}

func TestABlockedBatchIsPublishedAfterItsRowsWereCorrected(t *testing.T) {
	s := newShop(t, "0.1%")
	if first := s.score(); first.Verdict != run.Block {
		t.Fatalf("got %+v", first)
	}
	bad, schema := s.quarantined()
	s.mustReplay(s.write(s.correct(bad), schema))
	if second := s.score(); second.Publication != 1 || second.Published != 2000 {
		t.Errorf("after the correction: %+v", second)
	}
}

func TestRowsOfAnotherDeliveryAreStale(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(s *shop)
		want   string
	}{
		{"the delivery was replaced", func(s *shop) { s.deliver(retailer.Cents) }, "incoming/retailer/2024-01/part-0000.parquet is new or was replaced"},
		{"a file came", func(s *shop) {
			if err := s.bucket.Put(s.t.Context(), "incoming/retailer/2024-01/part-0007.parquet", []byte("x")); err != nil {
				s.t.Fatal(err)
			}
		}, "incoming/retailer/2024-01/part-0007.parquet is new or was replaced"},
		{"a file is gone", func(s *shop) {
			if err := s.bucket.Delete(s.t.Context(), "incoming/retailer/2024-01/part-0001.parquet"); err != nil {
				s.t.Fatal(err)
			}
		}, "incoming/retailer/2024-01/part-0001.parquet is gone"},
		{"there is another contract", func(s *shop) {
			s.register(false, func(_, text string) string { return strings.Replace(text, "maximum: 1200", "maximum: 1300", 1) })
		}, "the contract is another one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, "1%")
			s.score()
			bad, schema := s.quarantined()
			file := s.write(s.correct(bad), schema)
			tt.change(s)
			_, err := s.replay(file, false)
			if !errors.Is(err, quarantine.ErrStale) || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// repeat delivers rows of the month a second time, changed, in a file of their own.
func (s *shop) repeat(change func(row map[string]string), ordinals ...int64) {
	s.t.Helper()
	for rec, err := range s.world.Month(month) {
		if err != nil {
			s.t.Fatal(err)
		}
		var all rows
		for _, at := range ordinals {
			all = append(all, maps(rec.NewSlice(at, at+1))...)
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
