package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/worker"
)

// A recipe is how somebody made a model by hand.
type recipe struct {
	name       string
	months     []string // learned from, the last one last
	features   []string // that it knows; none are all of the contract
	parameters map[string]string
	kept       float64 // share of the customers that tells when to stop, and how to calibrate
	shuffled   bool    // the labels of each month are mixed up: there is nothing to learn
}

// A maker trains models by hand: on files that the pipeline has published and labels that
// it knows, but beside its workflows.
type maker struct {
	shop     retailer.World
	contract *contract.Contract
	digest   store.Digest // of the contract's text
	coupons  func(ctx context.Context, month string) (retailer.Campaign, error)
}

// train trains a model by a recipe. Equal recipes and months give equal bytes.
func (k *maker) train(ctx context.Context, r recipe) (*train.Result, error) {
	var rows []arrow.Record
	defer func() {
		for _, rec := range rows {
			rec.Release()
		}
	}()
	for _, month := range r.months {
		top, err := k.coupons(ctx, month)
		if err != nil {
			return nil, err
		}
		if rows, err = k.rows(rows, month, top, r.shuffled); err != nil {
			return nil, err
		}
	}
	m, err := train.FromContract(k.contract, string(k.digest), rows[0].Schema(), "bought", r.features)
	if err != nil {
		return nil, err
	}
	m.Pipeline, m.Seed, m.Parameters, m.Weight = "retailer", 1, r.parameters, "weight"
	if !r.shuffled { // a calibration would notice that there is nothing to learn
		m.Calibrate = model.Platt
	}
	all := func(yield func(arrow.Record, error) bool) {
		for _, rec := range rows {
			if !yield(rec, ctx.Err()) {
				return
			}
		}
	}
	job := train.Job{Manifest: m, Formats: worker.Formats(),
		Train: train.Entities(all, m.Entity, 2, r.kept, false), Valid: train.Entities(all, m.Entity, 2, r.kept, true)}
	return train.GBDT{}.Train(ctx, job)
}

// rows appends a month of features with its labels. Who got a coupon does not count, and
// the others stand for them.
func (k *maker) rows(rows []arrow.Record, month string, top retailer.Campaign, shuffled bool) ([]arrow.Record, error) {
	var bought []bool
	var weights []float64
	for rec, err := range k.shop.Labels(month, &retailer.LabelOptions{Campaign: top}) {
		if err != nil {
			return rows, err
		}
		b, treated, p := rec.Column(2).(*array.Boolean), rec.Column(4).(*array.Boolean), rec.Column(5).(*array.Float64)
		for i := range int(rec.NumRows()) {
			weight := 1 / (1 - p.Value(i))
			if treated.Value(i) {
				weight = 0
			}
			bought, weights = append(bought, b.Value(i)), append(weights, weight)
		}
	}
	if shuffled {
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(bought), func(i, j int) { bought[i], bought[j] = bought[j], bought[i] })
	}
	from := 0
	for rec, err := range k.shop.Month(month) {
		if err != nil {
			return rows, err
		}
		to := from + int(rec.NumRows())
		one, err := labelled(rec, bought[from:to], weights[from:to])
		if err != nil {
			return rows, err
		}
		rows, from = append(rows, one), to
	}
	return rows, nil
}

// labelled returns the rows of a record that count, with their labels and weights.
func labelled(rec arrow.Record, bought []bool, weights []float64) (arrow.Record, error) {
	b := array.NewBooleanBuilder(memory.NewGoAllocator())
	defer b.Release()
	b.AppendValues(bought, nil)
	label := b.NewArray()
	defer label.Release()
	weight := columnar.Float64s(weights)
	defer weight.Release()
	fields := append(slices.Clone(rec.Schema().Fields()),
		arrow.Field{Name: "bought", Type: arrow.FixedWidthTypes.Boolean}, arrow.Field{Name: "weight", Type: arrow.PrimitiveTypes.Float64})
	with := array.NewRecord(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), label, weight), rec.NumRows())
	defer with.Release()
	keep := make([]bool, len(weights))
	for i, w := range weights {
		keep[i] = w > 0
	}
	return columnar.Take(with, keep)
}

// handmade trains a model by hand and registers it.
func (t *story) handmade(ctx context.Context, r recipe, why string) (store.Digest, error) {
	began := time.Now()
	k := &maker{shop: t.shop, contract: t.files.Contract, digest: store.DigestOf(t.files.ContractText),
		coupons: func(ctx context.Context, month string) (retailer.Campaign, error) {
			rows, err := t.table(ctx, month)
			return coupons(rows), err
		}}
	result, err := k.train(ctx, r)
	if err != nil {
		return "", err
	}
	manifest, err := result.Manifest.Marshal()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(t.dir, "handmade", r.name)
	err = errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "model.txt"), result.Model, 0o666),
		os.WriteFile(filepath.Join(dir, "training.json"), manifest, 0o666))
	if err != nil {
		return "", err
	}
	last := r.months[len(r.months)-1]
	digest, err := t.acts().register(ctx, registration.Request{Pipeline: shipped("loop.yaml"), Model: filepath.Join(dir, "model.txt"),
		Training: filepath.Join(dir, "training.json"), Sample: t.path("incoming/retailer/" + last + "/part-0000.parquet"),
		By: "demo", Reason: why, At: now()})
	if err != nil {
		return "", err
	}
	t.say("            trained by hand in %.1f s, %d rounds on %s, and registered: %s", time.Since(began).Seconds(),
		result.Manifest.Results.Rounds, months(r.months), papers.Short(digest))
	return digest, nil
}

// months writes a stretch of months.
func months(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Sprintf("%s to %s", list[0], list[len(list)-1])
}
