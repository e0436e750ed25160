package registration_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/internal/train"
)

var formats = model.Formats{"lightgbm": lightgbm.Format}

// A desk has the shipped files, to change, and an empty store.
type desk struct {
	t      *testing.T
	dir    string
	bucket *store.Bucket
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	for _, name := range []string{"pipeline.yaml", "contract.yaml", "champion.txt", "golden.csv", "golden_expected.csv", "loop.yaml", "labels.yaml"} {
		data, err := os.ReadFile("../../testdata/retailer/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.file(name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if d.bucket, err = store.Open(t.Context(), "mem://"); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) file(name string) string { return filepath.Join(d.dir, name) }

// edit replaces a text in a file, once.
func (d *desk) edit(name, old, now string) {
	d.t.Helper()
	data, err := os.ReadFile(d.file(name))
	if err != nil || !strings.Contains(string(data), old) {
		d.t.Fatalf("%s holds no %q (%v)", name, old, err)
	}
	if err := os.WriteFile(d.file(name), []byte(strings.Replace(string(data), old, now, 1)), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) request() registration.Request {
	return registration.Request{Pipeline: d.file("pipeline.yaml"), Model: d.file("champion.txt"), Golden: d.file("golden.csv"),
		Expected: d.file("golden_expected.csv"), Champion: true, By: "test", Reason: "the test says so", At: time.Unix(1e9, 0).UTC()}
}

func (d *desk) must(r registration.Request) *registration.Result {
	d.t.Helper()
	out, err := r.Do(d.t.Context(), d.bucket, formats)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// kinds lists the registry's entries.
func (d *desk) kinds() []string {
	d.t.Helper()
	log, err := registry.Load(d.t.Context(), d.bucket, "retailer")
	if err != nil {
		d.t.Fatal(err)
	}
	var kinds []string
	for _, e := range log.Entries() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (d *desk) wantKinds(want ...string) {
	d.t.Helper()
	if got := d.kinds(); !slices.Equal(got, want) {
		d.t.Errorf("registry has %v, want %v", got, want)
	}
}

// otherModel makes the model file another one with the same scores.
func (d *desk) otherModel() { d.edit("champion.txt", "[boosting: gbdt]", "[boosting: gbdt ]") }

func TestRegisteringTwiceAppendsNothing(t *testing.T) {
	d := newDesk(t)
	first := d.must(d.request())
	d.wantKinds("pipeline", "register", "promote")
	keys := storetest.Keys(t, d.bucket)
	again := d.request()
	again.At, again.By, again.Reason = again.At.Add(time.Hour), "someone else", ""
	second := d.must(again)
	if second.Anchor != first.Anchor || second.Version.Digest != first.Version.Digest || !slices.Equal(keys, storetest.Keys(t, d.bucket)) {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestEachPartIsRegisteredByItself(t *testing.T) {
	d := newDesk(t)
	only := d.request()
	only.Model, only.Golden, only.Expected, only.Champion = "", "", "", false
	if out := d.must(only); out.Version != nil || out.Name != "retailer" {
		t.Errorf("%+v", out)
	}
	d.wantKinds("pipeline")
	version := d.request()
	version.Champion = false
	d.must(version)
	d.wantKinds("pipeline", "register")
	d.must(d.request())
	d.wantKinds("pipeline", "register", "promote")
}

func TestAChangedPipelineFileIsOneEntryEachTime(t *testing.T) {
	d := newDesk(t)
	d.must(d.request())
	d.edit("pipeline.yaml", "budget: 1%", "budget: 2%")
	d.must(d.request())
	d.edit("pipeline.yaml", "budget: 2%", "budget: 1%") // and back
	d.must(d.request())
	d.wantKinds("pipeline", "register", "promote", "pipeline", "pipeline")
}

func TestASecondChampionIsRefused(t *testing.T) {
	d := newDesk(t)
	first := d.must(d.request())
	d.otherModel()
	_, err := d.request().Do(t.Context(), d.bucket, formats)
	if !errors.Is(err, registry.ErrAliasTaken) || !strings.Contains(err.Error(), string(first.Version.Digest)) {
		t.Errorf("err = %v", err)
	}
	d.wantKinds("pipeline", "register", "promote")
	challenger := d.request()
	challenger.Champion = false
	if out := d.must(challenger); out.Version.Digest == first.Version.Digest {
		t.Error("another model, the same version")
	}
	d.wantKinds("pipeline", "register", "promote", "register")
	log, err := registry.Load(t.Context(), d.bucket, "retailer")
	if err != nil || log.State().Aliases["champion"] != first.Version.Digest {
		t.Errorf("champion is %s (%v)", log.State().Aliases["champion"], err)
	}
}

func TestRefusalsAppendNothing(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(d *desk, r *registration.Request)
		want  string
	}{
		{"an expected score that was changed", func(d *desk, _ *registration.Request) {
			d.edit("golden_expected.csv", "-1.575549903569589,", "-1.575549903569588,")
		}, "golden row 0: raw_0 is -1.575549903569589, want -1.5755499035695879"},
		{"expected scores of fewer rows", func(d *desk, _ *registration.Request) {
			d.edit("golden_expected.csv", "-1.575549903569589,0.17142664780517722\n", "")
		}, " rows and "},
		{"a contract without an input of the model", func(d *desk, _ *registration.Request) {
			d.edit("contract.yaml", "name: device", "name: gadget")
		}, `the model reads column "device", which the contract retailer_customers does not have`},
		{"a contract without a kept column", func(d *desk, _ *registration.Request) {
			d.edit("pipeline.yaml", "keep: [segment, region]", "keep: [segment, regoin]")
		}, "regoin"},
		{"a kept column with a name of ours", func(d *desk, _ *registration.Request) {
			d.edit("contract.yaml", "name: birthday", "name: score")
			d.edit("contract.yaml", "classification: restricted", "classification: internal")
			d.edit("pipeline.yaml", "keep: [segment, region]", "keep: [score]")
		}, `column "score" cannot be published: the table has a column of that name of its own`},
		{"a model without golden rows", func(_ *desk, r *registration.Request) {
			r.Golden, r.Expected = "", ""
		}, registration.ErrGolden.Error()},
		{"golden rows and a sample", func(d *desk, r *registration.Request) {
			r.Sample = d.file("golden.csv")
		}, registration.ErrGolden.Error()},
		{"a format that nobody reads", func(_ *desk, r *registration.Request) { r.Format = "pickle" }, bundle.ErrFormat.Error()},
		{"no contract beside the pipeline file", func(d *desk, _ *registration.Request) {
			d.edit("pipeline.yaml", "contract: contract.yaml", "contract: elsewhere.yaml")
		}, "elsewhere.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			r := d.request()
			tt.spoil(d, &r)
			_, err := r.Do(t.Context(), d.bucket, formats)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			d.wantKinds()
		})
	}
}

func TestASampleIsScoredNow(t *testing.T) {
	d := newDesk(t)
	r := d.request()
	r.Golden, r.Expected, r.Sample = "", "", d.file("golden.csv")
	out := d.must(r)
	if g := out.Version.Bundle.Golden; g.Rows != 32 || g.Source != "headgate at registration" {
		t.Errorf("golden %+v", g)
	}
}

// A manifest of package train brings the calibration; other JSON is kept as it is.
func TestTheTrainingManifestBringsTheCalibration(t *testing.T) {
	d := newDesk(t)
	text, err := os.ReadFile(d.file("champion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	m := train.Manifest{Format: train.ManifestFormat, Label: "bought", Features: []train.Feature{{Name: "tenure", Kind: "numeric"}},
		Results: &train.Results{Model: string(store.DigestOf(text)), Calibration: &model.Calibration{Kind: model.Platt, Slope: 2}}}
	r := d.request()
	r.Golden, r.Expected, r.Sample, r.Training = "", "", d.file("golden.csv"), d.file("training.json")
	write := func(text []byte) {
		if err := os.WriteFile(r.Training, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	marshal := func() []byte {
		text, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	write([]byte(`{"tool":"another","manifest_of":"mine"}`))
	if b := d.must(r).Version.Bundle; b.Calibration != nil || !strings.Contains(string(b.Training), "another") {
		t.Errorf("another program's manifest gives %+v", b)
	}
	r.Champion = false
	write(marshal())
	if c := d.must(r).Version.Bundle.Calibration; c == nil || c.Slope != 2 {
		t.Errorf("calibration %+v", c)
	}
	m.Results.Calibration = &model.Calibration{Kind: "beta"}
	for want, change := range map[string]func(){
		`training.json: calibration "beta" is not known`: func() {},
		"training.json is of the model ":                 func() { m.Results.Model = "sha256:0" },
		"training.json has no results":                   func() { m.Results = nil },
		"training.json: training manifest: there are no": func() { m.Features = nil },
	} {
		before := m
		results := *m.Results
		change()
		write(marshal())
		if _, err := r.Do(t.Context(), d.bucket, formats); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		m, m.Results = before, &results
	}
}

// Golden rows are kept for ever, so no classified value may be among them.
func TestASampleIsKeptWithoutClassifiedValues(t *testing.T) {
	d := newDesk(t)
	d.edit("contract.yaml", "maximum: 1200 }\n        required: true\n        classification: internal", "maximum: 1200 }\n        classification: confidential")
	r := d.request()
	r.Golden, r.Expected, r.Sample = "", "", d.file("golden.csv")
	golden, err := d.bucket.GetBlob(t.Context(), d.must(r).Version.Bundle.Golden.File.Digest)
	if err != nil {
		t.Fatal(err)
	}
	f, err := columnar.Open(bytes.NewReader(golden), int64(len(golden)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]int64{"tenure": 32, "recency": 0} {
		if got := f.RowGroups()[0].Columns[column].Nulls; got != want {
			t.Errorf("%s: got %d of 32 values empty, want %d", column, got, want)
		}
	}
}

// A registration that was cut off at any write is finished by the next one.
func TestARegistrationThatBrokeOffIsFinishedByTheNext(t *testing.T) {
	whole := newDesk(t)
	want := whole.must(whole.request())
	keys := storetest.Keys(t, whole.bucket)
	for n := range keys {
		d := newDesk(t)
		plain := d.bucket
		d.bucket = storetest.Break(plain, storetest.Fault{Call: store.CallPut, After: n, Times: 1})
		if _, err := d.request().Do(t.Context(), d.bucket, formats); !errors.Is(err, storetest.ErrLost) {
			t.Errorf("write %d: %v", n+1, err)
		}
		got := d.must(d.request())
		if got.Anchor != want.Anchor || !slices.Equal(storetest.Keys(t, plain), keys) {
			t.Errorf("write %d: %+v, keys %v", n+1, got, storetest.Keys(t, plain))
		}
	}
}

func TestTheContractOfTheLabelsIsRegistered(t *testing.T) {
	d := newDesk(t)
	request := registration.Request{Pipeline: d.file("loop.yaml"), By: "test", Reason: "the test says so", At: time.Unix(1e9, 0).UTC()}
	out := d.must(request)
	text, err := d.bucket.GetBlob(t.Context(), out.LabelsContract)
	if err != nil || !bytes.Contains(text, []byte("id: retailer-labels")) {
		t.Fatalf("the blob is %q (%v)", text, err)
	}
	log, err := registry.Load(t.Context(), d.bucket, "retailer")
	if err != nil {
		t.Fatal(err)
	}
	if e := log.Entries()[0]; e.LabelsContract != out.LabelsContract || log.State().LabelsContract != out.LabelsContract {
		t.Errorf("the entry is %+v", e)
	}
	d.must(request)
	d.wantKinds("pipeline")

	d.edit("labels.yaml", "value: 14d", "value: 21d")
	if again := d.must(request); again.LabelsContract == out.LabelsContract {
		t.Error("another contract has the same digest")
	}
	d.wantKinds("pipeline", "pipeline")

	request.Pipeline = d.file("pipeline.yaml")
	if again := d.must(request); again.LabelsContract != "" {
		t.Errorf("labels %s without labels", again.LabelsContract)
	}
	if log, err = registry.Load(t.Context(), d.bucket, "retailer"); err != nil || log.State().LabelsContract != "" {
		t.Errorf("the pipeline without labels still has those of %s (%v)", log.State().LabelsContract, err)
	}
}

func TestLabelsThatDoNotFit(t *testing.T) {
	for _, tt := range []struct{ name, file, old, now, want string }{
		{"no contract", "loop.yaml", "labels.yaml", "none.yaml", "its contract: "},
		{"a contract that is none", "labels.yaml", "kind: DataContract", "kind: Contract", "labels.yaml:"},
		{"another key", "labels.yaml", "name: customer_id", "name: customer", "the entity key of the batch has customer_id, and the contract retailer-labels has no such column; did you mean customer?"},
		{"a parameter that is none", "loop.yaml", "num_leaves", "num_leafs", "training.parameters: "},
		{"a feature that is none", "loop.yaml", "windows:", "features: [recencey]\n  windows:", "training.features: recencey is no feature of the contract; did you mean recency?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			d.edit(tt.file, tt.old, tt.now)
			if _, err := registration.Read(d.file("loop.yaml")); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
