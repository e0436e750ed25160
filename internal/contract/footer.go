package contract

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
)

// A Footer is what the footer of one Parquet file says, or the sum over the
// files of a batch.
type Footer struct {
	Schema *arrow.Schema    // the flat columns; not read by CheckTotals and KnownBad
	Nested []string         // columns that are lists, structs or maps
	Rows   int64            // in the file, or in all files
	Nulls  map[string]int64 // by column; a column that is absent is not known
}

// CheckFooter returns what one file's schema breaks, in the order of the
// contract: columns that are missing, nested or of the wrong type. All of it has
// severity error. Columns that the contract does not name are fine, and so is a
// missing column that is [Column.Later].
func (c *Contract) CheckFooter(f Footer) []Violation {
	var out []Violation
	for _, col := range c.Columns {
		add := func(suffix, message string) {
			out = append(out, Violation{Rule: col.Name + suffix, Column: col.Name, Severity: Error, Message: message})
		}
		says := "the contract says " + col.says()
		if col.Type == "" {
			says = "the contract asks for a flat column"
		}
		at := f.Schema.FieldIndices(col.Name)
		switch {
		case len(at) > 1:
			add(".type", fmt.Sprintf("%s is there %d times", col.Name, len(at)))
		case len(at) == 1:
			if t := f.Schema.Field(at[0]).Type; !col.accepts(t) {
				add(".type", fmt.Sprintf("%s is %s, %s", col.Name, typeName(t), says))
			}
		case slices.Contains(f.Nested, col.Name):
			add(".type", fmt.Sprintf("%s is nested, %s", col.Name, says))
		case !col.Later():
			add(".present", fmt.Sprintf("column %s is missing", col.Name))
		}
	}
	return out
}

// CheckTotals returns the rules over the whole batch that the footers alone show
// to be broken: rowCount, and nullValues of columns whose nulls are known. The
// footer is the sum over all files. Rules that quarantine rows are not here but
// in [Contract.KnownBad].
func (c *Contract) CheckTotals(f Footer) []Violation {
	var out []Violation
	for _, r := range c.Rules {
		count := f.Rows
		known := r.Kind == KindRowCount
		if r.Kind == KindNullValues && !r.Quarantine {
			count, known = f.Nulls[r.Column]
		}
		if known {
			out = r.judge(out, count, f.Rows)
		}
	}
	return out
}

// KnownBad returns how many rows will go to quarantine at least, as far as the
// footers know, and the rule that says so: the required column with the most
// nulls. It returns 0 and "" if the footers know of none.
func (c *Contract) KnownBad(f Footer) (rows int64, rule string) {
	for _, r := range c.Rules {
		if !r.Quarantine || !nulls(r.test) {
			continue
		}
		if n := f.Nulls[r.Column]; n > rows {
			rows, rule = n, r.ID
		}
	}
	return rows, rule
}

// judge adds a violation to out if the count breaks the rule's limit.
func (r *Rule) judge(out []Violation, count, total int64) []Violation {
	if r.Limit.Allows(count, total) {
		return out
	}
	what := map[Kind]string{
		KindNullValues:      "null values in %s",
		KindMissingValues:   "missing values in %s",
		KindInvalidValues:   "invalid values in %s",
		KindDuplicateValues: "duplicate values of %s",
		KindPrimaryKey:      "rows that repeat the primary key %s",
		KindUnique:          "rows that repeat %s",
		KindRow:             "rows that break the rule %s",
	}[r.Kind]
	message := fmt.Sprintf("%d rows in the batch, must be %s", count, r.Limit)
	if r.Kind != KindRowCount {
		message = fmt.Sprintf("%d of %d "+what+", must be %s", count, total, r.subject(), r.Limit)
	}
	if r.Limit.disputed(count, total) {
		message += " (the ends are not between; tools that count them in would pass this)"
	}
	return append(out, Violation{Rule: r.ID, Column: r.Column, Severity: r.Severity, Count: count, Total: total, Message: message})
}
