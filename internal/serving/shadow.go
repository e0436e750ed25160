package serving

import (
	"errors"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/store"
)

// A Shadow is what the champion and a candidate said of rows that the candidate was
// judged on in the shadow.
type Shadow struct {
	Decision store.Digest // blob of the verdict
	Batches  []string
	compare.Pair
	Missing string // why there are no rows; or ""
}

// moved holds what a model says of the sample against its shadow. at is its place among
// the models that have scored.
func (c *comparer) moved(s *Shadow, at int) (*gate.Moved, error) {
	out := &gate.Moved{Decision: string(s.Decision), Batches: s.Batches, Rows: int64(len(s.Champion)), Missing: s.Missing}
	if s.Missing != "" {
		return out, nil
	}
	before, now := s.Pair, compare.Pair{Champion: c.scores[0], Challenger: c.scores[at], Clusters: c.clusters}
	if unique(append(append([]uint64{}, before.Clusters...), now.Clusters...)) {
		before.Clusters, now.Clusters = nil, nil
	}
	found, err := compare.Moved(before, now, &compare.Options{Threshold: c.in.Threshold})
	var input *evaluate.InputError
	switch {
	case errors.As(err, &input), errors.Is(err, evaluate.ErrUndefined):
		out.Missing = err.Error()
		return out, nil
	case err != nil:
		return nil, err
	}
	out.PSI, out.Shift, out.Flips = &found.PSI, &found.Shift, found.Flips
	return out, nil
}
