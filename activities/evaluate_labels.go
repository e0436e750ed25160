package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headgate/internal/contract"
	"headgate/internal/labels"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// ResolveLabelsInput names the batch whose labels are waited for.
type ResolveLabelsInput struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
}

// ResolveLabelsOutput says when the labels of a batch are mature.
type ResolveLabelsOutput struct {
	Due    time.Time     `json:"due"`   // from then on they are looked for
	Until  time.Time     `json:"until"` // and no longer than that
	Poll   time.Duration `json:"poll"`  // how often
	Files  string        `json:"files"` // where, for people
	Marker string        `json:"marker,omitempty"`
	Ready  bool          `json:"ready,omitempty"` // the marker is there already: all labels are known, due or not
	Model  store.Digest  `json:"model"`           // champion of the run that is published
	Run    store.Digest  `json:"run"`
}

// ResolveLabels says when the labels of a published batch are mature: its date, and the
// window and the settlement of the contract of the labels after it. A setting of the
// pipeline file replaces that by a time after the first publication.
func (a *Activities) ResolveLabels(ctx context.Context, in ResolveLabelsInput) (ResolveLabelsOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (ResolveLabelsOutput, error) {
		l, err := a.labelled(ctx, in.Pipeline, in.Batch)
		if err != nil {
			return ResolveLabelsOutput{}, err
		}
		settings := l.files.pipeline.Labels
		out := ResolveLabelsOutput{Poll: time.Duration(settings.Poll), Files: settings.Files, Marker: l.where.Marker,
			Model: l.state.Batches[in.Batch].Model, Run: l.state.Batches[in.Batch].Run}
		begin, dated := l.files.pipeline.Begin(in.Batch)
		switch {
		case settings.Due != nil:
			out.Due = l.first.Add(time.Duration(*settings.Due))
		case dated:
			out.Due = begin.Add(l.contract.Labels.Window + l.contract.Labels.Settlement)
		default:
			return out, fail(KindConfig, "batch %s has no date from which labels could fall due; set labels.due", in.Batch)
		}
		out.Due = out.Due.UTC()
		out.Until = out.Due.Add(time.Duration(settings.Wait))
		out.Ready, err = a.marked(ctx, l.where)
		return out, err
	})
}

// marked reports whether the marker is there that says that all labels are.
func (a *Activities) marked(ctx context.Context, at labels.Where) (bool, error) {
	if at.Marker == "" {
		return false, nil
	}
	src, err := a.openInputs(ctx, at.Input)
	if err != nil {
		return false, err
	}
	defer src.close()
	_, err = src.bucket.Stat(ctx, at.Marker)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// labelled is what there is to know of a batch before its labels are looked for.
type labelled struct {
	log      *registry.Log
	state    registry.State
	files    files
	contract *contract.Contract // of the labels
	where    labels.Where
	first    time.Time // of the batch's publications
}

// labelled reads what the registry says of a published batch and of where labels are.
func (a *Activities) labelled(ctx context.Context, pipeline, batch string) (*labelled, error) {
	log, err := registry.Load(ctx, a.store, pipeline)
	if err != nil {
		return nil, err
	}
	l := &labelled{log: log, state: log.State()}
	if l.state.Pipeline == "" {
		return nil, fail(KindUnknown, "pipeline %q is not registered in this store; run: starter register PIPELINE.yaml", pipeline)
	}
	if l.files, err = a.files(ctx, l.state.Pipeline, l.state.Contract, ""); err != nil {
		return nil, err
	}
	switch {
	case l.files.pipeline.Labels == nil || l.state.LabelsContract == "":
		return nil, fail(KindConfig, "pipeline %q says nothing of labels; add labels: { files: …, contract: … } to its file", pipeline)
	case l.state.Batches[batch].Publication == 0:
		return nil, fail(KindUnknown, "batch %s is not published, so there are no scores to hold against labels", batch)
	}
	if l.contract, err = a.contract(ctx, l.state.LabelsContract); err != nil {
		return nil, err
	}
	if l.contract.Labels == nil {
		return nil, fail(KindConfig, "the contract of the labels, %s, does not say when they are known", l.contract.Name)
	}
	l.where.Input, l.where.Prefix, l.where.Match = l.files.pipeline.LabelFiles(batch)
	if name := l.contract.Labels.Marker; name != "" {
		_, l.where.Marker = l.files.pipeline.LabelMarker(batch, name)
	}
	for _, e := range log.Entries() {
		if e.Batch == batch && e.Publication > 0 && (l.first.IsZero() || e.At.Before(l.first)) {
			l.first = e.At
		}
	}
	return l, nil
}

// FindLabelsInput names the batch whose label files are looked for.
type FindLabelsInput struct {
	Pipeline string `json:"pipeline"`
	Batch    string `json:"batch"`
}

// FindLabelsOutput says which label files are there.
type FindLabelsOutput struct {
	Version  store.Digest `json:"version,omitempty"` // blob of a labels.Version; empty without a file
	Files    int          `json:"files"`
	Rows     int64        `json:"rows"`
	Marker   bool         `json:"marker"`            // the marker of completeness is there
	Complete bool         `json:"complete"`          // it is there, or none is needed
	Problem  string       `json:"problem,omitempty"` // a file that cannot be read, as while it is being written
}

// FindLabels looks for the label files of a batch, and keeps a note of what they are now.
func (a *Activities) FindLabels(ctx context.Context, in FindLabelsInput) (FindLabelsOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (FindLabelsOutput, error) {
		l, err := a.labelled(ctx, in.Pipeline, in.Batch)
		if err != nil {
			return FindLabelsOutput{}, err
		}
		src, err := a.openInputs(ctx, l.where.Input)
		if err != nil {
			return FindLabelsOutput{}, err
		}
		defer src.close()
		v, err := labels.Find(ctx, src.bucket, labels.Version{Pipeline: in.Pipeline, Batch: in.Batch, Contract: l.state.LabelsContract}, l.where)
		if unreadable(err) {
			return FindLabelsOutput{Problem: fmt.Sprintf("a label file cannot be read, or not yet: %v", err)}, nil
		}
		if err != nil || len(v.Files) == 0 {
			return FindLabelsOutput{}, err
		}
		version, err := labels.Save(ctx, a.store, v)
		return FindLabelsOutput{Version: version, Files: len(v.Files), Rows: v.Rows, Marker: v.Marker != "", Complete: v.Complete}, err
	})
}
