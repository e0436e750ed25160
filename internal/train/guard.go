package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// DefaultLeak is the threshold of a [LeakPolicy] that does not say.
const DefaultLeak = 0.99

// A LeakPolicy says when a feature is suspected to know the answer.
type LeakPolicy struct {
	// Threshold is how well a feature may predict the label alone: the area under the
	// ROC curve of a binary label (of several classes, of that which it tells worst), or
	// the share of a number's variance that it explains. 0 means DefaultLeak.
	Threshold float64 `json:"threshold,omitempty"`
	// Allow names features that may do so all the same, because somebody has looked.
	Allow []string `json:"allow,omitempty"`
}

func (p LeakPolicy) threshold() float64 {
	if p.Threshold == 0 {
		return DefaultLeak
	}
	return p.Threshold
}

// A FindingKind says what is odd about a feature.
type FindingKind string

// The kinds. The first three are leaks and stop a training.
const (
	LateFeature    FindingKind = "late"       // dated, or known, after as-of
	EqualsLabel    FindingKind = "equalLabel" // in every row
	PredictsLabel  FindingKind = "predictsLabel"
	EmptyFeature   FindingKind = "empty"    // has no value in any row
	ConstantColumn FindingKind = "constant" // has one value in all rows
	RareLabel      FindingKind = "rareLabel"
)

// A Finding is what [Guard] has to say of one column.
type Finding struct {
	Column string      `json:"column"`
	Kind   FindingKind `json:"kind"`
	Value  float64     `json:"value,omitempty"` // AUC or R² of predictsLabel, rows of late
	Text   string      `json:"text"`            // a sentence that names the column
}

// Leak reports whether the finding stops a training.
func (f Finding) Leak() bool {
	return f.Kind == LateFeature || f.Kind == EqualsLabel || f.Kind == PredictsLabel
}

// A LeakError means that features know the answer.
type LeakError struct {
	Findings []Finding // leaks only
}

func (e *LeakError) Error() string {
	texts := make([]string, len(e.Findings))
	columns := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i], columns[i] = f.Text, f.Column
	}
	return fmt.Sprintf("the training stops, for the answer leaks into the features: %s; leave out %s, or allow what was looked at",
		strings.Join(texts, "; "), names(columns))
}

// A LabelError means that there is nothing to learn from a label.
type LabelError struct {
	Column string
	Reason string
}

func (e *LabelError) Error() string { return fmt.Sprintf("label %q %s", e.Column, e.Reason) }

// A Review is what [Guard] found.
type Review struct {
	Task     Task
	Rows     int64
	Classes  []int64 // rows of each class; nil for regression
	Findings []Finding
}

// Notes are the findings that stop nothing, in a sentence each.
func (r *Review) Notes() []string {
	var notes []string
	for _, f := range r.Findings {
		notes = append(notes, f.Text)
	}
	return notes
}

// rareLabel is the share of the rows below which a class deserves a note.
const rareLabel = 0.01

// Guard looks at the rows of the training part, all of them once, before anything is
// learned: whether a feature knows the answer, and what a person should know of the
// features and the label. It reads the rows that the manifest lets a training use.
//
// Leaks that the manifest does not allow are a *[LeakError]; a label with one value, or
// one that does not fit the task, is a *[LabelError]. How well a feature predicts is
// measured on a sample of 20,000 rows, by the manifest's seed.
func Guard(ctx context.Context, rows Rows, m *Manifest) (*Review, error) {
	var used Used
	rows, err := usable(until(ctx, rows), m, &used)
	if err != nil {
		return nil, err
	}
	return guard(rows, m)
}

// guard is Guard of rows that are usable already.
func guard(rows Rows, m *Manifest) (*Review, error) {
	g, err := newGuard(m)
	if err != nil {
		return nil, err
	}
	for rec, err := range rows {
		if err != nil {
			return nil, err
		}
		if err := g.add(rec); err != nil {
			return nil, err
		}
	}
	return g.review()
}

// review judges what was seen.
func (g *guardian) review() (*Review, error) {
	r := &Review{Rows: g.rows}
	if g.rows == 0 {
		return nil, fmt.Errorf("training data: there are no rows with a label up to as-of")
	}
	if err := g.label.judge(g.m, r); err != nil {
		return nil, err
	}
	var leaks []Finding
	for i := range g.features {
		f, found := g.features[i].judge(g, r.Task)
		switch {
		case !found:
		case f.Leak() && !slices.Contains(g.m.Leak.Allow, f.Column):
			leaks = append(leaks, f)
		default:
			r.Findings = append(r.Findings, f)
		}
	}
	if len(leaks) > 0 {
		return nil, &LeakError{leaks}
	}
	return r, nil
}

// A labelWatch follows the label.
type labelWatch struct {
	first, low, high float64
	varies           bool
	whole            bool              // every value is a whole number from 0 on
	counts           map[float64]int64 // of the first maxClasses different values
}

// maxClasses is the most classes that a label can have.
const maxClasses = 1000

func (l *labelWatch) add(v float64) {
	if l.counts == nil {
		l.counts, l.first, l.low, l.high, l.whole = map[float64]int64{}, v, v, v, true
	}
	l.varies = l.varies || v != l.first
	l.low, l.high = min(l.low, v), max(l.high, v)
	l.whole = l.whole && v >= 0 && v == math.Trunc(v)
	if _, seen := l.counts[v]; seen || len(l.counts) <= maxClasses {
		l.counts[v]++
	}
}

// judge finds the task, the classes, and what is odd about the label.
func (l *labelWatch) judge(m *Manifest, r *Review) error {
	wrong := func(format string, args ...any) error { return &LabelError{m.Label, fmt.Sprintf(format, args...)} }
	if !l.varies {
		return wrong("is %g in all %d rows; there is nothing to learn", l.first, r.Rows)
	}
	if r.Task = m.Task; r.Task == "" {
		r.Task = Regression
		if l.low == 0 && l.high == 1 && len(l.counts) == 2 {
			r.Task = Binary
		}
	}
	switch {
	case r.Task == Regression:
		return nil
	case r.Task == Binary && (len(l.counts) != 2 || l.low != 0 || l.high != 1):
		return wrong("is from %g to %g; a binary label is 0 or 1", l.low, l.high)
	case !l.whole || l.high >= maxClasses:
		return wrong("is from %g to %g; classes are whole numbers from 0 to %d", l.low, l.high, maxClasses-1)
	}
	r.Classes = make([]int64, int(l.high)+1)
	for v, n := range l.counts {
		r.Classes[int(v)] = n
	}
	for class, n := range r.Classes {
		if float64(n) < rareLabel*float64(r.Rows) {
			r.Findings = append(r.Findings, Finding{Column: m.Label, Kind: RareLabel, Value: float64(n),
				Text: fmt.Sprintf("label %q is %d in only %d of %d rows", m.Label, class, n, r.Rows)})
		}
	}
	return nil
}
