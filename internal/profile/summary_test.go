package profile

import "math"

// A Summary is a column in the few numbers that a person wants to see. Numbers
// that do not exist, such as the mean of no values, are nil.
type Summary struct {
	Name       string `json:"name"`
	Kind       Kind   `json:"kind"`
	Restricted bool   `json:"restricted,omitempty"`
	// Confidential columns have no Min, Max and Top; their other numbers come from
	// bins, see [Column.MeanStd].
	Confidential bool `json:"confidential,omitempty"`

	Rows  int64 `json:"rows"`
	Nulls int64 `json:"nulls"`
	NaNs  int64 `json:"nans,omitempty"`
	Infs  int64 `json:"infs,omitempty"`
	Zeros int64 `json:"zeros"`

	// Of texts and bytes these are lengths, see [Column.Quantiles].
	Mean      *float64 `json:"mean,omitempty"`
	Std       *float64 `json:"std,omitempty"`
	Min       *float64 `json:"min,omitempty"`
	Quartile1 *float64 `json:"quartile1,omitempty"`
	Median    *float64 `json:"median,omitempty"`
	Quartile3 *float64 `json:"quartile3,omitempty"`
	Max       *float64 `json:"max,omitempty"`

	Distinct float64 `json:"distinct"`
	Exact    bool    `json:"exact"` // Distinct is exact, and Top is of all values, see [Column.Exact]
	Top      []Count `json:"top,omitempty"`
}

// Summary returns the column in short, with its top most frequent values. If the
// column has more than 1,000 different values, those are the most frequent of a
// sample, see [sketch.Frequent].
func (c *Column) Summary(top int) Summary {
	s := Summary{
		Name: c.Name, Kind: c.Kind, Restricted: c.Restricted, Confidential: c.Confidential,
		Rows: c.Rows, Nulls: c.Nulls, NaNs: c.NaNs, Infs: c.PosInfs + c.NegInfs, Zeros: c.Zeros,
	}
	if c.Restricted || c.Kind == Opaque {
		return s
	}
	mean, std := c.MeanStd()
	s.Mean, s.Std = finite(mean), finite(std)
	switch {
	case c.Confidential:
	case c.ranged && !c.hasText():
		s.Min, s.Max = &c.Min, &c.Max
	default:
		s.Min, s.Max = finite(c.Quantile(0)), finite(c.Quantile(1))
	}
	s.Quartile1, s.Median, s.Quartile3 = finite(c.Quantile(0.25)), finite(c.Quantile(0.5)), finite(c.Quantile(0.75))
	s.Distinct, s.Exact = c.Distincts(), c.Exact()
	s.Top = c.Top(top)
	return s
}

// finite returns a pointer to v, or nil if JSON cannot hold v.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
