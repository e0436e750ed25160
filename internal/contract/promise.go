package contract

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"headgate/internal/strictyaml"
)

// A Promise is a service level of slaProperties that is judged with the batch. All
// have severity error, for the standard has none.
type Promise struct {
	ID        string // explicit, or column.latency and column.retention
	Kind      Kind   // [KindLatency] or [KindRetention]
	Column    string // of dates or timestamps, in the file
	Period    Period
	Line, Col int
}

// A Period is a length of time as the contract writes it: a number of units.
// Months and years are those of the calendar.
type Period struct {
	Months int           // years are twelve
	Rest   time.Duration // weeks, days and less; a day has 24 hours
	text   string
}

// String returns the period as it was written: "2 d".
func (p Period) String() string { return p.text }

// Before returns the moment that lies the period before t. A month before the 31st
// of March is the last day of February.
func (p Period) Before(t time.Time) time.Time {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).AddDate(0, -p.Months, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1).Add(-p.Rest)
}

// A periodUnit is what a unit counts: months, or a fixed time.
type periodUnit struct {
	names  []string
	months int64
	fixed  time.Duration
}

// periodUnits has d and y, which the standard names, and others of their kind.
// m is a minute, as in ISO 8601's times; a month is mo.
var periodUnits = []periodUnit{
	{names: []string{"s", "sec", "second", "seconds"}, fixed: time.Second},
	{names: []string{"m", "min", "minute", "minutes"}, fixed: time.Minute},
	{names: []string{"h", "hr", "hour", "hours"}, fixed: time.Hour},
	{names: []string{"d", "day", "days"}, fixed: 24 * time.Hour},
	{names: []string{"w", "week", "weeks"}, fixed: 7 * 24 * time.Hour},
	{names: []string{"mo", "month", "months"}, months: 1},
	{names: []string{"y", "yr", "year", "years"}, months: 12},
}

// maxYears is the longest period.
const maxYears = 100

var promiseKeys = []string{"id", "property", "value", "valueExt", "unit", "element", "driver", "description", "scheduler", "schedule"}

// promises reads the service levels: latency, also called freshness, and retention
// are judged with the batch; the others are about deliveries.
func (p *parser) promises(fs strictyaml.Fields) {
	v, ok := fs.Get("slaProperties")
	if !ok {
		return
	}
	list, _ := v.List("slaProperties")
	for _, e := range list {
		entry, ok := e.Map("an entry of slaProperties", promiseKeys...)
		if !ok {
			continue
		}
		value, hasValue := entry.Need("value")
		v, ok := entry.Need("property")
		if !ok {
			continue
		}
		name, ok := v.Text("property")
		switch {
		case !ok || !hasValue:
		case name == "latency" || name == "freshness":
			p.promise(KindLatency, name, e, entry, value, fs)
		case name == "retention":
			p.promise(KindRetention, name, e, entry, value, fs)
		default:
			if near := strictyaml.Nearest(name, []string{"latency", "freshness", "retention"}); near != "" {
				v.Problemf("the service level %s is not known; did you mean %s?", name, near)
				continue
			}
			p.note(v, "the service level %s is not enforced", name)
		}
	}
}

// promise reads one service level that is judged: one promise for each element.
func (p *parser) promise(kind Kind, name string, at strictyaml.Value, entry strictyaml.Fields, value strictyaml.Value, top strictyaml.Fields) {
	if entry.Has("valueExt") {
		entry.Key("valueExt").Problemf("%s has one value, and no valueExt", name)
	}
	period, ok := readPeriod(name, entry, value)
	element, hasElement := entry.Get("element")
	if !hasElement {
		element, hasElement = top.Get("slaDefaultElement")
	}
	if !hasElement {
		at.Problemf("%s needs an element, as in table.column", name)
		return
	}
	text, isText := element.Str("element")
	if !ok || !isText {
		return
	}
	for i, part := range strings.Split(text, ",") {
		col := p.element(name, element, strings.TrimSpace(part))
		if col == nil {
			continue
		}
		promise := Promise{Kind: kind, Column: col.Name, Period: period}
		promise.Line, promise.Col = at.Pos()
		r := Rule{Kind: kind, Column: col.Name}
		explicit := p.id(entry, &r)
		if promise.ID, ok = p.take(r.ID, at, explicit && i == 0); ok {
			p.c.Promises = append(p.c.Promises, promise)
		}
	}
}

// element returns the column that an element names, by names or physical names, or
// nil if it is none of the batch: then it is noted, or a problem.
func (p *parser) element(name string, at strictyaml.Value, text string) *column {
	object, rest, dotted := strings.Cut(text, ".")
	i := slices.IndexFunc(p.objects, func(o *parser) bool { return o.c.Table == object || o.physicalName == object })
	switch {
	case !dotted || rest == "":
		at.Problemf("the element of %s must be table.column, not %q", name, text)
		return nil
	case i < 0:
		at.Problemf("the element of %s is of %s, and the table is %s", name, object, p.c.Table)
		return nil
	case p.objects[i].c.Table != p.c.Table:
		p.note(at, "the service level %s of %s is not judged: the batch is %s", name, object, p.c.Table)
		return nil
	}
	for _, col := range p.made {
		switch {
		case col.LogicalName != rest && col.Name != rest:
		case col.Type != Date && col.Type != Timestamp:
			at.Problemf("%s needs a date or a timestamp, and %s is %s", name, rest, typed(col.Column))
			return nil
		default:
			return col
		}
	}
	at.Problemf("there is no column %s in %s%s", rest, object, strictyaml.Hint(rest, p.logicalNames()))
	return nil
}

// readPeriod reads value and unit.
func readPeriod(name string, entry strictyaml.Fields, value strictyaml.Value) (Period, bool) {
	r, ok := value.Rat("value of " + name)
	v, hasUnit := entry.Need("unit")
	if !ok || !hasUnit {
		return Period{}, false
	}
	s, ok := v.Text("unit")
	if !ok {
		return Period{}, false
	}
	i := slices.IndexFunc(periodUnits, func(u periodUnit) bool { return slices.Contains(u.names, s) })
	if i < 0 {
		v.Problemf("unit %q of %s is not a unit of time, as in s, m, h, d, w, mo or y", s, name)
		return Period{}, false
	}
	u := periodUnits[i]
	size := max(u.months, int64(u.fixed))
	n := new(big.Rat).Mul(r, big.NewRat(size, 1))
	years := big.NewRat(maxYears*12, 1)
	if u.fixed > 0 {
		years = big.NewRat(maxYears*366*24, 1)
		years.Mul(years, big.NewRat(int64(time.Hour), 1))
	}
	switch {
	case r.Sign() <= 0:
		value.Problemf("%s must be above 0, not %s", name, ratString(r))
	case n.Cmp(years) > 0:
		value.Problemf("%s is longer than %d years", name, maxYears)
	case u.months > 0 && !n.IsInt():
		value.Problemf("%s must be a whole number of months, not %s %s", name, ratString(r), s)
	default:
		whole := new(big.Int).Quo(n.Num(), n.Denom()).Int64()
		text := fmt.Sprintf("%s %s", ratString(r), s)
		if u.months > 0 {
			return Period{Months: int(whole), text: text}, true
		}
		return Period{Rest: time.Duration(whole), text: text}, true
	}
	return Period{}, false
}

// TimeColumns returns the columns of dates and timestamps whose newest and oldest
// value [Contract.JudgeTimes] needs, in the order of the contract.
func (c *Contract) TimeColumns() []string {
	var names []string
	for _, col := range c.Columns {
		if slices.ContainsFunc(c.Promises, func(p Promise) bool { return p.Column == col.Name }) {
			names = append(names, col.Name)
		}
	}
	return names
}

// JudgeTimes returns the promises that a batch breaks as of a moment: latency, if the
// newest value is before asOf less the period, and retention, if the oldest is. Clock
// readings without a zone count as UTC, and dates are compared as whole days of UTC.
// A column that is in neither map had no value, which breaks its promises, unless it
// is [Column.Later].
func (c *Contract) JudgeTimes(newest, oldest map[string]time.Time, asOf time.Time) []Violation {
	var out []Violation
	for _, p := range c.Promises {
		col, _ := c.Column(p.Column)
		values, broken := newest, "no value of %s is within %s of %s"
		if p.Kind == KindRetention {
			values, broken = oldest, "values of %s are older than %s before %s"
		}
		limit := p.Period.Before(asOf)
		if col.Type == Date {
			limit = limit.Truncate(24 * time.Hour)
		}
		v := Violation{Rule: p.ID, Column: p.Column, Severity: Error}
		switch t, ok := values[p.Column]; {
		case !ok && col.Later():
			continue
		case !ok:
			v.Message = fmt.Sprintf("%s has no value, so its %s is not known", p.Column, p.Kind)
		case t.Before(limit):
			v.Message = fmt.Sprintf(broken, p.Column, p.Period, asOf.UTC().Format(time.RFC3339))
		default:
			continue
		}
		out = append(out, v)
	}
	return out
}
