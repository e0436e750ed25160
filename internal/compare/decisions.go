package compare

import (
	"math"

	"headgate/internal/evaluate"
)

// Decisions say whose decision flips.
type Decisions struct {
	Flips      evaluate.Estimate `json:"flips"`             // share of rows whose decision changes
	Champion   evaluate.Estimate `json:"championSelects"`   // share of rows
	Challenger evaluate.Estimate `json:"challengerSelects"` // share of rows
	SwapIn     Swap              `json:"swapIn"`            // rows that only the challenger selects
	SwapOut    Swap              `json:"swapOut"`           // rows that only the champion selects
}

// A Swap is one half of the swap set.
type Swap struct {
	Rows  int64             `json:"rows"`
	Share evaluate.Estimate `json:"share"` // of all rows
	// Label is the share of positive labels. It is nil if fewer than two are known.
	Label *evaluate.Estimate `json:"label,omitempty"`
}

// A CostChange is by how much more a row costs on average with the challenger.
type CostChange struct {
	// Observed goes by labels. It is nil if fewer than two are known.
	Observed *evaluate.Estimate `json:"observed,omitempty"`
	// ByChampion is what to expect if the champion's probabilities are right, and
	// ByChallenger if the challenger's are. They are nil if scores are no probabilities.
	ByChampion   *evaluate.Estimate `json:"byChampion,omitempty"`
	ByChallenger *evaluate.Estimate `json:"byChallenger,omitempty"`
}

// decide compares decisions, if there is a threshold.
func (d Data) decide(c Challenger, out *Comparison, o *Options) error {
	if o.Threshold == nil {
		return nil
	}
	threshold := *o.Threshold
	if o.ChallengerThreshold != nil {
		threshold = *o.ChallengerThreshold
	}
	n := len(c.Scores)
	before, after, flips := make([]bool, n), make([]bool, n), make([]bool, n)
	in, gone := make([]bool, n), make([]bool, n)
	for i, s := range c.Scores {
		before[i], after[i] = d.Champion[i] >= *o.Threshold, s >= threshold
		flips[i] = before[i] != after[i]
		in[i], gone[i] = flips[i] && after[i], flips[i] && before[i]
	}
	out.Decisions = &Decisions{}
	for _, part := range []struct {
		rows []bool
		to   *evaluate.Estimate
	}{
		{flips, &out.Decisions.Flips},
		{before, &out.Decisions.Champion},
		{after, &out.Decisions.Challenger},
		{in, &out.Decisions.SwapIn.Share},
		{gone, &out.Decisions.SwapOut.Share},
	} {
		var err error
		if *part.to, err = evaluate.Share(part.rows, d.rows(), &o.Evaluate); err != nil {
			return err
		}
	}
	d.swap(in, &out.Decisions.SwapIn, o)
	d.swap(gone, &out.Decisions.SwapOut, o)
	d.cost(c, before, after, out, o)
	return nil
}

// swap counts rows and what became of them. Rows that cannot be judged have no label:
// there may be one, or none at all.
func (d Data) swap(rows []bool, out *Swap, o *Options) {
	known := make([]bool, len(rows))
	for i, x := range rows {
		if x {
			out.Rows++
		}
		known[i] = x && d.Labels != nil && !math.IsNaN(d.Labels[i])
	}
	with := d.where(known)
	if len(with.Labels) == 0 {
		return
	}
	judged := with.rows()
	judged.Labels = with.Labels
	if e, err := evaluate.Of(evaluate.Prevalence, judged, &o.Evaluate); err == nil {
		out.Label = &e
	}
}

// of returns what a decision costs if the label is 1 with probability p.
func (c *Costs) of(selected bool, p float64) float64 {
	if selected {
		return float64(p*c.TruePositive) + float64((1-p)*c.FalsePositive)
	}
	return float64(p*c.FalseNegative) + float64((1-p)*c.TrueNegative)
}

// cost compares what decisions cost.
func (d Data) cost(c Challenger, before, after []bool, out *Comparison, o *Options) {
	if o.Costs == nil {
		return
	}
	all := make([]bool, len(before))
	known := make([]bool, len(before))
	for i := range all {
		all[i] = true
		known[i] = d.Labels != nil && !math.IsNaN(d.Labels[i])
	}
	change := func(p []float64, rows []bool) *evaluate.Estimate {
		var values []float64
		for i, x := range rows {
			if !x {
				continue
			}
			if !(p[i] >= 0 && p[i] <= 1) {
				return nil
			}
			values = append(values, o.Costs.of(after[i], p[i])-o.Costs.of(before[i], p[i]))
		}
		e, err := evaluate.Mean(values, d.where(rows).rows(), &o.Evaluate)
		if err != nil {
			return nil // fewer than two rows, or all of one cluster
		}
		return &e
	}
	out.Cost = &CostChange{ByChampion: change(d.Champion, all), ByChallenger: change(c.Scores, all)}
	if d.Labels != nil {
		out.Cost.Observed = change(d.Labels, known)
	}
}
