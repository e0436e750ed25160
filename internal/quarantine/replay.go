package quarantine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A Request names corrected rows of a batch.
type Request struct {
	Pipeline, Batch string
	File            string // local Parquet file with the corrected rows

	// Partial hands in the rows that are good, and leaves the others out.
	Partial bool

	By, Reason string // as claimed, kept beside the rows
	At         time.Time
}

// A Result says what was handed in.
type Result struct {
	Run     store.Digest // whose quarantine the rows were in
	Key     string       // of the file in the store
	Rows    int64        // in it
	Already bool         // it was handed in before
	Refused []Refused    // rows that are not in it
	Filled  []string     // columns that the file lacked and the delivery has
	Skipped int64        // rows marked as replaced: their correction is scored already
}

// A Refused row still breaks a rule, or corrects nothing.
type Refused struct {
	Row     int64    `json:"row"`     // ordinal in the file, from 0
	Reasons []string `json:"reasons"` // ids of rules, or words
}

// A RefusedError means that rows of a file cannot be handed in, so none was.
type RefusedError struct {
	Rows    int64 // that were checked
	Refused []Refused
}

func (e *RefusedError) Error() string {
	first := e.Refused[0]
	return fmt.Sprintf("%d of %d rows cannot be handed in, and none was: row %d (from 0): %s",
		len(e.Refused), e.Rows, first.Row, strings.Join(first.Reasons, ", "))
}

// ErrStale means that the batch would not be scored as it was when the rows went to
// quarantine: the delivery, a contract, the pipeline file or the champion is another
// one. Score the batch again first.
var ErrStale = errors.New("the batch was judged with other files than are there now; score it again first")

// Replay checks corrected rows as the worker that scores them will, and stores them
// where the next run over the batch finds them. It starts no run. Handing the same rows
// in again is a success.
//
// Columns that begin with headgate_ are left out. Columns that the file lacks are
// taken from the delivery, if the file still has headgate_file and headgate_row: the
// quarantine shows no values of restricted columns, and nobody need know them to
// correct others.
//
// It holds the corrected rows in memory.
func Replay(ctx context.Context, b *store.Bucket, formats model.Formats, r Request) (*Result, error) {
	q, err := Load(ctx, b, r.Pipeline, r.Batch)
	if err != nil {
		return nil, err
	}
	c := &corrected{q: q, wrong: map[int64][]string{}}
	if err := c.load(ctx, formats); err != nil {
		return nil, err
	}
	out := &Result{Run: q.Run}
	if err := c.read(ctx, r.File, out); err != nil {
		return nil, err
	}
	if err := c.checkRows(ctx); err != nil {
		return nil, err
	}
	prefix, err := q.prefix()
	if err != nil {
		return nil, err
	}
	good, err := c.good()
	if err != nil {
		return nil, err
	}
	if len(c.wrong) == 0 || r.Partial {
		if out.Already, err = c.handed(ctx, prefix, good); err != nil {
			return nil, err
		}
	}
	if !out.Already {
		if err := errors.Join(c.checkKeys(ctx, prefix), c.checkPartners(ctx)); err != nil {
			return nil, err
		}
		if good, err = c.good(); err != nil {
			return nil, err
		}
	}
	out.Rows, out.Refused = c.table.NumRows()-int64(len(c.wrong)), c.refused()
	if len(out.Refused) > 0 && (!r.Partial || out.Rows == 0) {
		return nil, &RefusedError{Rows: c.table.NumRows(), Refused: out.Refused}
	}
	return out, c.hand(ctx, prefix, good, r, out)
}

// prefix returns where the corrected rows of the delivery lie.
func (q *Quarantine) prefix() (string, error) {
	base, err := q.Plan.Base().Digest()
	if err != nil {
		return "", err
	}
	return run.ReplayPrefix(q.Pipeline, q.Batch, base), nil
}

func keyOf(prefix string, data []byte) string {
	return prefix + strings.TrimPrefix(string(store.DigestOf(data)), "sha256:") + ".parquet"
}

// handed reports whether the rows were handed in before.
func (c *corrected) handed(ctx context.Context, prefix string, data []byte) (bool, error) {
	if data == nil {
		return false, nil
	}
	_, err := c.q.bucket.Stat(ctx, keyOf(prefix, data))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// hand stores the rows, and a note of who handed them in. A note that is there already
// stays.
func (c *corrected) hand(ctx context.Context, prefix string, data []byte, r Request, out *Result) error {
	out.Key = keyOf(prefix, data)
	note, err := run.Encode(run.Correction{Format: run.Format, Rows: out.Rows, By: r.By, Reason: r.Reason, At: r.At.UTC(), Filled: out.Filled})
	if err != nil {
		return err
	}
	err = c.q.bucket.Put(ctx, strings.TrimSuffix(out.Key, ".parquet")+".json", note)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return c.q.bucket.Put(ctx, out.Key, data)
}

// load checks that the next run would be over the same delivery, and loads what it
// scores with.
func (c *corrected) load(ctx context.Context, formats model.Formats) error {
	q := c.q
	if q.Data.Stage == run.StageFooters && contract.Blocks(q.Data.Violations) {
		return fmt.Errorf("%s %s was blocked before a row was read (%s); corrected rows cannot help, so have it delivered again",
			q.Pipeline, q.Batch, strings.Join(q.Data.Reasons, "; "))
	}
	if err := q.fresh(ctx); err != nil {
		return err
	}
	if q.Plan.Output != "" {
		text, err := q.bucket.GetBlob(ctx, q.Plan.Output)
		if err != nil {
			return err
		}
		if c.output, err = contract.Parse(string(q.Plan.Output), text); err != nil {
			return err
		}
	}
	v, err := bundle.Load(ctx, q.bucket, q.Plan.Champion, formats)
	if err != nil {
		return err
	}
	c.scorer = v.Scorer
	return nil
}

// fresh returns [ErrStale] unless the next run has the same plan but for corrected rows.
func (q *Quarantine) fresh(ctx context.Context) error {
	for _, fact := range []struct {
		what      string
		then, now any
	}{
		{"the pipeline file", q.Plan.File, q.inForce.Pipeline},
		{"the contract", q.Plan.Contract, q.inForce.Contract},
		{"the contract of the scores", q.Plan.Output, q.inForce.Output},
		{"the champion", q.Plan.Champion, q.inForce.Aliases[registry.AliasChampion]},
		{"the way of scoring", q.Plan.Scoring, run.ScoringVersion},
	} {
		if fact.then != fact.now {
			return fmt.Errorf("%s is another one: %w", fact.what, ErrStale)
		}
	}
	base, prefix, match := q.Config.Files(q.Batch)
	if err := q.sameFiles(ctx, base, prefix, match, q.Plan.Base().Files); err != nil {
		return err
	}
	for _, ref := range q.Plan.References {
		base, prefix, match := q.Config.ReferenceFiles(ref.Name, q.Batch)
		if err := q.sameFiles(ctx, base, prefix, match, ref.Files); err != nil {
			return err
		}
	}
	return nil
}

// sameFiles returns [ErrStale] unless the files are those that were planned.
func (q *Quarantine) sameFiles(ctx context.Context, base, prefix string, match func(string) bool, planned []run.File) error {
	b := q.bucket
	if base != "" {
		input, err := store.Open(ctx, base)
		if err != nil {
			return fmt.Errorf("input %w", err)
		}
		defer input.Close()
		b = input
	}
	versions := map[string]string{}
	for _, f := range planned {
		versions[f.Key] = f.Version
	}
	for attrs, err := range b.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if !match(attrs.Key) {
			continue
		}
		now, err := b.Stat(ctx, attrs.Key)
		if err != nil {
			return err
		}
		if versions[attrs.Key] != now.Version {
			return fmt.Errorf("%s is new or was replaced: %w", attrs.Key, ErrStale)
		}
		delete(versions, attrs.Key)
	}
	for _, f := range planned {
		if _, missing := versions[f.Key]; missing {
			return fmt.Errorf("%s is gone: %w", f.Key, ErrStale)
		}
	}
	return nil
}

// refused lists the rows that stay out, in the order of the file.
func (c *corrected) refused() []Refused {
	var all []Refused
	for at, reasons := range c.wrong {
		all = append(all, Refused{c.rows[at], reasons})
	}
	slices.SortFunc(all, func(a, b Refused) int { return int(a.Row - b.Row) })
	return all
}

// good returns the rows that may be handed in as Parquet, or nil if there are none.
func (c *corrected) good() ([]byte, error) {
	var records []arrow.Record
	n := c.table.NumRows()
	for from := int64(0); from < n; {
		to := from + 1
		for to < n && (c.wrong[to] == nil) == (c.wrong[from] == nil) {
			to++
		}
		if c.wrong[from] == nil {
			records = append(records, c.table.NewSlice(from, to))
		}
		from = to
	}
	if len(records) == 0 {
		return nil, nil
	}
	return encode(c.table.Schema(), records...)
}
