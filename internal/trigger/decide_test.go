package trigger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"headgate/internal/evaluate"
	"headgate/internal/trigger"
)

// at is an estimate with an interval of so much on either side.
func at(value, half float64) evaluate.Estimate {
	return evaluate.Estimate{Value: value, Low: value - half, High: value + half, Level: 0.95, N: 1000}
}

// months are labelled batches on which the champion had these values of a metric.
func months(m evaluate.Metric, half float64, values ...float64) []trigger.Matured {
	var all []trigger.Matured
	for i, v := range values {
		all = append(all, trigger.Matured{Batch: fmt.Sprintf("2024-%02d", i+1), Estimates: map[evaluate.Metric]evaluate.Estimate{m: at(v, half)}})
	}
	return all
}

// with adds a metric of the last batch, and one of the first if the two are compared.
func with(all []trigger.Matured, m evaluate.Metric, half, first, last float64) []trigger.Matured {
	all[0].Estimates[m], all[len(all)-1].Estimates[m] = at(first, half), at(last, half)
	return all
}

var (
	everything = trigger.Settings{Drift: true, Metric: evaluate.AUC, Fall: 0.02, Calibration: true, Every: 12, Cooldown: 3, Budget: 6, Recalibrate: true,
		Bounds: []trigger.Bound{{Metric: evaluate.Slope, Low: 0.8, High: 1.25}, {Metric: evaluate.InTheLarge, Low: -0.2, High: 0.2}}}
	byLoss = trigger.Settings{Metric: evaluate.LogLoss, Fall: 0.01}
)

func TestDecide(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings trigger.Settings
		facts    trigger.Facts
		kind     trigger.Kind // "" if there are no reasons
		reason   string
		notYet   string // "" if it starts
	}{
		{name: "nothing is asked for", facts: trigger.Facts{Labelled: 9}},
		{name: "all is well", settings: everything, facts: trigger.Facts{Labelled: 5, Matured: months(evaluate.AUC, .01, .75, .74, .751)}},
		{name: "the metric has fallen", settings: everything, facts: trigger.Facts{Labelled: 5, Matured: months(evaluate.AUC, .01, .75, .74, .63)},
			kind: trigger.Refit, reason: "auc of the champion is 0.6300 on 2024-03 and was 0.7500 on 2024-01: worse by 0.1200, and by more than 0.02 beyond doubt"},
		{name: "the metric has fallen, and chance may have done it", settings: everything,
			facts: trigger.Facts{Labelled: 5, Matured: months(evaluate.AUC, .03, .75, .71)}},
		{name: "one batch has nothing to be compared with", settings: everything, facts: trigger.Facts{Labelled: 5, Matured: months(evaluate.AUC, .01, .5)}},
		{name: "a loss that falls is better", settings: byLoss, facts: trigger.Facts{Labelled: 1, Matured: months(evaluate.LogLoss, .001, .5, .4)}},
		{name: "a loss that rises is worse", settings: byLoss, facts: trigger.Facts{Labelled: 1, Matured: months(evaluate.LogLoss, .001, .4, .5)},
			kind: trigger.Refit, reason: "logLoss of the champion is 0.5000"},
		{name: "drift has persisted", settings: everything, facts: trigger.Facts{Labelled: 5, Drift: []trigger.Drift{{"2024-01", "none"}, {"2024-02", "trigger"}}},
			kind: trigger.Refit, reason: "drift has persisted up to 2024-02"},
		{name: "drift is over", settings: everything, facts: trigger.Facts{Labelled: 5, Drift: []trigger.Drift{{"2024-01", "trigger"}, {"2024-02", "warn"}}}},
		{name: "only calibration is lost", settings: everything,
			facts: trigger.Facts{Labelled: 5, Matured: with(months(evaluate.AUC, .01, .75, .75), evaluate.InTheLarge, .05, 0, .4)},
			kind:  trigger.Recalibrate, reason: "calibrationInTheLarge of the champion is 0.4000 on 2024-02, from 0.3500 to 0.4500, and must be from -0.2 to 0.2"},
		{name: "calibration is lost, and ranking has neither fallen nor held beyond doubt", settings: everything, kind: trigger.Both, reason: "calibrationInTheLarge",
			facts: trigger.Facts{Labelled: 5, Matured: with(months(evaluate.AUC, .02, .75, .73), evaluate.InTheLarge, .05, 0, .4)}},
		{name: "few rows are no proof that ranking holds", settings: everything, kind: trigger.Both, reason: "calibrationInTheLarge",
			facts: trigger.Facts{Labelled: 5, Matured: with(months(evaluate.AUC, .05, .75, .75), evaluate.InTheLarge, .05, 0, .4)}},
		{name: "calibration is lost on the first batch, so ranking has nothing to be compared with", settings: everything, kind: trigger.Both, reason: "calibrationInTheLarge",
			facts: trigger.Facts{Labelled: 5, Matured: with(months(evaluate.AUC, .01, .75), evaluate.InTheLarge, .05, 0, .4)}},
		{name: "calibration is outside, and chance may have done it", settings: everything,
			facts: trigger.Facts{Labelled: 5, Matured: with(months(evaluate.AUC, .01, .75, .75), evaluate.InTheLarge, .25, 0, .4)}},
		{name: "calibration and ranking are lost", settings: everything,
			facts: trigger.Facts{Labelled: 5, Matured: with(months(evaluate.AUC, .01, .75, .63), evaluate.Slope, .05, 1, .5)}, kind: trigger.Refit, reason: "calibrationSlope"},
		{name: "a new calibration has not helped", settings: everything,
			facts: trigger.Facts{Labelled: 5, Recalibrated: true, Matured: with(months(evaluate.AUC, .01, .75, .75), evaluate.Slope, .05, 1, .5)},
			kind:  trigger.Refit, reason: "calibrationSlope"},
		{name: "the loss is worse because of the calibration", kind: trigger.Recalibrate, reason: "logLoss",
			settings: trigger.Settings{Metric: evaluate.LogLoss, Fall: .01, Calibration: true, Recalibrate: true, Bounds: everything.Bounds},
			facts:    trigger.Facts{Labelled: 5, Matured: with(with(months(evaluate.LogLoss, .001, .4, .5), evaluate.AUC, .002, .75, .75), evaluate.Slope, .05, 1, .5)}},
		{name: "the loss is worse, and whether ranking is within its margin nobody knows", kind: trigger.Both, reason: "logLoss",
			settings: trigger.Settings{Metric: evaluate.LogLoss, Fall: .01, Calibration: true, Recalibrate: true, Bounds: everything.Bounds},
			facts:    trigger.Facts{Labelled: 5, Matured: with(with(months(evaluate.LogLoss, .001, .4, .5), evaluate.AUC, .01, .75, .75), evaluate.Slope, .05, 1, .5)}},
		{name: "the day has come", settings: everything, facts: trigger.Facts{Labelled: 12}, kind: trigger.Refit, reason: "12 batches have labels that no training has seen; a training is due every 12"},
		{name: "the labels are not ready", settings: everything, facts: trigger.Facts{Drift: []trigger.Drift{{"2024-02", "trigger"}}},
			kind: trigger.Refit, reason: "drift", notYet: "no batch has labels that the last training had not"},
		{name: "the last training was just now", settings: everything, facts: trigger.Facts{Labelled: 2, Drift: []trigger.Drift{{"2024-02", "trigger"}}},
			kind: trigger.Refit, reason: "drift", notYet: "2 of 3 batches since the last training have labels"},
		{name: "the year's budget is spent", settings: everything, facts: trigger.Facts{Labelled: 5, Year: "2024", Tried: 6, Drift: []trigger.Drift{{"2024-02", "trigger"}}},
			kind: trigger.Refit, reason: "drift", notYet: "6 challengers were registered in 2024, which is all that a year may have"},
		{name: "candidates are still judged", settings: everything, facts: trigger.Facts{Labelled: 5, Open: "2024-01-refit-1", Drift: []trigger.Drift{{"2024-02", "trigger"}}},
			kind: trigger.Refit, reason: "drift", notYet: "release 2024-01-refit-1 still judges its candidates"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := trigger.Decide(tt.settings, tt.facts)
			if d.Kind != tt.kind || d.Start != (tt.kind != "" && tt.notYet == "") {
				t.Errorf("got %+v, want kind %q", d, tt.kind)
			}
			has := func(list []string, want string) bool {
				return slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, want) })
			}
			if tt.reason != "" && !has(d.Reasons, tt.reason) || tt.notYet != "" && !has(d.NotYet, tt.notYet) {
				t.Errorf("got %q and %q, want %q and %q", d.Reasons, d.NotYet, tt.reason, tt.notYet)
			}
		})
	}
}

func ExampleDecide() {
	settings := trigger.Settings{Metric: evaluate.AUC, Fall: 0.02, Cooldown: 3, Budget: 6}
	facts := trigger.Facts{Labelled: 2, Matured: []trigger.Matured{
		{Batch: "2024-01", Estimates: map[evaluate.Metric]evaluate.Estimate{evaluate.AUC: {Value: 0.75, Low: 0.74, High: 0.76}}},
		{Batch: "2024-05", Estimates: map[evaluate.Metric]evaluate.Estimate{evaluate.AUC: {Value: 0.63, Low: 0.62, High: 0.64}}},
	}}
	d := trigger.Decide(settings, facts)
	fmt.Println(d.Start, d.Kind)
	fmt.Println(d.Reasons[0])
	fmt.Println(d.NotYet[0])
	// Output:
	// false refit
	// auc of the champion is 0.6300 on 2024-05 and was 0.7500 on 2024-01: worse by 0.1200, and by more than 0.02 beyond doubt
	// 2 of 3 batches since the last training have labels
}
