package page_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"headgate/internal/report/chart"
	"headgate/internal/report/page"
	"headgate/internal/report/pagetest"
)

// hostile is text as an input might have it.
const hostile = `</script><script>alert(1)</script>"'&|` + "`\n* [x](http://example.com)"

// everything is a page with every block and every chart.
func everything(text string) *page.Page {
	p := &page.Page{
		Kind: "Batch report", Title: "retailer " + text,
		Trail:   []page.Words{page.Link("All runs", "index.html"), page.Text(text)},
		Verdict: page.Verdict{Tone: page.Good, Word: "Published", Happened: page.Text(text), Trust: page.Text("yes"), Act: page.Text("Nobody.")},
		Facts:   []page.Fact{{Name: text, Value: page.Code(text), Note: text, Tone: page.Warn, How: text}},
		End:     []page.Words{page.Digest("sha256:" + strings.Repeat("ab", 32))},
	}
	interval := chart.Interval{Low: 0.6, Value: 0.7, High: 0.8}
	bar := chart.Bar(text, 3, 4, true)
	spark := chart.Spark(text, []float64{0.1, math.NaN(), 0.3}, 0.2)
	strip := chart.Strip(text, []float64{0.2, 0.8}, []float64{0.5, 0.5})
	forest := chart.Forest{Low: -1, High: 1}
	axis, row := forest.Axis(text), forest.Row(chart.Row{Title: text, Interval: interval, Bounds: [2]float64{-0.5, math.NaN()}, Series: chart.Alt})
	p.Add("First", text, &page.Heading{Text: text}, &page.Paragraph{Text: page.Text(text)}, &page.List{Items: []page.Words{page.Text(text)}},
		&page.Callout{Tone: page.Bad, Title: text, Text: page.Text(text)}, &page.CodeBlock{Caption: "Again", Text: "starter verify\n```\n" + text})
	p.Add("Second "+text, "", &page.Table{Caption: text, Columns: []page.Column{{Name: text}, {Name: "n", Number: true}, {Name: "interval", Axis: &axis}}, How: text, Rows: []page.Row{
		{{Text: page.Text(text)}, {Text: page.Text("1"), Tone: page.Bad}, {Chart: &row}},
		{{Text: page.Text("b")}, {Chart: &bar}, {Chart: &spark}},
		{{Text: page.Text("c")}, {Chart: &strip}},
	}})
	names := []chart.Histogram{{Series: chart.Now, Name: text, Shares: []float64{0.2, 0.8}}, {Series: chart.Ref, Name: "reference", Shares: []float64{0.5, 0.5}}}
	p.Add("Third", "", &page.Details{Summary: text, Blocks: []page.Block{&page.FactList{Facts: []page.Fact{{Name: "a", Value: page.Text("b")}}}}},
		&page.Figures{How: text, Charts: []chart.Chart{
			chart.Distribution(chart.Distributed{Title: text, Label: "score", Edges: []float64{0, 1, 2}, Histograms: names}),
			chart.Bars(chart.Grouped{Title: text, Labels: []string{text, "b"}, Histograms: names}),
			chart.Curves(chart.Square{Title: text, XLabel: "x", YLabel: "y", Diagonal: true, Curves: []chart.Curve{{Name: text, X: []float64{0, 1}, Y: []float64{0, 1}, Low: []float64{0, 1}, High: []float64{0, 1}}}}),
			chart.Reliability(text, []chart.Calibrated{{Name: text, Groups: []chart.Predicted{{Score: 0.1, Rate: interval, Rows: 10}}}}),
			chart.Trend(chart.Trended{Title: text, YLabel: text, Labels: []string{"a", "b"}, Lines: []chart.Line{{Name: text, Values: []chart.Interval{interval, interval}}}}),
			chart.Matrix(chart.Grid{Title: text, RowLabel: "champion", ColumnLabel: "challenger", Counts: [][]int64{{1, 0}, {1, 2}}}),
			chart.Timeline(chart.Timed{Title: text, Labels: []string{"a", "b"}, Lanes: []chart.Lane{{Name: text, Spans: []chart.Span{{From: 0, To: 2, Text: text, Series: chart.Now}}, Moments: []chart.Moment{{At: 1, Text: text, Bad: true}}}}}),
			{},
		}})
	return p
}

func TestAPageKeepsItsPromises(t *testing.T) {
	for name, text := range map[string]string{"ordinary text": "2024-07", "hostile text": hostile} {
		t.Run(name, func(t *testing.T) {
			out, err := page.HTML(everything(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range pagetest.Check(out) {
				t.Error(problem)
			}
			again, err := page.HTML(everything(text))
			if err != nil || !bytes.Equal(out, again) {
				t.Errorf("a second rendering gives other bytes (%v)", err)
			}
			if !bytes.Equal(page.Markdown(everything(text)), page.Markdown(everything(text))) {
				t.Error("a second Markdown gives other bytes")
			}
		})
	}
}

func TestAPageRefusesWhatItCannotKeep(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*page.Page)
		want string
	}{
		{"a link to another host", func(p *page.Page) { p.End = []page.Words{page.Link("x", "https://example.com/")} }, "relative address"},
		{"a link that runs a script", func(p *page.Page) { p.End = []page.Words{page.Link("x", "javascript:alert(1)")} }, "relative address"},
		{"a link to another host in two characters", func(p *page.Page) { p.End = []page.Words{page.Link("x", "//example.com")} }, "relative address"},
		{"more cells than columns", func(p *page.Page) {
			p.Add("T", "", &page.Table{Caption: "small", Columns: page.Columns("a"), Rows: []page.Row{page.Cells("1", "2")}})
		}, `table "small": row 1 has 2 cells`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := everything("x")
			test.edit(p)
			if _, err := page.HTML(p); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want %q", err, test.want)
			}
		})
	}
}

func ExampleMarkdown() {
	p := &page.Page{Kind: "Batch report", Title: "retailer 2024-07", Verdict: page.Verdict{
		Tone: page.Good, Word: "Published", Happened: page.Text("20,000 rows were scored."),
	}}
	p.Add("Drift", "", &page.Table{Caption: "Columns by effect", How: "PSI over deciles.", Columns: page.Columns("Column", "#Effect"), Rows: []page.Row{
		page.Cells("tenure_months", "0.31"),
	}})
	fmt.Print(string(page.Markdown(p)))
	// Output:
	// # retailer 2024-07
	//
	// Batch report
	//
	// **Published**
	//
	// *What happened:* 20,000 rows were scored.
	//
	// ## Drift
	//
	// *Columns by effect* [1]
	//
	// | Column | Effect |
	// | --- | ---: |
	// | tenure\_months | 0.31 |
	//
	// ## How the numbers were computed
	//
	// 1. PSI over deciles.
}
