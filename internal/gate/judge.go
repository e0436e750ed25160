package gate

import (
	"fmt"
	"slices"
	"strings"

	"headgate/internal/evaluate"
)

// Judge answers a question by a policy. A block is an answer and not an error; an
// error means that the policy or the subject make no sense.
//
// A gate blocks if one of its rules does, else asks if one does, else is inconclusive
// if one is. It passes if all pass, and at least one of them without a waiver.
func Judge(p *Policy, subject Subject, e Evidence, waivers []Waiver) (*Decision, error) {
	return judge(Format, p, subject, e, waivers)
}

// Again judges the evidence of a decision once more, as it was judged in the version of
// the decision.
func Again(p *Policy, d *Decision) (*Decision, error) {
	if d.Format < 1 || d.Format > Format {
		return nil, fmt.Errorf("gate: a decision of format %d is newer than this program, which reads %d", d.Format, Format)
	}
	return judge(d.Format, p, d.Subject, d.Evidence, d.Waivers)
}

func judge(format int, p *Policy, subject Subject, e Evidence, waivers []Waiver) (*Decision, error) {
	if p == nil {
		return nil, fmt.Errorf("gate: there is no policy to judge %s by", subject)
	}
	d := &Decision{Format: format, Policy: p.Digest(), Subject: subject, Evidence: e, Waivers: slices.Clone(waivers), Rules: []RuleResult{}}
	switch subject {
	case Publish:
		d.data()
	case Advance:
		d.advance(p)
	case Canary:
		d.canary(&p.Canary)
	case Reverse:
		d.reverse(p)
	default:
		return nil, fmt.Errorf("gate: no such subject as %q", subject)
	}
	for _, r := range p.rules(subject) {
		if err := d.rule(r); err != nil {
			return nil, err
		}
	}
	d.conclude()
	return d, nil
}

// rules returns the rules in CEL of a subject.
func (p *Policy) rules(subject Subject) []Rule {
	switch subject {
	case Publish:
		return p.Publish.Rules
	case Advance:
		return p.Advance.Rules
	case Canary:
		return p.Canary.Rules
	case Reverse:
		return p.Reverse.Rules
	}
	return nil
}

// rule evaluates a rule in CEL.
func (d *Decision) rule(r Rule) error {
	c, err := compile(d.Subject, r.Rule)
	if err != nil {
		return fmt.Errorf("gate: rule %s: %w", r.ID, err)
	}
	out := RuleResult{ID: r.ID, Rule: r.Rule, Outcome: Pass, Reason: "the rule holds", ReportOnly: r.ReportOnly}
	truth, values, err := c.truth(d.Evidence)
	out.Value = values
	switch {
	case err != nil:
		out.Outcome, out.Reason = d.unresolved(), err.Error()
	case !truth:
		out.Outcome, out.Reason = r.Else, r.Reason
		if r.Else == "" {
			out.Outcome = Block
		}
		if r.Reason == "" {
			out.Reason = "the rule does not hold"
		}
	}
	d.Rules = append(d.Rules, out)
	return nil
}

// unresolved is what a rule says that has no answer: wait, if there will be another
// look, else ask.
func (d *Decision) unresolved() Verdict {
	labels := d.Subject == Advance || d.Subject == Reverse
	if o := d.Evidence.Outcome; labels && (o == nil || !o.last()) {
		return Inconclusive
	}
	return Ask
}

// last reports whether all batches that were planned have been looked at.
func (o *Outcome) last() bool { return len(o.Batches) >= o.Looks }

// add adds the result of a rule.
func (d *Decision) add(id, rule, value string, outcome Verdict, format string, args ...any) {
	d.Rules = append(d.Rules, RuleResult{ID: id, Rule: rule, Value: value, Outcome: outcome, Reason: fmt.Sprintf(format, args...)})
}

// data asks for what is known before labels.
func (d *Decision) data() {
	const rule = "the data verdict is pass"
	in := d.Evidence.Data
	switch {
	case in == nil:
		d.add("data", rule, "", Ask, "there is no verdict over the data")
	case in.Verdict == Pass:
		d.add("data", rule, string(in.Verdict), Pass, "contract, quarantine, history and drift let the data through")
	case in.Verdict == Block || in.Verdict == Ask:
		d.add("data", rule, string(in.Verdict), in.Verdict, "%s", strings.Join(append([]string{"the data verdict is " + string(in.Verdict)}, in.Reasons...), "; "))
	default:
		d.add("data", rule, string(in.Verdict), Ask, "the data verdict %q is none", in.Verdict)
	}
}

// canary asks what one batch says that the candidate served a share of.
func (d *Decision) canary(p *CanaryPolicy) {
	d.data()
	in := d.Evidence.Compare
	if in == nil {
		d.add("scores", "the candidate scored every row", "", Ask, "the scores were not compared")
		return
	}
	switch {
	case in.Failed != "":
		d.add("scores", "the candidate scored every row", "", Block, "the candidate failed: %s", in.Failed)
	case in.Rows == 0:
		d.add("scores", "the candidate scored every row", "0", Ask, "there are no rows to compare")
	default:
		d.add("scores", "the candidate scored every row", fmt.Sprint(in.Rows), Pass, "%d rows were scored by both models", in.Rows)
	}
	if in.Invalid > 0 {
		d.add("contract", "every score keeps the contract of the scores", fmt.Sprint(in.Invalid), Block, "%d scores of the candidate break the contract of the scores", in.Invalid)
	} else {
		d.add("contract", "every score keeps the contract of the scores", "0", Pass, "no score of the candidate breaks the contract of the scores")
	}
	d.bounded(p, in)
	if p.Volume > 0 {
		d.volume(p.Volume, in.Volume)
	}
}

// bounded asks that the candidate's scores are what its shadow leads to expect or,
// without a shadow, that they are not far from the champion's.
func (d *Decision) bounded(p *CanaryPolicy, in *Compare) {
	type bound struct {
		id, what string
		most     float64
		e        *evaluate.Estimate
		low      float64
	}
	bounds := []bound{
		{"psi", "the index of the candidate's scores", p.PSI, in.PSI, 0},
		{"flips", "the share of decisions that change", p.Flips, in.Flips, 0},
		{"shift", "the shift of the mean score", p.Shift, in.Shift, -p.Shift},
	}
	missing := ""
	if m := in.Moved; m != nil {
		missing = m.Missing
		bounds = []bound{
			{"psi", "the index of the candidate's scores against its shadow's", p.PSI, m.PSI, 0},
			{"flips", "the share of decisions that change, less its shadow's,", p.Flips, m.Flips, -p.Flips},
			{"shift", "the shift of the mean score, less its shadow's,", p.Shift, m.Shift, -p.Shift},
		}
	}
	for _, b := range bounds {
		if b.most > 0 {
			d.within(b.id, b.what, b.e, b.low, b.most, missing)
		}
	}
}

// within asks that an interval is inside of bounds. missing may say why there is none.
func (d *Decision) within(id, what string, e *evaluate.Estimate, low, high float64, missing string) {
	rule := fmt.Sprintf("%s is between %s and %s", what, number(low), number(high))
	switch {
	case e == nil && missing != "":
		d.add(id, rule, "", Ask, "%s was not measured: %s", what, missing)
	case e == nil:
		d.add(id, rule, "", Ask, "%s was not measured", what)
	case e.Low >= low && e.High <= high:
		d.add(id, rule, interval(*e), Pass, "%s is inside", what)
	case e.High < low || e.Low > high:
		d.add(id, rule, interval(*e), Block, "%s is outside beyond doubt", what)
	default:
		d.add(id, rule, interval(*e), Inconclusive, "%s may be outside", what)
	}
}

// volume asks that the candidate served its share of the rows.
func (d *Decision) volume(least float64, v *Volume) {
	rule := fmt.Sprintf("chance alone gives such shares of the rows with a probability of %s or more", number(least))
	switch {
	case v == nil:
		d.add("volume", rule, "", Ask, "the rows that each model served were not counted")
	case v.P >= least:
		d.add("volume", rule, number(v.P), Pass, "the candidate served %d of %d rows, and its share is %s", v.Rows, v.Of, number(v.Share))
	default:
		d.add("volume", rule, number(v.P), Block, "the candidate served %d of %d rows, which is not its share of %s", v.Rows, v.Of, number(v.Share))
	}
}

// conclude applies the waivers and sums up.
func (d *Decision) conclude() {
	counted := map[Verdict]int{}
	for i := range d.Rules {
		r := &d.Rules[i]
		for j, w := range d.Waivers {
			if r.Outcome != Pass && w.Rule == r.ID && d.Evidence.Release.At.Before(w.Until) {
				r.Waived = &d.Waivers[j]
			}
		}
		switch {
		case r.ReportOnly:
		case r.Waived != nil:
			d.Reasons = append(d.Reasons, fmt.Sprintf("%s is waived by %s: %s", r.ID, r.Waived.By, r.Waived.Reason))
		default:
			counted[r.Outcome]++
		}
	}
	d.Verdict = Ask
	for _, v := range []Verdict{Block, Ask, Inconclusive, Pass} {
		if counted[v] > 0 {
			d.Verdict = v
			break
		}
	}
	if len(counted) == 0 {
		d.Reasons = append(d.Reasons, "the gate is empty: no rule counts")
	}
	for _, r := range d.Rules {
		if !r.ReportOnly && r.Waived == nil && (r.Outcome != Pass || d.Verdict == Pass) {
			d.Reasons = append(d.Reasons, r.ID+": "+r.Reason)
		}
	}
}

// number writes a number as briefly as it can be told from others.
func number(x float64) string { return fmt.Sprintf("%.4g", x) }

// interval writes an estimate with its bounds.
func interval(e evaluate.Estimate) string {
	return fmt.Sprintf("%s [%s, %s]", number(e.Value), number(e.Low), number(e.High))
}
