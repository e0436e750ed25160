package contract

import (
	"regexp"
	"strconv"
	"strings"

	"headgate/internal/strictyaml"
)

// historyKeys are the keys of a rule, beside its id, column and severity.
var historyKeys = []string{"metric", "against", "mustBeWithin", "minBatches"}

// ReadHistory reads a rule as the pipeline file has it: a map with id, column,
// severity and [historyKeys]. Without an id it is column.history.metric. Whether the
// column is there is for [Contract.CheckHistory].
func ReadHistory(v strictyaml.Value) (History, bool) {
	fs, ok := v.Map("a history rule", append([]string{"id", "column", "severity"}, historyKeys...)...)
	if !ok {
		return History{}, false
	}
	h := History{Severity: Error}
	h.Line, h.Col = v.Pos()
	if c, has := fs.Get("column"); has {
		if h.Column, ok = c.Text("column"); !ok {
			return h, false
		}
	}
	if !h.read(v, fs) {
		return h, false
	}
	if s, has := fs.Get("severity"); has {
		name, valid := s.OneOf("severity", string(Error), string(Warning), string(Info))
		h.Severity, ok = Severity(name), valid
	}
	h.ID = h.derivedID()
	if id, has := fs.Get("id"); has {
		s, valid := id.Text("id")
		if valid && !ruleID.MatchString(s) {
			id.Problemf("rule id %q must be letters, digits, dashes and underscores", s)
			valid = false
		}
		h.ID, ok = s, ok && valid
	}
	return h, ok
}

func (h History) derivedID() string {
	id := "history." + string(h.Metric)
	if h.Column != "" {
		id = h.Column + "." + id
	}
	return id
}

var lastN = regexp.MustCompile(`^last([1-9][0-9]?)$`)

// read reads the keys of a rule whose column is known.
func (h *History) read(at strictyaml.Value, fs strictyaml.Fields) bool {
	metric, ok1 := fs.Need("metric")
	against, ok2 := fs.Need("against")
	within, ok3 := fs.Need("mustBeWithin")
	if !ok1 || !ok2 || !ok3 {
		return false
	}
	s, ok := metric.OneOf("metric of a history rule", historyMetrics...)
	h.Metric = HistoryMetric(s)
	switch {
	case !ok:
		return false
	case h.Metric == MetricRowCount && h.Column != "":
		metric.Problemf("rowCount is of the table, not of a column")
		return false
	case h.Metric != MetricRowCount && h.Column == "":
		metric.Problemf("%s needs a column", h.Metric)
		return false
	}
	return h.readAgainst(against) && h.readWithin(within) && h.readMinBatches(fs)
}

func (h *History) readAgainst(v strictyaml.Value) bool {
	s, ok := v.Str("against")
	if !ok {
		return false
	}
	h.MinBatches = 1
	if n := lastN.FindStringSubmatch(s); n != nil {
		h.Against = AgainstLast
		h.Last, _ = strconv.Atoi(n[1])
		h.MinBatches = h.Last
		if h.Last > MaxLast {
			v.Problemf("against goes back at most %d batches, not %d", MaxLast, h.Last)
			return false
		}
		return true
	}
	h.Against = Against(s)
	if h.Against != AgainstPrevious && h.Against != AgainstLastYear {
		v.Problemf("against must be previous, lastYear, or the last n batches as in last3, not %q", s)
		return false
	}
	return true
}

// readWithin reads mustBeWithin: 20%, or [-30%, 10%].
func (h *History) readWithin(v strictyaml.Value) bool {
	if !v.IsList() {
		p, ok := percentage("mustBeWithin", v)
		if ok && p <= 0 {
			v.Problemf("mustBeWithin must be above 0%%; for two limits write [-30%%, 10%%]")
			ok = false
		}
		h.Lower, h.Upper = -p, p
		return ok
	}
	pair, _ := v.List("mustBeWithin")
	if len(pair) != 2 {
		v.Problemf("mustBeWithin needs one limit, or two as in [-30%%, 10%%]")
		return false
	}
	lower, ok1 := percentage("mustBeWithin", pair[0])
	upper, ok2 := percentage("mustBeWithin", pair[1])
	if ok1 && ok2 && !(lower <= 0 && upper >= 0 && lower < upper) {
		v.Problemf("mustBeWithin must go from 0%% or below to 0%% or above: no change must be allowed")
		ok1 = false
	}
	h.Lower, h.Upper = lower, upper
	return ok1 && ok2
}

// percentage reads 20%, and never a number that could be a share or a percentage.
func percentage(what string, v strictyaml.Value) (float64, bool) {
	s, ok := v.Scalar()
	digits, percent := strings.CutSuffix(s, "%")
	r, number := strictyaml.ParseRat(digits)
	if !ok || !percent || !number {
		if ok {
			v.Problemf("%s must be a percentage, as in 20%%, not %q", what, s)
		} else {
			v.Problemf("%s must be a percentage, as in 20%%, not %s", what, v.Kind())
		}
		return 0, false
	}
	f, _ := r.Quo(r, hundred).Float64()
	return f, true
}

func (h *History) readMinBatches(fs strictyaml.Fields) bool {
	v, ok := fs.Get("minBatches")
	if !ok {
		return true
	}
	n, ok := v.Int("minBatches")
	switch {
	case !ok:
		return false
	case h.Against != AgainstLast:
		v.Problemf("minBatches is for the last n batches; %s is one", h.Against)
		return false
	case n < 1 || n > int64(h.Last):
		v.Problemf("minBatches must be from 1 to %d, not %d", h.Last, n)
		return false
	}
	h.MinBatches = int(n)
	return true
}

// historyCheck reads a history rule of a contract: of a column, or the row count of
// the table.
func (p *parser) historyCheck(at strictyaml.Value, fs, parts strictyaml.Fields, col *column) {
	r := Rule{Severity: Error}
	p.severity(fs, &r)
	h := History{Severity: r.Severity}
	h.Line, h.Col = at.Pos()
	if col != nil {
		h.Column = col.Name
	}
	if !h.read(at, parts) {
		return
	}
	if col != nil {
		if reason := h.unsuited(col.Column); reason != "" {
			at.Problemf("%s", reason)
			return
		}
	}
	explicit := p.id(fs, &r)
	if !explicit {
		r.ID = h.derivedID()
	}
	var ok bool
	if h.ID, ok = p.take(r.ID, at, explicit); ok {
		p.c.History = append(p.c.History, h)
	}
}
