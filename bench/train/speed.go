package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

const (
	speedFeatures = 28
	holdoutRows   = 100_000
)

// speed trains on generated rows with every number of leaves and threads.
func speed(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	train, err := s.generate("train", s.rows, 1)
	if err != nil {
		return err
	}
	holdout, err := s.generate("holdout", holdoutRows, 2)
	if err != nil {
		return err
	}
	labels, err := readLabels(ctx, holdout, "label")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d rows × %d features, binary, %d rounds; seconds on the wall (of the processor)\n\n", s.rows, speedFeatures, s.rounds)
	fmt.Fprintln(stdout, "| leaves | threads | headgate, train | LightGBM, train | ratio | load | load, LightGBM | MB | MB, LightGBM | AUC | AUC, LightGBM |")
	fmt.Fprintln(stdout, "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for leaves := range strings.SplitSeq(s.leaves, ",") {
		for threads := range strings.SplitSeq(s.threads, ",") {
			j := job{Train: train, Holdout: holdout, Label: "label", Features: featureNames(), Params: map[string]string{
				"objective": "binary", "num_leaves": leaves, "num_iterations": strconv.Itoa(s.rounds)}}
			if j.Threads, err = strconv.Atoi(threads); err != nil {
				return err
			}
			if err := s.compare(ctx, j, labels, stdout, stderr); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare lets both sides do a job and prints a line of the table.
func (s settings) compare(ctx context.Context, j job, labels []float64, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp(s.dir, "run-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	j.Model, j.Scores = filepath.Join(dir, "ours.txt"), filepath.Join(dir, "ours.scores")
	ours, err := s.ours(ctx, j, stderr)
	if err != nil {
		return err
	}
	j.Model, j.Scores = filepath.Join(dir, "theirs.txt"), filepath.Join(dir, "theirs.scores")
	theirs, err := s.theirs(ctx, j, stderr)
	if err != nil {
		return err
	}
	var areas [2]float64
	for i, name := range []string{"ours.scores", "theirs.scores"} {
		scores, err := readScores(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		areas[i] = areaUnderCurve(labels, scores)
	}
	_, err = fmt.Fprintf(stdout, "| %s | %d | %.1f (%.1f) | %.1f (%.1f) | %.2f (%.2f) | %.1f (%.1f) | %.1f (%.1f) | %.0f | %.0f | %.4f | %.4f |\n",
		j.Params["num_leaves"], j.Threads, ours.TrainWall, ours.TrainCPU, theirs.TrainWall, theirs.TrainCPU,
		ours.TrainWall/theirs.TrainWall, ours.TrainCPU/theirs.TrainCPU, ours.LoadWall, ours.LoadCPU, theirs.LoadWall, theirs.LoadCPU,
		float64(ours.Memory)/1e6, float64(theirs.Memory)/1e6, areas[0], areas[1])
	return err
}

func featureNames() []string {
	names := make([]string, speedFeatures)
	for i := range names {
		names[i] = fmt.Sprint("x", i)
	}
	return names
}

// generate writes rows with 28 features unless they are there already: normal, and
// some of them skewed, coarse, or missing now and then. The label depends on sums,
// products and thresholds of some of them.
func (s settings) generate(name string, rows int, seed uint64) (string, error) {
	path := filepath.Join(s.dir, fmt.Sprintf("%s-%d.parquet", name, rows))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(s.dir, ".writing-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := writeRows(f, rows, rand.New(rand.NewPCG(seed, 0))); err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	return path, os.Rename(f.Name(), path)
}

func writeRows(to io.Writer, rows int, draw *rand.Rand) error {
	var fields []arrow.Field
	for _, name := range append(featureNames(), "label") {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	w, err := columnar.Create(to, schema, nil)
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for rows > 0 {
		n := min(rows, 16384)
		for range n {
			addRow(b, draw)
		}
		rec := b.NewRecord()
		err := w.Write(rec)
		rec.Release()
		if err != nil {
			return err
		}
		rows -= n
	}
	return w.Close()
}

func addRow(b *array.RecordBuilder, draw *rand.Rand) {
	var x [speedFeatures]float64
	for f := range x {
		x[f] = draw.NormFloat64()
		switch f % 7 {
		case 3:
			x[f] = math.Exp(x[f])
		case 5:
			x[f] = math.Round(3 * x[f])
		}
	}
	logit := 0.7*x[0] - 0.5*x[1] + 0.8*x[2]*x[4] + 0.3*math.Abs(x[6]) - 0.4*math.Log(x[3]) + 0.2*x[5]*x[8] + math.Sin(2*x[9])
	if x[11] > 0.5 && x[13] < 0 {
		logit += 1
	}
	for f, v := range x {
		if f%9 == 4 && draw.IntN(10) == 0 {
			b.Field(f).AppendNull()
			continue
		}
		b.Field(f).(*array.Float64Builder).Append(v)
	}
	label := 0.0
	if draw.Float64() < 1/(1+math.Exp(-logit)) {
		label = 1
	}
	b.Field(speedFeatures).(*array.Float64Builder).Append(label)
}

// readScores reads little-endian doubles.
func readScores(path string) ([]float64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(data)/8)
	for i := range scores {
		scores[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return scores, nil
}

// readLabels reads a column of numbers or booleans.
func readLabels(ctx context.Context, path, column string) ([]float64, error) {
	var labels []float64
	for rec, err := range readParquet(ctx, path, []string{column}) {
		if err != nil {
			return nil, err
		}
		for i := range int(rec.NumRows()) {
			switch a := rec.Column(0).(type) {
			case *array.Float64:
				labels = append(labels, a.Value(i))
			case *array.Boolean:
				v := 0.0
				if a.Value(i) {
					v = 1
				}
				labels = append(labels, v)
			default:
				return nil, fmt.Errorf("%s: label %s is of type %s", path, column, a.DataType())
			}
		}
	}
	return labels, nil
}
