package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/contract"
	"headgate/internal/figure"
	"headgate/internal/pipeline"
	"headgate/internal/profile"
)

// A timeSpan finds the newest and the oldest values of the columns that promises are
// about.
type timeSpan struct {
	columns []string
	profile *profile.Builder
}

func newTimeSpan(c *contract.Contract) *timeSpan {
	return &timeSpan{columns: c.TimeColumns(), profile: profile.NewBuilder(nil)}
}

func (t *timeSpan) add(rec arrow.Record) error {
	var fields []arrow.Field
	var cols []arrow.Array
	for _, name := range t.columns {
		for _, at := range rec.Schema().FieldIndices(name) {
			fields, cols = append(fields, rec.Schema().Field(at)), append(cols, rec.Column(at))
		}
	}
	if len(cols) == 0 {
		return nil
	}
	return t.profile.Add(array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows()))
}

// span returns the newest and the oldest value by column.
func (t *timeSpan) span() (newest, oldest map[string]time.Time) {
	newest, oldest = map[string]time.Time{}, map[string]time.Time{}
	for _, c := range t.profile.Profile().Columns {
		switch {
		case c.Values() == 0:
		case c.Kind == profile.Date:
			newest[c.Name], oldest[c.Name] = time.Unix(int64(c.Max)*86400, 0).UTC(), time.Unix(int64(c.Min)*86400, 0).UTC()
		case c.Kind == profile.Timestamp:
			newest[c.Name], oldest[c.Name] = time.UnixMicro(int64(c.Max)).UTC(), time.UnixMicro(int64(c.Min)).UTC()
		}
	}
	return newest, oldest
}

// begin returns the first moment of the batch's period.
func (v *validation) begin() (time.Time, bool) {
	if v.pipeline != nil {
		return v.pipeline.Begin(v.batch)
	}
	for _, kind := range []pipeline.BatchKind{pipeline.Month, pipeline.Day} {
		if begin, ok := (&pipeline.Config{Batch: kind}).Begin(v.batch); ok {
			return begin, true
		}
	}
	return time.Time{}, false
}

// judgeTimes judges the promises, if the name of the batch says when it is. Those about
// classified columns a run does not judge, because no profile keeps their values.
func (v *validation) judgeTimes(t *timeSpan) []contract.Violation {
	begin, ok := v.begin()
	if !ok {
		return nil
	}
	newest, oldest := t.span()
	return slices.DeleteFunc(v.contract.JudgeTimes(newest, oldest, begin), func(w contract.Violation) bool { return v.isClassified(w.Column) })
}

func (v *validation) isClassified(column string) bool {
	c, _ := v.contract.Column(column)
	return c.Classified()
}

// open lists what is not judged here, and what it would take.
func (v *validation) open() []string {
	var all []string
	for _, r := range v.contract.Relationships {
		if r.Object != v.contract.Table && len(v.sets[r.Object]) == 0 {
			all = append(all, fmt.Sprintf("%s: give --reference-set %s=FILE", r.Rule, r.Object))
		}
	}
	_, dated := v.begin()
	for _, p := range v.contract.Promises {
		switch {
		case v.isClassified(p.Column):
			all = append(all, fmt.Sprintf("%s: the values of %s are classified, so no run judges it", p.ID, p.Column))
		case v.batch == "":
			all = append(all, fmt.Sprintf("%s: give --batch, as in --batch 2024-01", p.ID))
		case !dated:
			all = append(all, fmt.Sprintf("%s: batch %s is no date", p.ID, v.batch))
		}
	}
	rules := len(v.contract.History)
	if v.pipeline != nil {
		rules += len(v.pipeline.History)
	}
	if rules > 0 {
		all = append(all, fmt.Sprintf("%s about earlier batches: a run judges them", figure.Things(rules, "rule")))
	}
	if v.output != nil {
		all = append(all, fmt.Sprintf("%s of the scores: a run judges them", figure.Things(len(v.output.Rules), "rule")))
	}
	return all
}

// unjudged prints what is not judged here.
func (v *validation) unjudged(e *env) {
	for _, text := range v.open() {
		fmt.Fprintf(e.stdout, "not judged: %s\n", text)
	}
}

// kept is the last line about a batch that would not be blocked.
func (v *validation) kept() string {
	if len(v.open()) > 0 {
		return "the batch keeps its contract as far as it was judged"
	}
	return "the batch keeps its contract"
}
