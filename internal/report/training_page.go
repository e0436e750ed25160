package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
	"headgate/internal/train"
)

// Page returns the training as a page.
func (t *Training) Page() *page.Page {
	p := &page.Page{Kind: "Training report", Title: t.Pipeline + ": " + t.Kind + " after " + t.Batch, Verdict: t.verdict(), Facts: t.factList()}
	p.Add("Why it started", "", t.triggerBlocks()...)
	p.Add("Challengers", "What came of each window, and what became of it since.", t.challengerBlocks()...)
	p.Add("Against the champion", "On batches that are later than whatever was learned from, with the intervals that the gate grants.", t.gateBlocks()...)
	p.Add("Sanity", "Each model on a tenth of the entities, which it never saw. That keeps broken models out, and promotes none.", t.sanityBlocks()...)
	p.Add("What the models rest on", "", t.importanceBlocks()...)
	p.Add("Course of the training", "", t.curveBlocks()...)
	p.Add("Calibration", "Cross-fitted: the rows of one half of the entities were judged with a calibration that was fitted on the other half.", t.calibrationBlocks()...)
	p.Add("Data", "Rows that were published and whose outcome is known; each entity is in one part only.", t.dataBlocks()...)
	p.Add("Settings", "", t.settingBlocks()...)
	p.Add("Lineage", "", lineage(t.Lineage), commands("Verify it yourself", []string{
		"# the chain of the registry, every decision, every model version with its golden rows",
		fmt.Sprintf("starter verify %s --anchor %s", t.Pipeline, t.Anchor),
		"# measure again what the decisions about the challengers rest on",
		fmt.Sprintf("starter verify %s --evidence", t.Pipeline),
	}))
	p.End = []page.Words{page.Join(page.Text("Training "), page.Code(t.ID), page.Textf(", entry %d of the registry. Registry anchor ", t.Entry), page.Code(t.Anchor), page.Text("."))}
	return p
}

func (t *Training) passed() []Candidate {
	var out []Candidate
	for _, c := range t.Challengers {
		if c.Verdict == "pass" {
			out = append(out, c)
		}
	}
	return out
}

func (t *Training) verdict() page.Verdict {
	passed := t.passed()
	v := page.Verdict{Tone: page.Good, Word: figure.Things(len(passed), "challenger") + " registered"}
	if len(passed) == 0 {
		v.Tone, v.Word = page.Bad, "No challenger came of it"
	}
	what := "New models were learned"
	if t.Kind == "recalibrate" {
		what = "The champion was given a new calibration"
	}
	v.Happened = page.Textf("%s from the labels of %s.", what, t.Batch)
	if len(t.Batches) > 1 {
		v.Happened = page.Textf("%s from %d labelled batches up to %s, in %s.", what, len(t.Batches), t.Batch, figure.Things(len(t.Challengers), "window"))
	}
	switch {
	case len(passed) == 0:
		v.Trust = page.Text("Nothing changes: the champion stays. " + sentenceCase(list(t.Reasons, 3)) + ".")
	default:
		v.Trust = page.Text("A training promotes nothing. " + t.standing())
	}
	v.Act = page.Text("Nobody.")
	if len(passed) == 0 {
		v.Act = page.Text(owner(t.Owner) + ": look at the reasons below.")
	} else if t.Release != "" {
		v.Act = page.Join(page.Text("See "), page.Code("starter release status "+t.Pipeline), page.Text(": the release asks if a person must answer."))
	}
	return v
}

// standing says what labels of later batches said so far.
func (t *Training) standing() string {
	if len(t.Gates) == 0 {
		return "No labels of later batches have judged the challengers yet."
	}
	verdicts := map[string]string{}
	for _, g := range t.Gates {
		verdicts[g.Model.Digest] = string(g.Decision.Verdict)
	}
	n := 0
	for _, v := range verdicts {
		if v == "pass" {
			n++
		}
	}
	return fmt.Sprintf("Labels of later batches let %d of %d through.", n, len(verdicts))
}

func (t *Training) factList() []page.Fact {
	rowsLearned := int64(0)
	for _, b := range t.Batches {
		rowsLearned += b.Rows
	}
	facts := []page.Fact{
		{Name: "Kind", Value: page.Text(t.Kind), Note: t.Trainer},
		{Name: "Batches", Value: page.Text(fmt.Sprint(len(t.Batches))), Note: t.span()},
		{Name: "Rows with an outcome", Value: page.Text(figure.Count(rowsLearned))},
		{Name: "Challengers", Value: page.Text(fmt.Sprintf("%d of %d", len(t.passed()), len(t.Challengers))), Note: "passed the sanity checks"},
		{Name: "Champion then", Value: page.Digest(t.Champion.Digest), Note: t.Champion.Note},
		{Name: "Ended", Value: page.Text(t.At.UTC().Format("2 January 2006")), Note: t.At.UTC().Format("15:04 UTC") + ", by " + t.By},
	}
	return facts
}

func (t *Training) span() string {
	if n := len(t.Batches); n > 1 {
		return t.Batches[0].Batch + " to " + t.Batches[n-1].Batch
	} else if n == 1 {
		return t.Batches[0].Batch
	}
	return ""
}

func (t *Training) triggerBlocks() []page.Block {
	var blocks []page.Block
	for _, s := range t.Triggers {
		blocks = append(blocks, &page.Callout{Tone: page.Warn, Text: page.Text(s + ".")})
	}
	if len(t.Notes) > 0 {
		blocks = append(blocks, points(t.Notes))
	}
	return blocks
}

func (t *Training) challengerBlocks() []page.Block {
	table := &page.Table{Caption: "Challengers by window", Columns: page.Columns("Window", "Learned from", "#Rows", "Version", "Sanity", "What became of it")}
	var blocks []page.Block
	for _, c := range t.Challengers {
		row := page.Row{{Text: page.Text(c.name())}, {Text: page.Text(list(c.Train, 6))}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text(c.Verdict), Tone: verdictTone(c.Verdict)}, {Text: page.Text(c.Fate)}}
		if r := c.results(); r != nil {
			row[2].Text = page.Text(figure.Count(r.Train.Rows))
		}
		if c.Version != nil {
			row[3].Text = page.Digest(c.Version.Digest)
		}
		table.Rows = append(table.Rows, row)
		for _, f := range c.Findings {
			blocks = append(blocks, &page.Callout{Tone: page.Bad, Title: "Leak in window " + c.Window, Text: page.Text(f.Text)})
		}
		if len(c.Reasons) > 0 {
			blocks = append(blocks, &page.Callout{Tone: page.Bad, Title: "Window " + c.Window + " was blocked", Text: page.Text(list(c.Reasons, 6) + ".")})
		}
		if c.Log != "" {
			blocks = append(blocks, &page.Details{Summary: "End of the trainer's log, window " + c.Window, Blocks: []page.Block{&page.CodeBlock{Caption: "Standard error, without secrets", Text: c.Log}}})
		}
	}
	return append([]page.Block{table}, blocks...)
}

// name is what people call a challenger: by the length of its window.
func (c *Candidate) name() string {
	if len(c.Train) == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", len(c.Train))
}

func (c *Candidate) results() *train.Results {
	if c.Manifest == nil {
		return nil
	}
	return c.Manifest.Results
}

// gateBlocks draws the last decision about each challenger on one scale, and shows each in
// full below.
func (t *Training) gateBlocks() []page.Block {
	if len(t.Gates) == 0 {
		if len(t.passed()) == 0 {
			return nil
		}
		return []page.Block{&page.Paragraph{Text: page.Text("No decision yet: labels of a later batch must be there first.")}}
	}
	last := map[string]*Gate{}
	for i, g := range t.Gates {
		last[g.Model.Digest] = &t.Gates[i]
	}
	var lines []line
	for _, c := range t.Challengers {
		if c.Version == nil || last[c.Version.Digest] == nil {
			continue
		}
		lines = append(lines, last[c.Version.Digest].lines(c.name()+": ")...)
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.metric, b.metric) })
	var blocks []page.Block
	if len(lines) > 0 {
		blocks = append(blocks, forestTable("Challengers against the champion of then", "better by … % of the champion's →", forestHow, 0, lines))
	}
	return append(blocks, gateBlocks(t.Gates)...)
}

func (t *Training) sanityBlocks() []page.Block {
	var blocks []page.Block
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.R2, evaluate.LogLoss, evaluate.RMSE, evaluate.Slope, evaluate.InTheLarge} {
		var lines []line
		reference := math.NaN()
		for _, c := range t.Challengers {
			if c.Sanity == nil {
				continue
			}
			e, ok := c.Sanity.Estimates[m]
			if !ok {
				continue
			}
			l := line{name: c.name(), value: figure.Estimate(&e), interval: interval(e), bounds: [2]float64{math.NaN(), math.NaN()}}
			switch m {
			case evaluate.AUC:
				reference, l.bounds[0], l.meaning = 0.5, 0.5, "above 0.5, which chance gives"
			case evaluate.LogLoss, evaluate.RMSE:
				l.bounds[1], l.meaning = c.Sanity.Base, fmt.Sprintf("below %s, which one score for all gives", figure.Number(c.Sanity.Base))
			case evaluate.Slope:
				reference, l.meaning = 1, "1 is best"
			case evaluate.InTheLarge:
				reference, l.meaning = 0, "0 is best"
			}
			lines = append(lines, l)
		}
		if len(lines) > 0 {
			blocks = append(blocks, forestTable(metricName(m), metricName(m), "On the entities that were kept apart, with 95 % intervals.", reference, lines))
		}
	}
	return blocks
}

// mostFeatures is how many features are ranked before the others are folded.
const mostFeatures = 12

func (t *Training) importanceBlocks() []page.Block {
	columns := []page.Column{{Name: "Feature"}}
	largest := map[string]float64{}
	var with []Candidate
	for _, c := range t.Challengers {
		if r := c.results(); r != nil && len(r.Importance) > 0 {
			with = append(with, c)
			columns = append(columns, page.Column{Name: "Share of the gain, " + c.name()}, page.Column{Name: "Share", Number: true})
			for _, i := range r.Importance {
				largest[i.Feature] = max(largest[i.Feature], i.Share)
			}
		}
	}
	if len(with) == 0 {
		return nil
	}
	most := slices.Max(slices.Collect(maps.Values(largest)))
	names := slices.SortedFunc(maps.Keys(largest), func(a, b string) int {
		return cmp.Or(cmp.Compare(largest[b], largest[a]), cmp.Compare(a, b))
	})
	table := func(caption string, names []string) *page.Table {
		out := &page.Table{Caption: caption, Columns: columns, How: "Share of the sum of all gains of splits that rests on a feature. It says what the model uses, and not what causes the outcome."}
		for _, name := range names {
			row := page.Row{{Text: page.Code(name)}}
			for _, c := range with {
				s := c.gain(name)
				bar := chart.Bar(name+": "+figure.Percent(s), s, most, false)
				row = append(row, page.Cell{Chart: &bar}, page.Cell{Text: page.Text(figure.Percent(s))})
			}
			out.Rows = append(out.Rows, row)
		}
		return out
	}
	first := min(mostFeatures, len(names))
	blocks := []page.Block{table("Features by gain", names[:first])}
	if first < len(names) {
		blocks = append(blocks, &page.Details{Summary: "The other " + figure.Things(len(names)-first, "feature"), Blocks: []page.Block{table("The other features", names[first:])}})
	}
	return blocks
}

func (c *Candidate) gain(feature string) float64 {
	for _, i := range c.results().Importance {
		if i.Feature == feature {
			return i.Share
		}
	}
	return 0
}

func (t *Training) curveBlocks() []page.Block {
	table := &page.Table{Caption: "How each training ended", Columns: page.Columns("Window", "#Rounds", "Metric", "#Value on unseen rows", "Ended because", "Notes"),
		How: "Unseen are the rows of the validation part or, where the calibration is cross-fitted and no part tells when to stop, those of each fold for the model that learned from the others."}
	f := &page.Figures{How: "The metric of the rows that tell when to stop, after each round. They are no part of what is learned from, and no evidence either."}
	for _, c := range t.Challengers {
		r := c.results()
		if r == nil || r.Rounds == 0 {
			continue
		}
		table.Rows = append(table.Rows, page.Cells(c.name(), fmt.Sprint(r.Rounds), r.Metric, figure.Number(r.Value), r.Stopped, strings.Join(r.Notes, "; ")))
		f.Charts = append(f.Charts, learningCurve(c.name(), r))
	}
	if len(table.Rows) == 0 {
		return nil
	}
	return []page.Block{f, table}
}

// learningCurve draws the metric by round. Its axis counts the points, which are evenly
// spaced.
func learningCurve(name string, r *train.Results) chart.Chart {
	line := chart.Line{Series: chart.Now, Name: "validation"}
	if r.Valid == nil {
		line.Name = "mean of the folds"
	}
	var labels []string
	for _, p := range r.Curve {
		labels = append(labels, fmt.Sprint(p.Round))
		line.Values = append(line.Values, chart.Interval{Low: math.NaN(), Value: p.Value, High: math.NaN()})
	}
	return chart.Trend(chart.Trended{Title: r.Metric + " by round, " + name, YLabel: "round", Labels: labels, Lines: []chart.Line{line}})
}

func (t *Training) calibrationBlocks() []page.Block {
	table := &page.Table{Caption: "Before and after", Columns: page.Columns("Window", "Calibration", "#Rows", "Metric", "#Before", "#After")}
	for _, c := range t.Challengers {
		r := c.results()
		if r == nil || r.Calibration == nil || r.CalibrationEvidence == nil {
			continue
		}
		for _, change := range r.CalibrationEvidence.Changes {
			table.Rows = append(table.Rows, page.Cells(c.name(), string(r.Calibration.Kind), figure.Count(r.CalibrationEvidence.Rows), metricName(change.Metric), figure.Estimate(&change.Before), figure.Estimate(&change.After)))
		}
	}
	if len(table.Rows) == 0 {
		return nil
	}
	return []page.Block{table}
}

func (t *Training) dataBlocks() []page.Block {
	batches := &page.Table{Caption: "Batches", Columns: page.Columns("Batch", "Run", "Labels", "#Scored", "#Learned from", "#Without an outcome", "#Treated"),
		How: "Treated rows are left out, and the untreated stand for them by inverse propensity."}
	for _, b := range t.Batches {
		batches.Rows = append(batches.Rows, page.Row{{Text: page.Text(b.Batch)}, {Text: digest(b.Run)}, {Text: digest(b.Labels)}, {Text: page.Text(figure.Count(b.Scored))}, {Text: page.Text(figure.Count(b.Rows))}, {Text: page.Text(figure.Count(b.Unknown))}, {Text: page.Text(figure.Count(b.Treated))}})
	}
	parts := &page.Table{Caption: "Parts of each window", Columns: page.Columns("Window", "#Learned from", "#Tells when to stop", "#Calibration", "#Kept apart"),
		How: "Rows of each part. An entity's key and the seed decide where its rows go; what is kept apart is in no part that a trainer reads."}
	for _, c := range t.Challengers {
		r := c.results()
		if r == nil {
			continue
		}
		valid, calibration, kept := "–", "–", "–"
		if r.Valid != nil {
			valid = figure.Count(r.Valid.Rows)
		}
		if r.CalibrationEvidence != nil {
			calibration = figure.Count(r.CalibrationEvidence.Rows)
		}
		if c.Sanity != nil {
			kept = figure.Count(c.Sanity.Rows)
		}
		parts.Rows = append(parts.Rows, page.Cells(c.name(), figure.Count(r.Train.Rows), valid, calibration, kept))
	}
	blocks := []page.Block{batches}
	if len(parts.Rows) > 0 {
		blocks = append(blocks, parts)
	}
	return blocks
}

func (t *Training) settingBlocks() []page.Block {
	table := &page.Table{Caption: "As the pipeline file has them; all others are the trainer's defaults", Columns: page.Columns("Parameter", "Value")}
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		table.Rows = append(table.Rows, page.Row{{Text: page.Code(name)}, {Text: page.Text(t.Parameters[name])}})
	}
	blocks := []page.Block{&page.FactList{Facts: []page.Fact{
		{Name: "Trainer", Value: page.Text(t.Trainer)}, {Name: "Seed", Value: page.Text(fmt.Sprint(t.Seed))}, {Name: "Calibration", Value: page.Text(cmp.Or(t.Calibrate, "none"))},
		{Name: "Leak guard", Value: page.Text(figure.Number(t.Leak)), Note: "no feature may predict the label better alone"},
	}}}
	if len(table.Rows) > 0 {
		blocks = append(blocks, table)
	}
	return blocks
}
