package audit_test

import (
	"bytes"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/labels"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
)

// labelled delivers the labels of the first month and appends their evaluation.
func (h *house) labelled() {
	h.t.Helper()
	ctx := h.t.Context()
	var file bytes.Buffer
	if err := (retailer.World{Seed: 1, Customers: 60}).WriteLabels(ctx, &file, "2024-01", nil); err != nil {
		h.t.Fatal(err)
	}
	h.put("labels/retailer/2024-01/1.parquet", file.Bytes())
	v, err := labels.Find(ctx, h.b, labels.Version{Pipeline: "retailer", Batch: "2024-01", Contract: h.log().State().LabelsContract},
		labels.Where{Prefix: "labels/retailer/2024-01/", Match: func(string) bool { return true }})
	if err != nil {
		h.t.Fatal(err)
	}
	h.labels = h.blob(v)
	paper := h.blob(evidence.Evaluation{Format: 1, Pipeline: "retailer", Batch: "2024-01", Run: h.runs[0], Verdict: "pass", Labels: evidence.LabelSummary{Version: h.labels}})
	h.append(registry.Entry{Kind: registry.KindEvaluated, Batch: "2024-01", Run: h.runs[0], Model: h.models[0], Verdict: "pass", Labels: h.labels, Paper: paper})
}

// measured makes evidence of stored scores and labels, as a release does.
func (h *house) measured() gate.Evidence {
	h.t.Helper()
	b, champion, found := evidence.Of(h.log().Entries(), "2024-01")
	models := []store.Digest{champion, h.models[1]}
	if !found || champion != h.models[0] {
		h.t.Fatalf("published %v by %s", found, champion)
	}
	rows, err := evidence.Load(h.t.Context(), h.b, evidence.Request{Pipeline: "retailer", Batches: []evidence.Batch{b.For(models)}, Models: models}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	judged := rows.Judged()
	if len(judged.Labels) < 20 {
		h.t.Fatalf("%d rows have labels", len(judged.Labels))
	}
	outcome, err := gate.Measure(gate.Default(), gate.Advance, gate.Paired{Data: judged.Data(0), Champion: judged.Scores[0],
		Candidate: judged.Scores[1], Slices: judged.Dimensions(), Batches: []string{"2024-01"}, Tried: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	return gate.Evidence{Release: gate.Case{Pipeline: "retailer", Release: "measured", Step: "shadow", Champion: string(champion), Model: string(h.models[1])},
		Outcome: outcome, Sources: []gate.Source{{Batch: "2024-01", Run: string(h.runs[0]), Labels: string(h.labels)}}}
}

// decides appends the gate's decision on some evidence.
func (h *house) decides(e gate.Evidence) {
	h.t.Helper()
	d, err := gate.Judge(gate.Default(), gate.Advance, e, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.append(h.advance(d, h.blob(d)))
}

func (h *house) remeasure() *audit.Remeasured {
	h.t.Helper()
	r, err := (&audit.Auditor{Store: h.b, Formats: formats, Pipeline: "retailer"}).Remeasure(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// A number in evidence that labels and scores do not give shows when it is measured again,
// although the verdict follows from it.
func TestEvidenceIsMeasuredAgain(t *testing.T) {
	h := newMonths(t, settings)
	h.labelled()
	h.append(registry.Entry{Kind: registry.KindShadow, Batch: "2024-01", Run: h.runs[0], Model: h.models[1], Paper: h.scored(h.models[1])})
	e := h.measured()
	h.decides(e)
	if r := h.remeasure(); r.Decisions != 1 || len(r.Findings) > 0 {
		t.Errorf("%+v", r)
	}
	e.Outcome.Rows++
	h.decides(e)
	if findings := h.verify().Findings; len(findings) > 0 {
		t.Errorf("verify: %v", findings)
	}
	r := h.remeasure()
	if r.Decisions != 2 || len(r.Findings) != 1 || r.Findings[0].String() != "registry entry 11: its evidence, measured again from scores and labels, is another" {
		t.Errorf("%+v", r)
	}
}
