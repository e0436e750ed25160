package gbdt

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A parameter reads, writes and checks one field of [Params]. Reasons are what is
// wrong, or "".
type parameter struct {
	name    string
	aliases []string
	set     func(p *Params, text string) string
	get     func(p *Params) string
	check   func(p *Params) string
}

// parameters are all that there are, in the order in which a model lists them.
var parameters = []parameter{
	choice("objective", func(p *Params) *string { return &p.Objective }, objectiveNames, "objective_type", "app", "application", "loss"),
	choice("metric", func(p *Params) *string { return &p.Metric }, metricNames, "metrics", "metric_types"),
	integer("num_class", func(p *Params) *int { return &p.NumClass }, 1, 1000, "num_classes"),
	seed("seed", func(p *Params) *int64 { return &p.Seed }, "random_seed", "random_state"),
	integer("num_iterations", func(p *Params) *int { return &p.NumIterations }, 1, 1_000_000,
		"num_iteration", "n_iter", "num_tree", "num_trees", "num_round", "num_rounds", "nrounds", "num_boost_round", "n_estimators", "max_iter"),
	number("learning_rate", func(p *Params) *float64 { return &p.LearningRate }, above(0), "shrinkage_rate", "eta"),
	boolean("boost_from_average", func(p *Params) *bool { return &p.BoostFromAverage }),
	integer("early_stopping_round", func(p *Params) *int { return &p.EarlyStopping }, 0, 1_000_000,
		"early_stopping_rounds", "early_stopping", "n_iter_no_change"),
	number("early_stopping_min_delta", func(p *Params) *float64 { return &p.EarlyStoppingDelta }, from(0)),
	boolean("is_provide_training_metric", func(p *Params) *bool { return &p.MetricOnTrain }, "training_metric", "is_training_metric", "train_metric"),
	integer("num_leaves", func(p *Params) *int { return &p.NumLeaves }, 2, 131_072, "num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"),
	integer("max_depth", func(p *Params) *int { return &p.MaxDepth }, -1, 1_000_000),
	integer("min_data_in_leaf", func(p *Params) *int { return &p.MinDataInLeaf }, 0, math.MaxInt32,
		"min_data_per_leaf", "min_data", "min_child_samples", "min_samples_leaf"),
	number("min_sum_hessian_in_leaf", func(p *Params) *float64 { return &p.MinSumHessian }, from(0),
		"min_sum_hessian_per_leaf", "min_sum_hessian", "min_hessian", "min_child_weight"),
	number("min_gain_to_split", func(p *Params) *float64 { return &p.MinGainToSplit }, from(0), "min_split_gain"),
	number("lambda_l1", func(p *Params) *float64 { return &p.LambdaL1 }, from(0), "reg_alpha", "l1_regularization"),
	number("lambda_l2", func(p *Params) *float64 { return &p.LambdaL2 }, from(0), "reg_lambda", "lambda", "l2_regularization"),
	number("max_delta_step", func(p *Params) *float64 { return &p.MaxDeltaStep }, from(0), "max_tree_output", "max_leaf_output"),
	directions("monotone_constraints", func(p *Params) *[]int { return &p.Monotone }, "mc", "monotone_constraint", "monotonic_cst"),
	number("bagging_fraction", func(p *Params) *float64 { return &p.BaggingFraction }, share, "sub_row", "subsample", "bagging"),
	integer("bagging_freq", func(p *Params) *int { return &p.BaggingFreq }, 0, 1_000_000, "subsample_freq"),
	number("feature_fraction", func(p *Params) *float64 { return &p.FeatureFraction }, share, "sub_feature", "colsample_bytree"),
	integer("max_bin", func(p *Params) *int { return &p.MaxBin }, 2, 255, "max_bins"),
	integer("min_data_in_bin", func(p *Params) *int { return &p.MinDataInBin }, 1, math.MaxInt32),
	integer("bin_construct_sample_cnt", func(p *Params) *int { return &p.SampleRows }, 1, math.MaxInt32, "subsample_for_bin"),
	integer("max_cat_to_onehot", func(p *Params) *int { return &p.MaxCatOneHot }, 1, math.MaxInt32),
	integer("max_cat_threshold", func(p *Params) *int { return &p.MaxCat }, 1, math.MaxInt32),
	number("cat_smooth", func(p *Params) *float64 { return &p.CatSmooth }, from(0)),
	number("cat_l2", func(p *Params) *float64 { return &p.CatL2 }, from(0)),
	integer("min_data_per_group", func(p *Params) *int { return &p.MinPerGroup }, 1, math.MaxInt32),
	boolean("is_unbalance", func(p *Params) *bool { return &p.IsUnbalance }, "unbalance", "unbalanced_sets"),
	number("scale_pos_weight", func(p *Params) *float64 { return &p.PosWeight }, above(0)),
	number("sigmoid", func(p *Params) *float64 { return &p.Sigmoid }, above(0)),
	number("alpha", func(p *Params) *float64 { return &p.Alpha }, above(0)),
	number("poisson_max_delta_step", func(p *Params) *float64 { return &p.PoissonDelta }, above(0)),
	number("tweedie_variance_power", func(p *Params) *float64 { return &p.TweediePower }, func(v float64) string {
		return unless(v >= 1 && v < 2, v, "from 1 up to, but not, 2")
	}),
}

// unless returns "" if a value is in its range, or else what the range is.
func unless(ok bool, v float64, bounds string) string {
	if ok {
		return ""
	}
	return fmt.Sprintf("is %g; it is a number %s", v, bounds)
}

func above(low float64) func(float64) string {
	return func(v float64) string { return unless(v > low, v, fmt.Sprintf("above %g", low)) }
}

func from(low float64) func(float64) string {
	return func(v float64) string { return unless(v >= low, v, fmt.Sprintf("from %g on", low)) }
}

func share(v float64) string { return unless(v > 0 && v <= 1, v, "above 0 and up to 1") }

// number is a parameter that is a finite double.
func number(name string, field func(*Params) *float64, ok func(float64) string, aliases ...string) parameter {
	return parameter{name, aliases,
		func(p *Params, text string) string {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Sprintf("is %q, not a number", text)
			}
			*field(p) = v
			return ""
		},
		func(p *Params) string { return strconv.FormatFloat(*field(p), 'g', -1, 64) },
		func(p *Params) string {
			v := *field(p)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Sprintf("is %g, not a finite number", v)
			}
			return ok(v)
		}}
}

// integer is a parameter that is a whole number in [low, high].
func integer(name string, field func(*Params) *int, low, high int, aliases ...string) parameter {
	return parameter{name, aliases,
		func(p *Params, text string) string {
			v, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Sprintf("is %q, not an integer", text)
			}
			*field(p) = v
			return ""
		},
		func(p *Params) string { return strconv.Itoa(*field(p)) },
		func(p *Params) string {
			if v := *field(p); v < low || v > high {
				return fmt.Sprintf("is %d; it is an integer from %d to %d", v, low, high)
			}
			return ""
		}}
}

// seed is a parameter that is any whole number.
func seed(name string, field func(*Params) *int64, aliases ...string) parameter {
	return parameter{name, aliases,
		func(p *Params, text string) string {
			v, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fmt.Sprintf("is %q, not an integer", text)
			}
			*field(p) = v
			return ""
		},
		func(p *Params) string { return strconv.FormatInt(*field(p), 10) },
		func(*Params) string { return "" }}
}

// boolean is a parameter that is true or false, or as LightGBM also writes, 1 or 0.
func boolean(name string, field func(*Params) *bool, aliases ...string) parameter {
	return parameter{name, aliases,
		func(p *Params, text string) string {
			switch text {
			case "true", "True", "1", "+":
				*field(p) = true
			case "false", "False", "0", "-":
				*field(p) = false
			default:
				return fmt.Sprintf("is %q, neither true nor false", text)
			}
			return ""
		},
		func(p *Params) string {
			if *field(p) {
				return "1"
			}
			return "0"
		},
		func(*Params) string { return "" }}
}

// choice is a parameter that is one of some names. names maps every spelling to
// the one that is kept.
func choice(name string, field func(*Params) *string, names map[string]string, aliases ...string) parameter {
	return parameter{name, aliases,
		func(p *Params, text string) string {
			v, ok := names[text]
			if !ok {
				return fmt.Sprintf("is %q%s", text, hint(text, sortedKeys(names)))
			}
			*field(p) = v
			return ""
		},
		func(p *Params) string { return *field(p) },
		func(p *Params) string {
			if v := *field(p); names[v] != v {
				return fmt.Sprintf("is %q%s", v, hint(v, sortedKeys(names)))
			}
			return ""
		}}
}

// directions is a parameter that is a list of −1, 0 and 1.
func directions(name string, field func(*Params) *[]int, aliases ...string) parameter {
	return parameter{name, aliases,
		func(p *Params, text string) string {
			*field(p) = nil
			for word := range strings.SplitSeq(text, ",") {
				v, err := strconv.Atoi(strings.TrimSpace(word))
				if err != nil {
					return fmt.Sprintf("has %q, not 1, 0 or -1", word)
				}
				*field(p) = append(*field(p), v)
			}
			return ""
		},
		func(p *Params) string {
			words := make([]string, len(*field(p)))
			for i, v := range *field(p) {
				words[i] = strconv.Itoa(v)
			}
			return strings.Join(words, ",")
		},
		func(p *Params) string {
			for i, v := range *field(p) {
				if v < -1 || v > 1 {
					return fmt.Sprintf("has %d for feature %d; 1 rises, -1 falls, 0 is free", v, i)
				}
			}
			return ""
		}}
}
