package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/spf13/cobra"

	"headgate/internal/columnar"
	"headgate/internal/figure"
	"headgate/internal/profile"
)

func newShowCommand(e *env) *cobra.Command {
	var rows int
	var asJSON bool
	c := &cobra.Command{
		Use:   "show F.parquet",
		Short: "Show what a Parquet file holds: schema, layout, profile, first rows",
		Long: `show reads a Parquet file once and prints its columns with type, encodings,
compression and size; how many values are null and how many are different; least
value, greatest value and mean; then its row groups and its first rows.

The number of different values is an estimate, good to a few percent. The mean is
given for numbers, and for booleans as the share that is true. NaN and infinities
are counted as "nan" and "inf" and take no part in the rest.`,
		Example: `  starter show incoming/retailer/2024-01/customers.parquet
  starter show customers.parquet --rows 20
  starter show customers.parquet --json | jq '.columns[] | select(.nulls > 0)'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("show takes one file, got %d; see starter show --help", len(args))}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if rows < 0 {
				return usageError{fmt.Errorf("--rows %d: give 0 or more", rows)}
			}
			a, err := describe(c.Context(), e, args[0], rows)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(e, a)
			}
			return a.print(e.stdout)
		},
	}
	c.Flags().IntVar(&rows, "rows", 5, "`number` of first rows to show")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// An anatomy is what show knows of a file, and the shape of its JSON.
type anatomy struct {
	File         string           `json:"file"`
	Bytes        int64            `json:"bytes"`
	Rows         int64            `json:"rows"`
	CreatedBy    string           `json:"createdBy,omitempty"`
	FooterDigest string           `json:"footerDigest"`
	Columns      []anatomyColumn  `json:"columns"`
	Nested       []string         `json:"nested,omitempty"` // named, not read
	RowGroups    []anatomyGroup   `json:"rowGroups"`
	First        []map[string]any `json:"first"`

	cells [][]string // the first rows as text
}

type anatomyColumn struct {
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	Physical     string   `json:"physical"`
	Optional     bool     `json:"optional"`
	Encodings    []string `json:"encodings"`
	Compression  []string `json:"compression"`
	Compressed   int64    `json:"compressedBytes"`
	Uncompressed int64    `json:"uncompressedBytes"`
	Nulls        int64    `json:"nulls"`
	NaNs         int64    `json:"nan,omitempty"`
	Infinities   int64    `json:"inf,omitempty"`
	Distinct     int64    `json:"distinct"`
	Min          any      `json:"min,omitempty"` // number, boolean, or text
	Max          any      `json:"max,omitempty"`
	Mean         *float64 `json:"mean,omitempty"`

	estimated bool // Distinct is an estimate
}

type anatomyGroup struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
}

// describe reads the file once: footer, profile and first rows.
func describe(ctx context.Context, e *env, path string, rows int) (*anatomy, error) {
	f, err := openLocal(path)
	if err != nil {
		return nil, err
	}
	defer f.f.Close()
	a := layoutOf(f.File, path)
	builder := profile.NewBuilder(nil)
	meter := newMeter(e.stderr, "read")
	for rec, err := range f.Records(ctx, columnar.ReadOptions{}) {
		if err != nil {
			return nil, inFile(path, err)
		}
		if err := builder.Add(rec); err != nil {
			return nil, inFile(path, err)
		}
		a.take(rec, rows-len(a.cells))
		meter.add(int(rec.NumRows()))
	}
	meter.end()
	p := builder.Profile()
	for i := range a.Columns {
		if c := p.Column(a.Columns[i].Name); c != nil {
			a.Columns[i].fill(c)
		}
	}
	return a, nil
}

// layoutOf reads what the footer says.
func layoutOf(f *columnar.File, path string) *anatomy {
	d, digest := f.Describe(), f.FooterDigest()
	a := &anatomy{
		File:         path,
		Bytes:        d.Bytes,
		Rows:         d.Rows,
		CreatedBy:    d.CreatedBy,
		FooterDigest: "sha256:" + hex.EncodeToString(digest[:]),
		Columns:      []anatomyColumn{},
		Nested:       d.Nested,
		RowGroups:    []anatomyGroup{},
		First:        []map[string]any{},
	}
	for _, c := range d.Columns {
		a.Columns = append(a.Columns, anatomyColumn{
			Name: c.Name, Type: c.Type, Physical: c.Physical, Optional: c.Optional,
			Encodings: c.Encodings, Compression: c.Compression,
			Compressed: c.Compressed, Uncompressed: c.Uncompressed,
		})
	}
	for _, g := range f.RowGroups() {
		a.RowGroups = append(a.RowGroups, anatomyGroup{Rows: g.Rows, Bytes: g.Bytes})
	}
	return a
}

// take keeps the first n rows of a record.
func (a *anatomy) take(rec arrow.Record, n int) {
	for r := range min(n, int(rec.NumRows())) {
		row, cells := map[string]any{}, []string{}
		for i, c := range rec.Columns() {
			row[rec.ColumnName(i)] = jsonValue(c, r)
			cells = append(cells, cell(c, r))
		}
		a.First = append(a.First, row)
		a.cells = append(a.cells, cells)
	}
}

// jsonValue keeps numbers, booleans and nulls; all else is text, as are the floats
// that JSON cannot write.
func jsonValue(c arrow.Array, i int) any {
	if isNull(c, i) {
		return nil
	}
	switch c := c.(type) {
	case *array.Boolean:
		return c.Value(i)
	case *array.Float32, *array.Float64:
		if x, err := strconv.ParseFloat(c.ValueStr(i), 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			return json.Number(c.ValueStr(i))
		}
	}
	if arrow.IsInteger(c.DataType().ID()) {
		return json.Number(c.ValueStr(i))
	}
	return strings.Clone(c.ValueStr(i)) // the record goes, its text stays
}

// isNull knows that a column of type null has nothing else, which Arrow does not say.
func isNull(c arrow.Array, i int) bool { return c.IsNull(i) || c.DataType().ID() == arrow.NULL }

const maxCell = 32 // characters

// cell is a value on one line of limited length.
func cell(c arrow.Array, i int) string {
	if isNull(c, i) {
		return "–"
	}
	return shorten(strings.Clone(c.ValueStr(i)))
}

func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	if runes := []rune(s); len(runes) > maxCell {
		return string(runes[:maxCell-1]) + "…"
	}
	return s
}

// fill adds what the profile of the column says.
func (c *anatomyColumn) fill(p *profile.Column) {
	c.Nulls, c.NaNs, c.Infinities = p.Nulls, p.NaNs, p.PosInfs+p.NegInfs
	c.Distinct = min(int64(math.Round(p.Distincts())), p.Rows-p.Nulls) // an estimate may be above what there is
	c.estimated = !p.Exact()
	if p.Values() == 0 {
		return
	}
	switch p.Kind {
	case profile.Text:
		c.Min, c.Max = p.MinText, p.MaxText
	case profile.Binary, profile.Opaque:
	default:
		c.Min, c.Max = bound(p, p.Min), bound(p, p.Max)
	}
	if p.Kind == profile.Number || p.Kind == profile.Boolean {
		mean, _ := p.MeanStd()
		c.Mean = &mean
	}
}

// bound writes a least or greatest value in the words of its kind.
func bound(p *profile.Column, x float64) any {
	switch {
	case p.Kind == profile.Boolean:
		return x != 0
	case p.Kind == profile.Date:
		return time.Unix(int64(x)*24*60*60, 0).UTC().Format(time.DateOnly)
	case p.Kind == profile.Timestamp:
		return time.UnixMicro(int64(x)).UTC().Format("2006-01-02 15:04:05.999999")
	case p.Kind == profile.Time:
		return time.UnixMicro(int64(x)).UTC().Format("15:04:05.999999")
	case p.Integral:
		return json.Number(strconv.FormatFloat(x, 'f', 0, 64))
	}
	return json.Number(strconv.FormatFloat(x, 'g', -1, 64))
}

// print writes the anatomy for people.
func (a *anatomy) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s in %s and %s, %s\n", a.File,
		figure.Things(a.Rows, "row"), figure.Things(len(a.Columns)+len(a.Nested), "column"), figure.Things(len(a.RowGroups), "row group"), figure.Bytes(a.Bytes))
	if a.CreatedBy != "" {
		fmt.Fprintf(w, "written by %s\n", a.CreatedBy)
	}
	fmt.Fprintf(w, "footer %s\n\n", a.FooterDigest)
	fmt.Fprintln(w, "COLUMN\tTYPE\tNULLS\tDISTINCT\tMIN\tMAX\tMEAN\tENCODINGS\tCOMPRESSION\tBYTES")
	for i := range a.Columns {
		fmt.Fprintln(w, a.Columns[i].line())
	}
	if len(a.Nested) > 0 {
		fmt.Fprintf(w, "\nnested and not read: %s\n", strings.Join(a.Nested, ", "))
	}
	fmt.Fprintln(w, "\nROW GROUP\tROWS\tBYTES")
	for i, g := range a.RowGroups {
		fmt.Fprintf(w, "%d\t%s\t%s\n", i, figure.Count(g.Rows), figure.Count(g.Bytes))
	}
	if len(a.cells) > 0 {
		fmt.Fprintln(w)
		var names []string
		for _, c := range a.Columns {
			names = append(names, shorten(c.Name))
		}
		fmt.Fprintln(w, strings.Join(names, "\t"))
		for _, row := range a.cells {
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
	}
	return w.Flush()
}

func (c *anatomyColumn) line() string {
	kind := c.Type
	if !c.Optional {
		kind += " required"
	}
	nulls := figure.Count(c.Nulls)
	if c.NaNs > 0 {
		nulls += " +" + figure.Count(c.NaNs) + " nan"
	}
	if c.Infinities > 0 {
		nulls += " +" + figure.Count(c.Infinities) + " inf"
	}
	distinct := figure.Count(c.Distinct)
	if c.estimated {
		distinct = "~" + distinct
	}
	mean := ""
	if c.Mean != nil {
		mean = strconv.FormatFloat(*c.Mean, 'g', 6, 64)
	}
	return strings.Join([]string{
		shorten(c.Name), kind, nulls, distinct, boundCell(c.Min), boundCell(c.Max), mean,
		strings.Join(c.Encodings, ","), strings.Join(c.Compression, ","), figure.Count(c.Compressed),
	}, "\t")
}

func boundCell(x any) string {
	if x == nil {
		return ""
	}
	return shorten(fmt.Sprint(x))
}
