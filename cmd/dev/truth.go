package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/bundle"
	"headgate/internal/evaluate"
	"headgate/internal/model"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// faults are the accidents in what was published of a month in the end.
var faults = map[string]retailer.Fault{"2024-02": retailer.BadRows, "2024-11": retailer.Tracker}

// A reckoning is what became of a month, known in hindsight. Areas under the curve are
// among customers without a coupon, who stand for all.
type reckoning struct {
	month  string
	served map[store.Digest]int // rows, by model
	auc    float64              // of what was served
	frozen float64              // of the first champion: had nobody ever trained again
	truth  float64              // of the true probabilities: nobody can do better
}

// reckon judges the year with everything that the simulation knows.
func (t *story) reckon(ctx context.Context) ([]reckoning, error) {
	first, err := bundle.Load(ctx, t.bucket, t.first, worker.Formats())
	if err != nil {
		return nil, err
	}
	var year []reckoning
	for m := 1; m <= 12; m++ {
		month := fmt.Sprintf("2024-%02d", m)
		r, err := t.reckonMonth(ctx, month, first.Scorer)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", month, err)
		}
		year = append(year, r)
	}
	return year, nil
}

func (t *story) reckonMonth(ctx context.Context, month string, first model.Scorer) (reckoning, error) {
	rows, err := t.table(ctx, month)
	if err != nil {
		return reckoning{}, err
	}
	frozen, err := scores(t.shop, month, faults[month], first)
	if err != nil {
		return reckoning{}, err
	}
	return reckonRows(t.shop, month, rows, frozen)
}

// reckonRows judges a month as it was published, and the first champion's scores of it.
func reckonRows(shop retailer.World, month string, rows map[string]row, frozen map[string]float64) (reckoning, error) {
	r := reckoning{month: month, served: map[store.Digest]int{}}
	published := map[string]float64{}
	for id, row := range rows {
		published[id] = row.score
		r.served[row.model]++
	}
	known, err := outcomes(shop, month, coupons(rows))
	if err != nil {
		return r, err
	}
	truth, err := truths(shop, month)
	if err != nil {
		return r, err
	}
	for _, one := range []struct {
		to   *float64
		from map[string]float64
	}{{&r.auc, published}, {&r.frozen, frozen}, {&r.truth, truth}} {
		if *one.to, err = known.auc(one.from, published); err != nil {
			return r, err
		}
	}
	return r, nil
}

// A fate is what became of a customer, and for how many it stands.
type fate struct {
	bought bool
	weight float64
}

// fates are those of customers.
type fates map[string]fate

// outcomes are the labels of a month, by customer.
func outcomes(shop retailer.World, month string, top retailer.Campaign) (fates, error) {
	known := fates{}
	for rec, err := range shop.Labels(month, &retailer.LabelOptions{Campaign: top}) {
		if err != nil {
			return nil, err
		}
		bought, treated, p := rec.Column(2).(*array.Boolean), rec.Column(4).(*array.Boolean), rec.Column(5).(*array.Float64)
		for i := range int(rec.NumRows()) {
			o := fate{bought: bought.Value(i)}
			if !treated.Value(i) {
				o.weight = 1 / (1 - p.Value(i))
			}
			known[strings.Clone(rec.Column(0).ValueStr(i))] = o
		}
	}
	return known, nil
}

// data returns scores and outcomes of the customers that have one, and that are in among
// as well, in the order of their names.
func (known fates) data(scores, among map[string]float64) (d evaluate.Data, values []float64) {
	for _, id := range slices.Sorted(maps.Keys(scores)) {
		o, ok := known[id]
		if _, has := among[id]; !ok || !has || o.weight == 0 {
			continue
		}
		label := 0.0
		if o.bought {
			label = 1
		}
		d.Scores, d.Labels, d.Weights = append(d.Scores, scores[id]), append(d.Labels, label), append(d.Weights, o.weight)
	}
	return d, d.Scores
}

// auc returns the area under the curve of scores over the same customers.
func (known fates) auc(scores, among map[string]float64) (float64, error) {
	d, _ := known.data(scores, among)
	e, err := evaluate.Of(evaluate.AUC, d, nil)
	return e.Value, err
}

// scores are those of a model, by customer.
func scores(shop retailer.World, month string, fault retailer.Fault, m model.Scorer) (map[string]float64, error) {
	all := map[string]float64{}
	var s model.Scores
	for rec, err := range shop.Records(month, &retailer.Options{Fault: fault}) {
		if err != nil {
			return nil, err
		}
		if err := m.Score(&s, rec); err != nil {
			return nil, err
		}
		ids := rec.Column(rec.Schema().FieldIndices("customer_id")[0])
		for i := range int(rec.NumRows()) {
			if ids.IsValid(i) {
				all[strings.Clone(ids.ValueStr(i))] = s.Pred[i]
			}
		}
	}
	return all, nil
}

// truths are the true probabilities without a coupon, by customer.
func truths(shop retailer.World, month string) (map[string]float64, error) {
	all := map[string]float64{}
	for rec, err := range shop.Truth(month) {
		if err != nil {
			return nil, err
		}
		p := rec.Column(2).(*array.Float64)
		for i := range int(rec.NumRows()) {
			all[strings.Clone(rec.Column(0).ValueStr(i))] = p.Value(i)
		}
	}
	return all, nil
}

// A stretch is what an area under the curve is to be in some months, with the tolerance of
// the story.
type stretch struct {
	from, to              int // months
	served, frozen, truth float64
}

const tolerance = 0.015

// stretches are the areas of the story. The season moves them little.
var stretches = []stretch{
	{1, 4, 0.755, 0.755, 0.76},
	{5, 7, 0.635, 0.635, 0.725},
	{8, 8, 0.64, 0.635, 0.725},
	{9, 12, 0.715, 0.635, 0.725},
}

// asTold returns an error if the year was not as told.
func asTold(year []reckoning) error {
	for _, p := range stretches {
		for _, r := range year[p.from-1 : p.to] {
			for _, one := range []struct {
				name      string
				got, want float64
			}{{"served", r.auc, p.served}, {"never retrained", r.frozen, p.frozen}, {"truth", r.truth, p.truth}} {
				if !(math.Abs(one.got-one.want) <= tolerance) {
					return fmt.Errorf("%s: AUC %s is %.3f, and the story has %.3f ± %.3f", r.month, one.name, one.got, one.want, tolerance)
				}
			}
		}
	}
	return nil
}

// table is the year at a glance.
func (t *story) summary(ctx context.Context) error {
	year, err := t.reckon(ctx)
	if err != nil {
		return err
	}
	t.say("\nThe year, in hindsight (AUC among customers without a coupon):\n")
	t.say("  month    served by                                    AUC    never retrained  truth  what was decided")
	for _, r := range year {
		var by []string
		for m, n := range r.served {
			share := ""
			if len(r.served) > 1 {
				share = fmt.Sprintf(" %.0f%%", 100*float64(n)/float64(t.shop.Customers))
			}
			by = append(by, papers.Short(m)+share)
		}
		slices.Sort(by)
		t.say("  %s  %-43s  %.3f  %.3f            %.3f  %s", r.month, strings.Join(by, " + "), r.auc, r.frozen, r.truth, strings.Join(t.trail[r.month], "; "))
	}
	t.say("")
	return asTold(year)
}
