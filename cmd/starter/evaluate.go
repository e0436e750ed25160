package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
)

// An evaluation is what evaluate was asked for.
type evaluation struct {
	data, score, label, weight, cluster, query string
	treatment, propensity, challenger          string
	slices, protected                          []string
	minRows                                    int64
	options                                    evaluate.Options
	asJSON                                     bool
}

// An evaluated is the answer of evaluate.
type evaluated struct {
	Data       string              `json:"data"`
	Unobserved int                 `json:"unobserved,omitempty"` // rows without a label
	Treated    int                 `json:"treated,omitempty"`    // rows that an action changed
	Report     *evaluate.Report    `json:"report"`
	Challenger []evaluate.Measured `json:"challengerLessScore,omitempty"`
	Slices     []evaluate.Slice    `json:"slices,omitempty"`
	Fairness   []*evaluate.Parity  `json:"fairness,omitempty"`
}

func newEvaluateCommand(e *env) *cobra.Command {
	var v evaluation
	c := &cobra.Command{
		Use:   "evaluate --data F.parquet --score COL --label COL",
		Short: "Judge the scores of a local file by what happened, without Temporal",
		Long: `evaluate says how good the scores of a Parquet file are, and how sure one can be:
every number has an interval. They are the judges that gates use.

If all labels are 0 or 1 (or false and true), the scores are judged as those of a
decision: AUC with DeLong's interval, precision and recall, calibration, lift. Else
as amounts: RMSE, MAE, R². Rows without a label are left out and counted: an outcome
that nobody could observe is not a negative one.

Name what rows have in common with --cluster, such as the customer if the file has
several months: rows that depend on each other know less, and intervals get wider.
Where scores cause actions, name --treatment and --propensity: the untreated rows are
judged, and weighted so that they stand for all.

The file's columns are kept in memory, about 60 bytes a row.`,
		Example: `  starter evaluate --data scored.parquet --score pred_0 --label bought
  starter evaluate --data scored.parquet --score pred_0 --label bought --threshold 0.5 --slice region
  starter evaluate --data year.parquet --score old --challenger new --label bought --cluster customer_id
  starter evaluate --data scored.parquet --score pred_0 --label bought --threshold 0.3 --protected sex --json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("evaluate takes no arguments, got %q; name the file with --data", args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if err := v.check(); err != nil {
				return usageError{err}
			}
			return v.run(c.Context(), e)
		},
	}
	f := c.Flags()
	f.StringVar(&v.data, "data", "", "Parquet `file` with scores and labels")
	f.StringVar(&v.score, "score", "", "`column` of the scores")
	f.StringVar(&v.label, "label", "", "`column` of what happened: 0 or 1, a boolean, or an amount")
	f.StringVar(&v.challenger, "challenger", "", "`column` with the scores of another model, to take the difference")
	f.StringVar(&v.weight, "weight", "", "`column` of weights; 1 each without")
	f.StringVar(&v.cluster, "cluster", "", "`column` that names what rows have in common")
	f.StringVar(&v.query, "query", "", "`column` that names the list in which a row is ranked, for NDCG")
	f.StringVar(&v.treatment, "treatment", "", "`column` that says which rows an action changed")
	f.StringVar(&v.propensity, "propensity", "", "`column` of the probability of such an action")
	f.StringArrayVar(&v.slices, "slice", nil, "`column` to judge slices of; may be repeated")
	f.StringArrayVar(&v.protected, "protected", nil, "`column` of groups to treat alike, with --threshold; may be repeated")
	f.Float64SliceVar(&v.options.Thresholds, "threshold", nil, "`score` from which a row is selected; may be repeated")
	f.Float64SliceVar(&v.options.Quantiles, "quantile", nil, "`quantile` in (0, 1) that the scores forecast, for the pinball loss; may be repeated")
	f.Float64SliceVar(&v.options.Powers, "power", nil, "`power` of Tweedie's deviance; may be repeated")
	f.Float64Var(&v.options.Level, "level", 0.95, "`level` of the intervals")
	f.Uint64Var(&v.options.Seed, "seed", 0, "`number` that determines the bootstrap")
	f.Int64Var(&v.minRows, "min-rows", 100, "`rows` that a slice or group needs")
	f.BoolVar(&v.asJSON, "json", false, "print JSON")
	return c
}

// check refuses what cannot be meant.
func (v *evaluation) check() error {
	switch {
	case v.data == "":
		return errors.New("evaluate needs rows; name their file with --data")
	case v.score == "":
		return errors.New("evaluate needs scores; name their column with --score")
	case v.label == "":
		return errors.New("evaluate needs labels; name their column with --label")
	case (v.treatment == "") != (v.propensity == ""):
		return errors.New("--treatment and --propensity go together")
	case len(v.protected) > 0 && len(v.options.Thresholds) == 0:
		return errors.New("--protected needs a decision; name the score from which rows are selected with --threshold")
	case v.minRows < 2:
		return fmt.Errorf("--min-rows is %d, and must be at least 2", v.minRows)
	case !(v.options.Level > 0 && v.options.Level < 1):
		return fmt.Errorf("--level is %g, and must be between 0 and 1", v.options.Level)
	}
	return nil
}

// run judges the file.
func (v *evaluation) run(ctx context.Context, e *env) error {
	t, err := readTable(ctx, e, v.data,
		[]string{v.score, v.label, v.challenger, v.weight, v.treatment, v.propensity},
		slices.Concat([]string{v.cluster, v.query}, v.slices, v.protected))
	if err != nil {
		return err
	}
	out := &evaluated{Data: v.data}
	err = patiently(ctx, e.stderr, "judging "+figure.Things(t.rows, "row"), func() error { return v.judge(t, out) })
	if err != nil {
		var input *evaluate.InputError
		if errors.As(err, &input) && input.Row >= 0 {
			return fmt.Errorf("%s: a row: %s", v.data, input.Reason)
		}
		if errors.As(err, &input) {
			return fmt.Errorf("%s: %s", v.data, input.Reason)
		}
		return err
	}
	if v.asJSON {
		return printJSON(e, out)
	}
	out.print(e.stdout)
	return nil
}

// judge fills in the answer.
func (v *evaluation) judge(t *localTable, out *evaluated) error {
	rows, err := v.keep(t, out)
	if err != nil {
		return err
	}
	d := evaluate.Data{
		Scores:   where(t.numbers[v.score], rows),
		Labels:   where(t.numbers[v.label], rows),
		Weights:  where(t.numbers[v.weight], rows),
		Clusters: hashes(where(t.texts[v.cluster], rows)),
		Queries:  hashes(where(t.texts[v.query], rows)),
	}
	if v.propensity != "" {
		propensity, err := evaluate.InversePropensity(where(t.numbers[v.propensity], rows))
		if err != nil {
			return err
		}
		for i, w := range d.Weights {
			propensity[i] *= w
		}
		d.Weights = propensity
	}
	binary := !slices.ContainsFunc(d.Labels, func(y float64) bool { return y != 0 && y != 1 })
	if err := v.fits(binary); err != nil {
		return err
	}
	metrics := []evaluate.Metric{evaluate.AUC, evaluate.LogLoss, evaluate.Brier}
	if binary {
		out.Report, err = evaluate.Binary(d, &v.options)
	} else {
		metrics = []evaluate.Metric{evaluate.RMSE, evaluate.MAE, evaluate.Bias}
		out.Report, err = evaluate.Regression(d, &v.options)
	}
	if err != nil {
		return err
	}
	if v.challenger != "" {
		if err := v.differ(d, where(t.numbers[v.challenger], rows), metrics, out); err != nil {
			return err
		}
	}
	return v.groups(t, rows, d, metrics, out)
}

// fits refuses flags that the labels have no use for.
func (v *evaluation) fits(binary bool) error {
	switch {
	case binary && len(v.options.Quantiles)+len(v.options.Powers) > 0:
		return errors.New("--quantile and --power are for amounts, and all labels are 0 or 1")
	case !binary && len(v.options.Thresholds) > 0:
		return errors.New("--threshold is for labels that are 0 or 1, and these are amounts")
	}
	return nil
}

// keep returns which rows are judged: those whose outcome is known, and which no
// action changed.
func (v *evaluation) keep(t *localTable, out *evaluated) ([]bool, error) {
	rows := make([]bool, t.rows)
	for i, y := range t.numbers[v.label] {
		rows[i] = !math.IsNaN(y)
		if !rows[i] {
			out.Unobserved++
		}
	}
	for i, treated := range t.numbers[v.treatment] {
		switch {
		case !rows[i]:
		case treated == 1:
			rows[i] = false
			out.Treated++
		case treated != 0:
			return nil, &evaluate.InputError{Row: i, Reason: fmt.Sprintf("the treatment is %g, and must be 0 or 1", treated)}
		}
	}
	if !slices.Contains(rows, true) {
		return nil, &evaluate.InputError{Row: -1, Reason: fmt.Sprintf("no row can be judged: of %d, %d have no label and %d were treated", t.rows, out.Unobserved, out.Treated)}
	}
	return rows, nil
}

// where returns the values of the rows; nil if there is no such column.
func where[T any](values []T, rows []bool) []T {
	if values == nil {
		return nil
	}
	out := []T{}
	for i, v := range values {
		if rows[i] {
			out = append(out, v)
		}
	}
	return out
}

// differ takes the differences of the challenger.
func (v *evaluation) differ(d evaluate.Data, challenger []float64, metrics []evaluate.Metric, out *evaluated) error {
	for _, m := range metrics {
		e, err := evaluate.Difference(m, d, challenger, &v.options)
		if errors.Is(err, evaluate.ErrUndefined) {
			continue
		}
		if err != nil {
			return err
		}
		out.Challenger = append(out.Challenger, evaluate.Measured{Metric: m, Estimate: e})
	}
	return nil
}

// groups judges slices and protected groups.
func (v *evaluation) groups(t *localTable, rows []bool, d evaluate.Data, metrics []evaluate.Metric, out *evaluated) error {
	var dimensions []evaluate.Dimension
	for _, name := range v.slices {
		dimensions = append(dimensions, evaluate.Dimension{Name: name, Values: where(t.texts[name], rows)})
	}
	var err error
	if out.Slices, err = evaluate.BySlice(d, dimensions, &evaluate.SliceOptions{Metrics: metrics, MinRows: v.minRows}, &v.options); err != nil {
		return err
	}
	for _, name := range v.protected {
		for _, threshold := range v.options.Thresholds {
			p, err := evaluate.Fairness(d, evaluate.Dimension{Name: name, Values: where(t.texts[name], rows)}, threshold, v.minRows, &v.options)
			if err != nil {
				return err
			}
			out.Fairness = append(out.Fairness, p)
		}
	}
	return nil
}
