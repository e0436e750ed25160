package pass

import (
	"context"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/profile"
)

// Describe returns the profile of a file's rows and of the scores that they get: what
// a pass over the file would have profiled. It is what later batches are compared with.
func Describe(ctx context.Context, f *columnar.File, c *contract.Contract, s model.Scorer, progress func(rows int64)) (*profile.Profile, error) {
	columns, err := Columns(f, c, s, nil)
	if err != nil {
		return nil, err
	}
	builder := profile.NewBuilder(profileOptions(c, s))
	var scores model.Scores
	var n numbers
	var row int64
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			return nil, err
		}
		if err := s.Score(&scores, rec); err != nil {
			return nil, err
		}
		n.read(&scores)
		described := withScores(rec, n.outputs)
		err := builder.Add(described)
		described.Release()
		if err != nil {
			return nil, err
		}
		row += rec.NumRows()
		if progress != nil {
			progress(row)
		}
	}
	return builder.Profile(), nil
}

// profileOptions say what a profile may keep of the columns of a contract, and which
// of them cut it into slices.
func profileOptions(c *contract.Contract, s model.Scorer) *profile.Options {
	o := &profile.Options{Slices: c.WithRole(contract.RoleSlice)}
	for _, col := range c.Columns {
		switch {
		case col.Restricted():
			o.Restricted = append(o.Restricted, col.Name)
		case col.Classified():
			o.Confidential = append(o.Confidential, col.Name)
		}
	}
	for i := range s.Outputs() {
		o.Scores = append(o.Scores, ScoreName(i, s.Outputs()))
	}
	return o
}
