package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/spf13/cobra"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/domain"
	"headgate/internal/drift"
	"headgate/internal/figure"
	"headgate/internal/model"
	"headgate/internal/profile"
	"headgate/internal/train"
)

// A moving is what drift was asked for.
type moving struct {
	current, reference, contract string
	columns                      []string
	columnwise                   drift.Options
	together                     domain.Options
	asJSON                       bool
}

// A moved is the answer of drift.
type moved struct {
	Columns  *drift.Report  `json:"columns"`
	Together *domain.Result `json:"together"`
}

func newDriftCommand(e *env) *cobra.Command {
	var v moving
	c := &cobra.Command{
		Use:   "drift CURRENT.parquet --reference REFERENCE.parquet",
		Short: "Say how far one file has moved from another, without Temporal",
		Long: `drift compares two files column by column, as every scored batch is compared with its
reference: a column has drifted if the change is large and no accident. Then it trains
classifiers to tell the rows of both files apart, and judges them on rows that they did
not see: that shows a change of how columns go together, which no column shows alone. An
area under the ROC curve of 0.5 means that the files are alike. The columns that the
classifiers look at are those that differ.

Columns are the features of a contract, or else all numbers, booleans and texts that
both files have. Values of classified columns are not shown.`,
		Example: `  starter drift 2024-03.parquet --reference 2024-02.parquet --contract contract.yaml
  starter drift now.parquet --reference then.parquet --column age --column region --json`,
		Args: oneFile("drift"),
		RunE: func(c *cobra.Command, args []string) error {
			v.current = args[0]
			if v.reference == "" {
				return usageError{errors.New("drift needs to know from where; name a file with --reference")}
			}
			return v.run(c.Context(), e)
		},
	}
	f := c.Flags()
	f.StringVar(&v.reference, "reference", "", "Parquet `file` to compare with")
	f.StringVar(&v.contract, "contract", "", "data contract `file`: its features are compared")
	f.StringArrayVar(&v.together.Key, "key", nil, "`column` that names the entity; may be repeated (default: the contract's)")
	f.StringArrayVar(&v.columns, "column", nil, "`column` to compare; may be repeated (default: the contract's features, or all)")
	f.Float64Var(&v.columnwise.Moderate, "moderate", drift.DefaultModerate, "`effect` from which a column has drifted")
	f.Float64Var(&v.columnwise.Major, "major", drift.DefaultMajor, "`effect` from which it is major")
	f.Float64Var(&v.together.Bound, "bound", domain.DefaultBound, "`area` under the ROC curve from which files differ")
	f.IntVar(&v.together.Rows, "rows", domain.DefaultRows, "`rows` of either file that the classifiers look at")
	f.Uint64Var(&v.together.Seed, "seed", 0, "`number` that determines which")
	f.BoolVar(&v.asJSON, "json", false, "print JSON")
	return c
}

// oneFile takes the name of one file.
func oneFile(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s takes one file, got %d", command, len(args))}
		}
		return nil
	}
}

// run compares the files.
func (v *moving) run(ctx context.Context, e *env) error {
	files, err := openAll([]string{v.reference, v.current})
	defer closeAll(files)
	if err != nil {
		return err
	}
	inputs, err := v.inputs(files)
	if err != nil {
		return err
	}
	var names []string
	for _, in := range inputs {
		names = append(names, in.Name)
	}
	read := append(slices.Clone(names), v.together.Key...)
	out := &moved{}
	if err := v.alone(ctx, e, files, names, out); err != nil {
		return err
	}
	err = patiently(ctx, e.stderr, "telling the files apart", func() (err error) {
		out.Together, err = domain.Classify(ctx, rowsOf(ctx, files[0], read), rowsOf(ctx, files[1], read), inputs, &v.together)
		return err
	})
	if err != nil {
		return err
	}
	if v.asJSON {
		return printJSON(e, out)
	}
	out.print(e.stdout, v)
	return nil
}

// inputs returns the columns to compare, which both files must have.
func (v *moving) inputs(files []*localFile) ([]model.Input, error) {
	names := v.columns
	if v.contract != "" {
		text, err := os.ReadFile(v.contract)
		if err != nil {
			return nil, err
		}
		c, err := contract.Parse(v.contract, text)
		if err != nil {
			return nil, err
		}
		v.columnwise.Policies = map[string]drift.Policy{}
		for _, col := range c.Columns {
			v.columnwise.Policies[col.Name] = drift.Policy{Hide: col.Classified()}
		}
		if len(names) == 0 {
			names = c.Features()
		}
		if len(v.together.Key) == 0 {
			v.together.Key = v.entity(c, files)
		}
	}
	if len(names) == 0 {
		for _, field := range files[1].Schema().Fields() {
			if comparable(field.Type) && files[0].Schema().HasField(field.Name) {
				names = append(names, field.Name)
			}
		}
	}
	var inputs []model.Input
	for _, name := range names {
		for _, f := range files {
			at := f.Schema().FieldIndices(name)
			switch {
			case len(at) != 1:
				return nil, fmt.Errorf("%s has no column %s", f.name, name)
			case !comparable(f.Schema().Field(at[0]).Type):
				return nil, fmt.Errorf("%s: column %s is %s, and must be a number, a boolean or a text", f.name, name, f.Schema().Field(at[0]).Type)
			}
		}
		inputs = append(inputs, model.Input{Name: name, Kind: train.KindOf(files[1].Schema().Field(files[1].Schema().FieldIndices(name)[0]).Type)})
	}
	return inputs, nil
}

// entity returns the columns that name whom a row is about, without its date, if both
// files have them.
func (v *moving) entity(c *contract.Contract, files []*localFile) []string {
	key := slices.DeleteFunc(slices.Clone(c.Entity()), func(name string) bool {
		col, _ := c.Column(name)
		return col.Has(contract.RoleEventTime)
	})
	for _, name := range key {
		for _, f := range files {
			if !f.Schema().HasField(name) {
				return nil
			}
		}
	}
	return key
}

// comparable reports whether a column is a number, a boolean or a text.
func comparable(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BOOL, arrow.STRING, arrow.LARGE_STRING, arrow.DICTIONARY:
		return true
	}
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID())
}

// rowsOf reads columns of a file, as often as it is ranged over.
func rowsOf(ctx context.Context, f *localFile, columns []string) domain.Rows {
	return func(yield func(arrow.Record, error) bool) {
		for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
			if err != nil {
				err = inFile(f.name, err)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// alone compares each column.
func (v *moving) alone(ctx context.Context, e *env, files []*localFile, names []string, out *moved) (err error) {
	var profiles [2]*profile.Profile
	for i, f := range files {
		b := profile.NewBuilder(nil)
		meter := newMeter(e.stderr, "read")
		for rec, err := range rowsOf(ctx, f, names) {
			if err != nil {
				return err
			}
			if err := b.Add(rec); err != nil {
				return inFile(f.name, err)
			}
			meter.add(int(rec.NumRows()))
		}
		meter.end()
		profiles[i] = b.Profile()
	}
	out.Columns, err = drift.Compare(profiles[0], profiles[1], &v.columnwise)
	return err
}

// print writes the answer for people.
func (out *moved) print(w io.Writer, v *moving) {
	r := out.Columns
	fmt.Fprintf(w, "%s, %s, against %s, %s\n", v.current, figure.Things(r.Current, "row"), v.reference, figure.Things(r.Reference, "row"))
	fmt.Fprintf(w, "\ncolumn by column: %s\n", r.Level)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	still := 0
	for _, c := range byEffect(r.Columns) {
		if c.Level == drift.None && c.Effect < barely {
			still++
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.Name, c.Level, figure.Number(c.Effect), strings.Join(c.Reasons, "; "))
	}
	t.Flush()
	if still > 0 {
		fmt.Fprintf(w, "%s did not move\n", figure.Things(still, "column"))
	}
	d := out.Together
	verdict := "the files are alike"
	if d.Drift {
		verdict = "the files differ"
	}
	fmt.Fprintf(w, "\nall together: %s\n", verdict)
	fmt.Fprintf(w, "a classifier tells their rows apart with an area of %s, %s; they differ if all of it is above %s\n",
		figure.Number(d.AUC.Value), figure.Interval(d.AUC), figure.Bound(d.Bound))
	for i, f := range d.Features {
		if i == 5 || !d.Drift {
			break
		}
		fmt.Fprintf(w, "  %s carries %s of it\n", f.Name, level(f.Share))
	}
}

// barely is an effect that is not worth a line.
const barely = 0.001

// byEffect orders columns for people: the heaviest first, equal ones by name.
func byEffect(columns []drift.Column) []drift.Column {
	sorted := slices.Clone(columns)
	slices.SortStableFunc(sorted, func(a, b drift.Column) int {
		switch {
		case a.Effect > b.Effect:
			return -1
		case a.Effect < b.Effect:
			return 1
		}
		return 0
	})
	return sorted
}
