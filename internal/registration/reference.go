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

// reference profiles the reference batches: all of them together and, where their
// names are dates, those of each month of the year.
func (r Request) reference(ctx context.Context, f *Files, s model.Scorer) (*bundle.ReferenceProfiles, error) {
	if len(r.Reference) == 0 {
		return nil, nil
	}
	all := new(profile.Profile)
	seasons := map[string]*profile.Profile{}
	out := &bundle.ReferenceProfiles{Seasons: map[string][]byte{}}
	for _, batch := range r.Reference {
		p, err := r.describe(ctx, batch.File, f.Contract, s, all.Rows)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", batch.File, err)
		}
		if all, err = profile.Merge(all, p); err != nil {
			return nil, fmt.Errorf("reference %s: %w", batch.File, err)
		}
		if batch.Name == "" {
			continue
		}
		if !slices.Contains(out.Batches, batch.Name) {
			out.Batches = append(out.Batches, batch.Name)
		}
		season, err := seasonOf(f.Config, batch.Name)
		if err != nil {
			return nil, err
		}
		if seasons[season] == nil {
			seasons[season] = new(profile.Profile)
		}
		if seasons[season], err = profile.Merge(seasons[season], p); err != nil {
			return nil, fmt.Errorf("reference %s: %w", batch.File, err)
		}
	}
	slices.Sort(out.Batches)
	var err error
	for season, p := range seasons {
		if out.Seasons[season], err = p.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	out.Profile, err = all.MarshalBinary()
	return out, err
}

// seasonOf returns the month of the year of a batch, "01" to "12".
func seasonOf(conf *pipeline.Config, batch string) (string, error) {
	if err := conf.CheckBatch(batch); err != nil {
		return "", fmt.Errorf("reference: %w", err)
	}
	season := conf.Season(batch)
	if season == "" {
		return "", fmt.Errorf("reference: batch %q has no date, so it is of no season; give its file without a name", batch)
	}
	return season, nil
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
