package train_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headgate/internal/model"
	"headgate/internal/train"
)

// weather is a table whose label follows from the day more than from anything that the
// day before could tell: each has a luck of its own, which its number gives away.
func weather(rows, days int, seed uint64) *table {
	t := shop(rows, seed)
	draw := rand.New(rand.NewPCG(seed, 1))
	luck := make([]float64, days)
	for i := range luck {
		luck[i] = draw.NormFloat64()
	}
	number := make([]float64, rows)
	y, age, on := t.columns["y"].([]float64), t.columns["age"].([]float64), t.columns["on"]
	dates := slices.Clone(on.([]time.Time))
	for i := range rows {
		d := draw.IntN(days)
		dates[i], number[i] = day(d), float64(d)
		y[i] = 0
		if 1.5*age[i]+luck[d]+draw.NormFloat64() > 0 {
			y[i] = 1
		}
	}
	return t.set("on", dates).set("number", number)
}

// weatherJob learns the number of the day by heart, if it is let.
func weatherJob() train.Job {
	j := shopJob()
	j.Manifest.Features = append(j.Manifest.Features, train.Feature{Name: "number", Kind: "numeric"})
	j.Manifest.Entity, j.Manifest.EventTime = []string{"on"}, ""
	j.Manifest.Calibrate, j.Manifest.Folds = model.Platt, 5
	j.Train, j.Valid = weather(6000, 30, 1).stream(), nil
	return j
}

var crossFitted = train.CrossFitted{Trainer: train.GBDT{}}

func TestACrossFittedModelLearnsFromEveryRow(t *testing.T) {
	r := done(t, crossFitted, weatherJob())
	m := r.Manifest
	plain := weatherJob()
	plain.Manifest.Calibrate, plain.Manifest.Folds = "", 0
	plain.Manifest.Parameters["num_iterations"] = strconv.Itoa(m.Results.Rounds)
	if want := done(t, train.GBDT{}, plain); !bytes.Equal(r.Model, want.Model) {
		t.Error("the trees are not those of a training on all rows")
	}
	if m.Calibrate != model.Platt || m.Folds != 5 || r.Calibration == nil || m.Results.Calibration != r.Calibration {
		t.Errorf("calibrate %s over %d folds gave %+v and %+v", m.Calibrate, m.Folds, r.Calibration, m.Results.Calibration)
	}
	if e := m.Results.CalibrationEvidence; e.Rows != 6000 || e.Part != "folds" || m.Results.Train.Rows != 6000 || m.Results.Valid != nil {
		t.Errorf("got %+v of %+v", e, m.Results.Train)
	}
	if !slices.ContainsFunc(m.Results.Notes, func(n string) bool {
		return strings.HasPrefix(n, "the calibration was cross-fitted over 5 folds: consecutive days, the next from 2024-01-08, 2024-01-13,")
	}) {
		t.Errorf("notes %q", m.Results.Notes)
	}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
	again := weatherJob()
	again.Manifest = m
	if twice := done(t, crossFitted, again); !bytes.Equal(twice.Model, r.Model) {
		t.Error("the manifest of a training, trained again, gives another model")
	}
}

// More rounds than are good for new days are not made.
func TestFoldsTellHowManyRoundsAreBest(t *testing.T) {
	for _, metric := range []string{"binary_logloss", "auc"} {
		t.Run(metric, func(t *testing.T) {
			j := weatherJob()
			j.Manifest.Parameters["metric"] = metric
			r := done(t, crossFitted, j).Manifest
			curve := r.Results.Curve
			if len(curve) != 20 || r.Results.Metric != metric || r.Results.Stopped != train.StoppedByFolds || r.Parameters["num_iterations"] != "20" {
				t.Fatalf("%+v", r.Results)
			}
			best := slices.MinFunc(curve, func(a, b train.Round) int {
				if metric == "auc" {
					a, b = b, a
				}
				return cmp.Compare(a.Value, b.Value)
			})
			if r.Results.Rounds != best.Round || r.Results.Value != best.Value || best.Round == 20 {
				t.Errorf("%d rounds with %g; the best of %v is %+v", r.Results.Rounds, r.Results.Value, curve, best)
			}
		})
	}
	stopped := weatherJob()
	stopped.Valid, stopped.Manifest.Parameters["early_stopping_round"] = weather(2000, 30, 2).stream(), "3"
	if r := done(t, crossFitted, stopped).Manifest.Results; r.Stopped == train.StoppedByFolds || r.Valid == nil {
		t.Errorf("with a validation part that stops it, a training has %+v", r)
	}
}

// A model that knows each day by heart is far too sure of days that it has not seen. What
// it says of the days that it has learned from does not show that; what models without
// them say does.
func TestACrossFittedCalibrationIsThatOfNewDays(t *testing.T) {
	fresh := weather(6000, 30, 9)
	r := done(t, crossFitted, weatherJob())
	naive := weatherJob()
	naive.Manifest.Folds, naive.Calibration = 0, naive.Train
	n := done(t, train.GBDT{}, naive)
	if loss, other := meanLoss(t, r, fresh), meanLoss(t, n, fresh); loss > other-.05 {
		t.Errorf("log loss on new days is %.3f, and %.3f calibrated on the days that were learned from", loss, other)
	}
}

// meanLoss is the log loss of a result's predictions.
func meanLoss(t *testing.T, r *train.Result, rows *table) float64 {
	t.Helper()
	s, err := r.Scorer(formats)
	if err != nil {
		t.Fatal(err)
	}
	var scores model.Scores
	var sum float64
	labels := rows.columns["y"].([]float64)
	n := 0
	for rec, err := range rows.stream() {
		if err == nil {
			err = s.Score(&scores, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range scores.Pred {
			if labels[n] == 0 {
				p = 1 - p
			}
			sum, n = sum-math.Log(p), n+1
		}
	}
	return sum / float64(n)
}

// Broken off after any round, of the model or of a fold, it goes on to the same bytes.
func TestACrossFittedTrainingGoesOnFromItsCheckpoint(t *testing.T) {
	whole := done(t, crossFitted, weatherJob())
	want, most := manifestOf(t, whole), 100+whole.Manifest.Results.Rounds
	stop := errors.New("stop")
	for _, at := range []int{1, 7, 20, 21, 65, 100, most - 1, most} {
		var saved []byte
		j := weatherJob()
		j.Progress = func(p train.Progress) (err error) {
			if p.Rounds != 120 && p.Rounds != most {
				t.Fatalf("round %d of %d, want %d in all", p.Round, p.Rounds, most)
			}
			if p.Round < at {
				return nil
			}
			saved, err = p.Checkpoint()
			return errors.Join(err, stop)
		}
		if _, err := crossFitted.Train(t.Context(), j); !errors.Is(err, stop) {
			t.Fatalf("round %d: got %v", at, err)
		}
		j = weatherJob()
		j.Resume = saved
		rounds := 0
		j.Progress = func(train.Progress) error { rounds++; return nil }
		if got := manifestOf(t, done(t, crossFitted, j)); got != want || rounds != most-at {
			t.Errorf("after round %d it went on for %d rounds to %s", at, rounds, got)
		}
		j = weatherJob()
		j.Manifest.Parameters["num_iterations"], j.Resume = "21", saved
		if _, err := crossFitted.Train(t.Context(), j); !errors.Is(err, train.ErrCheckpoint) {
			t.Errorf("a checkpoint of other parameters: got %v", err)
		}
	}
}

func manifestOf(t *testing.T, r *train.Result) string {
	t.Helper()
	text, err := r.Manifest.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Rows of an entity are in one fold, and folds of days follow each other.
func TestFoldsKeepEntitiesTogether(t *testing.T) {
	for _, tt := range []struct {
		name   string
		entity string
		days   int
		folds  int
		said   string
	}{
		{"customers", "id", 30, 5, "5 folds: drawn by id"},
		{"days", "on", 30, 5, "5 folds: consecutive days, the next from 2024-01-"},
		{"fewer days than folds", "on", 3, 3, "3 folds: consecutive days, the next from 2024-01-02, 2024-01-03"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := weatherJob()
			j.Manifest.Entity, j.Train = []string{tt.entity}, weather(3000, tt.days, 1).stream()
			spy := &foldSpy{column: tt.entity}
			notes := strings.Join(done(t, train.CrossFitted{Trainer: spy}, j).Manifest.Results.Notes, "\n")
			if !strings.Contains(notes, tt.said) {
				t.Errorf("notes %q, want %q", notes, tt.said)
			}
			if len(spy.seen) != tt.folds+1 {
				t.Fatalf("%d models, want one and one for each of %d folds", len(spy.seen), tt.folds)
			}
			left := map[string]int{}
			all := spy.seen[tt.folds]
			for _, seen := range spy.seen[:tt.folds] {
				for key := range all {
					if seen[key] == 0 {
						left[key]++
					} else if seen[key] != all[key] {
						t.Errorf("%s has %d rows in a fold, and %d in all", key, seen[key], all[key])
					}
				}
			}
			for key := range all {
				if left[key] != 1 {
					t.Errorf("%d models have not seen %s, want one", left[key], key)
				}
			}
		})
	}
}

// A foldSpy is the built-in trainer, and remembers the rows of each entity that it got.
type foldSpy struct {
	column string
	seen   []map[string]int
}

func (s *foldSpy) Train(ctx context.Context, j train.Job) (*train.Result, error) {
	seen := map[string]int{}
	for rec, err := range j.Train {
		if err != nil {
			return nil, err
		}
		c := rec.Column(rec.Schema().FieldIndices(s.column)[0])
		for i := range c.Len() {
			seen[c.ValueStr(i)]++
		}
	}
	s.seen = append(s.seen, seen)
	return train.GBDT{}.Train(ctx, j)
}

func TestWhatCannotBeCrossFittedIsSaid(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(j *train.Job)
		want  string
	}{
		{"one day", func(j *train.Job) { j.Train = weather(3000, 1, 1).stream() }, "all rows have the same on; learn from more batches"},
		{"a calibration part", func(j *train.Job) { j.Calibration = weather(100, 5, 1).stream() }, "leave one of them out"},
		{"no calibration", func(j *train.Job) { j.Manifest.Calibrate = "" }, "calibrate names none"},
		{"no entity", func(j *train.Job) { j.Manifest.Entity = nil }, "folds need columns that name the entity"},
		{"one fold", func(j *train.Job) { j.Manifest.Folds = 1 }, "over 2 or more"},
		{"an amount", func(j *train.Job) { j.Manifest.Label = "amount" }, "the task is regression"},
		{"early stopping without a validation part", func(j *train.Job) { j.Manifest.Parameters["early_stopping_round"] = "3" }, "there is no validation part"},
		{"a checkpoint of nothing", func(j *train.Job) { j.Resume = []byte("{}") }, "the checkpoint does not fit"},
		{"a checkpoint of another trainer", func(j *train.Job) { j.Resume = []byte("x") }, "the checkpoint does not fit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := weatherJob()
			tt.spoil(&j)
			if _, err := crossFitted.Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzCrossFitCheckpoint(f *testing.F) {
	f.Add([]byte(`{"crossFit":"1","job":"","done":[null]}`))
	f.Add([]byte(`{"crossFit":"1","job":"sha256:","done":[{}],"inner":"eA=="}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		j := weatherJob()
		j.Train, j.Resume = weather(50, 2, 1).stream(), data
		if _, err := crossFitted.Train(t.Context(), j); json.Valid(data) && !errors.Is(err, train.ErrCheckpoint) {
			t.Errorf("%s: %v", data, err)
		}
	})
}
