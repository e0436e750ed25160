package gbdt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"headgate/internal/model"
)

// A setup is a training on mixed rows.
type setup struct {
	name   string
	label  string
	weight string
	params []string
}

// setups use every objective and every parameter that changes what is computed.
var setups = []setup{
	{name: "binary", label: "y", params: []string{"objective", "binary"}},
	{name: "binary, bags and feature subsets", label: "y", params: []string{"objective", "binary", "bagging_freq", "2", "bagging_fraction", "0.6", "feature_fraction", "0.5", "seed", "7"}},
	{name: "binary, weights", label: "y", weight: "weight", params: []string{"objective", "binary", "is_unbalance", "true", "lambda_l1", "0.5"}},
	{name: "binary, deep", label: "y", params: []string{"objective", "binary", "num_leaves", "255", "min_data_in_leaf", "2", "max_depth", "9"}},
	{name: "binary, one category against all", label: "y", params: []string{"objective", "binary", "max_cat_to_onehot", "50", "scale_pos_weight", "2"}},
	{name: "binary, monotone", label: "y", params: []string{"objective", "binary", "monotone_constraints", "0,1,-1,0,0,1,0", "max_delta_step", "0.8"}},
	{name: "regression", label: "amount", params: []string{"objective", "regression"}},
	{name: "regression, weights", label: "amount", weight: "weight", params: []string{"objective", "regression", "boost_from_average", "false"}},
	{name: "regression_l1", label: "amount", weight: "weight", params: []string{"objective", "regression_l1"}},
	{name: "huber", label: "amount", params: []string{"objective", "huber", "lambda_l2", "3"}},
	{name: "quantile", label: "amount", params: []string{"objective", "quantile", "alpha", "0.8"}},
	{name: "poisson", label: "amount", params: []string{"objective", "poisson", "max_bin", "31"}},
	{name: "tweedie", label: "amount", params: []string{"objective", "tweedie", "min_gain_to_split", "0.1"}},
	{name: "multiclass", label: "class", params: []string{"objective", "multiclass", "num_class", "3"}},
}

// trained is a setup after some rounds on rows that need blocks of more than one kind.
func (s *setup) trained(t *testing.T, rounds int, o *Options) (*Model, error) {
	t.Helper()
	p := params(t, append(s.params, "num_iterations", fmt.Sprint(rounds))...)
	d := load(t, stream(mixed(12_000, 1)...), mixedColumns(s.label, s.weight), p)
	v, err := d.Validation(t.Context(), stream(mixed(3_000, 2)...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return Train(t.Context(), d, v, p, o)
}

func TestScoresOfTheModelAreThoseOfTheTraining(t *testing.T) {
	for _, s := range setups {
		t.Run(s.name, func(t *testing.T) {
			rows := mixed(12_000, 1)
			p := params(t, append(s.params, "num_iterations", "8")...)
			d := load(t, stream(rows...), mixedColumns(s.label, s.weight), p)
			v, err := d.Validation(t.Context(), stream(rows...), nil)
			if err != nil {
				t.Fatal(err)
			}
			if last := d.groups[len(d.groups)-1]; last.wide == nil {
				t.Fatal("no feature takes two bytes")
			}
			b, err := newBooster(d, v, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := b.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.Rounds != 8 || m.Stopped != StoppedAtLast {
				t.Fatalf("got %d rounds, stopped by %s; want 8", m.Rounds, m.Stopped)
			}
			for i, got := range rawScores(t, m, stream(rows...)) {
				row, class := i/p.NumClass, i%p.NumClass
				if want := b.scores[class][row]; got != want || b.others[class][row] != want {
					t.Fatalf("row %d, class %d: the model scores %v, the training %v and as validation part %v",
						row, class, got, want, b.others[class][row])
				}
			}
		})
	}
}

func TestModelsHaveTheSameBytesOnAnyNumberOfThreads(t *testing.T) {
	for _, s := range setups {
		t.Run(s.name, func(t *testing.T) {
			want, err := s.trained(t, 3, &Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, threads := range []int{2, 4, 8} {
				got, err := s.trained(t, 3, &Options{Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Text, want.Text) || fmt.Sprint(got.Values) != fmt.Sprint(want.Values) {
					t.Errorf("%d threads give another model", threads)
				}
			}
		})
	}
}

// A training is stopped in every round but the last, each time by its context, and
// goes on from what it had kept.
func TestModelsHaveTheSameBytesAfterStopsAndResumes(t *testing.T) {
	const rounds = 4
	for _, s := range setups {
		t.Run(s.name, func(t *testing.T) {
			want, err := s.trained(t, rounds, nil)
			if err != nil {
				t.Fatal(err)
			}
			var kept []byte
			for round := 1; round < rounds; round++ {
				kept = s.stopAfter(t, round, rounds, kept)
			}
			last, err := ParseCheckpoint(kept)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.trained(t, rounds, &Options{Resume: last})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Text, want.Text) || fmt.Sprint(got.Values) != fmt.Sprint(want.Values) {
				t.Errorf("the resumed training gives another model")
			}
		})
	}
}

// stopAfter goes on from a checkpoint, nil for the start, and stops in the round
// after the one it returns the checkpoint of.
func (s *setup) stopAfter(t *testing.T, round, rounds int, from []byte) []byte {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var kept []byte
	o := &Options{Progress: func(p Progress) error {
		if p.Round != round || p.Rounds != rounds {
			t.Errorf("got round %d of %d, want %d of %d", p.Round, p.Rounds, round, rounds)
		}
		var err error
		kept, err = p.Checkpoint().Marshal()
		stop()
		return err
	}}
	if from != nil {
		c, err := ParseCheckpoint(from)
		if err != nil {
			t.Fatal(err)
		}
		o.Resume = c
	}
	p := params(t, append(s.params, "num_iterations", fmt.Sprint(rounds))...)
	d := load(t, stream(mixed(12_000, 1)...), mixedColumns(s.label, s.weight), p)
	v, err := d.Validation(t.Context(), stream(mixed(3_000, 2)...), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Train(ctx, d, v, p, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error", err)
	}
	return kept
}

func TestTrainingStopsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	p := params(t, "objective", "binary")
	rows := mixed(1000, 1)
	if _, err := Load(ctx, stream(rows...), mixedColumns("y", ""), p, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("loading gives %v", err)
	}
	d := load(t, stream(rows...), mixedColumns("y", ""), p)
	if _, err := d.Validation(ctx, stream(rows...), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("loading the validation part gives %v", err)
	}
	if _, err := Train(ctx, d, nil, p, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("training gives %v", err)
	}
}

func TestAnErrorOfProgressEndsTheTraining(t *testing.T) {
	enough := errors.New("enough")
	_, err := setups[0].trained(t, 5, &Options{Progress: func(p Progress) error {
		if p.Round == 2 {
			return enough
		}
		return nil
	}})
	if err != enough {
		t.Errorf("got %v, want %v", err, enough)
	}
}

func TestEarlyStoppingKeepsTheBestRound(t *testing.T) {
	p := params(t, "objective", "binary", "num_iterations", "500", "learning_rate", "0.5", "early_stopping_round", "5")
	d := load(t, stream(mixed(2_000, 1)...), mixedColumns("y", ""), p)
	v, err := d.Validation(t.Context(), stream(mixed(2_000, 2)...), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Train(t.Context(), d, v, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for i, value := range m.Values {
		if value < m.Values[best] {
			best = i
		}
	}
	if m.Stopped != StoppedEarly || m.Metric != "binary_logloss" || m.Rounds != best+1 || len(m.Values) != m.Rounds+5 {
		t.Errorf("got %d rounds of %d, stopped by %s; the best was %d", m.Rounds, len(m.Values), m.Stopped, best+1)
	}
	if n := scorer(t, m).NumIterations(); n != m.Rounds {
		t.Errorf("the text has %d rounds, want %d", n, m.Rounds)
	}
}

func TestTrainingEndsWhenNothingCanBeSplit(t *testing.T) {
	p := params(t, "objective", "regression", "min_data_in_leaf", "2", "min_data_in_bin", "1", "learning_rate", "1")
	rows := []column{{name: "x", numbers: []float64{1, 1, 2, 2}}, {name: "y", numbers: []float64{3, 3, 5, 5}}}
	d := load(t, stream(rows...), Columns{Features: []model.Input{{Name: "x"}}, Label: "y"}, p)
	m, err := Train(t.Context(), d, nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := rawScores(t, m, stream(rows...)); m.Rounds != 1 || m.Stopped != StoppedNoSplit || fmt.Sprint(got) != "[3 3 5 5]" {
		t.Errorf("got %v after %d rounds, stopped by %s; want the labels after one", got, m.Rounds, m.Stopped)
	}
}

func TestMonotoneModelsRiseAndFall(t *testing.T) {
	p := params(t, "objective", "binary", "monotone_constraints", "0,1,-1,0,0,0,0", "num_leaves", "63", "min_data_in_leaf", "5")
	rows := mixed(5_000, 1)
	m, err := Train(t.Context(), load(t, stream(rows...), mixedColumns("y", ""), p), nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for feature, direction := range map[int]float64{1: 1, 2: -1} { // a and b
		last := make([]float64, 50)
		for step := range 40 {
			changed := mixed(50, 3)
			for i := range 50 {
				changed[feature].numbers[i] = -2 + 0.1*float64(step)
			}
			for i, score := range rawScores(t, m, stream(changed...)) {
				if step > 0 && direction*(score-last[i]) < 0 {
					t.Fatalf("feature %s, step %d, row %d: the score goes from %v to %v", changed[feature].name, step, i, last[i], score)
				}
				last[i] = score
			}
		}
	}
}

func TestMissingValuesGoWhereTheyGain(t *testing.T) {
	// Missing values are like the large ones in the first half, like the small ones in
	// the second.
	for _, labelOfMissing := range []float64{0, 1} {
		var x, y []float64
		for i := range 300 {
			v := float64(i % 3)
			label := oneIf(v > 0)
			if i%2 == 0 {
				v, label = math.NaN(), labelOfMissing
			}
			x, y = append(x, v), append(y, label)
		}
		p := params(t, "objective", "binary", "num_iterations", "1")
		rows := []column{{name: "x", numbers: x}, {name: "y", numbers: y}}
		m, err := Train(t.Context(), load(t, stream(rows...), Columns{Features: []model.Input{{Name: "x"}}, Label: "y"}, p), nil, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		scores := rawScores(t, m, stream(column{name: "x", numbers: []float64{math.NaN(), 0, 2}}))
		if (scores[0] == scores[1]) != (labelOfMissing == 0) || (scores[0] == scores[2]) != (labelOfMissing == 1) {
			t.Errorf("missing values with label %g score as %v", labelOfMissing, scores)
		}
	}
}
