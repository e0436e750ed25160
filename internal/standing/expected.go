package standing

import (
	"context"
	"slices"
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/metric"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// An Expectation is what scores alone say of the metrics of a published batch, by the
// evaluation that waits for its labels.
type Expectation struct {
	Run     string              // first digits of the run that it is about
	Metrics []evaluate.Measured // none if the scores are no probabilities
	Pending bool                // it is not known yet
}

// Expects returns what scores alone say of a batch. Nothing is no error.
type Expects func(ctx context.Context, pipeline, batch string) (Expectation, error)

// How long somebody is waited for who knows what is expected, and how long nobody is asked
// again who does not answer: metrics of the registry need not wait for it.
const (
	expectsWithin = 2 * time.Second
	expectsAgain  = time.Minute
)

// A prospect is the latest published batch, whose labels have not come.
type prospect struct {
	seq   int64 // of the entry of its publication; 0: there is none
	batch string
	run   store.Digest

	known   bool      // what is expected of it
	asked   time.Time // when nobody answered last
	samples []metric.Sample
}

// prospect finds the latest published batch, unless labels have come of it or of a later
// one.
func (f *folding) prospect() prospect {
	if f.config == nil || f.config.Labels == nil {
		return prospect{}
	}
	published := newest(f.log.Of(registry.KindPublished, registry.KindRestored))
	if len(published) == 0 {
		return prospect{}
	}
	last := published[0]
	if slices.ContainsFunc(f.log.Of(registry.KindEvaluated), func(e registry.Entry) bool {
		return e.Verdict == registry.VerdictPass && e.Batch >= last.Batch
	}) {
		return prospect{}
	}
	return prospect{seq: last.Seq, batch: last.Batch, run: last.Run}
}

// expected returns what scores alone say of the prospect. It is asked for until it is known;
// that nobody answers is no reason to call the other metrics old.
func (r *Reader) expected(ctx context.Context, pipeline string, p *prospect, now time.Time) []metric.Sample {
	if p.seq == 0 || p.known || now.Sub(p.asked) < expectsAgain {
		return p.samples
	}
	within, cancel := context.WithTimeout(ctx, expectsWithin)
	defer cancel()
	e, err := r.expects(within, pipeline, p.batch)
	if err != nil {
		p.asked = now
		return nil
	}
	if e.Pending || e.Run != run.Short(p.run) {
		return nil
	}
	p.known = true
	f := folding{name: pipeline}
	f.measured(metric.Expected, e.Metrics)
	p.samples = f.samples
	return p.samples
}
