package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/train/gbdt"
)

// flightNumbers and flightTexts are what is known of a flight beforehand.
var (
	flightNumbers = []string{"dow", "hour", "sched_dep_time", "sched_arr_time", "distance", "plane_year", "seats", "wind_dir", "wind_speed", "visib"}
	flightTexts   = []string{"carrier", "origin", "dest", "manufacturer"}
	learned       = []string{"2021-04", "2021-05", "2021-06", "2021-07", "2021-08", "2021-09"}
	judged        = []string{"2021-07", "2021-08", "2021-09"}
)

// A flight is a row: its day, the log odds that a model gives it, and whether it came
// late.
type flight struct {
	day         int
	odds, label float64
}

// flightWorld resamples the days of three months of flights. Labels are the real ones,
// and so is what the flights of a day have in common. The good model has seen these
// months, which is no matter: gates compare what is worse with it. Half of the variance
// of a model's error is that of a day.
func flightWorld(name, shared string, seed uint64) (*world, error) {
	scorer, err := learnFlights(shared)
	if err != nil {
		return nil, err
	}
	days := make([][][]flight, len(judged))
	p := &population{}
	random := rand.New(rand.NewPCG(seed, math.MaxUint64))
	for b, month := range judged {
		days[b] = make([][]flight, 32)
		flights, err := scoreFlights(shared, month, scorer)
		if err != nil {
			return nil, err
		}
		for _, f := range flights {
			days[b][f.day] = append(days[b][f.day], f)
			p.odds, p.chance = append(p.odds, f.odds), append(p.chance, f.label)
			for k := range p.errors {
				p.errors[k] = append(p.errors[k], random.NormFloat64())
			}
		}
	}
	challengers, err := p.pairs(retailerNoise)
	if err != nil {
		return nil, err
	}
	w := &world{name: name, batches: len(judged), challengers: challengers}
	w.draw = func(random *rand.Rand) *drawn {
		d := newDrawn(len(judged))
		for b := range judged {
			for n := range 30 {
				first, second := random.NormFloat64(), random.NormFloat64()
				half := math.Sqrt(0.5)
				for _, f := range days[b][1+random.IntN(30)] {
					d.add(b, uint64(100*b+n), f.odds, f.label, half*(first+random.NormFloat64()), half*(second+random.NormFloat64()))
				}
			}
		}
		return d
	}
	return w, nil
}

// learnFlights trains the good model.
func learnFlights(shared string) (*lightgbm.Model, error) {
	params, err := gbdt.ParseParams(map[string]string{"objective": "binary", "num_iterations": "60", "num_leaves": "15", "learning_rate": "0.1"})
	if err != nil {
		return nil, err
	}
	columns := gbdt.Columns{Label: "arr_late"}
	for _, name := range flightNumbers {
		columns.Features = append(columns.Features, model.Input{Name: name})
	}
	for _, name := range flightTexts {
		columns.Features = append(columns.Features, model.Input{Name: name, Kind: model.Categorical})
	}
	ctx := context.Background()
	data, err := gbdt.Load(ctx, readFlights(shared, learned), columns, params, nil)
	if err != nil {
		return nil, err
	}
	m, err := gbdt.Train(ctx, data, nil, params, nil)
	if err != nil {
		return nil, err
	}
	categories := map[string][]string{}
	for _, in := range m.Inputs {
		if in.Categories != nil {
			categories[in.Name] = in.Categories
		}
	}
	return lightgbm.Parse(m.Text, model.Options{Categories: categories})
}

func scoreFlights(shared, month string, scorer *lightgbm.Model) ([]flight, error) {
	var out []flight
	var scores model.Scores
	for rec, err := range readFlights(shared, []string{month}) {
		if err != nil {
			return nil, err
		}
		if err := scorer.Score(&scores, rec); err != nil {
			return nil, err
		}
		day := rec.Column(rec.Schema().FieldIndices("day")[0]).(*array.Float64)
		late := rec.Column(rec.Schema().FieldIndices("arr_late")[0]).(*array.Float64)
		for i, raw := range scores.Raw {
			out = append(out, flight{int(day.Value(i)), raw, late.Value(i)})
		}
	}
	return out, nil
}

// readFlights streams the flights of months that arrived.
func readFlights(shared string, months []string) iter.Seq2[arrow.Record, error] {
	inputs := []model.Input{{Name: "day"}, {Name: "arr_late"}}
	for _, name := range flightNumbers {
		inputs = append(inputs, model.Input{Name: name})
	}
	for _, name := range flightTexts {
		inputs = append(inputs, model.Input{Name: name, Categories: []string{"text"}})
	}
	return func(yield func(arrow.Record, error) bool) {
		for _, month := range months {
			for rec, err := range readMonth(shared, month, inputs) {
				if err != nil {
					yield(nil, fmt.Errorf("flights of %s: %w", month, err))
					return
				}
				for _, part := range arrived(rec) {
					if !yield(part, nil) {
						return
					}
				}
			}
		}
	}
}

func readMonth(shared, month string, inputs []model.Input) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		f, err := os.Open(filepath.Join(shared, "flights", month+".csv.gz"))
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		text, err := gzip.NewReader(f)
		if err != nil {
			yield(nil, err)
			return
		}
		for rec, err := range model.ReadCSV(text, inputs, 1<<20) {
			if !yield(rec, err) {
				return
			}
		}
	}
}

// arrived cuts out the flights that have no label.
func arrived(rec arrow.Record) []arrow.Record {
	late := rec.Column(rec.Schema().FieldIndices("arr_late")[0])
	var out []arrow.Record
	from := int64(0)
	for i := range rec.NumRows() + 1 {
		if i < rec.NumRows() && late.IsValid(int(i)) {
			continue
		}
		if i > from {
			out = append(out, rec.NewSlice(from, i))
		}
		from = i + 1
	}
	return out
}
