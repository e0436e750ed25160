package dossier

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"headgate/internal/figure"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/report"
	"headgate/internal/store"
)

// A window is the entries of the registry while a batch was the latest.
type window struct {
	batch    string
	from, to int64
}

// windows returns the batches in the order in which they began, each with the entries from
// its first one on to the one before the next batch began. What came before any batch is
// the first one's.
func (r *Reader) windows() []window {
	var all []window
	for _, e := range r.Log.Entries() {
		begins := e.Kind == registry.KindVerdict || e.Kind == registry.KindPublished || e.Kind == registry.KindMissed || e.Kind == registry.KindAdvance
		if !begins || e.Batch == "" || slices.ContainsFunc(all, func(w window) bool { return w.batch == e.Batch }) {
			continue
		}
		from := e.Seq
		if n := len(all); n > 0 {
			all[n-1].to = e.Seq - 1
		} else {
			from = 1
		}
		all = append(all, window{batch: e.Batch, from: from, to: r.Log.Head()})
	}
	return all
}

// at is when an entry was written: a page has no other clock.
func (r *Reader) at(seq int64) time.Time { return r.Log.Entries()[seq-1].At }

// Month gathers the facts of a month: of its batch, of what was decided while it was the
// latest, and of all months up to then. The error wraps [ErrUnknown] if the batch never
// began.
func (r *Reader) Month(ctx context.Context, batch string) (*report.Month, error) {
	all := r.windows()
	i := slices.IndexFunc(all, func(w window) bool { return w.batch == batch })
	if i < 0 {
		return nil, fmt.Errorf("no month %s of %s has begun: %w; starter status %s lists the batches", batch, r.Pipeline, ErrUnknown, r.Pipeline)
	}
	w := all[i]
	r.say("month %s, entries %d to %d", batch, w.from, w.to)
	conf, err := r.configAt(ctx, w.to)
	if err != nil {
		return nil, err
	}
	out := &report.Month{Format: report.Format, Pipeline: r.Pipeline, Description: conf.Description, Owner: conf.Owner, From: w.from, To: w.to, Latest: i == len(all)-1, Anchor: r.anchor(w.to)}
	for _, past := range all[:i+1] {
		line, err := r.line(ctx, past, w.to)
		if err != nil {
			return nil, fmt.Errorf("month %s: %w", batch, err)
		}
		out.Months = append(out.Months, line)
		if past.batch == batch {
			if out.Month, err = r.line(ctx, past, r.Log.Head()); err != nil {
				return nil, fmt.Errorf("month %s: %w", batch, err)
			}
		}
	}
	slices.SortStableFunc(out.Months, func(a, b report.Line) int { return cmp.Compare(a.Batch, b.Batch) })
	for _, p := range r.Table.History(batch) {
		out.Publications = append(out.Publications, publication(p))
	}
	r.happened(out)
	if err := r.matured(ctx, out); err != nil {
		return nil, err
	}
	if err := r.waits(ctx, conf, out); err != nil {
		return nil, err
	}
	r.monthLineage(out)
	return out, nil
}

// configAt reads the pipeline file that was in force after an entry.
func (r *Reader) configAt(ctx context.Context, seq int64) (*pipeline.Config, error) {
	var file store.Digest
	for _, e := range r.Log.Of(registry.KindPipeline) {
		if e.Seq <= seq || file == "" {
			file = e.Pipeline
		}
	}
	return r.config(ctx, file)
}

// happened sorts the entries of the month, and finds the first and the last champion.
func (r *Reader) happened(out *report.Month) {
	for _, e := range r.Log.Entries()[:out.To] {
		if e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion {
			out.Champion = r.Version(e.Model)
			if out.First.Digest == "" {
				out.First = out.Champion
			}
		}
		if e.Seq < out.From {
			continue
		}
		switch e.Kind {
		case registry.KindTraining:
			out.Trainings = append(out.Trainings, r.event(e))
		case registry.KindCandidate, registry.KindAdvance, registry.KindApproval, registry.KindPromote, registry.KindRejected:
			out.Decisions = append(out.Decisions, r.event(e))
		case registry.KindPipeline, registry.KindWaiver, registry.KindControl, registry.KindProposal, registry.KindRestored:
			out.Changes = append(out.Changes, r.event(e))
		case registry.KindRegister, registry.KindVerdict, registry.KindPublished, registry.KindShadow, registry.KindEvaluated, registry.KindRouting:
		default:
			out.Others = append(out.Others, r.event(e))
		}
	}
}

// matured gathers the batches whose labels came in the month.
func (r *Reader) matured(ctx context.Context, out *report.Month) error {
	for _, e := range r.Log.Of(registry.KindEvaluated) {
		if e.Seq < out.From || e.Seq > out.To {
			continue
		}
		v, err := r.evaluation(ctx, e.Paper)
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		m := report.Matured{Batch: e.Batch, Entry: e.Seq, Verdict: v.Verdict, Reasons: v.Reasons, Scored: v.Rows.Scored, Judged: v.Rows.Judged, Paper: string(e.Paper)}
		for _, model := range v.Models {
			m.Models = append(m.Models, report.Judged{Model: r.Version(model.Model), Role: model.Role, Rows: model.Rows, Report: model.Report, Problem: model.Problem})
		}
		out.Matured = append(out.Matured, m)
	}
	return nil
}

// waits gathers the questions that were open at the end of the month.
func (r *Reader) waits(ctx context.Context, conf *pipeline.Config, out *report.Month) error {
	for _, l := range out.Months {
		switch l.State {
		case "waits":
			out.Waits = append(out.Waits, report.Open{What: "May " + l.Batch + " be published? " + l.Why, Who: "whoever may answer", Command: fmt.Sprintf("starter approve %s --batch %s --reason TEXT", r.Pipeline, l.Batch)})
		case "blocked", "missing":
			out.Waits = append(out.Waits, report.Open{What: fmt.Sprintf("%s is %s and has no scores: %s", l.Batch, l.State, l.Why), Who: cmp.Or(conf.Owner, "the owner of the pipeline"), Command: fmt.Sprintf("starter score %s --batch %s", r.Pipeline, l.Batch)})
		}
	}
	if conf.Release == nil {
		return nil
	}
	state, err := r.fold(ctx, out.To)
	if err != nil {
		return err
	}
	settings := conf.Release.Settings()
	for _, q := range release.Questions(state, settings, r.at(out.To)) {
		asked := r.question(q, settings)
		out.Waits = append(out.Waits, report.Open{What: fmt.Sprintf("release %s: may %s enter the step %s?", q.Release, figure.Short(q.Model), q.Step),
			Who: asked.Names(), Command: fmt.Sprintf("starter approve %s --release --reason TEXT", r.Pipeline)})
	}
	if out.Latest {
		for _, p := range r.Log.State().Proposals {
			out.Waits = append(out.Waits, report.Open{What: fmt.Sprintf("proposal %d by %s waits for a second person: %s", p.Seq, p.By, p.Reason), Who: "whoever did not propose it",
				Command: fmt.Sprintf("starter approve %s --proposal %d --reason TEXT", r.Pipeline, p.Seq)})
		}
	}
	return nil
}

func (r *Reader) monthLineage(out *report.Month) {
	in := func(what, name, digest, note string) {
		out.Lineage = append(out.Lineage, report.Input{What: what, Name: name, Digest: digest, Note: note})
	}
	in("entries of the registry", fmt.Sprintf("%d to %d", out.From, out.To), "", "while the month was the latest")
	if out.Month.Run != "" {
		in("run", out.Month.Batch, out.Month.Run, "published")
	}
	for _, l := range out.Months {
		if l.Quality != nil {
			in("evaluation of "+l.Batch, fmt.Sprintf("entry %d", l.Quality.Entry), l.Quality.Paper, "")
		}
	}
	for _, f := range r.Table.Files(out.Month.Batch) {
		in("published file", path.Dir(f.Path), "sha256:"+strings.TrimSuffix(path.Base(f.Path), ".parquet"), "its name is its digest")
	}
}
