package contract

import "time"

// A Promise is a service level of slaProperties that is judged with the batch.
type Promise struct {
	ID        string
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

// TimeColumns returns the columns of dates and timestamps whose newest and oldest
// value [Contract.JudgeTimes] needs, in the order of the contract.
func (c *Contract) TimeColumns() []string { return nil }

// JudgeTimes returns the promises that a batch breaks as of a moment: latency, if the
// newest value is before asOf less the period, and retention, if the oldest is. Clock
// readings without a zone count as UTC, and dates are compared as whole days of UTC.
// A column that is in neither map had no value, which breaks its promises, unless it
// is [Column.Later].
func (c *Contract) JudgeTimes(newest, oldest map[string]time.Time, asOf time.Time) []Violation {
	return nil
}
