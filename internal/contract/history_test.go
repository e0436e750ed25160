package contract_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"headgate/internal/contract"
	"headgate/internal/strictyaml"
)

// month makes the facts of a batch of 1,000 rows with 10 nulls in x.
func month(batch string, mean float64) contract.Facts {
	return contract.Facts{Batch: batch, Rows: 1000, Columns: map[string]contract.ColumnFacts{
		"x": {Nulls: 10, Mean: mean, Std: 2, Min: -1, Max: 9, Distinct: 100},
	}}
}

// changed returns facts with one thing different.
func changed(f contract.Facts, change func(*contract.Facts, *contract.ColumnFacts)) contract.Facts {
	x := f.Columns["x"]
	change(&f, &x)
	f.Columns = map[string]contract.ColumnFacts{"x": x}
	return f
}

func TestHistory(t *testing.T) {
	now := month("2024-04", 10)
	past := []contract.Facts{month("2024-01", 8), month("2024-02", 12), month("2024-03", 20)}
	year := month("2023-04", 10)
	rows := func(n int64) contract.Facts {
		return changed(now, func(f *contract.Facts, _ *contract.ColumnFacts) { f.Rows = n })
	}
	nulls := func(n int64) contract.Facts {
		return changed(now, func(_ *contract.Facts, x *contract.ColumnFacts) { x.Nulls = n })
	}
	for _, tt := range []struct {
		name, rule string
		now        contract.Facts
		past       []contract.Facts
		lastYear   *contract.Facts
		want       string
	}{
		{"within the limits", "metric: rowCount, against: previous, mustBeWithin: 20%", rows(1200), past, nil, ""},
		{"the limits themselves are allowed", "metric: rowCount, against: previous, mustBeWithin: [-20%, 0%]", rows(800), past, nil, ""},
		{"too many rows", "metric: rowCount, against: previous, mustBeWithin: 20%", rows(1201), past, nil,
			"error history.rowCount: the number of rows changed by +20.1% (from 1000 to 1201) since 2024-03, the batch before, must be within -20% and +20%"},
		{"too few rows", "metric: rowCount, against: lastYear, severity: warning, mustBeWithin: [-10%, 50%]", rows(500), nil, &year,
			"warning history.rowCount: the number of rows changed by -50% (from 1000 to 500) since 2023-04, a year ago, must be within -10% and +50%"},
		{"values are not shown", "metric: mean, column: x, against: previous, mustBeWithin: 20%", now, past, nil,
			"error x.history.mean: the mean of x changed by -50% since 2024-03, the batch before, must be within -20% and +20%"},
		{"the median of the last three", "metric: mean, column: x, against: last3, mustBeWithin: 20%", now, past, nil, ""},
		{"the median of the last two", "metric: mean, column: x, against: last2, mustBeWithin: 20%", now, past, nil,
			"error x.history.mean: the mean of x changed by -37.5% since the median of the last 2 batches, must be within -20% and +20%"},
		{"shares are compared in points", "metric: nullShare, column: x, against: previous, mustBeWithin: 2%", nulls(30), past, nil, ""},
		{"a share of nulls that is too high", "metric: nullShare, column: x, against: previous, mustBeWithin: 2%, id: nulls", nulls(40), past, nil,
			"error nulls: the share of nulls in x changed by +3 points (from 1% to 4%) since 2024-03, the batch before, must be within -2 points and +2 points"},
		{"distinct values", "metric: distinct, column: x, against: previous, mustBeWithin: 5%", changed(now, func(_ *contract.Facts, x *contract.ColumnFacts) { x.Distinct = 10 }), past, nil,
			"error x.history.distinct: the number of distinct values in x changed by -90% (from 100 to 10) since 2024-03, the batch before, must be within -5% and +5%"},
		{"a change of a negative value", "metric: min, column: x, against: previous, mustBeWithin: 50%", changed(now, func(_ *contract.Facts, x *contract.ColumnFacts) { x.Min = -2 }), past, nil,
			"error x.history.min: the min of x changed by -100% since 2024-03, the batch before, must be within -50% and +50%"},
		{"nothing was there before", "metric: std, column: x, against: previous, mustBeWithin: 1000%", now, []contract.Facts{changed(now, func(_ *contract.Facts, x *contract.ColumnFacts) { x.Std = 0 })}, nil,
			"error x.history.std: the std of x changed by +∞% since 2024-04, the batch before, must be within -1000% and +1000%"},
		{"nothing then and nothing now", "metric: max, column: x, against: previous, mustBeWithin: 1%", changed(now, func(_ *contract.Facts, x *contract.ColumnFacts) { x.Max = 0 }), []contract.Facts{changed(now, func(_ *contract.Facts, x *contract.ColumnFacts) { x.Max = 0 })}, nil, ""},
		{"no batch before", "metric: rowCount, against: previous, mustBeWithin: 20%", now, nil, nil,
			"note: rule history.rowCount cannot be judged yet: 0 of the last 1 batches are known, and it needs 1"},
		{"too few batches before", "metric: rowCount, against: last12, mustBeWithin: 20%", now, past, nil,
			"note: rule history.rowCount cannot be judged yet: 3 of the last 12 batches are known, and it needs 12"},
		{"few are enough", "metric: rowCount, against: last12, minBatches: 3, mustBeWithin: 20%", now, past, nil, ""},
		{"no batch a year ago", "metric: rowCount, against: lastYear, mustBeWithin: 20%", now, past, nil,
			"note: rule history.rowCount cannot be judged yet: there is no batch of a year ago"},
		{"a column that was not there a year ago", "metric: mean, column: x, against: lastYear, mustBeWithin: 20%", now, past, &contract.Facts{Batch: "2023-04", Rows: 3},
			"note: rule x.history.mean cannot be judged yet: of 2023-04, a year ago, the mean of x is not known"},
		{"a column of nulls", "metric: mean, column: x, against: previous, mustBeWithin: 20%", month("2024-04", math.NaN()), past, nil,
			"note: rule x.history.mean cannot be judged: the mean of x is not known"},
		{"a batch without the mean is left out", "metric: mean, column: x, against: last3, minBatches: 2, mustBeWithin: 1%", now, []contract.Facts{past[0], past[1], month("2024-03", math.Inf(1))}, nil, ""},
		{"no rows have no share", "metric: nullShare, column: x, against: previous, mustBeWithin: 20%", rows(0), past, nil,
			"note: rule x.history.nullShare cannot be judged: the share of nulls in x is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, file, err := strictyaml.Open("h.yaml", []byte("{ "+tt.rule+" }"))
			if err != nil {
				t.Fatal(err)
			}
			h, ok := contract.ReadHistory(root)
			if !ok || file.Err() != nil {
				t.Fatal(file.Err())
			}
			c := &contract.Contract{History: []contract.History{h}}
			vs, notes := c.JudgeHistory(tt.now, tt.past, tt.lastYear)
			got := say(vs)
			for _, note := range notes {
				got += "note: " + note
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The judgement changes nothing that it is given.
func TestHistoryKeepsThePast(t *testing.T) {
	past := []contract.Facts{month("a", 3), month("b", 1), month("c", 2)}
	before := fmt.Sprint(past)
	h := contract.History{Metric: contract.MetricMean, Column: "x", Against: contract.AgainstLast, Last: 3, MinBatches: 3, Lower: -0.1, Upper: 0.1}
	if v, note := h.Judge(month("d", 2), past, nil); v != nil || note != "" {
		t.Errorf("got %v %s", v, note)
	}
	if fmt.Sprint(past) != before {
		t.Error("the past was changed")
	}
}

func TestReadHistoryRefuses(t *testing.T) {
	for _, tt := range []struct{ name, rule, want string }{
		{"nothing", "{}", "h.yaml:1:1: a history rule needs metric\nh.yaml:1:1: a history rule needs against\nh.yaml:1:1: a history rule needs mustBeWithin"},
		{"an unknown key", "{ metric: rowCount, against: previous, mustBeWithin: 1%, mean: 3 }", `h.yaml:1:58: a history rule has no key "mean"`},
		{"a column that is no text", "{ metric: mean, column: [x], against: previous, mustBeWithin: 1% }", "h.yaml:1:25: column must be a string, not a list"},
		{"an id that names no file", "{ metric: rowCount, id: a b, against: previous, mustBeWithin: 1% }", `h.yaml:1:25: rule id "a b" must be letters, digits, dashes and underscores`},
		{"a severity", "{ metric: rowCount, severity: warn, against: previous, mustBeWithin: 1% }", `h.yaml:1:31: severity "warn" is not known; did you mean warning?`},
	} {
		root, file, err := strictyaml.Open("h.yaml", []byte(tt.rule))
		if err != nil {
			t.Fatal(err)
		}
		contract.ReadHistory(root)
		if err := file.Err(); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestCheckHistory(t *testing.T) {
	c := parse(t, "", "{ name: x, logicalType: number }", "{ name: s, logicalType: string, classification: restricted }")
	for _, tt := range []struct {
		metric contract.HistoryMetric
		column string
		want   string
	}{
		{contract.MetricRowCount, "", ""},
		{contract.MetricStd, "x", ""},
		{contract.MetricNullShare, "s", ""},
		{contract.MetricDistinct, "s", "s is restricted, so nothing but its nulls is kept"},
		{contract.MetricMean, "s", "mean needs a column of numbers, and s is a string"},
		{contract.MetricMean, "y", "there is no column y"},
	} {
		if got := c.CheckHistory(contract.History{Metric: tt.metric, Column: tt.column}); got != tt.want {
			t.Errorf("%s of %q: got %q, want %q", tt.metric, tt.column, got, tt.want)
		}
	}
}

func TestDriftPolicies(t *testing.T) {
	drift := func(implementation string) string {
		return "quality: [{ type: custom, engine: headgate, implementation: { check: drift, " + implementation + " } }]"
	}
	c := parse(t, "", "{ name: x, physicalName: y, "+drift("moderate: 0.2, major: 0.4")+" }", "{ name: z, "+drift("ignore: true")+" }", "{ name: w }")
	if got, want := fmt.Sprint(c.Drift), "map[y:{false 0.2 0.4} z:{true 0 0}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if strings.Contains(fmt.Sprint(c.Rules), "drift") {
		t.Error("a drift policy is no rule of the rows")
	}
}
