package evidence

import (
	"context"
	"errors"
	"fmt"
	"math"

	"headgate/internal/contract"
	"headgate/internal/labels"
	"headgate/internal/pipeline"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// Load reads the rows of a request: all rows that were published with a model's score,
// each with its label if it has one. Rows that were quarantined, and customers who got a
// fallback score, are not among them. own is Headgate's store.
//
// Labels and scores of one entity meet by the digest of its key; where an entity has
// several rows in a batch, its label is that of all of them.
func Load(ctx context.Context, own *store.Bucket, r Request, o *Options) (*Rows, error) {
	if len(r.Batches) == 0 || len(r.Models) == 0 {
		return nil, errors.New("evidence: a request names at least one batch and one model")
	}
	l := &loader{own: own, rows: &Rows{Request: r, Scores: make([][]float64, len(r.Models)), Share: 1}}
	if o != nil {
		l.progress = o.Progress
	}
	batches := make([]*batch, len(r.Batches))
	for i, b := range r.Batches {
		var err error
		if batches[i], err = l.open(ctx, b); err != nil {
			return nil, fmt.Errorf("batch %s: %w", b.Batch, err)
		}
		l.total += batches[i].base.Rows
	}
	limit := r.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if l.total > limit {
		l.rows.Share = float64(limit) / float64(l.total)
		l.below = uint64(l.rows.Share * (1 << 63) * 2)
	}
	for i, b := range batches {
		if err := l.read(ctx, int32(i), b); err != nil {
			return nil, fmt.Errorf("batch %s: %w", b.plan.Batch, err)
		}
	}
	return l.finish(), nil
}

// A loader reads the rows of a request.
type loader struct {
	own         *store.Bucket
	rows        *Rows
	progress    func(done, total int64)
	done, total int64
	below       uint64 // hashes that are read; 0: all
	slices      []*slicer
}

// keeps reports whether the rows of an entity are read.
func (l *loader) keeps(hash uint64) bool { return l.below == 0 || hash < l.below }

// A batch is what is read of a batch.
type batch struct {
	plan     *run.Plan
	data     *run.Data
	contract *contract.Contract
	budget   pipeline.Budget // of bad label rows
	base     *run.Scored     // of the plan's champion, whose files have the kept columns
	scored   []*run.Scored   // of each model of the request; nil if it has not scored the batch
	serving  *run.Serving    // nil: the plan's champion served all
	labels   *labels.Table
	version  *labels.Version
	negative bool // an entity without a label has the outcome 0
}

// open finds the scores of a batch.
func (l *loader) open(ctx context.Context, in Batch) (*batch, error) {
	r := &l.rows.Request
	b := new(batch)
	var err error
	if b.plan, err = run.LoadPlan(ctx, l.own, r.Pipeline, in.Batch, in.Run); err != nil {
		return nil, err
	}
	if b.data, err = run.LoadVerdict(ctx, l.own, r.Pipeline, in.Batch, in.Run, in.Decision); err != nil {
		return nil, err
	}
	if b.contract, err = parseContract(ctx, l.own, b.plan.Contract); err != nil {
		return nil, err
	}
	file, err := l.own.GetBlob(ctx, b.plan.File)
	if err != nil {
		return nil, fmt.Errorf("pipeline file: %w", err)
	}
	config, err := pipeline.ParseKept("pipeline file "+string(b.plan.File), file)
	if err != nil {
		return nil, err
	}
	b.budget = config.Quarantine.Budget
	if in.Serving != "" {
		b.serving = new(run.Serving)
		if err := run.LoadJSON(ctx, l.own, run.Object{Key: store.BlobKey(in.Serving), Digest: in.Serving}, b.serving); err != nil {
			return nil, err
		}
	}
	if b.base, err = run.FindScored(ctx, l.own, b.plan, b.data, b.plan.Champion, ""); err != nil {
		return nil, err
	}
	for _, model := range r.Models {
		s, err := run.FindScored(ctx, l.own, b.plan, b.data, model, in.Shadows[model])
		if errors.Is(err, run.ErrNotScored) {
			l.rows.Unscored = append(l.rows.Unscored, Unscored{in.Batch, model, err.Error()})
		} else if err != nil {
			return nil, err
		}
		b.scored = append(b.scored, s)
	}
	return b, nil
}

func parseContract(ctx context.Context, own *store.Bucket, d store.Digest) (*contract.Contract, error) {
	data, err := own.GetBlob(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return contract.Parse("contract "+string(d), data)
}

// read reads the labels of a batch, and then its scores.
func (l *loader) read(ctx context.Context, at int32, b *batch) error {
	if err := l.readLabels(ctx, l.rows.Request.Batches[at].Labels, b); err != nil {
		return err
	}
	l.rows.Batches = append(l.rows.Batches, b.status())
	for shard := range b.base.Shards {
		if err := l.readShard(ctx, at, b, shard); err != nil {
			return fmt.Errorf("shard %d: %w", shard, err)
		}
	}
	refused := b.labels.Refused
	if b.negative && b.labels.Treatment && len(refused) == 0 {
		if n := l.absent(at); n > 0 {
			refused = append(refused, fmt.Sprintf("%d scored entities have no label, which means 0, but then nobody knows whether they were treated: list them in the label files", n))
		}
	}
	if len(refused) > 0 {
		l.refuse(at, refused)
	}
	b.labels = nil // only one batch's labels are in memory
	return nil
}

// status says what is known of a batch before its rows are read.
func (b *batch) status() BatchStatus {
	s := BatchStatus{Files: len(b.version.Files), Complete: b.version.Complete, Counts: b.labels.Counts, Refused: b.labels.Refused,
		Champion: b.plan.Champion, Planned: b.plan.Models}
	switch {
	case b.serving == nil:
	case b.serving.Routing != nil:
		s.Arms = b.serving.Routing.Arms
	case b.serving.Model != b.plan.Champion:
		s.Arms = []release.Arm{{Model: string(b.serving.Model), Share: release.Whole}}
	}
	return s
}

// readLabels reads the labels of a batch. Without a version nothing is known.
func (l *loader) readLabels(ctx context.Context, version store.Digest, b *batch) (err error) {
	if version == "" {
		b.version, b.labels = &labels.Version{}, &labels.Table{}
		return nil
	}
	if b.version, err = labels.Load(ctx, l.own, version); err != nil {
		return err
	}
	c, err := parseContract(ctx, l.own, b.version.Contract)
	if err != nil {
		return err
	}
	bucket := l.own
	if b.version.Input != "" {
		if bucket, err = store.Open(ctx, b.version.Input); err != nil {
			return fmt.Errorf("labels: %w", err)
		}
		defer bucket.Close()
	}
	b.negative = c.Labels != nil && c.Labels.Negative && b.version.Complete
	b.labels, err = labels.Read(ctx, bucket, b.version, c, labels.Limits{Bad: b.budget.Exceeded, Keep: l.keeps, Entity: b.contract.Entity()})
	return err
}

// absent counts the entities of a batch that have no label.
func (l *loader) absent(at int32) (n int64) {
	for i, b := range l.rows.Batch {
		if b == at && l.rows.Absent[i] {
			n++
		}
	}
	return n
}

// refuse takes all labels of a batch back.
func (l *loader) refuse(at int32, reasons []string) {
	l.rows.Batches[at].Refused = reasons
	for i, b := range l.rows.Batch {
		if b == at {
			l.rows.Labels[i], l.rows.Weights[i], l.rows.State[i], l.rows.Absent[i] = math.NaN(), 0, Missing, false
		}
	}
}
