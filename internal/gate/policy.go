package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"headgate/internal/evaluate"
)

// A Policy says what the gates of a pipeline ask for. In a pipeline file it stands
// under gates:, where everything has a default:
//
//	gates:
//	  kind: binary                 # or regression
//	  alpha: 0.05                  # a year: that a challenger gets through that is not better
//	  challengers: 12              # a year, over which alpha is spent
//	  looks: 3                     # labelled batches that a candidate is judged on at most
//	  publish:
//	    rules:
//	      - id: few-nulls          # any name
//	        rule: data.share < 0.01 || data.rows < 1000
//	        reason: more than 1 % of the rows are in quarantine
//	        else: ask              # block if left out
//	  advance:
//	    success: [auc, logLoss]    # one of these must be better
//	    guardrails:                # none of these may be worse by more
//	      auc: 0.005
//	      logLoss: 1%              # of the champion's
//	    calibration:               # inside, or the champion's is no better; or none
//	      slope: [0.8, 1.25]
//	      inTheLarge: [-0.2, 0.2]
//	    slices:
//	      - by: region             # no value of it may be worse by more
//	        metric: auc            # rmse for regression
//	        margin: 0.02           # 5% for metrics but auc
//	        values: [north, south] # all if left out
//	        minRows: 500
//	        pool: 6                # batches that small ones wait for; then a person is asked
//	        reportOnly: false
//	    rules: []                  # as above, over release, data, compare and outcome
//	  canary:
//	    psi: 0.5                   # of the scores, against those of the candidate's shadow
//	    flips: 0.25                # share of decisions that change, more or less than in the shadow
//	    shift: 0.1                 # of the mean score, up or down from the shadow's
//	    volume: 0.001              # probability that chance alone gives such shares of rows
//	    rules: []
//	  reverse:
//	    metrics: [auc, logLoss]
//	    looks: 2
//	    rules: []
//
// A rule is an expression in CEL that must be true. What it can name are the fields
// of [Data], [Compare], [Outcome] and [Case] as they are called in JSON; metrics
// are outcome.metrics["auc"], and those that a rule names are measured:
//
//	outcome.metrics["brier"].difference.high < 0.0
//	outcome.slices.all(s, s.rows > 100)
//	!data.drift.columns.exists(c, c == "basket_value")
type Policy struct {
	Kind Kind `json:"kind"`
	// Alpha is the probability, a year, that a challenger gets through that is better
	// in nothing. It is spent on [Policy.Challengers] in equal parts.
	Alpha       float64 `json:"alpha"`
	Challengers int     `json:"challengers"` // that may be tried a year; those beyond are asked about
	Looks       int     `json:"looks"`       // labelled batches at most that an advance is judged on

	Publish PublishPolicy `json:"publish"`
	Advance AdvancePolicy `json:"advance"`
	Canary  CanaryPolicy  `json:"canary"`
	Reverse ReversePolicy `json:"reverse"`
}

// A Kind says what labels are.
type Kind string

// The kinds.
const (
	Binary     Kind = "binary"     // labels 0 and 1, scores that are probabilities
	Regression Kind = "regression" // amounts
)

// PublishPolicy says what a month must keep beside its contract.
type PublishPolicy struct {
	Rules []Rule `json:"rules,omitempty"`
}

// AdvancePolicy says what a candidate must prove: that it is superior in at least one
// metric of success, and inferior in no guardrail, calibration and slice.
//
// Source: Schultzberg, Ankargren and Frånberg, "Risk-aware product decisions in A/B
// tests with multiple metrics", 2024.
type AdvancePolicy struct {
	Success    []evaluate.Metric `json:"success"`
	Guardrails []Guardrail       `json:"guardrails"`
	// Calibration is nil if it is not asked for, as for amounts.
	Calibration *Calibration  `json:"calibration,omitempty"`
	Slices      []SlicePolicy `json:"slices,omitempty"`
	Rules       []Rule        `json:"rules,omitempty"`
}

// A Guardrail is by how much a metric may be worse.
type Guardrail struct {
	Metric   evaluate.Metric `json:"metric"`
	Margin   float64         `json:"margin"`             // at least 0, in the metric's unit
	Relative bool            `json:"relative,omitempty"` // the margin is a share of the champion's metric
}

// Calibration has the bounds of the candidate's calibration.
type Calibration struct {
	Slope      [2]float64 `json:"slope"`      // of the label's log odds on the score's; 1 is best
	InTheLarge [2]float64 `json:"inTheLarge"` // in log odds; 0 is best
}

// A SlicePolicy says what is asked of the rows that have one value of a column.
type SlicePolicy struct {
	By string `json:"by"` // column
	Guardrail
	Values     []string `json:"values,omitempty"` // that are required; empty: all
	MinRows    int64    `json:"minRows"`
	Pool       int      `json:"pool"` // batches after which a person is asked about a slice that is still too small
	ReportOnly bool     `json:"reportOnly,omitempty"`
}

// CanaryPolicy has the bounds of a batch that a candidate served a share of. The
// bounds of intervals must be inside. A bound of 0 is none. They ask whether the
// candidate is still what its shadow showed, see [Moved]: that it differs from the
// champion is its purpose. Without a shadow, the champion is all that there is to compare
// with.
type CanaryPolicy struct {
	PSI    float64 `json:"psi"`    // of the candidate's scores
	Flips  float64 `json:"flips"`  // share of the decisions that change, in either direction
	Shift  float64 `json:"shift"`  // of the mean score, in either direction
	Volume float64 `json:"volume"` // least p of the shares of rows that both models served
	Rules  []Rule  `json:"rules,omitempty"`
}

// ReversePolicy says when a new champion must go: if the former one is better beyond
// doubt in a metric, and worse in none. Its error is [Policy.Alpha] a release, spent
// over the looks and the metrics.
type ReversePolicy struct {
	Metrics []evaluate.Metric `json:"metrics"`
	Looks   int               `json:"looks"` // matured batches
	Rules   []Rule            `json:"rules,omitempty"`
}

// A Rule is a condition in CEL.
type Rule struct {
	ID     string  `json:"id"`
	Rule   string  `json:"rule"`
	Reason string  `json:"reason,omitempty"` // why it is broken, in words
	Else   Verdict `json:"else"`             // what it says if it is false: block, ask or inconclusive
	// ReportOnly says that it stands in decisions and does not count.
	ReportOnly bool `json:"reportOnly,omitempty"`
}

// Default returns the policy of a pipeline that says nothing, for labels 0 and 1.
func Default() *Policy {
	return &Policy{
		Kind: Binary, Alpha: 0.05, Challengers: 12, Looks: 3,
		Advance: AdvancePolicy{
			Success:     []evaluate.Metric{evaluate.AUC, evaluate.LogLoss},
			Guardrails:  []Guardrail{{Metric: evaluate.AUC, Margin: 0.005}, {Metric: evaluate.LogLoss, Margin: 0.01, Relative: true}},
			Calibration: &Calibration{Slope: [2]float64{0.8, 1.25}, InTheLarge: [2]float64{-0.2, 0.2}},
		},
		Canary:  CanaryPolicy{PSI: 0.5, Flips: 0.25, Shift: 0.1, Volume: 0.001},
		Reverse: ReversePolicy{Metrics: []evaluate.Metric{evaluate.AUC, evaluate.LogLoss}, Looks: 2},
	}
}

// DefaultRegression returns the same for labels that are amounts.
func DefaultRegression() *Policy {
	p := Default()
	p.Kind = Regression
	p.Advance = AdvancePolicy{
		Success: []evaluate.Metric{evaluate.RMSE, evaluate.MAE},
		Guardrails: []Guardrail{
			{Metric: evaluate.RMSE, Margin: 0.01, Relative: true},
			{Metric: evaluate.MAE, Margin: 0.01, Relative: true},
		},
	}
	p.Canary.Flips, p.Canary.Shift = 0, 0
	p.Reverse.Metrics = []evaluate.Metric{evaluate.RMSE, evaluate.MAE}
	return p
}

// Digest names a policy: "sha256:…" of its canonical JSON.
func (p *Policy) Digest() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("gate: a policy has only numbers and texts: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
