package workflows_test

import (
	"strings"
	"testing"

	"headgate/internal/retailer"
	"headgate/internal/run"
)

// fellBack returns the rows of a month's published table whose score is not the
// model's of the month, as lines.
func (w *world) fellBack(month string) (lines []string) {
	w.t.Helper()
	for _, line := range w.rows("scores/retailer/batch="+month, "run", "contract") {
		if strings.Contains(line, " fallback=") {
			lines = append(lines, line)
		}
	}
	return lines
}

// A customer who had a constant last month has no raw score and no model to go on with.
func TestALastScoreMayBeAConstant(t *testing.T) {
	w := configured(t, 2000, "fallback: { score: 0.125 }\n", nil, nil)
	w.deliver("2024-01", retailer.Options{Fault: retailer.BadRows})
	constant := w.mustScore("2024-01")
	w.register(w.pipelineFile("fallback: { score: last, for: [quarantined, vanished] }\n", nil, nil))
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	out := w.mustScore("2024-02")
	if constant.Fallback == 0 || out.Fallback == 0 {
		t.Fatalf("nobody fell back:\n%+v\n%+v", constant, out)
	}
	if again := w.audited("2024-02"); again.Rows != out.Published {
		t.Errorf("%d rows recomputed of %d", again.Rows, out.Published)
	}
}

// Columns that are kept since this month are empty in rows of the month before.
func TestFallbackRowsOfAMonthThatKeptFewerColumns(t *testing.T) {
	const both = "fallback: { score: 0.125, for: [quarantined, vanished] }\n"
	w := configured(t, 2000, "", nil, nil)
	w.register(w.pipelineFile("", nil, map[string]string{"pipeline.yaml": w.shippedPipeline(t, "[segment, region]", "[segment]")}))
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	w.register(w.pipelineFile(both, nil, nil))
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	out := w.mustScore("2024-02")
	if want := out.Keys.Unscored + out.Keys.Vanished; out.Fallback != want || out.Keys.Vanished == 0 || out.Keys.Unscored == 0 {
		t.Fatalf("%d rows fell back, want %d: %+v", out.Fallback, want, out.Keys)
	}
	var known, empty int64
	for _, line := range w.fellBack("2024-02") {
		if strings.Contains(line, "region=(null)") {
			empty++
		} else {
			known++
		}
	}
	if empty != out.Keys.Vanished || known != out.Keys.Unscored {
		t.Errorf("%d rows without a region, %d with one: %+v", empty, known, out.Keys)
	}
	w.audited("2024-02")
}

// scoresContract promises that a published score is not above a limit.
func scoresContract(limit string) string {
	return `apiVersion: v3.1.0
kind: DataContract
id: scores
version: 1.0.0
status: active
schema:
  - name: scores
    properties:
      - { name: customer_id, logicalType: string, required: true }
      - { name: score, logicalType: number, logicalTypeOptions: { maximum: ` + limit + ` }, required: true }
`
}

// What the contract of the scores promises holds of every published row.
func TestFallbackRowsKeepTheContractOfTheScores(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		all          bool // every customer without a score gets one
	}{
		{"a constant that keeps it", "fallback: { score: 0.125 }\n", true},
		{"a constant that breaks it", "fallback: { score: 0.875 }\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := configured(t, 1000, "", nil, nil)
			w.register(w.pipelineFile("", nil, map[string]string{"scores.yaml": scoresContract("0.6"),
				"pipeline.yaml": w.shippedPipeline(t, "scores:\n", "scores:\n  contract: scores.yaml\n") + tt.policy}))
			w.deliver("2024-01", retailer.Options{})
			out := w.mustScore("2024-01")
			want := int64(0)
			if tt.all {
				want = out.Keys.Unscored
			}
			if out.Verdict != run.Pass || out.Keys.Unscored == 0 || out.Fallback != want || out.Published != out.Rows-out.Quarantined+want {
				t.Errorf("want %d fallback rows: %+v, keys %+v", want, out, out.Keys)
			}
			if again := w.audited("2024-01"); again.Rows != out.Published {
				t.Errorf("%d rows recomputed of %d", again.Rows, out.Published)
			}
		})
	}
}

// Somebody has vacuumed the month before; the run's own copies are enough.
func TestFallbackRowsOfAVacuumedMonth(t *testing.T) {
	w := configured(t, 1000, "fallback: { score: last, for: [quarantined, vanished] }\n", nil, nil)
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	for _, key := range w.keys("scores/retailer/batch=2024-01/") {
		if err := w.bucket.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	if out := w.mustScore("2024-02"); out.Fallback == 0 {
		t.Errorf("nobody fell back: %+v", out)
	}
}
