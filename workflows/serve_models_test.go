package workflows_test

import (
	"context"
	"os"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// challenger registers the shipped model with another calibration, in a format that the
// worker knows by that name.
func (w *world) challenger(format string, intercept, slope float64) store.Digest {
	w.t.Helper()
	return w.modelOf(format, w.shippedModel(), &model.Calibration{Kind: model.Platt, Intercept: intercept, Slope: slope})
}

func (w *world) shippedModel() []byte {
	w.t.Helper()
	text, err := os.ReadFile("../testdata/retailer/champion.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// modelOf registers a model.
func (w *world) modelOf(format string, text []byte, calibration *model.Calibration) store.Digest {
	w.t.Helper()
	state := w.registry().State()
	file, err := w.bucket.GetBlob(context.Background(), state.Contract)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := contract.Parse("contract", file)
	if err != nil {
		w.t.Fatal(err)
	}
	raw, err := worker.Formats()["lightgbm"](text, model.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	scorer, err := model.Calibrated(raw, calibration)
	if err != nil {
		w.t.Fatal(err)
	}
	golden, err := bundle.Remember(scorer, w.goldenRows(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := bundle.Save(context.Background(), w.bucket, bundle.Draft{Pipeline: "retailer", Format: format, Model: text, Contract: c,
		ContractID: state.Contract, Golden: golden, Calibration: calibration}, w.knownFormats())
	if err != nil {
		w.t.Fatal(err)
	}
	w.add(registry.Entry{Kind: registry.KindRegister, ID: "register/" + string(v.Digest), Model: v.Digest})
	return v.Digest
}

func (w *world) goldenRows(s model.Scorer) arrow.Record {
	w.t.Helper()
	f, err := os.Open("../testdata/retailer/golden.csv")
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	for rec, err := range model.ReadCSV(f, s.Inputs(), 20) {
		if err != nil {
			w.t.Fatal(err)
		}
		rec.Retain()
		return rec
	}
	w.t.Fatal("no golden rows")
	return nil
}

// fragile is a model that breaks off on more rows than its golden ones.
type fragile struct{ model.Scorer }

func (f fragile) Score(dst *model.Scores, rec arrow.Record) error {
	if rec.NumRows() > 20 {
		panic("out of range")
	}
	return f.Scorer.Score(dst, rec)
}

// knownFormats are those of the worker, and a fragile one.
func (w *world) knownFormats() model.Formats {
	formats := model.Formats{"fragile": func(data []byte, o model.Options) (model.Scorer, error) {
		s, err := worker.Formats()["lightgbm"](data, o)
		return fragile{s}, err
	}}
	for name, f := range worker.Formats() {
		formats[name] = f
	}
	return formats
}
