package train_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/model"
	"headgate/internal/train"
)

func TestTheManifestOfATrainingSaysWhatCameOfIt(t *testing.T) {
	j := shopJob()
	j.Manifest.Parameters["early_stopping_round"] = "5"
	r := done(t, train.GBDT{}, j)
	got := r.Manifest.Results
	if r.Format != "lightgbm" || got.Trainer != "gbdt" || got.Metric != "binary_logloss" || got.Rounds == 0 || got.Libraries["headgate/gbdt"] == "" {
		t.Errorf("got format %s and results %+v", r.Format, got)
	}
	if got.Train.Rows != 4000 || got.Valid.Rows != 2000 || got.Value < 0.4 || got.Value > 0.6 {
		t.Errorf("got %+v and %+v rows, log loss %g", got.Train, got.Valid, got.Value)
	}
	if r.Manifest.Task != train.Binary || r.Manifest.Parameters["objective"] != "binary" || r.Manifest.Parameters["seed"] != "1" {
		t.Errorf("got task %s, parameters %v", r.Manifest.Task, r.Manifest.Parameters)
	}
	if len(got.Importance) < 2 || got.Importance[0].Feature != "age" {
		t.Errorf("got importance %v, want age first", got.Importance)
	}
	if j.Manifest.Results != nil || j.Manifest.Parameters["objective"] != "" {
		t.Errorf("the job's own manifest was changed: %+v", j.Manifest)
	}
}

func TestTheModelFileHoldsItsCategories(t *testing.T) {
	r := done(t, train.GBDT{}, shopJob())
	s, err := formats["lightgbm"](r.Model, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Inputs()[1].Categories; !slices.Equal(got, []string{"A", "B", "C", "D", "E"}) || r.Categories != nil {
		t.Errorf("the file has the categories %v, the result %v", got, r.Categories)
	}
}

func TestCategoriesThatTheFileCannotHoldComeBesideIt(t *testing.T) {
	j := shopJob()
	one, table := make([]string, 4000), shop(4000, 1)
	for i := range one {
		one[i] = "same"
	}
	// A feature that is not used leaves no trace in the file, so a list of its
	// categories there could be another feature's.
	j.Train = table.set("one", one).stream()
	j.Valid = nil
	j.Manifest.Features = append([]train.Feature{{Name: "one", Kind: "categorical"}}, j.Manifest.Features...)
	r := done(t, train.GBDT{}, j)
	want := map[string][]string{"one": {"same"}, "city": {"A", "B", "C", "D", "E"}}
	if !maps.EqualFunc(r.Categories, want, slices.Equal[[]string]) || !maps.EqualFunc(r.Manifest.Results.Categories, want, slices.Equal[[]string]) {
		t.Errorf("got %v", r.Categories)
	}
	if _, err := r.Scorer(formats); err != nil {
		t.Error(err)
	}
	if !slices.Contains(r.Manifest.Results.Notes, `feature "one" has one value in all rows`) || len(r.Manifest.Results.Notes) != 1 {
		t.Errorf("notes are %q", r.Manifest.Results.Notes)
	}
}

func TestEqualJobsGiveEqualBytes(t *testing.T) {
	var first *train.Result
	var manifest []byte
	for _, threads := range []int{1, 3} {
		j := shopJob()
		j.Threads, j.Manifest.Calibrate = threads, model.Isotonic
		j.Manifest.Parameters["bagging_fraction"], j.Manifest.Parameters["bagging_freq"] = "0.5", "1"
		r := done(t, train.GBDT{}, j)
		text, err := r.Manifest.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, manifest = r, text
			continue
		}
		if !bytes.Equal(r.Model, first.Model) || !bytes.Equal(text, manifest) {
			t.Errorf("another model or manifest on %d threads:\n%s\n%s", threads, manifest, text)
		}
	}
	again := shopJob()
	again.Manifest = first.Manifest
	if r := done(t, train.GBDT{}, again); !bytes.Equal(r.Model, first.Model) {
		t.Error("the manifest of a training, trained again, gives another model")
	}
}

func TestATrainingGoesOnFromItsCheckpoint(t *testing.T) {
	want := done(t, train.GBDT{}, shopJob())
	stop := errors.New("stop")
	var saved []byte
	j := shopJob()
	j.Progress = func(p train.Progress) (err error) {
		if p.Round < 7 {
			return nil
		}
		saved, err = p.Checkpoint()
		return errors.Join(err, stop)
	}
	if _, err := (train.GBDT{}).Train(t.Context(), j); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
	j = shopJob()
	j.Resume = saved
	rounds := 0
	j.Progress = func(train.Progress) error { rounds++; return nil }
	if r := done(t, train.GBDT{}, j); !bytes.Equal(r.Model, want.Model) || rounds != 13 {
		t.Errorf("went on for %d rounds, want 13; the model is the same: %t", rounds, bytes.Equal(r.Model, want.Model))
	}
}

func TestRowsThatMayNotBeKnownAreLeftOut(t *testing.T) {
	j := shopJob()
	j.Manifest.AsOf, j.Manifest.Split.Entities = "2024-01-20", 0.25
	table := shop(4000, 1)
	y := table.columns["y"].([]float64)
	for i := range 100 {
		y[i] = nan
	}
	j.Train = table.stream()
	r := done(t, train.GBDT{}, j)
	used := r.Manifest.Results.Train
	if used.Rows+used.After+used.Unknown+used.Held != 4000 || used.After < 1200 || used.Unknown < 50 || used.Held < 400 {
		t.Errorf("got %+v", used)
	}
	for _, want := range []string{"are later than 2024-01-20", "have no label", "kept for the evidence"} {
		if !strings.Contains(strings.Join(r.Manifest.Results.Notes, "\n"), want) {
			t.Errorf("notes %q do not have %q", r.Manifest.Results.Notes, want)
		}
	}
	kept := shop(4000, 1)
	for i, on := range kept.columns["on"].([]time.Time) {
		if on.After(day(19)) {
			kept.columns["y"].([]float64)[i] = nan
		}
	}
	copy(kept.columns["y"].([]float64), y[:100])
	j.Manifest.AsOf = ""
	j.Train = train.Entities(kept.stream(), []string{"id"}, 1, 0.25, false)
	j.Manifest.Split.Entities = 0
	j.Valid = train.Entities(shop(2000, 2).stream(), []string{"id"}, 1, 0.25, false)
	if same := done(t, train.GBDT{}, j); same.Manifest.Results.Train.Rows != used.Rows {
		t.Errorf("chosen beforehand, %d rows are left, not %d", same.Manifest.Results.Train.Rows, used.Rows)
	}
}

func TestWhatCannotBeTrainedIsSaid(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(j *train.Job)
		want  string
	}{
		{"a label with one class", func(j *train.Job) {
			j.Train = shop(1000, 1).set("y", make([]float64, 1000)).stream()
		}, `label "y" is 0 in all 1000 rows; there is nothing to learn`},
		{"no rows", func(j *train.Job) { j.Train = shop(0, 1).stream() }, "no rows with a label"},
		{"no validation rows", func(j *train.Job) { j.Valid = shop(0, 1).stream() }, "validation part: there are no rows"},
		{"rows of the future only", func(j *train.Job) { j.Manifest.AsOf = "2023-12-31" }, "no rows with a label up to as-of"},
		{"a label that is not binary", func(j *train.Job) { j.Manifest.Label, j.Manifest.Task = "amount", train.Binary }, "a binary label is 0 or 1"},
		{"an infinite label", func(j *train.Job) {
			j.Train = shop(1000, 1).set("y", slices.Repeat([]float64{0, 1, inf, 1}, 250)).stream()
		}, "is +Inf in row 2"},
		{"a column that is not there", func(j *train.Job) { j.Manifest.Features[0].Name = "agee" }, `column "agee" is missing`},
		{"a parameter that is not known", func(j *train.Job) { j.Manifest.Parameters["num_leafs"] = "3" }, "num_leafs: is not known; is num_leaf meant?"},
		{"another seed", func(j *train.Job) { j.Manifest.Parameters["random_state"] = "3" }, "is 3, and the manifest's seed is 1"},
		{"a checkpoint of nothing", func(j *train.Job) { j.Resume = []byte("x") }, "the checkpoint does not fit"},
		{"a model that nobody reads", func(j *train.Job) { j.Formats = nil }, `a model of format "lightgbm", which this program does not read`},
		{"a calibration without rows", func(j *train.Job) { j.Manifest.Calibrate, j.Valid = model.Platt, nil }, "give a calibration or a validation part"},
		{"a probability of an amount", func(j *train.Job) { j.Manifest.Calibrate, j.Manifest.Label = model.Platt, "amount" }, "the task is regression"},
		{"the label among the features", func(j *train.Job) { j.Manifest.Features[0].Name = "y" }, "is the label: the model would read the answer"},
		{"an entity key without a column", func(j *train.Job) { j.Manifest.Entity, j.Manifest.Split.Entities = []string{"who"}, 0.5 }, `column "who" is missing`},
		{"an event time that is none", func(j *train.Job) { j.Manifest.EventTime, j.Manifest.AsOf = "age", "2024-01-05" }, `column "age" is of type float64; a date or a timestamp is needed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := shopJob()
			tt.spoil(&j)
			if _, err := (train.GBDT{}).Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestATrainingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j := shopJob()
	j.Progress = func(train.Progress) error { cancel(); return nil }
	if _, err := (train.GBDT{}).Train(ctx, j); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
