package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headgate/internal/columnar"
	"headgate/internal/quarantine"
	"headgate/internal/retailer"
)

func (t *story) january(ctx context.Context) error {
	t.note("2024-01", "an ordinary month")
	out, err := t.month(ctx, "2024-01", retailer.NoFault, "an ordinary month")
	return cmp.Or(err, published(out, 1, false))
}

func (t *story) february(ctx context.Context) error {
	out, err := t.month(ctx, "2024-02", retailer.BadRows, "a few rows break the contract")
	if err == nil && (out.Quarantined == 0 || out.Rows != out.Published+out.Quarantined) {
		err = fmt.Errorf("february: %d rows in, %d published, %d in quarantine", out.Rows, out.Published, out.Quarantined)
	}
	return cmp.Or(err, published(out, 1, true))
}

// correct hands in what the supplier says the bad rows of February should have been.
func (t *story) correct(ctx context.Context) error {
	t.note("2024-02", "bad rows in quarantine, corrected")
	file, rows, err := t.corrections(ctx, "2024-02")
	if err != nil {
		return err
	}
	t.say("2024-02     the supplier corrects %d of the rows in quarantine; they are handed in again", rows)
	handed, err := t.acts().replay(ctx, quarantine.Request{Pipeline: "retailer", Batch: "2024-02",
		File: file, By: "demo", Reason: "corrected by the supplier", At: now()})
	if err != nil {
		return err
	}
	out, err := t.score(ctx, "2024-02")
	if err == nil && (out.Replaced != rows || handed != rows || rows == 0) {
		err = fmt.Errorf("february corrected: %d rows corrected, %d handed in, %d replaced", rows, handed, out.Replaced)
	}
	return cmp.Or(err, published(out, 2, true))
}

// corrections writes the rows of a month in quarantine as they should have been. Rows
// without a key stay out: nobody can say whose they are.
func (t *story) corrections(ctx context.Context, batch string) (file string, rows int64, err error) {
	q, err := quarantine.Load(ctx, t.bucket, "retailer", batch)
	if err != nil {
		return "", 0, err
	}
	schema, err := q.Schema(ctx)
	if err != nil {
		return "", 0, err
	}
	bad := map[string]bool{}
	for rec, err := range q.Records(ctx, schema) {
		if err != nil {
			return "", 0, err
		}
		keys := rec.Column(schema.FieldIndices("customer_id")[0])
		for i := range int(rec.NumRows()) {
			if keys.IsValid(i) {
				bad[strings.Clone(keys.ValueStr(i))] = true
			}
		}
	}
	file = filepath.Join(t.dir, "corrected-"+batch+".parquet")
	return file, int64(len(bad)), t.writeRows(ctx, file, batch, bad)
}

// writeRows writes the rows of some customers of a month.
func (t *story) writeRows(ctx context.Context, file, batch string, wanted map[string]bool) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var w *columnar.Writer
	for rec, err := range t.shop.Records(batch, nil) {
		if err != nil {
			return err
		}
		if w == nil {
			if w, err = columnar.Create(f, rec.Schema(), nil); err != nil {
				return err
			}
		}
		keys := rec.Column(rec.Schema().FieldIndices("customer_id")[0])
		for i := range int(rec.NumRows()) {
			if !wanted[keys.ValueStr(i)] {
				continue
			}
			if err := w.Write(rec.NewSlice(int64(i), int64(i)+1)); err != nil {
				return err
			}
		}
	}
	return errors.Join(ctx.Err(), w.Close())
}

func (t *story) march(ctx context.Context) error {
	if err := t.known(ctx, "2024-01"); err != nil {
		return err
	}
	t.note("2024-03", "drift of tenure: a warning")
	out, err := t.month(ctx, "2024-03", retailer.NoFault, "a partner campaign brings new customers")
	if err == nil && (out.Drift == nil || out.Drift.Level != "warn" || !slices.Contains(out.Drift.Columns, "tenure")) {
		err = fmt.Errorf("march: drift %+v, want a warning about tenure", out.Drift)
	}
	return cmp.Or(err, published(out, 1, false))
}

func (t *story) april(ctx context.Context) error {
	if err := t.known(ctx, "2024-02"); err != nil {
		return err
	}
	out, err := t.month(ctx, "2024-04", retailer.MissingColumn, "the supplier has lost a column")
	if err == nil && out.Verdict != "block" {
		err = fmt.Errorf("april: verdict %q, want block", out.Verdict)
	}
	if err != nil {
		return err
	}
	t.note("2024-04", "a column is missing: blocked, delivered again")
	out, err = t.month(ctx, "2024-04", retailer.NoFault, "the supplier delivers again")
	return cmp.Or(err, published(out, 1, false))
}

func (t *story) again(ctx context.Context) error {
	t.say("2024-01     once more, on the same input")
	out, err := t.score(ctx, "2024-01")
	if err == nil && !out.Unchanged {
		err = errors.New("january again: other bytes came out")
	}
	return err
}
