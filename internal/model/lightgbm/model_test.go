package lightgbm_test

import (
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
)

const goldens = "../../../testdata/golden"

// parse reads a model that must be good.
func parse(t testing.TB, text string, o model.Options) *lightgbm.Model {
	t.Helper()
	m, err := lightgbm.Parse([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestModelDescribesItself(t *testing.T) {
	m := parse(t, small, model.Options{})
	if got, want := m.Objective(), "binary sigmoid:1"; got != want {
		t.Errorf("objective %q, want %q", got, want)
	}
	if m.Outputs() != 1 || m.NumTrees() != 2 || m.NumIterations() != 2 {
		t.Errorf("%d outputs, %d trees, %d iterations", m.Outputs(), m.NumTrees(), m.NumIterations())
	}
	for i, want := range []struct {
		kind       model.Kind
		categories string
	}{{model.Numeric, ""}, {model.Categorical, "Bern Oslo"}, {model.Numeric, ""}} {
		in := m.Inputs()[i]
		if in.Kind != want.kind || strings.Join(in.Categories, " ") != want.categories {
			t.Errorf("input %s is %s with categories %q, want %s with %q", in.Name, in.Kind, in.Categories, want.kind, want.categories)
		}
	}
}

func TestImportanceIsLightGBMs(t *testing.T) {
	for _, dir := range goldenDirs(t, goldens) {
		text := string(readFile(t, dir, "model.txt"))
		_, tail, _ := strings.Cut(text, "\nfeature_importances:\n")
		want := map[string]int{}
		for line := range strings.Lines(tail) {
			name, count, ok := strings.Cut(strings.TrimSpace(line), "=")
			if !ok {
				break
			}
			n, err := strconv.Atoi(count)
			if err != nil {
				t.Fatal(err)
			}
			want[name] = n
		}
		for _, got := range parse(t, text, model.Options{}).Importance() {
			if got.Splits != want[got.Feature] || (got.Gain > 0) != (got.Splits > 0) {
				t.Errorf("%s: %s has %d splits with gain %g, want %d", filepath.Base(dir), got.Feature, got.Splits, got.Gain, want[got.Feature])
			}
		}
	}
}

func TestSharesOfTheGainAddUpToOne(t *testing.T) {
	for _, dir := range goldenDirs(t, goldens) {
		text := string(readFile(t, dir, "model.txt"))
		m := parse(t, text, model.Options{})
		total, shares := 0.0, 0.0
		for _, i := range m.Importance() {
			total += i.Gain
		}
		for i, in := range m.Inputs() {
			if want := m.Importance()[i].Gain / max(total, math.SmallestNonzeroFloat64); in.Importance != want {
				t.Errorf("%s: %s has importance %g, want %g", filepath.Base(dir), in.Name, in.Importance, want)
			}
			shares += in.Importance
		}
		if total > 0 && math.Abs(shares-1) > 1e-12 {
			t.Errorf("%s: the shares add up to %g", filepath.Base(dir), shares)
		}
	}
	for name, change := range map[string][]string{
		"no gains":         {"split_gain=3 2 1\n", "", "split_gain=1\n", ""},
		"an infinite gain": {"split_gain=3 2 1\n", "split_gain=inf 2 1\n"},
	} {
		text := strings.NewReplacer(append(change, "tree_sizes=229 230\n", "")...).Replace(small)
		for _, in := range parse(t, text, model.Options{}).Inputs() {
			if in.Importance != 0 {
				t.Errorf("%s: %s has importance %g, want 0", name, in.Name, in.Importance)
			}
		}
	}
}

func TestIterationsThatAreNotThereAreRefused(t *testing.T) {
	for _, o := range []model.Options{{Start: 2}, {Start: -1}, {Count: -1}} {
		_, err := lightgbm.Parse([]byte(small), o)
		var outside *lightgbm.RangeError
		if !errors.As(err, &outside) || outside.Iterations != 2 {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []model.Options{{Start: 1, Count: 50}, {Start: 0, Count: 1}, {Start: 1, Count: math.MaxInt}} {
		if n := parse(t, small, o).NumIterations(); n != 1 {
			t.Errorf("%+v: %d iterations, want 1", o, n)
		}
	}
}

func TestCategories(t *testing.T) {
	unknown := strings.NewReplacer("[categorical_feature: 1]", "[categorical_feature: ]", "-1:0:1", "none").Replace(small)
	byInfo := strings.Replace(small, "[categorical_feature: 1]", "[categorical_feature: name:city]", 1)
	numbers := strings.Replace(small, `["Bern", "Oslo"]`, `[1.0, 25, true, 0.5]`, 1)
	for _, test := range []struct {
		name  string
		text  string
		given map[string][]string
		want  string
		err   string
	}{
		{name: "from the file, by its parameter", text: small, want: "Bern|Oslo"},
		{name: "from the file, by the features' infos", text: byInfo, want: "Bern|Oslo"},
		{name: "of nobody in particular", text: unknown, err: "line 57: pandas_categorical has 1 lists, and the file does not say for which features; give the categories by name"},
		{name: "of nobody in particular, but given", text: unknown, given: map[string][]string{"city": {"Rome"}}, want: "Rome"},
		{name: "too few for the codes in the file", text: strings.Replace(small, "-1:0:1", "-1:0:2", 1), err: "line 57: pandas_categorical has 1 lists"},
		{name: "numbers in their shortest form", text: numbers, want: "1|25|true|0.5"},
		{name: "those given come first", text: small, given: map[string][]string{"city": {"Rome"}}, want: "Rome"},
		{name: "given for an input that is not there", text: small, given: map[string][]string{"town": {"Rome"}}, err: `column "town" has categories, and the model has no such input`},
		{name: "one value for two codes", text: small, given: map[string][]string{"city": {"Rome", "Rome"}}, err: `column "city" has a category twice, as 0 and 1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := lightgbm.Parse([]byte(test.text), model.Options{Categories: test.given})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(m.Inputs()[1].Categories, "|"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// repeated is a record that has the rows of rec n times over.
func repeated(t testing.TB, rec arrow.Record, n int) arrow.Record {
	t.Helper()
	columns := make([]arrow.Array, rec.NumCols())
	for i := range columns {
		parts := make([]arrow.Array, n)
		for j := range parts {
			parts[j] = rec.Column(i)
		}
		var err error
		if columns[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			t.Fatal(err)
		}
	}
	return array.NewRecord(rec.Schema(), columns, rec.NumRows()*int64(n))
}

func TestBlocksDoNotShow(t *testing.T) {
	c := readGolden(t, filepath.Join(goldens, "lgb-rf-multiclass"))
	const times = 17
	var scores model.Scores
	if err := c.model.Score(&scores, repeated(t, c.rows, times)); err != nil {
		t.Fatal(err)
	}
	n := len(c.expected.Raw)
	for i, got := range scores.Raw {
		if want := c.expected.Raw[i%n]; !model.Near(got, want, 0) {
			t.Fatalf("score %d is %v, want %v", i, got, want)
		}
	}
	if len(scores.Raw) != times*n {
		t.Errorf("%d scores, want %d", len(scores.Raw), times*n)
	}
}

func TestManyGoroutinesMayScoreWithOneModel(t *testing.T) {
	c := readGolden(t, filepath.Join(goldens, "lgb-missing-nan"))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				if err := model.CheckGolden(c.model, c.rows, &c.expected); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
