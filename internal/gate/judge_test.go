package gate_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
)

func TestReverseBringsABetterChampionBack(t *testing.T) {
	for _, tt := range []struct {
		name        string
		former, now float64
		batches     int
		want        gate.Verdict
	}{
		{"the former was better", 0.2, 1.2, 1, gate.Block},
		{"the new one is better", 1.2, 0.2, 1, gate.Inconclusive},
		{"the new one stays", 1.2, 0.2, 2, gate.Pass},
		{"no difference, and it stays", 0.5, 0.5, 2, gate.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := measure(t, gate.Default(), gate.Reverse, world(8, 4000, tt.batches, tt.former, tt.now))
			if d := judge(t, gate.Default(), gate.Reverse, gate.Evidence{Outcome: o}); d.Verdict != tt.want {
				t.Errorf("%s, want %s; the reasons are\n%s", d.Verdict, tt.want, strings.Join(d.Reasons, "\n"))
			}
		})
	}
}

func TestCanaryBounds(t *testing.T) {
	around := func(x, half float64) *evaluate.Estimate {
		return &evaluate.Estimate{Value: x, Low: x - half, High: x + half, Level: 0.95, N: 100}
	}
	good := gate.Compare{Rows: 1000, PSI: around(0.1, 0.05), Flips: around(0.05, 0.01), Shift: around(-0.01, 0.005), Volume: &gate.Volume{Share: 0.1, Rows: 101, Of: 1000, P: 0.9}}
	still := gate.Moved{Batches: []string{"2024-06"}, Rows: 900, PSI: around(0.02, 0.02), Flips: around(-0.01, 0.02), Shift: around(0.01, 0.02)}
	moved := func(change func(*gate.Moved)) *gate.Compare {
		c, m := good, still
		c.PSI, c.Flips, c.Shift = around(2, 0.1), around(0.6, 0.1), around(0.3, 0.01) // a new calibration, on purpose
		change(&m)
		c.Moved = &m
		return &c
	}
	with := func(change func(*gate.Compare)) *gate.Compare {
		c := good
		volume := *good.Volume
		c.Volume = &volume
		change(&c)
		return &c
	}
	for _, tt := range []struct {
		name string
		c    *gate.Compare
		want gate.Verdict
	}{
		{"all is well", &good, gate.Pass},
		{"the candidate failed", with(func(c *gate.Compare) { c.Failed = "it is out of memory" }), gate.Block},
		{"no rows", with(func(c *gate.Compare) { c.Rows = 0 }), gate.Ask},
		{"a score that breaks the contract", with(func(c *gate.Compare) { c.Invalid = 1 }), gate.Block},
		{"scores have moved", with(func(c *gate.Compare) { c.PSI = around(0.9, 0.1) }), gate.Block},
		{"scores may have moved", with(func(c *gate.Compare) { c.PSI = around(0.5, 0.1) }), gate.Inconclusive},
		{"a mean that fell", with(func(c *gate.Compare) { c.Shift = around(-0.3, 0.1) }), gate.Block},
		{"decisions were not compared", with(func(c *gate.Compare) { c.Flips = nil }), gate.Ask},
		{"far from the champion, as it was in the shadow", moved(func(*gate.Moved) {}), gate.Pass},
		{"no more what it was in the shadow", moved(func(m *gate.Moved) { m.PSI = around(0.9, 0.1) }), gate.Block},
		{"maybe no more what it was", moved(func(m *gate.Moved) { m.PSI = around(0.5, 0.1) }), gate.Inconclusive},
		{"it decides otherwise than in the shadow", moved(func(m *gate.Moved) { m.Flips = around(-0.4, 0.1) }), gate.Block},
		{"its mean is not what it was beside the champion's", moved(func(m *gate.Moved) { m.Shift = around(0.3, 0.1) }), gate.Block},
		{"its shadow is gone", moved(func(m *gate.Moved) { *m = gate.Moved{Missing: "it was published anew"} }), gate.Ask},
		{"not its share of the rows", with(func(c *gate.Compare) { c.Volume.P = 1e-9 }), gate.Block},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := judge(t, gate.Default(), gate.Canary, gate.Evidence{Data: &gate.Data{Verdict: gate.Pass}, Compare: tt.c})
			if d.Verdict != tt.want {
				t.Errorf("%s, want %s; the reasons are\n%s", d.Verdict, tt.want, strings.Join(d.Reasons, "\n"))
			}
		})
	}
}

func TestPublishFollowsTheDataAndItsRules(t *testing.T) {
	p := policy(t, "{publish: {rules: [{id: few, rule: 'data.rows >= 100', reason: few rows, else: ask}, {id: seen, rule: '!data.drift.columns.exists(c, c == \"age\")', reportOnly: true}]}}")
	for _, tt := range []struct {
		name string
		data gate.Data
		want gate.Verdict
	}{
		{"all is well", gate.Data{Verdict: gate.Pass, Rows: 100}, gate.Pass},
		{"a rule asks", gate.Data{Verdict: gate.Pass, Rows: 99}, gate.Ask},
		{"the data block", gate.Data{Verdict: gate.Block, Rows: 99}, gate.Block},
		{"the data ask", gate.Data{Verdict: gate.Ask, Rows: 100}, gate.Ask},
		{"a report does not count", gate.Data{Verdict: gate.Pass, Rows: 100, Drift: gate.Drift{Columns: []string{"age"}}}, gate.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := judge(t, p, gate.Publish, gate.Evidence{Data: &tt.data}); d.Verdict != tt.want {
				t.Errorf("%s, want %s (%v)", d.Verdict, tt.want, d.Reasons)
			}
		})
	}
}

func TestWaiversLetARuleGoUntilTheyEnd(t *testing.T) {
	p := policy(t, "{publish: {rules: [{id: few, rule: 'data.rows >= 100'}]}}")
	e := gate.Evidence{Release: gate.Case{At: time.Date(2024, 8, 1, 12, 0, 0, 0, time.UTC)}, Data: &gate.Data{Verdict: gate.Pass}}
	w := func(rule string, until time.Time) gate.Waiver {
		return gate.Waiver{Rule: rule, By: "ann", Reason: "a holiday", Until: until}
	}
	later := e.Release.At.Add(time.Second)
	blocked := e
	blocked.Data = &gate.Data{Verdict: gate.Block}
	for _, tt := range []struct {
		name    string
		e       gate.Evidence
		waivers []gate.Waiver
		want    gate.Verdict
	}{
		{"no waiver", e, nil, gate.Block},
		{"in force", e, []gate.Waiver{w("few", later)}, gate.Pass},
		{"at its end", e, []gate.Waiver{w("few", e.Release.At)}, gate.Block},
		{"of another rule", e, []gate.Waiver{w("many", later)}, gate.Block},
		{"of all rules, so that nothing passes", blocked, []gate.Waiver{w("few", later), w("data", later)}, gate.Ask},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := judge(t, p, gate.Publish, tt.e, tt.waivers...)
			if d.Verdict != tt.want || len(d.Waivers) != len(tt.waivers) {
				t.Errorf("%s with %d waivers, want %s (%v)", d.Verdict, len(d.Waivers), tt.want, d.Reasons)
			}
		})
	}
}

func TestARuleThatCostsTooMuchHasNoAnswer(t *testing.T) {
	p := policy(t, `{publish: {rules: [{id: loop, rule: 'data.reasons.all(a, data.reasons.all(b, data.reasons.all(c, data.reasons.all(d, a + b + c + d != ""))))'}]}}`)
	data := gate.Data{Verdict: gate.Pass, Reasons: strings.Split(strings.Repeat("x", 60), "")}
	d := judge(t, p, gate.Publish, gate.Evidence{Data: &data})
	if d.Verdict != gate.Ask || !strings.Contains(d.Rules[1].Reason, "cost limit exceeded") {
		t.Errorf("%s: %s", d.Verdict, d.Rules[1].Reason)
	}
}

func TestRowsThatMakeNoSenseAreRefused(t *testing.T) {
	good := world(1, 50, 1, 0.5, 0.5)
	for name, change := range map[string]func(*gate.Paired){
		"no batch":                    func(in *gate.Paired) { in.Batches = nil },
		"scores of fewer rows":        func(in *gate.Paired) { in.Candidate = in.Candidate[1:] },
		"a score that is NaN":         func(in *gate.Paired) { in.Candidate = append([]float64{math.NaN()}, in.Candidate[1:]...) },
		"clusters of fewer rows":      func(in *gate.Paired) { in.Data.Clusters = in.Data.Clusters[1:] },
		"a slice that is too short":   func(in *gate.Paired) { in.Slices = []evaluate.Dimension{{Name: "region"}} },
		"a weight that is below zero": func(in *gate.Paired) { in.Data.Weights = append(make([]float64, 49), -1) },
	} {
		in := good
		change(&in)
		if o, err := gate.Measure(gate.Default(), gate.Advance, in); err == nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if _, err := gate.Measure(gate.Default(), gate.Publish, good); err == nil {
		t.Error("labels are evidence for publishing")
	}
	if _, err := gate.Judge(gate.Default(), "promote", gate.Evidence{}, nil); err == nil {
		t.Error("there is a subject promote")
	}
	if _, err := gate.Judge(nil, gate.Publish, gate.Evidence{}, nil); err == nil {
		t.Error("no policy judges")
	}
}
