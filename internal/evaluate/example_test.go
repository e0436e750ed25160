package evaluate_test

import (
	"fmt"

	"headgate/internal/evaluate"
)

func ExampleBinary() {
	d := evaluate.Data{
		Scores: []float64{0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1},
		Labels: []float64{1, 1, 0, 1, 0, 1, 0, 0},
	}
	r, err := evaluate.Binary(d, &evaluate.Options{Thresholds: []float64{0.5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, "precision@0.5"} {
		e, _ := r.Get(m)
		fmt.Println(m, e)
	}
	// Output:
	// auc 0.8125 [0.2385, 0.9836]
	// logLoss 0.5108 [0.1296, 0.892]
	// precision@0.5 0.75 [0.3006, 0.9544]
}

func ExampleDifference() {
	d := evaluate.Data{
		Scores: []float64{0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1},
		Labels: []float64{1, 1, 0, 1, 0, 1, 0, 0},
	}
	challenger := []float64{0.9, 0.8, 0.5, 0.6, 0.4, 0.7, 0.2, 0.1}
	e, err := evaluate.Difference(evaluate.AUC, d, challenger, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e)
	// Output: 0.1875 [-0.2127, 0.5877]
}
