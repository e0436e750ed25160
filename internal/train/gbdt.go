package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"headgate/internal/model"
	"headgate/internal/train/gbdt"
)

// gbdtVersion is raised when equal jobs give other bytes than before.
const gbdtVersion = "1"

// A GBDT is the built-in trainer, gradient-boosted trees: see package gbdt. The
// manifest's parameters are LightGBM's; its seed is theirs. If they name no objective,
// it is binary if the label is 0 or 1 and regression otherwise.
type GBDT struct{}

// Train reads the rows of the training part four times, or five if categories have to
// be found, and those of the validation part once, and once more to calibrate.
func (GBDT) Train(ctx context.Context, j Job) (*Result, error) {
	l, err := begin(ctx, j)
	if err != nil {
		return nil, err
	}
	p, err := gbdtParams(&l.manifest, l.review)
	if err != nil {
		return nil, err
	}
	columns := gbdt.Columns{Features: l.manifest.inputs(), Label: l.manifest.Label, Weight: l.manifest.Weight}
	o := &gbdt.Options{Threads: j.Threads, Progress: gbdtProgress(j.Progress)}
	train, err := gbdt.Load(ctx, l.train, columns, p, o)
	if err != nil {
		return nil, err
	}
	l.note(train.Notes())
	var valid *gbdt.Dataset
	if l.valid != nil {
		if valid, err = train.Validation(ctx, l.valid, o); err != nil {
			return nil, err
		}
		if valid.Rows() == 0 {
			return nil, errors.New("validation part: there are no rows with a label up to as-of")
		}
	}
	if j.Resume != nil {
		if o.Resume, err = gbdt.ParseCheckpoint(j.Resume); err != nil {
			return nil, err
		}
	}
	m, err := gbdt.Train(ctx, train, valid, p, o)
	if err != nil {
		return nil, err
	}
	return l.finishGBDT(ctx, m)
}

// finishGBDT makes the result of a model.
func (l *learning) finishGBDT(ctx context.Context, m *gbdt.Model) (*Result, error) {
	r := l.results
	r.Trainer, r.Libraries = "gbdt", map[string]string{"headgate/gbdt": gbdtVersion}
	r.Rounds, r.Metric, r.Stopped = m.Rounds, m.Metric, string(m.Stopped)
	if len(m.Values) >= m.Rounds {
		r.Value = m.Values[m.Rounds-1]
	}
	r.Curve = curve(m.Values)
	text, categories := withCategories(m, l.job.Formats)
	return l.finish(ctx, "lightgbm", text, categories)
}

// curve returns the course of a metric, of which values has every round: the last one, and evenly
// spaced ones before it.
func curve(values []float64) []Round {
	const most = 100
	var rounds []Round
	step := (len(values) + most - 1) / most
	for i := len(values) - 1; i >= 0; i -= step {
		rounds = append(rounds, Round{Round: i + 1, Value: values[i]})
	}
	slices.Reverse(rounds)
	return rounds
}

// gbdtParams reads the parameters of the manifest and fills in the objective and the
// seed.
func gbdtParams(m *Manifest, review *Review) (gbdt.Params, error) {
	values := maps.Clone(m.Parameters)
	if values == nil {
		values = map[string]string{}
	}
	if !slices.ContainsFunc(objectiveNames, func(name string) bool { _, ok := values[name]; return ok }) {
		values["objective"] = string(review.Task)
		if review.Task == Multiclass {
			values["num_class"] = strconv.Itoa(len(review.Classes))
		}
	}
	p, err := gbdt.ParseParams(values)
	if err != nil {
		return p, err
	}
	for _, name := range seedNames {
		if text, ok := values[name]; ok && text != strconv.FormatInt(m.Seed, 10) {
			return p, &gbdt.ParamError{Name: name, Reason: fmt.Sprintf("is %s, and the manifest's seed is %d; give one", text, m.Seed)}
		}
	}
	p.Seed = m.Seed
	m.Parameters = p.Values()
	return p, nil
}

// The names of two of LightGBM's parameters.
var (
	objectiveNames = []string{"objective", "objective_type", "app", "application", "loss"}
	seedNames      = []string{"seed", "random_seed", "random_state"}
)

// CheckParameters checks parameters of [GBDT] before any label is known: they must fit a
// label of some kind, unless they name an objective themselves. It returns what is wrong
// with them for a binary label if they fit none.
func CheckParameters(parameters map[string]string) error {
	if slices.ContainsFunc(objectiveNames, func(name string) bool { _, ok := parameters[name]; return ok }) {
		_, err := gbdt.ParseParams(parameters)
		return err
	}
	values := map[string]string{}
	maps.Copy(values, parameters)
	var first error
	for _, task := range []Task{Binary, Regression, Multiclass} {
		values["objective"] = string(task)
		if task == Multiclass {
			values["num_class"] = "3"
		}
		_, err := gbdt.ParseParams(values)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// StopsEarly reports whether parameters of [GBDT] let a validation part end the training
// before all of its rounds. It is true if they cannot be read.
func StopsEarly(parameters map[string]string) bool {
	values := map[string]string{"objective": string(Binary)}
	maps.Copy(values, parameters)
	p, err := gbdt.ParseParams(values)
	return err != nil || p.EarlyStopping > 0
}

// gbdtTask is what kind of label an objective predicts, or "" if it names none.
func gbdtTask(parameters map[string]string) Task {
	for _, name := range objectiveNames {
		switch parameters[name] {
		case "":
		case "binary":
			return Binary
		case "multiclass", "softmax":
			return Multiclass
		default:
			return Regression
		}
	}
	return ""
}

// gbdtProgress passes on where a training is.
func gbdtProgress(watch func(Progress) error) func(gbdt.Progress) error {
	if watch == nil {
		return nil
	}
	return func(p gbdt.Progress) error {
		return watch(Progress{Round: p.Round, Rounds: p.Rounds, Metric: p.Metric, Value: p.Value, Best: p.Best,
			Checkpoint: func() ([]byte, error) { return p.Checkpoint().Marshal() }})
	}
}

// noCategories is the line of a model without category dictionaries.
const noCategories = "\npandas_categorical:null\n"

// withCategories writes the category dictionaries into the model's text, where LightGBM
// keeps them, and returns those that a reader would not find there.
func withCategories(m *gbdt.Model, formats model.Formats) ([]byte, map[string][]string) {
	var lists [][]string
	categories := map[string][]string{}
	for _, in := range m.Inputs {
		if in.Categories != nil {
			lists = append(lists, in.Categories)
			categories[in.Name] = in.Categories
		}
	}
	head, found := bytes.CutSuffix(m.Text, []byte(noCategories))
	if len(lists) == 0 || !found {
		return m.Text, nil
	}
	var line bytes.Buffer
	line.WriteString(strings.TrimSuffix(noCategories, "null\n"))
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(lists); err != nil {
		return m.Text, categories
	}
	text := slices.Concat(head, line.Bytes())
	s, err := parseModel(formats, "lightgbm", text, model.Options{})
	if err != nil || !slices.EqualFunc(s.Inputs(), m.Inputs, func(a, b model.Input) bool {
		return a.Name == b.Name && slices.Equal(a.Categories, b.Categories)
	}) {
		return m.Text, categories
	}
	return text, nil
}

// digestOf is the digest of bytes, as in a File.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// parseModel reads a model with one of the formats.
func parseModel(formats model.Formats, name string, data []byte, o model.Options) (model.Scorer, error) {
	format, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("the trainer wrote a model of format %q, which this program does not read", name)
	}
	return format(data, o)
}
