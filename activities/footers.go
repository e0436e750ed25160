package activities

import (
	"context"
	"fmt"
	"slices"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// CheckFootersInput names the run to check.
type CheckFootersInput struct{ Run }

// CheckFootersOutput says whether the batch may be read at all.
type CheckFootersOutput struct {
	Verdict run.Verdict `json:"verdict"`
	Reasons []string    `json:"reasons,omitempty"`
	Paper   run.Object  `json:"paper"` // a run.Data of [run.StageFooters]
}

// maxReasons bounds what enters a workflow's history; the paper has them all.
const maxReasons = 10

// CheckFooters answers from the Parquet footers what can be answered before a row
// is read: missing columns, wrong types, row counts, and nulls that alone exceed
// the error budget. A block is an answer, not an error.
func (a *Activities) CheckFooters(ctx context.Context, in CheckFootersInput) (CheckFootersOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (CheckFootersOutput, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return CheckFootersOutput{}, err
		}
		paper, err := a.judgeFooters(ctx, plan, f, report)
		if err != nil {
			return CheckFootersOutput{}, err
		}
		paper.Run = in.Run.Run
		object, err := run.SaveJSON(ctx, a.store, in.dir(), "footers.json", paper)
		return CheckFootersOutput{Verdict: paper.Verdict, Reasons: few(paper.Reasons), Paper: object}, err
	})
}

// judgeFooters says what the footers alone say of a batch.
func (a *Activities) judgeFooters(ctx context.Context, plan *run.Plan, f files, report func(Progress)) (run.Data, error) {
	violations, total, err := a.footers(ctx, plan, f, report)
	if err != nil {
		return run.Data{}, err
	}
	paper := run.Data{Format: run.Format, Stage: run.StageFooters, Verdict: run.Pass,
		Rows: plan.Rows, Budget: f.pipeline.Quarantine.Budget.Allowed(plan.Rows)}
	if !contract.Blocks(violations) {
		violations = append(violations, f.contract.CheckTotals(total)...)
		// Which of the bad rows were corrected since is known when all rows are read.
		bad, rule := f.contract.KnownBad(total)
		if replayed(plan) == 0 && f.pipeline.Quarantine.Budget.Exceeded(bad, plan.Rows) {
			paper.Reasons = append(paper.Reasons, fmt.Sprintf(
				"%d of %d rows break %s, more than the error budget of %d rows", bad, plan.Rows, rule, paper.Budget))
		}
	}
	paper.Violations = violations
	paper.Reasons = append(reasons(violations), paper.Reasons...)
	if len(paper.Reasons) > 0 {
		paper.Verdict = run.Block
	}
	return paper, nil
}

// footers checks each file by itself and adds up what those that were delivered say
// together.
func (a *Activities) footers(ctx context.Context, plan *run.Plan, f files, report func(Progress)) ([]contract.Violation, contract.Footer, error) {
	total := contract.Footer{Nulls: map[string]int64{}}
	var all []contract.Violation
	for i, file := range plan.Files {
		footer, err := a.footerOf(ctx, plan, file)
		if err != nil {
			return nil, total, err
		}
		violations := f.contract.CheckFooter(footer)
		for _, v := range violations {
			v.Message = file.Key + ": " + v.Message
			all = append(all, v)
		}
		if !contract.Blocks(violations) {
			if err := publishable(file, footer, pass.TableColumns(f.contract, f.pipeline.Scores.Keep)); err != nil {
				return nil, total, err
			}
		}
		if !file.Replay {
			addFooter(&total, footer, i == 0)
		}
		report(Progress{Done: int64(i + 1), Total: int64(len(plan.Files))})
	}
	return all, total, nil
}

// publishable refuses a file if a column of the published table has a type that Delta
// Lake does not know. A contract that says another type has blocked it before.
func publishable(file run.File, footer contract.Footer, columns []string) error {
	for _, name := range columns {
		for _, field := range fieldsNamed(footer.Schema, name) {
			if _, err := deltaType(field.Type); err != nil {
				return fail(KindConfig, "%s: column %q cannot be published: %w; deliver it as another type, or take it out of scores.keep", file.Key, name, err)
			}
		}
	}
	return nil
}

// footerOf reads a planned file's footer.
func (a *Activities) footerOf(ctx context.Context, plan *run.Plan, file run.File) (contract.Footer, error) {
	src, err := a.openFile(ctx, plan, file)
	if err != nil {
		return contract.Footer{}, err
	}
	defer src.close()
	f, err := src.openPlanned(ctx, file)
	if err != nil {
		return contract.Footer{}, err
	}
	defer f.close()
	footer := contract.Footer{Schema: f.Schema(), Nested: f.Nested(), Rows: f.NumRows(), Nulls: map[string]int64{}}
	groups := f.RowGroups()
	for _, field := range f.Schema().Fields() {
		if n, ok := nulls(groups, field.Name); ok {
			footer.Nulls[field.Name] = n
		}
	}
	return footer, nil
}

// nulls adds up a column's nulls over the row groups, if all of them say.
func nulls(groups []columnar.RowGroup, column string) (n int64, ok bool) {
	for _, g := range groups {
		c := g.Columns[column]
		if c.Nulls < 0 {
			return 0, false
		}
		n += c.Nulls
	}
	return n, true
}

// addFooter adds a file's counts to the total. A count that one file does not know
// is unknown in total.
func addFooter(total *contract.Footer, f contract.Footer, first bool) {
	total.Rows += f.Rows
	if first {
		total.Schema, total.Nested, total.Nulls = f.Schema, f.Nested, f.Nulls
		return
	}
	for name := range total.Nulls {
		if n, ok := f.Nulls[name]; ok {
			total.Nulls[name] += n
		} else {
			delete(total.Nulls, name)
		}
	}
}

// reasons are the messages of the violations that block.
func reasons(violations []contract.Violation) []string {
	var all []string
	for _, v := range violations {
		if v.Severity == contract.Error {
			all = append(all, v.Message)
		}
	}
	return all
}

// few cuts a list for a workflow's history and says so.
func few(reasons []string) []string {
	if len(reasons) <= maxReasons {
		return reasons
	}
	return append(slices.Clone(reasons[:maxReasons]), fmt.Sprintf("and %d more", len(reasons)-maxReasons))
}
