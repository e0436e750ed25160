package evidence

import (
	"math"

	"headgate/internal/evaluate"
)

// Where returns the rows that keep chooses. What is not by row is shared.
func (r *Rows) Where(keep func(i int) bool) *Rows {
	var at []int
	for i := range r.Labels {
		if keep(i) {
			at = append(at, i)
		}
	}
	out := &Rows{Request: r.Request, Share: r.Share, Batches: r.Batches, Unscored: r.Unscored,
		Labels: pick(r.Labels, at), Weights: pick(r.Weights, at), Entity: pick(r.Entity, at), Cluster: pick(r.Cluster, at),
		Batch: pick(r.Batch, at), Served: pick(r.Served, at), State: pick(r.State, at), Absent: pick(r.Absent, at)}
	for _, scores := range r.Scores {
		out.Scores = append(out.Scores, pick(scores, at))
	}
	for _, s := range r.Slices {
		out.Slices = append(out.Slices, Slice{Name: s.Name, Protected: s.Protected, Values: s.Values, Of: pick(s.Of, at)})
	}
	return out
}

func pick[T any](values []T, at []int) []T {
	if values == nil {
		return nil
	}
	out := make([]T, len(at))
	for i, from := range at {
		out[i] = values[from]
	}
	return out
}

// Judged returns the rows that count: their outcome is known and is not what a treatment
// made of it, and every model of the request has scored them.
func (r *Rows) Judged() *Rows {
	return r.Where(func(i int) bool {
		if r.State[i] != Judged {
			return false
		}
		for _, scores := range r.Scores {
			if math.IsNaN(scores[i]) {
				return false
			}
		}
		return true
	})
}

// Data returns the rows as package evaluate takes them, with the scores of a model of the
// request. Weights are nil if all are 1, and clusters if no two rows share one.
func (r *Rows) Data(model int) evaluate.Data {
	d := evaluate.Data{Scores: r.Scores[model], Labels: r.Labels}
	for _, w := range r.Weights {
		if w != 1 {
			d.Weights = r.Weights
			break
		}
	}
	seen := make(map[uint64]struct{}, len(r.Cluster))
	for _, c := range r.Cluster {
		if _, again := seen[c]; again {
			d.Clusters = r.Cluster
			break
		}
		seen[c] = struct{}{}
	}
	return d
}

// Dimensions returns the slices as package evaluate takes them.
func (r *Rows) Dimensions() []evaluate.Dimension {
	var out []evaluate.Dimension
	for _, s := range r.Slices {
		values := make([]string, len(s.Of))
		for i, at := range s.Of {
			values[i] = s.Values[at]
		}
		out = append(out, evaluate.Dimension{Name: s.Name, Values: values})
	}
	return out
}
