package contract

// What the suite must have a case for.
var (
	OptionKeys     = optionKeys
	Operators      = operators
	ColumnMetrics  = columnMetrics
	TableMetrics   = tableMetrics
	StringFormats  = stringFormats
	Checks         = checkNames
	HistoryMetrics = historyMetrics
	NumberFormats  = append(append([]string{}, integerFormats...), numberFormats...)
)
