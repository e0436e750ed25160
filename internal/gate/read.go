package gate

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"

	"headgate/internal/evaluate"
	"headgate/internal/strictyaml"
)

// Read reads a policy from a pipeline file and compiles its rules. What is left out is
// as in [Default], or [DefaultRegression] if kind says so. Everything that is wrong
// becomes a problem of the file; ok is false then.
func Read(v strictyaml.Value) (p *Policy, ok bool) {
	before := v.Problems()
	r := &reader{Default()}
	fs, isMap := v.Map("gates", "kind", "alpha", "challengers", "looks", "publish", "advance", "canary", "reverse")
	if !isMap {
		return r.p, false
	}
	if v, ok := fs.Get("kind"); ok {
		if kind, _ := v.OneOf("kind", string(Binary), string(Regression)); Kind(kind) == Regression {
			r.p = DefaultRegression()
		}
	}
	r.number(fs, "alpha", &r.p.Alpha, "above 0 and at most 0.2", func(x float64) bool { return x > 0 && x <= 0.2 })
	r.whole(fs, "challengers", &r.p.Challengers, 1, 1000)
	r.whole(fs, "looks", &r.p.Looks, 1, 60)
	if v, ok := fs.Get("publish"); ok {
		if fs, ok := v.Map("publish", "rules"); ok {
			r.rules(fs, Publish, &r.p.Publish.Rules)
		}
	}
	if v, ok := fs.Get("advance"); ok {
		r.advance(v)
	}
	if v, ok := fs.Get("canary"); ok {
		r.canary(v)
	}
	if v, ok := fs.Get("reverse"); ok {
		if fs, ok := v.Map("reverse", "metrics", "looks", "rules"); ok {
			r.metrics(fs, "metrics", &r.p.Reverse.Metrics)
			r.whole(fs, "looks", &r.p.Reverse.Looks, 1, 60)
			r.rules(fs, Reverse, &r.p.Reverse.Rules)
		}
	}
	return r.p, v.Problems() == before
}

// A reader fills in a policy.
type reader struct{ p *Policy }

// number reads a number, if it is there.
func (r *reader) number(fs strictyaml.Fields, key string, to *float64, want string, good func(float64) bool) {
	v, ok := fs.Get(key)
	if !ok {
		return
	}
	x, ok := r.float(v, key)
	switch {
	case !ok:
	case !good(x):
		v.Problemf("%s must be %s, not %g", key, want, x)
	default:
		*to = x
	}
}

func (r *reader) float(v strictyaml.Value, what string) (float64, bool) {
	x, ok := v.Rat(what)
	if !ok {
		return 0, false
	}
	f, _ := x.Float64()
	return f, true
}

// whole reads a whole number, if it is there.
func (r *reader) whole(fs strictyaml.Fields, key string, to *int, least, most int64) {
	v, ok := fs.Get(key)
	if !ok {
		return
	}
	x, ok := v.Int(key)
	switch {
	case !ok:
	case x < least || x > most:
		v.Problemf("%s must be %d to %d, not %d", key, least, most, x)
	default:
		*to = int(x)
	}
}

// metrics reads a list of metrics by which one model can be better, if it is there.
func (r *reader) metrics(fs strictyaml.Fields, key string, to *[]evaluate.Metric) {
	v, ok := fs.Get(key)
	if !ok {
		return
	}
	list, ok := v.List(key)
	var out []evaluate.Metric
	for _, e := range list {
		text, ok := e.Str("an entry of " + key)
		if ok && r.metric(e, text) {
			if slices.Contains(out, evaluate.Metric(text)) {
				e.Problemf("%s has %s twice", key, text)
			}
			out = append(out, evaluate.Metric(text))
		}
	}
	if ok && len(list) == 0 {
		v.Problemf("%s is empty, and a gate that asks for nothing is never passed", key)
	}
	*to = out
}

// metric checks a metric by which one model can be better.
func (r *reader) metric(at strictyaml.Value, name string) bool {
	reason := unknown(evaluate.Metric(name))
	if reason == "" && direction(evaluate.Metric(name)) == 0 {
		reason = fmt.Sprintf("of %s neither more nor less is better", name)
	}
	if reason != "" {
		at.Problemf("%s", reason)
	}
	return reason == ""
}

func (r *reader) advance(v strictyaml.Value) {
	fs, ok := v.Map("advance", "success", "guardrails", "calibration", "slices", "rules")
	if !ok {
		return
	}
	a := &r.p.Advance
	r.metrics(fs, "success", &a.Success)
	if v, ok := fs.Get("guardrails"); ok {
		a.Guardrails = r.guardrails(v)
	}
	if v, ok := fs.Get("calibration"); ok {
		r.calibration(v)
	}
	if v, ok := fs.Get("slices"); ok {
		list, _ := v.List("slices")
		for _, e := range list {
			r.slice(e)
		}
	}
	r.rules(fs, Advance, &a.Rules)
}

// guardrails reads metrics and their margins, in the order of the names.
func (r *reader) guardrails(v strictyaml.Value) []Guardrail {
	fs, ok := v.AnyMap("guardrails")
	if !ok {
		return nil
	}
	var out []Guardrail
	for _, name := range fs.Names() {
		margin, _ := fs.Get(name)
		if r.metric(fs.Key(name), name) {
			g := Guardrail{Metric: evaluate.Metric(name)}
			g.Margin, g.Relative = r.margin(margin, name)
			out = append(out, g)
		}
	}
	return out
}

var percent = regexp.MustCompile(`^([0-9]{1,3}(\.[0-9]{1,6})?) ?%$`)

// margin reads 0.005 or 1%.
func (r *reader) margin(v strictyaml.Value, what string) (margin float64, relative bool) {
	if text, ok := v.Scalar(); ok && !v.Number() {
		if m := percent.FindStringSubmatch(text); m != nil {
			x, _ := strictyaml.ParseRat(m[1])
			margin, _ = x.Quo(x, big.NewRat(100, 1)).Float64()
			return margin, true
		}
		v.Problemf("%s must be a number or a share of the champion's, as in 0.005 or 1%%, not %q", what, text)
		return 0, false
	}
	x, ok := r.float(v, what)
	if ok && x < 0 {
		v.Problemf("%s must be at least 0: it is by how much the candidate may be worse", what)
	}
	return x, false
}

// calibration reads bounds, or none.
func (r *reader) calibration(v strictyaml.Value) {
	if text, ok := v.Scalar(); ok && text == "none" {
		r.p.Advance.Calibration = nil
		return
	}
	fs, ok := v.Map("calibration", "slope", "inTheLarge")
	if !ok {
		return
	}
	if r.p.Kind == Regression {
		v.Problemf("amounts have no calibration of probabilities; leave it out")
		return
	}
	c := r.p.Advance.Calibration
	for key, to := range map[string]*[2]float64{"slope": &c.Slope, "inTheLarge": &c.InTheLarge} {
		if v, ok := fs.Get(key); ok {
			r.bounds(v, key, to)
		}
	}
}

func (r *reader) bounds(v strictyaml.Value, key string, to *[2]float64) {
	list, ok := v.List(key)
	if !ok {
		return
	}
	if len(list) != 2 {
		v.Problemf("%s must be a lower and an upper bound, as in [0.8, 1.25]", key)
		return
	}
	for i, e := range list {
		if to[i], ok = r.float(e, "a bound of "+key); !ok {
			return
		}
	}
	if to[0] >= to[1] {
		v.Problemf("%s has a lower bound of %g, which is not below %g", key, to[0], to[1])
	}
}

// slice reads one entry of slices.
func (r *reader) slice(v strictyaml.Value) {
	fs, ok := v.Map("an entry of slices", "by", "metric", "margin", "values", "minRows", "pool", "reportOnly")
	if !ok {
		return
	}
	s := SlicePolicy{MinRows: 500, Pool: 6, Guardrail: Guardrail{Metric: evaluate.AUC, Margin: 0.02}}
	if r.p.Kind == Regression {
		s.Metric = evaluate.RMSE
	}
	if by, ok := fs.Need("by"); ok {
		s.By, _ = by.Str("by")
	}
	if m, ok := fs.Get("metric"); ok {
		if name, ok := m.Str("metric"); ok && r.metric(m, name) {
			s.Metric = evaluate.Metric(name)
		}
	}
	if s.Metric != evaluate.AUC {
		s.Margin, s.Relative = 0.05, true
	}
	if m, ok := fs.Get("margin"); ok {
		s.Margin, s.Relative = r.margin(m, "margin")
	}
	if m, ok := fs.Get("values"); ok {
		list, _ := m.List("values")
		for _, e := range list {
			text, _ := e.Text("an entry of values")
			s.Values = append(s.Values, text)
		}
	}
	rows := int(s.MinRows)
	r.whole(fs, "minRows", &rows, 2, 1_000_000_000)
	s.MinRows = int64(rows)
	r.whole(fs, "pool", &s.Pool, 1, 6)
	if m, ok := fs.Get("reportOnly"); ok {
		s.ReportOnly, _ = m.Bool("reportOnly")
	}
	for _, other := range r.p.Advance.Slices {
		if other.By == s.By && other.Metric == s.Metric {
			v.Problemf("slices has %s by %s twice", s.Metric, s.By)
		}
	}
	r.p.Advance.Slices = append(r.p.Advance.Slices, s)
}

func (r *reader) canary(v strictyaml.Value) {
	fs, ok := v.Map("canary", "psi", "flips", "shift", "volume", "rules")
	if !ok {
		return
	}
	c := &r.p.Canary
	positive := func(x float64) bool { return x >= 0 }
	share := func(x float64) bool { return x >= 0 && x <= 1 }
	r.number(fs, "psi", &c.PSI, "at least 0, where 0 is no bound", positive)
	r.number(fs, "flips", &c.Flips, "in [0, 1], where 0 is no bound", share)
	r.number(fs, "shift", &c.Shift, "at least 0, where 0 is no bound", positive)
	r.number(fs, "volume", &c.Volume, "in [0, 1], where 0 is no bound", share)
	r.rules(fs, Canary, &c.Rules)
}

var idRule = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$`)

// rules reads and compiles the rules of a subject, if they are there.
func (r *reader) rules(fs strictyaml.Fields, subject Subject, to *[]Rule) {
	v, ok := fs.Get("rules")
	if !ok {
		return
	}
	list, _ := v.List("rules")
	for _, e := range list {
		r.rule(e, subject, to)
	}
}

func (r *reader) rule(v strictyaml.Value, subject Subject, to *[]Rule) {
	fs, ok := v.Map("a rule", "id", "rule", "reason", "else", "reportOnly")
	if !ok {
		return
	}
	rule := Rule{Else: Block}
	if id, ok := fs.Need("id"); ok {
		rule.ID, ok = id.Text("id")
		if ok && !idRule.MatchString(rule.ID) {
			id.Problemf("id %q must be up to 63 letters, digits, dashes and underscores", rule.ID)
		}
		if slices.Contains(ownRules, rule.ID) || slices.ContainsFunc(*to, func(o Rule) bool { return o.ID == rule.ID }) {
			id.Problemf("there is another rule %s", rule.ID)
		}
	}
	if text, ok := fs.Need("rule"); ok {
		rule.Rule = r.expression(text, subject)
	}
	if text, ok := fs.Get("reason"); ok {
		rule.Reason, _ = text.Str("reason")
	}
	if text, ok := fs.Get("else"); ok {
		verdict, _ := text.OneOf("else", string(Block), string(Ask), string(Inconclusive))
		rule.Else = Verdict(verdict)
	}
	if text, ok := fs.Get("reportOnly"); ok {
		rule.ReportOnly, _ = text.Bool("reportOnly")
	}
	*to = append(*to, rule)
}

// ownRules are the names of the rules that need no writing; others of them have a
// slash.
var ownRules = []string{"data", "later", "superior", "stays", "scores", "contract", "psi", "flips", "shift", "volume"}

// expression reads and compiles a rule in CEL.
func (r *reader) expression(v strictyaml.Value, subject Subject) string {
	text, ok := v.Str("rule")
	if !ok {
		return ""
	}
	_, err := compile(subject, text)
	if wrong := new(RuleError); errors.As(err, &wrong) {
		v.ProblemInf(wrong.Line, wrong.Column, "%s", wrong.Message)
	} else if err != nil {
		v.Problemf("%v", err)
	}
	return text
}
