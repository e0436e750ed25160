package workflows_test

import (
	"slices"
	"strings"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// Papers of earlier months may be gone: somebody keeps runs for a time only. What then
// cannot be compared is noted, and the month goes out.
func TestPapersOfEarlierMonthsAreGone(t *testing.T) {
	const more = `drift: { reference: previous }
fallback: { score: last, for: [quarantined, vanished] }
history: [{ id: volume, metric: rowCount, against: previous, mustBeWithin: 50% }, { id: tenure, metric: mean, column: tenure, against: previous, mustBeWithin: 50% }]
`
	w := configured(t, 600, more, nil, nil)
	w.deliver("2024-01", retailer.Options{})
	first := w.mustScore("2024-01")
	w.deliver("2024-02", retailer.Options{})
	for _, tt := range []struct {
		name, gone string
		note       string
		drift      bool // is judged
		keys       bool // are compared
	}{
		{name: "nothing is gone", gone: "nothing", drift: true, keys: true},
		{name: "the whole run", gone: "/", note: "the verdict of 2024-01 is gone"},
		{name: "the verdict", gone: "/data.", note: "the verdict of 2024-01 is gone"},
		{name: "the profile", gone: "/profile.", note: "the profile of 2024-01 is gone", keys: true},
		{name: "the list of the shards", gone: "/lists/", note: "the keys of 2024-01 are gone", drift: true},
		{name: "the results of the shards", gone: "/shards/", note: "the keys of 2024-01 are gone", drift: true},
		{name: "the key lists", gone: "/keys/", note: "the keys of 2024-01 are gone", drift: true},
		{name: "the plan", gone: "/plan.json", note: "the keys of 2024-01 are gone", drift: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			to := w.twin(t)
			for _, key := range to.keys("runs/retailer/2024-01/" + run.Short(first.Run)) {
				if strings.Contains(strings.TrimPrefix(key, "runs/retailer/2024-01"), tt.gone) {
					if err := to.bucket.Delete(t.Context(), key); err != nil {
						t.Fatal(err)
					}
				}
			}
			out := to.mustScore("2024-02")
			noted := slices.ContainsFunc(out.Notes, func(note string) bool { return tt.note != "" && strings.Contains(note, tt.note) })
			if out.Verdict != run.Pass || noted != (tt.note != "") || (out.Drift != nil) != tt.drift || (out.Keys.Before != "") != tt.keys {
				t.Errorf("%+v\nnotes %q\ndrift %+v\nkeys %+v", out, out.Notes, out.Drift, out.Keys)
			}
		})
	}
}

// If the verdict of the month before is gone, keys are compared with the month before
// that one, and last scores are of that one, too.
func TestLastScoresAreOfTheMonthThatKeysAreComparedWith(t *testing.T) {
	w := configured(t, 1000, "fallback: { score: last, for: [quarantined, vanished] }\n", nil, nil)
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	w.deliver("2024-02", retailer.Options{})
	w.mustScore("2024-02")
	for _, key := range w.keys("runs/retailer/2024-02/") {
		if strings.Contains(key, "/data.") {
			if err := w.bucket.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.deliver("2024-03", retailer.Options{Fault: retailer.BadRows})
	out := w.mustScore("2024-03")
	january := map[string]bool{}
	for _, line := range w.rows("scores/retailer/batch=2024-01", "run", "contract") {
		january[line] = true
	}
	rows := w.fellBack("2024-03")
	if out.Keys.Before != "2024-01" || len(rows) == 0 || int64(len(rows)) != out.Fallback {
		t.Fatalf("%d rows: %+v, keys %+v", len(rows), out, out.Keys)
	}
	for _, line := range rows {
		if !january[strings.TrimSuffix(line, " fallback=last")] {
			t.Errorf("not of january: %s", line)
		}
	}
}

// What batches are compared with is part of what an auditor checks.
func TestAnAuditorMissesAReferenceProfile(t *testing.T) {
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: 200}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	ref := w.remember("../testdata/retailer/pipeline.yaml").Version.Bundle.Reference
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	if report, err := a.Verify(t.Context()); err != nil || len(report.Findings) > 0 {
		t.Errorf("verify: %v %+v", err, report)
	}
	digest := strings.TrimPrefix(string(ref.Seasons["07"].Digest), "sha256:")
	if err := w.bucket.Delete(t.Context(), "blobs/sha256/"+digest[:2]+"/"+digest); err != nil {
		t.Fatal(err)
	}
	report, err := a.Verify(t.Context())
	if err != nil || len(report.Findings) != 1 || !strings.Contains(report.Findings[0].What, "reference profile") {
		t.Errorf("verify: %v %+v", err, report)
	}
}
