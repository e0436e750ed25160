package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"go.temporal.io/api/serviceerror"

	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/figure"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// A row is a published score, and the model whose it is.
type row struct {
	score float64
	model store.Digest
}

// table reads a month as it is published, by customer.
func (t *story) table(ctx context.Context, batch string) (map[string]row, error) {
	table := delta.Open(t.bucket, "scores/retailer")
	snapshot, err := table.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	rows := map[string]row{}
	for _, f := range snapshot.Files(batch) {
		data, err := t.bucket.Get(ctx, table.Key(f.Path))
		if err != nil {
			return nil, err
		}
		if err := readScores(ctx, data, rows); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return rows, nil
}

// readScores adds the rows of one file of the table.
func readScores(ctx context.Context, data []byte, rows map[string]row) error {
	file, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		return err
	}
	for rec, err := range file.Records(ctx, columnar.ReadOptions{Columns: []string{"customer_id", "score", "model"}}) {
		if err != nil {
			return err
		}
		scores := rec.Column(1).(*array.Float64)
		for i := range int(rec.NumRows()) {
			rows[strings.Clone(rec.Column(0).ValueStr(i))] = row{scores.Value(i), store.Digest(strings.Clone(rec.Column(2).ValueStr(i)))}
		}
	}
	return nil
}

// path is where a file of the store lies, or waits to be carried there.
func (t *story) path(key string) string {
	root := t.store
	if u, err := url.Parse(t.store); err == nil && u.Scheme == "file" {
		root = filepath.FromSlash(u.Path)
	}
	if t.before != "" {
		root = t.before
	}
	return filepath.Join(root, filepath.FromSlash(key))
}

// coupons chooses, among the customers of each model, the tenth with the highest scores:
// models are not compared with each other.
func coupons(rows map[string]row) retailer.Campaign {
	scores := map[store.Digest][]float64{}
	for _, r := range rows {
		scores[r.model] = append(scores[r.model], r.score)
	}
	from := map[store.Digest]float64{}
	for m, all := range scores {
		slices.Sort(all)
		from[m] = all[len(all)-max(1, len(all)/10)]
	}
	return func(features arrow.Record) ([]bool, error) {
		ids := features.Column(features.Schema().FieldIndices("customer_id")[0])
		top := make([]bool, features.NumRows())
		for i := range top {
			r, ok := rows[ids.ValueStr(i)]
			top[i] = ok && r.score >= from[r.model]
		}
		return top, nil
	}
}

// labels delivers who bought in a month, with the coupons that followed from its scores
// and the marker that says that all are there, and waits for what labels say.
func (t *story) labels(ctx context.Context, batch string) (out workflows.EvaluateBatchOutput, err error) {
	rows, err := t.table(ctx, batch)
	if err != nil {
		return out, err
	}
	dir := t.path("labels/retailer/" + batch)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return out, err
	}
	f, err := os.Create(filepath.Join(dir, "part-0000.parquet"))
	if err != nil {
		return out, err
	}
	err = errors.Join(t.shop.WriteLabels(ctx, f, batch, &retailer.LabelOptions{Campaign: coupons(rows)}), f.Close())
	if err == nil {
		err = t.arrived(batch, f.Name())
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "_COMPLETE"), nil, 0o666)
	}
	if err != nil {
		return out, err
	}
	if err := t.carry(ctx, "labels/retailer/"+batch); err != nil {
		return out, err
	}
	if out, err = t.acts().judge(ctx, batch); err != nil {
		return out, err
	}
	if out.Verdict != registry.VerdictPass {
		return out, fmt.Errorf("labels of %s: %s %v", batch, out.Verdict, out.Reasons)
	}
	for _, m := range out.Models {
		if m.AUC != nil {
			t.say("            labels of %s: %s %s has AUC %s among the untreated",
				batch, m.Role, papers.Short(m.Model), figure.Estimate(m.AUC))
		}
	}
	for _, note := range out.Notes {
		t.say("            %s", note)
	}
	return out, nil
}

// retrained waits for the training that was started, and says what came of it.
func (t *story) retrained(ctx context.Context) (out workflows.RetrainOutput, err error) {
	began := time.Now()
	if err := t.client.GetWorkflow(ctx, workflows.RetrainID("retailer"), "").Get(ctx, &out); err != nil {
		return out, reason(err)
	}
	t.say("            trained in %.1f s, %s, windows %s: %s for release %s", time.Since(began).Seconds(),
		out.Kind, strings.Join(out.Windows, ", "), figure.Things(len(out.Candidates), "candidate"), out.Release)
	return out, nil
}

// released waits until the release of the retailer rests: waits for a person, for labels,
// for a month, or is over.
func (t *story) released(ctx context.Context) (card workflows.ReleaseCard, err error) {
	err = t.client.SignalWorkflow(ctx, workflows.ReleaseID("retailer"), "", workflows.SignalWake, nil)
	var over *serviceerror.NotFound
	if err != nil && !errors.As(err, &over) {
		return card, err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if card, err = t.card(ctx); err != nil {
			return card, err
		}
		log, err := registry.Load(ctx, t.bucket, "retailer")
		if err != nil {
			return card, err
		}
		asks, rests := card.Next.Kind == release.DoAsk, card.Next.Kind == release.DoNothing
		if card.Trouble != "" {
			return card, fmt.Errorf("the release is in trouble: %s", card.Trouble)
		}
		if (asks || rests) && card.Anchor == log.Anchor() || card.Stage == "Done" {
			t.hear(log)
			return card, nil
		}
		select {
		case <-ctx.Done():
			return card, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return card, fmt.Errorf("the release does not come to rest: %s, waits for %s, %s", card.Stage, card.Next.WaitsFor, card.Trouble)
}

// card asks the release how it stands.
func (t *story) card(ctx context.Context) (card workflows.ReleaseCard, err error) {
	value, err := t.client.QueryWorkflow(ctx, workflows.ReleaseID("retailer"), "", "scorecard")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return card, errors.New("no release has begun")
	}
	if err != nil {
		return card, err
	}
	return card, value.Get(&card)
}

// approve answers what the release asks, on the terminal or, with --once, by itself.
func (t *story) approve(ctx context.Context, card workflows.ReleaseCard) error {
	q := card.Next
	t.say("            ASKED: may %s serve %s of the customers? Its evidence is decision %s, which the page of\n            workflow %s shows, and could be answered from there.",
		papers.Short(store.Digest(q.Model)), q.Step, papers.Short(store.Digest(q.Decision)), workflows.ReleaseID("retailer"))
	if t.ask != nil {
		if err := t.ask(ctx); err != nil {
			return err
		}
	}
	answer := workflows.ReleaseAnswer{By: "demo", Reason: "the evidence of the shadow", Decision: q.Decision, Nonce: q.Nonce}
	if err := t.acts().approve(ctx, answer); err != nil {
		return err
	}
	t.say("            approved")
	return nil
}

// hear says what the registry has of releases since it was last heard.
func (t *story) hear(log *registry.Log) {
	for _, e := range log.Entries()[t.heard:] {
		model := papers.Short(e.Model)
		switch e.Kind {
		case registry.KindCandidate:
			t.say("            #%d candidate %s, learned up to %s: %s", e.Seq, model, e.Batch, e.Reason)
		case registry.KindAdvance:
			t.say("            #%d %s of %s, step %s: %s", e.Seq, strings.ToUpper(e.Verdict), model, e.Step, telling(e.Reasons))
		case registry.KindRejected:
			t.say("            #%d rejected %s: %s", e.Seq, model, e.Reason)
		case registry.KindRouting:
			t.say("            #%d routing: %s", e.Seq, e.Reason)
		case registry.KindPromote:
			t.say("            #%d champion is %s: %s", e.Seq, model, e.Reason)
		}
	}
	t.heard = len(log.Entries())
}

// telling is the reason that says most: of a pass, what the candidate has shown.
func telling(reasons []string) string {
	for _, r := range reasons {
		if strings.HasPrefix(r, "superior: ") || strings.HasPrefix(r, "volume: ") {
			return r
		}
	}
	return strings.Join(reasons, "; ")
}
