// Package standing says in numbers how the pipelines of a store stand: what is published,
// who is waited for and since when, how far the last batch has drifted, what the champion
// was worth when labels came, and which step a release is at.
//
// All of it is folded from the registry and the papers that it names. So every worker
// says the same, a restart forgets nothing, and what no longer waits is no longer shown.
// It reads only; what the numbers are called, package metric says.
package standing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"headgate/activities"
	"headgate/internal/metric"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// again is how long what was folded holds if the registry stays as it is: a release may
// get a question by time alone.
const again = time.Hour

// A Reader reads how the pipelines of a store stand. It keeps what it has read: looking
// again costs a listing and the entries that are new.
type Reader struct {
	bucket  *store.Bucket
	runs    Runs
	expects Expects

	mu        sync.Mutex
	pipelines map[string]*standing
	last      map[string][]metric.Sample // by pipeline, as it was read last
	read      time.Time                  // when all were
}

// Runs reports whether the run that asks about a batch still waits for an answer. The
// registry does not say that one was cancelled.
type Runs func(ctx context.Context, pipeline, batch string) (bool, error)

// New returns a reader of a store.
func New(b *store.Bucket, runs Runs, expects Expects) *Reader {
	return &Reader{bucket: b, runs: runs, expects: expects, pipelines: map[string]*standing{}, last: map[string][]metric.Sample{}}
}

// A standing is what one registry adds up to.
type standing struct {
	log       *registry.Log
	head      int64     // that was folded
	at        time.Time // of the folding
	samples   []metric.Sample
	questions []question
	prospect  prospect
}

// A question waits for a person.
type question struct {
	kind  string
	batch string // of [metric.QuestionBatch]
	since time.Time
	until time.Time // zero: for ever
}

// Samples returns how every pipeline stands at a moment, pipelines in the order of their
// names. Why a pipeline cannot be read is in the error; it is shown as it was read last,
// and [metric.StandingTime] is when all of them were.
func (r *Reader) Samples(ctx context.Context, now time.Time) ([]metric.Sample, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	names, err := registry.Pipelines(ctx, r.bucket)
	problems := []error{err}
	for _, name := range names {
		samples, err := r.pipeline(ctx, name, now)
		if err != nil {
			problems = append(problems, fmt.Errorf("how pipeline %s stands: %w", name, err))
			continue
		}
		r.last[name] = samples
	}
	err = errors.Join(problems...)
	if err == nil {
		r.read = now
	}
	var all []metric.Sample
	for _, name := range slices.Sorted(maps.Keys(r.last)) {
		all = append(all, r.last[name]...)
	}
	if r.read.IsZero() {
		return append(all, metric.StandingTime.At(0)), err
	}
	return append(all, metric.StandingTime.At(seconds(r.read))), err
}

// pipeline returns how one pipeline stands.
func (r *Reader) pipeline(ctx context.Context, name string, now time.Time) ([]metric.Sample, error) {
	s, err := r.load(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.head != s.log.Head() || now.Sub(s.at) >= again {
		f := &folding{ctx: ctx, bucket: r.bucket, log: s.log, name: name}
		if err := f.fold(now); err != nil {
			return nil, err
		}
		s.head, s.at, s.samples, s.questions = s.log.Head(), now, f.samples, f.questions
		if p := f.prospect(); p.seq != s.prospect.seq {
			s.prospect = p
		}
	}
	waiting, err := r.waiting(ctx, name, s.questions, now)
	return slices.Concat(beginnings(name), s.samples, r.expected(ctx, name, &s.prospect, now), waiting), err
}

// beginnings are counters of a pipeline that begin at zero. Without them the first event
// would be no rise, and the alert on it silent.
func beginnings(pipeline string) []metric.Sample {
	return []metric.Sample{metric.RowsScored.At(0, pipeline), metric.RowsQuarantined.At(0, pipeline), metric.MissedSlots.At(0, pipeline),
		metric.StageFailures.At(0, pipeline, "ScoreShard", activities.FailureRetried)}
}

func (r *Reader) load(ctx context.Context, name string) (*standing, error) {
	if s := r.pipelines[name]; s != nil {
		return s, s.log.Reload(ctx)
	}
	log, err := registry.Load(ctx, r.bucket, name)
	if err != nil {
		return nil, err
	}
	s := &standing{log: log}
	r.pipelines[name] = s
	return s, nil
}

// waiting returns the questions that a person can still answer: by kind since when the
// oldest is asked, and until when the first of them is heard.
func (r *Reader) waiting(ctx context.Context, name string, questions []question, now time.Time) ([]metric.Sample, error) {
	since, until := map[string]time.Time{}, map[string]time.Time{}
	for _, q := range questions {
		if !q.until.IsZero() && !now.Before(q.until) {
			continue
		}
		if q.kind == metric.QuestionBatch {
			runs, err := r.runs(ctx, name, q.batch)
			if err != nil {
				return nil, fmt.Errorf("whether batch %s still waits: %w", q.batch, err)
			}
			if !runs {
				continue
			}
		}
		if at, ok := since[q.kind]; !ok || q.since.Before(at) {
			since[q.kind] = q.since
		}
		if at, ok := until[q.kind]; !q.until.IsZero() && (!ok || q.until.Before(at)) {
			until[q.kind] = q.until
		}
	}
	var samples []metric.Sample
	for _, kind := range []string{metric.QuestionBatch, metric.QuestionRelease, metric.QuestionProposal} {
		if at, ok := since[kind]; ok {
			samples = append(samples, metric.WaitingSince.At(seconds(at), name, kind))
		}
		if at, ok := until[kind]; ok {
			samples = append(samples, metric.WaitingUntil.At(seconds(at), name, kind))
		}
	}
	return samples, nil
}

// seconds is a moment as Prometheus wants it.
func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }
