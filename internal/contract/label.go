package contract

import (
	"regexp"
	"strconv"
	"time"

	"headgate/internal/strictyaml"
)

// What labelAbsence can be.
const (
	absenceNegative = "negative"
	absenceUnknown  = "unknown"
)

// labelPolicy reads the properties of an object that say when labels are known. A window
// makes the policy; the others are nothing without it.
func (p *parser) labelPolicy(own map[string]strictyaml.Value) {
	window, ok := own["labelWindow"]
	if !ok {
		for _, name := range objectOwn {
			if v, has := own[name]; has {
				v.Problemf("%s needs labelWindow beside it: how long an outcome counts, as in 30d", name)
			}
		}
		return
	}
	l := &LabelPolicy{}
	l.Window = labelTime("labelWindow", window)
	if v, ok := own["labelSettlement"]; ok {
		l.Settlement = labelTime("labelSettlement", v)
	}
	if v, ok := own["labelAbsence"]; ok {
		s, _ := v.OneOf("labelAbsence", absenceNegative, absenceUnknown)
		l.Negative = s == absenceNegative
	}
	if v, ok := own["labelMarker"]; ok {
		s, ok := v.Str("labelMarker")
		if ok && !markerName.MatchString(s) {
			v.Problemf("labelMarker %q must be the name of a file without folders, as in _COMPLETE", s)
		}
		l.Marker = s
	} else if l.Negative {
		own["labelAbsence"].Problemf("labelAbsence negative needs labelMarker: before labels are complete, a missing one says nothing")
	}
	p.c.Labels = l
}

var (
	markerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)
	labelSpan  = regexp.MustCompile(`^([0-9]{1,6})([dhms])$`)
)

var labelUnits = map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}

// maxLabelTime bounds a window and a settlement.
const maxLabelTime = 10 * 366 * 24 * time.Hour

// labelTime reads a number and a unit: 30d, 36h, 90m, 10s.
func labelTime(what string, v strictyaml.Value) time.Duration {
	text, _ := v.Scalar()
	m := labelSpan.FindStringSubmatch(text)
	if m == nil {
		v.Problemf("%s must be a number and a unit (d, h, m or s), as in 30d, not %q", what, text)
		return 0
	}
	n, _ := strconv.ParseInt(m[1], 10, 64)
	d := time.Duration(n) * labelUnits[m[2]]
	if d > maxLabelTime {
		v.Problemf("%s is %s, longer than ten years", what, text)
	}
	return d
}

// availability finds the columns that say when values were known.
func (p *parser) availability() {
	for i, col := range p.made {
		if col.availableAt == nil {
			continue
		}
		v := *col.availableAt
		name, ok := v.Str("availableAt")
		if !ok {
			continue
		}
		var when *column
		for _, other := range p.made {
			if other.LogicalName == name {
				when = other
			}
		}
		switch {
		case when == nil:
			v.Problemf("there is no column %s%s", name, strictyaml.Hint(name, p.logicalNames()))
		case when == col:
			v.Problemf("%s cannot say when it was known itself; name a column of dates or timestamps", name)
		case when.Type != Date && when.Type != Timestamp:
			v.Problemf("availableAt names %s, which must be a date or a timestamp, not %s", name, orAny(when.Type))
		case !col.Has(RoleFeature):
			v.Problemf("availableAt belongs to a feature; %s is none", col.LogicalName)
		default:
			p.c.Columns[i].Available = when.Name
		}
	}
}

func orAny(t Type) string {
	if t == "" {
		return "of any type"
	}
	return article(string(t))
}
