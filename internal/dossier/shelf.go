package dossier

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/learn"
	"headgate/internal/registry"
	"headgate/internal/report"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Shelf gathers what there are pages about. The names of its leaves are those that
// [Reader.Batch], [Reader.Training], [Reader.Release] and [Reader.Card] take, each after
// the word that starter report knows it by.
func (r *Reader) Shelf(ctx context.Context) (*report.Shelf, error) {
	conf, err := r.config(ctx, r.Log.State().Pipeline)
	if err != nil {
		return nil, err
	}
	out := &report.Shelf{Pipeline: r.Pipeline, Description: conf.Description, Owner: conf.Owner, Anchor: r.Log.Anchor()}
	state := r.Log.State()
	if champion := state.Champion(); champion != "" {
		v := r.Version(champion)
		out.Champion = &v
	}
	windows := r.windows()
	for _, w := range windows {
		line, err := r.line(ctx, w, r.Log.Head())
		if err != nil {
			return nil, err
		}
		out.Months = append(out.Months, line)
	}
	slices.SortStableFunc(out.Months, func(a, b report.Line) int { return cmp.Compare(a.Batch, b.Batch) })
	if n := len(windows); n > 0 {
		m, err := r.Month(ctx, windows[n-1].batch)
		if err != nil {
			return nil, err
		}
		out.Waits = m.Waits
	}
	for _, part := range []func(context.Context, *report.Shelf) error{r.runs, r.trainings, r.releases} {
		if err := part(ctx, out); err != nil {
			return nil, err
		}
	}
	r.cards(out)
	for _, leaves := range [][]report.Leaf{out.Runs, out.Trainings, out.Releases, out.Cards} {
		slices.SortStableFunc(leaves, func(a, b report.Leaf) int { return cmp.Compare(b.Entry, a.Entry) })
	}
	return out, nil
}

// runs lists every run that was judged, by the entry of its last verdict. One whose papers
// somebody has deleted has no page.
func (r *Reader) runs(ctx context.Context, out *report.Shelf) error {
	there := map[store.Digest]bool{}
	for _, e := range r.Log.Of(registry.KindVerdict, registry.KindPublished) {
		if e.Decision == "" {
			continue
		}
		if _, asked := there[e.Run]; !asked {
			_, err := r.Store.Stat(ctx, run.PlanKey(r.Pipeline, e.Batch, e.Run))
			if err != nil && !gone(err) {
				return err
			}
			there[e.Run] = err == nil
		}
		if !there[e.Run] {
			continue
		}
		leaf := report.Leaf{Name: e.Batch + "/" + run.Short(e.Run), Entry: e.Seq, At: e.At, By: e.By, Batch: e.Batch, State: e.Verdict, What: strings.Join(e.Reasons, "; ")}
		if e.Kind == registry.KindPublished {
			leaf.What = fmt.Sprintf("publication %d", e.Publication)
			switch current, ok := r.Table.Current(e.Batch); {
			case ok && store.Digest(current.Info["run"]) == e.Run:
				leaf.State = "published"
			default:
				leaf.State = "replaced"
			}
		}
		if i := slices.IndexFunc(out.Runs, func(l report.Leaf) bool { return l.Name == leaf.Name }); i >= 0 {
			out.Runs[i] = leaf
		} else {
			out.Runs = append(out.Runs, leaf)
		}
	}
	return nil
}

func (r *Reader) trainings(ctx context.Context, out *report.Shelf) error {
	for _, e := range r.Log.Of(registry.KindTraining) {
		var evidence learn.Evidence
		if err := run.LoadBlob(ctx, r.Store, e.Paper, &evidence); err != nil {
			return fmt.Errorf("the paper of entry %d: %w", e.Seq, err)
		}
		out.Trainings = append(out.Trainings, report.Leaf{Name: "training/" + run.Short(evidence.Plan.Digest), Entry: e.Seq, At: e.At, By: e.By, Batch: e.Batch, State: e.Verdict,
			What: fmt.Sprintf("%s from labels up to %s: %s", evidence.Kind, e.Batch, e.Reason)})
	}
	return nil
}

func (r *Reader) releases(ctx context.Context, out *report.Shelf) error {
	state, err := r.fold(ctx, r.Log.Head())
	if err != nil {
		return err
	}
	for _, rel := range state.Releases {
		facts, err := r.Release(ctx, rel.Name)
		if err != nil {
			return err
		}
		first := facts.Contest[0]
		what := first.Model.Note
		if n := len(facts.Contest); n > 1 {
			what = fmt.Sprintf("%d candidates", n)
		}
		out.Releases = append(out.Releases, report.Leaf{Name: "release/" + rel.Name, Entry: first.Entry, At: first.At, By: first.By, State: string(facts.Standing), What: what})
	}
	return nil
}

func (r *Reader) cards(out *report.Shelf) {
	for _, d := range r.Log.State().Models {
		for _, e := range r.Log.Of(registry.KindRegister) {
			if e.Model == d {
				status, _ := r.status(d)
				out.Cards = append(out.Cards, report.Leaf{Name: "card/" + run.Short(d), Entry: e.Seq, At: e.At, By: e.By, State: status, What: e.Reason})
				break
			}
		}
	}
}
