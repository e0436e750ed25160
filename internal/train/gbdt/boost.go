package gbdt

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// A booster adds a tree for each class, round by round.
type booster struct {
	train, valid *Dataset
	p            Params
	threads      int
	progress     func(Progress) error

	loss   loss
	grower *grower
	starts []float64   // of each class
	scores [][]float64 // of each class and training row
	others [][]float64 // the same of the validation part

	trees   []string // sections of the model, in its order
	metric  string   // empty if none is measured
	values  []float64
	best    int // round with the best value, from 1
	bag     []uint32
	outside []uint32
	stopped Stopped
	// Of the rows; empty until a checkpoint needs them.
	rowsDigest, validDigest string
}

// newBooster checks everything that can be checked before the first round.
func newBooster(train, valid *Dataset, p Params, o *Options) (*booster, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	b := &booster{train: train, valid: valid, p: p, threads: threadsOf(o), progress: o.Progress, loss: newLoss(&p, train.labels)}
	if err := b.checkData(); err != nil {
		return nil, err
	}
	if valid != nil || p.MetricOnTrain {
		b.metric = p.metric()
	}
	b.grower = newGrower(train, &b.p, b.threads)
	for class := range p.NumClass {
		start := 0.0
		if p.BoostFromAverage {
			start = b.loss.start(train.labels, train.weights, class)
		}
		b.starts = append(b.starts, start)
	}
	b.scores = b.startScores(train)
	if valid != nil {
		b.others = b.startScores(valid)
	}
	if o.Resume != nil {
		return b, b.resume(o.Resume)
	}
	return b, nil
}

// startScores are the scores of a dataset before the first tree.
func (b *booster) startScores(d *Dataset) [][]float64 {
	scores := make([][]float64, len(b.starts))
	for class, start := range b.starts {
		scores[class] = make([]float64, d.rows)
		for i := range scores[class] {
			scores[class][i] = start
		}
	}
	return scores
}

// checkData checks the data against the parameters.
func (b *booster) checkData() error {
	d, p := b.train, &b.p
	switch {
	case d.rows < 2:
		return fmt.Errorf("training data: there is one row; there is nothing to compare it with")
	case p.MaxBin != d.params.MaxBin || p.MinDataInBin != d.params.MinDataInBin || p.SampleRows != d.params.SampleRows || p.Seed != d.params.Seed:
		return paramError("max_bin", "min_data_in_bin, bin_construct_sample_cnt and seed must be those that the data was loaded with")
	case len(p.Monotone) > 0 && len(p.Monotone) != len(d.mappers):
		return paramError("monotone_constraints", "has %d values for %d features", len(p.Monotone), len(d.mappers))
	case b.valid != nil && b.valid.origin != d:
		return fmt.Errorf("the validation part has bins of its own; make it with the training data's Validation")
	case b.valid != nil && b.valid.rows == 0:
		return fmt.Errorf("the validation part has no rows")
	case p.EarlyStopping > 0 && b.valid == nil:
		return paramError("early_stopping_round", "is %d, and there is no validation part to watch", p.EarlyStopping)
	}
	if err := b.checkWeights(); err != nil {
		return err
	}
	for f, direction := range p.Monotone {
		if in := d.columns.Features[f]; direction != 0 && d.mappers[f].codes != nil {
			return paramError("monotone_constraints", "has %d for %q; categories have no order", direction, in.Name)
		}
	}
	if err := checkLabels(d, b.loss); err != nil {
		return err
	}
	if b.valid != nil {
		if err := checkLabels(b.valid, b.loss); err != nil {
			return fmt.Errorf("validation part: %w", err)
		}
	}
	if len(d.used) == 0 {
		return fmt.Errorf("training data: no feature has two values; there is nothing to learn from")
	}
	return nil
}

// checkWeights finds data in which nothing weighs.
func (b *booster) checkWeights() error {
	for _, d := range []*Dataset{b.train, b.valid} {
		if d == nil || d.weights == nil {
			continue
		}
		top := float32(0)
		for _, w := range d.weights {
			top = max(top, w)
		}
		if top == 0 {
			return fmt.Errorf("weight %q is 0 in all rows", d.columns.Weight)
		}
	}
	return nil
}

// run does the rounds that are left.
func (b *booster) run(ctx context.Context) (*Model, error) {
	for round := b.rounds() + 1; round <= b.p.NumIterations && !b.ended(); round++ {
		grown, err := b.round(ctx, round)
		if err != nil {
			return nil, err
		}
		if !grown {
			b.stopped = StoppedNoSplit
			break
		}
		b.measure(round)
		if err := b.report(round); err != nil {
			return nil, err
		}
	}
	return b.model(), nil
}

// rounds is how many rounds are done.
func (b *booster) rounds() int { return len(b.trees) / b.p.NumClass }

// ended reports whether the metric has not improved for long enough.
func (b *booster) ended() bool {
	if n := b.p.EarlyStopping; n == 0 || len(b.values)-b.best < n {
		return false
	}
	b.stopped = StoppedEarly
	return true
}

// round grows a tree for each class. It returns false if none could be split; the
// first round's are kept even then.
func (b *booster) round(ctx context.Context, round int) (bool, error) {
	b.drawBag(round)
	b.drawFeatures(round)
	trees := make([]*tree, b.p.NumClass)
	grown := false
	if l, ok := b.loss.(*softmax); ok {
		parallel(b.threads, blocks(b.train.rows), func(block, _ int) {
			l.normalize(b.scores, block*blockRows, min((block+1)*blockRows, b.train.rows))
		})
	}
	for class := range trees {
		b.derive(class)
		t, err := b.grower.grow(ctx, b.bag, b.loss.flat() && b.train.weights == nil)
		switch {
		case err == errOverflow:
			return false, fmt.Errorf("round %d: %w", round, err)
		case err != nil:
			return false, err
		}
		if len(t.nodes) == 0 {
			t.leaves[0].value = 0
		}
		b.renew(t, b.scores[class])
		t.scale(b.p.LearningRate)
		if !t.finite() {
			return false, fmt.Errorf("round %d: %w", round, errOverflow)
		}
		grown = grown || len(t.nodes) > 0
		b.addScores(t, class)
		trees[class] = t
	}
	if !grown && round > 1 {
		return false, nil
	}
	for class, t := range trees {
		b.keep(t, class, round)
	}
	return grown, nil
}

// keep adds a tree to the model. The first tree of a class carries its start.
func (b *booster) keep(t *tree, class, round int) {
	if len(t.nodes) == 0 {
		t.leaves[0] = treeLeaf{rows: b.train.rows}
	}
	if round == 1 && (b.starts[class] != 0 || len(t.nodes) == 0) {
		t.shift(b.starts[class])
	}
	b.trees = append(b.trees, t.text(b.train))
}

// derive computes the derivatives of a class, weights included.
func (b *booster) derive(class int) {
	d, pairs := b.train, b.grower.pairs
	parallel(b.threads, blocks(d.rows), func(block, _ int) {
		from, to := block*blockRows, min((block+1)*blockRows, d.rows)
		b.loss.derive(pairs, d.labels, b.scores[class], class, from, to)
		if d.weights == nil {
			return
		}
		for i := from; i < to; i++ {
			pairs[i].g *= d.weights[i]
			pairs[i].h *= d.weights[i]
		}
	})
}

// drawBag draws the rows of a round, ascending. A bag is kept for bagging_freq rounds.
func (b *booster) drawBag(round int) {
	p := &b.p
	if p.BaggingFreq == 0 || p.BaggingFraction == 1 {
		return
	}
	drawn := (round - 1) / p.BaggingFreq
	if b.bag != nil && (round-1)%p.BaggingFreq != 0 {
		return
	}
	draw := rand.New(rand.NewPCG(uint64(p.Seed), streamBags|uint64(drawn)<<8))
	b.bag, b.outside = b.bag[:0], b.outside[:0]
	// Of the rows left, as many are taken as are still missing: exactly the fraction.
	wanted := max(int(p.BaggingFraction*float64(b.train.rows)), 1)
	for i := range b.train.rows {
		if draw.IntN(b.train.rows-i) < wanted {
			wanted--
			b.bag = append(b.bag, uint32(i))
		} else {
			b.outside = append(b.outside, uint32(i))
		}
	}
}

// drawFeatures draws the features of a round's trees.
func (b *booster) drawFeatures(round int) {
	allowed := b.grower.allowed
	n := len(allowed)
	wanted := n
	if b.p.FeatureFraction < 1 {
		wanted = min(max(int(math.Round(b.p.FeatureFraction*float64(n))), 1), n)
	}
	draw := rand.New(rand.NewPCG(uint64(b.p.Seed), streamFeatures|uint64(round)<<8))
	clear(allowed)
	for _, f := range draw.Perm(n)[:wanted] {
		allowed[f] = true
	}
}

// addScores adds a tree's values to the scores of its class, of the rows outside the
// bag too.
func (b *booster) addScores(t *tree, class int) {
	score := b.scores[class]
	parallel(b.threads, len(t.leaves), func(i, _ int) {
		value := t.leaves[i].value
		for _, row := range b.grower.leafRows(i) {
			score[row] += value
		}
	})
	parallel(b.threads, blocks(len(b.outside)), func(block, _ int) {
		for _, row := range b.outside[block*blockRows : min((block+1)*blockRows, len(b.outside))] {
			score[row] += t.leaves[t.leafOf(b.train, int(row))].value
		}
	})
	if b.valid != nil {
		b.walk(t, b.valid, b.others[class])
	}
}

// walk adds a tree's values to the scores of a dataset.
func (b *booster) walk(t *tree, d *Dataset, score []float64) {
	parallel(b.threads, blocks(d.rows), func(block, _ int) {
		for row := block * blockRows; row < min((block+1)*blockRows, d.rows); row++ {
			score[row] += t.leaves[t.leafOf(d, row)].value
		}
	})
}

// measure keeps the metric of a round.
func (b *booster) measure(round int) {
	if b.metric == "" {
		return
	}
	d, scores := b.train, b.scores
	if b.valid != nil {
		d, scores = b.valid, b.others
	}
	b.values = append(b.values, measure(b.metric, &b.p, d, scores))
	b.follow(round)
}

// follow moves the best round.
func (b *booster) follow(round int) {
	if b.best == 0 || better(b.metric, b.values[round-1], b.values[b.best-1], b.p.EarlyStoppingDelta) {
		b.best = round
	}
}

// report tells the caller about a round.
func (b *booster) report(round int) error {
	if b.progress == nil {
		return nil
	}
	p := Progress{Round: round, Rounds: b.p.NumIterations, Metric: b.metric, Best: b.best, Checkpoint: b.checkpoint}
	if b.metric != "" {
		p.Value = b.values[round-1]
	}
	return b.progress(p)
}
