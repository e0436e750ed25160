// Package registry keeps a pipeline's audit trail: an append-only log of model
// versions, verdicts, promotions and publications, each entry naming the digest
// of the one before.
//
// What production uses is a fold over the log ([Log.State]); nothing is edited or
// deleted, and a rollback is one more entry. To append is to put the object with
// the next number if it is absent, so the log needs no lock and no database.
//
// The package decides what may follow what. It never looks into models or data,
// and never decides whether something should be promoted.
//
// Start at [Load] and [Log.Append].
package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"headgate/internal/store"
)

var (
	// ErrHeadMoved means that the log moved on and what the entry's decision rests
	// on is no longer so. Reload and decide again.
	ErrHeadMoved = errors.New("registry: head moved")

	// ErrIDTaken means that an ID names an entry that records something else.
	ErrIDTaken = errors.New("registry: the id names another entry")

	// ErrPipeline means that a string is no pipeline's name.
	ErrPipeline = errors.New("registry: not a pipeline's name: want a-z, 0-9 and -, at most 63")
)

// A HashError means that an entry does not continue the chain before it: it, or
// the entry before it, is not what was appended.
type HashError struct {
	Pipeline string
	Seq      int64        // the entry that names Want as the one before it
	Want     store.Digest // what entry Seq says
	Have     store.Digest // what entry Seq-1 is; "" if it is missing
}

func (e *HashError) Error() string {
	if e.Have == "" {
		return fmt.Sprintf("registry %s: entry %d is missing, but entry %d is there", e.Pipeline, e.Seq-1, e.Seq)
	}
	if e.Seq == 1 {
		return fmt.Sprintf("registry %s: entry 1 continues %s: it was changed, or comes from another log", e.Pipeline, e.Want)
	}
	return fmt.Sprintf("registry %s: entry %d continues %s, but entry %d is %s: one of them was changed",
		e.Pipeline, e.Seq, e.Want, e.Seq-1, e.Have)
}

// An EntryError means that an object of the log is not the entry it should be.
type EntryError struct {
	Pipeline string
	Seq      int64
	Err      error
}

func (e *EntryError) Error() string {
	return fmt.Sprintf("registry %s: entry %d: %s", e.Pipeline, e.Seq, strings.TrimPrefix(e.Err.Error(), "registry: "))
}

func (e *EntryError) Unwrap() error { return e.Err }

// A Log is a pipeline's log as far as it was read. It is safe for concurrent use,
// by many processes as well.
type Log struct {
	bucket   *store.Bucket
	pipeline string

	mu      sync.Mutex
	entries []Entry
	head    store.Digest     // of the last entry; of Genesis if there is none
	byID    map[string]int64 // ID → Seq
	state   State
}

var pipelineName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Prefix returns what the keys of a pipeline's log begin with,
// "registry/<pipeline>/log/".
func Prefix(pipeline string) string { return "registry/" + pipeline + "/log/" }

// Key returns the key of one entry: the prefix, ten digits, ".json".
func Key(pipeline string, seq int64) string {
	return fmt.Sprintf("%s%010d.json", Prefix(pipeline), seq)
}

// Genesis returns what the first entry of a log names as the one before it: the
// digest of "headgate registry <pipeline>" and a newline. So an entry of one
// pipeline cannot pass for an entry of another.
func Genesis(pipeline string) store.Digest {
	return store.DigestOf([]byte("headgate registry " + pipeline + "\n"))
}

// Load reads a pipeline's log and checks its chain. A pipeline without entries has
// an empty log. Load returns a [*HashError] or an [*EntryError] for the first
// entry that is not as it was appended, and [ErrPipeline].
func Load(ctx context.Context, b *store.Bucket, pipeline string) (*Log, error) {
	l, err := newLog(b, pipeline)
	if err != nil {
		return nil, err
	}
	numbers, _, err := listed(ctx, b, pipeline)
	if err != nil {
		return nil, err
	}
	for i, seq := range numbers {
		if seq != int64(i+1) {
			return nil, &HashError{Pipeline: pipeline, Seq: seq}
		}
	}
	objects, err := fetch(ctx, b, pipeline, numbers)
	if err != nil {
		return nil, err
	}
	for _, data := range objects {
		if err := l.add(data); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func newLog(b *store.Bucket, pipeline string) (*Log, error) {
	if !pipelineName.MatchString(pipeline) {
		return nil, fmt.Errorf("%w: %q", ErrPipeline, pipeline)
	}
	return &Log{bucket: b, pipeline: pipeline, head: Genesis(pipeline), byID: make(map[string]int64)}, nil
}

// listed returns the numbers of the entries that are there, in order, and the keys
// beside them that are no entries' keys.
func listed(ctx context.Context, b *store.Bucket, pipeline string) (numbers []int64, strays []string, err error) {
	for attrs, err := range b.List(ctx, Prefix(pipeline)) {
		if err != nil {
			return nil, nil, fmt.Errorf("registry %s: %w", pipeline, err)
		}
		digits := strings.TrimSuffix(strings.TrimPrefix(attrs.Key, Prefix(pipeline)), ".json")
		seq, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || seq < 1 || attrs.Key != Key(pipeline, seq) {
			strays = append(strays, attrs.Key)
			continue
		}
		numbers = append(numbers, seq)
	}
	// Eleven digits would sort before ten.
	slices.Sort(numbers)
	return numbers, strays, nil
}

// fetch returns the bytes of the entries with those numbers.
func fetch(ctx context.Context, b *store.Bucket, pipeline string, numbers []int64) ([][]byte, error) {
	objects := make([][]byte, len(numbers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i, seq := range numbers {
		group.Go(func() (err error) {
			objects[i], err = b.Get(ctx, Key(pipeline, seq))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("registry %s: %w", pipeline, err)
	}
	return objects, nil
}

// add appends to what was read the entry that data encodes.
func (l *Log) add(data []byte) error {
	seq := int64(len(l.entries)) + 1
	e, err := ParseEntry(data)
	if err == nil && e.Seq != seq {
		err = fmt.Errorf("%w: it says that it is entry %d", ErrEntry, e.Seq)
	}
	if err != nil {
		return &EntryError{Pipeline: l.pipeline, Seq: seq, Err: err}
	}
	if e.Prev != l.head {
		return &HashError{Pipeline: l.pipeline, Seq: seq, Want: e.Prev, Have: l.head}
	}
	l.entries = append(l.entries, e)
	l.head = store.DigestOf(data)
	if _, ok := l.byID[e.ID]; !ok {
		l.byID[e.ID] = seq
	}
	// A rule that was broken is for Verify to tell: the entry has no effect.
	_ = l.state.add(e)
	return nil
}

// Reload reads the entries that were appended since the log was last read.
func (l *Log) Reload(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.catchUp(ctx)
}

func (l *Log) catchUp(ctx context.Context) error {
	for {
		data, err := l.bucket.Get(ctx, Key(l.pipeline, int64(len(l.entries))+1))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("registry %s: %w", l.pipeline, err)
		}
		if err := l.add(data); err != nil {
			return err
		}
	}
}

// Append appends e, with Seq and Prev filled in, and returns it as it is kept.
//
// It reads the log to its head first. If an entry of the same ID is there, Append
// returns that one: whoever lost an answer can call again. That entry must record
// the same, or [ErrIDTaken] is returned; time, author and wording may differ.
//
// If e.Basis is set and is not the log's present [Log.Basis], Append returns
// [ErrHeadMoved]. Another writer who comes first with an entry that leaves the
// basis as it is does no harm: Append tries again behind it. [ErrAliasTaken],
// [ErrUnknownModel], [ErrRejected], [ErrProposal], [ErrNotMissed] and [ErrEntry] mean that
// the log does not take such an entry.
// After an error of the store, e may have been appended or not: call again.
func (l *Log) Append(ctx context.Context, e Entry) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if err := l.catchUp(ctx); err != nil {
			return Entry{}, err
		}
		if seq, ok := l.byID[e.ID]; ok {
			return l.recorded(e, l.entries[seq-1])
		}
		data, next, err := l.next(e)
		if err != nil {
			return Entry{}, err
		}
		err = l.bucket.Put(ctx, Key(l.pipeline, next.Seq), data)
		switch {
		case err == nil:
			return next, l.add(data)
		case !errors.Is(err, store.ErrExists):
			return Entry{}, fmt.Errorf("registry %s: append %s %q: %w", l.pipeline, e.Kind, e.ID, err)
		}
		// Another writer has that number now. One of us got on, so this ends.
	}
}

// recorded returns the entry that e's ID names, if it records the same as e.
func (l *Log) recorded(e, found Entry) (Entry, error) {
	if !sameFacts(e, found) {
		return Entry{}, fmt.Errorf("registry %s: append %s %q: entry %d: %w", l.pipeline, e.Kind, e.ID, found.Seq, ErrIDTaken)
	}
	return found, nil
}

// next returns e as the entry after the head, and its bytes.
func (l *Log) next(e Entry) ([]byte, Entry, error) {
	attempt := func(err error) error {
		return fmt.Errorf("registry %s: append %s %q after entry %d: %w", l.pipeline, e.Kind, e.ID, len(l.entries), err)
	}
	if now := l.state.basis(); e.Basis != "" && e.Basis != now {
		return nil, Entry{}, attempt(fmt.Errorf("%w: the decision rests on %s, aliases, routing and rejections are %s", ErrHeadMoved, e.Basis, now))
	}
	e.Seq, e.Prev = int64(len(l.entries))+1, l.head
	data, err := e.Bytes()
	if err != nil {
		return nil, Entry{}, attempt(err)
	}
	// What cannot be read back must not be written.
	next, err := ParseEntry(data)
	if err != nil {
		return nil, Entry{}, attempt(err)
	}
	trial := l.state.clone()
	if err := trial.add(next); err != nil {
		return nil, Entry{}, attempt(err)
	}
	return data, next, nil
}

// Pipeline returns the name of the log's pipeline.
func (l *Log) Pipeline() string { return l.pipeline }

// Entries returns the entries that were read, the first one first. The caller may
// keep the slice but must not change what its entries point to.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Of returns the entries of some kinds that were read, the first one first.
func (l *Log) Of(kinds ...string) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Entry
	for _, e := range l.entries {
		if slices.Contains(kinds, e.Kind) {
			all = append(all, e)
		}
	}
	return all
}

// Find returns the entry of that ID.
func (l *Log) Find(id string) (Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seq, ok := l.byID[id]
	if !ok {
		return Entry{}, false
	}
	return l.entries[seq-1], true
}

// Head returns the number of the last entry that was read, 0 if there is none.
func (l *Log) Head() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.entries))
}

// Anchor returns "SEQ:DIGEST" of the last entry that was read; an empty log has
// 0 and its [Genesis]. Whoever has kept an anchor can tell later whether the log
// up to there is still the same, and whether its end was cut off: see [Verify].
func (l *Log) Anchor() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d:%s", len(l.entries), l.head)
}

// State returns what the entries that were read add up to.
func (l *Log) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.clone()
}

// Basis returns the digest of what decisions about routing rest on: the aliases, the
// routing in force and the rejected models. Entries that do not touch them leave it as
// it is.
func (l *Log) Basis() store.Digest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.basis()
}

// clone returns a state that shares nothing that add changes. Its maps are never nil.
func (s *State) clone() State {
	c := *s
	c.Models = slices.Clone(s.Models)
	c.Aliases = make(map[string]store.Digest, len(s.Aliases))
	maps.Copy(c.Aliases, s.Aliases)
	c.Batches = make(map[string]BatchState, len(s.Batches))
	maps.Copy(c.Batches, s.Batches)
	c.Rejected = make(map[store.Digest]string, len(s.Rejected))
	maps.Copy(c.Rejected, s.Rejected)
	c.Waivers, c.Proposals = slices.Clone(s.Waivers), slices.Clone(s.Proposals)
	return c
}
