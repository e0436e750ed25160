package contract

import "headgate/internal/strictyaml"

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

// The metrics. Those of the mean and its like need a column of numbers.
const (
	MetricRowCount  HistoryMetric = "rowCount"  // of the table
	MetricNullShare HistoryMetric = "nullShare" // nulls / rows, in [0, 1]
	MetricMean      HistoryMetric = "mean"
	MetricStd       HistoryMetric = "std"
	MetricMin       HistoryMetric = "min"
	MetricMax       HistoryMetric = "max"
	MetricDistinct  HistoryMetric = "distinct" // number of distinct values
)

// An Against says which batches a [History] rule compares with.
type Against string

// What a batch is compared with.
const (
	AgainstPrevious Against = "previous" // the batch before
	AgainstLastYear Against = "lastYear" // the batch of the same period a year before
	AgainstLast     Against = "last"     // the median of the last n batches, written last3
)

// A History rule holds a fact of the batch against the same fact of batches before.
//
// What is compared is the change: (now − before) / |before|, and for nullShare,
// which is a share already, now − before. The rule is kept if the change is in
// [Lower, Upper].
type History struct {
	ID           string
	Column       string // in the file; "" for rowCount
	Metric       HistoryMetric
	Against      Against
	Last         int     // n of [AgainstLast], or 0
	MinBatches   int     // of the last n that must be known; 1 for the others
	Lower, Upper float64 // of the change: mustBeWithin: 20% is −0.2 and 0.2
	Severity     Severity
	Line, Col    int // where the file says so
}

// A DriftPolicy says how far one column may drift, in place of the pipeline's
// thresholds.
type DriftPolicy struct {
	Ignore          bool    // say nothing about this column
	Moderate, Major float64 // effects from which the column warns and is major; not set if Ignore is
}

// ReadHistory reads a rule as the pipeline file has it: a map with id, column,
// severity and the keys of a contract's history rule. Whether the column is there
// is for [Contract.CheckHistory].
func ReadHistory(v strictyaml.Value) (History, bool) { return History{}, false }

// CheckHistory returns why the contract cannot have the rule, or "": there is no
// such column, or the metric says nothing about its type.
func (c *Contract) CheckHistory(h History) string { return "" }

// Judge compares now with the batches before, oldest first, and with the batch a
// year ago, nil if there is none. If there is too little to compare with, there is
// no violation and the note says what is missing.
func (h History) Judge(now Facts, past []Facts, lastYear *Facts) (v *Violation, note string) {
	return nil, ""
}

// JudgeHistory judges every rule of [Contract.History], in order.
func (c *Contract) JudgeHistory(now Facts, past []Facts, lastYear *Facts) (violations []Violation, notes []string) {
	return nil, nil
}
