package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"headgate/bench/process"
	"headgate/internal/evaluate"
)

// block is how many rows are made at a time.
const block = 1 << 16

// stream judges as many rows as one likes in bounded memory, as a batch of that size
// would be: labels 0 and 1 by a sketch, amounts by moments. It says how far both are from
// the truth of the world, what a row costs, and the most memory that the process had.
func stream(rows int64, out, progress io.Writer) error {
	sketch, err := evaluate.NewSketch(false, 0.5)
	if err != nil {
		return err
	}
	moments, err := evaluate.NewMoments(false, nil)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 1))
	var inSketch, inMoments time.Duration
	next := time.Now().Add(10 * time.Second)
	for done := int64(0); done < rows; {
		n := int(min(block, rows-done))
		binary, amounts := drawBlock(random, n)
		began := process.Clock()
		if err := sketch.Add(binary); err != nil {
			return err
		}
		added := process.Clock()
		if err := moments.Add(amounts); err != nil {
			return err
		}
		inSketch, inMoments = inSketch+added-began, inMoments+process.Clock()-added
		done += int64(n)
		if now := time.Now(); now.After(next) {
			next = now.Add(10 * time.Second)
			fmt.Fprintf(progress, "%d of %d million rows\n", done/1_000_000, rows/1_000_000)
		}
	}
	return report(rows, sketch, moments, inSketch, inMoments, out)
}

// drawBlock makes rows whose log odds are normal, and amounts with a normal error of 1.
func drawBlock(random *rand.Rand, n int) (binary, amounts evaluate.Data) {
	for range n {
		z := random.NormFloat64()
		p, label := logistic(z), 0.0
		if random.Float64() < p {
			label = 1
		}
		binary.Scores, binary.Labels = append(binary.Scores, p), append(binary.Labels, label)
		amounts.Scores, amounts.Labels = append(amounts.Scores, z), append(amounts.Labels, z+random.NormFloat64())
	}
	return binary, amounts
}

func report(rows int64, sketch *evaluate.Sketch, moments *evaluate.Moments, inSketch, inMoments time.Duration, out io.Writer) error {
	judged, err := sketch.Report(nil)
	if err != nil {
		return err
	}
	errors, err := moments.Report(nil)
	if err != nil {
		return err
	}
	peak, err := process.PeakMemory()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| %d rows | estimate | truth |\n|---|---|---:|\n", rows)
	for _, line := range []struct {
		report *evaluate.Report
		metric evaluate.Metric
		truth  float64
	}{
		{judged, evaluate.AUC, normalArea()}, {judged, evaluate.Slope, 1}, {judged, evaluate.Prevalence, 0.5},
		{errors, evaluate.RMSE, 1}, {errors, evaluate.MAE, math.Sqrt(2 / math.Pi)}, {errors, evaluate.R2, 0.5},
	} {
		e, ok := line.report.Get(line.metric)
		if !ok {
			return fmt.Errorf("there is no %s", line.metric)
		}
		fmt.Fprintf(out, "| %s | %.6f [%.6f, %.6f] | %.6f |\n", line.metric, e.Value, e.Low, e.High, line.truth)
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(rows) }
	fmt.Fprintf(out, "\nsketch %.0f ns a row; moments %.0f ns a row; the process had %d MB at most\n", each(inSketch), each(inMoments), peak>>20)
	return nil
}

// normalArea is the area under the ROC curve of a label whose log odds z are standard
// normal, ranked by z: the integral over pairs of p(z)·(1 − p(y))·[z > y], by that of the
// whole, on a fine grid.
func normalArea() float64 {
	const steps, width = 40_000, 20.0
	var below, area, positives, negatives float64
	for i := range steps {
		z := (float64(i)+0.5)/steps*width - width/2
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) * width / steps
		p := logistic(z)
		positive, negative := density*p, density*(1-p)
		area += positive * (below + negative/2)
		below += negative
		positives, negatives = positives+positive, negatives+negative
	}
	return area / (positives * negatives)
}
