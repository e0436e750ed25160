package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/profile"
)

// An OptionError is an option that makes no sense.
type OptionError struct {
	Option string // as written in [Options]
	Reason string
}

func (e *OptionError) Error() string { return "drift: " + e.Option + " " + e.Reason }

// Compare says how far cur has moved from ref, column by column and as a whole.
// Options that make no sense give an *[OptionError]; profiles, whatever they hold,
// are never an error. o may be nil.
//
// A column warns if its effect is moderate or more and it is significant among the
// columns. The batch warns if a column does; else it is inconclusive if a column
// is, or if there is none to compare.
func Compare(ref, cur *profile.Profile, o *Options) (*Report, error) {
	options, err := o.filled()
	if err != nil {
		return nil, err
	}
	r := &Report{Reference: ref.Rows, Current: cur.Rows, Columns: []Column{}, Causes: []Cause{}}
	if ref.Rows > 0 {
		r.Ratio = rounded(float64(cur.Rows) / float64(ref.Rows))
	}
	for _, name := range options.names(ref, cur) {
		a, b := ref.Column(name), cur.Column(name)
		if reason := incomparable(a, b); reason != "" {
			r.Columns = append(r.Columns, excused(name, a, b, reason))
			continue
		}
		r.Columns = append(r.Columns, compareColumn(a, b, options.Policies[name]))
	}
	for i := range r.Columns {
		r.Columns[i].Score = slices.Contains(options.Scores, r.Columns[i].Name)
		options.tooFew(&r.Columns[i])
	}
	discover(r.Columns, options.Alpha)
	for i := range r.Columns {
		options.judge(&r.Columns[i])
	}
	r.OnlyReference, r.OnlyCurrent = options.only(ref, cur), options.only(cur, ref)
	r.conclude(options, ref, cur)
	return r, nil
}

// filled returns the options with their defaults.
func (o *Options) filled() (*Options, error) {
	out := Options{}
	if o != nil {
		out = *o
	}
	out.Moderate = cmp.Or(out.Moderate, DefaultModerate)
	out.Major = cmp.Or(out.Major, max(DefaultMajor, out.Moderate))
	out.Alpha = cmp.Or(out.Alpha, DefaultAlpha)
	out.MinRows = cmp.Or(out.MinRows, DefaultMinRows)
	switch {
	case !(out.Moderate > 0):
		return nil, &OptionError{"Moderate", fmt.Sprintf("is %g, and must be above 0", out.Moderate)}
	case !(out.Major >= out.Moderate):
		return nil, &OptionError{"Major", fmt.Sprintf("is %g, and must not be below Moderate, which is %g", out.Major, out.Moderate)}
	case !(out.Alpha > 0 && out.Alpha < 1):
		return nil, &OptionError{"Alpha", fmt.Sprintf("is %g, and must be between 0 and 1", out.Alpha)}
	case out.MinRows < 0:
		return nil, &OptionError{"MinRows", fmt.Sprintf("is %d, and must be above 0", out.MinRows)}
	}
	for name, p := range out.Policies {
		if moderate, major := out.thresholds(name); !(moderate > 0 && major >= moderate) {
			return nil, &OptionError{"Policies", fmt.Sprintf("give column %q moderate %g and major %g", name, p.Moderate, p.Major)}
		}
	}
	return &out, nil
}

// thresholds returns from which effect a column is moderate and major.
func (o *Options) thresholds(name string) (moderate, major float64) {
	p := o.Policies[name]
	moderate = cmp.Or(p.Moderate, o.Moderate)
	return moderate, cmp.Or(p.Major, max(o.Major, moderate))
}

// names returns the columns to compare, sorted.
func (o *Options) names(ref, cur *profile.Profile) []string {
	names := slices.Clone(o.Columns)
	if o.Columns == nil {
		for _, c := range cur.Columns {
			if ref.Column(c.Name) != nil {
				names = append(names, c.Name)
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool {
		return o.Policies[name].Ignore || slices.Contains(o.Scores, name) && ref.Column(name) == nil
	})
}

// only returns the columns of p that other does not have.
func (o *Options) only(p, other *profile.Profile) []string {
	var names []string
	for _, c := range p.Columns {
		if other.Column(c.Name) == nil && !o.Policies[c.Name].Ignore {
			names = append(names, c.Name)
		}
	}
	return names
}

// incomparable says why nothing can be said of a column, or "".
func incomparable(ref, cur *profile.Column) string {
	switch {
	case ref == nil && cur == nil:
		return "neither side has this column"
	case ref == nil:
		return "the reference does not have this column"
	case cur == nil:
		return "the batch does not have this column"
	case ref.Kind != cur.Kind:
		return fmt.Sprintf("it was of kind %s, and is of kind %s", ref.Kind, cur.Kind)
	}
	return ""
}

// excused returns a column of which nothing can be said.
func excused(name string, ref, cur *profile.Column, reason string) Column {
	c := Column{Name: name, Level: Inconclusive, Size: Small, Reasons: []string{reason}}
	if ref != nil {
		c.Kind, c.N, c.Restricted = ref.Kind, ref.Rows, ref.Restricted
	}
	if cur != nil {
		c.Kind, c.M, c.Restricted = cur.Kind, cur.Rows, c.Restricted || cur.Restricted
	}
	return c
}

// tooFew makes a column inconclusive that has too few rows.
func (o *Options) tooFew(c *Column) {
	if c.Level == Inconclusive {
		return
	}
	for _, side := range []struct {
		name string
		rows int64
	}{{"the reference", c.N}, {"the batch", c.M}} {
		if side.rows < o.MinRows {
			c.Level = Inconclusive
			c.Reasons = append(c.Reasons, fmt.Sprintf("%s has %s, fewer than the %d that it takes", side.name, rows(side.rows), o.MinRows))
		}
	}
	if c.P == nil && c.Level != Inconclusive {
		c.Level = Inconclusive
		c.Reasons = append(c.Reasons, "a side has no values that could be compared")
	}
}

// discover marks the significant ones among the columns that can be judged: the k
// smallest p are, for the largest k at which the k-th is at most alpha·k/columns.
// So, on average, at most a share alpha of what is marked is chance.
//
// Source: Benjamini and Hochberg, "Controlling the False Discovery Rate", 1995.
func discover(columns []Column, alpha float64) {
	var ps []float64
	for _, c := range columns {
		if c.Level != Inconclusive {
			ps = append(ps, *c.P)
		}
	}
	slices.Sort(ps)
	limit := -1.0
	for k, p := range ps {
		if p <= float64(alpha*float64(k+1))/float64(len(ps)) {
			limit = p
		}
	}
	for i := range columns {
		if c := &columns[i]; c.Level != Inconclusive {
			c.Significant = *c.P <= limit
		}
	}
}

// judge gives a column its size, its level, and the reasons.
func (o *Options) judge(c *Column) {
	moderate, major := o.thresholds(c.Name)
	switch {
	case c.Effect >= major:
		c.Size = Major
	case c.Effect >= moderate:
		c.Size = Moderate
	}
	if c.Level != Inconclusive && c.Size != Small && c.Significant {
		c.Level = Warn
	}
	c.explain(moderate, major)
}

// conclude gives the batch its level, the reasons and the causes.
func (r *Report) conclude(o *Options, ref, cur *profile.Profile) {
	unknown := 0
	for i := range r.Columns {
		c := &r.Columns[i]
		switch c.Level {
		case Inconclusive:
			unknown++
		case Warn:
			r.Level = Warn
			if !c.Score {
				cause := o.cause(c)
				cause.Slices = o.carriers(c, ref, cur)
				r.Causes = append(r.Causes, cause)
				c.explainSlices(cause.Slices)
			}
		}
	}
	if r.Level == "" {
		r.Level = None
		if unknown > 0 || len(r.Columns) == 0 {
			r.Level = Inconclusive
		}
	}
	slices.SortStableFunc(r.Causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(b.Effect, a.Effect), strings.Compare(a.Column, b.Column))
	})
	r.explain(unknown)
}

// cause returns how much a column that drifted matters.
func (o *Options) cause(c *Column) Cause {
	importance := 1.0
	if o.Importance != nil {
		importance = o.Importance[c.Name]
	}
	return Cause{Column: c.Name, Effect: c.Effect, Importance: round(importance), Weight: round(c.Effect * importance)}
}
