package drift_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

func TestBinsThatDoNotFitAreRefused(t *testing.T) {
	for _, test := range []struct {
		name     string
		ref, cur []int64
	}{
		{name: "different bins", ref: []int64{1, 2}, cur: []int64{1}},
		{name: "no bins", ref: nil, cur: nil},
		{name: "no rows in the reference", ref: []int64{0, 0}, cur: []int64{1, 1}},
		{name: "no rows in the batch", ref: []int64{1, 1}, cur: []int64{0, 0}},
		{name: "a negative count", ref: []int64{2, -1}, cur: []int64{1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err1 := drift.PSI(test.ref, test.cur)
			_, err2 := drift.RawPSI(test.ref, test.cur)
			_, err3 := drift.JensenShannon(test.ref, test.cur)
			_, err4 := drift.LInfinity(test.ref, test.cur)
			_, err5 := drift.ChiSquare(test.ref, test.cur)
			for _, err := range []error{err1, err2, err3, err4, err5} {
				if !errors.Is(err, drift.ErrBins) {
					t.Errorf("got %v, want ErrBins", err)
				}
			}
		})
	}
	for _, c := range [][4]int64{{1, 0, 0, 1}, {2, 1, 0, 1}, {-1, 1, 0, 1}, {0, 1, 0, 0}} {
		if _, err := drift.TwoProportion(c[0], c[1], c[2], c[3]); !errors.Is(err, drift.ErrBins) {
			t.Errorf("%v: got %v, want ErrBins", c, err)
		}
	}
	descending := bins([]float64{1, 2})
	slices.Reverse(descending)
	for _, side := range [][]float64{nil, {1}} {
		if _, err := drift.KolmogorovSmirnov(bins(side), descending); !errors.Is(err, drift.ErrBins) {
			t.Errorf("got %v, want ErrBins", err)
		}
		if _, err := drift.Wasserstein(descending, bins(side)); !errors.Is(err, drift.ErrBins) {
			t.Errorf("got %v, want ErrBins", err)
		}
	}
}

// ramp returns n different numbers from low to high.
func ramp(n int, low, high float64) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = low + (high-low)*float64(i)/float64(n-1)
	}
	return out
}

// keys returns n different texts.
func keys(n int, prefix string) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%06d", prefix, i)
	}
	return out
}

// repeated returns texts, each of which occurs times times.
func repeated(from, to, times int) []any {
	var out []any
	for i := from; i < to; i++ {
		out = append(out, many(times, fmt.Sprint("zip ", i))...)
	}
	return out
}

func TestColumns(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	int32s := func(n, modulo int) column {
		return column{"x", arrow.PrimitiveTypes.Int32, func(b array.Builder) {
			for i := range n {
				b.(*array.Int32Builder).Append(int32(i % modulo))
			}
		}}
	}
	for _, test := range []struct {
		name     string
		ref, cur column
		o        drift.Options
		level    drift.Level
		size     drift.Size
		basis    drift.Basis
		reason   string // somewhere among the reasons
	}{
		{name: "nothing moved", ref: float("x", ramp(2000, 0, 9)...), cur: float("x", ramp(3000, 0, 9)...), level: drift.None, size: drift.Small, basis: drift.ByDecile},
		{name: "a fifth of the range further", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", ramp(2000, 2, 12)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile, reason: "outside of the reference's range: 19.4 %"},
		{name: "a major change of few rows", ref: float("x", ramp(999, 0, 10)...), cur: float("x", ramp(2000, 20, 30)...), level: drift.Inconclusive, size: drift.Major, basis: drift.ByDecile, reason: "the reference has 999 rows, fewer than the 1000 that it takes"},
		{name: "few rows in the batch", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", 1.0), level: drift.Inconclusive, size: drift.Small, basis: drift.ByDecile, reason: "the batch has 1 row, fewer than the 1000 that it takes"},
		{name: "a column that stays constant", ref: float("x", many(2000, 5.0)...), cur: float("x", many(2000, 5.0)...), level: drift.None, size: drift.Small, basis: drift.ByValue},
		{name: "another constant", ref: float("x", many(2000, 5.0)...), cur: float("x", many(2000, 6.0)...), level: drift.Warn, size: drift.Major, basis: drift.ByValue, reason: "outside of the reference's range: 100 %"},
		{name: "a constant comes alive", ref: float("x", many(2000, 5.0)...), cur: float("x", ramp(2000, 0, 10)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile},
		{name: "all null on both sides", ref: float("x", many(2000, nil)...), cur: float("x", many(2000, nil)...), level: drift.None, size: drift.Small, basis: drift.ByValue},
		{name: "all turn null", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", many(2000, nil)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile, reason: "missing: 100 %, was 0 %"},
		{name: "no more nulls", ref: float("x", many(2000, nil)...), cur: float("x", ramp(2000, 0, 10)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile, reason: "missing: 0 %, was 100 %"},
		{name: "a tenth turns null", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", append(ramp(1800, 0, 10), many(200, nil)...)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile, reason: "the heaviest bin: null, 10 %, was 0 %"},
		{name: "a tenth turns NaN", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", append(ramp(1800, 0, 10), many(200, nan)...)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile, reason: "the heaviest bin: NaN"},
		{name: "a tenth turns infinite", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", append(ramp(1800, 0, 10), many(200, inf)...)...), level: drift.Warn, size: drift.Major, basis: drift.ByDecile, reason: "the heaviest bin: +infinite"},
		{name: "a code of few disappears in its tenth", ref: int32s(2000, 15), cur: int32s(2000, 14), level: drift.Warn, size: drift.Major, basis: drift.ByValue, reason: "the heaviest bin: 14, 0 %, was 6.65 %"},
		{name: "codes of many", ref: int32s(20000, 40), cur: int32s(20000, 39), o: drift.Options{Policies: map[string]drift.Policy{"x": {Codes: true}}}, level: drift.Warn, size: drift.Moderate, basis: drift.ByValue, reason: "vanished categories: 1, 2.5 % of the reference"},
		{name: "numbers of many", ref: int32s(20000, 40), cur: int32s(20000, 39), level: drift.None, size: drift.Small, basis: drift.ByDecile, reason: "is below 0.1"},
		{name: "numbers too close together for bins", ref: float("x", ramp(2000, 4711, 4712)...), cur: float("x", ramp(2000, 4711.2, 4712.2)...), level: drift.Warn, size: drift.Major, basis: drift.ByMean, reason: "an effect of 0.479, major from 0.25, and significant (p below 1e-12)"},
		{name: "numbers too close together as before", ref: float("x", ramp(2000, 4711, 4712)...), cur: float("x", ramp(1500, 4711, 4712)...), level: drift.None, size: drift.Small, basis: drift.ByDecile},
		{name: "a new category", ref: text("x", many(2000, "a", "b")...), cur: text("x", many(2000, "a", "b", "c", "b")...), level: drift.Warn, size: drift.Major, basis: drift.ByValue, reason: "new categories: 1, 25 % of the batch"},
		{name: "rare values that only one side has", ref: text("x", append(many(2000, "a", "b"), keys(50, "r")...)...), cur: text("x", append(many(2000, "a", "b"), keys(50, "c")...)...), level: drift.None, size: drift.Small, basis: drift.ByValue},
		{name: "a large change that may be chance", ref: boolean("x", many(24, true, false)...), cur: boolean("x", append(many(14, true, false), many(10, true)...)...), o: drift.Options{MinRows: 20, Moderate: 0.05}, level: drift.None, size: drift.Moderate, basis: drift.ByValue, reason: "but that may be chance (p 0.1"},
		{name: "other booleans", ref: boolean("x", many(2000, true, false)...), cur: boolean("x", many(2000, true, true, true, false)...), level: drift.Warn, size: drift.Major, basis: drift.ByValue},
		{name: "keys are all new each month", ref: text("x", keys(5000, "C")...), cur: text("x", keys(3000, "D")...), level: drift.None, size: drift.Small, basis: drift.ByLength},
		{name: "keys of another form", ref: text("x", keys(5000, "C")...), cur: text("x", keys(3000, "customer-")...), level: drift.Warn, size: drift.Major, basis: drift.ByLength, reason: "above 7 long, 100 %"},
		{name: "very many categories as before", ref: text("x", repeated(0, 3000, 25)...), cur: text("x", repeated(0, 3000, 20)...), level: drift.None, size: drift.Small, basis: drift.BySample},
		{name: "very many categories and as many new ones that are rare", ref: text("x", repeated(0, 3000, 50)...), cur: text("x", append(repeated(0, 3000, 50), keys(3000, "rare ")...)...), level: drift.None, size: drift.Small, basis: drift.BySample},
		{name: "very many categories, a third new", ref: text("x", repeated(0, 3000, 25)...), cur: text("x", repeated(1000, 4000, 25)...), level: drift.Warn, size: drift.Major, basis: drift.BySample},
		{name: "very many categories, a quarter null", ref: text("x", repeated(0, 3000, 20)...), cur: text("x", append(repeated(0, 3000, 20), many(20000, nil)...)...), level: drift.Warn, size: drift.Major, basis: drift.BySample, reason: "the heaviest bin: null, 25 %, was 0 %"},
		{name: "a threshold of its own", ref: float("x", ramp(2000, 0, 10)...), cur: float("x", ramp(2000, 2, 12)...), o: drift.Options{Policies: map[string]drift.Policy{"x": {Moderate: 9}}}, level: drift.None, size: drift.Small, basis: drift.ByDecile, reason: "is below 9"},
		{name: "kinds differ", ref: float("x", 1.0), cur: text("x", "a"), level: drift.Inconclusive, size: drift.Small, reason: "it was of kind number, and is of kind text"},
		{name: "not in the reference", ref: float("y", 1.0), cur: float("x", 1.0), o: drift.Options{Columns: []string{"x"}}, level: drift.Inconclusive, size: drift.Small, reason: "the reference does not have this column"},
		{name: "not in the batch", ref: float("x", 1.0), cur: float("y", 1.0), o: drift.Options{Columns: []string{"x"}}, level: drift.Inconclusive, size: drift.Small, reason: "the batch does not have this column"},
		{name: "nowhere", ref: float("y", 1.0), cur: float("y", 1.0), o: drift.Options{Columns: []string{"x"}}, level: drift.Inconclusive, size: drift.Small, reason: "neither side has this column"},
		{name: "no rows at all", ref: float("x"), cur: float("x"), level: drift.Inconclusive, size: drift.Small, basis: drift.ByValue, reason: "the batch has 0 rows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := compare(t, profiled(t, nil, test.ref), profiled(t, nil, test.cur), &test.o)
			if len(r.Columns) != 1 {
				t.Fatalf("got %d columns", len(r.Columns))
			}
			c := r.Columns[0]
			reasons := strings.Join(c.Reasons, "; ")
			if c.Level != test.level || c.Size != test.size || c.Basis != test.basis || !strings.Contains(reasons, test.reason) {
				t.Errorf("got %s, %s, by %q, because %q (effect %g)", c.Level, c.Size, c.Basis, reasons, c.Effect)
			}
			if r.Level != test.level {
				t.Errorf("the batch is %s", r.Level)
			}
			roundTrip(t, r)
		})
	}
}

// roundTrip checks that a report survives JSON, which holds neither NaN nor infinities.
func roundTrip(t *testing.T, r *drift.Report) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back drift.Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, r) {
		t.Errorf("got %+v, want %+v", back, *r)
	}
}

func TestRestrictedColumnsShowOnlyWhatIsMissing(t *testing.T) {
	o := &profile.Options{Restricted: []string{"x"}}
	ref := profiled(t, nil, text("x", many(2000, "secret a")...))
	cur := profiled(t, o, text("x", append(many(1000, "secret b"), many(1000, nil)...)...))
	r := compare(t, ref, cur, nil)
	c := r.Columns[0]
	if c.Level != drift.Warn || c.Basis != drift.ByMissing || !c.Restricted || c.Missing.Current != 0.5 || c.New != nil || c.KS != nil {
		t.Errorf("got %+v", c)
	}
	wordless(t, r, "secret")
	same := compare(t, profiled(t, o, text("x", many(2000, "secret a")...)), profiled(t, o, text("x", many(2000, "secret b")...)), nil)
	if same.Level != drift.None {
		t.Errorf("values that nobody may see make the batch %s", same.Level)
	}
}

func TestHiddenColumnsShowNoValues(t *testing.T) {
	o := &drift.Options{Policies: map[string]drift.Policy{"x": {Hide: true}, "n": {Hide: true}}}
	ref := profiled(t, nil, text("x", many(2000, "secret a", "secret c")...), float("n", ramp(2000, 4711, 4712)...))
	cur := profiled(t, nil, text("x", many(2000, "secret b", "secret c")...), float("n", ramp(2000, 4713, 4714)...))
	r := compare(t, ref, cur, o)
	if len(r.Causes) != 2 || r.Columns[1].New.Count != 1 || len(r.Columns[1].Moves) != 2 {
		t.Errorf("got %+v", r)
	}
	wordless(t, r, "secret")
	wordless(t, r, "471")
}

// wordless checks that a report does not hold a word.
func wordless(t *testing.T, r *drift.Report, word string) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil || strings.Contains(string(data), word) {
		t.Errorf("%s (%v)", data, err)
	}
}

func TestCausesAreOrderedByEffectAndImportance(t *testing.T) {
	columns := func(shift float64) []column {
		return []column{
			float("far", ramp(2000, 10*shift, 10+10*shift)...), float("little", ramp(2000, shift, 10+shift)...),
			float("same", ramp(2000, 0, 10)...), float("score", ramp(2000, shift, 10+shift)...), float("unused", ramp(2000, 10*shift, 10+10*shift)...),
			float("key", ramp(2000, 100*shift, 10+100*shift)...),
		}
	}
	o := &drift.Options{Scores: []string{"score"}, Importance: map[string]float64{"far": 0.01, "little": 0.8}, Policies: map[string]drift.Policy{"key": {Ignore: true}}}
	r := compare(t, profiled(t, nil, columns(0)...), profiled(t, nil, columns(2)...), o)
	var got []string
	for _, c := range r.Causes {
		got = append(got, c.Column)
	}
	if want := []string{"little", "far", "unused"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", r.Causes, want)
	}
	if want := []string{"4 of 5 columns drifted: far, little, score, unused"}; !slices.Equal(r.Reasons, want) || r.Level != drift.Warn || *r.Ratio != 1 {
		t.Errorf("got %q, %s", r.Reasons, r.Level)
	}
	for _, c := range r.Columns {
		if c.Score != (c.Name == "score") {
			t.Errorf("%s: got score %v", c.Name, c.Score)
		}
	}
	r = compare(t, profiled(t, nil, columns(0)...), profiled(t, nil, columns(2)...), nil)
	if r.Causes[len(r.Causes)-1].Column != "score" && r.Causes[0].Importance != 1 {
		t.Errorf("without importance: got %v", r.Causes)
	}
}

func TestAReferenceNeedsNoScores(t *testing.T) {
	ref := profiled(t, nil, float("x", ramp(2000, 0, 10)...))
	cur := profiled(t, nil, float("x", ramp(2000, 0, 10)...), float("score", ramp(2000, 0, 1)...))
	o := &drift.Options{Columns: []string{"x", "score"}, Scores: []string{"score"}}
	if r := compare(t, ref, cur, o); r.Level != drift.None || len(r.Columns) != 1 || !slices.Equal(r.OnlyCurrent, []string{"score"}) {
		t.Errorf("got %+v", r)
	}
	if r := compare(t, cur, ref, o); r.Level != drift.Inconclusive || r.Columns[0].Level != drift.Inconclusive {
		t.Errorf("a batch without scores: got %+v", r)
	}
}

func TestColumnsOfOneSideAreNamed(t *testing.T) {
	r := compare(t, profiled(t, nil, float("a", 1.0), float("k", 1.0)), profiled(t, nil, float("b", 1.0)), &drift.Options{Policies: map[string]drift.Policy{"k": {Ignore: true}}})
	if !slices.Equal(r.OnlyReference, []string{"a"}) || !slices.Equal(r.OnlyCurrent, []string{"b"}) || r.Level != drift.Inconclusive || r.Reasons[0] != "there is no column to compare" {
		t.Errorf("got %+v", r)
	}
	roundTrip(t, r)
}

// Twenty columns of which one moves a little: alone it is significant, among twenty
// it may be chance.
func TestSignificanceDependsOnTheNumberOfColumns(t *testing.T) {
	columns := func(n, others int) []column {
		var out []column
		for i := range others {
			out = append(out, boolean(fmt.Sprint("b", i), many(2000, true, false)...))
		}
		return append(out, boolean("x", append(many(n, true), many(2000-n, false)...)...))
	}
	for others, want := range map[int]bool{0: true, 19: false} {
		r := compare(t, profiled(t, nil, columns(1000, others)...), profiled(t, nil, columns(1090, others)...), nil)
		if got := r.Columns[len(r.Columns)-1]; got.Significant != want || *got.P > 0.01 || *got.P < 0.0005 {
			t.Errorf("among %d others: got %v with p = %g", others, got.Significant, *got.P)
		}
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	p := numbers(t, 1)
	for _, test := range []struct {
		o    drift.Options
		want string
	}{
		{drift.Options{Moderate: -1}, "drift: Moderate is -1, and must be above 0"},
		{drift.Options{Moderate: math.NaN()}, "drift: Moderate is NaN"},
		{drift.Options{Moderate: 0.3, Major: 0.2}, "drift: Major is 0.2, and must not be below Moderate, which is 0.3"},
		{drift.Options{Alpha: 1}, "drift: Alpha is 1, and must be between 0 and 1"},
		{drift.Options{MinRows: -5}, "drift: MinRows is -5"},
		{drift.Options{Policies: map[string]drift.Policy{"x": {Moderate: 0.5, Major: 0.4}}}, `drift: Policies give column "x" moderate 0.5 and major 0.4`},
	} {
		_, err := drift.Compare(p, p, &test.o)
		var option *drift.OptionError
		if !errors.As(err, &option) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if _, err := drift.Compare(p, p, &drift.Options{Moderate: 0.7}); err != nil {
		t.Errorf("a moderate above the default of major: %v", err)
	}
}

func TestTrigger(t *testing.T) {
	for _, test := range []struct {
		levels string // of w, n and i
		want   bool
	}{
		{"", false}, {"w", false}, {"ww", false}, {"www", true}, {"wwn", false}, {"wwnw", true}, {"wwnnw", false},
		{"wwnwn", false}, {"nwww", true}, {"wiww", true}, {"wiiw", false}, {"wwwwnnn", false},
	} {
		var levels []drift.Level
		for _, l := range test.levels {
			levels = append(levels, map[rune]drift.Level{'w': drift.Warn, 'n': drift.None, 'i': drift.Inconclusive}[l])
		}
		if got := drift.Trigger(levels, 3, 4); got != test.want {
			t.Errorf("%s: got %v, want %v", test.levels, got, test.want)
		}
	}
}
