package gbdt

import (
	"fmt"
	"strconv"
)

// logistic is log(1 + e**(−sigmoid · y · score)), y being 1 for label 1 and −1 for
// label 0, times the class's weight.
type logistic struct {
	sigmoid float64
	weight  [2]float64 // of labels 0 and 1
}

func newLogistic(p *Params, labels []float32) logistic {
	l := logistic{p.Sigmoid, [2]float64{1, p.PosWeight}}
	if !p.IsUnbalance {
		return l
	}
	positive := 0
	for _, label := range labels {
		if label > 0 {
			positive++
		}
	}
	negative := len(labels) - positive
	switch {
	case positive == 0 || negative == 0: // refused later
	case positive > negative:
		l.weight[0] = float64(positive) / float64(negative)
	default:
		l.weight[1] = float64(negative) / float64(positive)
	}
	return l
}

func (l logistic) text() string {
	return "binary sigmoid:" + strconv.FormatFloat(l.sigmoid, 'g', -1, 64)
}

func (logistic) check(label float32) string {
	if label != 0 && label != 1 {
		return fmt.Sprintf("is %g; labels are 0 and 1 for the objective binary", label)
	}
	return ""
}

func (logistic) flat() bool        { return false }
func (logistic) quantile() float64 { return 0 }

func (l logistic) start(labels, weights []float32, _ int) float64 {
	p := min(max(meanLabel(labels, weights), 1e-15), 1-1e-15)
	return log(p/(1-p)) / l.sigmoid
}

func (l logistic) derive(dst []pair, labels []float32, score []float64, _, from, to int) {
	for i := from; i < to; i++ {
		y, w := -l.sigmoid, l.weight[0]
		if labels[i] > 0 {
			y, w = l.sigmoid, l.weight[1]
		}
		g := -y / (1 + exp(float64(y*score[i])))
		size := max(g, -g)
		dst[i] = pair{float32(g * w), float32(float64(size*(l.sigmoid-size)) * w)}
	}
}

// softmax is −log of the label's class's share of Σ e**score.
type softmax struct {
	classes int
	norms   []float64 // log Σ e**score of each row
}

func (l *softmax) text() string { return "multiclass num_class:" + strconv.Itoa(l.classes) }

func (l *softmax) check(label float32) string {
	if label != float32(int(label)) || label < 0 || int(label) >= l.classes {
		return fmt.Sprintf("is %g; with num_class %d labels are integers from 0 to %d", label, l.classes, l.classes-1)
	}
	return ""
}

func (*softmax) flat() bool        { return false }
func (*softmax) quantile() float64 { return 0 }

func (*softmax) start(labels, weights []float32, class int) float64 {
	p := mean(weights, len(labels), func(i int) float64 { return oneIf(int(labels[i]) == class) })
	return log(max(p, 1e-15))
}

// normalize prepares derive: the shares of a round are of the scores before it, and
// classes get their trees one after the other.
func (l *softmax) normalize(scores [][]float64, from, to int) {
	for i := from; i < to; i++ {
		top := scores[0][i]
		for _, score := range scores[1:] {
			top = max(top, score[i])
		}
		sum := 0.0
		for _, score := range scores {
			sum += exp(score[i] - top)
		}
		l.norms[i] = top + log(sum)
	}
}

func (l *softmax) derive(dst []pair, labels []float32, score []float64, class, from, to int) {
	factor := float64(l.classes) / float64(l.classes-1)
	for i := from; i < to; i++ {
		p := exp(score[i] - l.norms[i])
		g := p - oneIf(int(labels[i]) == class)
		dst[i] = pair{float32(g), float32(float64(factor*p) * (1 - p))}
	}
}
