package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"headgate/internal/figure"
	"headgate/internal/gate"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

func (r *Release) stepBlocks() []page.Block {
	t := &page.Table{Caption: "Plan and course", Columns: page.Columns("Step", "#Share of the entities", "Entered", "#Entry", "Verdict", "Let in by")}
	for _, s := range r.Steps {
		row := page.Row{{Text: page.Code(s.Name)}, {Text: page.Text("–")}, {Text: page.Text("not yet")}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text("nobody must")}}
		if s.Share > 0 {
			row[1].Text = page.Text(figure.Percent(float64(s.Share) / 10_000))
		}
		if s.Entry > 0 {
			row[2].Text, row[3].Text = page.Text(stamp(s.Entered)), page.Text(fmt.Sprint(s.Entry))
		} else if r.over() {
			row[2].Text = page.Text("never")
		}
		if v := r.verdictOf(s.Name); v != "" {
			row[4] = page.Cell{Text: page.Text(v), Tone: verdictTone(v)}
		}
		if s.Approve {
			row[5] = r.letIn(s.Name)
		}
		t.Rows = append(t.Rows, row)
	}
	contest := &page.Table{Caption: "Candidates", Columns: page.Columns("Version", "What it is", "Learned up to", "Asked by", "#Entry", "What became of it")}
	for _, c := range r.Contest {
		tone := page.Plain
		switch {
		case c.Lost:
			tone = page.Bad
		case c.Fate == "champion":
			tone = page.Good
		}
		contest.Rows = append(contest.Rows, page.Row{{Text: page.Digest(c.Model.Digest)}, {Text: page.Text(c.Model.Note)}, {Text: page.Text(cmp.Or(c.Learned, "–"))}, {Text: page.Text(c.By)},
			{Text: page.Text(fmt.Sprint(c.Entry))}, {Text: page.Text(c.Fate), Tone: tone}})
	}
	return []page.Block{&page.Figures{Charts: []chart.Chart{r.timeline()}}, t, contest}
}

func (r *Release) over() bool {
	return !slices.Contains([]Standing{Running, Waiting, Watched}, r.Standing)
}

// verdictOf is the last verdict of a step's gate.
func (r *Release) verdictOf(step string) string {
	verdict := ""
	for _, g := range r.Gates {
		if g.Step == step {
			verdict = string(g.Decision.Verdict)
		}
	}
	return verdict
}

func (r *Release) letIn(step string) page.Cell {
	var parts []string
	for _, a := range r.Approvals {
		if a.Step == step && a.Answer != "refused" {
			parts = append(parts, fmt.Sprintf("%s: %s (%s)", a.By, a.Answer, a.proof()))
		}
	}
	if len(parts) == 0 {
		return page.Cell{Text: page.Text("a person must, none has")}
	}
	return page.Cell{Text: page.Text(strings.Join(parts, "; "))}
}

func (a *Approval) proof() string {
	if a.Signed {
		return "signed"
	}
	return "claimed"
}

// timeline draws the release by the order of its entries: when they are seconds apart, as
// in a simulation, and when they are months apart.
func (r *Release) timeline() chart.Chart {
	var labels []string
	steps, gates := chart.Lane{Name: "Steps"}, chart.Lane{Name: "Gates"}
	people := chart.Lane{Name: "People"}
	var name string
	begin, at := 0, 0
	flush := func(end int) {
		if name != "" && end > begin {
			steps.Spans = append(steps.Spans, chart.Span{From: float64(begin), To: float64(end), Text: name, Series: chart.Now})
		}
		begin = end
	}
	for _, e := range r.Events {
		middle := float64(at) + 0.5
		switch e.Kind {
		case "routing", "promote":
			flush(at)
			name = cmp.Or(e.Step, "back")
		case "advance":
			gates.Moments = append(gates.Moments, chart.Moment{At: middle, Text: e.Verdict, Bad: e.Verdict == "block"})
		case "approval", "control":
			people.Moments = append(people.Moments, chart.Moment{At: middle, Text: e.Verdict, Bad: e.Verdict != "approve" && e.Verdict != "resume"})
		case "candidate":
		default:
			continue
		}
		labels = append(labels, fmt.Sprint(e.Entry))
		at++
	}
	flush(at)
	return chart.Timeline(chart.Timed{Title: "Course of the release by entry of the registry", Desc: "Which step the release was in, what gates said and what people answered, by number of the registry's entry.", Labels: labels,
		Lanes: []chart.Lane{steps, gates, people}})
}

// lookBlocks draws every look at labels of every candidate on one scale for each question.
func (r *Release) lookBlocks() []page.Block {
	var blocks []page.Block
	for _, subject := range []gate.Subject{gate.Advance, gate.Reverse} {
		var lines []line
		for i := range r.Gates {
			g := &r.Gates[i]
			if o := g.Decision.Evidence.Outcome; o != nil && g.Decision.Subject == subject {
				lines = append(lines, g.lines(fmt.Sprintf("%s, look %d: ", figure.Short(g.Decision.Evidence.Release.Model), len(o.Past)))...)
			}
		}
		if len(lines) == 0 {
			continue
		}
		caption := "Candidates against the champion"
		if subject == gate.Reverse {
			caption = "The former champion against the new one"
		}
		blocks = append(blocks, forestTable(caption, "better by … % of the other's →", forestHow, 0, lines))
	}
	if len(blocks) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No look yet: labels of a later batch must be there first.")}}
	}
	return append(blocks, r.alphaTable())
}

// alphaTable lists what each look was allowed to err by.
func (r *Release) alphaTable() page.Block {
	t := &page.Table{Caption: "Alpha spent", How: alphaHow, Columns: page.Columns("#Entry", "Candidate", "Question", "Labelled batches", "#Look", "#Rows", "#Challengers before, this year", "#For each metric of success", "#For each guardrail", "#For each slice")}
	granted := func(a float64) string {
		if a == 0 {
			return "–"
		}
		return figure.Number(a)
	}
	for _, g := range r.Gates {
		o := g.Decision.Evidence.Outcome
		if o == nil {
			continue
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(g.Entry))}, {Text: page.Digest(g.Decision.Evidence.Release.Model)}, {Text: page.Text(string(g.Decision.Subject))}, {Text: page.Text(list(o.Batches, 4))},
			{Text: page.Textf("%d of %d", len(o.Past), o.Looks)}, {Text: page.Text(figure.Count(o.Rows))}, {Text: page.Textf("%d of %d", o.Tried, o.Budget)},
			{Text: page.Text(granted(o.Alpha.Success))}, {Text: page.Text(granted(o.Alpha.Guard))}, {Text: page.Text(granted(o.Alpha.Slice))}})
	}
	return t
}

func (r *Release) canaryBlocks() []page.Block {
	var blocks []page.Block
	t := &page.Table{Caption: "Batches and candidates", How: "95 % intervals over the compared rows of the batch. Flips are decisions that would be other ones at the pipeline's threshold.",
		Columns: page.Columns("Batch", "Step", "Candidate", "#Serves", "#Rows served", "#Shift of the mean score", "#Decisions that flip", "#Swapped in", "#Swapped out")}
	for _, c := range r.Canaries {
		for _, x := range c.Comparisons {
			t.Rows = append(t.Rows, x.canaryRow(&c))
			if x.Changes != nil && x.Share > 0 {
				blocks = append(blocks, &page.Details{Summary: fmt.Sprintf("%s: the swap set of %s, and where scores moved", c.Batch, figure.Short(x.Model.Digest)), Blocks: []page.Block{changes(x), migration(x)}})
			}
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return append([]page.Block{t}, blocks...)
}

func (x *Comparison) canaryRow(c *Canary) page.Row {
	row := page.Row{{Text: page.Text(c.Batch)}, {Text: page.Text(c.Step)}, {Text: page.Digest(x.Model.Digest)}, {Text: page.Text("nobody")}, {Text: page.Text("0")}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text("–")}}
	if x.Share > 0 {
		row[3].Text = page.Text(figure.Percent(float64(x.Share) / 10_000))
	}
	if v := x.Volume; v != nil {
		row[4].Text = page.Text(figure.Count(v.Rows))
	}
	if x.Changes == nil {
		row[5].Text = page.Text(x.Note)
		return row
	}
	s := x.Changes.Shift
	row[5].Text = page.Textf("%s %s", figure.Signed(s.Value), figure.Interval(s))
	if d := x.Changes.Decisions; d != nil {
		row[6].Text, row[7].Text, row[8].Text = page.Text(share(d.Flips)), page.Text(figure.Count(d.SwapIn.Rows)), page.Text(figure.Count(d.SwapOut.Rows))
	}
	return row
}
