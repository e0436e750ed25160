package lightgbm

import (
	"math"
	"strconv"
	"strings"

	"headgate/internal/model"
)

// An objective turns raw scores into predictions.
type objective struct {
	text      string
	transform transform
	sigmoid   float64 // of binary and multiclassova
	classes   int     // 0 unless the objective says
}

type transform int

const (
	identity    transform = iota
	square                // sign(x)·x²: trained on square roots
	exponential           // exp(x): trained with a log link
	logistic              // 1 / (1 + exp(−sigmoid·x)), each output alone
	softmax               // over the outputs of a row
	softplus              // log(1 + exp(x))
)

// transforms are the objectives that LightGBM 4.6 writes into model files.
var transforms = map[string]transform{
	"regression": identity, "regression_l1": identity, "huber": identity, "fair": identity,
	"quantile": identity, "mape": identity, "mean_absolute_percentage_error": identity,
	"poisson": exponential, "gamma": exponential, "tweedie": exponential,
	"binary": logistic, "multiclass": softmax, "multiclassova": logistic,
	"cross_entropy": logistic, "xentropy": logistic,
	"cross_entropy_lambda": softplus, "xentlambda": softplus,
	"lambdarank": identity, "rank_xendcg": identity,
	"custom": identity, "none": identity, "null": identity, "na": identity,
}

// parseObjective reads the objective line. It returns what is wrong with it, or "".
func parseObjective(text string) (objective, string) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return objective{text: "custom"}, ""
	}
	name := words[0]
	t, ok := transforms[name]
	if !ok {
		return objective{}, "unknown objective " + quote(name)
	}
	o := objective{text: strings.Join(words, " "), transform: t}
	if t == logistic {
		o.sigmoid = 1
	}
	for _, word := range words[1:] {
		if reason := o.parameter(word); reason != "" {
			return objective{}, "objective " + name + ": " + reason
		}
	}
	switch {
	case (name == "binary" || name == "multiclassova") && !strings.Contains(text, " sigmoid:"):
		return objective{}, "objective " + name + " has no sigmoid"
	case (name == "multiclass" || name == "multiclassova") && o.classes == 0:
		return objective{}, "objective " + name + " has no num_class"
	}
	return o, ""
}

// parameter reads one "key:value" word after the objective's name.
func (o *objective) parameter(word string) string {
	if word == "sqrt" {
		if o.transform == identity {
			o.transform = square
		}
		return ""
	}
	key, value, _ := strings.Cut(word, ":")
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return "cannot read the parameter " + quote(word)
	}
	switch key {
	case "sigmoid":
		if number <= 0 {
			return "sigmoid must be greater than zero"
		}
		o.sigmoid = number
	case "num_class":
		if number != math.Trunc(number) || number < 1 || number > 1e6 {
			return "num_class must be a positive integer"
		}
		o.classes = int(number)
	}
	return ""
}

// apply turns raw scores of some rows, k to a row, into predictions, in place.
func (o *objective) apply(scores []float64, k int) {
	switch o.transform {
	case square:
		for i, x := range scores {
			scores[i] = math.Copysign(float64(x*x), x)
		}
	case exponential:
		for i, x := range scores {
			scores[i] = model.Exp(x)
		}
	case logistic:
		for i, x := range scores {
			scores[i] = 1 / (1 + model.Exp(float64(-o.sigmoid*x)))
		}
	case softplus:
		for i, x := range scores {
			scores[i] = math.Log1p(model.Exp(x))
		}
	case softmax:
		for i := 0; i < len(scores); i += k {
			softmaxRow(scores[i : i+k])
		}
	}
}

// softmaxRow turns one row of scores into shares of one. The largest is taken off
// first, so that no exponential overflows. A NaN makes all of the row NaN.
func softmaxRow(row []float64) {
	top := row[0]
	for _, x := range row[1:] {
		if x > top {
			top = x
		}
	}
	sum := 0.0
	for i, x := range row {
		row[i] = model.Exp(x - top)
		sum += row[i]
	}
	for i := range row {
		row[i] /= sum
	}
}
