package contract

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"headgate/internal/strictyaml"
)

var qualityKeys = append([]string{
	"id", "name", "description", "type", "metric", "rule", "arguments", "unit", "query", "engine", "implementation",
	"dimension", "method", "severity", "businessImpact", "scheduler", "schedule", "tags", "customProperties", "authoritativeDefinitions",
}, operators...)

var dimensions = []string{
	"accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness",
	"ac", "cp", "cf", "cs", "cv", "tm", "uq",
}

var columnMetrics = []string{"nullValues", "missingValues", "invalidValues", "duplicateValues"}

var tableMetrics = []string{"rowCount", "duplicateValues"}

var ruleID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// quality reads the rules of a column, or of the table if col is nil.
func (p *parser) quality(v strictyaml.Value, col *column) {
	list, _ := v.List("quality")
	for _, e := range list {
		keys := qualityKeys
		if p.compat30() {
			keys = append([]string{"validValues"}, keys...)
		}
		fs, ok := e.Map("a quality rule", keys...)
		if !ok {
			continue
		}
		p.qualityDocumentation(fs)
		kind := "library"
		if t, ok := fs.Get("type"); ok {
			if kind, ok = t.OneOf("type of a quality rule", "library", "text", "sql", "custom"); !ok {
				continue
			}
		}
		switch kind {
		case "library":
			p.library(e, fs, col)
		case "text":
			p.textRule(fs, e)
		case "sql":
			fs.Key("type").Problemf("sql rules cannot be run: no database sees a batch before it is published")
		case "custom":
			p.engine(e, fs, col)
		}
	}
}

// qualityDocumentation checks the keys that mean nothing to a check.
func (p *parser) qualityDocumentation(fs strictyaml.Fields) {
	for _, key := range []string{"name", "description", "method", "businessImpact", "scheduler", "schedule"} {
		if v, ok := fs.Get(key); ok {
			v.Text(key)
		}
	}
	if v, ok := fs.Get("dimension"); ok {
		v.OneOf("dimension", dimensions...)
	}
	if fs.Has("schedule") {
		p.note(fs.Key("schedule"), "the schedule of the rule is not used: rules run with every batch")
	}
	documents(fs)
	p.custom(fs, nil)
}

// textRule notes a rule that only people can read.
func (p *parser) textRule(fs strictyaml.Fields, at strictyaml.Value) {
	for _, key := range append([]string{"metric", "rule", "query", "engine", "implementation", "arguments", "unit"}, operators...) {
		if fs.Has(key) {
			fs.Key(key).Problemf("a text rule is not run, so it has no %s", key)
		}
	}
	text := "without a description"
	if v, ok := fs.Get("description"); ok {
		if s, ok := v.Scalar(); ok {
			text = s
		}
	}
	p.note(at, "text rule, for people, not run: %s", text)
}

// library reads a rule with a metric.
func (p *parser) library(at strictyaml.Value, fs strictyaml.Fields, col *column) {
	for _, key := range []string{"query", "engine", "implementation"} {
		if fs.Has(key) {
			fs.Key(key).Problemf("a library rule has no %s", key)
		}
	}
	if fs.Has("rule") && p.compat30() {
		p.rule30(at, fs, col)
		return
	}
	if fs.Has("rule") {
		fs.Key("rule").Problemf("rule is deprecated since 3.1; write metric")
	}
	metric, ok := fs.Get("metric")
	if !ok {
		if !fs.Has("rule") {
			at.Problemf("a quality rule needs a metric")
		}
		return
	}
	kind, ok := p.metric(metric, col)
	if !ok {
		return
	}
	r := Rule{Kind: kind, Severity: Error}
	if col != nil {
		r.Column = col.Name
	}
	r.Limit, ok = p.limit(at, fs, kind)
	argsOK := p.arguments(at, fs, col, &r)
	p.finish(at, fs, r, ok && argsOK)
}

// finish reads what every rule has, and adds the rule if the rest of it is ok.
func (p *parser) finish(at strictyaml.Value, fs strictyaml.Fields, r Rule, ok bool) bool {
	p.severity(fs, &r)
	if v, has := fs.Get("description"); has {
		r.Description, _ = v.Scalar()
	}
	explicit := p.id(fs, &r)
	if !ok {
		return false
	}
	r.Quarantine = r.Severity == Error && (r.counted() || r.Duplicates()) && r.Limit.zero()
	return p.addRule(r, at, explicit)
}

func (p *parser) metric(v strictyaml.Value, col *column) (Kind, bool) {
	metrics, where := tableMetrics, "of the table"
	if col != nil {
		metrics, where = columnMetrics, "of a column"
	}
	if s, ok := v.Scalar(); ok && !slices.Contains(metrics, s) {
		if slices.Contains(tableMetrics, s) || slices.Contains(columnMetrics, s) {
			v.Problemf("%s is not a metric %s", s, where)
			return "", false
		}
	}
	s, ok := v.OneOf("metric", metrics...)
	return Kind(s), ok
}

// id reads the rule's id or derives one, and reports whether it was given.
func (p *parser) id(fs strictyaml.Fields, r *Rule) bool {
	r.ID = string(r.Kind)
	if r.Column != "" {
		r.ID = r.Column + "." + r.ID
	}
	v, ok := fs.Get("id")
	if !ok {
		return false
	}
	s, ok := v.Text("id")
	if !ok {
		return false
	}
	if !ruleID.MatchString(s) {
		v.Problemf("rule id %q must be letters, digits, dashes and underscores", s)
		return false
	}
	r.ID = s
	return true
}

func (p *parser) severity(fs strictyaml.Fields, r *Rule) {
	if v, ok := fs.Get("severity"); ok {
		if s, ok := v.OneOf("severity", string(Error), string(Warning), string(Info)); ok {
			r.Severity = Severity(s)
		}
	}
}

// limit reads the one operator of a rule, and its unit.
func (p *parser) limit(at strictyaml.Value, fs strictyaml.Fields, kind Kind) (Limit, bool) {
	var l Limit
	percentOK := p.unit(fs, kind, &l)
	for _, op := range operators {
		if !fs.Has(op) {
			continue
		}
		if l.Op != "" {
			fs.Key(op).Problemf("a rule has one operator, and this one already has %s", l.Op)
			return l, false
		}
		l.Op = op
	}
	if l.Op == "" {
		at.Problemf("a rule needs one operator, as in mustBe: 0")
		return l, false
	}
	v, _ := fs.Get(l.Op)
	if !strings.HasSuffix(l.Op, "Between") {
		r, ok := v.Rat(l.Op)
		l.A = r
		return l, ok && percentOK && l.sensible(v, r)
	}
	pair, ok := v.List(l.Op)
	if !ok {
		return l, false
	}
	if len(pair) != 2 {
		v.Problemf("%s needs two numbers, not %d", l.Op, len(pair))
		return l, false
	}
	a, okA := pair[0].Rat(l.Op)
	b, okB := pair[1].Rat(l.Op)
	if !okA || !okB || !l.sensible(pair[0], a) || !l.sensible(pair[1], b) {
		return l, false
	}
	if a.Cmp(b) >= 0 {
		v.Problemf("%s needs the smaller number first", l.Op)
		return l, false
	}
	l.A, l.B = a, b
	return l, percentOK
}

var hundred = big.NewRat(100, 1)

// sensible refuses limits that no count can reach.
func (l Limit) sensible(v strictyaml.Value, r *big.Rat) bool {
	switch {
	case r.Sign() < 0:
		v.Problemf("%s is %s, and a count is never below 0", l.Op, ratString(r))
	case l.Percent && r.Cmp(hundred) > 0:
		v.Problemf("%s is %s percent, more than all rows", l.Op, ratString(r))
	default:
		return true
	}
	return false
}

func (p *parser) unit(fs strictyaml.Fields, kind Kind, l *Limit) bool {
	v, ok := fs.Get("unit")
	if !ok {
		return true
	}
	s, ok := v.OneOf("unit", "rows", "percent")
	if !ok {
		return false
	}
	l.Percent = s == "percent"
	if l.Percent && kind == KindRowCount {
		v.Problemf("rowCount in percent of the rows is always 100")
		return false
	}
	return true
}
