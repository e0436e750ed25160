package trigger

import (
	"fmt"
	"math"

	"headgate/internal/evaluate"
)

// LevelTrigger is the level of drift that has persisted.
const LevelTrigger = "trigger"

// rankingMargin is by how much the AUC may be worse, beyond doubt, for the ranking to
// hold, where the settings have no margin of their own.
const rankingMargin = 0.005

// Decide says whether the facts start a training.
//
// What the champion was worth when it came is what it was worth on the first batch that
// it scored and whose labels are known. Two estimates differ beyond doubt if the
// interval of their difference does; they come from different rows, so it is as long as
// the hypotenuse of both.
func Decide(s Settings, f Facts) Decision {
	var d Decision
	because := func(format string, args ...any) { d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...)) }
	if n := len(f.Drift); s.Drift && n > 0 && f.Drift[n-1].Level == LevelTrigger {
		because("drift has persisted up to %s", f.Drift[n-1].Batch)
	}
	fallen, lost := f.Doubts(s)
	for _, reason := range []string{fallen, lost} {
		if reason != "" {
			because("%s", reason)
		}
	}
	due := s.Every > 0 && f.Labelled >= s.Every
	if due {
		because("%d batches have labels that no training has seen; a training is due every %d", f.Labelled, s.Every)
	}
	if len(d.Reasons) == 0 {
		return d
	}
	d.Kind = Refit
	if s.Recalibrate && lost != "" && !due && !f.Recalibrated {
		d.Kind = f.kind(s)
	}
	d.NotYet = f.notYet(s)
	d.Start = len(d.NotYet) == 0
	return d
}

// Doubts returns in a sentence each, or empty, that the champion's metric is worse than
// when it came, and that its calibration is lost.
func (f *Facts) Doubts(s Settings) (fallen, lost string) {
	fallen = f.fallen(s.Metric, s.Fall)
	if s.Calibration {
		lost = f.lost(s.Bounds)
	}
	return fallen, lost
}

// notYet lists the conditions that are not met.
func (f *Facts) notYet(s Settings) []string {
	var list []string
	wait := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch need := max(s.Cooldown, 1); {
	case f.Labelled == 0:
		wait("no batch has labels that the last training had not")
	case f.Labelled < need:
		wait("%d of %d batches since the last training have labels", f.Labelled, need)
	}
	if s.Budget > 0 && f.Tried >= s.Budget {
		wait("%d challengers were registered in %s, which is all that a year may have", f.Tried, f.Year)
	}
	if f.Open != "" {
		wait("release %s still judges its candidates", f.Open)
	}
	return list
}

// fallen says that a metric is worse than when the champion came, or nothing.
func (f *Facts) fallen(m evaluate.Metric, fall float64) string {
	base, last, ok := f.ends(m)
	if !ok {
		return ""
	}
	by, least, _ := worse(m, base.Estimates[m], last.Estimates[m])
	if !(least > fall) {
		return ""
	}
	return fmt.Sprintf("%s of the champion is %.4f on %s and was %.4f on %s: worse by %.4f, and by more than %g beyond doubt",
		m, last.Estimates[m].Value, last.Batch, base.Estimates[m].Value, base.Batch, by, fall)
}

// ends returns the first and the last batch with an estimate of a metric, if they are two.
func (f *Facts) ends(m evaluate.Metric) (first, last Matured, ok bool) {
	var with []Matured
	for _, b := range f.Matured {
		if _, has := b.Estimates[m]; has && m != "" {
			with = append(with, b)
		}
	}
	if len(with) < 2 {
		return Matured{}, Matured{}, false
	}
	return with[0], with[len(with)-1], true
}

// worse returns by how much a metric is worse than it was, and by how much at least and
// at most.
func worse(m evaluate.Metric, was, is evaluate.Estimate) (by, least, most float64) {
	if lowerIsBetter[m] {
		was, is = is, was
	}
	by = was.Value - is.Value
	return by, by - math.Hypot(is.High-is.Value, was.Value-was.Low), by + math.Hypot(is.Value-is.Low, was.High-was.Value)
}

// lowerIsBetter are the metrics that fall when a model gets better.
var lowerIsBetter = map[evaluate.Metric]bool{
	evaluate.LogLoss: true, evaluate.Brier: true, evaluate.ECE: true,
	evaluate.RMSE: true, evaluate.MAE: true, evaluate.Poisson: true, evaluate.MulticlassLogLoss: true,
}

// lost says which calibration estimate of the last batch is outside its bounds, or
// nothing.
func (f *Facts) lost(bounds []Bound) string {
	if len(f.Matured) == 0 {
		return ""
	}
	last := f.Matured[len(f.Matured)-1]
	for _, b := range bounds {
		e, ok := last.Estimates[b.Metric]
		if ok && (e.High < b.Low || e.Low > b.High) {
			return fmt.Sprintf("%s of the champion is %.4f on %s, from %.4f to %.4f, and must be from %g to %g",
				b.Metric, e.Value, last.Batch, e.Low, e.High, b.Low, b.High)
		}
	}
	return ""
}

// kind says what is done about a calibration that is lost. If the champion beyond doubt
// tells rows apart as well as when it came, it keeps its trees; if beyond doubt it does
// not, a calibration cannot mend it. In between, that chance may have made a fall is no
// proof that there was none, and later batches say which challenger is better.
func (f *Facts) kind(s Settings) Kind {
	margin := rankingMargin
	if s.Metric == evaluate.AUC {
		margin = s.Fall
	}
	base, last, ok := f.ends(evaluate.AUC)
	if !ok {
		return Both
	}
	switch _, least, most := worse(evaluate.AUC, base.Estimates[evaluate.AUC], last.Estimates[evaluate.AUC]); {
	case most < margin:
		return Recalibrate
	case least > margin:
		return Refit
	}
	return Both
}
