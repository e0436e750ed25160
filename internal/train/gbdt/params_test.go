package gbdt

import (
	"errors"
	"maps"
	"testing"
)

func TestParseParams(t *testing.T) {
	for _, test := range []struct {
		name   string
		values map[string]string
		want   string // the error; empty for none
	}{
		{name: "nothing", values: nil},
		{name: "an alias", values: map[string]string{"n_estimators": "5", "eta": "0.3", "objective": "mse"}},
		{name: "what is built in anyway", values: map[string]string{"boosting": "gbdt", "device_type": "cpu", "deterministic": "true"}},
		{name: "a slip", values: map[string]string{"num_leafs": "5"},
			want: "parameter num_leafs: is not known; is num_leaf meant?"},
		{name: "nothing that LightGBM has", values: map[string]string{"thermostat": "5"},
			want: "parameter thermostat: is not known; it is none of LightGBM's that are built in"},
		{name: "two names of one parameter", values: map[string]string{"eta": "0.3", "learning_rate": "0.3"},
			want: "parameter learning_rate: and eta are the same parameter; give one"},
		{name: "threads", values: map[string]string{"num_threads": "4"},
			want: "parameter num_threads: changes no model; threads are an option of the training"},
		{name: "another seed", values: map[string]string{"bagging_seed": "4"},
			want: "parameter bagging_seed: is not needed; seed is the seed of every draw"},
		{name: "another algorithm", values: map[string]string{"boosting": "dart"},
			want: `parameter boosting: is "dart"; only gbdt is built in`},
		{name: "another objective", values: map[string]string{"objective": "binry"},
			want: `parameter objective: is "binry"; is binary meant?`},
		{name: "no number", values: map[string]string{"eta": "fast"}, want: `parameter eta: is "fast", not a number`},
		{name: "not a number", values: map[string]string{"eta": "NaN"}, want: "parameter learning_rate: is NaN, not a finite number"},
		{name: "not an integer", values: map[string]string{"num_leaves": "31.5"}, want: `parameter num_leaves: is "31.5", not an integer`},
		{name: "out of range", values: map[string]string{"num_leaves": "1"},
			want: "parameter num_leaves: is 1; it is an integer from 2 to 131072"},
		{name: "too many bins for a byte", values: map[string]string{"max_bin": "512"},
			want: "parameter max_bin: is 512; it is an integer from 2 to 255"},
		{name: "no share", values: map[string]string{"feature_fraction": "0"},
			want: "parameter feature_fraction: is 0; it is a number above 0 and up to 1"},
		{name: "neither true nor false", values: map[string]string{"is_unbalance": "yes"},
			want: `parameter is_unbalance: is "yes", neither true nor false`},
		{name: "no direction", values: map[string]string{"monotone_constraints": "1,2"},
			want: "parameter monotone_constraints: has 2 for feature 1; 1 rises, -1 falls, 0 is free"},
		{name: "no direction at all", values: map[string]string{"monotone_constraints": "1,up"},
			want: `parameter monotone_constraints: has "up", not 1, 0 or -1`},
		{name: "bags that are never drawn", values: map[string]string{"bagging_fraction": "0.5"},
			want: "parameter bagging_freq: is 0, so bagging_fraction would do nothing; set it to 1 or more"},
		{name: "classes of a regression", values: map[string]string{"num_class": "3"},
			want: "parameter num_class: is 3; only the objective multiclass has classes"},
		{name: "one class", values: map[string]string{"objective": "multiclass"},
			want: "parameter num_class: is 1; the objective multiclass needs at least 2"},
		{name: "two weights of classes", values: map[string]string{"objective": "binary", "is_unbalance": "1", "scale_pos_weight": "2"},
			want: "parameter is_unbalance: and scale_pos_weight both weigh the classes; choose one"},
		{name: "weights of classes without classes", values: map[string]string{"scale_pos_weight": "2"},
			want: "parameter scale_pos_weight: and is_unbalance belong to the objective binary; give regression a weight column"},
		{name: "a quantile beyond all", values: map[string]string{"objective": "quantile", "alpha": "1.5"},
			want: "parameter alpha: is 1.5; a quantile lies below 1"},
		{name: "monotone quantiles", values: map[string]string{"objective": "l1", "monotone_constraints": "1"},
			want: "parameter monotone_constraints: cannot be kept by the objective regression_l1, whose leaves are quantiles"},
		{name: "a metric of another objective", values: map[string]string{"objective": "regression", "metric": "auc"},
			want: "parameter metric: is auc; the objective regression has [l2 rmse l1 huber quantile]"},
		{name: "a power that is none of Tweedie's", values: map[string]string{"tweedie_variance_power": "2"},
			want: "parameter tweedie_variance_power: is 2; it is a number from 1 up to, but not, 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseParams(test.values)
			var param *ParamError
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (!errors.As(err, &param) || err.Error() != test.want):
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestAliasesSetTheParameter(t *testing.T) {
	for i := range parameters {
		for _, name := range parameters[i].aliases {
			if found := find(name); found != &parameters[i] {
				t.Errorf("%s is an alias of %s and of %s", name, parameters[i].name, found.name)
			}
		}
	}
	p, err := ParseParams(map[string]string{"n_estimators": "5", "eta": "0.3", "objective": "mse", "mc": "1, -1"})
	if err != nil || p.NumIterations != 5 || p.LearningRate != 0.3 || p.Objective != "regression" || len(p.Monotone) != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
}

// What parses is in range, and its values parse to the same parameters.
func FuzzParseParams(f *testing.F) {
	f.Add("objective", "binary", "num_leaves", "7")
	f.Add("monotone_constraints", "1,0,-1", "metric", "rmse")
	f.Add("eta", "1e-3", "subsample_freq", "2")
	f.Add("boosting", "gbdt", "num_threads", "2")
	f.Add("lern_rate", "", "", "0x1p-2")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		p, err := ParseParams(map[string]string{name1: value1, name2: value2})
		if err != nil {
			return
		}
		if err := p.check(); err != nil {
			t.Fatalf("accepted, though %v", err)
		}
		again, err := ParseParams(p.Values())
		if err != nil || !maps.Equal(again.Values(), p.Values()) {
			t.Fatalf("%v parse as %v, %v", p.Values(), again.Values(), err)
		}
	})
}
