package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
	"headgate/internal/figure"
)

// A comparison is what compare was asked for.
type comparison struct {
	files                         []string // the champion's, then the challengers'
	keys                          []string
	score, label, weight, cluster string
	slices                        []string
	threshold, challenger         float64
	costs                         map[string]string
	options                       compare.Options
	asJSON                        bool
}

// A compared is the answer of compare.
type compared struct {
	Champion  string          `json:"champion"`
	Alignment []alignedFile   `json:"alignment"`
	Result    *compare.Result `json:"result"`
}

// An alignedFile says how a challenger's rows line up with the champion's.
type alignedFile struct {
	Challenger string `json:"challenger"`
	compare.Alignment
}

func newCompareCommand(e *env) *cobra.Command {
	var v comparison
	c := &cobra.Command{
		Use:   "compare CHAMPION.parquet CHALLENGER.parquet … --key COL",
		Short: "Compare the scores of two models or more on the same rows, without Temporal",
		Long: `compare says what would change if a challenger scored in the champion's place: how
far scores move, whose decision flips at the threshold, what that costs, and whose
score moves most. With labels it takes the difference of the metrics, on the same
rows. Every number has an interval. They are the measures that gates use.

Rows are lined up by key; keys that only one file has, or has twice, are counted and
not compared. Labels, weights, clusters and slices come from the champion's file. The
columns are kept in memory, about 200 bytes a row.`,
		Example: `  starter compare old.parquet new.parquet --key customer_id
  starter compare old.parquet new.parquet --key customer_id --threshold 0.5 --slice region
  starter compare old.parquet a.parquet b.parquet --key customer_id --threshold 0.5 --label bought --costs fp=1,fn=8`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("compare takes the champion's file and at least one challenger's, got %d", len(args))}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			v.files = args
			if c.Flags().Changed("threshold") {
				v.options.Threshold = &v.threshold
			}
			if c.Flags().Changed("challenger-threshold") {
				v.options.ChallengerThreshold = &v.challenger
			}
			if err := v.check(); err != nil {
				return usageError{err}
			}
			return v.run(c.Context(), e)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&v.keys, "key", nil, "`column` that names the entity; may be repeated")
	f.StringVar(&v.score, "score", "pred_0", "`column` of the scores, in all files")
	f.StringVar(&v.label, "label", "", "`column` of what happened: 0 or 1, or a boolean")
	f.StringVar(&v.weight, "weight", "", "`column` of weights; 1 each without")
	f.StringVar(&v.cluster, "cluster", "", "`column` that names what rows have in common")
	f.StringArrayVar(&v.slices, "slice", nil, "`column` to compare slices of; may be repeated")
	f.Float64Var(&v.threshold, "threshold", 0, "`score` from which a row is selected")
	f.Float64Var(&v.challenger, "challenger-threshold", 0, "`score` from which a challenger selects a row; --threshold without")
	f.StringToStringVar(&v.costs, "costs", nil, "what a decision costs: `tp=…,fp=…,fn=…,tn=…`; 0 for those that are left out")
	f.IntVar(&v.options.Movers, "movers", 10, "`number` of keys to name whose scores moved most")
	f.Int64Var(&v.options.MinRows, "min-rows", 100, "`rows` that a slice needs")
	f.Float64Var(&v.options.Evaluate.Level, "level", 0.95, "`level` of the intervals")
	f.Uint64Var(&v.options.Evaluate.Seed, "seed", 0, "`number` that determines the bootstrap")
	f.BoolVar(&v.asJSON, "json", false, "print JSON")
	return c
}

// check refuses what cannot be meant.
func (v *comparison) check() error {
	switch {
	case len(v.keys) == 0:
		return errors.New("compare lines rows up by key; name its column with --key")
	case len(v.costs) > 0 && v.options.Threshold == nil:
		return errors.New("--costs needs a decision; name the score from which rows are selected with --threshold")
	case v.options.ChallengerThreshold != nil && v.options.Threshold == nil:
		return errors.New("--challenger-threshold needs --threshold")
	case v.options.Movers < 1 || v.options.MinRows < 2:
		return errors.New("--movers is at least 1, and --min-rows at least 2")
	case !(v.options.Evaluate.Level > 0 && v.options.Evaluate.Level < 1):
		return fmt.Errorf("--level is %g, and must be between 0 and 1", v.options.Evaluate.Level)
	}
	if len(v.costs) == 0 {
		return nil
	}
	v.options.Costs = &compare.Costs{}
	for name, text := range v.costs {
		to := map[string]*float64{
			"tp": &v.options.Costs.TruePositive, "fp": &v.options.Costs.FalsePositive,
			"fn": &v.options.Costs.FalseNegative, "tn": &v.options.Costs.TrueNegative,
		}[name]
		cost, err := strconv.ParseFloat(text, 64)
		if to == nil || err != nil {
			return fmt.Errorf("--costs %s=%s: write a number for each of tp, fp, fn, tn", name, text)
		}
		*to = cost
	}
	return nil
}

// run compares the files.
func (v *comparison) run(ctx context.Context, e *env) error {
	champion, err := readTable(ctx, e, v.files[0], []string{v.score, v.label, v.weight}, slices.Concat(v.keys, []string{v.cluster}, v.slices))
	if err != nil {
		return err
	}
	out := &compared{Champion: v.files[0]}
	keys := champion.keys(v.keys)
	scores := make([][]float64, len(v.files)-1) // of the challengers, by row of the champion
	rows := make([]bool, champion.rows)
	for i := range rows {
		rows[i] = true
	}
	for i, name := range v.files[1:] {
		t, err := readTable(ctx, e, name, []string{v.score}, v.keys)
		if err != nil {
			return err
		}
		a := compare.Align(keys, t.keys(v.keys))
		out.Alignment = append(out.Alignment, alignedFile{name, a})
		scores[i] = make([]float64, champion.rows)
		here := make([]bool, champion.rows)
		for j, row := range a.A {
			here[row] = true
			scores[i][row] = t.numbers[v.score][a.B[j]]
		}
		for j := range rows {
			rows[j] = rows[j] && here[j]
		}
	}
	if !slices.Contains(rows, true) {
		return fmt.Errorf("no key is in all files: %s", out.Alignment[0].sentence())
	}
	d := v.data(champion, keys, scores, rows)
	err = patiently(ctx, e.stderr, "comparing "+figure.Things(len(d.Champion), "row"), func() (err error) {
		out.Result, err = compare.Scores(d, &v.options)
		return err
	})
	if err != nil {
		return err
	}
	if v.asJSON {
		return printJSON(e, out)
	}
	out.print(e.stdout)
	return nil
}

// data returns the rows that all files have.
func (v *comparison) data(t *localTable, keys []string, scores [][]float64, rows []bool) compare.Data {
	d := compare.Data{
		Keys:     where(keys, rows),
		Champion: where(t.numbers[v.score], rows),
		Labels:   where(t.numbers[v.label], rows),
		Weights:  where(t.numbers[v.weight], rows),
		Clusters: hashes(where(t.texts[v.cluster], rows)),
	}
	for i, name := range v.files[1:] {
		d.Challengers = append(d.Challengers, compare.Challenger{Name: filepath.Base(name), Scores: where(scores[i], rows)})
	}
	for _, name := range v.slices {
		d.Dimensions = append(d.Dimensions, evaluate.Dimension{Name: name, Values: where(t.texts[name], rows)})
	}
	return d
}

// keys returns the key of each row. A key of several columns has a comma between.
func (t *localTable) keys(columns []string) []string {
	if len(columns) == 1 {
		return t.texts[columns[0]]
	}
	keys := make([]string, t.rows)
	for i := range keys {
		var parts []string
		for _, name := range columns {
			parts = append(parts, strings.ReplaceAll(t.texts[name][i], ",", ",,"))
		}
		keys[i] = strings.Join(parts, ", ")
	}
	return keys
}
