package dossier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/figure"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/store"
	"headgate/internal/train"
)

// carded is a model version, while the facts of its card are gathered.
type carded struct {
	*Reader
	out      *report.Card
	digest   store.Digest
	version  *bundle.Version
	conf     *pipeline.Config
	contract *contract.Contract
	last     int64
}

// Card gathers what evidence says of a model version. name is the first eight or more
// digits of the version; "" means the champion. The error wraps [ErrUnknown] if there is
// none.
func (r *Reader) Card(ctx context.Context, name string) (*report.Card, error) {
	c := &carded{Reader: r, out: &report.Card{Format: report.Format, Pipeline: r.Pipeline}}
	state := r.Log.State()
	for _, d := range state.Models {
		if name == "" && d == state.Champion() || name != "" && is(d, name) {
			if c.digest != "" {
				return nil, fmt.Errorf("card %s names several model versions; give more digits", name)
			}
			c.digest = d
		}
	}
	if c.digest == "" {
		return nil, fmt.Errorf("no model version %s of %s: %w; starter log %s lists them", cmp.Or(name, "champion"), r.Pipeline, ErrUnknown, r.Pipeline)
	}
	r.say("model version %s", figure.Short(string(c.digest)))
	for _, part := range []func(context.Context) error{c.open, c.months, c.fairness, c.moved, c.decisions} {
		if err := part(ctx); err != nil {
			return nil, fmt.Errorf("card of %s: %w", figure.Short(string(c.digest)), err)
		}
	}
	if err := c.served(); err != nil {
		return nil, err
	}
	c.lineage()
	c.out.Anchor = r.anchor(c.last)
	return c.out, nil
}

// open reads the bundle, and what the pipeline file and the contract say it is for.
func (c *carded) open(ctx context.Context) (err error) {
	if c.version, err = bundle.Load(ctx, c.Store, c.digest, c.Formats); err != nil {
		return err
	}
	b := c.version.Bundle
	file := c.Log.State().Pipeline
	if c.conf, err = c.config(ctx, file); err != nil {
		return err
	}
	if c.contract, err = c.Reader.contract(ctx, b.Contract); err != nil {
		return err
	}
	c.out.Model = c.Version(c.digest)
	c.out.Use = report.Use{Description: c.conf.Description, Owner: c.conf.Owner, File: string(file), Contract: string(b.Contract),
		ContractName: strings.TrimSpace(cmp.Or(c.contract.Name, c.contract.ID) + " " + c.contract.Version), Entity: strings.Join(c.contract.Entity(), ", ")}
	c.out.Bundle = report.Bundle{File: string(b.Model.Digest), Size: b.Model.Size, Kind: b.Model.Format, Objective: b.Objective, Outputs: b.Outputs, Calibration: b.Calibration,
		Golden: string(b.Golden.File.Digest), GoldenRows: b.Golden.Rows, GoldenBy: b.Golden.Source}
	if ref := b.Reference; ref != nil {
		c.out.Bundle.Reference, c.out.Bundle.Batches = string(ref.Profile.Digest), ref.Batches
	}
	c.inputs()
	c.trail()
	if len(b.Training) == 0 {
		return nil
	}
	m, err := train.ParseManifest(b.Training)
	if err != nil {
		c.out.Notes = append(c.out.Notes, "the manifest of the training was not written by Headgate: "+err.Error())
		return nil
	}
	c.out.Training = &report.Learning{Manifest: m, Paper: string(c.digest)}
	return nil
}

// inputs lists the features, those that the model rests on most first.
func (c *carded) inputs() {
	for i, in := range c.version.Scorer.Inputs() {
		f := report.Feature{Name: in.Name, Importance: in.Importance, Categories: len(in.Categories)}
		if i < len(c.version.Bundle.Inputs) {
			f.Kind = c.version.Bundle.Inputs[i].Kind
		}
		if col, ok := c.contract.Column(in.Name); ok && col.Classified() {
			f.Classification = col.Classification
		}
		c.out.Inputs = append(c.out.Inputs, f)
	}
	slices.SortStableFunc(c.out.Inputs, func(a, b report.Feature) int { return cmp.Compare(b.Importance, a.Importance) })
}

// status says how a version stands, and why.
func (r *Reader) status(d store.Digest) (status, why string) {
	status = "registered"
	champion := false
	for _, e := range r.Log.Entries() {
		if e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion {
			if champion && e.Model != d {
				status, why = "former champion", "replaced by "+figure.Short(string(e.Model))
			}
			champion = e.Model == d
		}
		if e.Model != d {
			continue
		}
		switch e.Kind {
		case registry.KindCandidate:
			status, why = "candidate", "release "+e.Release
		case registry.KindPromote:
			status, why = "champion", e.Reason
		case registry.KindRejected:
			status, why = "rejected", e.Reason
		}
	}
	return status, why
}

// trail keeps the entries that moved the version, and those of champions that came after
// it.
func (c *carded) trail() {
	c.out.Status, c.out.Why = c.status(c.digest)
	champion := false
	for _, e := range c.Log.Entries() {
		promoted := e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion
		moves := e.Model == c.digest && slices.Contains([]string{registry.KindRegister, registry.KindCandidate, registry.KindPromote, registry.KindRejected, registry.KindAdvance, registry.KindApproval}, e.Kind)
		if moves || promoted && champion {
			c.out.Events, c.last = append(c.out.Events, c.event(e)), e.Seq
		}
		if promoted {
			champion = e.Model == c.digest
		}
		if e.Model == c.digest && e.Kind == registry.KindRegister && c.out.Bundle.Entry == 0 {
			c.out.Bundle.Registered, c.out.Bundle.By, c.out.Bundle.Entry = e.At, e.By, e.Seq
		}
	}
}

// evaluated returns the last evaluation of each batch, in their order.
func (c *carded) evaluated() []registry.Entry {
	last := map[string]registry.Entry{}
	for _, e := range c.Log.Of(registry.KindEvaluated) {
		last[e.Batch] = e
	}
	var out []registry.Entry
	for _, batch := range sorted(last) {
		out = append(out, last[batch])
	}
	return out
}

// months gathers what labels say of the version, month by month, and the slices of the
// last month.
func (c *carded) months(ctx context.Context) error {
	for _, e := range c.evaluated() {
		v, err := c.evaluation(ctx, e.Paper)
		if err != nil {
			return err
		}
		if v == nil {
			c.out.Notes = append(c.out.Notes, "the evaluation of "+e.Batch+" is gone")
			continue
		}
		at := slices.IndexFunc(v.Models, func(m evidence.Model) bool { return m.Model == c.digest })
		if at < 0 || v.Models[at].Report == nil {
			continue
		}
		m := v.Models[at]
		p := report.Proof{Batch: e.Batch, Role: m.Role, Rows: m.Rows, Evidence: v.Verdict == registry.VerdictPass, Paper: string(e.Paper),
			Large: metric(m.Report, evaluate.InTheLarge), Slope: metric(m.Report, evaluate.Slope), Loss: metric(m.Report, evaluate.LogLoss)}
		p.Metric, p.Value = headline(m.Report)
		c.out.Months, c.last = append(c.out.Months, p), max(c.last, e.Seq)
		c.sliced(e, p.Metric, m.Slices)
	}
	return nil
}

// sliced keeps the slices of a month, without those of classified columns.
func (c *carded) sliced(e registry.Entry, m evaluate.Metric, all []evaluate.Slice) {
	var out []evaluate.Slice
	for _, s := range all {
		if col, ok := c.contract.Column(s.Dimension); !ok || !col.Classified() {
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		c.out.Slices = &report.Sliced{Batch: e.Batch, Metric: m, Slices: out, Paper: string(e.Paper)}
	}
}

// fairness measures how decisions treat the groups of the protected columns, on the last
// batch whose labels are evidence. It needs the columns to be kept with the scores.
func (c *carded) fairness(ctx context.Context) error {
	protected := c.contract.WithRole(contract.RoleProtected)
	if len(protected) == 0 {
		return nil
	}
	var kept []string
	for _, name := range protected {
		if slices.Contains(c.conf.Scores.Keep, name) {
			kept = append(kept, name)
		} else {
			c.out.Unkept = append(c.out.Unkept, name)
		}
	}
	if len(kept) == 0 || c.conf.Labels == nil {
		return nil
	}
	for _, e := range slices.Backward(c.evaluated()) {
		v, err := c.evaluation(ctx, e.Paper)
		if err != nil {
			return err
		}
		if v == nil || v.Verdict != registry.VerdictPass || !slices.Contains(v.Request.Models, c.digest) {
			continue
		}
		return c.parity(ctx, e, v, kept)
	}
	return nil
}

// fewest is how many rows a group needs to be compared.
const fewest = 100

func (c *carded) parity(ctx context.Context, e registry.Entry, v *evidence.Evaluation, kept []string) error {
	c.say("scores and labels of %s", e.Batch)
	all, err := evidence.Load(ctx, c.Store, v.Request, nil)
	if gone(err) || errors.Is(err, evidence.ErrOutputs) {
		c.out.Notes = append(c.out.Notes, "scores or labels of "+e.Batch+" cannot be read any more, so fairness is not measured")
		return nil
	}
	if err != nil {
		return err
	}
	rows := all.Judged()
	data := rows.Data(slices.Index(v.Request.Models, c.digest))
	for _, d := range rows.Dimensions() {
		if !slices.Contains(kept, d.Name) {
			continue
		}
		p, err := evaluate.Fairness(data, d, c.conf.Labels.Threshold, fewest, nil)
		if err != nil {
			c.out.Notes = append(c.out.Notes, fmt.Sprintf("fairness by %s is not measured: %v", d.Name, err))
			continue
		}
		if col, _ := c.contract.Column(d.Name); col.Classified() {
			p.Missing = nil // its reasons name values
			for i := range p.Groups {
				p.Groups[i].Value = fmt.Sprintf("group %d", i+1)
			}
		}
		c.out.Parity = append(c.out.Parity, report.Fairness{Batch: e.Batch, Column: d.Name, Parity: p, Paper: string(e.Paper)})
	}
	return nil
}

// moved says how far the data of each month was from the reference when the version was
// its champion.
func (c *carded) moved(ctx context.Context) error {
	for _, w := range c.windows() {
		l, err := c.line(ctx, w, c.Log.Head())
		if err != nil {
			return err
		}
		if l.Champion.Digest == string(c.digest) && l.Drift != "" && l.State == "published" {
			c.out.Drift = append(c.out.Drift, report.Moved{Batch: l.Batch, Level: l.Drift, Columns: l.Drifted, Paper: l.Run})
		}
	}
	return nil
}

func (c *carded) decisions(ctx context.Context) error {
	for _, e := range c.Log.Of(registry.KindAdvance) {
		g, err := c.decision(ctx, e)
		if err != nil {
			return err
		}
		if g != nil && g.Decision.Evidence.Release.Model == string(c.digest) {
			c.out.Gates, c.last = append(c.out.Gates, *g), max(c.last, e.Seq)
		}
	}
	return nil
}

// served lists the publications in force that have rows with the version's score.
func (c *carded) served() error {
	for _, batch := range c.Table.Batches() {
		p, ok := c.Table.Current(batch)
		if !ok {
			continue
		}
		all, err := c.Reader.served(p)
		if err != nil {
			return err
		}
		total := int64(0)
		for _, s := range all {
			total += s.Rows
		}
		for _, s := range all {
			if s.Model.Digest == string(c.digest) {
				c.out.Served = append(c.out.Served, report.Service{Batch: batch, Publication: p.Number, Rows: s.Rows, Of: total, Commit: string(p.Commit)})
			}
		}
	}
	return nil
}

func (c *carded) lineage() {
	in := func(what, name, digest, note string) {
		c.out.Lineage = append(c.out.Lineage, report.Input{What: what, Name: name, Digest: digest, Note: note})
	}
	b := c.out.Bundle
	in("model version", "", string(c.digest), "bundle: model, inputs, contract, calibration, golden rows")
	in("model file", b.Kind, b.File, fmt.Sprintf("%d bytes", b.Size))
	in("golden rows", b.GoldenBy, b.Golden, fmt.Sprintf("%d rows", b.GoldenRows))
	if b.Reference != "" {
		in("reference profile", "", b.Reference, "frozen with the version")
	}
	in("contract", c.out.Use.ContractName, c.out.Use.Contract, "")
	in("pipeline file", "", c.out.Use.File, "in force")
	for _, m := range c.out.Months {
		in("evaluation of "+m.Batch, "", m.Paper, "")
	}
	for _, g := range c.out.Gates {
		in("decision", fmt.Sprintf("entry %d, %s", g.Entry, g.Step), g.Paper, string(g.Decision.Verdict))
	}
}
