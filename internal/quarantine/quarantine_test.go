package quarantine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"headgate/internal/columnar"
	"headgate/internal/quarantine"
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
		for _, row := range rowsOf(rec) {
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
		all = append(all, rowsOf(rec)...)
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
