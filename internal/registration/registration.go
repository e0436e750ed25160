// Package registration puts a pipeline file, its contract and a model version from
// local files into the registry. starter register, the demo and the tests share it.
package registration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"headgate/internal/bundle"
	"headgate/internal/change"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/internal/train"
)

// A Request names the local files to register.
type Request struct {
	Pipeline string // pipeline file; its contract lies beside it
	Model    string // model file; "" registers no version
	Format   string // of the model file; default "lightgbm"

	// Golden rows: either Golden and Expected, CSV or Parquet, or a Parquet Sample
	// whose first rows are scored now, without the values of classified columns.
	Golden, Expected, Sample string
	Source                   string // who computed Expected

	// Reference is what later batches are compared with: Parquet files, each of them
	// with the batch that it is of, as in 2023-01, or without a name.
	Reference []Batch

	Categories string // JSON {column: [value, …]}
	// Training is the JSON manifest of the training. From one that package train wrote
	// come also the calibration, and the categories if no file has them.
	Training string
	Champion bool // make the version the champion, if there is none

	By, Reason string
	At         time.Time

	Progress func(rows int64) // hears how many rows of the reference are read; may be nil
}

// A Batch is a local Parquet file of a batch.
type Batch struct{ Name, File string }

// A Result says what is in force after a registration.
type Result struct {
	Name               string // of the pipeline
	Pipeline, Contract store.Digest
	Output             store.Digest    // contract of the scores; "" if there is none
	LabelsContract     store.Digest    // "" if the pipeline has no labels
	Version            *bundle.Version // nil without a model
	Anchor             string

	Change *change.Change // of the files in force; nil if there were none, or they stay
	// Proposal is the number of the entry that waits for a second person; 0 if the files
	// are in force.
	Proposal int64
}

// ErrGolden means that a model comes without golden rows.
var ErrGolden = errors.New("a model version needs golden rows: give them with their expected scores, or a sample")

// A ChampionError means that another version is the champion already. It is
// [registry.ErrAliasTaken].
type ChampionError struct {
	Pipeline string
	Champion store.Digest // the version that scores
}

func (e *ChampionError) Error() string {
	return fmt.Sprintf("%s has a champion, %s, and a registration does not replace it", e.Pipeline, e.Champion)
}

func (e *ChampionError) Unwrap() error { return registry.ErrAliasTaken }

// Do checks the files against each other, stores them, and appends what the registry
// does not say yet. Doing it again is a success and appends nothing.
func (r Request) Do(ctx context.Context, b *store.Bucket, formats model.Formats) (*Result, error) {
	f, err := Read(r.Pipeline)
	if err != nil {
		return nil, err
	}
	log, err := registry.Load(ctx, b, f.Config.Name)
	if err != nil {
		return nil, err
	}
	out := &Result{Name: f.Config.Name}
	if r.Model != "" {
		if out.Version, err = r.version(ctx, b, f, formats); err != nil {
			return nil, err
		}
		if have := log.State().Aliases[registry.AliasChampion]; r.Champion && have != "" && have != out.Version.Digest {
			return nil, &ChampionError{Pipeline: f.Config.Name, Champion: have}
		}
	}
	for _, blob := range []struct {
		data []byte
		dst  *store.Digest
	}{{f.Text, &out.Pipeline}, {f.ContractText, &out.Contract}, {f.OutputText, &out.Output}, {f.LabelsText, &out.LabelsContract}} {
		if blob.data == nil {
			continue
		}
		ref, err := b.PutBlob(ctx, blob.data)
		if err != nil {
			return nil, err
		}
		*blob.dst = ref.Digest
	}
	if err := r.append(ctx, b, log, f, out); err != nil {
		return nil, err
	}
	out.Anchor = log.Anchor()
	return out, nil
}

// version stores the model version, after checking that the pipeline can use it.
func (r Request) version(ctx context.Context, b *store.Bucket, f *Files, formats model.Formats) (*bundle.Version, error) {
	d := bundle.Draft{Pipeline: f.Config.Name, Format: r.format(), Contract: f.Contract, ContractID: store.DigestOf(f.ContractText)}
	s, err := r.read(ctx, &d, formats)
	if err != nil {
		return nil, err
	}
	defer d.Golden.Rows.Release()
	keep, outputs := f.Config.Scores.Keep, s.Outputs()
	err = errors.Join(pass.CheckNames(f.Contract, keep, outputs), f.Config.CheckOutputs(outputs))
	if f.Output != nil {
		err = errors.Join(err, pass.CheckOutput(f.Output, f.Contract, keep, outputs))
	}
	if err != nil {
		return nil, err
	}
	if d.Reference, err = r.reference(ctx, f, s); err != nil {
		return nil, err
	}
	v, err := bundle.Save(ctx, b, d, formats)
	if err != nil {
		return nil, r.explain(err)
	}
	return v, nil
}

// append writes the entries that are missing.
func (r Request) append(ctx context.Context, b *store.Bucket, log *registry.Log, f *Files, out *Result) error {
	base := registry.Entry{At: r.At, By: r.By, Reason: r.Reason, Cause: "register"}
	if err := r.putInForce(ctx, b, log, base, f, out); err != nil {
		return err
	}
	if out.Version == nil {
		return nil
	}
	e := base
	e.Kind, e.ID, e.Model, e.Contract = registry.KindRegister, "register/"+string(out.Version.Digest), out.Version.Digest, out.Contract
	if _, found := log.Find(e.ID); !found {
		if _, err := log.Append(ctx, e); err != nil {
			return err
		}
	}
	if !r.Champion || log.State().Aliases[registry.AliasChampion] == out.Version.Digest {
		return nil
	}
	e = base
	e.Kind, e.ID, e.Alias, e.Model = registry.KindPromote, "first champion", registry.AliasChampion, out.Version.Digest
	_, err := log.Append(ctx, e)
	return err
}

func (r Request) format() string {
	if r.Format == "" {
		return "lightgbm"
	}
	return r.Format
}

// Files are a pipeline file and the contracts beside it.
type Files struct {
	Text, ContractText     []byte
	OutputText, LabelsText []byte // nil without such a contract

	Config   *pipeline.Config
	Contract *contract.Contract
	Output   *contract.Contract // of the scores; nil if there is none
	Labels   *contract.Contract // of the labels; nil if there are none

	Holidays []string // of the schedule, ascending ISO dates
}

// Read reads a pipeline file and the contracts beside it, and checks one against the
// other.
func Read(name string) (*Files, error) {
	f := new(Files)
	var err error
	if f.Text, err = os.ReadFile(name); err != nil {
		return nil, err
	}
	if f.Config, err = pipeline.Parse(name, f.Text); err != nil {
		if bytes.Contains(f.Text, []byte("kind: DataContract")) {
			return nil, fmt.Errorf("%s is a data contract; name the pipeline file, which names its contract", name)
		}
		return nil, err
	}
	if f.ContractText, f.Contract, err = readContract(name, f.Config.Contract); err != nil {
		return nil, err
	}
	if f.Config.Scores.Contract != "" {
		if f.OutputText, f.Output, err = readContract(name, f.Config.Scores.Contract); err != nil {
			return nil, err
		}
	}
	err = errors.Join(f.Config.CheckContract(f.Contract), f.checkParameters())
	if f.Config.Labels != nil {
		labels := f.Config.Labels.Contract
		var unread error
		if f.LabelsText, f.Labels, unread = readContract(name, labels); unread != nil {
			return nil, unread
		}
		err = errors.Join(err, f.Config.CheckLabels(f.Contract, f.Labels))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.Holidays, err = ReadHolidays(name, f.Config, f.Contract)
	return f, err
}

// checkParameters refuses parameters that the built-in trainer does not know.
func (f *Files) checkParameters() error {
	t := f.Config.Training
	if t == nil || t.Trainer != pipeline.TrainerGBDT {
		return nil
	}
	if err := train.CheckParameters(t.Parameters); err != nil {
		return fmt.Errorf("training.parameters: %w", err)
	}
	return nil
}

// readContract reads a contract beside the pipeline file.
func readContract(file, name string) ([]byte, *contract.Contract, error) {
	beside := filepath.Join(filepath.Dir(file), filepath.FromSlash(name))
	text, err := os.ReadFile(beside)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: its contract: %w", file, err)
	}
	c, err := contract.Parse(beside, text)
	return text, c, err
}

// read fills in the model and its golden rows, and returns the model.
func (r Request) read(ctx context.Context, d *bundle.Draft, formats model.Formats) (s model.Scorer, err error) {
	if d.Model, err = os.ReadFile(r.Model); err != nil {
		return nil, err
	}
	if err := readJSON(r.Categories, &d.Categories); err != nil {
		return nil, err
	}
	if err := r.readTraining(d); err != nil {
		return nil, err
	}
	format, ok := formats[d.Format]
	if !ok {
		return nil, fmt.Errorf("%w %q", bundle.ErrFormat, d.Format)
	}
	if s, err = format(d.Model, model.Options{Categories: d.Categories}); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Model, err)
	}
	if s, err = model.Calibrated(s, d.Calibration); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Training, err)
	}
	switch {
	case r.Golden != "" && r.Expected != "" && r.Sample == "":
		d.Golden, err = r.goldenFiles(ctx, s)
	case r.Sample != "" && r.Golden == "" && r.Expected == "":
		d.Golden, err = r.goldenSample(ctx, s, d.Contract)
	default:
		err = ErrGolden
	}
	return s, err
}

// readTraining reads the training manifest, and what a manifest of package train says of
// the model.
func (r Request) readTraining(d *bundle.Draft) error {
	if err := readJSON(r.Training, &d.Training); err != nil || d.Training == nil {
		return err
	}
	var ours struct {
		Format *int `json:"manifest"`
	}
	if json.Unmarshal(d.Training, &ours) != nil || ours.Format == nil {
		return nil // the manifest of another program, which is kept and not read
	}
	m, err := train.ParseManifest(d.Training)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Training, err)
	}
	switch have := string(store.DigestOf(d.Model)); {
	case m.Results == nil:
		return fmt.Errorf("%s has no results: it is what a training is given, and not what came of it", r.Training)
	case m.Results.Model != have:
		return fmt.Errorf("%s is of the model %s, and %s is %s", r.Training, m.Results.Model, r.Model, have)
	}
	if d.Calibration = m.Results.Calibration; d.Categories == nil {
		d.Categories = m.Results.Categories
	}
	return nil
}

// readJSON reads a JSON file into v; no name, no change.
func readJSON(name string, v any) error {
	if name == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s is not the JSON that belongs here: %w", name, err)
	}
	return nil
}
