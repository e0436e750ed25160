package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/figure"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
)

// check checks the rows of --data as a worker would. A batch that would be blocked
// is a [blockedError].
func (v *validation) check(ctx context.Context, e *env) error {
	files, err := openAll(v.data)
	defer closeAll(files)
	if err != nil {
		return err
	}
	total := contract.Footer{Nulls: map[string]int64{}}
	var violations []contract.Violation
	for i, f := range files {
		footer := footerOf(f.File)
		for _, w := range v.contract.CheckFooter(footer) {
			if len(files) > 1 {
				w.Message = v.data[i] + ": " + w.Message
			}
			violations = append(violations, w)
		}
		addFooter(&total, footer, i == 0)
	}
	fmt.Fprintf(e.stdout, "\n%s: %s in %s\n", strings.Join(v.data, ", "), figure.Things(total.Rows, "row"), figure.Things(len(files), "file"))
	if contract.Blocks(violations) {
		return blocked(e, violations, "no row was read")
	}
	return v.rows(ctx, e, files)
}

// budget is the error budget of the pipeline; a contract alone allows nothing.
func (v *validation) budget() pipeline.Budget {
	if v.pipeline == nil {
		return pipeline.Budget{}
	}
	return v.pipeline.Quarantine.Budget
}

// rows checks every row and judges the batch.
func (v *validation) rows(ctx context.Context, e *env, files []*localFile) error {
	checker := v.contract.NewChecker()
	keys := newKeyCounter(v.contract)
	times := newTimeSpan(v.contract)
	meter := newMeter(e.stderr, "checked")
	for _, f := range files {
		for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: v.columns(f.File)}) {
			if err != nil {
				return inFile(f.name, err)
			}
			marks, err := checker.Add(rec)
			if err != nil {
				return inFile(f.name, err)
			}
			if err := errors.Join(keys.add(rec, marks), times.add(rec)); err != nil {
				return inFile(f.name, err)
			}
			meter.add(int(rec.NumRows()))
		}
	}
	meter.end()
	if err := v.readPartners(ctx, e, files, keys); err != nil {
		return err
	}
	result := checker.Result()
	counts, late := keys.count()
	violations := append(v.judge(result, counts), v.judgeTimes(times)...)
	v.table(e, result, counts)
	return v.verdict(e, result, late, violations)
}

// judge judges what was counted. Relationships with sets that were not given were not.
func (v *validation) judge(result contract.Result, counts contract.Counts) []contract.Violation {
	return slices.DeleteFunc(v.contract.Judge(result, counts), func(w contract.Violation) bool {
		r, _ := v.contract.Rule(w.Rule)
		_, counted := counts.Unmatched[w.Rule]
		return r.Kind == contract.KindRelationship && !counted
	})
}

// verdict says whether the batch would be blocked.
func (v *validation) verdict(e *env, result contract.Result, late int64, violations []contract.Violation) error {
	bad := result.Bad + late
	budget := v.budget()
	fmt.Fprintf(e.stdout, "\n%s of %s would go to quarantine (%s); the budget is %s\n",
		figure.Things(bad, "row"), figure.Count(result.Rows), figure.Percent(float64(bad)/float64(result.Rows)), budget)
	v.unjudged(e)
	switch {
	case contract.Blocks(violations):
		return blocked(e, violations, "")
	case budget.Exceeded(bad, result.Rows):
		show(e, violations)
		return blockedError{fmt.Errorf("the batch would be blocked: %s of %s are more than the error budget (%s)", figure.Count(bad), figure.Things(result.Rows, "row"), budget)}
	case bad == result.Rows:
		show(e, violations)
		return blockedError{fmt.Errorf("the batch would be blocked: no row is left to publish")}
	}
	show(e, violations)
	fmt.Fprintln(e.stdout, v.kept())
	return nil
}

// columns are those that rules and keys read, as far as the file has them.
func (v *validation) columns(f *columnar.File) []string {
	wanted := map[string]bool{}
	for _, name := range v.contract.Needs() {
		wanted[name] = true
	}
	for _, tuple := range pass.KeyTuples(v.contract) {
		for _, name := range tuple {
			wanted[name] = true
		}
	}
	for _, name := range v.contract.TimeColumns() {
		wanted[name] = true
	}
	names := []string{} // not nil, which would be all columns
	for _, field := range f.Schema().Fields() {
		if wanted[field.Name] {
			names = append(names, field.Name)
		}
	}
	return names
}

// table prints how many rows break each rule.
func (v *validation) table(e *env, result contract.Result, counts contract.Counts) {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	kept, unknown := 0, 0
	for i, r := range v.contract.Rules {
		n, counted := counts.Of(r, result)
		if !counted {
			unknown++
			continue
		}
		share := ""
		if r.Kind != contract.KindRowCount {
			share = figure.Percent(float64(n) / float64(result.Rows))
		}
		allowed := r.Limit.Allows(n, result.Rows)
		if allowed {
			kept++
		}
		if i == 0 {
			fmt.Fprintln(w, "rule\trows\tshare\tmust be\tif not")
		}
		if !allowed || v.all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, figure.Count(n), share, r.Limit, effect(r))
		}
	}
	if kept+unknown < len(v.contract.Rules) || v.all {
		w.Flush()
	}
	fmt.Fprintf(e.stdout, "%d of %d rules are kept", kept, len(v.contract.Rules))
	if unknown > 0 {
		fmt.Fprintf(e.stdout, ", %d not checked", unknown)
	}
	fmt.Fprintln(e.stdout)
}

// effect says what happens to a batch that breaks a rule.
func effect(r contract.Rule) string {
	switch {
	case r.Quarantine:
		return "quarantine"
	case r.Severity == contract.Error:
		return "block"
	}
	return string(r.Severity)
}

// show prints violations, one a line.
func show(e *env, violations []contract.Violation) {
	for _, w := range violations {
		fmt.Fprintf(e.stdout, "%s %s: %s\n", w.Severity, w.Rule, w.Message)
	}
}

// blocked prints violations and returns the error that names how many there are.
func blocked(e *env, violations []contract.Violation, more string) error {
	show(e, violations)
	n := 0
	for _, w := range violations {
		if w.Severity == contract.Error {
			n++
		}
	}
	if more != "" {
		more = "; " + more
	}
	return blockedError{fmt.Errorf("the batch would be blocked by %s%s", figure.Things(n, "rule"), more)}
}

// A localFile is a Parquet file on this machine.
type localFile struct {
	*columnar.File
	f    *os.File
	name string
}

// openLocal opens a Parquet file on this machine.
func openLocal(name string) (*localFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s is a directory; name a file in it", name)
	}
	file, err := columnar.Open(f, info.Size(), nil)
	if err != nil {
		f.Close()
		return nil, inFile(name, err)
	}
	return &localFile{File: file, f: f, name: name}, nil
}

// openAll opens files. Those that were opened are returned also with an error.
func openAll(names []string) ([]*localFile, error) {
	var files []*localFile
	for _, name := range names {
		f, err := openLocal(name)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

func closeAll(files []*localFile) {
	for _, f := range files {
		f.f.Close()
	}
}

// footerOf returns what a contract can be asked about a file.
func footerOf(f *columnar.File) contract.Footer {
	footer := contract.Footer{Schema: f.Schema(), Nested: f.Nested(), Rows: f.NumRows(), Nulls: map[string]int64{}}
	unknown := map[string]bool{}
	for _, group := range f.RowGroups() {
		for name, s := range group.Columns {
			if s.Nulls < 0 {
				unknown[name] = true
			}
			footer.Nulls[name] += s.Nulls
		}
	}
	for name := range unknown {
		delete(footer.Nulls, name)
	}
	return footer
}

// addFooter adds a file to the sum over files. A column that one of them does not
// know the nulls of is not known.
func addFooter(total *contract.Footer, footer contract.Footer, first bool) {
	total.Rows += footer.Rows
	for name, n := range footer.Nulls {
		if _, known := total.Nulls[name]; known || first {
			total.Nulls[name] += n
		}
	}
	for name := range total.Nulls {
		if _, known := footer.Nulls[name]; !known {
			delete(total.Nulls, name)
		}
	}
}
