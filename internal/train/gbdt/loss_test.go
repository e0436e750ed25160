package gbdt

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The first derivative is that of the loss, and the second one that of the first, by
// central differences. The loss of a row is written here as the doc comments say it.
func TestDerivativesEqualNumericDifferences(t *testing.T) {
	never := func(float64, float64) bool { return false }
	for _, test := range []struct {
		name   string
		loss   loss
		labels []float32
		value  func(label, score float64) float64
		// kink reports whether the loss has no derivative near a score.
		kink func(label, score float64) bool
		// second is the second derivative over the true one, 0 if it is 1 throughout.
		second float64
	}{
		{name: "squared", loss: squared{}, labels: []float32{-2, 0, 3}, second: 1, kink: never,
			value: func(y, s float64) float64 { return (s - y) * (s - y) / 2 }},
		{name: "absolute", loss: absolute{}, labels: []float32{-2, 0, 3},
			value: func(y, s float64) float64 { return math.Abs(s - y) },
			kink:  func(y, s float64) bool { return math.Abs(s-y) < 1e-3 }},
		{name: "Huber", loss: huber{1.5}, labels: []float32{-2, 0, 3},
			value: func(y, s float64) float64 {
				if d := math.Abs(s - y); d > 1.5 {
					return 1.5 * (d - 0.75)
				}
				return (s - y) * (s - y) / 2
			},
			kink: func(y, s float64) bool { return math.Abs(math.Abs(s-y)-1.5) < 1e-3 }},
		{name: "quantile", loss: pinball{0.8}, labels: []float32{-2, 0, 3},
			value: func(y, s float64) float64 { return math.Max(0.8*(y-s), 0.2*(s-y)) },
			kink:  func(y, s float64) bool { return math.Abs(s-y) < 1e-3 }},
		{name: "Poisson", loss: poisson{exp(0.7)}, labels: []float32{0, 1, 7}, second: math.Exp(0.7), kink: never,
			value: func(y, s float64) float64 { return math.Exp(s) - y*s }},
		{name: "Tweedie", loss: tweedie{1.3}, labels: []float32{0, 1, 7}, second: 1, kink: never,
			value: func(y, s float64) float64 { return y*math.Exp(-0.3*s)/0.3 + math.Exp(0.7*s)/0.7 }},
		{name: "binary", loss: logistic{1, [2]float64{1, 1}}, labels: []float32{0, 1}, second: 1, kink: never,
			value: func(y, s float64) float64 { return math.Log1p(math.Exp(-(2*y - 1) * s)) }},
		{name: "binary, weighted and steeper", loss: logistic{2, [2]float64{1, 5}}, labels: []float32{0, 1}, second: 1, kink: never,
			value: func(y, s float64) float64 { return (1 + 4*y) * math.Log1p(math.Exp(-2*(2*y-1)*s)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			draw := rand.New(rand.NewPCG(1, 0))
			for range 200 {
				label, score := test.labels[draw.IntN(len(test.labels))], 2*draw.NormFloat64()
				y := float64(label)
				if test.kink(y, score) {
					continue
				}
				at := func(s float64) pair { return derivatives(test.loss, label, s) }
				const step = 1e-5
				g := (test.value(y, score+step) - test.value(y, score-step)) / (2 * step)
				near(t, "first", float64(at(score).g), g, score)
				h := 1.0
				if test.second > 0 {
					const wide = 1e-3
					h = test.second * (test.value(y, score+wide) - 2*test.value(y, score) + test.value(y, score-wide)) / (wide * wide)
				}
				near(t, "second", float64(at(score).h), h, score)
			}
		})
	}
}

// derivatives are those of one row.
func derivatives(l loss, label float32, score float64) pair {
	var dst [1]pair
	l.derive(dst[:], []float32{label}, []float64{score}, 0, 0, 1)
	return dst[0]
}

func near(t *testing.T, what string, got, want, score float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
		t.Errorf("score %g: the %s derivative is %g, the numeric one %g", score, what, got, want)
	}
}

func TestDerivativesOfClassesEqualNumericDifferences(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 0))
	const classes = 4
	for range 100 {
		label := draw.IntN(classes)
		scores := make([][]float64, classes)
		for k := range scores {
			scores[k] = []float64{2 * draw.NormFloat64()}
		}
		value := func() float64 {
			sum := 0.0
			for _, s := range scores {
				sum += math.Exp(s[0])
			}
			return math.Log(sum) - scores[label][0]
		}
		l := &softmax{classes, make([]float64, 1)}
		l.normalize(scores, 0, 1)
		for k := range scores {
			var dst [1]pair
			l.derive(dst[:], []float32{float32(label)}, scores[k], k, 0, 1)
			const step = 1e-3
			middle, s := value(), scores[k][0]
			scores[k][0] = s + step
			above := value()
			scores[k][0] = s - step
			below := value()
			scores[k][0] = s
			near(t, "first", float64(dst[0].g), (above-below)/(2*step), s)
			near(t, "second", float64(dst[0].h), 4.0/3*(above-2*middle+below)/(step*step), s)
		}
	}
}

func TestStartsAreTheBestConstants(t *testing.T) {
	labels := []float32{0, 1, 1, 3, 10}
	weights := []float32{1, 2, 1, 1, 5}
	for _, test := range []struct {
		name    string
		loss    loss
		labels  []float32
		weights []float32
		want    float64
	}{
		{name: "mean", loss: squared{}, labels: labels, want: 3},
		{name: "weighted mean", loss: squared{}, labels: labels, weights: weights, want: 5.6},
		{name: "median", loss: absolute{}, labels: labels, want: 1},
		{name: "weighted median", loss: absolute{}, labels: labels, weights: []float32{1, 2, 1, 1, 9}, want: 10},
		{name: "quantile between two labels", loss: pinball{0.9}, labels: labels, want: 7.2},
		{name: "log of the mean", loss: poisson{2}, labels: labels, want: math.Log(3)},
		{name: "log of the mean, Tweedie", loss: tweedie{1.5}, labels: labels, weights: weights, want: math.Log(5.6)},
		{name: "log odds", loss: logistic{1, [2]float64{1, 1}}, labels: []float32{0, 0, 0, 1}, want: math.Log(1.0 / 3)},
		{name: "log odds, steeper", loss: logistic{2, [2]float64{1, 1}}, labels: []float32{0, 0, 0, 1}, want: math.Log(1.0/3) / 2},
		{name: "log of a class's share", loss: &softmax{4, nil}, labels: []float32{0, 1, 1, 3}, want: math.Log(0.5)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.loss.start(test.labels, test.weights, 1); math.Abs(got-test.want) > 1e-12 {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestClassesOfUnequalSizeWeighTheSame(t *testing.T) {
	p := DefaultParams()
	p.IsUnbalance = true
	if got := newLogistic(&p, []float32{0, 0, 0, 1}).weight; got != [2]float64{1, 3} {
		t.Errorf("three of label 0: got %v", got)
	}
	if got := newLogistic(&p, []float32{0, 1, 1, 1}).weight; got != [2]float64{3, 1} {
		t.Errorf("three of label 1: got %v", got)
	}
}

func TestPortableFunctions(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 0))
	for range 100_000 {
		x := 200 * draw.NormFloat64()
		if got, want := exp(x), math.Exp(x); x > -708 && x < 709 && math.Abs(got-want) > 1e-15*want {
			t.Fatalf("exp(%v) is %v, want %v", x, got, want)
		}
		y := math.Exp(x)
		if got, want := log(y), math.Log(y); y > 1e-300 && !math.IsInf(y, 0) && math.Abs(got-want) > 4e-16*math.Max(1, math.Abs(want)) {
			t.Fatalf("log(%v) is %v, want %v", y, got, want)
		}
	}
	for x, want := range map[float64]float64{-1000: 0, 0: 1} {
		if got := exp(x); got != want {
			t.Errorf("exp(%v) is %v, want %v", x, got, want)
		}
	}
	if got := exp(1e9); got != exp(709) {
		t.Errorf("exp(1e9) is %v, not finite", got)
	}
}
