// Package serving tells whose score each row of a batch gets, and what that changes.
//
// A plan names the models that score every row. [Compare] holds what they said against
// the champion, over all rows or a sample of the entities; a gate decides by it. [Choose]
// applies a [run.Serving], which says who serves whom, while rows are assembled. The
// worker that publishes a batch and the auditor who recomputes it share the package.
package serving

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

// ErrRanks means that stored ranks are not what was written.
var ErrRanks = errors.New("serving: the ranks of the batch are damaged")

// Ranks are the ranks of the models that serve a mixed batch.
type Ranks struct {
	Models  []store.Digest
	Outputs [][]*pass.Ranks // by model and output
}

// of returns the ranks of a model, by output.
func (r *Ranks) of(model store.Digest) ([]*pass.Ranks, error) {
	at := slices.Index(r.Models, model)
	if at < 0 {
		return nil, fmt.Errorf("model %s: %w: it is not among them", run.Short(model), ErrRanks)
	}
	return r.Outputs[at], nil
}

// MarshalBinary returns the number of models, and for each its digest, its number of
// outputs and the ranks of each output. Numbers are unsigned varints, and digests and
// ranks have their length before them.
func (r *Ranks) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(len(r.Models)))
	for i, m := range r.Models {
		b = append(binary.AppendUvarint(b, uint64(len(m))), m...)
		b = binary.AppendUvarint(b, uint64(len(r.Outputs[i])))
		for _, o := range r.Outputs[i] {
			data, err := o.MarshalBinary()
			if err != nil {
				return nil, err
			}
			b = append(binary.AppendUvarint(b, uint64(len(data))), data...)
		}
	}
	return b, nil
}

// most is how many models, and outputs of a model, ranks may be of.
const most = 1000

// UnmarshalBinary reads what MarshalBinary wrote.
func (r *Ranks) UnmarshalBinary(b []byte) error {
	bad := false
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b, bad = nil, true
			return 0
		}
		b = b[n:]
		return v
	}
	text := func() []byte {
		n := number()
		if bad || n > uint64(len(b)) {
			bad = true
			return nil
		}
		out := b[:n]
		b = b[n:]
		return out
	}
	models := number()
	if bad || models > most {
		return ErrRanks
	}
	var out Ranks
	for range models {
		m, outputs := store.Digest(text()), number()
		if bad || outputs > most {
			return ErrRanks
		}
		var all []*pass.Ranks
		for range outputs {
			o := new(pass.Ranks)
			if data := text(); bad || o.UnmarshalBinary(data) != nil {
				return ErrRanks
			}
			all = append(all, o)
		}
		out.Models, out.Outputs = append(out.Models, m), append(out.Outputs, all)
	}
	if len(b) > 0 {
		return ErrRanks
	}
	*r = out
	return nil
}

// LoadRanks reads the ranks that a serving names; nil if it names none.
func LoadRanks(ctx context.Context, b *store.Bucket, s *run.Serving) (*Ranks, error) {
	if s == nil || s.Ranks == nil {
		return nil, nil
	}
	data, err := run.Load(ctx, b, *s.Ranks)
	if err != nil {
		return nil, err
	}
	r := new(Ranks)
	if err := r.UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Ranks.Key, err)
	}
	return r, nil
}

// Load reads a serving and checks that it is of a run. "" gives nil: the champion alone.
func Load(ctx context.Context, b *store.Bucket, d, name store.Digest) (*run.Serving, error) {
	if d == "" {
		return nil, nil
	}
	s := new(run.Serving)
	if err := run.LoadBlob(ctx, b, d, s); err != nil {
		return nil, err
	}
	if s.Run != name {
		return nil, fmt.Errorf("serving: blob %s is of run %s, not of %s", d, run.Short(s.Run), run.Short(name))
	}
	return s, nil
}

// Others returns the models of a serving that are not the champion of the run.
func Others(s *run.Serving) []store.Digest {
	if s == nil {
		return nil
	}
	return slices.DeleteFunc(s.Models(), func(m store.Digest) bool { return m == s.Champion })
}

// Choose fills in whose score each row gets. in has the scores of the run's champion, and
// scores returns those of another model for the same shard.
func Choose(in *pass.AssembleInput, s *run.Serving, ranks *Ranks, scores func(model store.Digest) (*columnar.File, error)) error {
	if s == nil {
		return nil
	}
	index := map[store.Digest]int{s.Champion: 0}
	for i, m := range Others(s) {
		f, err := scores(m)
		if err != nil {
			return err
		}
		in.Others = append(in.Others, pass.Other{Model: string(m), Scores: f})
		index[m] = i + 1
	}
	in.Arm = func(key pass.Key, ok bool) int {
		if s.Routing == nil || !ok {
			return index[s.Model]
		}
		return index[store.Digest(s.Routing.Arms[s.Routing.Assign(key[:])].Model)]
	}
	if ranks == nil {
		return nil
	}
	in.Ranks = make([][]*pass.Ranks, len(index))
	for m, i := range index {
		of, err := ranks.of(m)
		if err != nil {
			return err
		}
		if len(of) != in.Outputs {
			return fmt.Errorf("model %s: %w: %d outputs of %d", run.Short(m), ErrRanks, len(of), in.Outputs)
		}
		in.Ranks[i] = of
	}
	return nil
}
