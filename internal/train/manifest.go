package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"headgate/internal/model"
)

// ManifestFormat is the version of the manifest's JSON.
const ManifestFormat = 1

// A Manifest says what a model was to be learned from, and what came of it. It is kept
// with the model version. schemas/manifest.json describes it to other programs.
type Manifest struct {
	Format     int                   `json:"manifest"` // ManifestFormat
	Pipeline   string                `json:"pipeline,omitempty"`
	Contract   string                `json:"contract,omitempty"` // digest
	AsOf       string                `json:"asOf,omitempty"`     // date or RFC 3339; nothing later was used
	Seed       int64                 `json:"seed"`               // of every draw
	Task       Task                  `json:"task,omitempty"`     // empty: as the label looks
	Parameters map[string]string     `json:"parameters,omitempty"`
	Features   []Feature             `json:"features"` // in the model's order
	Label      string                `json:"label"`
	Weight     string                `json:"weight,omitempty"`
	Entity     []string              `json:"entity,omitempty"`    // columns that name whom a row is about
	EventTime  string                `json:"eventTime,omitempty"` // column that says when a row was true
	Split      Split                 `json:"split,omitzero"`
	Data       Data                  `json:"data"`
	Calibrate  model.CalibrationKind `json:"calibrate,omitempty"`
	Folds      int                   `json:"folds,omitempty"` // of the training part, over which the calibration is cross-fitted; 0: a part of its own has its rows
	Leak       LeakPolicy            `json:"leak,omitzero"`
	Results    *Results              `json:"results,omitempty"` // nil before the training
}

// A Task is what kind of label is to be predicted.
type Task string

// The tasks.
const (
	Binary     Task = "binary"     // 0 or 1, or a boolean
	Multiclass Task = "multiclass" // 0, 1, … of a number of classes
	Regression Task = "regression" // any number
)

// A Feature is one input of the model.
type Feature struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // "numeric" or "categorical"
	// Available is the column that says when the value was known, if that is not when
	// the row was true.
	Available string `json:"available,omitempty"`
}

// Data are the files of each part.
type Data struct {
	Train       []File `json:"train"`
	Valid       []File `json:"valid,omitempty"`
	Calibration []File `json:"calibration,omitempty"`
}

// A File is a Parquet file of one part.
type File struct {
	Batch  string `json:"batch,omitempty"`
	Digest string `json:"digest"` // of its bytes: sha256:…
	Rows   int64  `json:"rows"`
}

// Results are what came of a training.
type Results struct {
	Trainer   string            `json:"trainer"` // gbdt, command, taskQueue, recalibrate
	Libraries map[string]string `json:"libraries,omitempty"`
	Format    string            `json:"format"`            // of the model
	Model     string            `json:"model"`             // digest of its bytes
	Classes   []int64           `json:"classes,omitempty"` // rows of each class of the training part
	Train     Used              `json:"train"`
	Valid     *Used             `json:"valid,omitempty"`

	Rounds     int                 `json:"rounds,omitempty"` // in the model
	Metric     string              `json:"metric,omitempty"`
	Value      float64             `json:"value,omitempty"`   // of Metric, of the model on the validation part; without one, over the folds
	Curve      []Round             `json:"curve,omitempty"`   // its course, at most 100 rounds
	Stopped    string              `json:"stopped,omitempty"` // why there were no more rounds
	Notes      []string            `json:"notes,omitempty"`   // what a person should know
	Importance []Importance        `json:"importance,omitempty"`
	Categories map[string][]string `json:"categories,omitempty"` // dictionaries that the model does not hold

	Calibration         *model.Calibration   `json:"calibration,omitempty"`
	CalibrationEvidence *CalibrationEvidence `json:"calibrationEvidence,omitempty"`
}

// Used counts the rows of a part: those that were learned from, and those that were
// left out and why.
type Used struct {
	Rows    int64 `json:"rows"`
	After   int64 `json:"after,omitempty"`   // later than as-of, or without a date
	Unknown int64 `json:"unknown,omitempty"` // without a label
	Held    int64 `json:"held,omitempty"`    // of entities that are kept for the evidence
}

// A Round is what a metric was after a round.
type Round struct {
	Round int     `json:"round"` // from 1
	Value float64 `json:"value"`
}

// Importance is the share of the model's gain that rests on a feature.
type Importance struct {
	Feature string  `json:"feature"`
	Share   float64 `json:"share"`
}

// Marshal returns the manifest as JSON for people and programs: indented, with the
// fields in their order and a newline at the end. Equal manifests give equal bytes.
func (m *Manifest) Marshal() ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("training manifest: %w", err)
	}
	return buf.Bytes(), nil
}

// ParseManifest reads a manifest. A field that is not known, and anything that
// [Manifest.Check] refuses, is an error.
func ParseManifest(data []byte) (*Manifest, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var m Manifest
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("training manifest: %w", err)
	}
	if d.More() {
		return nil, errors.New("training manifest: there is something after its end")
	}
	return &m, m.Check()
}

// Check checks that the manifest makes sense in itself. It returns every problem, joined.
func (m *Manifest) Check() error {
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("training manifest: "+format, args...))
	}
	if m.Format != ManifestFormat {
		return fmt.Errorf("training manifest: its format is %d; this program reads %d", m.Format, ManifestFormat)
	}
	if len(m.Features) == 0 {
		problem("there are no features to learn from")
	}
	if m.Label == "" {
		problem("no column is named as the label")
	}
	if _, err := m.limit(); err != nil {
		problems = append(problems, err)
	}
	if !slices.Contains([]Task{"", Binary, Multiclass, Regression}, m.Task) {
		problem("task %q is none of binary, multiclass, regression", m.Task)
	}
	if !slices.Contains([]model.CalibrationKind{"", model.Isotonic, model.Platt}, m.Calibrate) {
		problem("calibrate %q is none of isotonic, platt", m.Calibrate)
	}
	switch {
	case m.Folds != 0 && m.Folds < 2:
		problem("folds is %d; a calibration is cross-fitted over 2 or more", m.Folds)
	case m.Folds != 0 && m.Calibrate == "":
		problem("folds are for a calibration, and calibrate names none")
	case m.Folds != 0 && len(m.Entity) == 0:
		problem("folds need columns that name the entity, whose rows stay together")
	}
	if t := m.Leak.Threshold; !(t >= 0 && t <= 1) {
		problem("leak.threshold %g is not between 0 and 1", t)
	}
	if m.Split.Entities > 0 && len(m.Entity) == 0 {
		problem("split.entities needs columns that name the entity")
	}
	if err := m.Split.check(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(append(problems, m.checkNames()...)...)
}

// checkNames finds columns that are there for two things, and features that are none.
func (m *Manifest) checkNames() []error {
	var problems []error
	seen := map[string]bool{}
	for _, f := range m.Features {
		reason := ""
		switch {
		case f.Name == "":
			reason = "has no name"
		case seen[f.Name]:
			reason = "is named twice"
		case f.Kind != "numeric" && f.Kind != "categorical":
			reason = fmt.Sprintf("has the kind %q, which is neither numeric nor categorical", f.Kind)
		case f.Name == m.Label:
			reason = "is the label: the model would read the answer"
		case f.Name == m.Weight:
			reason = "is the weight"
		case slices.Contains(m.Entity, f.Name):
			reason = "is the entity key: the model would learn names by heart"
		case f.Available != "" && m.EventTime == "" && m.AsOf == "":
			reason = "says when it was known, and neither an event time nor as-of says when it had to be"
		}
		if reason != "" {
			problems = append(problems, fmt.Errorf("training manifest: feature %q %s", f.Name, reason))
		}
		seen[f.Name] = true
	}
	if m.Label != "" && m.Label == m.Weight {
		problems = append(problems, fmt.Errorf("training manifest: %q is both the label and the weight", m.Label))
	}
	for _, name := range m.Leak.Allow {
		if !seen[name] {
			problems = append(problems, fmt.Errorf("training manifest: leak.allow names %q, which is no feature", name))
		}
	}
	return problems
}

// limit returns the first moment that is too late, or the zero time without as-of.
func (m *Manifest) limit() (time.Time, error) {
	if m.AsOf == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, m.AsOf); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	at, err := time.Parse(time.RFC3339, m.AsOf)
	if err != nil {
		return at, fmt.Errorf("training manifest: asOf %q is no date, as in 2024-03-01, and no time, as in 2024-03-01T12:00:00Z", m.AsOf)
	}
	return at.Add(1), nil
}

// Columns are the columns that a training reads, without repetition: features, label,
// weight, when values were known, entity key and event time.
func (m *Manifest) Columns() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, f := range m.Features {
		add(f.Name)
	}
	add(m.Label)
	add(m.Weight)
	for _, f := range m.Features {
		add(f.Available)
	}
	if m.Split.Entities > 0 || m.Calibrate != "" {
		for _, name := range m.Entity {
			add(name)
		}
	}
	if m.AsOf != "" || slices.ContainsFunc(m.Features, func(f Feature) bool { return f.Available != "" }) {
		add(m.EventTime)
	}
	return names
}

// inputs are the features as the model package has them.
func (m *Manifest) inputs() []model.Input {
	inputs := make([]model.Input, len(m.Features))
	for i, f := range m.Features {
		inputs[i].Name = f.Name
		if f.Kind == model.Categorical.String() {
			inputs[i].Kind = model.Categorical
		}
	}
	return inputs
}

// copied returns the manifest with parameters of its own, and without results.
func (m Manifest) copied() Manifest {
	m.Parameters, m.Results = maps.Clone(m.Parameters), nil
	if m.Data.Train == nil {
		m.Data.Train = []File{}
	}
	return m
}

// notes says which rows of a part were left out.
func (u Used) notes(part, asOf string) []string {
	var notes []string
	for _, n := range []struct {
		rows int64
		why  string
	}{{u.After, "are later than " + asOf + " or have no date"}, {u.Unknown, "have no label"}, {u.Held, "are of entities that are kept for the evidence"}} {
		if n.rows > 0 {
			notes = append(notes, fmt.Sprintf("%d of %d rows of the %s part %s and were left out", n.rows, u.Rows+u.After+u.Unknown+u.Held, part, n.why))
		}
	}
	return notes
}

// names joins names for a message.
func names(list []string) string { return strings.Join(list, ", ") }
