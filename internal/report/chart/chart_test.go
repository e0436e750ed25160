package chart_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"headgate/internal/report/chart"
)

// between is the text of elements, which may say that a number is none.
var between = regexp.MustCompile(`>[^<]*<`)

// Whatever the numbers are, a drawing has coordinates and nothing else.
func TestDrawingsHoldUnderOddNumbers(t *testing.T) {
	odd := []float64{0, 1, -1, 1e-300, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}
	for _, a := range odd {
		for _, b := range odd {
			i := chart.Interval{Low: a, Value: b, High: a}
			f := chart.Forest{Low: a, High: b, Zero: a}
			for _, c := range []chart.Chart{
				chart.Spark("s", []float64{a, b}, a), chart.Bar("b", a, b, false), chart.Strip("s", []float64{a, b}, []float64{b, a}),
				f.Axis("a"), f.Row(chart.Row{Title: "r", Interval: i, Bounds: [2]float64{a, b}}),
				chart.Trend(chart.Trended{Title: "t", Labels: []string{"a", "b"}, Bound: &a, Lines: []chart.Line{{Values: []chart.Interval{i, i}}}}),
				chart.Reliability("r", []chart.Calibrated{{Groups: []chart.Predicted{{Score: a, Rate: i}}}}),
				chart.Curves(chart.Square{Title: "c", Level: &a, Curves: []chart.Curve{{X: []float64{a, b}, Y: []float64{b, a}}}}),
				chart.Distribution(chart.Distributed{Title: "d", Edges: []float64{a, b}, Histograms: []chart.Histogram{{Shares: []float64{a}}}}),
				chart.Bars(chart.Grouped{Title: "g", Labels: []string{"x"}, Histograms: []chart.Histogram{{Shares: []float64{b}}}}),
			} {
				if svg := between.ReplaceAllString(c.SVG("x"), "><"); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
					t.Fatalf("%g, %g: %s", a, b, svg)
				}
			}
		}
	}
}

func TestNothingGivesAnEmptyChart(t *testing.T) {
	for name, c := range map[string]chart.Chart{
		"distribution": chart.Distribution(chart.Distributed{}), "bars": chart.Bars(chart.Grouped{}), "curves": chart.Curves(chart.Square{}),
		"reliability": chart.Reliability("", nil), "trend": chart.Trend(chart.Trended{}), "matrix": chart.Matrix(chart.Grid{}),
		"timeline": chart.Timeline(chart.Timed{}), "spark": chart.Spark("", nil, 0), "strip": chart.Strip("", nil, nil),
	} {
		if !c.Empty() {
			t.Errorf("%s draws nothing and is not empty", name)
		}
	}
}

func ExampleBar() {
	fmt.Println(chart.Bar("tenure: 0.2", 1, 2, false).SVG("c1"))
	// Output:
	// <svg role="img" aria-labelledby="c1-t" viewBox="0 0 120 14" width="120" height="14"><title id="c1-t">tenure: 0.2</title><rect x="0" y="2" width="120" height="10" class="track"/><rect x="0" y="2" width="60" height="10" class="area now"/></svg>
}
