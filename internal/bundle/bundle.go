// Package bundle keeps model versions: everything that gives a score its meaning,
// named by one digest.
//
// A bundle names the model's bytes, its inputs with their category dictionaries,
// the data contract that it was made for, how it was trained and calibrated, and a few
// golden rows with the scores that they had where the model came from. [Load] scores the
// golden rows again and refuses a model that no longer says the same.
package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/store"
)

// Format is the version of the bundle's JSON.
const Format = 1

// A Bundle is one model version. Its digest is its name.
type Bundle struct {
	Format     int                 `json:"format"`
	Pipeline   string              `json:"pipeline"`
	Model      ModelFile           `json:"model"`
	Inputs     []Input             `json:"inputs"` // in the order of training
	Outputs    int                 `json:"outputs"`
	Objective  string              `json:"objective"`
	Categories map[string][]string `json:"categories,omitempty"` // dictionaries that the model file does not hold
	Contract   store.Digest        `json:"contract"`             // the input contract
	Golden     Golden              `json:"golden"`
	Reference  *Reference          `json:"reference,omitempty"` // what later batches are compared with
	Training   json.RawMessage     `json:"training,omitempty"`  // manifest, as the trainer wrote it

	// Calibration makes predictions of the raw scores, in place of the model's own.
	Calibration *model.Calibration `json:"calibration,omitempty"`
}

// A ModelFile is the trained model as its library wrote it.
type ModelFile struct {
	Format string `json:"format"` // "lightgbm"
	store.Ref
}

// An Input is one feature of the model.
type Input struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"` // "numeric" or "categorical"
	Categories []string `json:"categories,omitempty"`
}

// Golden names rows with the scores that they must get.
type Golden struct {
	File   store.Ref `json:"file"` // Parquet: the inputs, then raw_0…, pred_0…
	Rows   int       `json:"rows"`
	Source string    `json:"source"` // who computed the expected scores
}

// A Reference holds profiles of the data that the model knows, frozen with it: of all
// of it, and of the months of a year, because a season is no drift.
type Reference struct {
	Profile store.Ref            `json:"profile"`
	Seasons map[string]store.Ref `json:"seasons,omitempty"` // by month, "01" to "12"
	Batches []string             `json:"batches,omitempty"` // that the profile is of, in order
}

// A Version is a bundle that is ready to score.
type Version struct {
	Digest store.Digest
	Bundle *Bundle
	Scorer model.Scorer
}

// ErrFormat means that no code here can read the model's format.
var ErrFormat = errors.New("bundle: unknown model format")

// A Draft is what [Save] makes a bundle of.
type Draft struct {
	Pipeline   string
	Format     string // a key of formats
	Model      []byte
	Categories map[string][]string
	Contract   *contract.Contract
	ContractID store.Digest
	Training   json.RawMessage
	Golden     *GoldenRows        // their predictions are calibrated, if the model is
	Reference  *ReferenceProfiles // nil: later batches have nothing to be compared with

	Calibration *model.Calibration // nil: predictions are the model's own
}

// ReferenceProfiles are the profiles of a [Reference].
type ReferenceProfiles struct {
	Profile []byte
	Seasons map[string][]byte
	Batches []string
}

// Save stores a model version and returns it, after scoring its golden rows.
// Saving the same draft again gives the same digest.
//
// It refuses a model whose inputs the contract does not offer, golden rows whose
// scores differ, and a model that its format cannot read; nothing is stored then.
func Save(ctx context.Context, b *store.Bucket, d Draft, formats model.Formats) (*Version, error) {
	scorer, err := parse(formats, d.Format, d.Model, d.Categories, d.Calibration)
	if err != nil {
		return nil, err
	}
	if err := fits(scorer, d.Contract); err != nil {
		return nil, err
	}
	if err := d.Golden.check(scorer); err != nil {
		return nil, err
	}
	golden, err := d.Golden.encode()
	if err != nil {
		return nil, err
	}
	bun := &Bundle{
		Format: Format, Pipeline: d.Pipeline, Inputs: inputs(scorer),
		Outputs: scorer.Outputs(), Objective: scorer.Objective(), Categories: d.Categories,
		Contract: d.ContractID, Training: d.Training, Calibration: d.Calibration,
		Golden: Golden{Rows: int(d.Golden.Rows.NumRows()), Source: d.Golden.Source},
	}
	bun.Model.Format = d.Format
	if bun.Model.Ref, err = b.PutBlob(ctx, d.Model); err != nil {
		return nil, err
	}
	if bun.Golden.File, err = b.PutBlob(ctx, golden); err != nil {
		return nil, err
	}
	if bun.Reference, err = d.Reference.save(ctx, b); err != nil {
		return nil, err
	}
	data, err := encode(bun)
	if err != nil {
		return nil, err
	}
	ref, err := b.PutBlob(ctx, data)
	return &Version{Digest: ref.Digest, Bundle: bun, Scorer: scorer}, err
}

// save stores the profiles.
func (r *ReferenceProfiles) save(ctx context.Context, b *store.Bucket) (*Reference, error) {
	if r == nil {
		return nil, nil
	}
	ref, err := b.PutBlob(ctx, r.Profile)
	if err != nil {
		return nil, err
	}
	out := &Reference{Profile: ref, Batches: r.Batches}
	for season, data := range r.Seasons {
		if ref, err = b.PutBlob(ctx, data); err != nil {
			return nil, err
		}
		if out.Seasons == nil {
			out.Seasons = map[string]store.Ref{}
		}
		out.Seasons[season] = ref
	}
	return out, nil
}

// Load reads a model version, checks every digest on the way, and scores its
// golden rows. A mismatch is a [*model.GoldenError]: the version is not used.
func Load(ctx context.Context, b *store.Bucket, digest store.Digest, formats model.Formats) (*Version, error) {
	bun, err := Read(ctx, b, digest)
	if err != nil {
		return nil, err
	}
	file, err := b.GetBlob(ctx, bun.Model.Digest)
	if err != nil {
		return nil, fmt.Errorf("model of bundle %s: %w", digest, err)
	}
	scorer, err := parse(formats, bun.Model.Format, file, bun.Categories, bun.Calibration)
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", digest, err)
	}
	golden, err := b.GetBlob(ctx, bun.Golden.File.Digest)
	if err != nil {
		return nil, fmt.Errorf("golden rows of bundle %s: %w", digest, err)
	}
	rows, err := decodeGolden(ctx, golden, scorer)
	if err != nil {
		return nil, fmt.Errorf("golden rows of bundle %s: %w", digest, err)
	}
	defer rows.Rows.Release()
	if err := rows.check(scorer); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", digest, err)
	}
	return &Version{Digest: digest, Bundle: bun, Scorer: scorer}, nil
}

// Read returns a bundle's manifest without loading its model.
func Read(ctx context.Context, b *store.Bucket, digest store.Digest) (*Bundle, error) {
	data, err := b.GetBlob(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", digest, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var bun Bundle
	if err := dec.Decode(&bun); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", digest, err)
	}
	if bun.Format != Format {
		return nil, fmt.Errorf("bundle %s: format %d is newer than this program, which reads %d", digest, bun.Format, Format)
	}
	return &bun, nil
}

func parse(formats model.Formats, name string, data []byte, categories map[string][]string, c *model.Calibration) (model.Scorer, error) {
	format, ok := formats[name]
	if !ok {
		return nil, fmt.Errorf("%w %q", ErrFormat, name)
	}
	scorer, err := format(data, model.Options{Categories: categories})
	if err != nil {
		return nil, err
	}
	return model.Calibrated(scorer, c)
}

// fits checks that the contract offers every input of the model.
func fits(s model.Scorer, c *contract.Contract) error {
	var errs []error
	for _, in := range s.Inputs() {
		if _, ok := c.Column(in.Name); !ok {
			errs = append(errs, fmt.Errorf("bundle: the model reads column %q, which the contract %s does not have", in.Name, c.Name))
		}
	}
	return errors.Join(errs...)
}

func inputs(s model.Scorer) []Input {
	var all []Input
	for _, in := range s.Inputs() {
		kind := "numeric"
		if in.Kind == model.Categorical {
			kind = "categorical"
		}
		all = append(all, Input{Name: in.Name, Kind: kind, Categories: slices.Clone(in.Categories)})
	}
	return all
}

func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("bundle: encode: %w", err)
	}
	return buf.Bytes(), nil
}
