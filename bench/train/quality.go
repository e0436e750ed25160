package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
)

// A subject is data and parameters with which both sides train, and the metric of the
// holdout rows by which they are compared.
type subject struct {
	name   string
	data   string
	params map[string]string
	metric string
}

// subjects are what -quality compares.
var subjects = []subject{
	{name: "breast cancer", data: "breast", metric: "AUC", params: with("binary", "num_leaves", "31")},
	{name: "breast cancer, log loss", data: "breast", metric: "log loss", params: with("binary", "learning_rate", "0.05", "min_gain_to_split", "0.01")},
	{name: "diabetes", data: "diabetes", metric: "RMSE", params: with("regression", "num_leaves", "7")},
	{name: "diabetes, L1", data: "diabetes", metric: "MAE", params: with("regression_l1", "num_leaves", "7")},
	{name: "diabetes, Huber", data: "diabetes", metric: "MAE", params: with("huber", "num_leaves", "7", "alpha", "50")},
	{name: "diabetes, quantile", data: "diabetes", metric: "pinball", params: with("quantile", "num_leaves", "7", "alpha", "0.7")},
	{name: "diabetes, Poisson", data: "diabetes", metric: "RMSE of e^", params: with("poisson", "num_leaves", "7")},
	{name: "diabetes, Tweedie", data: "diabetes", metric: "RMSE of e^", params: with("tweedie", "num_leaves", "7")},
	{name: "flights, 31 leaves", data: "flights", metric: "AUC", params: with("binary", "num_leaves", "31")},
	{name: "flights, 255 leaves", data: "flights", metric: "AUC", params: with("binary", "num_leaves", "255", "learning_rate", "0.05")},
	{name: "flights, log loss", data: "flights", metric: "log loss", params: with("binary", "num_leaves", "31", "lambda_l1", "1", "lambda_l2", "5", "max_depth", "6")},
	{name: "flights, three classes", data: "arrivals", metric: "log loss of 3", params: with("multiclass", "num_class", "3")},
	{name: "retailer", data: "retailer", metric: "AUC", params: with("binary", "min_data_in_leaf", "300", "learning_rate", "0.07", "cat_smooth", "50", "cat_l2", "50", "max_cat_threshold", "16")},
	{name: "retailer, bags and feature subsets", data: "retailer", metric: "AUC", params: with("binary", "min_data_in_leaf", "300", "bagging_freq", "1", "bagging_fraction", "0.7", "feature_fraction", "0.7")},
	{name: "retailer, weighted classes", data: "retailer", metric: "AUC", params: with("binary", "min_data_in_leaf", "300", "is_unbalance", "true")},
}

// with are parameters over 100 rounds of an objective.
func with(objective string, more ...string) map[string]string {
	p := map[string]string{"objective": objective, "num_iterations": "100"}
	for i := 0; i+1 < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

// An outcome is one subject, trained with one seed.
type outcome struct {
	subject      *subject
	seed         int
	ours, theirs float64 // metric of the holdout rows
	// loaded is the largest difference of a raw score between LightGBM, having loaded
	// our model, and our own scoring of it.
	loaded float64
}

// apart is how far two metrics are apart: the difference of AUCs, the relative
// difference of all others. Negative means that ours is worse.
func (s *subject) apart(ours, theirs float64) float64 {
	if s.metric == "AUC" {
		return ours - theirs
	}
	return (theirs - ours) / theirs
}

// quality prints a line for each subject: the means over the seeds, and the seed at
// which the sides are furthest apart.
func quality(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	if err := s.prepare(ctx, stderr); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "holdout metrics, means of %d seeds\n\n", s.seeds)
	fmt.Fprintln(stdout, "| data | metric | headgate | LightGBM | apart | furthest apart, one seed | raw scores, loaded by LightGBM |")
	fmt.Fprintln(stdout, "|---|---|---:|---:|---:|---:|---:|")
	for i := range subjects {
		if !strings.HasPrefix(subjects[i].name, s.only) {
			continue
		}
		outcomes, err := s.examine(ctx, &subjects[i], stderr)
		if err != nil {
			return err
		}
		m := summarize(outcomes)
		unit := " %"
		scale := 100.0
		if subjects[i].metric == "AUC" {
			unit, scale = "", 1
		}
		fmt.Fprintf(stdout, "| %s | %s | %.4f | %.4f | %+.4f%s | %+.4f%s | %.0e |\n", subjects[i].name, subjects[i].metric,
			m.ours, m.theirs, scale*m.apart, unit, scale*m.furthest, unit, m.loaded)
	}
	return nil
}

// A summary is a subject over its seeds.
type summary struct {
	ours, theirs    float64 // means
	apart, furthest float64 // of the means, and of the seed with the largest
	loaded          float64 // largest
}

func summarize(outcomes []outcome) summary {
	var m summary
	for _, o := range outcomes {
		m.ours += o.ours / float64(len(outcomes))
		m.theirs += o.theirs / float64(len(outcomes))
		if d := o.subject.apart(o.ours, o.theirs); math.Abs(d) > math.Abs(m.furthest) {
			m.furthest = d
		}
		m.loaded = max(m.loaded, o.loaded)
	}
	m.apart = outcomes[0].subject.apart(m.ours, m.theirs)
	return m
}

// prepare writes the data of every seed.
func (s settings) prepare(ctx context.Context, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, s.python, filepath.Join(sources, "data.py"), s.shared, s.dir, fmt.Sprint(s.seeds))
	cmd.Stdout, cmd.Stderr = stderr, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("data.py: %w", err)
	}
	for seed := 1; seed <= s.seeds; seed++ {
		if err := writeRetailer(ctx, s.part("retailer", seed, "train"), uint64(seed), "2023-10", "2023-11", "2023-12"); err != nil {
			return err
		}
		if err := writeRetailer(ctx, s.part("retailer", seed, "holdout"), uint64(seed), "2024-01"); err != nil {
			return err
		}
	}
	return nil
}

// part is the file of a data set's rows.
func (s settings) part(data string, seed int, part string) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s-%d-%s.parquet", data, seed, part))
}

// examine trains a subject with every seed on both sides.
func (s settings) examine(ctx context.Context, sub *subject, stderr io.Writer) ([]outcome, error) {
	var outcomes []outcome
	for seed := 1; seed <= s.seeds; seed++ {
		o, err := s.outcome(ctx, sub, seed, stderr)
		if err != nil {
			return nil, fmt.Errorf("%s, seed %d: %w", sub.name, seed, err)
		}
		outcomes = append(outcomes, *o)
	}
	return outcomes, nil
}

// outcome trains a subject with one seed on both sides.
func (s settings) outcome(ctx context.Context, sub *subject, seed int, stderr io.Writer) (*outcome, error) {
	dir, err := os.MkdirTemp(s.dir, "run-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	j := job{Train: s.part(sub.data, seed, "train"), Holdout: s.part(sub.data, seed, "holdout"), Label: "label", Threads: 1,
		Params: maps.Clone(sub.params), Model: filepath.Join(dir, "ours.txt"), Scores: filepath.Join(dir, "ours.scores")}
	// With one thread, so that LightGBM adds in one order.
	j.Params["seed"], j.Params["deterministic"] = fmt.Sprint(seed), "true"
	if err := j.findFeatures(ctx); err != nil {
		return nil, err
	}
	if _, err := s.ours(ctx, j, stderr); err != nil {
		return nil, err
	}
	j.Check, j.Checked = j.Model, filepath.Join(dir, "checked.scores")
	j.Model, j.Scores = filepath.Join(dir, "theirs.txt"), filepath.Join(dir, "theirs.scores")
	if _, err := s.theirs(ctx, j, stderr); err != nil {
		return nil, err
	}
	labels, err := readLabels(ctx, j.Holdout, j.Label)
	if err != nil {
		return nil, err
	}
	var scores [3][]float64
	for i, name := range []string{"ours", "theirs", "checked"} {
		if scores[i], err = readScores(filepath.Join(dir, name+".scores")); err != nil {
			return nil, err
		}
	}
	o := &outcome{subject: sub, seed: seed, ours: judge(sub, labels, scores[0]), theirs: judge(sub, labels, scores[1])}
	for i, v := range scores[0] {
		o.loaded = max(o.loaded, math.Abs(v-scores[2][i]))
	}
	return o, nil
}

// findFeatures takes all columns but the label, texts as categories.
func (j *job) findFeatures(ctx context.Context) error {
	for rec, err := range readParquet(ctx, j.Train, nil) {
		if err != nil {
			return err
		}
		for _, f := range rec.Schema().Fields() {
			if f.Name == j.Label {
				continue
			}
			j.Features = append(j.Features, f.Name)
			if id := f.Type.ID(); id == arrow.STRING || id == arrow.DICTIONARY {
				j.Categorical = append(j.Categorical, f.Name)
			}
		}
		return nil
	}
	return fmt.Errorf("%s has no rows", j.Train)
}

// judge is the subject's metric of raw scores.
func judge(sub *subject, labels, scores []float64) float64 {
	switch sub.metric {
	case "AUC":
		return areaUnderCurve(labels, scores)
	case "log loss":
		return logLoss(labels, scores)
	case "log loss of 3":
		return logLossOf(3, labels, scores)
	case "MAE":
		return meanAbsolute(labels, scores)
	case "pinball":
		return pinball(0.7, labels, scores)
	case "RMSE of e^":
		means := make([]float64, len(scores))
		for i, s := range scores {
			means[i] = math.Exp(s)
		}
		return rootMeanSquare(labels, means)
	}
	return rootMeanSquare(labels, scores)
}

// create writes a file that appears under its name when it is complete.
func create(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeAll writes records that share a schema.
func writeAll(to io.Writer, records []arrow.Record) error {
	w, err := columnar.Create(to, records[0].Schema(), nil)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			return err
		}
	}
	return w.Close()
}
