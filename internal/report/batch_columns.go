package report

import (
	"fmt"
	"math"
	"slices"

	"headgate/internal/drift"
	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

func (b *Batch) scoresLead() string {
	if len(b.Scores) == 0 {
		return ""
	}
	s := b.Scores[0]
	text := "The champion's scores of this batch: mean " + figure.Number(s.Mean[0])
	if s.Histogram.Reference != nil {
		text += ", in the reference " + figure.Number(s.Mean[1])
	}
	if s.Histogram.Before != nil {
		text += ", in " + s.Before + " " + figure.Number(s.Mean[2])
	}
	return text + "."
}

func (b *Batch) scoreBlocks() []page.Block {
	if len(b.Scores) == 0 {
		return nil
	}
	f := &page.Figures{How: "From the profiles that were made in the pass that scored: shares of the rows with a score, in bins of one width. Every bin's count is exact to within 0.39 % of the score; the bins at the ends hold what lies beyond."}
	for _, s := range b.Scores {
		f.Charts = append(f.Charts, s.Histogram.chart("Distribution of the scores", "score", [3]string{b.Batch, "reference", s.Before}, true))
		if c := cumulative(s, b.Batch); !c.Empty() {
			f.Charts = append(f.Charts, c)
		}
	}
	blocks := []page.Block{f}
	if c := b.scoreColumn(); c != nil {
		f.Charts = append(f.Charts, b.scoreCourse(c))
		blocks = append(blocks, &page.FactList{Facts: scoreFacts(c)})
	}
	return blocks
}

// cumulative draws which share of the rows has at most a score.
func cumulative(s Score, batch string) chart.Chart {
	h := s.Histogram
	if len(h.Edges) == 0 || h.Edges[0] < -0.05 || h.Edges[len(h.Edges)-1] > 1.05 {
		return chart.Chart{}
	}
	sq := chart.Square{Title: "Share of the rows with at most a score", XLabel: "score", YLabel: "share of the rows", Desc: "Cumulative distribution of the scores."}
	for i, side := range [][]float64{h.Current, h.Reference, h.Before} {
		if side == nil {
			continue
		}
		c := chart.Curve{Series: [3]chart.Series{chart.Now, chart.Ref, chart.Old}[i], Name: [3]string{batch, "reference", s.Before}[i], X: []float64{max(h.Edges[0], 0)}, Y: []float64{0}}
		sum := 0.0
		for j, v := range side {
			sum += v
			c.X, c.Y = append(c.X, min(h.Edges[j+1], 1)), append(c.Y, min(sum, 1))
		}
		sq.Curves = append(sq.Curves, c)
	}
	return chart.Curves(sq)
}

func (b *Batch) scoreColumn() *Column {
	if b.Drift == nil {
		return nil
	}
	at := slices.IndexFunc(b.Drift.Columns, func(c Column) bool { return c.Score })
	if at < 0 {
		return nil
	}
	return &b.Drift.Columns[at]
}

// scoreCourse draws how far the scores were from their reference, month after month.
func (b *Batch) scoreCourse(c *Column) chart.Chart {
	line := chart.Line{Series: chart.Now, Name: "effect"}
	if known(c.Effects) < 2 {
		return chart.Chart{}
	}
	for _, v := range values(c.Effects) {
		line.Values = append(line.Values, chart.Interval{Low: math.NaN(), Value: v, High: math.NaN()})
	}
	return chart.Trend(chart.Trended{Title: "Course of the change of the scores", YLabel: "effect; the dashed line is the bound", Labels: b.Drift.Batches, Lines: []chart.Line{line}, Bound: &b.Drift.Moderate, Tall: true})
}

func scoreFacts(c *Column) []page.Fact {
	facts := []page.Fact{{Name: "Effect of the change", Value: page.Text(figure.Number(c.Effect)), Note: "drift from " + sizeText(c), How: effectHow}}
	if c.KS != nil {
		facts = append(facts, page.Fact{Name: "Kolmogorov–Smirnov", Value: page.Text(figure.Number(c.KS.D)), Note: "largest distance of the two curves"})
	}
	if c.MeanShift != nil {
		facts = append(facts, page.Fact{Name: "Shift of the mean", Value: page.Text(figure.Signed(*c.MeanShift)), Note: "standard deviations of the reference"})
	}
	if c.JS != nil {
		facts = append(facts, page.Fact{Name: "Jensen–Shannon", Value: page.Text(figure.Number(c.JS.Distance)), Note: "distance, in [0, 1]"})
	}
	return facts
}

func sizeText(c *Column) string {
	switch c.Level {
	case drift.Warn:
		return "its bound on: it has drifted"
	case drift.Inconclusive:
		return "its bound on: nobody can say"
	}
	return "its bound on: it has not drifted"
}

const effectHow = "The effect is the population stability index over tenths of the reference (or over values, if those are few), less what chance gives on average for so many rows. A column drifts if its effect reaches the bound and the change is significant after Benjamini and Hochberg's correction over all columns."

func (b *Batch) drifted() []string {
	var names []string
	for _, c := range b.Drift.Columns {
		if c.Level == drift.Warn {
			names = append(names, c.Name)
		}
	}
	return names
}

func (b *Batch) driftLead() string {
	d := b.Drift
	if d == nil {
		return ""
	}
	lead := fmt.Sprintf("%s of the batch against %s of %s.", figure.Things(d.Rows[1], "row"), figure.Things(d.Rows[0], "row"), d.Reference)
	if names := b.drifted(); len(names) > 0 {
		lead += fmt.Sprintf(" %s of %d columns drifted: %s.", figure.Count(int64(len(names))), len(d.Columns), list(names, 6))
	} else {
		lead += fmt.Sprintf(" None of %d columns drifted.", len(d.Columns))
	}
	return lead
}

// mostColumns is how many columns stand in the ranking before the others are folded, and
// mostFigures how many of them are drawn large.
const (
	mostColumns = 10
	mostFigures = 9
)

func (b *Batch) driftBlocks() []page.Block {
	d := b.Drift
	if d == nil {
		return nil
	}
	var blocks []page.Block
	if len(d.Reasons) > 1 || len(d.Reasons) > 0 && d.Level == "inconclusive" {
		blocks = append(blocks, points(d.Reasons))
	}
	for _, side := range []struct {
		names []string
		text  string
	}{{d.OnlyReference, "Columns that only the reference has"}, {d.OnlyCurrent, "Columns that only this batch has"}} {
		if len(side.names) > 0 {
			blocks = append(blocks, &page.Callout{Tone: page.Warn, Title: side.text, Text: page.Text(list(side.names, 20))})
		}
	}
	first := min(mostColumns, len(d.Columns))
	blocks = append(blocks, b.ranking("Columns by the effect of their change", d.Columns[:first]))
	if c := causes(d.Causes); c != nil {
		blocks = append(blocks, c)
	}
	f := &page.Figures{How: "Shares of the rows that have a value, from profiles. The ends hold what lies beyond. Of confidential columns only shares in tenths of the reference are shown, of restricted ones nothing: see docs/privacy.md."}
	var rest page.Figures
	for _, c := range d.Columns {
		if c.Histogram == nil || c.Score {
			continue
		}
		drawn := c.Histogram.chart(fmt.Sprintf("%s: effect %s", c.Name, figure.Number(c.Effect)), c.Name, [3]string{b.Batch, "reference", d.Before}, false)
		if len(f.Charts) < mostFigures {
			f.Charts = append(f.Charts, drawn)
		} else {
			rest.Charts = append(rest.Charts, drawn)
		}
	}
	if len(f.Charts) > 0 {
		blocks = append(blocks, f)
	}
	var folded []page.Block
	if first < len(d.Columns) {
		folded = append(folded, b.ranking("The other columns", d.Columns[first:]))
	}
	if len(rest.Charts) > 0 {
		folded = append(folded, &rest)
	}
	if len(folded) > 0 {
		blocks = append(blocks, &page.Details{Summary: fmt.Sprintf("The other %s", figure.Things(len(d.Columns)-first, "column")), Blocks: folded})
	}
	return blocks
}

// ranking lists columns with their change, its course, and what it means to the model.
func (b *Batch) ranking(caption string, columns []Column) *page.Table {
	t := &page.Table{Caption: caption, How: effectHow, Columns: page.Columns("Column", "Reference and batch", "Course of the effect", "#Effect", "Level", "#Missing", "#Importance", "What moved most")}
	for _, c := range columns {
		row := page.Row{{Text: columnName(c)}, {}, {}, {Text: page.Text(figure.Number(c.Effect))}, {Text: page.Text(levelText(c.Level)), Tone: levelTone(c.Level)},
			{Text: page.Text(missing(c))}, {Text: page.Text(importance(c))}, {Text: page.Text(moved(c))}}
		if h := c.Histogram; h != nil && h.Reference != nil {
			strip := chart.Strip(c.Name+": shares in the reference (line) and in the batch (bars)", h.Reference, h.Current)
			row[1].Chart = &strip
		}
		if n := known(c.Effects); n > 1 {
			spark := chart.Spark(fmt.Sprintf("%s: effect in %s to %s", c.Name, b.Drift.Batches[0], b.Batch), values(c.Effects), b.Drift.Moderate)
			row[2].Chart = &spark
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func columnName(c Column) page.Words {
	w := page.Code(c.Name)
	switch {
	case c.Score:
		w = page.Join(w, page.Text(" (score)"))
	case c.Classification != "":
		w = page.Join(w, page.Text(" ("+c.Classification+")"))
	}
	return w
}

func levelText(l drift.Level) string {
	switch l {
	case drift.Warn:
		return "drifted"
	case drift.Inconclusive:
		return "inconclusive"
	}
	return "no"
}

func levelTone(l drift.Level) page.Tone {
	if l == drift.Warn {
		return page.Warn
	}
	return page.Plain
}

func missing(c Column) string {
	if c.Missing == nil {
		return "–"
	}
	return figure.Percent(c.Missing.Reference) + " → " + figure.Percent(c.Missing.Current)
}

func importance(c Column) string {
	if c.Score {
		return "–"
	}
	return figure.Percent(c.Importance)
}

// moved says which bin changed most. Classified columns name none.
func moved(c Column) string {
	if c.Level == drift.Inconclusive && len(c.Reasons) > 0 {
		return list(c.Reasons, 2)
	}
	if len(c.Moves) == 0 {
		return ""
	}
	m := c.Moves[0]
	return fmt.Sprintf("%s: %s → %s", m.Bin, figure.Percent(m.Reference), figure.Percent(m.Current))
}

func known(effects []*float64) int {
	n := 0
	for _, e := range effects {
		if e != nil {
			n++
		}
	}
	return n
}

func values(effects []*float64) []float64 {
	out := make([]float64, len(effects))
	for i, e := range effects {
		out[i] = math.NaN()
		if e != nil {
			out[i] = *e
		}
	}
	return out
}

func causes(cs []drift.Cause) page.Block {
	if len(cs) == 0 {
		return nil
	}
	t := &page.Table{Caption: "Causes: effect times importance, heaviest first", Columns: page.Columns("Column", "#Effect", "#Importance", "Weight", "#Weight", "Slices that carry it")}
	largest := cs[0].Weight
	for _, c := range cs {
		bar := chart.Bar(fmt.Sprintf("Weight of %s: %s", c.Column, figure.Number(c.Weight)), c.Weight, largest, false)
		slices := "all rows alike"
		for i, s := range c.Slices {
			text := fmt.Sprintf("%s %s carries %s of the change of its %s, with %s of the rows", s.Column, s.Value, figure.Percent(s.Share), s.Of, figure.Percent(s.Rows))
			if i == 0 {
				slices = text
			} else {
				slices += "; " + text
			}
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Code(c.Column)}, {Text: page.Text(figure.Number(c.Effect))}, {Text: page.Text(figure.Percent(c.Importance))}, {Chart: &bar}, {Text: page.Text(figure.Number(c.Weight))}, {Text: page.Text(slices)}})
	}
	return t
}
