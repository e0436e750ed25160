package workflows_test

import (
	"strings"
	"testing"
	"time"

	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
)

// mixed is a world with a month of everything: bad rows, late rows, three files.
func mixed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 300)
	w.deliver("2024-01", retailer.Options{Fault: retailer.BadRows, Parts: 2})
	w.repeatRows("2024-01", 1)
	return w
}

// republished is a world with two publications of a month, of which the first has
// lost a file of the table to somebody's vacuum.
func republished(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 200)
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	first := w.keys("scores/retailer/batch=2024-01/")
	w.deliver("2024-01", retailer.Options{Parts: 2})
	if out := w.mustScore("2024-01"); out.Publication != 2 || len(first) != 1 {
		t.Fatalf("second = %+v", out)
	}
	if err := w.bucket.Delete(t.Context(), first[0]); err != nil {
		t.Fatal(err)
	}
	return w
}

// everything is a world with a month that has all that a month can have: a month before
// it, bad rows, rows that repeat each other or have no partner, corrected rows, customers
// who get their last score, and a warning that a person must answer.
func everything(t *testing.T) *world {
	t.Helper()
	const more = `references: { regions: "reference/regions/*.parquet" }
fallback: { score: last, for: [quarantined, vanished] }
drift: { reference: previous, minRows: 100 }
history: [{ id: volume, metric: rowCount, against: previous, mustBeWithin: 50% }]
warnings: ask
`
	rows := "      - { id: rows, metric: rowCount, mustBeGreaterThan: 0, severity: error }\n"
	contract := strings.NewReplacer("      - name: region\n", "      - name: region\n        relationships: [{ to: regions.code }]\n",
		rows, rows+"      - { id: few, metric: rowCount, mustBeGreaterThan: 1000000, severity: warning }\n")
	w := configured(t, 300, "", contract, map[string]string{"pipeline.yaml": new(world).shippedPipeline(t) + more})
	w.regions("R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17", "R18", "R19", "R20")
	w.deliver("2024-01", retailer.Options{})
	w.approved("2024-01")
	w.regions("R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17", "R18", "R19")
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows, Parts: 2})
	w.repeatRows("2024-02", 1)
	first := w.approved("2024-02")
	w.corrected("2024-02", first.Run, w.quarantined("2024-02"))
	return w
}

// approved scores a month that asks, and lets it out.
func (w *world) approved(month string) workflows.ScoreBatchOutput {
	w.t.Helper()
	out, refused, err := w.answer(month, time.Hour, func(decision string) workflows.Answer {
		return workflows.Answer{Approve: true, By: "ann", Reason: "the shop is small", Decision: decision}
	})
	if err != nil || len(refused) > 0 || out.Verdict != "pass" || out.Answered == "" {
		w.t.Fatalf("%s: %v, refused %q, %+v", month, err, refused, out)
	}
	return out
}

func approvedTask(batch string) task {
	return func(w *world) string {
		out := w.approved(batch)
		if out.Fallback == 0 || out.Replaced == 0 || out.Quarantined <= out.Replaced || out.Drift == nil || out.Keys.Vanished == 0 {
			w.t.Errorf("the month has not everything: %+v, keys %+v", out, out.Keys)
		}
		out.Anchor = ""
		return asJSON(w.t, out)
	}
}

// canaryWorld is a world with a month that a candidate serves a share of.
func canaryWorld(t *testing.T) *world {
	t.Helper()
	w := looped(t, 300, retailer.Options{Fault: retailer.BadRows, Parts: 2})
	w.route("10%", map[store.Digest]int{w.challenger("lightgbm", 0.02, 0.97): 1000})
	return w
}

func canaryTask(w *world) string {
	out := w.mustScore(canaryMonth)
	if out.Taken != "" || len(out.Models) != 2 {
		w.t.Errorf("the candidate does not serve: %+v", out)
	}
	out.Anchor = ""
	for i := range out.Advance {
		out.Advance[i].Decision = "" // holds the moment
	}
	return asJSON(w.t, out)
}

// unscored is a world with a published month that another model takes over, which has yet
// to score it.
func unscored(t *testing.T) *world {
	t.Helper()
	w := looped(t, 300, retailer.Options{})
	w.mustScore(canaryMonth)
	w.candidate = w.challenger("lightgbm", 0.02, 0.97)
	return w
}

func republishTask(w *world) string {
	out := w.republish(w.candidate)
	if out.Publication != 2 {
		w.t.Errorf("%+v", out)
	}
	out.Anchor = ""
	return asJSON(w.t, out)
}
