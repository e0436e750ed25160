package standing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/standing"
	"headgate/internal/store"
)

// What scores alone say is shown from the publication of a batch until its labels come, and
// asked for no longer than until it is known.
func TestWhatScoresAloneSayIsShownUntilLabelsCome(t *testing.T) {
	const low, value = "headgate_model_quality_expected retailer auc low", "headgate_model_quality_expected retailer auc value"
	est := evaluate.Estimate{Value: 0.72, Low: 0.71, High: 0.73, Level: 0.95, N: 1000}
	s := newScene(t)
	asked := map[string]int{}
	answer := func(batch string) standing.Expectation {
		return standing.Expectation{Run: run.Short(store.DigestOf([]byte("run of " + batch))),
			Metrics: []evaluate.Measured{{Metric: evaluate.AUC, Estimate: est}, {Metric: evaluate.Prevalence, Estimate: est}}}
	}
	reply := func(batch string) (standing.Expectation, error) { return answer(batch), nil }
	s.expects = func(_ context.Context, _, batch string) (standing.Expectation, error) {
		asked[batch]++
		return reply(batch)
	}
	absent := func(why string) {
		t.Helper()
		if got, ok := s.samples()[value]; ok {
			t.Errorf("%s: there is %v", why, got)
		}
	}
	publish := func(batch string) {
		s.verdict(registry.KindPublished, batch, run.Data{Verdict: run.Pass, Rows: 1000})
	}
	absent("nothing is published")

	reply = func(string) (standing.Expectation, error) { return standing.Expectation{Pending: true}, nil }
	publish("2024-01")
	absent("nobody knows yet")
	reply = func(string) (standing.Expectation, error) { return answer("2023-12"), nil }
	absent("it is about a publication before")
	reply = func(batch string) (standing.Expectation, error) { return answer(batch), nil }
	s.wants(map[string]float64{low: 0.71, value: 0.72})
	s.lacks("headgate_model_quality_expected retailer prevalence")
	before := asked["2024-01"]
	s.now = s.now.Add(2 * time.Hour)
	s.wants(map[string]float64{value: 0.72})
	if asked["2024-01"] != before {
		t.Error("it was asked for although it is known")
	}

	reply = func(string) (standing.Expectation, error) {
		return standing.Expectation{}, errors.New("no worker answers")
	}
	publish("2024-02")
	absent("nobody answers")
	absent("nobody answers")
	if asked["2024-02"] != 1 {
		t.Errorf("who does not answer was asked %d times in a minute", asked["2024-02"])
	}
	s.wants(map[string]float64{"headgate_standing_timestamp_seconds": unix(s.now)})
	s.now = s.now.Add(time.Minute)
	reply = func(batch string) (standing.Expectation, error) { return answer(batch), nil }
	s.wants(map[string]float64{value: 0.72})

	s.evaluated("2024-01", est, est)
	s.wants(map[string]float64{value: 0.72})
	s.evaluated("2024-02", est, est)
	absent("labels have come")
}
