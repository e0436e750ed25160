package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// Page returns the card as a page. A number whose artifact the card does not name is left
// out.
func (c *Card) Page() *page.Page {
	p := &page.Page{Kind: "Model card", Title: c.Pipeline + ": model version " + figure.Short(c.Model.Digest), Verdict: c.verdict(), Facts: c.factList()}
	p.Add("Intended use", "As the pipeline file and the contract have it, and nothing beyond.", c.useBlocks()...)
	p.Add("Performance by month", "On the rows of each labelled month, whatever the version's role was there.", c.monthBlocks()...)
	p.Add("Slices and fairness", "", c.sliceBlocks()...)
	p.Add("Limits", "What the evidence itself says one must not expect.", points(c.limits()))
	p.Add("Features", "", c.featureBlocks()...)
	p.Add("Data and training", "", c.trainingBlocks()...)
	p.Add("Decisions", "Who let it in, and who did not.", c.decisionBlocks()...)
	p.Add("Service", "Published rows that have its score.", c.serviceBlocks()...)
	p.Add("Lineage", "", c.lineageBlocks()...)
	p.End = []page.Words{page.Join(page.Text("Model version "), page.Code(c.Model.Digest), page.Text(". Registry anchor "), page.Code(c.Anchor), page.Text("."))}
	return p
}

func (c *Card) verdict() page.Verdict {
	tone := map[string]page.Tone{"champion": page.Good, "rejected": page.Bad, "candidate": page.Warn}[c.Status]
	v := page.Verdict{Tone: tone, Word: sentenceCase(c.Status), Act: page.Text("Nobody.")}
	v.Happened = page.Text(sentenceEnd(c.Model.Note))
	if c.Why != "" {
		v.Happened = page.Join(v.Happened, page.Text(" "+sentenceEnd(c.Why)))
	}
	switch p := c.lastProof(); {
	case p == nil:
		v.Trust = page.Text("No labels have judged it yet, so this card has no performance.")
	default:
		text := fmt.Sprintf("On %s, the last month with labels, it has an %s of %s; %s known.", p.Batch, metricName(p.Metric), figure.Estimate(p.Value), countIs(len(c.Months), "labelled month"))
		if off := largeWord(p.Large); off != "" {
			text += " " + sentenceCase(off) + "."
		}
		v.Trust = page.Join(page.Text(text+" Evidence: "), page.Digest(p.Paper), page.Text("."))
	}
	if c.Status == "rejected" {
		v.Act = page.Text("Nobody: it never serves again.")
	}
	return v
}

func countIs(n int, noun string) string { return figure.Things(n, noun) + " " + isAre(n) }

// lastProof is the last month that has the headline metric and names its evidence.
func (c *Card) lastProof() *Proof {
	for i := range slices.Backward(c.Months) {
		if p := &c.Months[i]; p.Value != nil && p.Paper != "" {
			return p
		}
	}
	return nil
}

func (c *Card) factList() []page.Fact {
	facts := []page.Fact{
		{Name: "Version", Value: page.Digest(c.Model.Digest), Note: c.Model.Note},
		{Name: "Kind", Value: page.Text(c.Bundle.Kind), Note: strings.TrimSpace("objective " + c.Bundle.Objective)},
	}
	if c.Model.Digest != "" {
		facts = append(facts, page.Fact{Name: "Features", Value: page.Text(fmt.Sprint(len(c.Inputs))), Note: "of version " + figure.Short(c.Model.Digest)})
	}
	if p := c.lastProof(); p != nil {
		facts = append(facts, page.Fact{Name: metricName(p.Metric) + " of " + p.Batch, Value: page.Text(figure.Number(p.Value.Value)), Note: figure.Interval(*p.Value) + ", evaluation " + figure.Short(p.Paper), How: metricHow(p.Metric, *p.Value)})
	}
	if c.Bundle.Golden != "" {
		facts = append(facts, page.Fact{Name: "Golden rows", Value: page.Text(figure.Count(int64(c.Bundle.GoldenRows))), Note: "scored again whenever it is loaded; " + figure.Short(c.Bundle.Golden)})
	}
	return append(facts, page.Fact{Name: "Registered", Value: page.Text(day(c.Bundle.Registered)), Note: fmt.Sprintf("by %s, entry %d", c.Bundle.By, c.Bundle.Entry)})
}

func (c *Card) useBlocks() []page.Block {
	u := c.Use
	text := page.Text("The pipeline file does not say what the scores are for.")
	if u.Description != "" {
		text = page.Text(u.Description)
	}
	facts := []page.Fact{{Name: "Owner", Value: page.Text(cmp.Or(u.Owner, "not named"))}, {Name: "Pipeline file", Value: digest(u.File)}, {Name: "Contract", Value: digest(u.Contract), Note: u.ContractName}}
	if u.Entity != "" {
		facts = append(facts, page.Fact{Name: "A score is about", Value: page.Code(u.Entity), Note: "entity key of the contract"})
	}
	return []page.Block{&page.Paragraph{Text: text}, &page.FactList{Facts: facts}}
}

func (c *Card) monthBlocks() []page.Block {
	t := &page.Table{Caption: "What labels say", How: "95 % intervals: by DeLong's method for AUC, else from the influence of each row. A month that is no evidence has labels that are not complete, or not known evenly.",
		Columns: page.Columns("Month", "Role", "#Rows", "#AUC or R²", "#Calibration in the large", "#Calibration slope", "#Log loss", "Evidence", "From")}
	text := func(e *evaluate.Estimate) page.Cell {
		if e == nil {
			return page.Cell{Text: page.Text("–")}
		}
		return page.Cell{Text: page.Text(figure.Estimate(e))}
	}
	line, large := chart.Line{Series: chart.Now, Name: "this version"}, chart.Line{Series: chart.Now, Name: "this version"}
	var labels []string
	for _, p := range c.Months {
		if p.Paper == "" {
			continue
		}
		word, tone := "yes", page.Good
		if !p.Evidence {
			word, tone = "no", page.Warn
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(p.Batch)}, {Text: page.Text(p.Role)}, {Text: page.Text(figure.Count(p.Rows))}, text(p.Value), text(p.Large), text(p.Slope), text(p.Loss), {Text: page.Text(word), Tone: tone}, {Text: page.Digest(p.Paper)}})
		labels = append(labels, p.Batch)
		line.Values, large.Values = append(line.Values, whiskers(p.Value)), append(large.Values, whiskers(p.Large))
	}
	if len(t.Rows) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No labels have judged it yet.")}}
	}
	zero := 0.0
	return []page.Block{&page.Figures{Charts: []chart.Chart{chart.Trend(chart.Trended{Title: metricName(c.Months[0].Metric) + " by month", YLabel: metricName(c.Months[0].Metric), Labels: labels, Lines: []chart.Line{line}}),
		chart.Trend(chart.Trended{Title: "Calibration in the large by month", YLabel: "log odds above the scores", Labels: labels, Lines: []chart.Line{large}, Bound: &zero})}}, t}
}

func (c *Card) sliceBlocks() []page.Block {
	var blocks []page.Block
	if s := c.Slices; s != nil && s.Paper != "" {
		t := &page.Table{Caption: fmt.Sprintf("%s by slice, %s", metricName(s.Metric), s.Batch), How: "Intervals hold for all slices at once. The gap is to all other rows; it is beyond chance by Holm's method. Values of classified columns are not shown.",
			Columns: page.Columns("Slice", "#Rows", "#"+metricName(s.Metric), "#Gap", "", "From")}
		for _, x := range s.Slices {
			t.Rows = append(t.Rows, sliceRow(x, s))
		}
		blocks = append(blocks, t)
	}
	for _, f := range c.Parity {
		if f.Paper == "" {
			continue
		}
		blocks = append(blocks, f.table())
	}
	if len(blocks) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No slices have been measured.")}}
	}
	return blocks
}

func sliceRow(x evaluate.Slice, s *Sliced) page.Row {
	row := page.Row{{Text: page.Text(x.Dimension + " = " + x.Value)}, {Text: page.Text(figure.Count(x.Rows))}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text("too few rows"), Tone: page.Warn}, {Text: page.Digest(s.Paper)}}
	for _, m := range x.Metrics {
		if m.Metric != s.Metric {
			continue
		}
		row[2].Text, row[4] = page.Text(figure.Estimate(&m.Estimate)), page.Cell{Text: page.Text("no gap beyond chance")}
		if m.Gap != nil {
			row[3].Text = page.Textf("%s %s", figure.Signed(m.Gap.Value), figure.Interval(*m.Gap))
		}
		if m.Significant {
			row[4] = page.Cell{Text: page.Text("differs beyond chance"), Tone: page.Warn}
		}
	}
	return row
}

func (f *Fairness) table() page.Block {
	p := f.Parity
	t := &page.Table{Caption: fmt.Sprintf("Decisions at %s by %s, %s", figure.Bound(p.Threshold), f.Column, f.Batch), How: "It says how differently a decision at the threshold treats the groups, and nothing of why. Groups of a classified column have no names.",
		Columns: page.Columns("Group", "#Rows", "#Selected", "#True positive rate", "#False positive rate", "From")}
	rate := func(e *evaluate.Estimate) page.Cell {
		if e == nil {
			return page.Cell{Text: page.Text("–")}
		}
		return page.Cell{Text: page.Text(share(*e))}
	}
	for _, g := range p.Groups {
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(g.Value)}, {Text: page.Text(figure.Count(g.Rows))}, rate(g.SelectionRate), rate(g.TruePositive), rate(g.FalsePositive), {Text: page.Digest(f.Paper)}})
	}
	for _, d := range []struct {
		name string
		e    *evaluate.Estimate
	}{{"largest difference of selection", p.DemographicParity}, {"equalised odds, largest difference", p.EqualisedOdds}} {
		if d.e != nil {
			t.Rows = append(t.Rows, page.Row{{Text: page.Text(d.name)}, {Text: page.Text("")}, rate(d.e), {}, {}, {Text: page.Digest(f.Paper)}})
		}
	}
	return t
}

// limits says what follows from the evidence that is there, and from what is not.
func (c *Card) limits() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	proofs := 0
	for _, p := range c.Months {
		if p.Evidence && p.Paper != "" {
			proofs++
		}
	}
	switch proofs {
	case 0:
		add("No month with complete labels has judged it.")
	case 1, 2:
		add("Only %s judged it: the season is not known.", figure.Things(proofs, "month with complete labels"))
	}
	if s := c.Slices; s != nil && s.Paper != "" {
		small, differs := s.standouts()
		if len(small) > 0 {
			add("Too few rows to judge it in %s (evaluation %s).", list(small, 5), figure.Short(s.Paper))
		}
		if len(differs) > 0 {
			add("It ranks differently from the rest, beyond chance, in %s (evaluation %s).", list(differs, 5), figure.Short(s.Paper))
		}
	}
	if p := c.lastProof(); p != nil {
		if off := largeWord(p.Large); off != "" {
			add("In %s %s: %s log odds (evaluation %s).", p.Batch, off, figure.Estimate(p.Large), figure.Short(p.Paper))
		}
	}
	var moved []string
	for _, d := range c.Drift {
		if d.Paper != "" && d.Level != "none" {
			moved = append(moved, fmt.Sprintf("%s (%s: %s)", d.Batch, d.Level, list(d.Columns, 3)))
		}
	}
	if len(moved) > 0 {
		add("Its data had drifted from its reference in %s.", list(moved, 6))
	}
	if len(c.Unkept) > 0 {
		add("Fairness by %s is not measured: the contract protects the %s, and the pipeline does not keep %s with the scores.", list(c.Unkept, 5), plural(len(c.Unkept), "column"), map[bool]string{true: "it", false: "them"}[len(c.Unkept) == 1])
	}
	if c.Training == nil {
		add("How it was trained is not known: it was registered without a manifest.")
	}
	if len(out) == 0 {
		add("The evidence names none. That is not the same as there being none.")
	}
	return append(out, c.Notes...)
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// standouts names the slices that are too small to be judged and those that differ.
func (s *Sliced) standouts() (small, differs []string) {
	for _, x := range s.Slices {
		at := slices.IndexFunc(x.Metrics, func(m evaluate.SliceMetric) bool { return m.Metric == s.Metric })
		switch {
		case at < 0:
			small = append(small, x.Dimension+" = "+x.Value)
		case x.Metrics[at].Significant:
			differs = append(differs, x.Dimension+" = "+x.Value)
		}
	}
	return small, differs
}

func (c *Card) featureBlocks() []page.Block {
	if c.Model.Digest == "" || len(c.Inputs) == 0 {
		return nil
	}
	most := c.Inputs[0].Importance
	table := func(caption string, features []Feature) *page.Table {
		t := &page.Table{Caption: caption, How: "Share of the sum of all gains of splits that rests on a feature, from the model's own file. It says what the model uses, and not what causes the outcome.",
			Columns: page.Columns("Feature", "Kind", "Classification", "", "#Share of the gain")}
		for _, f := range features {
			kind := f.Kind
			if f.Categories > 0 {
				kind += fmt.Sprintf(", %d values", f.Categories)
			}
			row := page.Row{{Text: page.Code(f.Name)}, {Text: page.Text(kind)}, {Text: page.Text(cmp.Or(f.Classification, "–"))}, {}, {Text: page.Text("–")}}
			if most > 0 {
				bar := chart.Bar(f.Name+": "+figure.Percent(f.Importance), f.Importance, most, false)
				row[3].Chart, row[4].Text = &bar, page.Text(figure.Percent(f.Importance))
			}
			t.Rows = append(t.Rows, row)
		}
		return t
	}
	first := min(mostFeatures, len(c.Inputs))
	blocks := []page.Block{&page.Paragraph{Text: page.Join(page.Text("As the model file "), digest(c.Bundle.File), page.Text(" has them."))}, table("Features by gain", c.Inputs[:first])}
	if first < len(c.Inputs) {
		blocks = append(blocks, &page.Details{Summary: "The other " + figure.Things(len(c.Inputs)-first, "feature"), Blocks: []page.Block{table("The other features", c.Inputs[first:])}})
	}
	return blocks
}

func (c *Card) trainingBlocks() []page.Block {
	var blocks []page.Block
	if b := c.Bundle; b.Reference != "" {
		text := page.Join(page.Text("Later batches are compared with profile "), page.Digest(b.Reference))
		if len(b.Batches) > 0 {
			text = page.Join(text, page.Textf(" of %s", list(b.Batches, 12)))
		}
		blocks = append(blocks, &page.Paragraph{Text: page.Join(text, page.Text("."))})
	}
	if c.Model.Digest != "" {
		blocks = append(blocks, c.calibrationBlock())
	}
	l := c.Training
	if l == nil || l.Paper == "" {
		return append(blocks, &page.Callout{Tone: page.Warn, Title: "No manifest", Text: page.Text("The version was registered without one: what it learned from, and how, is not known here.")})
	}
	m := l.Manifest
	facts := []page.Fact{{Name: "Manifest", Value: page.Digest(l.Paper), Note: "kept in the bundle"}, {Name: "Label", Value: page.Code(m.Label)}, {Name: "Nothing later than", Value: page.Text(cmp.Or(m.AsOf, "not limited"))}, {Name: "Seed", Value: page.Text(fmt.Sprint(m.Seed))}}
	if r := m.Results; r != nil {
		facts = append(facts, page.Fact{Name: "Trainer", Value: page.Text(r.Trainer), Note: libraries(r.Libraries)}, page.Fact{Name: "Rows learned from", Value: page.Text(figure.Count(r.Train.Rows))})
		if r.Rounds > 0 {
			facts = append(facts, page.Fact{Name: "Rounds", Value: page.Text(fmt.Sprint(r.Rounds)), Note: r.Stopped})
		}
	}
	blocks = append(blocks, &page.FactList{Facts: facts})
	data := &page.Table{Caption: "Data windows", Columns: page.Columns("Batch", "Part", "#Rows", "File")}
	for _, f := range m.Data.Train {
		data.Rows = append(data.Rows, page.Row{{Text: page.Text(cmp.Or(f.Batch, "–"))}, {Text: page.Text("training")}, {Text: page.Text(figure.Count(f.Rows))}, {Text: digest(f.Digest)}})
	}
	for _, f := range m.Data.Valid {
		data.Rows = append(data.Rows, page.Row{{Text: page.Text(cmp.Or(f.Batch, "–"))}, {Text: page.Text("tells when to stop")}, {Text: page.Text(figure.Count(f.Rows))}, {Text: digest(f.Digest)}})
	}
	for _, f := range m.Data.Calibration {
		data.Rows = append(data.Rows, page.Row{{Text: page.Text(cmp.Or(f.Batch, "–"))}, {Text: page.Text("calibration")}, {Text: page.Text(figure.Count(f.Rows))}, {Text: digest(f.Digest)}})
	}
	parameters := &page.Table{Caption: "Parameters", Columns: page.Columns("Parameter", "Value")}
	for _, name := range slices.Sorted(maps.Keys(m.Parameters)) {
		parameters.Rows = append(parameters.Rows, page.Row{{Text: page.Code(name)}, {Text: page.Text(m.Parameters[name])}})
	}
	if len(data.Rows) > 0 {
		blocks = append(blocks, data)
	}
	if len(parameters.Rows) > 0 {
		blocks = append(blocks, &page.Details{Summary: figure.Things(len(parameters.Rows), "parameter"), Blocks: []page.Block{parameters}})
	}
	return blocks
}

func libraries(all map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, name+" "+all[name])
	}
	return strings.Join(parts, ", ")
}

func (c *Card) calibrationBlock() page.Block {
	k := c.Bundle.Calibration
	switch {
	case k == nil:
		return &page.Paragraph{Text: page.Text("Calibration: the model's own predictions.")}
	case k.Kind == "platt":
		return &page.Paragraph{Text: page.Join(page.Textf("Calibration: platt, intercept %s and slope %s on the raw score, in bundle ", figure.Number(k.Intercept), figure.Number(k.Slope)), page.Digest(c.Model.Digest), page.Text("."))}
	}
	return &page.Paragraph{Text: page.Join(page.Textf("Calibration: %s with %s, in bundle ", k.Kind, figure.Things(len(k.Raw), "point")), page.Digest(c.Model.Digest), page.Text("."))}
}

func (c *Card) decisionBlocks() []page.Block {
	var blocks []page.Block
	if len(c.Events) > 0 {
		blocks = append(blocks, eventTable("Entries of the registry about the version", c.Events))
	}
	var proven []Gate
	for _, g := range c.Gates {
		if g.Paper != "" {
			proven = append(proven, g)
		}
	}
	return append(blocks, gateBlocks(proven)...)
}

func (c *Card) serviceBlocks() []page.Block {
	t := &page.Table{Caption: "Months in which it serves", Columns: page.Columns("Month", "#Publication", "#Rows", "#Share", "Commit of the table")}
	for _, s := range c.Served {
		if s.Commit == "" {
			continue
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(s.Batch)}, {Text: page.Text(fmt.Sprint(s.Publication))}, {Text: page.Text(figure.Count(s.Rows))}, {Text: page.Text(figure.Percent(float64(s.Rows) / float64(max(s.Of, 1))))}, {Text: page.Digest(s.Commit)}})
	}
	if len(t.Rows) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No published row has its score.")}}
	}
	return []page.Block{t}
}

func (c *Card) lineageBlocks() []page.Block {
	return []page.Block{lineage(c.Lineage), commands("Verify it yourself", []string{
		"# every model version with its golden rows, every decision, the chain of the registry",
		fmt.Sprintf("starter verify %s --anchor %s", c.Pipeline, c.Anchor),
		"# measure again what the decisions rest on",
		fmt.Sprintf("starter verify %s --evidence", c.Pipeline),
	})}
}
