package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"headgate/internal/store"
)

// A Report is what [Verify] found.
type Report struct {
	Pipeline string    `json:"pipeline"`
	Entries  int64     `json:"entries"` // that are there, sound or not
	Head     int64     `json:"head"`    // highest number
	Anchor   string    `json:"anchor"`  // of the head, see [Log.Anchor]
	Problems []Problem `json:"problems"`
}

// A Problem is one thing that is wrong with a log.
type Problem struct {
	Seq     int64  `json:"seq,omitempty"` // entry that it shows at; 0 if at none
	Key     string `json:"key"`           // object, or the log's prefix
	Message string `json:"message"`       // one sentence
}

func (p Problem) String() string { return p.Key + ": " + p.Message }

// Err returns nil if the log is sound, or an error that names every problem.
func (r *Report) Err() error {
	errs := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		errs[i] = fmt.Errorf("registry %s: %s", r.Pipeline, p)
	}
	return errors.Join(errs...)
}

// ErrAnchor means that a string is no anchor.
var ErrAnchor = errors.New("registry: not an anchor: want SEQ:sha256:… as a report prints it")

// ParseAnchor returns the parts of an anchor, or [ErrAnchor].
func ParseAnchor(s string) (seq int64, d store.Digest, err error) {
	digits, sum, _ := strings.Cut(s, ":")
	d = store.Digest(sum)
	seq, err = strconv.ParseInt(digits, 10, 64)
	if err != nil || seq < 0 || !d.Valid() || strconv.FormatInt(seq, 10) != digits {
		return 0, "", fmt.Errorf("%w: %q", ErrAnchor, s)
	}
	return seq, d, nil
}

// Verify reads a pipeline's whole log and reports every problem: an object that is
// no entry or not the one its name says, a missing entry, a break in the chain, an
// ID that two entries have, a rule of the log that was broken, an object that does
// not belong there.
//
// A chain without its tail is still a chain, and so is one whose last entry was
// replaced. Only an anchor from elsewhere shows that: for each, Verify checks that
// the log reaches so far and has that digest there.
//
// The error says why Verify could not look; it needs to read and to list only.
func Verify(ctx context.Context, b *store.Bucket, pipeline string, anchors ...string) (*Report, error) {
	if _, err := newLog(b, pipeline); err != nil {
		return nil, err
	}
	v := &verifier{
		report:  Report{Pipeline: pipeline, Problems: []Problem{}},
		digests: map[int64]store.Digest{0: Genesis(pipeline)},
		ids:     make(map[string]int64),
	}
	numbers, strays, err := listed(ctx, b, pipeline)
	if err != nil {
		return nil, err
	}
	objects, err := fetch(ctx, b, pipeline, numbers)
	if err != nil {
		return nil, err
	}
	for i, seq := range numbers {
		v.missing(v.report.Head+1, seq-1)
		v.report.Head = seq
		v.entry(seq, objects[i])
	}
	for _, key := range strays {
		v.report.Problems = append(v.report.Problems, Problem{Key: key, Message: "this object is no entry's: it does not belong here"})
	}
	for _, a := range anchors {
		if err := v.anchor(a); err != nil {
			return nil, err
		}
	}
	v.report.Entries = int64(len(numbers))
	v.report.Anchor = fmt.Sprintf("%d:%s", v.report.Head, v.digests[v.report.Head])
	return &v.report, nil
}

// A verifier goes through a log entry by entry.
type verifier struct {
	report  Report
	digests map[int64]store.Digest // of each entry that is there; 0 is Genesis
	ids     map[string]int64
	state   State
}

func (v *verifier) problem(seq int64, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{
		Seq: seq, Key: Key(v.report.Pipeline, seq), Message: fmt.Sprintf(format, args...),
	})
}

// missing tells of a gap, if there is one.
func (v *verifier) missing(first, last int64) {
	switch {
	case first == last:
		v.problem(first, "the entry is missing")
	case first < last:
		v.problem(first, "the entries %d to %d are missing", first, last)
	}
}

// entry checks one object of the log.
func (v *verifier) entry(seq int64, data []byte) {
	before := v.digests[seq-1] // "" if it is missing
	v.digests[seq] = store.DigestOf(data)
	e, err := ParseEntry(data)
	if err != nil {
		v.problem(seq, "%s", strings.TrimPrefix(err.Error(), "registry: "))
		return
	}
	if e.Seq != seq {
		v.problem(seq, "it says that it is entry %d", e.Seq)
	}
	switch {
	case before == "" || e.Prev == before:
	case seq == 1:
		v.problem(seq, "it continues %s: it was changed, or comes from another log", e.Prev)
	default:
		v.problem(seq, "it continues %s, but entry %d is %s: one of them was changed", e.Prev, seq-1, before)
	}
	if other, ok := v.ids[e.ID]; ok {
		v.problem(seq, "its id %q is that of entry %d", e.ID, other)
	} else {
		v.ids[e.ID] = seq
	}
	if now := v.state.basis(); e.Basis != "" && e.Basis != now {
		v.problem(seq, "its decision rests on %s, but aliases, routing and rejections were %s", e.Basis, now)
	}
	if err := v.state.add(e); err != nil {
		v.problem(seq, "%s", err)
	}
}

// anchor checks the log against what somebody kept of it.
func (v *verifier) anchor(s string) error {
	seq, want, err := ParseAnchor(s)
	if err != nil {
		return err
	}
	have, ok := v.digests[seq]
	switch {
	case seq > v.report.Head:
		v.report.Problems = append(v.report.Problems, Problem{
			Key: Prefix(v.report.Pipeline),
			Message: fmt.Sprintf("the log ends at entry %d, but the anchor %s is of entry %d: its end was cut off",
				v.report.Head, s, seq),
		})
	case ok && have != want: // a gap is told already
		v.problem(seq, "it is %s, but the anchor says %s: it, or an entry before it, was replaced", have, want)
	}
	return nil
}
