package report

import (
	"cmp"
	"math"
	"slices"

	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// mostSlices is how many slices stand out on a page.
const mostSlices = 8

// sliceBlocks shows the slices that stand out, and all of them by column.
func (b *Batch) sliceBlocks() []page.Block {
	if len(b.Slices) == 0 {
		return nil
	}
	const how = "Rows and mean scores are from the profiles. AUC is of the champion where labels are known. Intervals of a slice hold for all slices at once (Bonferroni); a gap counts if it is significant among all slices (Holm)."
	ranked := slices.Clone(b.Slices)
	slices.SortStableFunc(ranked, func(x, y Slice) int { return cmp.Compare(y.standsOut(), x.standsOut()) })
	f := gapScale(b.Slices)
	blocks := []page.Block{sliceTable("Slices that stand out most", how, ranked[:min(mostSlices, len(ranked))], f)}
	if len(ranked) <= mostSlices {
		return blocks
	}
	var all []page.Block
	for i := 0; i < len(b.Slices); {
		j := i
		for j < len(b.Slices) && b.Slices[j].Column == b.Slices[i].Column {
			j++
		}
		all = append(all, sliceTable("By "+b.Slices[i].Column, how, b.Slices[i:j], f))
		i = j
	}
	return append(blocks, &page.Details{Summary: "All " + figure.Things(len(b.Slices), "slice"), Blocks: all})
}

// standsOut orders slices: by how far the gap of their AUC is from 0 in its interval's half
// width or, without labels, by how much their mean score has changed.
func (s *Slice) standsOut() float64 {
	switch {
	case s.Gap != nil:
		return 1 + math.Abs(s.Gap.Value)/max((s.Gap.High-s.Gap.Low)/2, 1e-9)
	case s.Score[0] != nil && s.Score[1] != nil:
		return math.Min(math.Abs(*s.Score[0]-*s.Score[1]), 1)
	}
	return 0
}

// gapScale is the scale that holds the gaps of all slices; nil without labels.
func gapScale(all []Slice) *chart.Forest {
	widest := 0.0
	for _, s := range all {
		if s.Gap != nil {
			widest = max(widest, math.Abs(s.Gap.Low), math.Abs(s.Gap.High))
		}
	}
	if widest == 0 {
		return nil
	}
	return &chart.Forest{Low: -widest, High: widest, Zero: 0}
}

func sliceTable(caption, how string, slices []Slice, f *chart.Forest) *page.Table {
	t := &page.Table{Caption: caption, How: how, Columns: page.Columns("Slice", "#Rows", "#Share", "#was", "#Mean score", "#was")}
	if f != nil {
		axis := f.Axis("Scale: gap of the AUC to all other rows")
		t.Columns = append(t.Columns, page.Column{Name: "AUC", Number: true}, page.Column{Name: "Gap to all other rows", Axis: &axis}, page.Column{Name: "Gap"})
	}
	for _, s := range slices {
		row := page.Row{{Text: page.Text(s.Column + " " + s.Value)}, {Text: page.Text(figure.Count(s.Rows))}, {Text: page.Text(optional(s.Share[0], figure.Percent))}, {Text: page.Text(optional(s.Share[1], figure.Percent))},
			{Text: page.Text(optional(s.Score[0], figure.Number))}, {Text: page.Text(optional(s.Score[1], figure.Number))}}
		if f != nil {
			row = append(row, s.gap(f)...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (s *Slice) gap(f *chart.Forest) page.Row {
	cells := page.Row{{Text: page.Text("–")}, {}, {Text: page.Text("–")}}
	if s.AUC != nil {
		cells[0].Text = page.Text(figure.Number(s.AUC.Value))
	}
	if s.Gap != nil {
		text := figure.Signed(s.Gap.Value) + " " + figure.Interval(*s.Gap)
		drawn := f.Row(chart.Row{Title: s.Column + " " + s.Value + ": " + text, Interval: interval(*s.Gap), Bounds: [2]float64{math.NaN(), math.NaN()}, Series: chart.Now, Fails: s.Significant})
		cells[1].Chart = &drawn
		if s.Significant {
			text, cells[2].Tone = text+", significant", page.Warn
		}
		cells[2].Text = page.Text(text)
	}
	return cells
}
