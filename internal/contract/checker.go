package contract

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
)

// A Checker checks the rows of a batch, or of a part of it, one record after the
// other. It is not safe for concurrent use; give each goroutine its own and
// [Merge] their results.
type Checker struct {
	c       *Contract
	columns []columnCheck
	across  []rowCheck
	schema  *arrow.Schema // that the columns are compiled for
	sink    sink
	rows    int64
	bad     int64
}

// A columnCheck is what is checked in one column.
type columnCheck struct {
	column Column
	nulls  []int      // rules that a null breaks
	values []compiled // rules that other values may break
	at     int        // place in the record, or -1
	scan   scanner    // nil if values is empty
}

// NewChecker returns a checker that has seen no rows.
func (c *Contract) NewChecker() *Checker {
	k := &Checker{c: c, across: c.rowChecks(), sink: sink{counts: make([]int64, len(c.Rules)), quarantine: make([]bool, len(c.Rules)), rules: c.Rules}}
	for _, col := range c.Columns {
		check := columnCheck{column: col, at: -1}
		named := false // by a rule across columns
		for i, r := range c.Rules {
			k.sink.quarantine[i] = r.Quarantine
			if _, rows := r.test.(across); rows {
				named = named || slices.Contains(r.Columns, col.Name)
				continue
			}
			if r.Column != col.Name || r.test == nil {
				continue
			}
			if nulls(r.test) {
				check.nulls = append(check.nulls, i)
			}
			if values(r.test) {
				check.values = append(check.values, compiled{rule: i, test: r.test})
			}
		}
		if named || len(check.nulls)+len(check.values) > 0 {
			k.columns = append(k.columns, check)
		}
	}
	return k
}

// Needs returns the columns that a checker reads, in the order of the contract.
// Those that are [Column.Later] may be missing from its records; a rule across
// columns one of which is missing is not judged.
func (c *Contract) Needs() []string {
	var names []string
	for _, check := range c.NewChecker().columns {
		names = append(names, check.column.Name)
	}
	return names
}

// Add checks the rows of a record and returns which of them go to quarantine. The
// marks are valid until the next Add. A record without a column that the
// contract needs, or with a column of another type, is an error: [Contract.CheckFooter]
// would have said so before.
func (k *Checker) Add(rec arrow.Record) (Marks, error) {
	if err := k.prepare(rec.Schema()); err != nil {
		return Marks{}, err
	}
	n := int(rec.NumRows())
	k.sink.reset(n)
	for i := range k.columns {
		check := &k.columns[i]
		if check.at < 0 {
			continue
		}
		arr := rec.Column(check.at)
		if len(check.nulls) > 0 && arr.NullN() > 0 {
			k.sink.nulls(check.nulls, arr)
		}
		if check.scan != nil {
			check.scan(arr, &k.sink)
		}
	}
	for i := range k.across {
		k.across[i].add(rec, &k.sink)
	}
	k.rows += int64(n)
	k.bad += int64(k.sink.count())
	k.sink.sort()
	return Marks{s: &k.sink}, nil
}

// prepare finds and compiles the columns, if the schema is not the one before.
func (k *Checker) prepare(schema *arrow.Schema) error {
	if k.schema == schema || k.schema != nil && k.schema.Equal(schema) {
		return nil
	}
	k.schema = nil
	for i := range k.columns {
		check := &k.columns[i]
		check.at, check.scan = -1, nil
		at := schema.FieldIndices(check.column.Name)
		if len(at) == 0 && check.column.Later() {
			continue
		}
		if len(at) != 1 {
			return fmt.Errorf("contract: the record has column %s %d times, want once", check.column.Name, len(at))
		}
		t := schema.Field(at[0]).Type
		if !check.column.accepts(t) {
			return fmt.Errorf("contract: %s is %s, the contract says %s", check.column.Name, typeName(t), check.column.says())
		}
		var err error
		if check.scan, err = compile(check.values, t); err != nil {
			return fmt.Errorf("contract: column %s: %w", check.column.Name, err)
		}
		check.at = at[0]
	}
	for i := range k.across {
		if err := k.across[i].prepare(k.c, k.columns, schema); err != nil {
			return err
		}
	}
	k.schema = schema
	return nil
}

// A sink collects what the scanners of one record find.
type sink struct {
	rules      []Rule
	counts     []int64  // by rule, over all records
	quarantine []bool   // by rule
	bad        []uint64 // a bit for each row of this record
	hits       []hit    // of rules that quarantine, in this record
}

// A hit is one row that breaks one rule.
type hit struct{ row, rule int32 }

func (s *sink) reset(rows int) {
	words := (rows + 63) / 64
	s.bad = slices.Grow(s.bad[:0], words)[:words]
	clear(s.bad)
	s.hits = s.hits[:0]
}

func (s *sink) hit(rule, row int) {
	s.counts[rule]++
	if s.quarantine[rule] {
		s.bad[row/64] |= 1 << (row % 64)
		s.hits = append(s.hits, hit{row: int32(row), rule: int32(rule)})
	}
}

// nulls hits every rule for every null of the array.
func (s *sink) nulls(rules []int, arr arrow.Array) {
	for _, rule := range rules {
		if !s.quarantine[rule] {
			s.counts[rule] += int64(arr.NullN())
			continue
		}
		for i := range arr.Len() {
			if arr.IsNull(i) {
				s.hit(rule, i)
			}
		}
	}
}

func (s *sink) count() int {
	n := 0
	for _, w := range s.bad {
		n += bits.OnesCount64(w)
	}
	return n
}

// sort brings the hits into the order of rows, then rules.
func (s *sink) sort() {
	slices.SortFunc(s.hits, func(a, b hit) int {
		if a.row != b.row {
			return int(a.row - b.row)
		}
		return int(a.rule - b.rule)
	})
}

// Marks say which rows of a record go to quarantine, and why.
type Marks struct{ s *sink }

// Any reports whether any row goes to quarantine.
func (m Marks) Any() bool { return len(m.s.hits) > 0 }

// Count returns how many rows go to quarantine.
func (m Marks) Count() int { return m.s.count() }

// Bad reports whether row i goes to quarantine.
func (m Marks) Bad(i int) bool { return m.s.bad[i/64]&(1<<(i%64)) != 0 }

// Rules returns the ids of the rules that send row i to quarantine, in the order
// of the contract.
func (m Marks) Rules(i int) []string {
	at, _ := slices.BinarySearchFunc(m.s.hits, i, func(h hit, row int) int { return int(h.row) - row })
	var ids []string
	for ; at < len(m.s.hits) && int(m.s.hits[at].row) == i; at++ {
		ids = append(ids, m.s.rules[m.s.hits[at].rule].ID)
	}
	return ids
}
