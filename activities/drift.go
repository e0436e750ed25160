package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/drift"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/profile"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trigger"
)

// judgeDrift compares the batch's profile with its reference.
func (a *Activities) judgeDrift(ctx context.Context, r Run, v *bundle.Version, f files, h *history, now *profile.Profile, d *run.Data) error {
	name, ref, err := a.driftReference(ctx, r, v, f.pipeline, h)
	if err != nil {
		return err
	}
	if ref == nil {
		d.Notes = append(d.Notes, "drift was not judged: "+name)
		return nil
	}
	report, err := drift.Compare(ref, now, driftOptions(f, v.Scorer))
	if err != nil {
		return err
	}
	paper, err := run.SaveJSON(ctx, a.store, r.dir(), "drift.json", report)
	if err != nil {
		return err
	}
	d.Drift = &run.Drift{Reference: name, Level: string(report.Level), Paper: paper}
	levels := append(levelsOf(h), report.Level)
	if report.Level == drift.Warn && drift.Trigger(levels, f.pipeline.Drift.Batches, f.pipeline.Drift.Of) {
		d.Drift.Level = trigger.LevelTrigger
	}
	for _, c := range report.Columns {
		if c.Level == drift.Warn {
			d.Drift.Columns = append(d.Drift.Columns, c.Name)
		}
	}
	d.Drift.Worst = worst(report)
	for _, c := range report.Causes {
		d.Drift.Causes = append(d.Drift.Causes, c.Column)
	}
	return nil
}

// mostMoved is how many drifted columns a verdict describes.
const mostMoved = 5

// worst returns the drifted columns that moved most.
func worst(r *drift.Report) []run.Moved {
	var all []run.Moved
	for _, c := range r.Columns {
		if c.Level != drift.Warn {
			continue
		}
		m := run.Moved{Column: c.Name, Effect: c.Effect}
		if len(c.Reasons) > 0 {
			m.Reason = c.Reasons[0]
		}
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b run.Moved) int { return cmp.Compare(b.Effect, a.Effect) })
	return all[:min(mostMoved, len(all))]
}

// levelsOf returns the levels of the batches before, oldest first. One that was not
// judged is inconclusive.
func levelsOf(h *history) []drift.Level {
	var levels []drift.Level
	for _, p := range h.past {
		switch {
		case p.data.Drift == nil:
			levels = append(levels, drift.Inconclusive)
		case p.data.Drift.Level == trigger.LevelTrigger:
			levels = append(levels, drift.Warn)
		default:
			levels = append(levels, drift.Level(p.data.Drift.Level))
		}
	}
	return levels
}

// driftReference returns the profile that the batch is compared with and what it is.
// Without one, the name says why.
func (a *Activities) driftReference(ctx context.Context, r Run, v *bundle.Version, c *pipeline.Config, h *history) (string, *profile.Profile, error) {
	switch c.Drift.Reference {
	case pipeline.ReferencePrevious:
		if last := h.last(); last != nil {
			return a.pastProfile(ctx, last)
		}
		return "there is no batch before " + r.Batch, nil, nil
	case pipeline.ReferenceLastYear:
		if h.lastYear != nil {
			return a.pastProfile(ctx, h.lastYear)
		}
		return "the same period a year before " + r.Batch + " is not published", nil, nil
	}
	ref := v.Bundle.Reference
	if ref == nil {
		return "the model version has no reference profile; register it with --reference", nil, nil
	}
	season := c.Season(r.Batch)
	if blob, ok := ref.Seasons[season]; ok {
		p, err := a.profileBlob(ctx, blob)
		return "the model's month " + season, p, err
	}
	p, err := a.profileBlob(ctx, ref.Profile)
	return "the model's data", p, err
}

// pastProfile returns the profile of a batch of the history and what it is. Without one,
// the name says why.
func (a *Activities) pastProfile(ctx context.Context, p *past) (string, *profile.Profile, error) {
	if p.data.Profile == nil {
		return p.Batch + " has no profile", nil, nil
	}
	data, err := run.Load(ctx, a.store, *p.data.Profile)
	if errors.Is(err, store.ErrNotFound) {
		return "the profile of " + p.Batch + " is gone", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	out := new(profile.Profile)
	return "batch " + p.Batch, out, out.UnmarshalBinary(data)
}

func (a *Activities) profileBlob(ctx context.Context, ref store.Ref) (*profile.Profile, error) {
	data, err := a.store.GetBlob(ctx, ref.Digest)
	if err != nil {
		return nil, err
	}
	p := new(profile.Profile)
	return p, p.UnmarshalBinary(data)
}

// driftOptions say which columns are compared, and how strictly: features, and what
// the model reads besides, and its scores. Keys and event times move by themselves.
func driftOptions(f files, s model.Scorer) *drift.Options {
	o := &drift.Options{Moderate: f.pipeline.Drift.Moderate, Major: f.pipeline.Drift.Major, Alpha: f.pipeline.Drift.Alpha,
		MinRows: f.pipeline.Drift.MinRows, Policies: map[string]drift.Policy{}, Importance: map[string]float64{}}
	codes := map[string]bool{} // categorical inputs: if their column has numbers, those are codes
	for _, in := range s.Inputs() {
		o.Columns = append(o.Columns, in.Name)
		o.Importance[in.Name] = in.Importance
		codes[in.Name] = in.Kind == model.Categorical
	}
	for _, c := range f.contract.Columns {
		watched := c.Has(contract.RoleFeature) || c.Has(contract.RoleSlice) || c.Has(contract.RoleProtected)
		if watched && !slices.Contains(o.Columns, c.Name) {
			o.Columns = append(o.Columns, c.Name)
		}
		p := drift.Policy{Hide: c.Classified(), Codes: codes[c.Name]}
		if own, ok := f.contract.Drift[c.Name]; ok {
			p.Ignore, p.Moderate, p.Major = own.Ignore, own.Moderate, own.Major
		}
		if c.Key > 0 || c.Unique || c.Has(contract.RoleEntityKey) || c.Has(contract.RoleEventTime) || c.Later() {
			p.Ignore = true
		}
		o.Policies[c.Name] = p
	}
	for i := range s.Outputs() {
		o.Scores = append(o.Scores, pass.ScoreName(i, s.Outputs()))
	}
	o.Columns = append(o.Columns, o.Scores...)
	return o
}

// judgeHistory holds the batch against those before it, by the rules of the contract
// and of the pipeline file, and its times against what the contract promises.
func (a *Activities) judgeHistory(ctx context.Context, r Run, f files, h *history, now *profile.Profile, d *run.Data) error {
	if begin, ok := f.pipeline.Begin(r.Batch); ok {
		newest, oldest, notes := times(f.contract, now)
		for _, v := range f.contract.JudgeTimes(newest, oldest, begin) {
			if col, _ := f.contract.Column(v.Column); !col.Classified() { // no profile keeps its times
				d.Violations = append(d.Violations, v)
			}
		}
		d.Notes = append(d.Notes, notes...)
	} else if len(f.contract.TimeColumns()) > 0 {
		d.Notes = append(d.Notes, "service levels were not judged: "+r.Batch+" is no date")
	}
	if len(f.contract.History)+len(f.pipeline.History) == 0 {
		return nil
	}
	var before []contract.Facts
	for _, p := range h.past {
		facts, err := a.pastFacts(ctx, &p)
		if err != nil {
			return err
		}
		before = append(before, facts)
	}
	var lastYear *contract.Facts
	if h.lastYear != nil {
		facts, err := a.pastFacts(ctx, h.lastYear)
		if err != nil {
			return err
		}
		lastYear = &facts
	}
	facts := factsOf(r.Batch, now)
	violations, notes := f.contract.JudgeHistory(facts, before, lastYear)
	for _, rule := range f.pipeline.History {
		v, note := rule.Judge(facts, before, lastYear)
		if v != nil {
			violations = append(violations, *v)
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	d.Violations, d.Notes = append(d.Violations, violations...), append(d.Notes, notes...)
	return nil
}

// pastFacts returns the facts of a batch of the history.
func (a *Activities) pastFacts(ctx context.Context, p *past) (contract.Facts, error) {
	_, described, err := a.pastProfile(ctx, p)
	if err != nil || described == nil {
		return contract.Facts{Batch: p.Batch, Rows: p.data.Rows}, err
	}
	return factsOf(p.Batch, described), nil
}

// factsOf returns what rules about the history need of a profile.
func factsOf(batch string, p *profile.Profile) contract.Facts {
	facts := contract.Facts{Batch: batch, Rows: p.Rows, Columns: map[string]contract.ColumnFacts{}}
	for _, c := range p.Columns {
		mean, std := c.MeanStd()
		known := contract.ColumnFacts{Nulls: c.Nulls, Mean: mean, Std: std, Min: c.Quantile(0), Max: c.Quantile(1), Distinct: c.Distincts()}
		switch {
		case c.Restricted:
			known.Distinct = math.NaN()
		case c.Confidential:
			// The least and the greatest are values of some row, as far as bins tell.
			known.Min, known.Max = math.NaN(), math.NaN()
		}
		facts.Columns[c.Name] = known
	}
	return facts
}

// times returns the newest and the oldest value of the columns that promises are about.
func times(c *contract.Contract, p *profile.Profile) (newest, oldest map[string]time.Time, notes []string) {
	newest, oldest = map[string]time.Time{}, map[string]time.Time{}
	for _, name := range c.TimeColumns() {
		col := p.Column(name)
		switch {
		case col == nil || col.Restricted || col.Confidential:
			notes = append(notes, "service levels of "+name+" were not judged: its values are classified")
		case col.Values() == 0:
		case col.Kind == profile.Date:
			newest[name], oldest[name] = time.Unix(int64(col.Max)*86400, 0).UTC(), time.Unix(int64(col.Min)*86400, 0).UTC()
		case col.Kind == profile.Timestamp:
			newest[name], oldest[name] = time.UnixMicro(int64(col.Max)).UTC(), time.UnixMicro(int64(col.Min)).UTC()
		}
	}
	return newest, oldest, notes
}

// driftReason says what drifted, in a sentence for people.
func driftReason(d *run.Drift) string {
	how := "the data has drifted"
	if d.Level == trigger.LevelTrigger {
		how = "the data keeps drifting"
	}
	return fmt.Sprintf("%s from %s: %s", how, d.Reference, strings.Join(d.Columns, ", "))
}
