package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// Page returns the month as a page.
func (m *Month) Page() *page.Page {
	p := &page.Page{Kind: "Month-end report", Title: m.Pipeline + " " + m.Month.Batch, Verdict: m.verdict(), Facts: m.factList()}
	p.Add("Who must act", "Questions that were open when the month ended.", m.waitBlocks()...)
	p.Add("How good the model is", "On every month whose labels were there by then, and who served it.", m.trendBlocks()...)
	p.Add("What matured", "Months whose labels came in this one.", m.maturedBlocks()...)
	p.Add("What was published", "", m.publishedBlocks()...)
	p.Add("Trainings and releases", "", m.decisionBlocks()...)
	p.Add("All months", "", lineTable("Months up to this one, the latest first", slices.Backward(m.Months), nil))
	p.Add("Lineage", "", lineage(m.Lineage), commands("Verify it yourself", []string{
		"# the chain of the registry up to the end of the month, and every published file",
		fmt.Sprintf("starter verify %s --anchor %s", m.Pipeline, m.Anchor),
		"# the batch in full",
		fmt.Sprintf("starter report %s %s", m.Pipeline, m.Month.Batch),
	}))
	p.End = []page.Words{page.Join(page.Textf("Entries %d to %d of the registry. Anchor ", m.From, m.To), page.Code(m.Anchor), page.Text("."))}
	return p
}

func (m *Month) verdict() page.Verdict {
	l := m.atEnd()
	v := page.Verdict{Tone: page.Good, Word: sentenceCase(l.State), Happened: m.happened(), Trust: m.trust(), Act: page.Text("Nobody.")}
	switch {
	case l.State == "blocked", l.State == "missing":
		v.Tone = page.Bad
	case l.State != "published" || len(m.Waits) > 0:
		v.Tone = page.Warn
	case l.Drift != "" && l.Drift != "none":
		v.Tone, v.Word = page.Warn, "Published, with reservations"
	}
	if l.Drift == "trigger" {
		v.Act = page.Text(owner(m.Owner) + ": the drift has lasted. What trainings and releases have made of it is below; the batch's own report shows the columns.")
	}
	if len(m.Waits) > 0 {
		v.Act = page.Text(sentenceCase(m.Waits[0].Who) + ": " + strings.TrimSuffix(m.Waits[0].What, "."))
		if more := len(m.Waits) - 1; more > 0 {
			v.Act = page.Join(v.Act, page.Textf(", and %d more", more))
		}
		v.Act = page.Join(v.Act, page.Text(". See below."))
	}
	return v
}

// atEnd is the month as it was when it ended; labels and publications that came later are
// in Month.
func (m *Month) atEnd() Line {
	for _, l := range m.Months {
		if l.Batch == m.Month.Batch {
			return l
		}
	}
	return m.Month
}

func (m *Month) happened() page.Words {
	l := m.atEnd()
	var parts []string
	switch {
	case l.State == "published":
		parts = append(parts, l.rowsSentence())
		if len(l.Served) > 1 {
			parts = append(parts, "Served by "+servedText(l.Served)+".")
		}
	case l.State == "missing":
		parts = append(parts, "Nothing was published in time.")
	case l.Gone:
		parts = append(parts, "The papers of its run were deleted.")
	default:
		parts = append(parts, sentenceCase(figure.Things(l.Rows.Delivered, "row"))+" delivered.")
	}
	if l.Why != "" {
		parts = append(parts, sentenceEnd(l.Why))
	}
	if l.Attempts > 0 && l.State == "published" {
		parts = append(parts, fmt.Sprintf("%s kept out before.", deliveries(l.Attempts)))
	}
	for _, e := range m.Decisions {
		switch {
		case e.Kind == "promote" && e.Model != nil:
			parts = append(parts, fmt.Sprintf("%s became the champion.", figure.Short(e.Model.Digest)))
		case e.Kind == "rejected" && e.Model != nil:
			parts = append(parts, fmt.Sprintf("%s was rejected.", figure.Short(e.Model.Digest)))
		}
	}
	for _, e := range m.Trainings {
		parts = append(parts, fmt.Sprintf("A training ran on the labels of %s.", e.Batch))
	}
	return page.Text(strings.Join(parts, " "))
}

func deliveries(n int) string {
	if n == 1 {
		return "One delivery was"
	}
	return fmt.Sprintf("%d deliveries were", n)
}

// trust says what the last labels and the drift say.
func (m *Month) trust() page.Words {
	var parts []string
	if l := m.atEnd(); l.Drift != "" {
		word := "Nothing drifted."
		if l.Drift != "none" {
			word = fmt.Sprintf("The data drifted (%s): %s.", l.Drift, list(l.Drifted, 3))
		}
		parts = append(parts, word)
	}
	if l := m.lastKnown(); l != nil {
		q := l.Quality
		parts = append(parts, fmt.Sprintf("The last month with labels is %s: %s %s.", l.Batch, metricName(q.Metric), figure.Estimate(q.Champion)))
		if q.First != nil && m.First.Digest != l.Champion.Digest {
			parts = append(parts, fmt.Sprintf("The first champion, which never learned again, would have had %s.", figure.Estimate(q.First)))
		}
		if off := largeWord(q.Large); off != "" {
			parts = append(parts, sentenceCase(off)+".")
		}
	} else {
		parts = append(parts, "No month has labels yet.")
	}
	return page.Text(strings.Join(parts, " "))
}

// largeWord says in which way scores are off on the whole, beyond doubt.
func largeWord(e *evaluate.Estimate) string {
	switch {
	case e == nil:
	case e.Low > 0.2:
		return "the scores were too low on the whole"
	case e.High < -0.2:
		return "the scores were too high on the whole"
	}
	return ""
}

func (m *Month) lastKnown() *Line {
	for i := range slices.Backward(m.Months) {
		if q := m.Months[i].Quality; q != nil && q.Champion != nil {
			return &m.Months[i]
		}
	}
	return nil
}

func (m *Month) factList() []page.Fact {
	l := m.atEnd()
	facts := []page.Fact{{Name: "Rows delivered", Value: page.Text(figure.Count(l.Rows.Delivered)), Note: balance(l.Rows)}}
	if l.Gone {
		facts[0].Value, facts[0].Note = page.Text("not known"), "the papers of the run were deleted"
	}
	if l.Rows.Scored+l.Rows.Quarantined > 0 {
		f := page.Fact{Name: "In quarantine", Value: page.Text(figure.Count(l.Rows.Quarantined)), Note: fmt.Sprintf("%s of the rows; %s may be", figure.Percent(float64(l.Rows.Quarantined)/float64(max(l.Rows.Delivered, 1))), figure.Count(l.Rows.Budget))}
		if l.Rows.Quarantined > 0 {
			f.Tone = page.Warn
		}
		facts = append(facts, f)
	}
	if l.Publication > 0 {
		facts = append(facts, page.Fact{Name: "Publication", Value: page.Text(fmt.Sprint(l.Publication)), Note: l.At.UTC().Format("2 January 2006, 15:04 UTC")})
	}
	if l.Drift != "" {
		f := page.Fact{Name: "Drift", Value: page.Text(l.Drift), Note: list(l.Drifted, 3), Tone: page.Warn}
		if l.Drift == "none" {
			f.Tone = page.Good
		}
		facts = append(facts, f)
	}
	if k := m.lastKnown(); k != nil {
		q := k.Quality
		facts = append(facts, page.Fact{Name: metricName(q.Metric) + " of " + k.Batch, Value: page.Text(figure.Number(q.Champion.Value)), Note: figure.Interval(*q.Champion) + ", the last with labels", How: metricHow(q.Metric, *q.Champion)})
	}
	if q := m.Month.Quality; q != nil && q.Champion != nil {
		facts = append(facts, page.Fact{Name: metricName(q.Metric) + " of this month", Value: page.Text(figure.Number(q.Champion.Value)), Note: figure.Interval(*q.Champion) + ", known since entry " + fmt.Sprint(q.Entry), How: metricHow(q.Metric, *q.Champion)})
	}
	return append(facts, page.Fact{Name: "Champion at the end", Value: page.Digest(m.Champion.Digest), Note: m.Champion.Note})
}

func (m *Month) waitBlocks() []page.Block {
	if len(m.Waits) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("Nothing waited for anybody.")}}
	}
	return waitTable(m.Waits)
}

// waitTable lists open questions; nothing if there are none.
func waitTable(waits []Open) []page.Block {
	if len(waits) == 0 {
		return nil
	}
	t := &page.Table{Caption: "Open questions", Columns: page.Columns("What", "Who", "How to answer")}
	for _, w := range waits {
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(w.What)}, {Text: page.Text(w.Who)}, {Text: page.Code(w.Command)}})
	}
	return []page.Block{t}
}

// trendBlocks draws the quality of all labelled months, and under it who served when.
func (m *Month) trendBlocks() []page.Block {
	f := &page.Figures{How: "Of the scores that the champion of each month gave all its rows, held against labels, with 95 % intervals by DeLong's method for AUC. The first champion is measured on the same rows where it scored along."}
	f.Charts = append(f.Charts, m.qualityTrend(), m.largeTrend(), m.quarantineTrend(), timelineOf(m.Months))
	return []page.Block{f}
}

func (m *Month) labels() []string {
	var labels []string
	for _, l := range m.Months {
		labels = append(labels, l.Batch)
	}
	return labels
}

func whiskers(e *evaluate.Estimate) chart.Interval {
	if e == nil {
		return unknown(math.NaN())
	}
	return interval(*e)
}

func (m *Month) qualityTrend() chart.Chart {
	served := chart.Line{Series: chart.Now, Name: "champion"}
	first := chart.Line{Series: chart.Ref, Name: "first champion"}
	name, alone := evaluate.AUC, false
	for _, l := range m.Months {
		var a, b *evaluate.Estimate
		if l.Quality != nil {
			a, name = l.Quality.Champion, l.Quality.Metric
			if l.Champion.Digest != m.First.Digest {
				b = l.Quality.First
			}
		}
		alone = alone || b != nil
		served.Values, first.Values = append(served.Values, whiskers(a)), append(first.Values, whiskers(b))
	}
	t := chart.Trended{Title: metricName(name) + " by month", YLabel: metricName(name), Labels: m.labels(), Lines: []chart.Line{served}}
	if alone {
		t.Lines = append(t.Lines, first)
	}
	return chart.Trend(t)
}

func (m *Month) largeTrend() chart.Chart {
	line := chart.Line{Series: chart.Now, Name: "champion"}
	for _, l := range m.Months {
		var e *evaluate.Estimate
		if l.Quality != nil {
			e = l.Quality.Large
		}
		line.Values = append(line.Values, whiskers(e))
	}
	zero := 0.0
	return chart.Trend(chart.Trended{Title: "Calibration in the large by month", YLabel: "log odds above the scores", Labels: m.labels(), Lines: []chart.Line{line}, Bound: &zero})
}

func (m *Month) quarantineTrend() chart.Chart {
	line := chart.Line{Series: chart.Now, Name: "quarantined share"}
	for _, l := range m.Months {
		v := math.NaN()
		if l.Rows.Delivered > 0 {
			v = float64(l.Rows.Quarantined) / float64(l.Rows.Delivered)
		}
		line.Values = append(line.Values, unknown(v))
	}
	return chart.Trend(chart.Trended{Title: "Rows in quarantine by month", YLabel: "share of the delivered rows", Labels: m.labels(), Lines: []chart.Line{line}, Text: figure.Percent})
}

func (m *Month) maturedBlocks() []page.Block {
	if len(m.Matured) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No labels came in this month.")}}
	}
	t := &page.Table{Caption: "Models on the rows whose outcome counts", How: "95 % intervals: by DeLong's method for AUC, else from the influence of each row. The champion is that of the run; models in shadow scored all its rows and served none.",
		Columns: page.Columns("Batch", "Model", "Role", "#Rows", "#AUC or R²", "#Calibration in the large", "#Calibration slope", "#Log loss", "Labels")}
	var tables []chart.Chart
	for _, b := range m.Matured {
		word := "evidence"
		if b.Verdict != "pass" {
			word = "no evidence: " + list(b.Reasons, 2)
		}
		for i, j := range b.Models {
			row := page.Row{{Text: page.Text(b.Batch)}, {Text: page.Digest(j.Model.Digest)}, {Text: page.Text(j.Role)}, {Text: page.Text(figure.Count(j.Rows))}, {Text: page.Text(cmp.Or(j.Problem, "–"))}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text(word), Tone: verdictTone(b.Verdict)}}
			if j.Report != nil {
				for _, metric := range []evaluate.Metric{evaluate.AUC, evaluate.R2} {
					if e, ok := j.Report.Get(metric); ok {
						row[4].Text = page.Text(figure.Estimate(&e))
					}
				}
				for k, metric := range []evaluate.Metric{evaluate.InTheLarge, evaluate.Slope, evaluate.LogLoss} {
					if e, ok := j.Report.Get(metric); ok {
						row[5+k].Text = page.Text(figure.Estimate(&e))
					}
				}
			}
			t.Rows = append(t.Rows, row)
			if i == 0 && j.Report != nil && len(j.Report.Reliability) > 0 {
				tables = append(tables, chart.Reliability("Reliability of "+b.Batch, []chart.Calibrated{calibrated(chart.Now, "champion", j.Report)}))
			}
		}
	}
	return []page.Block{t, &page.Figures{Charts: tables, How: "Groups of equal weight by score, with Wilson's 95 % interval of the share that came true."}}
}

func (m *Month) publishedBlocks() []page.Block {
	l := m.Month
	var blocks []page.Block
	if len(l.Served) > 0 {
		total := int64(0)
		for _, s := range l.Served {
			total += s.Rows
		}
		t := &page.Table{Caption: "Who scored whom, in the publication in force", Columns: page.Columns("Model", "What it is", "Role", "#Rows", "#Share", "")}
		for _, s := range l.Served {
			role := "canary"
			if s.Model.Digest == l.Champion.Digest || len(l.Served) == 1 {
				role = "champion"
			}
			part := float64(s.Rows) / float64(max(total, 1))
			bar := chart.Bar(figure.Short(s.Model.Digest)+": "+figure.Percent(part), part, 1, false)
			t.Rows = append(t.Rows, page.Row{{Text: page.Digest(s.Model.Digest)}, {Text: page.Text(s.Model.Note)}, {Text: page.Text(role)}, {Text: page.Text(figure.Count(s.Rows))}, {Text: page.Text(figure.Percent(part))}, {Chart: &bar}})
		}
		blocks = append(blocks, t)
	}
	return append(blocks, (&Batch{Publications: m.Publications}).publicationBlocks()...)
}

func (m *Month) decisionBlocks() []page.Block {
	var blocks []page.Block
	for _, part := range []struct {
		caption string
		events  []Event
	}{{"Trainings", m.Trainings}, {"Releases: gates, answers, promotions and rejections", m.Decisions}, {"Changes by people", m.Changes}, {"Other entries", m.Others}} {
		if len(part.events) > 0 {
			blocks = append(blocks, eventTable(part.caption, part.events))
		}
	}
	if len(blocks) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No training, no release, no change.")}}
	}
	return blocks
}
