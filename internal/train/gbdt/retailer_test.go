package gbdt_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/retailer"
	"headgate/internal/train/gbdt"
)

// withLabels streams a month of the simulated retailer with the column bought.
func withLabels(w retailer.World, month string) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		next, stop := iter.Pull2(w.Labels(month, nil))
		defer stop()
		for rec, err := range w.Month(month) {
			if err != nil {
				yield(nil, err)
				return
			}
			labels, err, _ := next()
			if err != nil {
				yield(nil, err)
				return
			}
			at := labels.Schema().FieldIndices("bought")[0]
			fields := append(slices.Clone(rec.Schema().Fields()), labels.Schema().Field(at))
			columns := append(slices.Clone(rec.Columns()), labels.Column(at))
			joined := array.NewRecord(arrow.NewSchema(fields, nil), columns, rec.NumRows())
			more := yield(joined, nil)
			joined.Release()
			if !more {
				return
			}
		}
	}
}

// shopColumns are the features of the retailer's shipped champion, found in a record.
func shopColumns(t *testing.T, w retailer.World) gbdt.Columns {
	t.Helper()
	c := gbdt.Columns{Label: "bought"}
	for rec, err := range w.Month("2023-12") {
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range rec.Schema().Fields() {
			switch {
			case f.Name == "customer_id" || f.Name == "as_of" || f.Name == "birthday":
			case f.Type.ID() == arrow.DICTIONARY:
				c.Features = append(c.Features, model.Input{Name: f.Name, Kind: model.Categorical})
			default:
				c.Features = append(c.Features, model.Input{Name: f.Name})
			}
		}
		break
	}
	return c
}

// A model that is trained on one month ranks the customers of the next one nearly as
// well as the true probabilities do, and its scores are calibrated.
func TestModelOfTheRetailerKnowsWhoBuys(t *testing.T) {
	w := retailer.World{Seed: 3, Customers: 20_000}
	p, err := gbdt.ParseParams(map[string]string{"objective": "binary", "min_data_in_leaf": "300", "num_iterations": "60",
		"learning_rate": "0.07", "cat_smooth": "50", "cat_l2": "50", "early_stopping_round": "10", "metric": "auc"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := gbdt.Load(t.Context(), withLabels(w, "2023-11"), shopColumns(t, w), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := d.Validation(t.Context(), withLabels(w, "2023-12"), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := gbdt.Train(t.Context(), d, v, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	var truth []float64
	for rec, err := range w.Truth("2023-12") {
		if err != nil {
			t.Fatal(err)
		}
		truth = append(truth, rec.Column(rec.Schema().FieldIndices("p_untreated")[0]).(*array.Float64).Float64Values()...)
	}
	bought, scores := score(t, m, withLabels(w, "2023-12"))
	own, oracle := area(bought, scores), area(bought, truth)
	if best := m.Values[m.Rounds-1]; math.Abs(own-best) > 1e-12 {
		t.Errorf("the validation part's AUC is %v, that of the model's scores %v", best, own)
	}
	if own < 0.68 || own < oracle-0.05 {
		t.Errorf("got an AUC of %.4f, that of the true probabilities is %.4f", own, oracle)
	}
	var sum, want float64
	for i, s := range scores {
		sum += s
		want += bought[i]
	}
	if math.Abs(sum/want-1) > 0.1 {
		t.Errorf("the scores sum to %.0f, and %.0f customers bought", sum, want)
	}
}

// score returns the labels and the model's predictions of some rows.
func score(t *testing.T, m *gbdt.Model, records iter.Seq2[arrow.Record, error]) (labels, predictions []float64) {
	t.Helper()
	categories := map[string][]string{}
	for _, in := range m.Inputs {
		if in.Categories != nil {
			categories[in.Name] = in.Categories
		}
	}
	s, err := lightgbm.Parse(m.Text, model.Options{Categories: categories})
	if err != nil {
		t.Fatal(err)
	}
	var scores model.Scores
	for rec, err := range records {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		predictions = append(predictions, scores.Pred...)
		bought := rec.Column(rec.Schema().FieldIndices("bought")[0]).(*array.Boolean)
		for i := range bought.Len() {
			labels = append(labels, map[bool]float64{true: 1}[bought.Value(i)])
		}
	}
	return labels, predictions
}

// area is the share of pairs of a buyer and another customer of which the buyer
// scores higher.
func area(labels, scores []float64) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if scores[a] < scores[b] {
			return -1
		}
		if scores[a] > scores[b] {
			return 1
		}
		return 0
	})
	below, pairs := 0.0, 0.0
	for i := 0; i < len(order); {
		first, tied := i, 0.0
		for ; i < len(order) && scores[order[i]] == scores[order[first]]; i++ {
			tied += 1 - labels[order[i]]
		}
		for _, row := range order[first:i] {
			pairs += labels[row] * (below + tied/2)
		}
		below += tied
	}
	return pairs / (below * (float64(len(order)) - below))
}

// Train a model on a month of the simulated retailer, and look at it.
func Example() {
	world := retailer.World{Seed: 1, Customers: 2000}
	params, err := gbdt.ParseParams(map[string]string{"objective": "binary", "num_iterations": "3", "num_leaves": "4"})
	if err != nil {
		fmt.Println(err)
		return
	}
	columns := gbdt.Columns{Label: "bought", Features: []model.Input{
		{Name: "recency"}, {Name: "visits_30d"}, {Name: "segment", Kind: model.Categorical}}}
	ctx := context.Background()
	data, err := gbdt.Load(ctx, withLabels(world, "2023-01"), columns, params, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	trained, err := gbdt.Train(ctx, data, nil, params, &gbdt.Options{Progress: func(p gbdt.Progress) error {
		fmt.Printf("round %d of %d\n", p.Round, p.Rounds)
		return nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(trained.Objective, trained.Inputs[2].Categories)
	// Output:
	// round 1 of 3
	// round 2 of 3
	// round 3 of 3
	// binary sigmoid:1 [bargain business family gift premium senior starter student]
}

func TestEveryThreadSeesTheSameRetailer(t *testing.T) {
	w := retailer.World{Seed: 1, Customers: 3000}
	p, err := gbdt.ParseParams(map[string]string{"objective": "binary", "num_iterations": "5"})
	if err != nil {
		t.Fatal(err)
	}
	var texts [][]byte
	for _, threads := range []int{1, 3} {
		o := &gbdt.Options{Threads: threads}
		d, err := gbdt.Load(t.Context(), withLabels(w, "2023-01"), shopColumns(t, w), p, o)
		if err != nil {
			t.Fatal(err)
		}
		m, err := gbdt.Train(t.Context(), d, nil, p, o)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, m.Text)
	}
	if !bytes.Equal(texts[0], texts[1]) || !strings.HasPrefix(string(texts[0]), "tree\nversion=v4\n") {
		t.Error("loading on three threads gives another model than on one")
	}
}
