package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

var formats = model.Formats{"lightgbm": lightgbm.Format}

// shipped returns the retailer's champion as a draft, its golden rows remembered.
func shipped(t *testing.T) bundle.Draft {
	t.Helper()
	file := func(name string) []byte {
		data, err := os.ReadFile("../../testdata/retailer/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	data, text := file("contract.yaml"), file("champion.txt")
	c, err := contract.Parse("contract.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	s, err := lightgbm.Format(text, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := bundle.Draft{Pipeline: "retailer", Format: "lightgbm", Model: text, Contract: c, ContractID: store.DigestOf(data)}
	for rec, err := range model.ReadCSV(strings.NewReader(string(file("golden.csv"))), s.Inputs(), 8) {
		if err != nil {
			t.Fatal(err)
		}
		rec.Retain()
		if d.Golden, err = bundle.Remember(s, rec); err != nil {
			t.Fatal(err)
		}
		break
	}
	return d
}

// empty returns a store in memory.
func empty(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSaveAndLoad(t *testing.T) {
	b, d := empty(t), shipped(t)
	saved, err := bundle.Save(t.Context(), b, d, formats)
	if err != nil {
		t.Fatal(err)
	}
	keys := storetest.Keys(t, b)
	again, err := bundle.Save(t.Context(), b, d, formats)
	if err != nil || again.Digest != saved.Digest || !slices.Equal(keys, storetest.Keys(t, b)) || len(keys) != 3 {
		t.Errorf("saved again: %v, %s and %s, keys %v", err, saved.Digest, again.Digest, keys)
	}
	loaded, err := bundle.Load(t.Context(), b, saved.Digest, formats)
	if err != nil {
		t.Fatal(err)
	}
	got := loaded.Bundle
	if got.Pipeline != "retailer" || got.Contract != d.ContractID || got.Model.Digest != store.DigestOf(d.Model) || got.Outputs != 1 ||
		len(got.Inputs) != len(loaded.Scorer.Inputs()) || got.Golden.Rows != 8 || got.Golden.Source != "headgate at registration" {
		t.Errorf("loaded %+v", got)
	}
	var scores model.Scores
	if err := loaded.Scorer.Score(&scores, d.Golden.Rows); err != nil || !slices.Equal(scores.Raw, d.Golden.Expected.Raw) {
		t.Errorf("scores %v (%v), want %v", scores.Raw, err, d.Golden.Expected.Raw)
	}
}

// A calibrated version has the raw scores of its model and the predictions of its
// calibration, when it is saved and when it is loaded.
func TestACalibrationIsPartOfAVersion(t *testing.T) {
	b, d := empty(t), shipped(t)
	plain, err := bundle.Save(t.Context(), b, d, formats)
	if err != nil {
		t.Fatal(err)
	}
	d.Calibration = &model.Calibration{Kind: model.Platt, Intercept: -1, Slope: 0.5}
	if _, err := bundle.Save(t.Context(), b, d, formats); err == nil || !strings.Contains(err.Error(), "golden row 0: pred_0 is") {
		t.Fatalf("golden rows of the model alone: %v", err)
	}
	for i, raw := range d.Golden.Expected.Raw {
		d.Golden.Expected.Pred[i] = d.Calibration.Apply(raw)
	}
	saved, err := bundle.Save(t.Context(), b, d, formats)
	if err != nil || saved.Digest == plain.Digest {
		t.Fatalf("%v; the version is %s, without calibration %s", err, saved.Digest, plain.Digest)
	}
	loaded, err := bundle.Load(t.Context(), b, saved.Digest, formats)
	if err != nil {
		t.Fatal(err)
	}
	var got model.Scores
	if err := loaded.Scorer.Score(&got, d.Golden.Rows); err != nil || !slices.Equal(got.Raw, d.Golden.Expected.Raw) || !slices.Equal(got.Pred, d.Golden.Expected.Pred) {
		t.Errorf("%v; got %v, want %v", err, got, d.Golden.Expected)
	}
	d.Calibration = &model.Calibration{Kind: "beta"}
	if _, err := bundle.Save(t.Context(), b, d, formats); err == nil || !strings.Contains(err.Error(), `calibration "beta" is not known`) {
		t.Errorf("got %v", err)
	}
}

func TestSaveRefuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, d *bundle.Draft)
		want  string
	}{
		{"an expected score that the model does not give", func(t *testing.T, d *bundle.Draft) {
			d.Golden.Expected.Raw[3] += 1e-9
		}, "golden row 3: raw_0 is "},
		{"an expected prediction that the model does not give", func(t *testing.T, d *bundle.Draft) {
			d.Golden.Expected.Pred[0] = 0.5
		}, "golden row 0: pred_0 is "},
		{"no golden rows", func(t *testing.T, d *bundle.Draft) { d.Golden = nil }, "a model version needs golden rows"},
		{"a format that nobody reads", func(t *testing.T, d *bundle.Draft) { d.Format = "pickle" }, `unknown model format "pickle"`},
		{"a model that is cut off", func(t *testing.T, d *bundle.Draft) { d.Model = d.Model[:len(d.Model)/2] }, "lightgbm"},
		{"an input that the contract does not have", func(t *testing.T, d *bundle.Draft) {
			data, err := os.ReadFile("../../testdata/retailer/contract.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if d.Contract, err = contract.Parse("contract.yaml", []byte(strings.Replace(string(data), "name: device", "name: gadget", 1))); err != nil {
				t.Fatal(err)
			}
		}, `the model reads column "device", which the contract retailer_customers does not have`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, d := empty(t), shipped(t)
			tt.spoil(t, &d)
			_, err := bundle.Save(t.Context(), b, d, formats)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if keys := storetest.Keys(t, b); len(keys) > 0 {
				t.Errorf("it stored %v", keys)
			}
		})
	}
}

// A drifted scorer is what an upgrade of this program must not become.
type drifted struct{ model.Scorer }

func (d drifted) Score(dst *model.Scores, rec arrow.Record) error {
	err := d.Scorer.Score(dst, rec)
	dst.Raw[0] += 1e-12
	return err
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	b, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	d := shipped(t)
	saved, err := bundle.Save(t.Context(), b, d, formats)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a program that scores otherwise", func(t *testing.T) {
		var golden *model.GoldenError
		_, err := bundle.Load(t.Context(), b, saved.Digest, model.Formats{"lightgbm": func(data []byte, o model.Options) (model.Scorer, error) {
			s, err := lightgbm.Format(data, o)
			return drifted{s}, err
		}})
		if !errors.As(err, &golden) || golden.Row != 0 || golden.Column != "raw_0" {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a program that does not know the format", func(t *testing.T) {
		if _, err := bundle.Load(t.Context(), b, saved.Digest, model.Formats{}); !errors.Is(err, bundle.ErrFormat) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a version that is not there", func(t *testing.T) {
		if _, err := bundle.Load(t.Context(), b, store.DigestOf(nil), formats); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("a bundle of a later program", func(t *testing.T) {
		ref, err := b.PutBlob(context.Background(), []byte(`{"format":2}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = bundle.Load(t.Context(), b, ref.Digest, formats)
		if err == nil || !strings.HasSuffix(err.Error(), "format 2 is newer than this program, which reads 1") {
			t.Errorf("err = %v", err)
		}
	})
	for what, digest := range map[string]store.Digest{
		"bundle": saved.Digest, "model": saved.Bundle.Model.Digest, "golden rows": saved.Bundle.Golden.File.Digest,
	} {
		t.Run(what+" with another byte", func(t *testing.T) {
			name := filepath.Join(dir, store.BlobKey(digest))
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			other := slices.Clone(data)
			other[len(other)/2] ^= 1
			if err := os.WriteFile(name, other, 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(name, data, 0o644)
			var corrupt *store.CorruptError
			if _, err := bundle.Load(t.Context(), b, saved.Digest, formats); !errors.As(err, &corrupt) || !strings.HasPrefix(err.Error(), what) {
				t.Errorf("err = %v", err)
			}
		})
	}
}
