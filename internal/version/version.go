// Package version says how two model versions differ: what they read, what they were
// learned from, and what came of it. It compares what their bundles hold, and scores
// nothing.
package version

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/model"
	"headgate/internal/store"
	"headgate/internal/train"
)

// A Difference is one thing that two versions do not share.
type Difference struct {
	Part string `json:"part"` // inputs, categories, parameters, …, in the order of [Diff]
	What string `json:"what"` // name of a feature, of a parameter, …
	Old  string `json:"old"`  // "–" if there is none
	New  string `json:"new"`
}

// None stands for what one version does not have.
const None = "–"

// most is how many values a list names.
const most = 5

// Diff returns how two versions differ, part by part: the model file, inputs with the
// dictionaries of their categories, contract, parameters and data of the training, its
// results, calibration, golden rows, reference, and the importance of features, where
// those that moved most come first. Of a training that another program wrote down it
// only says that it differs.
func Diff(old, now *bundle.Bundle) []Difference {
	var d differ
	d.part = "model"
	d.text("format", old.Model.Format, now.Model.Format)
	d.text("file", short(old.Model.Digest), short(now.Model.Digest))
	d.text("objective", old.Objective, now.Objective)
	d.text("outputs", fmt.Sprint(old.Outputs), fmt.Sprint(now.Outputs))
	d.inputs(old.Inputs, now.Inputs)
	d.dictionaries(categories(old), categories(now))
	d.part = "contract"
	d.text("digest", short(old.Contract), short(now.Contract))
	d.training(old.Training, now.Training)
	d.part = "calibration"
	d.text("", calibration(old.Calibration), calibration(now.Calibration))
	d.part = "golden rows"
	d.text("rows", fmt.Sprint(old.Golden.Rows), fmt.Sprint(now.Golden.Rows))
	d.text("by", old.Golden.Source, now.Golden.Source)
	d.text("file", short(old.Golden.File.Digest), short(now.Golden.File.Digest))
	d.part = "reference"
	d.text("", reference(old.Reference), reference(now.Reference))
	d.importance(manifest(old.Training), manifest(now.Training))
	return d.all
}

// A differ gathers differences.
type differ struct {
	part string
	all  []Difference
}

func (d *differ) text(what, old, now string) {
	if old == now {
		return
	}
	d.all = append(d.all, Difference{Part: d.part, What: what, Old: or(old), New: or(now)})
}

// texts compares two maps by their keys, in order.
func (d *differ) texts(old, now map[string]string) {
	keys := maps.Clone(old)
	if keys == nil {
		keys = map[string]string{}
	}
	maps.Copy(keys, now)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		d.text(key, old[key], now[key])
	}
}

// inputs compares features by name. Their order matters to the model file and to nobody
// else.
func (d *differ) inputs(old, now []bundle.Input) {
	d.part = "inputs"
	kinds := func(all []bundle.Input) map[string]string {
		out := map[string]string{}
		for _, in := range all {
			out[in.Name] = in.Kind
		}
		return out
	}
	d.texts(kinds(old), kinds(now))
}

// categories returns the dictionaries of a version, by feature.
func categories(b *bundle.Bundle) map[string][]string {
	out := map[string][]string{}
	for _, in := range b.Inputs {
		if in.Kind == "categorical" {
			out[in.Name] = in.Categories
		}
	}
	maps.Copy(out, b.Categories)
	return out
}

// dictionaries names the categories that only one version knows, of features that both
// read.
func (d *differ) dictionaries(old, now map[string][]string) {
	d.part = "categories"
	for _, name := range slices.Sorted(maps.Keys(old)) {
		other, ok := now[name]
		if !ok {
			continue
		}
		d.text(name, only(old[name], other), only(other, old[name]))
	}
}

// only lists the values that the other list lacks, shortened.
func only(values, other []string) string {
	var missing []string
	for _, v := range values {
		if !slices.Contains(other, v) {
			missing = append(missing, v)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	rest := ""
	if n := len(missing) - most; n > 0 {
		missing, rest = missing[:most], fmt.Sprintf(" and %d more", n)
	}
	return "only: " + strings.Join(missing, ", ") + rest
}

// training compares parameters, data and results.
func (d *differ) training(old, now json.RawMessage) {
	a, b := manifest(old), manifest(now)
	d.part = "training"
	if a == nil || b == nil {
		d.text("manifest", digest(old), digest(now))
		return
	}
	d.part = "parameters"
	d.texts(a.Parameters, b.Parameters)
	d.text("seed", fmt.Sprint(a.Seed), fmt.Sprint(b.Seed))
	d.text("calibrate", string(a.Calibrate), string(b.Calibrate))
	d.part = "data"
	d.text("as of", a.AsOf, b.AsOf)
	d.text("label", a.Label, b.Label)
	d.text("weight", a.Weight, b.Weight)
	d.text("train", files(a.Data.Train), files(b.Data.Train))
	d.text("valid", files(a.Data.Valid), files(b.Data.Valid))
	d.text("calibration", files(a.Data.Calibration), files(b.Data.Calibration))
	d.part = "results"
	d.texts(results(a.Results), results(b.Results))
}

// manifest reads a manifest of package train; nil if it is none.
func manifest(data json.RawMessage) *train.Manifest {
	m, err := train.ParseManifest(data)
	if err != nil {
		return nil
	}
	return m
}

// files names the batches of a part, and how many rows they have.
func files(all []train.File) string {
	if len(all) == 0 {
		return ""
	}
	var names []string
	var rows int64
	for _, f := range all {
		name := f.Batch
		if name == "" {
			name = short(store.Digest(f.Digest))
		}
		names, rows = append(names, name), rows+f.Rows
	}
	return fmt.Sprintf("%s (%d rows)", strings.Join(names, ", "), rows)
}

// results returns what came of a training, by name.
func results(r *train.Results) map[string]string {
	if r == nil {
		return nil
	}
	out := map[string]string{"trainer": r.Trainer, "rows": fmt.Sprint(r.Train.Rows)}
	if r.Rounds > 0 {
		out["rounds"] = fmt.Sprint(r.Rounds)
	}
	if r.Metric != "" {
		out[r.Metric] = fmt.Sprintf("%.5g", r.Value)
	}
	return out
}

// calibration says how raw scores become predictions.
func calibration(c *model.Calibration) string {
	switch {
	case c == nil:
		return ""
	case c.Kind == model.Platt:
		return fmt.Sprintf("platt, intercept %.5g, slope %.5g", c.Intercept, c.Slope)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return string(c.Kind)
	}
	return fmt.Sprintf("%s, %d points (%s)", c.Kind, len(c.Raw), short(store.DigestOf(data)))
}

// reference says what later batches are compared with.
func reference(r *bundle.Reference) string {
	if r == nil {
		return ""
	}
	return strings.TrimSpace(strings.Join(r.Batches, ", ") + " (" + short(r.Profile.Digest) + ")")
}

// importance compares the shares of the gain, those that moved most first.
func (d *differ) importance(old, now *train.Manifest) {
	if old == nil || now == nil || old.Results == nil || now.Results == nil {
		return
	}
	d.part = "importance"
	a, b := shares(old.Results), shares(now.Results)
	names := maps.Clone(a)
	maps.Copy(names, b)
	moved := func(name string) float64 { return math.Abs(b[name] - a[name]) }
	order := slices.SortedFunc(maps.Keys(names), func(x, y string) int {
		return cmp.Or(cmp.Compare(moved(y), moved(x)), strings.Compare(x, y))
	})
	for _, name := range order {
		d.text(name, share(a, name), share(b, name))
	}
}

func shares(r *train.Results) map[string]float64 {
	out := map[string]float64{}
	for _, i := range r.Importance {
		out[i.Feature] = i.Share
	}
	return out
}

func share(all map[string]float64, name string) string {
	v, ok := all[name]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.3f", v)
}

// digest names a manifest that cannot be read.
func digest(data json.RawMessage) string {
	if data == nil {
		return ""
	}
	return short(store.DigestOf(data))
}

// short returns the first 16 hexadecimal digits of a digest.
func short(d store.Digest) string {
	hex := strings.TrimPrefix(string(d), "sha256:")
	return hex[:min(16, len(hex))]
}

func or(s string) string {
	if s == "" {
		return None
	}
	return s
}
