package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/workflows"
)

// A canary month has the candidate's scores for its share of the customers, each row with
// the model that scored it, and an auditor computes the same bytes again. Rows that are
// quarantined, or late, are so whoever would have scored them.
func TestACanaryMonthMixesModels(t *testing.T) {
	w := looped(t, 4000, retailer.Options{Fault: retailer.BadRows, Parts: 2})
	w.repeatRows(canaryMonth, 1)
	candidate := w.challenger("lightgbm", 0.02, 0.97)
	w.route("10%", map[store.Digest]int{candidate: 1000})
	out := w.mustScore(canaryMonth)
	if out.Verdict != "pass" || len(out.Advance) != 1 || out.Advance[0].Verdict != "pass" || out.Taken != "" || out.Quarantined == 0 {
		t.Fatalf("%+v", out)
	}
	served, scores := map[string]int64{}, map[string]map[string]float64{}
	for _, m := range []store.Digest{w.champion(), candidate} {
		scores[string(m)] = w.scoresOf(out.Run, m)
	}
	var ranks float64
	for _, row := range w.table(canaryMonth) {
		served[row["model"]]++
		if got, want := number(t, row["score"]), scores[row["model"]][row["customer_id"]]; got != want {
			t.Fatalf("customer %s: score %v, the model said %v", row["customer_id"], got, want)
		}
		rank := number(t, row["rank_pct"])
		if rank < 0 || rank > 1 {
			t.Fatalf("rank %v", rank)
		}
		ranks += rank
	}
	want := map[string]int64{}
	for _, m := range out.Models {
		want[string(m.Model)] = m.Rows
	}
	if share := float64(served[string(candidate)]) / float64(out.Published); len(served) != 2 || share < 0.085 || share > 0.115 ||
		fmt.Sprint(served) != fmt.Sprint(want) || served[string(candidate)]+served[string(w.champion())] != out.Published {
		t.Errorf("served %v, the output says %v, %d published", served, want, out.Published)
	}
	if mean := ranks / float64(out.Published); mean < 0.49 || mean > 0.51 {
		t.Errorf("mean rank %v", mean)
	}
	if again := w.audited(canaryMonth); again.Rows != out.Published {
		t.Errorf("%d rows computed again of %d", again.Rows, out.Published)
	}
	advance, shadow := w.entries(registry.KindAdvance), w.entries(registry.KindShadow)
	if len(advance) != 1 || advance[0].Batch != canaryMonth || advance[0].Verdict != "pass" || advance[0].Step != "10%" ||
		len(shadow) != 1 || shadow[0].Model != candidate || shadow[0].Run != out.Run {
		t.Errorf("advance %+v\nshadow %+v", advance, shadow)
	}
	w.whySays(candidate)
}

// A customer's arm does not change from month to month, and a growing share takes nobody
// back.
func TestAGrowingShareMovesNobodyBack(t *testing.T) {
	w := looped(t, 2000, retailer.Options{})
	candidate := w.challenger("lightgbm", 0.02, 0.97)
	var before map[string]bool
	for _, share := range []int{1000, 5000, 10000} {
		w.route(fmt.Sprint(share), map[store.Digest]int{candidate: share})
		out := w.mustScore(canaryMonth)
		now := map[string]bool{}
		for _, row := range w.currentRows(out) {
			if row["model"] == string(candidate) {
				now[row["customer_id"]] = true
			}
			if _, ranked := row["rank_pct"]; ranked != (share < 10000) {
				t.Fatalf("share %d: %v", share, row)
			}
		}
		for id := range before {
			if !now[id] {
				t.Fatalf("customer %s went back at %d", id, share)
			}
		}
		if got := float64(len(now)) / float64(out.Published); got < float64(share)/10000-0.03 || got > float64(share)/10000+0.03 {
			t.Errorf("share %d: %v", share, got)
		}
		before = now
	}
}

// A candidate that the gate does not let pass serves nobody: the month has the champion's
// rows, value by value.
func TestABlockedCandidateServesNobody(t *testing.T) {
	w := looped(t, 2000, retailer.Options{Fault: retailer.BadRows, Parts: 2})
	want := championOnly(t, w)
	candidate := w.challenger("lightgbm", 4, 1)
	w.route("10%", map[store.Digest]int{candidate: 1000})
	out := w.mustScore(canaryMonth)
	if out.Verdict != "pass" || len(out.Advance) != 1 || out.Advance[0].Verdict != "block" || !strings.Contains(out.Taken, "is block") {
		t.Fatalf("%+v", out)
	}
	if got := w.rows("scores/retailer/", "run"); !slices.Equal(got, want) {
		t.Errorf("%d rows, the champion alone has %d; they differ", len(got), len(want))
	}
	if e := w.entries(registry.KindAdvance); len(e) != 1 || e[0].Verdict != "block" {
		t.Errorf("%+v", e)
	}
	w.audited(canaryMonth)
}

// Whatever goes wrong with a challenger, the champion's month goes on.
func TestAFailingChallengerDoesNotStopTheMonth(t *testing.T) {
	for _, tt := range []struct {
		name   string
		share  int
		model  func(w *world) store.Digest
		reason string
	}{
		{"it panics in shadow", 0, func(w *world) store.Digest { return w.challenger("fragile", 0, 1) }, "the model broke off: out of range"},
		{"it panics as a canary", 1000, func(w *world) store.Digest { return w.challenger("fragile", 0, 1) }, "the model broke off: out of range"},
		{"its bytes are gone", 1000, func(w *world) store.Digest {
			d := w.challenger("lightgbm", 0, 0.9)
			if err := w.bucket.Delete(context.Background(), store.BlobKey(d)); err != nil {
				w.t.Fatal(err)
			}
			return d
		}, "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := looped(t, 600, retailer.Options{})
			want := championOnly(t, w)
			w.formats = w.knownFormats()
			m := tt.model(w)
			if tt.share > 0 {
				w.route("10%", map[store.Digest]int{m: tt.share})
			} else {
				w.route("shadow", nil, m)
			}
			out := w.mustScore(canaryMonth)
			if got := w.rows("scores/retailer/", "run"); out.Verdict != "pass" || !slices.Equal(got, want) {
				t.Errorf("%+v: %d rows, the champion alone has %d", out, len(got), len(want))
			}
			if tt.share > 0 && (len(out.Advance) != 1 || out.Advance[0].Verdict != "block" || !strings.Contains(out.Taken, tt.reason)) {
				t.Errorf("advance %+v, taken %q", out.Advance, out.Taken)
			}
			if e := w.entries(registry.KindShadow); len(e) > 0 {
				t.Errorf("a model that failed has an entry: %+v", e)
			}
		})
	}
}

// Scores of two models stand beside each other only if both are probabilities.
func TestAMixedMonthNeedsCalibratedScores(t *testing.T) {
	w := looped(t, 600, retailer.Options{})
	want := championOnly(t, w)
	text := strings.Replace(string(w.shippedModel()), "objective=binary sigmoid:1", "objective=regression", 1)
	m := w.modelOf("lightgbm", []byte(text), nil)
	w.route("10%", map[store.Digest]int{m: 1000})
	out := w.mustScore(canaryMonth)
	if len(out.Advance) != 1 || out.Advance[0].Verdict != "block" ||
		!strings.Contains(out.Taken, "its scores are no probabilities (objective regression, no calibration)") {
		t.Errorf("%+v", out)
	}
	if got := w.rows("scores/retailer/", "run"); !slices.Equal(got, want) {
		t.Errorf("%d rows, the champion alone has %d; they differ", len(got), len(want))
	}
}

// A candidate whose scores break the contract of the scores serves nobody, and cannot take
// over a published month either.
func TestACandidateKeepsTheContractOfTheScores(t *testing.T) {
	w := looped(t, 600, retailer.Options{})
	w.register(w.pipelineFile("", nil, map[string]string{"scores.yaml": scoresContract("0.999999"), "pipeline.yaml": w.shippedPipeline(t, "scores:\n", "scores:\n  contract: scores.yaml\n")}))
	m := w.challenger("lightgbm", 40, 1)
	w.route("10%", map[store.Digest]int{m: 1000})
	out := w.mustScore(canaryMonth)
	if out.Verdict != "pass" || out.Published != 600 || len(out.Advance) != 1 || out.Advance[0].Verdict != "block" || len(out.Models) != 1 {
		t.Errorf("%+v", out)
	}
	env := w.env()
	env.ExecuteWorkflow(workflows.RepublishBatch, workflows.RepublishBatchInput{Pipeline: "retailer", Batch: canaryMonth, Model: m, By: "test", Reason: "no"})
	if err := env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "600 scores of model") {
		t.Errorf("got %v", err)
	}
}

// What the policy asks of a month is judged with the contract, in one verdict.
func TestThePolicyJudgesTheMonthToo(t *testing.T) {
	for _, tt := range []struct{ name, rule, verdict string }{
		{"it holds", "{ id: many, rule: data.rows > 100, reason: too few rows }", "pass"},
		{"it does not", "{ id: many, rule: data.rows > 1000, reason: too few rows }", "block"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := looped(t, 600, retailer.Options{}, "gates: { publish: { rules: ["+tt.rule+"] } }\n")
			out := w.mustScore(canaryMonth)
			if string(out.Verdict) != tt.verdict || (tt.verdict == "block") != strings.Contains(strings.Join(out.Reasons, ";"), "too few rows") {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A month of more shards than one history holds is mixed, scored in shadow and published
// again through windows.
func TestModelsOverManyShards(t *testing.T) {
	w := inMemory(t, canaryMonth, 200)
	w.closeLoop()
	m, late := w.challenger("lightgbm", 0.02, 0.97), w.challenger("lightgbm", 0.05, 0.9)
	w.route("50%", map[store.Digest]int{m: 5000})
	out := w.mustScore(canaryMonth)
	if out.Taken != "" || len(out.Models) != 2 {
		t.Fatalf("%+v", out)
	}
	if again := w.audited(canaryMonth); again.Rows != out.Published {
		t.Errorf("%d rows of %d", again.Rows, out.Published)
	}
	if again := w.republish(late); again.Publication != 2 || again.Rows != out.Published {
		t.Errorf("%+v", again)
	}
	w.audited(canaryMonth)
}
