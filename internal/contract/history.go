package contract

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"headgate/internal/strictyaml"
)

// Facts are what is known of one batch without its rows: enough to compare months.
type Facts struct {
	Batch   string
	Rows    int64
	Columns map[string]ColumnFacts // by name in the file; one that is absent is not known
}

// ColumnFacts are the facts of one column. NaN means not known, or that there is
// none: the mean of nothing but nulls.
type ColumnFacts struct {
	Nulls                         int64
	Mean, Std, Min, Max, Distinct float64
}

// A HistoryMetric is the fact that a [History] rule compares.
type HistoryMetric string

// The metrics. The mean and its like need a column of numbers. Of a restricted
// column only nullShare is known.
const (
	MetricRowCount  HistoryMetric = "rowCount"  // of the table
	MetricNullShare HistoryMetric = "nullShare" // nulls / rows, in [0, 1]
	MetricMean      HistoryMetric = "mean"
	MetricStd       HistoryMetric = "std"
	MetricMin       HistoryMetric = "min"
	MetricMax       HistoryMetric = "max"
	MetricDistinct  HistoryMetric = "distinct" // number of distinct values
)

var historyMetrics = []string{
	string(MetricRowCount), string(MetricNullShare), string(MetricMean), string(MetricStd), string(MetricMin), string(MetricMax), string(MetricDistinct),
}

// An Against says which batches a [History] rule compares with.
type Against string

// What a batch is compared with.
const (
	AgainstPrevious Against = "previous" // the batch before
	AgainstLastYear Against = "lastYear" // the batch of the same period a year before
	AgainstLast     Against = "last"     // the median of the last n batches, written last3
)

// MaxLast is how far back the last n batches may go.
const MaxLast = 36

// A History rule holds a fact of the batch against the same fact of batches before.
//
// What is compared is the change: (now − before) / |before|, and for nullShare,
// which is a share already, now − before. From 0, any change is beyond all limits.
// The rule is kept if the change is in [Lower, Upper].
type History struct {
	ID           string
	Column       string // in the file; "" for rowCount
	Metric       HistoryMetric
	Against      Against
	Last         int     // n of [AgainstLast], or 0
	MinBatches   int     // how many of the last n must be known; 1 for the others
	Lower, Upper float64 // of the change: mustBeWithin: 20% is −0.2 and 0.2
	Severity     Severity
	Line, Col    int // where the file says so
}

// MarshalJSON writes the rule as a pipeline file has it.
func (h History) MarshalJSON() ([]byte, error) {
	rule := struct {
		ID           string        `json:"id,omitempty"`
		Column       string        `json:"column,omitempty"`
		Metric       HistoryMetric `json:"metric"`
		Against      string        `json:"against"`
		MustBeWithin []string      `json:"mustBeWithin"`
		MinBatches   int           `json:"minBatches,omitempty"`
		Severity     Severity      `json:"severity"`
	}{h.ID, h.Column, h.Metric, string(h.Against), []string{percentText(h.Lower), percentText(h.Upper)}, 0, h.Severity}
	if h.ID == h.derivedID() {
		rule.ID = ""
	}
	if h.Against == AgainstLast {
		rule.Against += strconv.Itoa(h.Last)
		rule.MinBatches = h.MinBatches
	}
	return json.Marshal(rule)
}

// percentText writes a share as a percentage, as the decimal that it was read from.
func percentText(share float64) string {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(share, 'g', -1, 64))
	return ratString(r.Mul(r, hundred)) + "%"
}

// CheckHistory returns why the contract cannot have the rule, or "": there is no
// such column, or the metric is never known of it.
func (c *Contract) CheckHistory(h History) string {
	if h.Column == "" {
		return ""
	}
	col, ok := c.Column(h.Column)
	if !ok {
		names := make([]string, len(c.Columns))
		for i := range c.Columns {
			names[i] = c.Columns[i].Name
		}
		return fmt.Sprintf("there is no column %s%s", h.Column, strictyaml.Hint(h.Column, names))
	}
	return h.unsuited(col)
}

// unsuited returns why the metric is never known of a column, or "".
func (h History) unsuited(col Column) string {
	switch h.Metric {
	case MetricNullShare:
		return ""
	case MetricDistinct:
	default:
		if col.Type != Integer && col.Type != Number {
			return fmt.Sprintf("%s needs a column of numbers, and %s is %s", h.Metric, col.Name, typed(col))
		}
	}
	if col.Restricted() {
		return fmt.Sprintf("%s is restricted, so nothing but its nulls is kept", col.Name)
	}
	return ""
}

func typed(col Column) string {
	if col.Type == "" {
		return "without a logicalType"
	}
	return article(string(col.Type))
}

// Judge compares now with the batches before, oldest first, and with the batch a
// year ago, nil if there is none. If there is too little to compare with, there is
// no violation and the note says what is missing.
func (h History) Judge(now Facts, past []Facts, lastYear *Facts) (v *Violation, note string) {
	value, known := h.fact(now)
	if !known {
		return nil, fmt.Sprintf("rule %s cannot be judged: the %s is not known", h.ID, h.subject())
	}
	before, what, missing := h.before(past, lastYear)
	if missing != "" {
		return nil, fmt.Sprintf("rule %s cannot be judged yet: %s", h.ID, missing)
	}
	change := h.change(value, before)
	if change >= h.Lower && change <= h.Upper {
		return nil, ""
	}
	message := fmt.Sprintf("the %s changed by %s%s since %s, must be within %s and %s",
		h.subject(), h.showChange(change), h.counts(before, value), what, h.showChange(h.Lower), h.showChange(h.Upper))
	return &Violation{Rule: h.ID, Column: h.Column, Severity: h.Severity, Total: now.Rows, Message: message}, ""
}

// before returns what the batch is compared with, and in words; or what is missing.
func (h History) before(past []Facts, lastYear *Facts) (before float64, what, missing string) {
	if h.Against == AgainstLastYear {
		if lastYear == nil {
			return 0, "", "there is no batch of a year ago"
		}
		v, ok := h.fact(*lastYear)
		if !ok {
			return 0, "", fmt.Sprintf("of %s, a year ago, the %s is not known", lastYear.Batch, h.subject())
		}
		return v, lastYear.Batch + ", a year ago", ""
	}
	last := max(h.Last, 1)
	var values []float64
	newest := ""
	for i := len(past) - 1; i >= 0 && i >= len(past)-last; i-- {
		if v, ok := h.fact(past[i]); ok {
			values = append(values, v)
			newest = past[i].Batch
		}
	}
	if len(values) < h.MinBatches {
		return 0, "", fmt.Sprintf("%d of the last %d batches are known, and it needs %d", len(values), last, h.MinBatches)
	}
	if h.Against == AgainstPrevious {
		return values[0], newest + ", the batch before", ""
	}
	return median(values), fmt.Sprintf("the median of the last %d batches", len(values)), ""
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return values[(n-1)/2]/2 + values[n/2]/2
}

// fact returns the rule's fact of one batch, and whether it is known.
func (h History) fact(f Facts) (float64, bool) {
	if h.Metric == MetricRowCount {
		return float64(f.Rows), true
	}
	col, ok := f.Columns[h.Column]
	if !ok {
		return 0, false
	}
	v := math.NaN()
	switch h.Metric {
	case MetricNullShare:
		v = float64(col.Nulls) / float64(f.Rows) // NaN without rows
	case MetricMean:
		v = col.Mean
	case MetricStd:
		v = col.Std
	case MetricMin:
		v = col.Min
	case MetricMax:
		v = col.Max
	case MetricDistinct:
		v = col.Distinct
	}
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}

// change returns how far now is from before.
func (h History) change(now, before float64) float64 {
	switch {
	case h.Metric == MetricNullShare || now == before:
		return now - before
	case before == 0:
		return math.Copysign(math.Inf(1), now)
	}
	return (now - before) / math.Abs(before)
}

func (h History) subject() string {
	switch h.Metric {
	case MetricRowCount:
		return "number of rows"
	case MetricNullShare:
		return "share of nulls in " + h.Column
	case MetricDistinct:
		return "number of distinct values in " + h.Column
	}
	return string(h.Metric) + " of " + h.Column
}

// counts prints facts that count rows. The others are values of the column, or made
// of a few of them, and messages have no values.
func (h History) counts(before, now float64) string {
	switch h.Metric {
	case MetricNullShare:
		return fmt.Sprintf(" (from %.4g%% to %.4g%%)", 100*before, 100*now)
	case MetricRowCount, MetricDistinct:
		return fmt.Sprintf(" (from %.0f to %.0f)", before, now)
	}
	return ""
}

func (h History) showChange(v float64) string {
	unit := "%"
	if h.Metric == MetricNullShare {
		unit = " points"
	}
	return strings.Replace(fmt.Sprintf("%+.4g%s", 100*v, unit), "Inf", "∞", 1)
}

// JudgeHistory judges every rule of [Contract.History], in order.
func (c *Contract) JudgeHistory(now Facts, past []Facts, lastYear *Facts) (violations []Violation, notes []string) {
	for _, h := range c.History {
		v, note := h.Judge(now, past, lastYear)
		if v != nil {
			violations = append(violations, *v)
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return violations, notes
}
