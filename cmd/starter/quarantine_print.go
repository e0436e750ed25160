package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/figure"
	"headgate/internal/pass"
	"headgate/internal/quarantine"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// masked lists the columns whose values are not printed.
func (v *quarantineView) masked(q *quarantine.Quarantine) map[string]bool {
	masked := map[string]bool{}
	for _, c := range q.Contract.Columns {
		masked[c.Name] = c.Classified() && !v.classified
	}
	return masked
}

const maskedText = "(classified)"

// A quarantineAnswer is the shape of the JSON.
type quarantineAnswer struct {
	Pipeline    string                 `json:"pipeline"`
	Batch       string                 `json:"batch"`
	Run         store.Digest           `json:"run"`
	Verdict     papers.Verdict         `json:"verdict"`
	Rows        int64                  `json:"rows"`
	Quarantined int64                  `json:"quarantined"`
	Replaced    int64                  `json:"replaced"`
	Budget      int64                  `json:"budget"`
	Rules       []quarantine.RuleCount `json:"rules"`
	Notes       []string               `json:"notes"`
	Shown       []map[string]any       `json:"in_quarantine"`
}

func (v *quarantineView) json(ctx context.Context, e *env, q *quarantine.Quarantine, schema *arrow.Schema) error {
	masked := v.masked(q)
	a := quarantineAnswer{Pipeline: v.pipeline, Batch: v.batch, Run: q.Run, Verdict: q.Verdict, Rows: q.Data.Rows,
		Quarantined: q.Data.Quarantined, Replaced: q.Data.Replaced, Budget: q.Data.Budget, Rules: append([]quarantine.RuleCount{}, q.Rules()...),
		Notes: append([]string{}, q.Notes...), Shown: []map[string]any{}}
	err := v.each(ctx, q, schema, func(rec arrow.Record, i int) error {
		row := map[string]any{}
		for c, col := range rec.Columns() {
			name := rec.ColumnName(c)
			switch {
			case masked[name] && !isNull(col, i):
				row[name] = maskedText
			default:
				row[name] = jsonValue(col, i)
			}
		}
		row[pass.ColumnRules] = strings.Fields(cellText(rec, 0, i))
		a.Shown = append(a.Shown, row)
		return nil
	})
	if err != nil {
		return err
	}
	return printJSON(e, a)
}

func (v *quarantineView) csv(ctx context.Context, e *env, q *quarantine.Quarantine, schema *arrow.Schema) error {
	masked := v.masked(q)
	w := csv.NewWriter(e.stdout)
	var header []string
	for _, f := range schema.Fields() {
		header = append(header, f.Name)
	}
	if err := w.Write(header); err != nil {
		return err
	}
	err := v.each(ctx, q, schema, func(rec arrow.Record, i int) error {
		row := make([]string, len(header))
		for c := range row {
			if row[c] = cellText(rec, c, i); masked[header[c]] && row[c] != "" {
				row[c] = maskedText
			}
		}
		return w.Write(row)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// print shows counts and rows to people: the columns that a shown row's rules are
// about, because a batch may have hundreds.
func (v *quarantineView) print(ctx context.Context, e *env, q *quarantine.Quarantine, schema *arrow.Schema) error {
	d := q.Data
	fmt.Fprintf(e.stdout, "%s %s: %s; %s of %s in quarantine, %s allowed", v.pipeline, v.batch, q.Verdict, figure.Count(d.Quarantined), figure.Things(d.Rows, "row"), figure.Count(d.Budget))
	if d.Replaced > 0 {
		fmt.Fprintf(e.stdout, "; %s of them corrected and published", figure.Count(d.Replaced))
	}
	fmt.Fprintf(e.stdout, "\nrun %s\n", q.Run)
	for _, note := range q.Notes {
		fmt.Fprintf(e.stdout, "note: %s\n", note)
	}
	if len(d.Rules) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nRULE\tROWS")
	for _, r := range q.Rules() {
		fmt.Fprintf(w, "%s\t%s\n", r.Rule, figure.Count(r.Rows))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if v.rows == 0 {
		return nil
	}
	return v.table(ctx, e.stdout, q, schema)
}

// table prints rows, each with the columns that its rules are about.
func (v *quarantineView) table(ctx context.Context, out io.Writer, q *quarantine.Quarantine, schema *arrow.Schema) error {
	masked, entity := v.masked(q), q.Contract.Entity()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nFILE\tROW\t%s\tRULES\tVALUES\n", strings.Join(entity, "\t"))
	shown := 0
	err := v.each(ctx, q, schema, func(rec arrow.Record, i int) error {
		shown++
		value := func(name string) string {
			at := rec.Schema().FieldIndices(name)
			switch {
			case len(at) == 0:
				return "–"
			case masked[name] && !isNull(rec.Column(at[0]), i):
				return maskedText
			}
			return cell(rec.Column(at[0]), i)
		}
		rules := strings.Fields(cellText(rec, 0, i))
		cells := []string{cellText(rec, 1, i), cellText(rec, 2, i)}
		for _, name := range entity {
			cells = append(cells, value(name))
		}
		var values []string
		for _, name := range columnsOf(q, rules) {
			if !slices.Contains(entity, name) {
				values = append(values, name+"="+value(name))
			}
		}
		why := strings.Join(rules, " ")
		if cellText(rec, 3, i) == "true" {
			why += " (replaced)"
		}
		_, err := fmt.Fprintln(w, strings.Join(append(cells, why, strings.Join(values, " ")), "\t"))
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if v.rule == "" && int64(shown) < q.Data.Quarantined {
		fmt.Fprintf(out, "%d of %s; --rows N shows more, --out FILE writes all\n", shown, figure.Things(q.Data.Quarantined, "row"))
	}
	return nil
}

// columnsOf lists the columns that rules are about.
func columnsOf(q *quarantine.Quarantine, rules []string) []string {
	var names []string
	for _, id := range rules {
		r, ok := q.Contract.Rule(id)
		if !ok {
			continue // of the contract of the scores, or about corrected rows
		}
		for _, name := range append([]string{r.Column}, r.Columns...) {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
