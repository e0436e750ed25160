package gbdt

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/model"
)

var nan, inf = math.NaN(), math.Inf(1)

// x, y and w are the columns of small tables.
func x(values ...float64) column { return column{name: "x", numbers: values} }
func y(values ...float64) column { return column{name: "y", numbers: values} }
func w(values ...float64) column { return column{name: "w", numbers: values} }

func TestBadInputIsRefusedInASentence(t *testing.T) {
	one := []model.Input{{Name: "x"}}
	codes := []model.Input{{Name: "x", Kind: model.Categorical}}
	for _, test := range []struct {
		name    string
		rows    []column
		columns Columns
		params  []string
		want    string
	}{
		{name: "no features", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Label: "y"},
			want: "training data: there are no features to learn from"},
		{name: "no label", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: one},
			want: "training data: no column is named as the label"},
		{name: "no rows", rows: []column{x(), y()}, columns: Columns{Features: one, Label: "y"},
			want: "training data: there are no rows"},
		{name: "one row", rows: []column{x(1), y(0)}, columns: Columns{Features: one, Label: "y"},
			want: "training data: there is one row; there is nothing to compare it with"},
		{name: "a missing label", rows: []column{x(1, 2, 3), y(0, 1, nan)}, columns: Columns{Features: one, Label: "y"},
			want: `training data, row 2: column "y" is missing; leave out rows whose outcome is not known`},
		{name: "an infinite label", rows: []column{x(1, 2, 3), y(0, inf, 1)}, columns: Columns{Features: one, Label: "y"},
			want: `training data, row 1: column "y" is +Inf; a label is a finite number of single precision`},
		{name: "an infinite weight", rows: []column{x(1, 2), y(0, 1), w(1, inf)}, columns: Columns{Features: one, Label: "y", Weight: "w"},
			want: `training data, row 1: column "w" is +Inf; a weight is a finite number from 0 on`},
		{name: "a negative weight", rows: []column{x(1, 2), y(0, 1), w(-1, 1)}, columns: Columns{Features: one, Label: "y", Weight: "w"},
			want: `training data, row 0: column "w" is -1; a weight is a finite number from 0 on`},
		{name: "a missing weight", rows: []column{x(1, 2), y(0, 1), w(1, nan)}, columns: Columns{Features: one, Label: "y", Weight: "w"},
			want: `training data, row 1: column "w" is NaN; a weight is a finite number from 0 on`},
		{name: "weights that are all zero", rows: []column{x(1, 2), y(0, 1), w(0, 0)}, columns: Columns{Features: one, Label: "y", Weight: "w"},
			want: `weight "w" is 0 in all rows`},
		{name: "an infinite feature", rows: []column{x(1, -inf), y(0, 1)}, columns: Columns{Features: one, Label: "y"},
			want: `training data, row 1: column "x" is -Inf; a feature is a finite number or missing`},
		{name: "a code that is a key", rows: []column{x(1, 4e9), y(0, 1)}, columns: Columns{Features: codes, Label: "y"},
			want: `training data, row 1: column "x" has the category code 4e+09, beyond 1048575; number the categories from 0, or give them as text`},
		{name: "one class", rows: []column{x(1, 2), y(1, 1)}, columns: Columns{Features: one, Label: "y"}, params: []string{"objective", "binary"},
			want: `training data: label "y" is 1 in all 2 rows; there is nothing to tell apart`},
		{name: "a label that is no class", rows: []column{x(1, 2), y(0, 2)}, columns: Columns{Features: one, Label: "y"}, params: []string{"objective", "binary"},
			want: `training data, row 1: column "y" is 2; labels are 0 and 1 for the objective binary`},
		{name: "a label beyond the classes", rows: []column{x(1, 2), y(0, 3)}, columns: Columns{Features: one, Label: "y"}, params: []string{"objective", "multiclass", "num_class", "3"},
			want: `training data, row 1: column "y" is 3; with num_class 3 labels are integers from 0 to 2`},
		{name: "a label between classes", rows: []column{x(1, 2), y(0, 0.5)}, columns: Columns{Features: one, Label: "y"}, params: []string{"objective", "multiclass", "num_class", "3"},
			want: `training data, row 1: column "y" is 0.5; with num_class 3 labels are integers from 0 to 2`},
		{name: "a negative count", rows: []column{x(1, 2), y(0, -1)}, columns: Columns{Features: one, Label: "y"}, params: []string{"objective", "poisson"},
			want: `training data, row 1: column "y" is -1; it is a number from 0 on for this objective`},
		{name: "a constant feature alone", rows: []column{x(5, 5, 5), y(0, 1, 2)}, columns: Columns{Features: one, Label: "y"},
			want: "training data: no feature has two values; there is nothing to learn from"},
		{name: "a feature without values alone", rows: []column{x(nan, nan), y(0, 1)}, columns: Columns{Features: one, Label: "y"},
			want: "training data: no feature has two values; there is nothing to learn from"},
		{name: "a feature that is not there", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: []model.Input{{Name: "z"}}, Label: "y"},
			want: `column "z" is missing`},
		{name: "the label as a feature", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: []model.Input{{Name: "x"}, {Name: "y"}}, Label: "y"},
			want: `column "y" is both the label and a feature: the model would read the answer`},
		{name: "the weight as a feature", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: one, Label: "y", Weight: "x"},
			want: `column "x" is both the weight and a feature`},
		{name: "the label as the weight", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: one, Label: "y", Weight: "y"},
			want: `column "y" is both the label and the weight`},
		{name: "a feature twice", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: append(one, one...), Label: "y"},
			want: `column "x" is named twice among the features`},
		{name: "a name that no model file holds", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: []model.Input{{Name: "my x"}}, Label: "y"},
			want: `column "my x" cannot be in a model file, where names have no spaces, controls and none of ",:[]{}`},
		{name: "categories of a number", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: []model.Input{{Name: "x", Categories: []string{"1"}}}, Label: "y"},
			want: `column "x" has categories, and is not categorical`},
		{name: "text that is no category", rows: []column{{name: "x", texts: []string{"a", "b"}}, y(0, 1)}, columns: Columns{Features: one, Label: "y"},
			want: `column "x" holds text, and the model knows no categories for it`},
		{name: "constraints for other features", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: one, Label: "y"}, params: []string{"monotone_constraints", "1,0", "min_data_in_bin", "1"},
			want: "parameter monotone_constraints: has 2 values for 1 features"},
		{name: "a constraint on categories", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: codes, Label: "y"}, params: []string{"monotone_constraints", "1", "min_data_in_bin", "1"},
			want: `parameter monotone_constraints: has 1 for "x"; categories have no order`},
		{name: "early stopping without a validation part", rows: []column{x(1, 2), y(0, 1)}, columns: Columns{Features: one, Label: "y"}, params: []string{"early_stopping_round", "3", "min_data_in_bin", "1"},
			want: "parameter early_stopping_round: is 3, and there is no validation part to watch"},
		{name: "labels and weights that are too large", rows: []column{x(1, 2, 3), y(0, 3e38, -3e38), w(3e38, 3e38, 3e38)}, columns: Columns{Features: one, Label: "y", Weight: "w"}, params: []string{"min_data_in_bin", "1"},
			want: "round 1: the training leaves the numbers that can be computed with; labels or weights are too large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := params(t, test.params...)
			d, err := Load(t.Context(), stream(test.rows...), test.columns, p, nil)
			if err == nil {
				_, err = Train(t.Context(), d, nil, p, nil)
			}
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestBadValidationPartsAreRefused(t *testing.T) {
	p := params(t, "objective", "binary", "min_data_in_bin", "1")
	c := Columns{Features: []model.Input{{Name: "x"}}, Label: "y"}
	d := load(t, stream(x(1, 2), y(0, 1)), c, p)
	for _, test := range []struct {
		name string
		rows iter.Seq2[arrow.Record, error]
		want string
	}{
		{name: "no rows", rows: stream(x(), y()), want: "the validation part has no rows"},
		{name: "a missing label", rows: stream(x(1), y(nan)), want: `validation part: training data, row 0: column "y" is missing`},
		{name: "a label that is no class", rows: stream(x(1), y(3)), want: `validation part: training data, row 0: column "y" is 3`},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := d.Validation(t.Context(), test.rows, nil)
			if err == nil {
				_, err = Train(t.Context(), d, v, p, nil)
			}
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	other := load(t, stream(x(1, 2), y(0, 1)), c, p)
	if _, err := Train(t.Context(), d, other, p, nil); err == nil || !strings.HasPrefix(err.Error(), "the validation part has bins of its own") {
		t.Errorf("bins of its own: got %v", err)
	}
	p.MaxBin = 31
	if _, err := Train(t.Context(), d, nil, p, nil); err == nil || !strings.Contains(err.Error(), "must be those that the data was loaded with") {
		t.Errorf("other bins: got %v", err)
	}
}

func TestRecordsThatFailOrChangeAreRefused(t *testing.T) {
	broken := errors.New("broken pipe")
	fails := func(yield func(arrow.Record, error) bool) { yield(nil, broken) }
	c := Columns{Features: []model.Input{{Name: "x"}}, Label: "y"}
	if _, err := Load(t.Context(), fails, c, DefaultParams(), nil); err != broken {
		t.Errorf("got %v, want %v", err, broken)
	}
	passes := 0
	changes := func(yield func(arrow.Record, error) bool) {
		passes++
		stream(x(make([]float64, 10+passes)...), y(make([]float64, 10+passes)...))(yield)
	}
	want := "training data: 11 rows when they were sampled, 12 now; they must not change"
	if _, err := Load(t.Context(), changes, c, DefaultParams(), nil); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNotesSayWhichFeaturesAreOfNoUse(t *testing.T) {
	n := 1000
	empty, constant, useful, label := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	key := column{name: "key", texts: make([]string, n)}
	only := column{name: "only", texts: slices.Repeat([]string{"a"}, n)}
	for i := range n {
		empty[i], constant[i], useful[i], label[i] = nan, 5, float64(i%7), float64(i%7/4)
		key.texts[i] = fmt.Sprint("k", min(i/3, i%100*10))
	}
	c := Columns{Label: "y", Features: []model.Input{{Name: "empty"}, {Name: "constant"}, {Name: "useful"},
		{Name: "key", Kind: model.Categorical}, {Name: "only", Kind: model.Categorical}}}
	p := params(t, "objective", "binary")
	d := load(t, stream(column{name: "empty", numbers: empty}, column{name: "constant", numbers: constant},
		column{name: "useful", numbers: useful}, y(label...), key, only), c, p)
	want := []string{
		`feature "empty" has no value in any row and is not used`,
		`feature "constant" has one value, as far as it can be told, and is not used`,
		`feature "key" has many categories: 279 frequent ones are told apart, the others count as missing`,
		`feature "only" has one value, as far as it can be told, and is not used`,
	}
	if got := d.Notes(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	m, err := Train(t.Context(), d, nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(m.Text), "feature_infos=none none [0:6] -1:") {
		t.Errorf("the unused features are not none in the model's feature_infos")
	}
}

func TestNotesSayWhichLabelIsRare(t *testing.T) {
	values, labels := make([]float64, 500), make([]float64, 500)
	for i := range values {
		values[i], labels[i] = float64(i), oneIf(i >= 498)
	}
	d := load(t, stream(x(values...), y(labels...)), Columns{Features: []model.Input{{Name: "x"}}, Label: "y"}, params(t, "objective", "binary"))
	want := []string{`label "y" is 1 in only 2 of 500 rows; scale_pos_weight and is_unbalance weigh them`}
	if got := d.Notes(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A hundred thousand categories are loaded, and train; so does a text column without
// any text. Categories that training never saw score as missing ones do.
func TestManyNoAndUnseenCategories(t *testing.T) {
	n := 200_000
	many := column{name: "many", texts: make([]string, n)}
	none := column{name: "none", texts: make([]string, n)}
	label := make([]float64, n)
	for i := range n {
		many.texts[i] = fmt.Sprintf("c%05d", i/2)
		if i%4 == 0 {
			many.texts[i] = "often"
		}
		label[i] = float64(i % 4 / 3)
	}
	c := Columns{Label: "y", Features: []model.Input{{Name: "many", Kind: model.Categorical}, {Name: "none", Kind: model.Categorical}}}
	p := params(t, "objective", "binary", "num_iterations", "3")
	d := load(t, stream(many, none, y(label...)), c, p)
	if got := len(d.Inputs()[0].Categories); got != 100_001 {
		t.Errorf("got %d categories, want 100001", got)
	}
	m, err := Train(t.Context(), d, nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	scores := rawScores(t, m, stream(column{name: "many", texts: []string{"", "never seen", "c99999", "often"}},
		column{name: "none", texts: []string{"", "never seen", "", ""}}))
	if scores[0] != scores[1] || scores[0] != scores[2] || scores[0] <= scores[3] {
		t.Errorf("got %v: missing, unseen and rare categories should score the same, and the frequent one less", scores)
	}
}
