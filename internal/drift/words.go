package drift

import (
	"fmt"
	"strconv"
	"strings"
)

// explain adds the reasons for the verdict on a column.
func (c *Column) explain(moderate, major float64) {
	say := func(format string, args ...any) { c.Reasons = append(c.Reasons, fmt.Sprintf(format, args...)) }
	if c.P == nil || c.Level == Inconclusive {
		return
	}
	c.Reasons = []string{}
	switch {
	case c.Level == Warn && c.Size == Major:
		say("an effect of %.3g, major from %g, and significant (p %s)", c.Effect, major, probability(*c.P))
	case c.Level == Warn:
		say("an effect of %.3g, moderate from %g, and significant (p %s)", c.Effect, moderate, probability(*c.P))
	case c.Significant:
		say("significant (p %s), but an effect of %.3g is below %g", probability(*c.P), c.Effect, moderate)
	case c.Size != Small:
		say("an effect of %.3g, but that may be chance (p %s)", c.Effect, probability(*c.P))
	}
	if c.Level != Warn {
		return
	}
	if m := c.Missing; m != nil && m.P < 0.01 {
		say("missing: %s, was %s", share(m.Current), share(m.Reference))
	}
	if g := c.New; g != nil && g.Count > 0 {
		say("new categories: %d, %s of the batch", g.Count, share(g.Share))
	}
	if g := c.Vanished; g != nil && g.Count > 0 {
		say("vanished categories: %d, %s of the reference", g.Count, share(g.Share))
	}
	if c.OutOfRange != nil && *c.OutOfRange >= 0.001 {
		say("outside of the reference's range: %s", share(*c.OutOfRange))
	}
	if len(c.Moves) > 0 {
		say("the heaviest bin: %s, %s, was %s", c.Moves[0].Bin, share(c.Moves[0].Current), share(c.Moves[0].Reference))
	}
}

// explainSlices adds which slices carry the drift of a column.
func (c *Column) explainSlices(slices []Carrier) {
	for _, s := range slices {
		value := strconv.Quote(s.Value)
		if s.Null {
			value = "null"
		}
		what := "the mean"
		if s.Of == ofMissing {
			what = "what is missing"
		}
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s of %s has %s of the rows and %s of the change of %s",
			value, s.Column, share(s.Rows), share(s.Share), what))
	}
}

// explain adds the reasons for the verdict on the batch.
func (r *Report) explain(unknown int) {
	r.Reasons = []string{}
	say := func(format string, args ...any) { r.Reasons = append(r.Reasons, fmt.Sprintf(format, args...)) }
	var drifted []string
	for _, c := range r.Columns {
		if c.Level == Warn {
			drifted = append(drifted, c.Name)
		}
	}
	if len(drifted) > 0 {
		say("%d of %s drifted: %s", len(drifted), columns(len(r.Columns)), strings.Join(drifted, ", "))
	}
	if len(r.Columns) == 0 {
		say("there is no column to compare")
	}
	if unknown > 0 {
		say("nothing can be said of %d of %s", unknown, columns(len(r.Columns)))
	}
}

// probability writes a p value.
func probability(p float64) string {
	if p < 1e-12 {
		return "below 1e-12"
	}
	return strconv.FormatFloat(p, 'g', 2, 64)
}

// share writes a share as a person would.
func share(x float64) string { return strconv.FormatFloat(100*x, 'g', 3, 64) + " %" }

// rows counts rows.
func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// columns counts columns.
func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}
