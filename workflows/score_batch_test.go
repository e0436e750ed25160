package workflows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/retailer"
	"headgate/internal/worker"
)

func TestAMonthIsScoredAndPublished(t *testing.T) {
	w := newWorld(t, 2000)
	w.deliver("2024-01", retailer.Options{Parts: 2})
	out := w.mustScore("2024-01")
	if out.Verdict != "pass" || out.Published != out.Rows || out.Quarantined != 0 || out.Publication != 1 || out.TableVersion != 0 {
		t.Errorf("output = %+v", out)
	}
	again := w.mustScore("2024-01")
	if !again.Unchanged || again.Publication != 1 || again.Values != out.Values || again.Run != out.Run {
		t.Errorf("the same month again = %+v", again)
	}
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(t.Context(), out.Anchor)
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("verify: %v %v", err, report)
	}
	computed, err := a.Recompute(t.Context(), "2024-01")
	if err != nil || len(computed.Findings) > 0 || !computed.SameBytes || computed.Rows != out.Published {
		t.Errorf("recompute: %v %+v", err, computed)
	}
}

func TestBadRowsGoToQuarantine(t *testing.T) {
	w := newWorld(t, 3000)
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	out := w.mustScore("2024-02")
	if out.Verdict != "pass" || out.Quarantined == 0 || out.Published+out.Quarantined != out.Rows {
		t.Errorf("output = %+v", out)
	}
	found := false
	for _, key := range w.keys("runs/retailer/2024-02/") {
		found = found || strings.Contains(key, "/quarantine/")
	}
	if !found {
		t.Error("no quarantine file")
	}
}

func TestAMissingColumnBlocksAndTheSecondDeliveryIsPublished(t *testing.T) {
	w := newWorld(t, 1000)
	w.deliver("2024-04", retailer.Options{Fault: retailer.MissingColumn})
	out := w.mustScore("2024-04")
	if out.Verdict != "block" || len(out.Reasons) != 1 || !strings.Contains(out.Reasons[0], "visits_30d") {
		t.Fatalf("output = %+v", out)
	}
	if keys := w.keys("scores/"); len(keys) > 0 {
		t.Errorf("a blocked batch left %v in the table", keys)
	}
	w.deliver("2024-04", retailer.Options{})
	if out = w.mustScore("2024-04"); out.Verdict != "pass" || out.Publication != 1 {
		t.Errorf("second delivery = %+v", out)
	}
}

func TestNewDataForAPublishedBatchReplacesItAndCanBeTakenBack(t *testing.T) {
	w := newWorld(t, 1000)
	w.deliver("2024-01", retailer.Options{})
	first := w.mustScore("2024-01")
	w.deliver("2024-01", retailer.Options{Fault: retailer.BadRows})
	second := w.mustScore("2024-01")
	if second.Publication != 2 || second.Run == first.Run || second.TableVersion != 1 {
		t.Errorf("second = %+v", second)
	}
	restored := w.restore("2024-01", 1)
	if restored.Publication != 3 || restored.Values != first.Values {
		t.Errorf("restored = %+v, first = %+v", restored, first)
	}
}

func TestNoDataIsAnErrorThatSaysWhere(t *testing.T) {
	w := newWorld(t, 10)
	_, err := w.score("2024-03")
	if err == nil || !strings.Contains(err.Error(), "incoming/retailer/{batch}/*.parquet") {
		t.Errorf("err = %v", err)
	}
}

func TestADamagedFilePublishesNothing(t *testing.T) {
	w := newWorld(t, 1000)
	w.deliver("2024-01", retailer.Options{})
	path := filepath.Join(w.dir, "incoming/retailer/2024-01/part-0000.parquet")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		data[len(data)/3+i] ^= 0x5a
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = w.score("2024-01")
	if err == nil || !strings.Contains(err.Error(), "part-0000.parquet") {
		t.Errorf("err = %v", err)
	}
	if keys := w.keys("scores/"); len(keys) > 0 {
		t.Errorf("a damaged batch left %v in the table", keys)
	}
}

func TestRowsThatShareAKeyAreQuarantinedLate(t *testing.T) {
	w := newWorld(t, 1000)
	w.deliver("2024-01", retailer.Options{Parts: 2})
	dir := filepath.Join(w.dir, "incoming/retailer/2024-01/")
	data, err := os.ReadFile(filepath.Join(dir, "part-0001.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	// The supplier sends one file twice: half of the keys are not unique.
	if err := os.WriteFile(filepath.Join(dir, "part-0002.parquet"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	out := w.mustScore("2024-01")
	if out.Verdict != "block" || out.Quarantined != 1000 || out.Rows != 1500 {
		t.Errorf("output = %+v", out)
	}
}
