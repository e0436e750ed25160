package gate_test

import (
	"fmt"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/strictyaml"
)

// Without a policy of one's own, the default judges. The candidate of this example knows
// customers better than the champion.
func Example() {
	policy := gate.Default()
	outcome, err := gate.Measure(policy, gate.Advance, world(1, 4000, 1, 1.2, 0.2))
	if err != nil {
		fmt.Println(err)
		return
	}
	decision, err := gate.Judge(policy, gate.Advance, gate.Evidence{Outcome: outcome}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range decision.Rules {
		fmt.Printf("%s: %s\n    %s\n", r.ID, r.Outcome, r.Rule)
	}
	fmt.Println(decision.Verdict)
	// Output:
	// superior: pass
	//     better beyond doubt in at least one of auc, logLoss
	// guardrail/auc: pass
	//     auc is not worse by more than 0.005
	// guardrail/logLoss: pass
	//     logLoss is not worse by more than 1 % of the champion's
	// calibration/slope: pass
	//     the slope of the calibration is between 0.8 and 1.25, or the champion's is no better
	// calibration/inTheLarge: pass
	//     the calibration in the large is between -0.2 and 0.2, or the champion's is no better
	// pass
}

// A policy stands in the pipeline file. What it leaves out is as in the default, and what
// is wrong with it has a line and a column.
func ExampleRead() {
	text := `
advance:
  guardrails:
    auc: 0.002
    logLoss: 0.5%
  rules:
    - id: brier
      rule: outcome.metrics["brier"].difference.high < 0.0
    - id: enough
      rule: outcome.row >= 1000
`
	v, file, err := strictyaml.Open("gates", []byte(strings.TrimSpace(text)))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, ok := gate.Read(v); !ok {
		fmt.Println(file.Err())
	}
	// Output:
	// gates:9:20: outcome has no field row; did you mean rows?
}

// Three looks at a candidate may err by 5 % together: the first must be far more
// convincing than the last.
func ExampleBoundaries() {
	z, err := gate.Boundaries(0.05, []float64{1. / 3, 2. / 3, 1}, []float64{20_000, 40_000, 60_000})
	fmt.Printf("%.3f %v\n", z, err)
	// Output:
	// [3.200 2.141 1.695] <nil>
}

// How often would this policy err on releases like those of the past?
func ExampleSimulate() {
	past := []gate.Paired{world(1, 600, 1, 3, 0.1)}
	s, err := gate.Simulate(&gate.Policy{
		Kind: gate.Binary, Alpha: 0.05, Challengers: 1, Looks: 1,
		Advance: gate.AdvancePolicy{Success: []evaluate.Metric{evaluate.AUC}, Guardrails: []gate.Guardrail{{Metric: evaluate.AUC, Margin: 0.005}}},
	}, past, &gate.SimulateOptions{Samples: 20, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("a candidate as good as that one passes in %.0f of 100 releases, an equal one in %.0f\n", 100*s.Observed.Pass, 100*s.Equal.Pass)
	// Output:
	// a candidate as good as that one passes in 100 of 100 releases, an equal one in 5
}
