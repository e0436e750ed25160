package workflows_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/columnar"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// corrected writes the good version of a month's rows that are in quarantine as
// corrected rows for the batch's run.
func (w *world) corrected(batch string, delivery store.Digest, keys map[string]bool) {
	w.t.Helper()
	var buf bytes.Buffer
	var out *columnar.Writer
	for rec, err := range w.shop.Records(batch, nil) {
		if err != nil {
			w.t.Fatal(err)
		}
		if out == nil {
			if out, err = columnar.Create(&buf, rec.Schema(), nil); err != nil {
				w.t.Fatal(err)
			}
		}
		at := rec.Schema().FieldIndices("customer_id")[0]
		for i := range int(rec.NumRows()) {
			if keys[rec.Column(at).ValueStr(i)] {
				if err := out.Write(rec.NewSlice(int64(i), int64(i)+1)); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
	if err := out.Close(); err != nil {
		w.t.Fatal(err)
	}
	key := run.ReplayPrefix("retailer", batch, delivery) + run.Short(store.DigestOf(buf.Bytes())) + ".parquet"
	if err := w.bucket.Put(w.t.Context(), key, buf.Bytes()); err != nil {
		w.t.Fatal(err)
	}
}

// quarantined returns the keys of a run's rows in quarantine that have one.
func (w *world) quarantined(batch string) map[string]bool {
	w.t.Helper()
	keys := map[string]bool{}
	for _, key := range w.keys("runs/retailer/" + batch + "/") {
		if !strings.Contains(key, "/quarantine/") {
			continue
		}
		data, err := w.bucket.Get(w.t.Context(), key)
		if err != nil {
			w.t.Fatal(err)
		}
		f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			w.t.Fatal(err)
		}
		for rec, err := range f.Records(w.t.Context(), columnar.ReadOptions{Columns: []string{"customer_id"}}) {
			if err != nil {
				w.t.Fatal(err)
			}
			for i := range int(rec.NumRows()) {
				if rec.Column(0).IsValid(i) {
					keys[strings.Clone(rec.Column(0).ValueStr(i))] = true
				}
			}
		}
	}
	return keys
}

func TestCorrectedRowsArePublishedWithTheMonth(t *testing.T) {
	w := newWorld(t, 3000)
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	first := w.mustScore("2024-02")
	keys := w.quarantined("2024-02")
	w.corrected("2024-02", first.Run, keys)
	second := w.mustScore("2024-02")
	if n := int64(len(keys)); n == 0 || second.Publication != 2 || second.Published != first.Published+n ||
		second.Rows != first.Rows+n || second.Replaced != n || second.Quarantined != first.Quarantined {
		t.Errorf("%d corrected rows\nfirst  %+v\nsecond %+v", len(keys), first, second)
	}
	w.audited("2024-02")
	// The same again changes nothing; a correction of what is published is none.
	if again := w.mustScore("2024-02"); !again.Unchanged || again.Publication != 2 {
		t.Errorf("the same again: %+v", again)
	}
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	for key := range keys {
		o, err := a.Why(t.Context(), "2024-02", key)
		if err != nil || !strings.Contains(o.File, "/replay/") {
			t.Errorf("why %s: %v, from %v", key, err, o)
		}
		break
	}
}

// A promise about the number of rows is about the delivery.
func TestCorrectedRowsDoNotBreakARowCount(t *testing.T) {
	rows := "metric: rowCount, mustBeGreaterThan: 0"
	w := configured(t, 3000, "", strings.NewReplacer(rows, "metric: rowCount, mustBe: 3000"), nil)
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	first := w.mustScore("2024-02")
	w.corrected("2024-02", first.Run, w.quarantined("2024-02"))
	if second := w.mustScore("2024-02"); second.Verdict != run.Pass || second.Replaced == 0 || first.Verdict != run.Pass {
		t.Errorf("first  %+v\nsecond %+v", first, second)
	}
}

func TestACorrectionOfAPublishedCustomerIsNone(t *testing.T) {
	w := newWorld(t, 3000)
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	first := w.mustScore("2024-02")
	var published string
	for rec, err := range w.shop.Records("2024-02", nil) {
		if err != nil {
			t.Fatal(err)
		}
		bad := w.quarantined("2024-02")
		for i := range int(rec.NumRows()) {
			if key := rec.Column(rec.Schema().FieldIndices("customer_id")[0]).ValueStr(i); !bad[key] {
				published = strings.Clone(key)
				break
			}
		}
		break
	}
	w.corrected("2024-02", first.Run, map[string]bool{published: true})
	second := w.mustScore("2024-02")
	if second.Verdict != "pass" || second.Published != first.Published || second.Quarantined != first.Quarantined+1 || second.Replaced != 0 {
		t.Errorf("first  %+v\nsecond %+v", first, second)
	}
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	if o, err := a.Why(t.Context(), "2024-02", published); err != nil || strings.Contains(o.File, "/replay/") {
		t.Errorf("the score is said to come from a row in quarantine: %v, from %+v", err, o)
	}
}

func TestANewDeliveryForgetsCorrectionsOfTheOld(t *testing.T) {
	w := newWorld(t, 3000)
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	first := w.mustScore("2024-02")
	w.corrected("2024-02", first.Run, w.quarantined("2024-02"))
	if out := w.mustScore("2024-02"); out.Replaced == 0 || len(out.Notes) != 1 {
		t.Fatalf("corrected: %+v", out) // the one note is that drift has no reference
	}
	w.deliver("2024-02", retailer.Options{})
	out := w.mustScore("2024-02")
	if out.Rows != 3000 || out.Published != 3000 || out.Replaced != 0 ||
		!slices.ContainsFunc(out.Notes, func(note string) bool {
			return strings.Contains(note, "corrected rows, which belong to another delivery")
		}) {
		t.Errorf("%+v", out)
	}
}
