package profile

import (
	"fmt"
	"math"
	"strings"

	"headgate/internal/sketch"
)

// A Column describes the values of one column.
//
// Rows = Nulls + NaNs + PosInfs + NegInfs + finite values. NaN and the
// infinities are counted and take no part in anything else.
type Column struct {
	Name string
	Kind Kind
	// Restricted columns have counts only: rows, nulls, NaNs, infinities. Nothing
	// that shows a value, not even through a hash.
	Restricted bool
	// Confidential columns have nothing that shows one value more closely than a
	// bin of Quantiles does: no minimum and maximum, no texts, no frequent values,
	// not even as hashes, and no exact sums. Mean and deviation come from the bins.
	Confidential bool
	// Score columns have quantiles in every slice.
	Score bool
	// Integral means that all values came from integer types.
	Integral bool

	Rows, Nulls, NaNs, PosInfs, NegInfs int64

	// Zeros counts the numbers that are 0, the booleans that are false, and the
	// empty texts.
	Zeros int64

	// Min and Max are of the finite numbers. They are 0 if there are none.
	Min, Max float64
	// MinText and MaxText are the first and the last text in byte order, cut
	// after 64 bytes.
	MinText, MaxText string

	// Quantiles has the numbers; of texts, their lengths in characters, and of
	// binary values, their lengths in bytes.
	Quantiles sketch.Quantiles
	Distinct  sketch.Distinct
	// Frequent is empty if values may not be kept: ask Exact, not
	// [sketch.Frequent.Complete], whether it has all of them.
	Frequent sketch.Frequent

	moments sketch.Moments // of what Quantiles has
	ranged  bool           // Min and Max, or MinText and MaxText, are set
}

const maxText = 64

// Values returns how many values are neither null, NaN nor infinite.
func (c *Column) Values() int64 { return c.Rows - c.Nulls - c.NaNs - c.PosInfs - c.NegInfs }

// open reports whether single values may be kept.
func (c *Column) open() bool { return !c.Restricted && !c.Confidential }

// MeanStd returns mean and population standard deviation of the finite numbers,
// or of the lengths of texts, each rounded only once. Of a confidential column they
// are those of its bins: the mean is off by at most 0.39 % of the mean magnitude.
// Without values, and in a restricted column, both are NaN.
func (c *Column) MeanStd() (mean, std float64) {
	switch {
	case c.Restricted:
		return math.NaN(), math.NaN()
	case c.Confidential:
		return c.binMeanStd()
	}
	mean, variance := c.moments.MeanVariance(c.Values())
	return mean, math.Sqrt(variance)
}

// binMeanStd is MeanStd as if every value were in the middle of its bin.
func (c *Column) binMeanStd() (mean, std float64) {
	total := float64(c.Quantiles.Count())
	if total == 0 {
		return math.NaN(), math.NaN()
	}
	bins := c.Quantiles.Bins()
	for _, b := range bins {
		mean += float64(c.middle(b) * (float64(b.Count) / total))
	}
	var variance float64
	for _, b := range bins {
		d := c.middle(b) - mean
		variance += float64(d * d * (float64(b.Count) / total))
	}
	return mean, math.Sqrt(variance)
}

// middle returns what a bin's values are taken for: the middle of its whole
// numbers if all values are whole, so that those below 256 are exact.
func (c *Column) middle(b sketch.Bin) float64 {
	if !c.Integral && !c.hasText() {
		return b.Mid()
	}
	low, high := math.Ceil(b.Low), math.Ceil(b.High)-1
	if b.Low < 0 {
		low, high = math.Floor(b.Low)+1, math.Floor(b.High)
	}
	if low > high { // numbers beyond 2^53, and the zeros
		return b.Mid()
	}
	return low + (high-low)/2
}

// Quantile returns the p quantile of the numbers, or of the lengths of texts,
// within 0.39 % of the true value, and never outside the range that was seen,
// which a confidential column does not know. Without values it is NaN.
func (c *Column) Quantile(p float64) float64 {
	q := c.Quantiles.Quantile(p)
	if c.Integral || c.hasText() {
		q = math.Trunc(q)
	}
	if c.hasText() || !c.ranged {
		return q
	}
	return min(max(q, c.Min), c.Max)
}

// Distincts returns how many different values there are: exactly up to 1,000,
// else, and in a confidential column, with a standard error of 0.81 %. It is 0 in a
// restricted column.
func (c *Column) Distincts() float64 {
	if c.Exact() {
		return float64(len(c.Frequent.Values()))
	}
	return math.Round(c.Distinct.Estimate())
}

// Exact reports whether Frequent has every value of the column, so that Distincts
// is exact. It is false for columns whose values are not kept.
func (c *Column) Exact() bool {
	return c.open() && c.Kind != Opaque && c.Frequent.Complete()
}

// hasText reports whether the values are texts or bytes.
func (c *Column) hasText() bool { return c.Kind == Text || c.Kind == Binary }

// merge adds what o describes.
func (c *Column) merge(o *Column) error {
	if c.Kind != o.Kind {
		return fmt.Errorf("%s and %s: %w", c.Kind, o.Kind, ErrKind)
	}
	c.Integral = c.Integral && o.Integral
	c.Score = c.Score && o.Score
	switch {
	case o.Restricted:
		c.restrict()
	case o.Confidential:
		c.conceal()
	}
	if !c.Restricted {
		c.mergeValues(o)
	}
	c.Rows += o.Rows
	c.Nulls += o.Nulls
	c.NaNs += o.NaNs
	c.PosInfs += o.PosInfs
	c.NegInfs += o.NegInfs
	return nil
}

// mergeValues adds what o knows of values and c may keep.
func (c *Column) mergeValues(o *Column) {
	c.Zeros += o.Zeros
	c.Quantiles.Merge(&o.Quantiles)
	c.Distinct.Merge(&o.Distinct)
	if c.Confidential {
		return
	}
	if o.ranged {
		c.extend(!c.ranged, o.Min, o.Max)
		c.extendText(!c.ranged, o.MinText, o.MaxText)
		c.ranged = true
	}
	c.Frequent.Merge(&o.Frequent)
	c.moments.Merge(&o.moments)
}

// extend widens the range of the numbers.
func (c *Column) extend(first bool, low, high float64) {
	if first {
		c.Min, c.Max = low, high
		return
	}
	c.Min, c.Max = min(c.Min, low), max(c.Max, high)
}

// extendText widens the range of the texts. low and high are cut to maxText.
func (c *Column) extendText(first bool, low, high string) {
	if first || low < c.MinText {
		c.MinText = strings.Clone(low)
	}
	if first || high > c.MaxText {
		c.MaxText = strings.Clone(high)
	}
}

// restrict forgets all but the counts.
func (c *Column) restrict() {
	*c = Column{
		Name: c.Name, Kind: c.Kind, Integral: c.Integral, Score: c.Score, Restricted: true,
		Rows: c.Rows, Nulls: c.Nulls, NaNs: c.NaNs, PosInfs: c.PosInfs, NegInfs: c.NegInfs,
	}
}

// conceal forgets what a confidential column must not keep.
func (c *Column) conceal() {
	if c.Restricted {
		return
	}
	c.Confidential = true
	c.Min, c.Max, c.MinText, c.MaxText, c.ranged = 0, 0, "", "", false
	c.Frequent, c.moments = sketch.Frequent{}, sketch.Moments{}
}
