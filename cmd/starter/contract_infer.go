package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/figure"
	"headgate/internal/infer"
	"headgate/internal/profile"
)

// inference is what contract infer was asked for.
type inference struct {
	file, name, out string
}

func newContractInferCommand(e *env) *cobra.Command {
	var in inference
	c := &cobra.Command{
		Use:   "infer FILE.parquet",
		Short: "Write a first contract from data",
		Long: `infer reads a Parquet file and writes a contract that it keeps: no row of it would go to
quarantine. It finds

  types and formats, and required where there is no null
  ranges, rounded outwards: 18 to 87 becomes 10 to 90
  small sets of values, as a warning when others come
  the key: a column, or two or three together, that differ in every row
  which column says when a row was true
  what may be personal, by names and values: email, phone, IBAN, IP address, …
  how many rows there must be at least: half of what there are

What is only a guess says so in a comment that begins with "guess". Columns that may be
personal are classified, and the contract shows none of their values. One file is not
what is normal: read what it says, and change it.

It reads the file a few times, and says on stderr how far it is.`,
		Example: `  starter contract infer 2024-01.parquet
  starter contract infer 2024-01.parquet --name shop --out contract.yaml`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			in.file = args[0]
			return in.run(c.Context(), e)
		},
	}
	c.Flags().StringVar(&in.name, "name", "", "`name` and id of the contract (default the name of the file)")
	c.Flags().StringVar(&in.out, "out", "", "`file` to write, which must not exist (default stdout)")
	return c
}

func (in *inference) run(ctx context.Context, e *env) error {
	name := in.name
	if name == "" {
		base := filepath.Base(in.file)
		name = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base))), "-"), "-")
	}
	if name == "" {
		return usageError{errors.New("the file has no name to use; give one with --name")}
	}
	data, err := openLocal(in.file)
	if err != nil {
		return err
	}
	defer data.f.Close()
	d, err := inferred(ctx, data.File, name, filepath.Base(in.file), e.stderr)
	if err != nil {
		return inFile(in.file, err)
	}
	text := d.YAML()
	if in.out == "" {
		_, err := e.stdout.Write(text)
		return err
	}
	if err := writeNew(in.out, text); err != nil {
		return err
	}
	key := "no key was found"
	if len(d.Key) > 0 {
		key = "key " + strings.Join(d.Key, ", ")
	}
	guesses := strings.Count(string(text), "# guess: ")
	fmt.Fprintf(e.stdout, "wrote %s: %s, %s, %s to look at\n\nnext:\n  starter validate %s --data %s\n",
		in.out, figure.Things(len(d.Columns), "column"), key, guessesIn(guesses), shell(in.out), shell(in.file))
	return nil
}

func guessesIn(n int) string {
	if n == 1 {
		return "1 guess"
	}
	return fmt.Sprintf("%d guesses", n)
}

// inferred makes a contract that every row of the file keeps.
func inferred(ctx context.Context, f *columnar.File, name, source string, progress io.Writer) (*infer.Draft, error) {
	if f.NumRows() == 0 {
		return nil, errors.New("it has no rows to learn from")
	}
	p, err := profiled(ctx, f, progress)
	if err != nil {
		return nil, err
	}
	nulls := map[string]int64{}
	for _, c := range p.Columns {
		nulls[c.Name] = c.Nulls
	}
	d := infer.New(name, f.Schema(), f.NumRows(), nulls)
	d.Nested = f.Nested()
	d.Intro = fmt.Sprintf(`A first data contract, in the Open Data Contract Standard 3.1.
Written by "starter contract infer" from %s (%d rows).

It says what that file looks like, and the file keeps all of it. Comments that begin
with "guess" are guesses. Look at every line before you trust it.`, source, d.Rows)
	if err := inferKey(ctx, f, d, p, progress); err != nil {
		return nil, err
	}
	d.Guess(p)
	return d, prove(ctx, f, d, progress)
}

// profiled makes the profile of a whole file.
func profiled(ctx context.Context, f *columnar.File, progress io.Writer) (*profile.Profile, error) {
	b := profile.NewBuilder(nil)
	meter := newMeter(progress, "profiled")
	for rec, err := range f.Records(ctx, columnar.ReadOptions{}) {
		if err != nil {
			return nil, err
		}
		if err := b.Add(rec); err != nil {
			return nil, err
		}
		meter.add(int(rec.NumRows()))
	}
	meter.end()
	return b.Profile(), nil
}

// inferKey counts the likely keys and takes the first that never repeats.
func inferKey(ctx context.Context, f *columnar.File, d *infer.Draft, p *profile.Profile, progress io.Writer) error {
	for _, group := range d.Candidates(p) {
		repeated, err := repeats(ctx, f, group, progress)
		if err != nil {
			return err
		}
		for i, tuple := range group {
			switch {
			case repeated[i] > 0:
			case d.Key == nil:
				d.Key = tuple
			case len(tuple) == 1:
				c := d.Column(tuple[0])
				c.Comments = append(c.Comments, "different in every row too: unique: true would keep it so")
			}
		}
		if d.Key != nil {
			return nil
		}
	}
	return nil
}

// prove checks every row against the draft, and takes back the guesses that some
// rows break.
func prove(ctx context.Context, f *columnar.File, d *infer.Draft, progress io.Writer) error {
	c, err := contract.Parse("the contract", d.YAML())
	if err != nil {
		return err
	}
	checker := c.NewChecker()
	meter := newMeter(progress, "checked")
	columns := append([]string{}, c.Needs()...) // not nil, which would be all columns
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return err
		}
		if _, err := checker.Add(rec); err != nil {
			return err
		}
		meter.add(int(rec.NumRows()))
	}
	meter.end()
	counts := checker.Result().Rules
	for _, r := range c.Rules {
		count := counts[r.ID]
		if count > 0 && r.Quarantine && !d.Drop(r, count) {
			return fmt.Errorf("%d rows break %s, which is no guess; this is a bug", count, r.ID)
		}
	}
	return nil
}
