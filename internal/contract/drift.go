package contract

import "headgate/internal/strictyaml"

// A DriftPolicy says how far one column may drift, in place of the pipeline's
// thresholds.
type DriftPolicy struct {
	Ignore          bool    // say nothing about this column
	Moderate, Major float64 // effects from which the column warns and is major; not set if Ignore is
}

// driftCheck reads the drift policy of a column.
func (p *parser) driftCheck(at strictyaml.Value, fs, parts strictyaml.Fields, col *column) {
	switch {
	case col == nil:
		at.Problemf("a drift rule belongs to a column; the pipeline file has the thresholds of all")
		return
	case fs.Has("severity"):
		fs.Key("severity").Problemf("a drift rule has no severity: drift.action of the pipeline file says what drift does")
		return
	}
	if _, twice := p.c.Drift[col.Name]; twice {
		at.Problemf("the column %s has two drift rules", col.Name)
		return
	}
	d, ok := driftPolicy(at, parts)
	if !ok {
		return
	}
	if fs.Has("id") {
		r := Rule{}
		if !p.id(fs, &r) {
			return
		}
		if _, ok := p.take(r.ID, at, true); !ok {
			return
		}
	}
	if p.c.Drift == nil {
		p.c.Drift = map[string]DriftPolicy{}
	}
	p.c.Drift[col.Name] = d
}

// driftPolicy reads both thresholds, or ignore: true.
func driftPolicy(at strictyaml.Value, parts strictyaml.Fields) (DriftPolicy, bool) {
	if v, ok := parts.Get("ignore"); ok {
		ignore, ok := v.Bool("ignore")
		switch {
		case !ok:
		case !ignore:
			v.Problemf("ignore: false says nothing; leave the drift rule out")
		case parts.Has("moderate") || parts.Has("major"):
			v.Problemf("a column that is ignored has no thresholds")
		default:
			return DriftPolicy{Ignore: true}, true
		}
		return DriftPolicy{}, false
	}
	var d DriftPolicy
	for _, threshold := range []struct {
		key string
		to  *float64
	}{{"moderate", &d.Moderate}, {"major", &d.Major}} {
		v, ok := parts.Get(threshold.key)
		if !ok {
			at.Problemf("a drift rule needs both moderate and major, or ignore: true")
			return d, false
		}
		r, ok := v.Rat(threshold.key)
		switch {
		case !ok:
			return d, false
		case r.Sign() <= 0:
			v.Problemf("%s must be above 0, not %s", threshold.key, ratString(r))
			return d, false
		}
		*threshold.to, _ = r.Float64()
	}
	if d.Major < d.Moderate {
		parts.Key("major").Problemf("major, which is %g, must not be smaller than moderate, which is %g", d.Major, d.Moderate)
		return d, false
	}
	return d, true
}
