package gbdt

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ParseParams reads LightGBM's parameters, by LightGBM's names or their aliases,
// over [DefaultParams]. A name that is not known, a name that means nothing here,
// two names of one parameter, and a value out of range give a *[ParamError] that
// says what to do.
func ParseParams(values map[string]string) (Params, error) {
	p := DefaultParams()
	given := map[string]string{} // by the parameter's own name
	for _, name := range sortedKeys(values) {
		text := strings.TrimSpace(values[name])
		if want, ok := fixed[name]; ok {
			if !slices.Contains(want, text) {
				return p, paramError(name, "is %q; only %s is built in", text, want[0])
			}
			continue
		}
		if reason, ok := refused[name]; ok {
			return p, paramError(name, "%s", reason)
		}
		known := find(name)
		if known == nil {
			return p, paramError(name, "is not known%s", hint(name, names()))
		}
		if first, twice := given[known.name]; twice {
			return p, paramError(name, "and %s are the same parameter; give one", first)
		}
		given[known.name] = name
		if known.name == "monotone_constraints" && text == "" {
			continue
		}
		if reason := known.set(&p, text); reason != "" {
			return p, &ParamError{name, reason}
		}
	}
	return p, p.check()
}

// Values returns the parameters as texts, by LightGBM's names; those without a
// value are left out. [ParseParams] reads them back.
func (p Params) Values() map[string]string {
	values := make(map[string]string, len(parameters))
	for i := range parameters {
		if text := parameters[i].get(&p); text != "" {
			values[parameters[i].name] = text
		}
	}
	return values
}

// fixed are parameters of LightGBM that have one value here, and its spellings.
var fixed = map[string][]string{
	"boosting": {"gbdt", "gbrt"}, "boosting_type": {"gbdt", "gbrt"}, "boost": {"gbdt", "gbrt"},
	"tree_learner": {"serial"}, "tree": {"serial"}, "device_type": {"cpu"}, "device": {"cpu"},
	"data_sample_strategy": {"bagging"}, "monotone_constraints_method": {"basic"},
	"use_missing": {"true", "True", "1"}, "zero_as_missing": {"false", "False", "0"},
	"linear_tree": {"false", "False", "0"}, "extra_trees": {"false", "False", "0"},
	"reg_sqrt": {"false", "False", "0"}, "deterministic": {"true", "True", "1"},
}

// refused are parameters of LightGBM that mean nothing here, and what to do instead.
var refused = map[string]string{
	"num_threads":             "changes no model; threads are an option of the training",
	"num_thread":              "changes no model; threads are an option of the training",
	"nthread":                 "changes no model; threads are an option of the training",
	"n_jobs":                  "changes no model; threads are an option of the training",
	"verbosity":               "has no effect, for nothing is printed; leave it out",
	"verbose":                 "has no effect, for nothing is printed; leave it out",
	"categorical_feature":     "is not needed; say of each input whether it is categorical",
	"cat_feature":             "is not needed; say of each input whether it is categorical",
	"bagging_seed":            "is not needed; seed is the seed of every draw",
	"feature_fraction_seed":   "is not needed; seed is the seed of every draw",
	"data_random_seed":        "is not needed; seed is the seed of every draw",
	"objective_seed":          "is not needed; seed is the seed of every draw",
	"force_col_wise":          "has no effect; leave it out",
	"force_row_wise":          "has no effect; leave it out",
	"histogram_pool_size":     "has no effect; leave it out",
	"enable_bundle":           "has no effect, for features are not bundled; leave it out",
	"feature_pre_filter":      "has no effect; leave it out",
	"is_enable_sparse":        "has no effect; leave it out",
	"eval_at":                 "belongs to ranking, which is not built in",
	"use_quantized_grad":      "is not needed; gradients are always rounded, to 19 bits or more",
	"pos_bagging_fraction":    "is not built in; weigh the rows, or use bagging_fraction",
	"neg_bagging_fraction":    "is not built in; weigh the rows, or use bagging_fraction",
	"interaction_constraints": "is not built in; train with an external program to have it",
	"feature_fraction_bynode": "is not built in; feature_fraction draws once for each tree",
	"path_smooth":             "is not built in; lambda_l2 and min_data_in_leaf also smooth",
}

// find returns the parameter of a name or alias, or nil.
func find(name string) *parameter {
	for i := range parameters {
		if parameters[i].name == name || slices.Contains(parameters[i].aliases, name) {
			return &parameters[i]
		}
	}
	return nil
}

// names are all names and aliases.
func names() []string {
	var all []string
	for i := range parameters {
		all = append(append(all, parameters[i].name), parameters[i].aliases...)
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// hint names the candidate that is nearest to a name, if it is near enough to be
// meant, or else the candidates if they are few.
func hint(name string, candidates []string) string {
	best, at := len(name)/2+1, ""
	for _, c := range candidates {
		if d := distance(name, c, best); d < best {
			best, at = d, c
		}
	}
	switch {
	case at != "":
		return fmt.Sprintf("; is %s meant?", at)
	case len(candidates) <= 40:
		return "; it is one of " + strings.Join(slices.DeleteFunc(slices.Clone(candidates), func(c string) bool { return c == "" }), ", ")
	}
	return "; it is none of LightGBM's that are built in"
}

// distance is the edit distance between two names, or limit if it is not below.
//
// Source: Levenshtein, "Binary codes capable of correcting deletions, insertions,
// and reversals", 1966.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
