package learn

import (
	"fmt"
	"math"

	"headgate/internal/evaluate"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/registry"
	"headgate/internal/train"
)

// Bounds of a calibration that is no accident. They are wide: the gate's are the
// pipeline's, and stricter.
const (
	slopeLow, slopeHigh = 0.5, 2.0
	largeMost           = 0.5 // of the intercept if the slope is 1, on either side
)

// Judge holds a model against the rows of entities that it never saw. It passes if
// every score is finite and, beyond doubt, says more than one score for all would; a
// probability must also be near enough to what happens to be released as one.
//
// m is the manifest of the training, with its results. An error means that the rows or
// the model cannot be read.
func Judge(window string, m *train.Manifest, s model.Scorer, rows train.Rows) (*Sanity, error) {
	j := &judged{outputs: s.Outputs()}
	if err := j.read(m, s, rows); err != nil {
		return nil, err
	}
	out := &Sanity{Format: Format, Window: window, Rows: int64(len(j.labels)), Verdict: registry.VerdictPass,
		Estimates: map[evaluate.Metric]evaluate.Estimate{}}
	switch {
	case len(j.labels) == 0:
		out.block("there are no rows of entities that the training did not see")
	case !j.finite():
		out.block("a score is not a finite number")
	case j.outputs > 1:
		out.classes(j)
	case m.Task == train.Regression:
		out.amounts(j)
	default:
		out.chances(j)
	}
	return out, nil
}

func (s *Sanity) block(format string, args ...any) {
	s.Verdict = registry.VerdictBlock
	s.Reasons = append(s.Reasons, fmt.Sprintf(format, args...))
}

// Ranking says how well the model ranks, or explains amounts, in words: "auc 0.71
// [0.69, 0.73]". It is empty if nothing could be measured.
func (s *Sanity) Ranking() string {
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.R2, evaluate.MacroAUC} {
		if e, ok := s.Estimates[m]; ok {
			return fmt.Sprintf("%s %s", m, e)
		}
	}
	return ""
}

// judged are rows in memory, with what a model says of them.
type judged struct {
	outputs  int
	scores   []float64 // row-major
	labels   []float64
	weights  []float64 // nil if all weigh the same
	clusters []uint64
}

func (j *judged) read(m *train.Manifest, s model.Scorer, rows train.Rows) error {
	var scores model.Scores
	for rec, err := range rows {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			return err
		}
		labels, err := train.Numbers(rec, m.Label)
		if err != nil {
			return err
		}
		keys, err := pass.Keys(rec, m.Entity)
		if err != nil {
			return err
		}
		if m.Weight != "" {
			weights, err := train.Numbers(rec, m.Weight)
			if err != nil {
				return err
			}
			j.weights = append(j.weights, weights...)
		}
		for i := range labels {
			key, _ := keys(i)
			j.clusters = append(j.clusters, key.Hash())
		}
		j.labels, j.scores = append(j.labels, labels...), append(j.scores, scores.Pred...)
	}
	return nil
}

func (j *judged) finite() bool {
	for _, v := range j.scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// chances judges probabilities of a label that is 0 or 1.
func (s *Sanity) chances(j *judged) {
	r, err := evaluate.Binary(j.data(), nil)
	if err != nil {
		s.block("the scores cannot be judged: %s", err)
		return
	}
	s.keep(r, evaluate.AUC, evaluate.LogLoss, evaluate.Prevalence, evaluate.Slope, evaluate.InTheLarge)
	auc, ok := s.Estimates[evaluate.AUC]
	loss, probable := s.Estimates[evaluate.LogLoss]
	switch {
	case !ok || !probable:
		s.block("%d rows of entities that it did not see are too few to judge it, or their labels are all alike", s.Rows)
		return
	case !(auc.Low > 0.5):
		s.block("it does not rank rows better than chance beyond doubt: auc %s", auc)
	}
	p := s.Estimates[evaluate.Prevalence].Value
	s.Base = -float64(p*math.Log(p)) - float64((1-p)*math.Log(1-p))
	if !(loss.Value < s.Base) {
		s.block("its log loss %.4f is no better than that of giving everybody the base rate, %.4f", loss.Value, s.Base)
	}
	if e, ok := s.Estimates[evaluate.Slope]; ok && (e.High < slopeLow || e.Low > slopeHigh) {
		s.block("its probabilities do not mean what they say: calibration slope %s must be from %g to %g", e, slopeLow, slopeHigh)
	}
	if e, ok := s.Estimates[evaluate.InTheLarge]; ok && (e.High < -largeMost || e.Low > largeMost) {
		s.block("its probabilities do not mean what they say: calibration in the large %s must be within %g of 0", e, largeMost)
	}
}

// amounts judges predictions of a number.
func (s *Sanity) amounts(j *judged) {
	r, err := evaluate.Regression(j.data(), nil)
	if err != nil {
		s.block("the scores cannot be judged: %s", err)
		return
	}
	s.keep(r, evaluate.R2, evaluate.RMSE, evaluate.MAE, evaluate.Bias)
	if e, ok := s.Estimates[evaluate.R2]; !ok || !(e.Low > 0) {
		s.block("it says no more than the mean beyond doubt: r2 %s", e)
	}
}

// classes judges probabilities of several classes.
func (s *Sanity) classes(j *judged) {
	c := evaluate.Classes{K: j.outputs, Probabilities: j.scores, Weights: j.weights, Clusters: j.clusters}
	for _, v := range j.labels {
		c.Labels = append(c.Labels, int(v))
	}
	r, err := evaluate.Multiclass(c, nil)
	if err != nil {
		s.block("the scores cannot be judged: %s", err)
		return
	}
	s.keep(r, evaluate.MacroAUC, evaluate.MulticlassLogLoss, evaluate.MulticlassAccuracy)
	if e, ok := s.Estimates[evaluate.MacroAUC]; !ok || !(e.Low > 0.5) {
		s.block("it does not rank rows better than chance beyond doubt: macroAUC %s", e)
	}
}

func (j *judged) data() evaluate.Data {
	return evaluate.Data{Scores: j.scores, Labels: j.labels, Weights: j.weights, Clusters: j.clusters}
}

// keep takes some metrics of a report.
func (s *Sanity) keep(r *evaluate.Report, metrics ...evaluate.Metric) {
	for _, m := range metrics {
		for _, found := range r.Metrics {
			if found.Metric == m {
				s.Estimates[m] = found.Estimate
			}
		}
	}
}
