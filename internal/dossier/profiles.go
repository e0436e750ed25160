package dossier

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"headgate/internal/drift"
	"headgate/internal/pass"
	"headgate/internal/profile"
	"headgate/internal/report"
	"headgate/internal/run"
)

// mostEffects is how many batches the course of a column's drift shows.
const mostEffects = 12

// loadHistory reads the verdicts of the batches before, and notes those that are gone.
func (j *judged) loadHistory(ctx context.Context) error {
	if j.data.History == nil {
		return nil
	}
	j.history = new(run.History)
	if err := run.LoadJSON(ctx, j.Store, *j.data.History, j.history); err != nil {
		return err
	}
	var missing []string
	for _, p := range j.history.Past {
		d, err := run.LoadVerdict(ctx, j.Store, j.Pipeline, p.Batch, p.Run, p.Decision)
		if err != nil && !gone(err) {
			return err
		}
		if err != nil {
			d, missing = nil, append(missing, p.Batch)
		}
		j.past = append(j.past, d)
	}
	if len(missing) > 0 {
		j.out.Notes = append(j.out.Notes, "the papers of "+strings.Join(missing, ", ")+" are gone, so nothing is compared with them")
	}
	return nil
}

// loadProfiles reads the profiles of the batch, of what it is compared with, and of the
// batch before.
func (j *judged) loadProfiles(ctx context.Context) (err error) {
	if j.data.Profile == nil {
		return nil
	}
	note := func(what string, err error) error {
		if gone(err) {
			j.out.Notes = append(j.out.Notes, "the profile of "+what+" is gone")
			return nil
		}
		return err
	}
	if j.now, err = j.profile(ctx, j.data.Profile); err != nil {
		j.now = nil
		return note("the batch", err)
	}
	if n := len(j.past); n > 0 && j.past[n-1] != nil && j.past[n-1].Profile != nil {
		if j.before, err = j.profile(ctx, j.past[n-1].Profile); err != nil {
			j.before = nil
			if err := note(j.history.Past[n-1].Batch, err); err != nil {
				return err
			}
		}
	}
	if j.reference, err = j.referenceProfile(ctx); err != nil {
		j.reference = nil
		return note("the reference", err)
	}
	return nil
}

// referenceProfile reads what the drift of the batch was measured against, as the worker
// chose it; nil if there was none.
func (j *judged) referenceProfile(ctx context.Context) (*profile.Profile, error) {
	if j.data.Drift == nil {
		return nil, nil
	}
	name := j.data.Drift.Reference
	for i, p := range j.past {
		if name == "batch "+j.history.Past[i].Batch && p != nil {
			return j.profile(ctx, p.Profile)
		}
	}
	if j.history != nil && j.history.LastYear != nil && name == "batch "+j.history.LastYear.Batch {
		p := j.history.LastYear
		d, err := run.LoadVerdict(ctx, j.Store, j.Pipeline, p.Batch, p.Run, p.Decision)
		if err != nil {
			return nil, err
		}
		return j.profile(ctx, d.Profile)
	}
	ref := j.version.Bundle.Reference
	if ref == nil {
		return nil, nil
	}
	blob := ref.Profile
	if month, ok := ref.Seasons[j.conf.Season(j.plan.Batch)]; ok {
		blob = month
	}
	data, err := j.Store.GetBlob(ctx, blob.Digest)
	if err != nil {
		return nil, err
	}
	return decoded(data)
}

// drift gathers the measures of every column, their course, and the histograms.
func (j *judged) drift(ctx context.Context) error {
	d := j.data.Drift
	if d == nil {
		return nil
	}
	var paper drift.Report
	if err := run.LoadJSON(ctx, j.Store, d.Paper, &paper); err != nil {
		return err
	}
	out := &report.Drift{Reference: d.Reference, Level: d.Level, Reasons: paper.Reasons, Moderate: j.conf.Drift.Moderate,
		Rows: [2]int64{paper.Reference, paper.Current}, Causes: paper.Causes, OnlyReference: paper.OnlyReference, OnlyCurrent: paper.OnlyCurrent}
	if n := len(j.past); n > 0 && j.before != nil {
		out.Before = j.history.Past[n-1].Batch
	}
	course, err := j.course(ctx, out)
	if err != nil {
		return err
	}
	course = append(course, effects(&paper))
	out.Batches = append(out.Batches, j.plan.Batch)
	importance := map[string]float64{}
	for _, in := range j.version.Scorer.Inputs() {
		importance[in.Name] = in.Importance
	}
	for _, c := range paper.Columns {
		out.Columns = append(out.Columns, j.column(c, importance[c.Name], course))
	}
	slices.SortStableFunc(out.Columns, func(a, b report.Column) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(b.Effect, a.Effect))
	})
	j.out.Drift = out
	return nil
}

// rank puts columns that have drifted before those of which nobody knows.
func rank(c report.Column) int {
	switch c.Level {
	case drift.Warn:
		return 2
	case drift.Inconclusive:
		return 0
	}
	return 1
}

// course reads the effects of all columns in the batches before.
func (j *judged) course(ctx context.Context, out *report.Drift) ([]map[string]float64, error) {
	var course []map[string]float64
	first := max(len(j.past)-(mostEffects-1), 0)
	for i := first; i < len(j.past); i++ {
		var known map[string]float64
		if d := j.past[i]; d != nil && d.Drift != nil {
			var paper drift.Report
			err := run.LoadJSON(ctx, j.Store, d.Drift.Paper, &paper)
			if err != nil && !gone(err) {
				return nil, err
			}
			known = effects(&paper)
		}
		course = append(course, known)
		out.Batches = append(out.Batches, j.history.Past[i].Batch)
	}
	return course, nil
}

func effects(r *drift.Report) map[string]float64 {
	known := map[string]float64{}
	for _, c := range r.Columns {
		if c.Level != drift.Inconclusive {
			known[c.Name] = c.Effect
		}
	}
	return known
}

func (j *judged) column(c drift.Column, importance float64, course []map[string]float64) report.Column {
	out := report.Column{Column: c, Importance: importance}
	for _, known := range course {
		var effect *float64
		if e, ok := known[c.Name]; ok {
			effect = &e
		}
		out.Effects = append(out.Effects, effect)
	}
	if col, ok := j.contract.Column(c.Name); ok && col.Classified() {
		out.Classification = "confidential"
		if col.Restricted() {
			out.Classification = "restricted"
		}
	}
	if j.now == nil || j.reference == nil || j.now.Column(c.Name) == nil {
		return out
	}
	now, ref, before := j.now.Column(c.Name), j.reference.Column(c.Name), (*profile.Column)(nil)
	if j.before != nil {
		before = j.before.Column(c.Name)
	}
	switch {
	case c.Score:
		out.Histogram = report.ScoreHistogramOf(now, ref, before)
	case out.Classification != "" && !now.Confidential && !now.Restricted:
		// The contract that classifies the column is younger than its profile.
	default:
		out.Histogram = report.HistogramOf(now, ref, before)
	}
	return out
}

// scores gathers the distributions of the champion's outputs.
func (j *judged) scores() {
	if j.now == nil {
		return
	}
	of := func(p *profile.Profile, name string) *profile.Column {
		if p == nil {
			return nil
		}
		return p.Column(name)
	}
	outputs := j.version.Scorer.Outputs()
	for o := range outputs {
		name := pass.ScoreName(o, outputs)
		now, ref, before := of(j.now, name), of(j.reference, name), of(j.before, name)
		h := report.ScoreHistogramOf(now, ref, before)
		if h == nil {
			continue
		}
		s := report.Score{Name: name, Histogram: h}
		if before != nil {
			s.Before = j.history.Past[len(j.past)-1].Batch
		}
		for i, c := range []*profile.Column{now, ref, before} {
			if c != nil && c.Values() > 0 {
				s.Mean[i], _ = c.MeanStd()
			}
		}
		j.out.Scores = append(j.out.Scores, s)
	}
}

// slices gathers rows and mean scores of the slices that the profile has, and what labels
// say of the champion in them.
func (j *judged) slices() {
	if j.now == nil {
		return
	}
	score := pass.ScoreName(0, j.version.Scorer.Outputs())
	for _, column := range j.now.Slices {
		if col, ok := j.contract.Column(column.Name); ok && col.Classified() {
			continue
		}
		for _, s := range column.Slices {
			out := report.Slice{Column: column.Name, Value: sliceName(s), Rows: s.Rows}
			now := float64(s.Rows) / float64(max(j.now.Rows, 1))
			out.Share[0], out.Score[0] = &now, meanScore(s.Cell(score))
			if ref := referenceSlice(j.reference, column.Name, s); ref != nil {
				was := float64(ref.Rows) / float64(max(j.reference.Rows, 1))
				out.Share[1], out.Score[1] = &was, meanScore(ref.Cell(score))
			}
			j.labelled(&out)
			j.out.Slices = append(j.out.Slices, out)
		}
	}
}

func meanScore(c *profile.Cell) *float64 {
	if c == nil {
		return nil
	}
	mean, _ := c.MeanStd()
	if math.IsNaN(mean) {
		return nil
	}
	return &mean
}

func sliceName(s *profile.Slice) string {
	switch {
	case s.Null:
		return "(null)"
	case s.Others:
		return "(others)"
	}
	return s.Value
}

func referenceSlice(p *profile.Profile, column string, like *profile.Slice) *profile.Slice {
	if p == nil || p.SliceColumn(column) == nil {
		return nil
	}
	for _, s := range p.SliceColumn(column).Slices {
		if s.Null == like.Null && s.Others == like.Others && s.Value == like.Value {
			return s
		}
	}
	return nil
}
