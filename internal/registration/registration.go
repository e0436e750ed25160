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
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// A Request names the local files to register.
type Request struct {
	Pipeline string // pipeline file; its contract lies beside it
	Model    string // model file; "" registers no version
	Format   string // of the model file; default "lightgbm"

	// Golden rows: either Golden and Expected, CSV or Parquet, or a Parquet Sample
	// whose first rows are scored now.
	Golden, Expected, Sample string
	Source                   string // who computed Expected

	Categories string // JSON {column: [value, …]}
	Training   string // JSON manifest of the training
	Champion   bool   // make the version the champion, if there is none

	By, Reason string
	At         time.Time
}

// A Result says what is in force after a registration.
type Result struct {
	Name               string // of the pipeline
	Pipeline, Contract store.Digest
	Version            *bundle.Version // nil without a model
	Anchor             string
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
	file, conf, contractFile, c, err := Read(r.Pipeline)
	if err != nil {
		return nil, err
	}
	log, err := registry.Load(ctx, b, conf.Name)
	if err != nil {
		return nil, err
	}
	out := &Result{Name: conf.Name}
	if r.Model != "" {
		d := bundle.Draft{Pipeline: conf.Name, Format: r.format(), Contract: c, ContractID: store.DigestOf(contractFile)}
		if err := r.read(ctx, &d, formats); err != nil {
			return nil, err
		}
		defer d.Golden.Rows.Release()
		if out.Version, err = bundle.Save(ctx, b, d, formats); err != nil {
			return nil, r.explain(err)
		}
		if err := pass.CheckNames(c, conf.Scores.Keep, out.Version.Scorer.Outputs()); err != nil {
			return nil, err
		}
		if have := log.State().Aliases[registry.AliasChampion]; r.Champion && have != "" && have != out.Version.Digest {
			return nil, &ChampionError{Pipeline: conf.Name, Champion: have}
		}
	}
	for data, dst := range map[*[]byte]*store.Digest{&file: &out.Pipeline, &contractFile: &out.Contract} {
		ref, err := b.PutBlob(ctx, *data)
		if err != nil {
			return nil, err
		}
		*dst = ref.Digest
	}
	if err := r.append(ctx, log, out); err != nil {
		return nil, err
	}
	out.Anchor = log.Anchor()
	return out, nil
}

// append writes the entries that are missing.
func (r Request) append(ctx context.Context, log *registry.Log, out *Result) error {
	base := registry.Entry{At: r.At, By: r.By, Reason: r.Reason, Cause: "register"}
	if s := log.State(); s.Pipeline != out.Pipeline || s.Contract != out.Contract {
		e := base
		e.Kind, e.ID = registry.KindPipeline, fmt.Sprintf("pipeline/%s/%d", out.Pipeline, log.Head())
		e.Pipeline, e.Contract = out.Pipeline, out.Contract
		if _, err := log.Append(ctx, e); err != nil {
			return err
		}
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

// Read reads a pipeline file and the contract beside it, and checks one against the
// other. It returns both files' bytes too.
func Read(name string) (file []byte, conf *pipeline.Config, contractFile []byte, c *contract.Contract, err error) {
	if file, err = os.ReadFile(name); err != nil {
		return
	}
	if conf, err = pipeline.Parse(name, file); err != nil {
		if bytes.Contains(file, []byte("kind: DataContract")) {
			err = fmt.Errorf("%s is a data contract; name the pipeline file, which names its contract", name)
		}
		return
	}
	beside := filepath.Join(filepath.Dir(name), filepath.FromSlash(conf.Contract))
	if contractFile, err = os.ReadFile(beside); err != nil {
		err = fmt.Errorf("%s: its contract: %w", name, err)
		return
	}
	if c, err = contract.Parse(beside, contractFile); err != nil {
		return
	}
	if err = conf.CheckContract(c); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return
}

// read fills in the model and its golden rows.
func (r Request) read(ctx context.Context, d *bundle.Draft, formats model.Formats) (err error) {
	if d.Model, err = os.ReadFile(r.Model); err != nil {
		return err
	}
	if err := readJSON(r.Categories, &d.Categories); err != nil {
		return err
	}
	if err := readJSON(r.Training, &d.Training); err != nil {
		return err
	}
	format, ok := formats[d.Format]
	if !ok {
		return fmt.Errorf("%w %q", bundle.ErrFormat, d.Format)
	}
	s, err := format(d.Model, model.Options{Categories: d.Categories})
	if err != nil {
		return fmt.Errorf("%s: %w", r.Model, err)
	}
	switch {
	case r.Golden != "" && r.Expected != "" && r.Sample == "":
		d.Golden, err = r.goldenFiles(ctx, s)
	case r.Sample != "" && r.Golden == "" && r.Expected == "":
		d.Golden, err = r.goldenSample(ctx, s)
	default:
		err = ErrGolden
	}
	return err
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
