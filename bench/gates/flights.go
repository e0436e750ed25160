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
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/train/gbdt"
)

// flightNumbers and flightTexts are what is known of a flight beforehand.
var (
	flightNumbers = []string{"dow", "hour", "sched_dep_time", "sched_arr_time", "distance", "plane_year", "seats", "wind_dir", "wind_speed", "visib"}
	flightTexts   = []string{"carrier", "origin", "dest", "manufacturer"}
	judged        = []string{"2021-07", "2021-08", "2021-09"}
)

// rounds are how many trees the best model of flights has.
const rounds = 100

// flightScores are the flights of a month by the models that score them.
type flightScores struct {
	day    []int
	label  []float64
	scores map[string][]float64
}

// flightWorld resamples the days of three months of flights, with the real labels and
// all that the flights of a day have in common. The models are boosted trees that have
// learned from every other flight of these months; the flights that are judged are the
// others. One with fewer trees is worse. Two that are equally good are two with other
// seeds, of which chance says, day by day, which is whose.
func flightWorld(name, shared string) (*world, error) {
	models := map[string]*lightgbm.Model{}
	for key, bag := range map[string]string{"good": "1", "other": "2"} {
		text, categories, err := learnFlights(shared, bag)
		if err != nil {
			return nil, err
		}
		for n := 1; n <= rounds; n++ {
			m, err := lightgbm.Parse(text, model.Options{Categories: categories, Count: n})
			if err != nil {
				return nil, err
			}
			if key == "good" || n == rounds {
				models[fmt.Sprintf("%s/%d", key, n)] = m
			}
		}
	}
	months := make([]*flightScores, len(judged))
	for b, month := range judged {
		var err error
		if months[b], err = scoreFlights(shared, month, models); err != nil {
			return nil, err
		}
	}
	challengers, err := flightPairs(months)
	if err != nil {
		return nil, err
	}
	w := &world{name: name, batches: len(judged), challengers: challengers}
	w.draw = func(random *rand.Rand, c *challenger) []gate.Paired {
		out := make([]gate.Paired, len(judged))
		for b, month := range months {
			of := month.days()
			for n := range of {
				scores := [2][]float64{month.scores[c.scores[0]], month.scores[c.scores[1]]}
				if c.exchange && random.IntN(2) == 1 {
					scores[0], scores[1] = scores[1], scores[0]
				}
				for _, i := range of[random.IntN(len(of))] {
					add(&out[b], uint64(100*b+n), month.label[i], scores[0][i], scores[1][i])
				}
			}
		}
		return out
	}
	return w, nil
}

// days returns the rows of each day.
func (f *flightScores) days() [][]int {
	var out [][]int
	for i, day := range f.day {
		for len(out) < day {
			out = append(out, nil)
		}
		out[day-1] = append(out[day-1], i)
	}
	return out
}

// flightPairs finds the numbers of trees that make a model worse by so much.
func flightPairs(months []*flightScores) ([]*challenger, error) {
	metric := func(m evaluate.Metric, key string) (float64, error) {
		var d evaluate.Data
		for _, f := range months {
			d.Labels, d.Scores = append(d.Labels, f.label...), append(d.Scores, f.scores[key]...)
		}
		e, err := evaluate.Of(m, d, nil)
		return e.Value, err
	}
	best := fmt.Sprintf("good/%d", rounds)
	top, err := metric(evaluate.AUC, best)
	if err != nil {
		return nil, err
	}
	out := []*challenger{{name: "equal", scores: [2]string{best, fmt.Sprintf("other/%d", rounds)}, exchange: true}}
	for _, c := range []struct {
		name string
		by   float64
	}{{"−.01", -0.01}, {"−.005", -0.005}, {"+.01", 0.01}, {"+.02", 0.02}} {
		near, gap := "", math.Inf(1)
		for n := 1; n < rounds; n++ {
			key := fmt.Sprintf("good/%d", n)
			at, err := metric(evaluate.AUC, key)
			if err != nil {
				return nil, err
			}
			if d := math.Abs(top - at - math.Abs(c.by)); d < gap {
				near, gap = key, d
			}
		}
		made := &challenger{name: c.name, scores: [2]string{near, best}}
		if c.by < 0 {
			made.scores = [2]string{best, near}
		}
		for m, to := range map[evaluate.Metric]*float64{evaluate.AUC: &made.auc, evaluate.LogLoss: &made.logLoss} {
			before, err := metric(m, made.scores[0])
			if err != nil {
				return nil, err
			}
			after, err := metric(m, made.scores[1])
			if err != nil {
				return nil, err
			}
			if *to = after - before; m == evaluate.LogLoss {
				*to = after/before - 1
			}
		}
		out = append(out, made)
	}
	return out, nil
}

// learnFlights trains a model on the even flights.
func learnFlights(shared, seed string) (text []byte, categories map[string][]string, err error) {
	params, err := gbdt.ParseParams(map[string]string{"objective": "binary", "num_iterations": fmt.Sprint(rounds), "num_leaves": "15", "learning_rate": "0.1",
		"bagging_fraction": "0.5", "bagging_freq": "1", "seed": seed})
	if err != nil {
		return nil, nil, err
	}
	columns := gbdt.Columns{Label: "arr_late", Weight: learns}
	for _, name := range flightNumbers {
		columns.Features = append(columns.Features, model.Input{Name: name})
	}
	for _, name := range flightTexts {
		columns.Features = append(columns.Features, model.Input{Name: name, Kind: model.Categorical})
	}
	ctx := context.Background()
	data, err := gbdt.Load(ctx, readFlights(shared, judged), columns, params, nil)
	if err != nil {
		return nil, nil, err
	}
	m, err := gbdt.Train(ctx, data, nil, params, nil)
	if err != nil {
		return nil, nil, err
	}
	categories = map[string][]string{}
	for _, in := range m.Inputs {
		if in.Categories != nil {
			categories[in.Name] = in.Categories
		}
	}
	return m.Text, categories, nil
}

// scoreFlights scores the odd flights of a month.
func scoreFlights(shared, month string, models map[string]*lightgbm.Model) (*flightScores, error) {
	out := &flightScores{scores: map[string][]float64{}}
	var scores model.Scores
	for rec, err := range readFlights(shared, []string{month}) {
		if err != nil {
			return nil, err
		}
		day := rec.Column(rec.Schema().FieldIndices("day")[0]).(*array.Float64)
		late := rec.Column(rec.Schema().FieldIndices("arr_late")[0]).(*array.Float64)
		half := rec.Column(int(rec.NumCols()) - 1).(*array.Float64)
		for i := range int(rec.NumRows()) {
			if half.Value(i) == 0 {
				out.day, out.label = append(out.day, int(day.Value(i))), append(out.label, late.Value(i))
			}
		}
		for key, m := range models {
			if err := m.Score(&scores, rec); err != nil {
				return nil, err
			}
			for i, p := range scores.Pred {
				if half.Value(i) == 0 {
					out.scores[key] = append(out.scores[key], p)
				}
			}
		}
	}
	return out, nil
}

// learns is the last column of flights: 1 where models learn, and 0 where they are judged.
const learns = "learns"

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
					if !yield(halved(part), nil) {
						return
					}
				}
			}
		}
	}
}

// halved adds the column of who learns: every other flight.
func halved(rec arrow.Record) arrow.Record {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	for i := range int(rec.NumRows()) {
		b.Append(float64((i + 1) % 2))
	}
	fields := append(slices.Clone(rec.Schema().Fields()), arrow.Field{Name: learns, Type: arrow.PrimitiveTypes.Float64})
	return array.NewRecord(arrow.NewSchema(fields, nil), append(slices.Clone(rec.Columns()), b.NewArray()), rec.NumRows())
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
