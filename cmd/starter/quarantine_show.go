package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/spf13/cobra"

	"headgate/internal/columnar"
	"headgate/internal/figure"
	"headgate/internal/pass"
	"headgate/internal/quarantine"
	"headgate/internal/store"
)

// A quarantineView is what quarantine show was asked for.
type quarantineView struct {
	pipeline, batch string
	rule            string
	rows            int // at most; negative means all
	asJSON, asCSV   bool
	classified      bool
	out             string
}

func newQuarantineShowCommand(e *env) *cobra.Command {
	var v quarantineView
	var url string
	c := &cobra.Command{
		Use:   "show PIPELINE --batch BATCH",
		Short: "Show the rows of a batch that were kept back, and why",
		Long: `show prints how many rows of a batch each rule kept back, and then the rows: the rules
that they break, their file and row, and their values. They are those of the last run
over the batch, published or not. Rows that only the whole batch shows to be bad, because
they share a key with others or have no partner in another set, come after the others.
A row whose correction is published is marked.

Restricted columns are in no quarantine. Values of confidential ones are printed with
--show-classified only. --out writes all rows with all columns to a Parquet file, to be
corrected and handed in with quarantine replay; keep such a file as carefully as the
delivery.`,
		Example: `  starter quarantine show retailer --batch 2024-02
  starter quarantine show retailer --batch 2024-02 --rule age.maximum --rows 5 --show-classified
  starter quarantine show retailer --batch 2024-02 --csv > bad.csv
  starter quarantine show retailer --batch 2024-02 --out bad.parquet`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			v.pipeline = args[0]
			all := !c.Flags().Changed("rows") && (v.asCSV || v.asJSON)
			if err := v.check(); err != nil {
				return usageError{err}
			}
			if all {
				v.rows = -1
			}
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			return v.run(c.Context(), e, b)
		},
	}
	f := c.Flags()
	storeFlag(c, &url)
	f.StringVar(&v.batch, "batch", "", "`batch` whose rows are shown")
	f.StringVar(&v.rule, "rule", "", "only rows that break the rule of this `id`")
	f.IntVar(&v.rows, "rows", 20, "`number` of rows to print; --json and --csv print all without it")
	f.BoolVar(&v.asJSON, "json", false, "print JSON: the counts and the rows")
	f.BoolVar(&v.asCSV, "csv", false, "print the rows as CSV")
	f.BoolVar(&v.classified, "show-classified", false, "print values of confidential columns too")
	f.StringVar(&v.out, "out", "", "Parquet `file` to write the rows to, which must not exist")
	return c
}

func (v *quarantineView) check() error {
	switch {
	case v.batch == "":
		return errors.New("which batch? give --batch, for example --batch 2024-01")
	case v.rows < 0:
		return fmt.Errorf("--rows %d: give 0 or more", v.rows)
	case v.asJSON && v.asCSV:
		return errors.New("--json or --csv, not both")
	}
	return nil
}

func (v *quarantineView) run(ctx context.Context, e *env, b *store.Bucket) error {
	if _, err := loadRegistry(ctx, b, v.pipeline); err != nil {
		return err
	}
	q, err := quarantine.Load(ctx, b, v.pipeline, v.batch)
	if err != nil {
		return plain(err)
	}
	if err := v.known(q); err != nil {
		return err
	}
	schema, err := q.Schema(ctx)
	if err != nil {
		return err
	}
	switch {
	case v.out != "":
		return v.write(ctx, e, q, schema)
	case v.asJSON:
		return v.json(ctx, e, q, schema)
	case v.asCSV:
		return v.csv(ctx, e, q, schema)
	}
	return v.print(ctx, e, q, schema)
}

// known refuses a rule that kept no row back: most likely it is misspelt.
func (v *quarantineView) known(q *quarantine.Quarantine) error {
	if v.rule == "" || q.Data.Rules[v.rule] > 0 {
		return nil
	}
	var rules []string
	for _, r := range q.Rules() {
		rules = append(rules, r.Rule)
	}
	if len(rules) == 0 {
		rules = []string{"no rule did"}
	}
	return fmt.Errorf("rule %s kept no row of %s %s back; those that did: %s", v.rule, v.pipeline, v.batch, strings.Join(rules, ", "))
}

// each calls row with the rows that are asked for, as many as are.
func (v *quarantineView) each(ctx context.Context, q *quarantine.Quarantine, schema *arrow.Schema, row func(rec arrow.Record, i int) error) error {
	left := v.rows
	if left == 0 {
		return nil
	}
	for rec, err := range q.Records(ctx, schema) {
		if err != nil {
			return err
		}
		for i := range int(rec.NumRows()) {
			if !v.wants(rec, i) {
				continue
			}
			if err := row(rec, i); err != nil {
				return err
			}
			if left--; left == 0 {
				return nil
			}
		}
	}
	return nil
}

func (v *quarantineView) wants(rec arrow.Record, i int) bool {
	return v.rule == "" || slices.Contains(strings.Fields(cellText(rec, 0, i)), v.rule)
}

// cellText is a value as text; null is "".
func cellText(rec arrow.Record, column, i int) string {
	if isNull(rec.Column(column), i) {
		return ""
	}
	return strings.Clone(pass.Text(rec.Column(column), i))
}

// write writes all rows that are asked for to a Parquet file.
func (v *quarantineView) write(ctx context.Context, e *env, q *quarantine.Quarantine, schema *arrow.Schema) error {
	f, err := os.OpenFile(v.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists; name a file that does not", v.out)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := v.writeTo(ctx, f, e.stderr, q, schema)
	if err != nil {
		return errors.Join(err, os.Remove(v.out))
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s: %s, with values of confidential columns and without restricted columns\n", v.out, figure.Things(rows, "row"))
	for _, note := range q.Notes {
		fmt.Fprintf(e.stdout, "note: %s\n", note)
	}
	fmt.Fprintf(e.stdout, "correct them, then: starter quarantine replay %s --batch %s --data %s\n", v.pipeline, v.batch, v.out)
	return nil
}

func (v *quarantineView) writeTo(ctx context.Context, f, stderr io.Writer, q *quarantine.Quarantine, schema *arrow.Schema) (rows int64, err error) {
	w, err := columnar.Create(f, schema, nil)
	if err != nil {
		return 0, err
	}
	meter := newMeter(stderr, "wrote")
	for rec, err := range q.Records(ctx, schema) {
		if err != nil {
			return rows, err
		}
		n := int(rec.NumRows())
		for from := 0; from < n; from++ {
			to := from
			for to < n && v.wants(rec, to) {
				to++
			}
			if to > from {
				if err := w.Write(rec.NewSlice(int64(from), int64(to))); err != nil {
					return rows, err
				}
				rows += int64(to - from)
				from = to
			}
		}
		meter.add(n)
	}
	meter.end()
	return rows, w.Close()
}
