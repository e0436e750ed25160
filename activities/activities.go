// Package activities moves bytes between the store and the packages that decide.
//
// Each activity is one stage: one Input, one Output, references and digests instead
// of rows. Where an activity writes, and what, follows from its input; no clock and
// no randomness. Running one again after a success finds its own bytes and succeeds.
package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/bundle"
	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/deliver"
	"headgate/internal/delta"
	"headgate/internal/model"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// Activities holds what the activities share. Every exported method is registered
// as an activity under its own name, so helpers are functions. Make it with [New].
type Activities struct {
	// CheckpointEvery is how often a training saves where it is.
	CheckpointEvery time.Duration

	store   *store.Bucket
	formats model.Formats
	sender  deliver.Sender // of alerts

	mu       sync.Mutex
	versions map[store.Digest]*loaded
}

// A loaded is a model version that has scored its golden rows, or is about to: whoever needs
// another one does not wait for it.
type loaded struct {
	mu      sync.Mutex
	version *bundle.Version // nil until it is there
}

// New returns the activities over a store. formats are the model formats that this
// worker can read.
func New(b *store.Bucket, formats model.Formats) *Activities {
	return &Activities{CheckpointEvery: defaultCheckpoint, store: b, formats: formats, versions: map[store.Digest]*loaded{}}
}

// Kinds of failure that no retry can cure. Workflows match on them.
const (
	KindHeadMoved     = "HeadMoved"     // the registry changed under a decision
	KindConflict      = "Conflict"      // another run published meanwhile
	KindCorrupt       = "Corrupt"       // stored or delivered bytes are damaged or cannot be read
	KindInputChanged  = "InputChanged"  // an input file was replaced during the run
	KindUnknown       = "Unknown"       // pipeline, alias, batch or publication that does not exist
	KindNoData        = "NoData"        // no file of the batch was delivered
	KindConfig        = "Config"        // pipeline file, contract and model do not fit each other
	KindGoldenRows    = "GoldenRows"    // the model no longer gives its golden scores
	KindWorkerStopped = "WorkerStopped" // retried: another worker takes over
)

// A kindError is an error of a known kind.
type kindError struct {
	kind string
	err  error
}

func (e *kindError) Error() string { return e.err.Error() }
func (e *kindError) Unwrap() error { return e.err }

func fail(kind, format string, args ...any) error {
	return &kindError{kind, fmt.Errorf(format, args...)}
}

// classify marks an error that no retry can cure. All others are retried.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != "" {
		return temporal.NewNonRetryableApplicationError(err.Error(), kind, nil)
	}
	return err
}

// kindOf is the table behind classify; "" means that trying again may help.
func kindOf(err error) string {
	var known *kindError
	var hash *registry.HashError
	var entry *registry.EntryError
	var digest *run.DigestError
	var blob *store.CorruptError
	var golden *model.GoldenError
	var input *model.InputError
	switch {
	case errors.As(err, &known):
		return known.kind
	case errors.Is(err, store.ErrChanged):
		return KindInputChanged
	case errors.Is(err, registry.ErrHeadMoved):
		return KindHeadMoved
	case errors.Is(err, delta.ErrConflict), errors.Is(err, store.ErrExists), errors.Is(err, registry.ErrIDTaken), errors.Is(err, registry.ErrAliasTaken),
		errors.Is(err, registry.ErrRejected), errors.Is(err, registry.ErrProposal), errors.Is(err, registry.ErrNotMissed):
		return KindConflict
	case errors.As(err, &hash), errors.As(err, &entry), errors.As(err, &digest), errors.As(err, &blob), errors.Is(err, serving.ErrRanks), unreadable(err), brokenTable(err):
		return KindCorrupt
	case errors.Is(err, registry.ErrPipeline), errors.Is(err, registry.ErrUnknownModel), errors.Is(err, store.ErrKey):
		return KindUnknown
	case errors.As(err, &golden):
		return KindGoldenRows
	case errors.As(err, &input), errors.Is(err, bundle.ErrFormat), errors.Is(err, registry.ErrEntry):
		return KindConfig
	}
	return ""
}

// unreadable reports whether a Parquet file is such that reading it again is no use.
func unreadable(err error) bool {
	for _, target := range []error{columnar.ErrCorrupt, columnar.ErrEncrypted, columnar.ErrNested,
		columnar.ErrColumn, columnar.ErrUnsupported, columnar.ErrLimit} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// brokenTable reports whether the published table is not what we wrote, or not ours.
func brokenTable(err error) bool {
	var foreign *delta.ForeignError
	var log *delta.LogError
	var schema *delta.SchemaError
	var missing *delta.MissingError
	var unsupported *delta.UnsupportedError
	return errors.As(err, &foreign) || errors.As(err, &log) || errors.As(err, &schema) ||
		errors.As(err, &missing) || errors.As(err, &unsupported)
}

// errStopping is the cause of a context that ends because the worker shuts down.
var errStopping = errors.New("this worker is stopping; another one takes over")

// HeartbeatEvery is well below the heartbeat time-out of the workflows. Workers must
// pass heartbeats on as often, which the SDK by itself does not.
const HeartbeatEvery = 3 * time.Second

// Progress is what an activity's heartbeat shows.
type Progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// alive keeps an activity's heartbeat going with the latest progress until stop is
// called, and ends the context when the worker shuts down. The heartbeat outlasts that
// context: what an activity completes by its own context is still its work, and nobody
// else's.
func alive(whole context.Context) (_ context.Context, report func(Progress), stop func()) {
	ctx, cancel := context.WithCancelCause(whole)
	var mu sync.Mutex
	var latest Progress
	done := make(chan struct{})
	stopping := activity.GetWorkerStopChannel(ctx)
	select {
	case <-stopping:
		cancel(errStopping)
	default:
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(HeartbeatEvery)
		defer tick.Stop()
		for {
			mu.Lock()
			p := latest
			mu.Unlock()
			activity.RecordHeartbeat(whole, p)
			select {
			case <-done:
				return
			case <-stopping:
				cancel(errStopping)
				stopping = nil
			case <-tick.C:
			}
		}
	})
	report = func(p Progress) {
		mu.Lock()
		latest = p
		mu.Unlock()
	}
	return ctx, report, func() {
		close(done)
		wg.Wait()
		cancel(nil)
	}
}

// stage runs the body of an activity: heartbeat, classification, hand-over, measures.
func stage[Out any](ctx context.Context, body func(ctx context.Context, report func(Progress)) (Out, error)) (Out, error) {
	began := time.Now()
	ctx, report, stop := alive(ctx)
	defer stop()
	out, err := body(ctx, report)
	if err != nil && errors.Is(context.Cause(ctx), errStopping) {
		err = temporal.NewApplicationError(errStopping.Error(), KindWorkerStopped)
	} else {
		err = classify(err)
	}
	measured(ctx, time.Since(began), err)
	return out, err
}

// version returns a model version that has scored its golden rows on this worker.
func (a *Activities) version(ctx context.Context, d store.Digest) (*bundle.Version, error) {
	a.mu.Lock()
	l := a.versions[d]
	if l == nil {
		l = new(loaded)
		a.versions[d] = l
	}
	a.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.version != nil {
		return l.version, nil
	}
	v, err := bundle.Load(ctx, a.store, d, a.formats)
	if err != nil {
		return nil, err
	}
	l.version = v
	return v, nil
}

// files are the pipeline file and the contracts of a plan.
type files struct {
	pipeline *pipeline.Config
	contract *contract.Contract
	output   *contract.Contract // of the scores; nil if there is none
}

func (a *Activities) files(ctx context.Context, pipelineFile, contractFile, outputFile store.Digest) (files, error) {
	var f files
	b, err := a.store.GetBlob(ctx, pipelineFile)
	if err != nil {
		return f, fmt.Errorf("pipeline file: %w", err)
	}
	if f.pipeline, err = pipeline.ParseKept("pipeline file "+string(pipelineFile), b); err != nil {
		return f, &kindError{KindConfig, err}
	}
	if f.contract, err = a.contract(ctx, contractFile); err != nil || outputFile == "" {
		return f, err
	}
	f.output, err = a.contract(ctx, outputFile)
	return f, err
}

// contract reads a stored contract.
func (a *Activities) contract(ctx context.Context, d store.Digest) (*contract.Contract, error) {
	b, err := a.store.GetBlob(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	c, err := contract.Parse("contract "+string(d), b)
	if err != nil {
		return nil, &kindError{KindConfig, err}
	}
	return c, nil
}

// A Run names a planned run in the inputs of the stages after Resolve.
type Run struct {
	Pipeline string       `json:"pipeline"`
	Batch    string       `json:"batch"`
	Run      store.Digest `json:"run"`
}

func (r Run) dir() string { return run.Dir(r.Pipeline, r.Batch, r.Run) }

func (a *Activities) plan(ctx context.Context, r Run) (*run.Plan, files, error) {
	p, err := run.LoadPlan(ctx, a.store, r.Pipeline, r.Batch, r.Run)
	if err != nil {
		return nil, files{}, err
	}
	f, err := a.files(ctx, p.File, p.Contract, p.Output)
	return p, f, err
}
