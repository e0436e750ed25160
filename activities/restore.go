package activities

import (
	"context"
	"errors"
	"time"

	"headgate/internal/delta"
	"headgate/internal/run"
	"headgate/internal/store"
)

// FindPublicationInput names an earlier publication of a batch.
type FindPublicationInput struct {
	Pipeline    string `json:"pipeline"`
	Batch       string `json:"batch"`
	Publication int64  `json:"publication"`
}

// FindPublicationOutput says what a restore starts from.
type FindPublicationOutput struct {
	Expect int64        `json:"expect"` // publications of the batch so far
	Run    store.Digest `json:"run"`    // of the publication to restore
	Model  store.Digest `json:"model"`
	Files  int          `json:"files"`
}

// FindPublication checks that a publication exists and pins how many there are.
func (a *Activities) FindPublication(ctx context.Context, in FindPublicationInput) (FindPublicationOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (FindPublicationOutput, error) {
		history, p, err := a.publication(ctx, in.Pipeline, in.Batch, in.Publication)
		if err != nil {
			return FindPublicationOutput{}, err
		}
		return FindPublicationOutput{Expect: history, Run: store.Digest(p.Info["run"]),
			Model: store.Digest(p.Info["model"]), Files: len(p.Files)}, nil
	})
}

// publication returns the number of the batch's last publication and the one asked for.
func (a *Activities) publication(ctx context.Context, name, batch string, number int64) (int64, delta.Publication, error) {
	history, err := delta.Open(a.store, run.TablePrefix(name)).History(ctx, batch)
	if err != nil {
		return 0, delta.Publication{}, err
	}
	var last int64
	var found *delta.Publication
	for i, p := range history {
		last = max(last, p.Number)
		if p.Number == number {
			found = &history[i]
		}
	}
	if last == 0 {
		return 0, delta.Publication{}, fail(KindUnknown, "batch %s of pipeline %s was never published, so there is nothing to restore", batch, name)
	}
	if found == nil {
		return 0, delta.Publication{}, fail(KindUnknown, "batch %s of %s has no publication %d; it has %d", batch, name, number, last)
	}
	return last, *found, nil
}

// RestoreInput names the publication that becomes the current one again.
type RestoreInput struct {
	Pipeline    string    `json:"pipeline"`
	Batch       string    `json:"batch"`
	Publication int64     `json:"publication"`
	Expect      int64     `json:"expect"`
	Operation   string    `json:"operation"`
	At          time.Time `json:"at"`
	By          string    `json:"by"`
	Reason      string    `json:"reason"`
}

// Restore publishes the files of an earlier publication again, in one commit, and
// enters that in the registry. Files that someone vacuumed come back from the run's
// own copies first.
func (a *Activities) Restore(ctx context.Context, in RestoreInput) (PublishOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (PublishOutput, error) {
		_, p, err := a.publication(ctx, in.Pipeline, in.Batch, in.Publication)
		if err != nil {
			return PublishOutput{}, err
		}
		for _, f := range p.Files {
			if err := a.bringBack(ctx, in, f, store.Digest(p.Info["run"])); err != nil {
				return PublishOutput{}, err
			}
		}
		info := map[string]string{}
		for k, v := range p.Info {
			info[k] = v
		}
		info["by"], info["reason"] = in.By, in.Reason
		published, err := delta.Open(a.store, run.TablePrefix(in.Pipeline)).Restore(ctx, delta.RestoreCommit{
			Pipeline: in.Pipeline, Batch: in.Batch, Expect: in.Expect, To: in.Publication,
			Operation: in.Operation, Info: info, At: in.At})
		if err != nil {
			return PublishOutput{}, err
		}
		log, err := a.recordPublications(ctx, in.Pipeline)
		if err != nil {
			return PublishOutput{}, err
		}
		out := PublishOutput{Publication: published.Publication, TableVersion: published.Version,
			Values: store.Digest(info["values"]), Anchor: log.Anchor()}
		for _, f := range p.Files {
			out.Rows += f.Rows
		}
		return out, nil
	})
}

// bringBack makes sure that a data file of the table exists.
func (a *Activities) bringBack(ctx context.Context, in RestoreInput, f delta.File, name store.Digest) error {
	key := run.TablePrefix(in.Pipeline) + "/" + f.Path
	found, err := run.Published(ctx, a.store, in.Pipeline, in.Batch, name, f)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fail(KindCorrupt, "publication %d cannot be restored: %w", in.Publication, err)
	case err != nil || found.Key == key:
		return err
	}
	data, err := run.Load(ctx, a.store, found)
	if err != nil {
		return err
	}
	return a.store.Put(ctx, key, data)
}
