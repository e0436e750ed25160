package train

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Split says which batches and which entities a training may know. The zero value
// learns from everything and keeps nothing for the evidence.
type Split struct {
	Window      int     `json:"window,omitempty"`      // batches to learn from, the latest; 0 means all
	Valid       int     `json:"valid,omitempty"`       // batches after them, for tuning and early stopping
	Calibration int     `json:"calibration,omitempty"` // batches after those, for the calibration
	Evidence    int     `json:"evidence,omitempty"`    // batches after all of them, which no trainer sees
	Entities    float64 `json:"entities,omitempty"`    // share of the entities that only the evidence has
}

// check returns what is wrong with a split.
func (s Split) check() error {
	switch {
	case min(s.Window, s.Valid, s.Calibration, s.Evidence) < 0:
		return errors.New("split: a number of batches cannot be negative")
	case !(s.Entities >= 0 && s.Entities < 1):
		return fmt.Errorf("split: the share of entities kept for the evidence is %g; it is from 0 to below 1", s.Entities)
	}
	return nil
}

// A Batch is what a split must know of one.
type Batch struct {
	Name  string
	Begin time.Time // when its rows were true
	Known time.Time // when all of its labels were known; the zero time means at Begin
}

func (b Batch) known() time.Time {
	if b.Known.IsZero() {
		return b.Begin
	}
	return b.Known
}

// Parts are the batches of each part, in the order of time: every batch of a part is
// later than all batches of the parts before.
type Parts struct {
	Train, Valid, Calibration, Evidence []string

	Older []string // before the window
	Later []string // true, or known, only after as-of
}

// ErrBatches means that there are too few batches, or some that cannot be ordered.
var ErrBatches = errors.New("split")

// OutOfTime divides batches by time: the latest that were known at asOf are the
// evidence, those before them calibrate, those before tell when to stop, and the ones
// before are learned from. A batch that begins after asOf, or whose labels were known
// only later, is in none of them. The order of batches does not matter.
//
// Two batches with one name or one beginning, and too few batches for one to be left to
// learn from, are [ErrBatches].
func OutOfTime(batches []Batch, asOf time.Time, s Split) (Parts, error) {
	if err := s.check(); err != nil {
		return Parts{}, err
	}
	sorted, err := inOrder(batches)
	if err != nil {
		return Parts{}, err
	}
	var p Parts
	var usable []string
	for _, b := range sorted {
		if b.Begin.After(asOf) || b.known().After(asOf) {
			p.Later = append(p.Later, b.Name)
		} else {
			usable = append(usable, b.Name)
		}
	}
	need := max(s.Window, 1) + s.Valid + s.Calibration + s.Evidence
	if len(usable) < need {
		return Parts{}, fmt.Errorf("%w: %d batches were known at %s, and it takes %d: %d to learn from, %d to tell when to stop, %d to calibrate, %d for the evidence",
			ErrBatches, len(usable), asOf.Format(time.DateOnly), need, max(s.Window, 1), s.Valid, s.Calibration, s.Evidence)
	}
	last := func(n int) []string {
		cut := len(usable) - n
		part := slices.Clone(usable[cut:])
		usable = usable[:cut]
		return part
	}
	p.Evidence, p.Calibration, p.Valid = last(s.Evidence), last(s.Calibration), last(s.Valid)
	if s.Window == 0 {
		s.Window = len(usable)
	}
	p.Train, p.Older = last(s.Window), usable
	return p, nil
}

// Windows is [OutOfTime] for several training windows, each for a challenger of its own.
// The other parts are the same for all of them, so that the challengers can be compared.
// A window of 0 is everything; one that gives the batches of another is left out.
func Windows(batches []Batch, asOf time.Time, s Split, windows []int) ([]Parts, error) {
	var all []Parts
	for _, w := range windows {
		s.Window = w
		p, err := OutOfTime(batches, asOf, s)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(q Parts) bool { return slices.Equal(p.Train, q.Train) }) {
			all = append(all, p)
		}
	}
	return all, nil
}

// inOrder sorts batches by time.
func inOrder(batches []Batch) ([]Batch, error) {
	sorted := slices.Clone(batches)
	slices.SortStableFunc(sorted, func(a, b Batch) int { return a.Begin.Compare(b.Begin) })
	seen := map[string]bool{}
	for i, b := range sorted {
		switch {
		case seen[b.Name]:
			return nil, fmt.Errorf("%w: batch %s is there twice", ErrBatches, b.Name)
		case i > 0 && b.Begin.Equal(sorted[i-1].Begin):
			return nil, fmt.Errorf("%w: batches %s and %s begin at the same time, so neither is the later one", ErrBatches, sorted[i-1].Name, b.Name)
		}
		seen[b.Name] = true
	}
	return sorted, nil
}
