package evaluate

import "fmt"

// DeLong returns the AUCs of several models on the same rows, and the covariance of
// these. Row and column i of the covariance are model i. d.Scores is not read; labels,
// weights and clusters are, as for [AUC]. Errors are as in [Of].
//
// Source: DeLong, DeLong and Clarke-Pearson, 1988.
func DeLong(models [][]float64, d Data) (areas []float64, covariance [][]float64, err error) {
	if len(models) == 0 {
		return nil, nil, &InputError{-1, "there are no models"}
	}
	influences := make([]*measurement, len(models))
	var s *sample
	for i, scores := range models {
		d.Scores = scores
		if s, _, err = d.sample(nil); err != nil {
			return nil, nil, fmt.Errorf("model %d: %w", i, err)
		}
		if influences[i], err = auc(s); err != nil {
			return nil, nil, fmt.Errorf("model %d: %w", i, err)
		}
		areas = append(areas, influences[i].value)
	}
	// The covariance of two is (var(sum) − var(difference)) / 4.
	covariance = make([][]float64, len(models))
	for i, a := range influences {
		covariance[i] = make([]float64, len(models))
		for j, b := range influences[:i+1] {
			sum, difference := *a, *a
			sum.influence, difference.influence = make([]float64, len(a.influence)), make([]float64, len(a.influence))
			for row, x := range a.influence {
				sum.influence[row], difference.influence[row] = x+b.influence[row], x-b.influence[row]
			}
			plus, _ := s.variance(&sum)
			minus, _ := s.variance(&difference)
			covariance[i][j] = (plus - minus) / 4
			covariance[j][i] = covariance[i][j]
		}
	}
	return areas, covariance, nil
}
