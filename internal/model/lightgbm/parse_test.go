package lightgbm_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

// small is a model with every feature of the format that a test wants to break.
const small = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:1
feature_names=age city size
feature_infos=[0:9] -1:0:1 [0:1]
tree_sizes=229 230

Tree=0
num_leaves=4
num_cat=1
split_feature=0 1 2
split_gain=3 2 1
threshold=0.5 0 0.25
decision_type=2 1 8
left_child=1 -1 -3
right_child=2 -2 -4
leaf_value=1 2 3 4
cat_boundaries=0 2
cat_threshold=2 1
is_linear=0
shrinkage=1


Tree=1
num_leaves=2
num_cat=0
split_feature=2
split_gain=1
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=10 20
is_linear=1
leaf_const=11 21
num_features=1 0
leaf_features=2  
leaf_coeff=0.5  
shrinkage=1


end of trees

feature_importances:
size=2

parameters:
[boosting: gbdt]
[categorical_feature: 1]

end of parameters

pandas_categorical:[["Bern", "Oslo"]]
`

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	const tree = "lightgbm model, "
	for _, test := range []struct {
		name     string
		old, new string
		want     string
	}{
		{name: "empty", old: small, new: "", want: tree + "line 1: the file is empty"},
		{name: "not a model", old: "tree\nversion", new: "{\nversion", want: tree + `line 1: a LightGBM text model begins with "tree", not with "{"`},
		{name: "line ends of another system", old: "tree\nversion", new: "tree\r\nversion", want: "line 1: the line ends were changed to CRLF"},
		{name: "a version of the future", old: "=v4", new: "=v9", want: `line 2: format version "v9" is not known; v2, v3 and v4 are`},
		{name: "no version", old: "version=v4\n", want: "line 1: the header has no version"},
		{name: "no class", old: "num_class=1", new: "num_class=0", want: `line 3: num_class is "0", not an integer from 1 to 1000000`},
		{name: "an unknown objective", old: "=binary sigmoid:1", new: "=ranking", want: `line 7: unknown objective "ranking"`},
		{name: "an objective without its parameter", old: "=binary sigmoid:1", new: "=binary", want: "line 7: objective binary has no sigmoid"},
		{name: "a parameter out of range", old: "sigmoid:1", new: "sigmoid:0", want: "line 7: objective binary: sigmoid must be greater than zero"},
		{name: "a parameter that is no number", old: "sigmoid:1", new: "sigmoid:one", want: `line 7: objective binary: cannot read the parameter "sigmoid:one"`},
		{name: "classes without trees", old: "=binary sigmoid:1", new: "=multiclass num_class:3", want: "line 7: the objective has 3 classes, an iteration 1 trees"},
		{name: "softmax without classes", old: "=binary sigmoid:1", new: "=multiclass", want: "line 7: objective multiclass has no num_class"},
		{name: "a name too few", old: "=age city size", new: "=age city", want: "line 8: feature_names has 2 names, and max_feature_idx is 2"},
		{name: "a name twice", old: "=age city size", new: "=age city age", want: `line 8: feature_names has "age" twice`},
		{name: "an info too few", old: " [0:1]", want: "line 9: feature_infos has 2 values, not 3"},
		{name: "a key twice", old: "label_index=0", new: "num_class=1", want: `line 5: the header has "num_class" twice; the first is on line 3`},
		{name: "a key twice in a tree", old: "num_cat=1", new: "num_leaves=4", want: `line 14: tree 0 has "num_leaves" twice; the first is on line 13`},
		{name: "cut in the header", old: small[strings.Index(small, "feature_infos"):], want: "line 8: the file ends before the first tree: it is truncated"},
		{name: "cut in a tree", old: small[strings.Index(small, "leaf_const"):], want: "line 38: the file ends in tree 1: it is truncated"},
		{name: "cut after a tree", old: small[strings.Index(small, "end of trees"):], want: "the file ends in tree 1: it is truncated"},
		{name: "cut in the parameters", old: small[strings.Index(small, "end of parameters"):], want: "the file ends in the parameters, which begin on line 51: it is truncated"},
		{name: "cut in the categories", old: `"Oslo"]]`, want: "line 57: pandas_categorical is not a list of lists"},
		{name: "a category that is a list", old: `"Oslo"`, new: `["Oslo"]`, want: "line 57: pandas_categorical: list 1 has a value that is no text, number or boolean"},
		{name: "no trees", old: small[strings.Index(small, "Tree=0"):strings.Index(small, "end of trees")], want: "line 12: the model has no trees"},
		{name: "a tree is missing", old: "Tree=1", new: "Tree=2", want: `line 28: "Tree=2" is not Tree=1: a tree is missing`},
		{name: "half an iteration", old: "num_tree_per_iteration=1", new: "num_tree_per_iteration=3", want: "line 46: 2 trees are no whole number of iterations of 3 trees"},
		{name: "a tree of another size", old: "threshold=0.5 0 0.25", new: "threshold=0.50 0 0.25", want: `line 12: tree 0 has 230 bytes, and tree_sizes says "229": the file was changed`},
		{name: "fewer sizes than trees", old: "tree_sizes=229 230", new: "tree_sizes=229", want: "line 10: tree_sizes has 1 values for 2 trees"},
		{name: "too many leaves", old: "num_leaves=4", new: "num_leaves=999999999", want: `line 13: num_leaves is "999999999", not an integer from 1 to 131072`},
		{name: "a leaf too few", old: "leaf_value=1 2 3 4", new: "leaf_value=1 2 3", want: "line 21: leaf_value has 3 values, not 4"},
		{name: "a leaf too many", old: "leaf_value=1 2 3 4", new: "leaf_value=1 2 3 4 5", want: "line 21: leaf_value has more than the 4 values"},
		{name: "a leaf that is no number", old: "leaf_value=1 2 3 4", new: "leaf_value=1 x 3 4", want: `line 21: leaf_value: value 2 is "x", not a finite number`},
		{name: "an infinite leaf", old: "leaf_value=1 2 3 4", new: "leaf_value=1 inf 3 4", want: `line 21: leaf_value: value 2 is "inf", not a finite number`},
		{name: "a threshold that is NaN", old: "threshold=0.5 0 0.25", new: "threshold=0.5 0 nan", want: `line 17: threshold: value 3 is "nan", not a number`},
		{name: "a feature that is not there", old: "split_feature=0 1 2", new: "split_feature=0 1 3", want: `line 15: split_feature: value 3 is "3", not an integer from 0 to 2`},
		{name: "an unknown missing type", old: "decision_type=2 1 8", new: "decision_type=2 1 12", want: `line 18: decision_type: value 3 is "12", not an integer from 0 to 11`},
		{name: "a child beyond the tree", old: "left_child=1 -1 -3", new: "left_child=3 -1 -3", want: `line 19: left_child: value 1 is "3", not an integer from -4 to 2`},
		{name: "a leaf beyond the tree", old: "right_child=2 -2 -4", new: "right_child=2 -2 -5", want: `line 20: right_child: value 3 is "-5", not an integer from -4 to 2`},
		{name: "a cycle", old: "left_child=1 -1 -3", new: "left_child=1 -1 0", want: "line 19: left_child and right_child are no tree: node 0 is reached twice"},
		{name: "a leaf with two parents", old: "right_child=2 -2 -4", new: "right_child=2 -2 -3", want: "no tree: leaf 2 is reached twice"},
		{name: "a cycle beside the tree", old: "left_child=1 -1 -3\nright_child=2 -2 -4", new: "left_child=-1 2 -3\nright_child=-2 1 -4", want: "no tree: only 3 of 7 nodes and leaves are reached"},
		{name: "a category set that is not there", old: "threshold=0.5 0 0.25", new: "threshold=0.5 1 0.25", want: "line 17: threshold: node 1 asks for category set 1 of 1"},
		{name: "half a category set", old: "threshold=0.5 0 0.25", new: "threshold=0.5 .5 .25", want: "line 17: threshold: node 1 asks for category set 0.5 of 1"},
		{name: "a categorical node without sets", old: "num_cat=1", new: "num_cat=0", want: "asks for category set 0 of 0"},
		{name: "category sets that overlap", old: "cat_boundaries=0 2", new: "cat_boundaries=1 2", want: "line 22: cat_boundaries: value 1 is 1; they must start at 0 and not fall"},
		{name: "a category word too few", old: "cat_threshold=2 1", new: "cat_threshold=2", want: "line 23: cat_threshold has 1 values, not 2"},
		{name: "a category word too large", old: "cat_threshold=2 1", new: "cat_threshold=2 4294967296", want: `line 23: cat_threshold: value 2 is "4294967296", not a 32-bit word`},
		{name: "sets without words", old: "cat_boundaries=0 2", new: "cat_boundaries=0 999999999", want: "line 23: cat_threshold has 2 values, not 999999999"},
		{name: "no children", old: "left_child=-1\n", want: "line 28: tree 1 has no left_child"},
		{name: "a linear leaf too few", old: "leaf_const=11 21", new: "leaf_const=11", want: "line 39: leaf_const has 1 values, not 2"},
		{name: "a linear feature that is not there", old: "leaf_features=2", new: "leaf_features=3", want: `line 41: leaf_features: value 1 is "3", not an integer from 0 to 2`},
		{name: "a coefficient too many", old: "leaf_coeff=0.5", new: "leaf_coeff=0.5 1", want: "line 42: leaf_coeff has more than the 1 values"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(small, test.old) {
				t.Fatalf("%q is not in the model", test.old)
			}
			_, err := lightgbm.Parse([]byte(strings.Replace(small, test.old, test.new, 1)), model.Options{})
			var parse *lightgbm.ParseError
			if !errors.As(err, &parse) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestEveryPrefixOfAModelIsRefused(t *testing.T) {
	data := []byte(small)
	end := strings.Index(small, "end of parameters") + len("end of parameters")
	trees := strings.Index(small, "end of trees") + len("end of trees")
	for n := range end {
		_, err := lightgbm.Parse(data[:n], model.Options{})
		// Between the trees and the parameters is only what no score depends on.
		if whole := n >= trees && n < strings.Index(small, "parameters:")+len("parameters:"); (err == nil) != whole {
			t.Fatalf("the first %d bytes give %v", n, err)
		}
	}
}

// FuzzParse also scores with what it could parse: a file that passes the checks
// must not lead a walk out of bounds or into a circle.
func FuzzParse(f *testing.F) {
	// Without tree_sizes, which any change to a tree contradicts.
	f.Add([]byte(strings.Replace(small, "tree_sizes=229 230\n", "", 1)))
	f.Add([]byte(small))
	for _, name := range []string{"lgb-stump", "lgb-two-leaves"} {
		data, err := os.ReadFile(filepath.Join(goldens, name, "model.txt"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := lightgbm.Parse(data, model.Options{})
		if err != nil || len(m.Inputs()) > 1000 {
			return
		}
		var scores model.Scores
		rec := constants(m.Inputs(), 0, 1, -1, 31, math.NaN(), math.Inf(1), 1e300)
		defer rec.Release()
		if err := m.Score(&scores, rec); err != nil {
			t.Fatal(err)
		}
	})
}

// constants is a record with one row per value: the value in every column, as its
// text where the input has text categories.
func constants(inputs []model.Input, values ...float64) arrow.Record {
	fields := make([]arrow.Field, len(inputs))
	columns := make([]arrow.Array, len(inputs))
	for i, in := range inputs {
		if in.Categories == nil {
			b := array.NewFloat64Builder(memory.DefaultAllocator)
			b.AppendValues(values, nil)
			columns[i] = b.NewArray()
		} else {
			b := array.NewStringBuilder(memory.DefaultAllocator)
			for j := range values {
				b.Append(append(slices.Clone(in.Categories), "unseen")[min(j, len(in.Categories))])
			}
			columns[i] = b.NewArray()
		}
		fields[i] = arrow.Field{Name: in.Name, Type: columns[i].DataType()}
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(len(values)))
}

func TestParseKeepsNothingOfItsInput(t *testing.T) {
	data := []byte(small)
	m, err := lightgbm.Parse(data, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	copy(data, bytes.Repeat([]byte{'x'}, len(data)))
	if got, want := strings.Join(m.FeatureNames(), " "), "age city size"; got != want {
		t.Errorf("names are %q, want %q", got, want)
	}
}
