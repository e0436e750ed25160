package infer

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"headgate/internal/contract"
	"headgate/internal/profile"
)

// Guess adds what the profile shows: widths, ranges, small sets of values, shares of
// nulls, how many rows there are, which column is the time of the row, and what may
// be personal. The key must be known before.
//
// Columns that may be personal get no range and no list: the contract would show
// their values. Nor do those that are named like keys: the next batch has other ones.
func (d *Draft) Guess(p *profile.Profile) {
	d.LeastRow = least(d.Rows)
	d.eventTime()
	for i := range d.Columns {
		c := &d.Columns[i]
		seen := p.Column(c.Name)
		if seen == nil {
			continue
		}
		if w := width(c.Type); w != "" {
			c.Options = append(c.Options, Option{"format", w})
		}
		if c.Nulls > 0 {
			c.NullPercent = nullPercent(c.Nulls, d.Rows)
		}
		c.personal(seen)
		if slices.Contains(d.Key, c.Name) && c.Role == "" {
			c.Role = contract.RoleEntityKey
			c.comment("guess: %s is whom a row is about", strings.Join(d.Key, ", "))
		}
		if c.PII == "" && c.Role == "" && KeyRank(c.Name) == noKey {
			c.ranges(seen)
			c.categories(seen, d.Rows)
		}
		c.textFormat(seen)
	}
}

// least returns half of the rows, rounded down to one digit.
func least(rows int64) int64 {
	half, step := rows/2, int64(1)
	for half/step >= 10 {
		step *= 10
	}
	return half / step * step
}

// nullPercent returns a round share of nulls that is at least twice what was seen,
// or 0 if there is none to expect.
func nullPercent(nulls, rows int64) int {
	for _, percent := range []int{1, 2, 5, 10, 20, 50} {
		if float64(nulls)*200 <= float64(percent)*float64(rows) {
			return percent
		}
	}
	return 0
}

// timeWords are names of the time of a row, the likeliest first.
var timeWords = []string{"as_of", "asof", "event_time", "event_ts", "snapshot", "observed", "period", "timestamp", "date", "day", "month", "time"}

// eventTime guesses which column says when a row was true.
func (d *Draft) eventTime() {
	best, rank := -1, len(timeWords)
	for i := range d.Columns {
		c := &d.Columns[i]
		typ, _ := logicalType(c.Type)
		if typ != contract.Date && typ != contract.Timestamp || c.Nulls > 0 || c.Role != "" || kindOfName(c.Name) != "" {
			continue
		}
		lower := strings.ToLower(c.Name)
		if at := slices.IndexFunc(timeWords, func(w string) bool { return strings.Contains(lower, w) }); at >= 0 && at < rank {
			best, rank = i, at
		}
	}
	if best >= 0 {
		c := &d.Columns[best]
		c.Role = contract.RoleEventTime
		c.comment("guess: %s is when a row was true", c.Name)
	}
}

// maxExact is the largest whole number up to which a profile's limits are exact.
const maxExact = 1 << 53

// ranges adds limits that hold what was seen, rounded outwards.
func (c *Column) ranges(seen *profile.Column) {
	if seen.Values() == 0 {
		return
	}
	switch seen.Kind {
	case profile.Number:
		if seen.NaNs+seen.PosInfs+seen.NegInfs > 0 || math.Abs(seen.Min) > maxExact || math.Abs(seen.Max) > maxExact {
			c.comment("no limits: %d values are NaN and %d are infinite, or they are too large to be exact", seen.NaNs, seen.PosInfs+seen.NegInfs)
			return
		}
		low, high := outwards(seen.Min, seen.Max)
		c.comment("seen: %.6g to %.6g", seen.Min, seen.Max)
		c.Options = append(c.Options, Option{"minimum", low}, Option{"maximum", high})
	case profile.Date, profile.Timestamp:
		// The next batch is later, so there is no maximum.
		seconds := seen.Min * 86400
		if seen.Kind == profile.Timestamp {
			seconds = seen.Min / 1e6
		}
		if year := time.Unix(int64(math.Floor(seconds)), 0).UTC().Year(); year > 0 && year < 10000 {
			c.Options = append(c.Options, Option{"minimum", fmt.Sprintf("'%04d-01-01'", year)})
		}
	}
}

// outwards returns the nearest numbers that enclose both, with the last digit in the
// place of the first digit of their distance: 18 and 87 give 10 and 90.
func outwards(low, high float64) (string, string) {
	span := high - low
	if span == 0 {
		span = math.Abs(low)
	}
	if span == 0 {
		return "0", "0"
	}
	place := int(math.Floor(math.Log10(span)))
	a, b := math.Floor(near(scale(low, -place))), math.Ceil(near(scale(high, -place)))
	for scale(a, place) > low {
		a--
	}
	for scale(b, place) < high {
		b++
	}
	return decimal(int64(a), place), decimal(int64(b), place)
}

// near returns the whole number that x is within rounding errors of, or else x.
func near(x float64) float64 {
	if whole := math.Round(x); math.Abs(x-whole) < 1e-9 {
		return whole
	}
	return x
}

// scale returns x · 10ⁿ.
func scale(x float64, n int) float64 {
	if n < 0 {
		return x / math.Pow10(-n)
	}
	return x * math.Pow10(n)
}

// decimal writes n · 10^place without a rounding error.
func decimal(n int64, place int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	if n == 0 {
		return "0"
	}
	digits := fmt.Sprint(n)
	if place >= 0 {
		return sign + digits + strings.Repeat("0", place)
	}
	if missing := -place - len(digits) + 1; missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) + place
	fraction := strings.TrimRight(digits[point:], "0")
	return strings.TrimSuffix(sign+digits[:point]+"."+fraction, ".")
}

const (
	maxCategories = 20 // a longer list is no list
	perCategory   = 10 // rows that each value must have on average
)

// categories adds the list of values, if it is short and every value is common.
func (c *Column) categories(seen *profile.Column, rows int64) {
	if seen.Kind != profile.Text || !seen.Frequent.Complete() {
		return
	}
	n := int64(seen.Distincts())
	if n < 2 || n > maxCategories || rows < perCategory*n || seen.Quantile(1) > 60 {
		return
	}
	var values []string
	for _, v := range seen.Top(maxCategories) {
		if !utf8.ValidString(v.Value) {
			return
		}
		values = append(values, v.Value)
	}
	slices.Sort(values)
	c.Valid = values
	c.comment("guess: these %d values are all; with severity error, rows with others go to quarantine", len(values))
}
