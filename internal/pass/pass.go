// Package pass makes the one pass over a shard: each record is decoded once, and
// in the same pass its rows are checked, profiled and scored. It also assembles
// the published rows from what the pass wrote.
//
// It knows neither storage nor Temporal: readers and bytes come in, bytes go out,
// and the same inputs give the same bytes.
package pass

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/profile"
	"headgate/internal/run"
)

// Input is what a pass reads.
type Input struct {
	File     *columnar.File
	Name     string // the file's key, for quarantine rows and errors
	Shard    run.Shard
	Contract *contract.Contract
	Output   *contract.Contract // what scored rows must keep, see [CheckOutput]; may be nil
	Scorer   model.Scorer
	Models   []model.Scorer // that score beside it; a nil one cannot be loaded
	Keep     []string       // input columns that go into the published table
	Progress func(rows int64)
	Clock    func() time.Duration // for Output.Times; default: the time on the wall
}

// Output is what a pass found and the bytes it wrote.
type Output struct {
	Rows, Scored, Quarantined int64
	Check                     contract.Result
	Output                    *contract.Result // what the contract of the scores counted, of rows that keep the input's
	Content                   [32]byte         // SHA-256 over the decoded columns
	Scores                    []byte           // Parquet: keys, kept columns, row, raw and pred scores
	Quarantine                []byte           // Parquet, nil if every row is good
	Profile                   []byte
	Keys                      [][]byte      // one sorted key list per tuple of [KeyTuples]
	Models                    []ModelOutput // of the models beside, in their order
	Times                     Times
}

// Times splits the duration of a pass.
type Times struct{ Decode, Check, Profile, Score, Write time.Duration }

// pass is the state of one pass.
type pass struct {
	in      Input
	checker *contract.Checker
	output  *contract.Checker // nil without a contract of the scores
	profile *profile.Builder
	columns int // of the champion's pass; more are read for models beside it
	besides []*beside
	keys    []*keyList
	content *contentHash
	scores  model.Scores
	numbers numbers
	good    *table
	bad     *table
	out     Output
	row     int64         // ordinal within the shard
	lapped  time.Duration // when the last lap ended
}

// Run makes the pass. It stops between two records when ctx ends.
func Run(ctx context.Context, in Input) (*Output, error) {
	columns, err := Columns(in.File, in.Contract, in.Scorer, in.Keep)
	if err != nil {
		return nil, err
	}
	if in.Clock == nil {
		began := time.Now()
		in.Clock = func() time.Duration { return time.Since(began) }
	}
	p := &pass{in: in, checker: in.Contract.NewChecker(), content: newContentHash(columns), columns: len(columns),
		profile: profile.NewBuilder(profileOptions(in.Contract, in.Scorer)),
		besides: newBesides(in.Models, in.File, in.Contract, in.Output, in.Keep, in.Scorer.Outputs(), in.Shard.Rows),
		good:    newTable(in.Shard.Rows, ""), bad: newTable(0, "")}
	if in.Output != nil {
		p.output = in.Output.NewChecker()
	}
	for _, tuple := range KeyTuples(in.Contract) {
		p.keys = append(p.keys, newKeyList(tuple, in.Shard.Rows))
	}
	p.lap(new(time.Duration))
	opts := columnar.ReadOptions{Columns: inputsOf(p.besides, columns), FirstGroup: in.Shard.FirstGroup, Groups: in.Shard.Groups}
	for rec, err := range in.File.Records(ctx, opts) {
		if err != nil {
			return nil, err
		}
		p.lap(&p.out.Times.Decode)
		if err := p.addAll(rec); err != nil {
			return nil, fmt.Errorf("%s: rows from %d: %w", in.Name, in.Shard.FirstRow+p.row, err)
		}
		p.row += rec.NumRows()
		if in.Progress != nil {
			in.Progress(p.row)
		}
	}
	if p.row != in.Shard.Rows {
		return nil, fmt.Errorf("%s: %d rows decoded, the plan says %d", in.Name, p.row, in.Shard.Rows)
	}
	return p.finish()
}

// lap adds the time since the last lap to d. Times reach benchmarks only, never
// what a pass writes.
func (p *pass) lap(d *time.Duration) {
	now := p.in.Clock()
	*d += now - p.lapped
	p.lapped = now
}

// addAll adds a record, then lets the models beside the champion score its good rows.
func (p *pass) addAll(rec arrow.Record) error {
	base := rec
	if int(rec.NumCols()) > p.columns {
		base = first(rec, p.columns)
		defer base.Release()
	}
	marks, err := p.add(base)
	if err != nil {
		return err
	}
	good := func(i int) bool { return !marks.Bad(i) }
	for _, b := range p.besides {
		b.add(rec, p.numbers.rows, good)
	}
	p.lap(&p.out.Times.Score)
	return nil
}

// add adds a record and says which of its rows go to quarantine.
func (p *pass) add(rec arrow.Record) (rowMarks, error) {
	p.content.add(rec)
	in, err := p.checker.Add(rec)
	marks := rowMarks{Marks: in}
	if err != nil {
		return marks, err
	}
	p.lap(&p.out.Times.Check)
	if err := p.in.Scorer.Score(&p.scores, rec); err != nil {
		return marks, err
	}
	scored := p.scoreRecord(rec)
	defer scored.Release()
	p.lap(&p.out.Times.Score)
	if marks.output, err = p.checkOutput(scored, in); err != nil {
		return marks, err
	}
	out := marks.Bad
	if !marks.Any() {
		out = nil
	}
	for _, k := range p.keys {
		if err := k.add(rec, p.row, out); err != nil {
			return marks, err
		}
	}
	p.lap(&p.out.Times.Check)
	if err := p.describe(rec); err != nil {
		return marks, err
	}
	p.lap(&p.out.Times.Profile)
	err = p.write(rec, scored, marks)
	p.lap(&p.out.Times.Write)
	return marks, err
}

// describe adds a record and its scores to the profile.
func (p *pass) describe(rec arrow.Record) error {
	described := withScores(rec, p.numbers.outputs)
	defer described.Release()
	return p.profile.Add(described)
}

// write sends runs of good rows to the score file and runs of bad rows to the
// quarantine, as slices of the same record.
func (p *pass) write(rec, scored arrow.Record, marks rowMarks) error {
	n := int(rec.NumRows())
	if !marks.Any() {
		p.out.Scored += int64(n)
		return p.good.write(scored)
	}
	bad, err := p.badRecord(rec, marks)
	if err != nil {
		return err
	}
	defer bad.Release()
	for from := 0; from < n; {
		to := from + 1
		for to < n && marks.Bad(to) == marks.Bad(from) {
			to++
		}
		dst, src, count := p.good, scored, &p.out.Scored
		if marks.Bad(from) {
			dst, src, count = p.bad, bad, &p.out.Quarantined
		}
		slice := src.NewSlice(int64(from), int64(to))
		err := dst.write(slice)
		slice.Release()
		if err != nil {
			return err
		}
		*count += int64(to - from)
		from = to
	}
	return nil
}

func (p *pass) finish() (*Output, error) {
	p.lap(&p.out.Times.Decode)
	p.out.Rows = p.row
	p.out.Check = p.checker.Result()
	if p.output != nil {
		result := p.output.Result()
		p.out.Output = &result
	}
	p.content.total(&p.out.Content)
	if p.out.Scored+p.out.Quarantined != p.out.Rows {
		return nil, fmt.Errorf("%s: %d rows scored and %d quarantined of %d", p.in.Name, p.out.Scored, p.out.Quarantined, p.out.Rows)
	}
	var err error
	if p.out.Profile, err = p.profile.Profile().MarshalBinary(); err != nil {
		return nil, err
	}
	p.lap(&p.out.Times.Profile)
	for _, k := range p.keys {
		p.out.Keys = append(p.out.Keys, k.encode())
	}
	p.lap(&p.out.Times.Check)
	p.out.Scores, err = p.good.close()
	if err != nil {
		return nil, err
	}
	p.out.Quarantine, err = p.bad.close()
	for _, b := range p.besides {
		p.out.Models = append(p.out.Models, b.output())
	}
	p.lap(&p.out.Times.Write)
	return &p.out, err
}

// Columns lists what a pass reads of a file: the contract's columns, then what
// only the model or the published table needs. A column that the file lacks is
// left out if the contract may do without it, and an error if not.
func Columns(f *columnar.File, c *contract.Contract, s model.Scorer, keep []string) ([]string, error) {
	var names []string
	var errs []error
	want := func(name, who string) {
		switch {
		case slices.Contains(names, name):
		case len(f.Schema().FieldIndices(name)) == 0:
			errs = append(errs, fmt.Errorf("column %q, which %s needs, is missing", name, who))
		default:
			names = append(names, name)
		}
	}
	for _, col := range c.Columns {
		if len(f.Schema().FieldIndices(col.Name)) > 0 {
			names = append(names, col.Name)
		}
	}
	for _, name := range c.Entity() {
		want(name, "the entity key")
	}
	for _, in := range s.Inputs() {
		want(in.Name, "the model")
	}
	for _, name := range keep {
		want(name, "scores.keep")
	}
	return names, errors.Join(errs...)
}

// pick returns the columns of rec with these names, in this order.
func pick(rec arrow.Record, names []string) ([]arrow.Field, []arrow.Array) {
	var fields []arrow.Field
	var cols []arrow.Array
	for _, name := range names {
		i := rec.Schema().FieldIndices(name)[0]
		fields = append(fields, rec.Schema().Field(i))
		cols = append(cols, rec.Column(i))
	}
	return fields, cols
}
