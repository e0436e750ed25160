package pass

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/contract"
)

// OutputMark begins the ids of rules of the contract of the scores, where they stand
// beside those of the input's.
const OutputMark = "scores:"

// rowMarks say which rows of a record go to quarantine: those that break the input's
// contract, and those of the others that break the contract of the scores.
type rowMarks struct {
	contract.Marks
	output map[int][]string // rule ids by row
}

// Any reports whether any row goes to quarantine.
func (m rowMarks) Any() bool { return m.Marks.Any() || len(m.output) > 0 }

// Bad reports whether row i goes to quarantine.
func (m rowMarks) Bad(i int) bool { return m.Marks.Bad(i) || len(m.output[i]) > 0 }

// Rules returns the ids of the rules that send row i to quarantine.
func (m rowMarks) Rules(i int) []string { return slices.Concat(m.Marks.Rules(i), m.output[i]) }

// checkOutput checks the rows that keep the input's contract, as they would be
// published, and returns the rules that they break by row.
func (p *pass) checkOutput(scored arrow.Record, in contract.Marks) (map[int][]string, error) {
	if p.output == nil {
		return nil, nil
	}
	rec := p.publishedColumns(scored)
	defer rec.Release()
	var broken map[int][]string
	n := int(rec.NumRows())
	for from := 0; from < n; {
		to := from + 1
		for to < n && in.Bad(to) == in.Bad(from) {
			to++
		}
		if !in.Bad(from) {
			slice := rec.NewSlice(int64(from), int64(to))
			marks, err := p.output.Add(slice)
			slice.Release()
			if err != nil {
				return nil, fmt.Errorf("scores: %w", err)
			}
			for i := from; i < to && marks.Any(); i++ {
				for _, id := range marks.Rules(i - from) {
					if broken == nil {
						broken = map[int][]string{}
					}
					broken[i] = append(broken[i], OutputMark+id)
				}
			}
		}
		from = to
	}
	return broken, nil
}

// publishedColumns returns the columns of a score record under the names that they
// have in the published table.
func (p *pass) publishedColumns(scored arrow.Record) arrow.Record {
	fields, cols := pick(scored, TableColumns(p.in.Contract, p.in.Keep))
	for o := range p.scores.Outputs {
		for _, c := range ScoreColumns(o, p.scores.Outputs) {
			_, from := pick(scored, []string{c.From})
			fields, cols = append(fields, floatField(c.Name)), append(cols, from...)
		}
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, scored.NumRows())
}

// CheckOutput returns what is wrong with a contract of the scores: columns that the
// published table does not have, and rules that need more than one row or another
// set. The input's contract has those.
func CheckOutput(output, c *contract.Contract, keep []string, outputs int) error {
	have := TableColumns(c, keep)
	for o := range outputs {
		for _, s := range ScoreColumns(o, outputs) {
			have = append(have, s.Name)
		}
	}
	var problems []error
	for _, col := range output.Columns {
		if !slices.Contains(have, col.Name) {
			problems = append(problems, fmt.Errorf("scores.contract: column %s is not published; there are %v", col.Name, have))
		}
	}
	for _, tuple := range output.NeedsKeys() {
		problems = append(problems, fmt.Errorf("scores.contract: a rule about duplicates of %v belongs into the contract of the input", tuple))
	}
	for _, r := range output.Relationships {
		problems = append(problems, fmt.Errorf("scores.contract: the relationship of %v belongs into the contract of the input", r.Columns))
	}
	return errors.Join(problems...)
}
