package contract

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/rowrule"
)

// across is the test of a rule across the columns of a row.
type across struct{ *rowrule.Rule }

func (across) isTest() {}

// A rowCheck is what is checked across columns by one rule.
type rowCheck struct {
	rule   int // index in Contract.Rules
	across across
	at     []int           // places of its columns in the record
	kernel *rowrule.Kernel // nil if the record lacks a column: then the rule is unknown
	arrays []arrow.Array   // reused
}

// rowChecks returns the checks of the rules across columns.
func (c *Contract) rowChecks() []rowCheck {
	var out []rowCheck
	for i, r := range c.Rules {
		if t, ok := r.test.(across); ok {
			out = append(out, rowCheck{rule: i, across: t, arrays: make([]arrow.Array, len(r.Columns))})
		}
	}
	return out
}

// prepare finds and compiles the columns of a record. columns are those that the
// checker has found there.
func (k *rowCheck) prepare(c *Contract, columns []columnCheck, schema *arrow.Schema) error {
	k.at, k.kernel = k.at[:0], nil
	r := &c.Rules[k.rule]
	var types []arrow.DataType
	for _, name := range r.Columns {
		i := slices.IndexFunc(columns, func(check columnCheck) bool { return check.column.Name == name })
		at := columns[i].at
		if at < 0 {
			return nil
		}
		k.at = append(k.at, at)
		types = append(types, schema.Field(at).Type)
	}
	var err error
	if k.kernel, err = k.across.Bind(types); err != nil {
		return fmt.Errorf("contract: rule %s: %w", r.ID, err)
	}
	return nil
}

// add checks the rows of a record.
func (k *rowCheck) add(rec arrow.Record, s *sink) {
	if k.kernel == nil {
		return
	}
	for i, at := range k.at {
		k.arrays[i] = rec.Column(at)
	}
	k.kernel.Broken(k.arrays, int(rec.NumRows()), func(row int) { s.hit(k.rule, row) })
	clear(k.arrays)
}
