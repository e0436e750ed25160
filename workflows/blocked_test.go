package workflows_test

import (
	"strings"
	"testing"

	"headgate/internal/quarantine"
	"headgate/internal/retailer"
	"headgate/internal/run"
)

// A month that is blocked because of rows that only the whole batch shows to be bad says
// which they are, so that they can be corrected.
func TestAMonthThatIsBlockedLateCanBeCorrected(t *testing.T) {
	w := newWorld(t, 1000)
	w.deliver("2024-01", retailer.Options{})
	w.repeatRows("2024-01", 15)
	blocked := w.mustScore("2024-01")
	if blocked.Verdict != run.Block || blocked.Quarantined != 30 || len(w.keys("scores/")) > 0 {
		t.Fatalf("%+v", blocked)
	}
	q, err := quarantine.Load(t.Context(), w.bucket, "retailer", "2024-01")
	if err != nil || len(q.Data.Late) != 30 || q.Data.Rules["primaryKey"] != 30 {
		t.Fatalf("%v, %d late rows, notes %q", err, len(q.Data.Late), q.Notes)
	}
	keys := map[string]bool{}
	schema, err := q.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for rec, err := range q.Records(t.Context(), schema) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			keys[strings.Clone(rec.Column(rec.Schema().FieldIndices("customer_id")[0]).ValueStr(i))] = true
		}
	}
	w.corrected("2024-01", blocked.Run, keys)
	if out := w.mustScore("2024-01"); len(keys) != 15 || out.Verdict != run.Pass || out.Published != 1000 || out.Replaced != 30 {
		t.Errorf("%d keys: %+v", len(keys), out)
	}
}
