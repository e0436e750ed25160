package gate

import (
	"fmt"
	"slices"
	"strings"

	"headgate/internal/evaluate"
)

// advance asks whether a candidate is better in something and worse in nothing.
func (d *Decision) advance(p *Policy) {
	o := d.Evidence.Outcome
	if o == nil {
		d.add("superior", superiorRule(p.Advance.Success), "", Inconclusive, "there are no labels")
		return
	}
	d.later(o)
	d.superior(p, o)
	for _, g := range p.Advance.Guardrails {
		d.guardrail(g, o)
	}
	if c := p.Advance.Calibration; c != nil {
		m := o.Calibration
		if m == nil {
			m = &CalibrationOutcome{}
		}
		d.calibrated("calibration/slope", "the slope of the calibration", c.Slope, m.Slope, 1, o)
		d.calibrated("calibration/inTheLarge", "the calibration in the large", c.InTheLarge, m.InTheLarge, 0, o)
	}
	for _, s := range p.Advance.Slices {
		d.slices(s, o)
	}
}

// later asks that no batch of the evidence is one that the model has learned from.
func (d *Decision) later(o *Outcome) {
	learned := d.Evidence.Release.Learned
	if learned == "" {
		return
	}
	rule := fmt.Sprintf("every batch is later than %s, the last that the model learned from", learned)
	for _, b := range o.Batches {
		if b <= learned {
			d.add("later", rule, b, Block, "batch %s is not later than %s, so it is no evidence", b, learned)
			return
		}
	}
	d.add("later", rule, strings.Join(o.Batches, ", "), Pass, "all batches are later than %s", learned)
}

func superiorRule(metrics []evaluate.Metric) string {
	return "better beyond doubt in at least one of " + list(metrics)
}

func list(metrics []evaluate.Metric) string {
	var out []string
	for _, m := range metrics {
		out = append(out, string(m))
	}
	return strings.Join(out, ", ")
}

// superior asks that the candidate is better in one metric at least, now or at an
// earlier look. After the last look the answer is no.
func (d *Decision) superior(p *Policy, o *Outcome) {
	const id = "superior"
	rule, success := superiorRule(p.Advance.Success), p.Advance.Success
	var values []string
	worse, measured := 0, 0
	for _, m := range success {
		e := o.Metrics[m].Success
		if e == nil {
			continue
		}
		measured++
		values = append(values, fmt.Sprintf("%s %s", m, interval(*e)))
		if gain(m, *e).High < 0 {
			worse++
		}
	}
	value := strings.Join(values, ", ")
	for i, l := range o.Past {
		if better := intersect(success, l.Superior); len(better) > 0 {
			if i == len(o.Past)-1 {
				d.add(id, rule, value, Pass, "the candidate is better in %s", list(better))
			} else {
				d.add(id, rule, value, Pass, "the candidate was better in %s when %d batches had labels", list(better), l.Batches)
			}
			return
		}
	}
	switch {
	case len(success) == 0:
		d.add(id, rule, value, Ask, "the policy names no metric of success")
	case o.Tried >= o.Budget:
		d.add(id, rule, value, Ask, "%d challengers were tried this year, and the budget is %d: no error is left to spend", o.Tried, o.Budget)
	case measured < len(success) && o.Alpha.Success > 0:
		d.add(id, rule, value, d.unresolved(), "%s", o.missing(success))
	case measured > 0 && worse == measured:
		d.add(id, rule, value, Block, "the candidate is worse in %s", list(success))
	case !o.last():
		d.add(id, rule, value, Inconclusive, "after %d of %d batches the candidate is not better beyond doubt", len(o.Batches), o.Looks)
	default:
		d.add(id, rule, value, Block, "after all %d batches the candidate is not better beyond doubt", o.Looks)
	}
}

func intersect(a, b []evaluate.Metric) []evaluate.Metric {
	return slices.DeleteFunc(slices.Clone(a), func(m evaluate.Metric) bool { return !slices.Contains(b, m) })
}

// missing says which of some metrics are missing, and why.
func (o *Outcome) missing(metrics []evaluate.Metric) string {
	var out []string
	for _, m := range metrics {
		if _, ok := o.Metrics[m]; ok {
			continue
		}
		reason := "it was not measured"
		for _, x := range o.Missing {
			if x.Metric == m {
				reason = x.Reason
			}
		}
		out = append(out, fmt.Sprintf("%s is missing: %s", m, reason))
	}
	return strings.Join(out, "; ")
}

// rule says in words what a guardrail asks for.
func (g Guardrail) rule() string {
	if g.Relative {
		return fmt.Sprintf("%s is not worse by more than %s %% of the champion's", g.Metric, number(100*g.Margin))
	}
	return fmt.Sprintf("%s is not worse by more than %s", g.Metric, number(g.Margin))
}

// verdict compares a difference with the margin.
func (g Guardrail) verdict(e evaluate.Estimate) Verdict {
	switch better := gain(g.Metric, e); {
	case better.Low > -g.Margin || better.Low == 0 && better.High == 0:
		return Pass
	case better.High < -g.Margin:
		return Block
	}
	return Inconclusive
}

// guardrail asks that the candidate is not worse by more than a margin.
func (d *Decision) guardrail(g Guardrail, o *Outcome) {
	id := "guardrail/" + string(g.Metric)
	m, ok := o.Metrics[g.Metric]
	e := &m.Difference
	if g.Relative {
		e = m.Relative
	}
	switch {
	case !ok:
		d.add(id, g.rule(), "", d.unresolved(), "%s", o.missing([]evaluate.Metric{g.Metric}))
	case e == nil:
		d.add(id, g.rule(), "", d.unresolved(), "the difference has no interval as a share of the champion's metric")
	case g.verdict(*e) == Pass:
		d.add(id, g.rule(), interval(*e), Pass, "%s is not worse by more than the margin", g.Metric)
	case g.verdict(*e) == Block:
		d.add(id, g.rule(), interval(*e), Block, "%s is worse by more than the margin", g.Metric)
	default:
		d.add(id, g.rule(), interval(*e), d.unresolved(), "%s may be worse by more than the margin", g.Metric)
	}
}

// calibrated asks that the candidate's calibration is within bounds. Where it may be
// outside, because clusters are few or the world has moved both models, it is enough
// that the champion's is no better: a candidate that may be outside must not be farther
// from the best by more than an eighth of the bounds' width, and one that is outside
// beyond doubt must be nearer. If both are outside beyond doubt, and which is nearer is
// not known, more batches say.
func (d *Decision) calibrated(id, what string, bounds [2]float64, m *Metric, best float64, o *Outcome) {
	rule := fmt.Sprintf("%s is between %s and %s, or the champion's is no better", what, number(bounds[0]), number(bounds[1]))
	if m == nil {
		metric := evaluate.Slope
		if best == 0 {
			metric = evaluate.InTheLarge
		}
		d.add(id, rule, "", d.unresolved(), "%s", o.missing([]evaluate.Metric{metric}))
		return
	}
	c := m.Candidate
	out := func(e evaluate.Estimate) bool { return e.High < bounds[0] || e.Low > bounds[1] }
	least, most := farther(m, best)
	switch {
	case c.Low >= bounds[0] && c.High <= bounds[1]:
		d.add(id, rule, interval(c), Pass, "%s is inside", what)
	case most < 0:
		d.add(id, rule, interval(c), Pass, "%s may be outside, and is nearer to %s than the champion's %s", what, number(best), interval(m.Champion))
	case out(c) && out(m.Champion) && !(least > 0) && d.Format > 1:
		d.add(id, rule, interval(c), d.unresolved(), "%s is outside beyond doubt, and so is the champion's %s; which is nearer to %s is not known", what, interval(m.Champion), number(best))
	case out(c):
		d.add(id, rule, interval(c), Block, "%s is outside beyond doubt", what)
	case most < (bounds[1]-bounds[0])/8:
		d.add(id, rule, interval(c), Pass, "%s may be outside, and so may the champion's %s", what, interval(m.Champion))
	default:
		d.add(id, rule, interval(c), d.unresolved(), "%s may be outside", what)
	}
}

// farther returns by how much the candidate is farther from the best than the champion at
// least and at most, on the side of the champion or beyond the best on the other.
func farther(m *Metric, best float64) (least, most float64) {
	from, to := m.Champion.Value-best, m.Candidate.Value-best
	beyond := -to - from
	least, most = m.Difference.Low, m.Difference.High
	if from < 0 {
		beyond = to + from
		least, most = -m.Difference.High, -m.Difference.Low
	}
	if (from < 0) != (to < 0) {
		least = beyond
	}
	return least, max(most, beyond)
}

// slices asks that no slice is worse by more than its margin. Small ones wait for more
// batches, up to the policy's pool; then a person is asked.
func (d *Decision) slices(s SlicePolicy, o *Outcome) {
	wait := Inconclusive
	if len(o.Batches) >= s.Pool {
		wait = Ask
	}
	for _, found := range o.Slices {
		if found.By != s.By || found.Metric != s.Metric {
			continue
		}
		r := RuleResult{ID: "slice/" + s.By + "/" + found.Value + "/" + string(s.Metric), Rule: fmt.Sprintf("where %s is %s, %s", s.By, found.Value, s.rule()), ReportOnly: s.ReportOnly}
		if found.Difference == nil {
			r.Outcome, r.Reason = wait, found.Missing
			d.Rules = append(d.Rules, r)
			continue
		}
		r.Value = interval(*found.Difference)
		switch r.Outcome = s.verdict(*found.Difference); r.Outcome {
		case Pass:
			r.Reason = fmt.Sprintf("%s is not worse by more than the margin in %d rows", s.Metric, found.Rows)
		case Block:
			r.Reason = fmt.Sprintf("%s is worse by more than the margin in %d rows", s.Metric, found.Rows)
		default:
			r.Outcome, r.Reason = wait, fmt.Sprintf("%s may be worse by more than the margin in %d rows", s.Metric, found.Rows)
		}
		d.Rules = append(d.Rules, r)
	}
}

// reverse asks whether the new champion may stay. It must go if the former one is
// better beyond doubt in a metric, and worse in none.
func (d *Decision) reverse(p *Policy) {
	const id, rule = "stays", "the former champion is not better beyond doubt"
	o := d.Evidence.Outcome
	if o == nil {
		d.add(id, rule, "", Inconclusive, "there are no labels")
		return
	}
	var values []string
	for _, m := range p.Reverse.Metrics {
		if e := o.Metrics[m].Success; e != nil {
			values = append(values, fmt.Sprintf("%s %s", m, interval(*e)))
		}
	}
	var better, worse []evaluate.Metric
	if n := len(o.Past); n > 0 {
		better, worse = intersect(p.Reverse.Metrics, o.Past[n-1].Superior), intersect(p.Reverse.Metrics, o.Past[n-1].Worse)
	}
	value := strings.Join(values, ", ")
	switch {
	case len(p.Reverse.Metrics) == 0:
		d.add(id, rule, value, Ask, "the policy names no metric")
	case len(worse) > 0 && len(better) == 0:
		d.add(id, rule, value, Block, "the former champion is better in %s", list(worse))
	case len(worse) > 0:
		d.add(id, rule, value, Ask, "the former champion is better in %s, and the new one in %s", list(worse), list(better))
	case len(values) < len(p.Reverse.Metrics) && o.Alpha.Success > 0:
		d.add(id, rule, value, d.unresolved(), "%s", o.missing(p.Reverse.Metrics))
	case !o.last():
		d.add(id, rule, value, Inconclusive, "after %d of %d batches the former champion is not better beyond doubt", len(o.Batches), o.Looks)
	default:
		d.add(id, rule, value, Pass, "after all %d batches the former champion is not better beyond doubt", o.Looks)
	}
}
