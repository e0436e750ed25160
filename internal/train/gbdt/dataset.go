package gbdt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
)

// Columns say what the columns of a record are for. Others are ignored.
type Columns struct {
	// Features are the model's inputs, in the model's order. A categorical feature
	// of text needs no Categories: then [Load] takes those of the data, sorted. One
	// of numbers holds codes from 0 to 1,048,575; negative codes are missing.
	Features []model.Input
	Label    string // a number, or a boolean; never missing
	Weight   string // of the row, from 0 on; empty if all rows weigh the same
}

// A Dataset is rows in bins: one byte for each value, or two of features with more than
// 255 categories, and 4 bytes for the label and the weight each. It is read by trainings and never changed by them.
type Dataset struct {
	columns Columns
	params  Params // of which the bins matter
	mappers []mapper
	used    []int    // features with more than one bin, those of two bytes last
	groups  []*group // of the used features
	groupOf []int    // of each used feature
	rows    int
	labels  []float32
	weights []float32 // nil without
	origin  *Dataset  // whose bins these are; nil if they are its own
	notes   []string
}

// groupWidth is the most features of a group: a row of it is one 64-bit word, and its
// histograms, 2 KB each, fit into
// the nearest cache.
const groupWidth = 8

// A group is the bins of some features, row by row.
type group struct {
	first int // of its features, in Dataset.used
	width int
	bins  []uint8  // rows × width, and room for 8 more
	wide  []uint16 // instead of bins, of a feature of two bytes, which is alone
}

// A RowError means that a value cannot be trained with.
type RowError struct {
	Row    int64 // from 0, over all records
	Column string
	Reason string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("training data, row %d: column %q %s", e.Row, e.Column, e.Reason)
}

// Load puts records into bins. It ranges over records two times, or three times if
// a text column needs its categories, so that it never holds more than one record
// and a sample; each time they must be the same. Of p, max_bin, min_data_in_bin,
// bin_construct_sample_cnt and seed matter; of o, Threads.
//
// A missing or infinite label, an infinite feature, a negative or infinite weight
// and a category code that is too large give a *[RowError], a column that is not
// there or of no use a *[model.InputError].
func Load(ctx context.Context, records iter.Seq2[arrow.Record, error], c Columns, p Params, o *Options) (*Dataset, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	c.Features = slices.Clone(c.Features)
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.findCategories(ctx, records); err != nil {
		return nil, err
	}
	s, err := newSampler(c, p)
	if err != nil {
		return nil, err
	}
	if err := s.read(ctx, records); err != nil {
		return nil, err
	}
	d := &Dataset{columns: c, params: p}
	d.mappers = s.mappers(threadsOf(o))
	d.layOut(s.rows)
	if err := d.read(ctx, records, threadsOf(o)); err != nil {
		return nil, err
	}
	d.note(s)
	if d.rows != s.rows {
		return nil, fmt.Errorf("training data: %d rows when they were sampled, %d now; they must not change", s.rows, d.rows)
	}
	return d, nil
}

// Validation puts other records into the same bins, for the metric. They are read
// once; categories that the dataset does not have are missing values.
func (d *Dataset) Validation(ctx context.Context, records iter.Seq2[arrow.Record, error], o *Options) (*Dataset, error) {
	v := &Dataset{columns: d.columns, params: d.params, mappers: d.mappers, origin: d}
	v.layOut(0)
	if err := v.read(ctx, records, threadsOf(o)); err != nil {
		return nil, fmt.Errorf("validation part: %w", err)
	}
	return v, nil
}

// Rows is the number of rows.
func (d *Dataset) Rows() int { return d.rows }

// Inputs are the features, with the categories that were given or found.
func (d *Dataset) Inputs() []model.Input { return slices.Clone(d.columns.Features) }

// Notes say in a sentence each what a person should know before training:
// features without a value, with a single one, or with more categories than are
// kept apart, and a label that is rare, if the objective is binary.
func (d *Dataset) Notes() []string { return slices.Clone(d.notes) }

// check finds columns that are there for two things.
func (c *Columns) check() error {
	if len(c.Features) == 0 {
		return fmt.Errorf("training data: there are no features to learn from")
	}
	if c.Label == "" {
		return fmt.Errorf("training data: no column is named as the label")
	}
	if c.Weight == c.Label {
		return &model.InputError{Column: c.Label, Reason: "is both the label and the weight"}
	}
	seen := map[string]bool{}
	for _, in := range c.Features {
		switch {
		case in.Name == c.Label:
			return &model.InputError{Column: in.Name, Reason: "is both the label and a feature: the model would read the answer"}
		case in.Name == c.Weight:
			return &model.InputError{Column: in.Name, Reason: "is both the weight and a feature"}
		case seen[in.Name]:
			return &model.InputError{Column: in.Name, Reason: "is named twice among the features"}
		case !writable(in.Name):
			return &model.InputError{Column: in.Name, Reason: "cannot be in a model file, where names have no spaces, controls and none of \",:[]{}"}
		case in.Kind == model.Numeric && in.Categories != nil:
			return &model.InputError{Column: in.Name, Reason: "has categories, and is not categorical"}
		}
		seen[in.Name] = true
	}
	return nil
}

// writable reports whether LightGBM's text format can hold a name.
func writable(name string) bool {
	for _, r := range name {
		if r <= ' ' || r == 0x7f || r == '"' || r == ',' || r == ':' || r == '[' || r == ']' || r == '{' || r == '}' {
			return false
		}
	}
	return name != ""
}

// inputs are all columns that are read: features, label, and weight if there is one.
func (c *Columns) inputs() []model.Input {
	inputs := append(slices.Clone(c.Features), model.Input{Name: c.Label})
	if c.Weight != "" {
		inputs = append(inputs, model.Input{Name: c.Weight})
	}
	return inputs
}

// layOut divides the features that are of use into groups, with room for rows.
func (d *Dataset) layOut(rows int) {
	var wide []int
	for i := range d.mappers {
		switch bins := d.mappers[i].bins; {
		case bins > byteBins:
			wide = append(wide, i)
		case bins > 1:
			d.used = append(d.used, i)
		}
	}
	n := len(d.used)
	groups := (n + groupWidth - 1) / groupWidth
	for i := range groups {
		first, end := n*i/groups, n*(i+1)/groups
		d.groups = append(d.groups, &group{first: first, width: end - first, bins: make([]uint8, 0, rows*(end-first)+8)})
		for range end - first {
			d.groupOf = append(d.groupOf, i)
		}
	}
	for _, feature := range wide {
		d.groupOf = append(d.groupOf, len(d.groups))
		d.groups = append(d.groups, &group{first: len(d.used), width: 1, wide: make([]uint16, 0, rows)})
		d.used = append(d.used, feature)
	}
	d.labels = make([]float32, 0, rows)
	if d.columns.Weight != "" {
		d.weights = make([]float32, 0, rows)
	}
}

// readChunk is how many rows are decoded at a time.
const readChunk = 512

// maxRows keeps a row's number in 32 bits.
const maxRows = math.MaxInt32

// read appends records.
func (d *Dataset) read(ctx context.Context, records iter.Seq2[arrow.Record, error], threads int) error {
	encoder, err := model.NewEncoder(d.columns.inputs())
	if err != nil {
		return err
	}
	for rec, err := range records {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		frame, err := encoder.Bind(rec)
		if err != nil {
			return err
		}
		if err := d.add(frame, int(rec.NumRows()), threads); err != nil {
			return err
		}
	}
	return nil
}

// add appends a record's rows. The chunks are independent of each other; of several
// errors the first row's is returned.
func (d *Dataset) add(frame *model.Frame, rows, threads int) error {
	first := d.rows
	if rows > maxRows-first {
		return fmt.Errorf("training data: more than %d rows", maxRows)
	}
	d.rows += rows
	for _, g := range d.groups {
		if g.wide != nil {
			g.wide = slices.Grow(g.wide, rows)[:d.rows]
		} else {
			g.bins = slices.Grow(g.bins, rows*g.width+8)[:d.rows*g.width]
		}
	}
	d.labels = slices.Grow(d.labels, rows)[:d.rows]
	if d.weights != nil {
		d.weights = slices.Grow(d.weights, rows)[:d.rows]
	}
	chunks := (rows + readChunk - 1) / readChunk
	errs := make([]error, chunks)
	stride := len(d.columns.inputs())
	buffers := make([][]float64, threads)
	parallel(threads, chunks, func(chunk, worker int) {
		if buffers[worker] == nil {
			buffers[worker] = make([]float64, readChunk*stride)
		}
		from := chunk * readChunk
		to := min(from+readChunk, rows)
		values := buffers[worker][:(to-from)*stride]
		frame.Fill(values, from, to)
		errs[chunk] = d.put(values, stride, first+from)
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// put writes decoded rows from row at on.
func (d *Dataset) put(values []float64, stride, at int) error {
	rows := len(values) / stride
	for _, g := range d.groups {
		for f := range g.width {
			feature := d.used[g.first+f]
			m := &d.mappers[feature]
			for i := range rows {
				bin := m.bin(values[i*stride+feature])
				if g.wide != nil {
					g.wide[at+i] = bin
				} else {
					g.bins[(at+i)*g.width+f] = uint8(bin)
				}
			}
		}
	}
	label := len(d.columns.Features)
	for i := range rows {
		v := values[i*stride+label]
		if err := checkLabel(v, at+i, d.columns.Label); err != nil {
			return err
		}
		d.labels[at+i] = float32(v)
		if d.weights == nil {
			continue
		}
		w := values[i*stride+label+1]
		if !(w >= 0) || float32(w) > math.MaxFloat32 {
			return &RowError{int64(at + i), d.columns.Weight, fmt.Sprintf("is %g; a weight is a finite number from 0 on", w)}
		}
		d.weights[at+i] = float32(w)
	}
	return nil
}

func checkLabel(v float64, row int, column string) error {
	switch {
	case v != v:
		return &RowError{int64(row), column, "is missing; leave out rows whose outcome is not known"}
	case math.Abs(v) > math.MaxFloat32:
		return &RowError{int64(row), column, fmt.Sprintf("is %g; a label is a finite number of single precision", v)}
	}
	return nil
}

// rare is the share of the rows below which a label deserves a note.
const rare = 0.01

// note says what is odd about the features and the label.
func (d *Dataset) note(s *sampler) {
	for i := range d.mappers {
		m, name := &d.mappers[i], d.columns.Features[i].Name
		switch {
		case s.present[i] == 0:
			d.notes = append(d.notes, fmt.Sprintf("feature %q has no value in any row and is not used", name))
		case m.bins <= 1:
			d.notes = append(d.notes, fmt.Sprintf("feature %q has one value, as far as it can be told, and is not used", name))
		case m.rare > 0:
			d.notes = append(d.notes, fmt.Sprintf("feature %q has many categories: %d frequent ones are told apart, the others count as missing", name, m.bins-1))
		}
	}
	var counts [2]int // of labels 0 and 1
	for _, label := range d.labels {
		counts[int(oneIf(label > 0))]++
	}
	for label, n := range counts {
		if d.params.Objective == "binary" && float64(n) < rare*float64(d.rows) {
			d.notes = append(d.notes, fmt.Sprintf("label %q is %d in only %d of %d rows; scale_pos_weight and is_unbalance weigh them", d.columns.Label, label, n, d.rows))
		}
	}
}

// digest identifies the rows in their bins.
func (d *Dataset) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d rows\n", d.rows)
	for i := range d.mappers {
		m := &d.mappers[i]
		fmt.Fprintf(h, "%s %d %v %t %v\n", d.columns.Features[i].Name, m.bins, m.bounds, m.missing, m.codes)
	}
	var buffer [4096]byte
	for _, g := range d.groups {
		h.Write(g.bins)
		for part := range slices.Chunk(g.wide, len(buffer)/2) {
			for i, bin := range part {
				binary.LittleEndian.PutUint16(buffer[2*i:], bin)
			}
			h.Write(buffer[:2*len(part)])
		}
	}
	for _, values := range [][]float32{d.labels, d.weights} {
		for part := range slices.Chunk(values, len(buffer)/4) {
			for i, v := range part {
				binary.LittleEndian.PutUint32(buffer[4*i:], math.Float32bits(v))
			}
			h.Write(buffer[:4*len(part)])
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
