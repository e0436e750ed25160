package registration

import (
	"context"
	"fmt"
	"os"
	"slices"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/profile"
)

// reference profiles the reference batches.
func (r Request) reference(ctx context.Context, f *Files, s model.Scorer) (*bundle.ReferenceProfiles, error) {
	if len(r.Reference) == 0 {
		return nil, nil
	}
	all := NewReference(f.Config)
	for _, batch := range r.Reference {
		p, err := r.describe(ctx, batch.File, f.Contract, s, all.profile.Rows)
		if err == nil {
			err = all.Add(batch.Name, p)
		}
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", batch.File, err)
		}
	}
	return all.Profiles()
}

// A Reference gathers the profiles that later batches are compared with: one of all
// batches together and, where their names are dates, one of each month of the year.
type Reference struct {
	config  *pipeline.Config
	profile *profile.Profile
	seasons map[string]*profile.Profile
	batches []string
}

// NewReference returns an empty reference.
func NewReference(c *pipeline.Config) *Reference {
	return &Reference{config: c, profile: new(profile.Profile), seasons: map[string]*profile.Profile{}}
}

// Add adds the profile of a file of a batch; no name, no season.
func (r *Reference) Add(batch string, p *profile.Profile) (err error) {
	if r.profile, err = profile.Merge(r.profile, p); err != nil || batch == "" {
		return err
	}
	if !slices.Contains(r.batches, batch) {
		r.batches = append(r.batches, batch)
	}
	if err := r.config.CheckBatch(batch); err != nil {
		return err
	}
	season := r.config.Season(batch)
	if season == "" {
		return nil
	}
	if r.seasons[season] == nil {
		r.seasons[season] = new(profile.Profile)
	}
	r.seasons[season], err = profile.Merge(r.seasons[season], p)
	return err
}

// Profiles returns the reference as a bundle keeps it.
func (r *Reference) Profiles() (*bundle.ReferenceProfiles, error) {
	out := &bundle.ReferenceProfiles{Seasons: map[string][]byte{}, Batches: slices.Sorted(slices.Values(r.batches))}
	var err error
	for season, p := range r.seasons {
		if out.Seasons[season], err = p.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	out.Profile, err = r.profile.MarshalBinary()
	return out, err
}

// describe profiles one file. before counts the rows of the files before it.
func (r Request) describe(ctx context.Context, name string, c *contract.Contract, s model.Scorer, before int64) (*profile.Profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := columnar.Open(f, info.Size(), &columnar.OpenOptions{Name: name})
	if err != nil {
		return nil, err
	}
	return pass.Describe(ctx, file, c, s, func(rows int64) {
		if r.Progress != nil {
			r.Progress(before + rows)
		}
	})
}
