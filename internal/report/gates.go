package report

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/gate"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// gateBlocks returns decisions as a page shows them: a list, and each one in full. Those
// that passed on labels are folded.
func gateBlocks(gates []Gate) []page.Block {
	if len(gates) == 0 {
		return nil
	}
	t := &page.Table{Caption: "Decisions", Columns: page.Columns("#Entry", "Question", "Release", "Step", "Candidate", "Verdict", "What decided")}
	var blocks []page.Block
	for _, g := range gates {
		entry := "–"
		if g.Entry > 0 {
			entry = fmt.Sprint(g.Entry)
		}
		v := string(g.Decision.Verdict)
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(entry)}, {Text: page.Text(question(g.Decision.Subject))}, {Text: page.Text(g.Release)}, {Text: page.Text(g.Step)},
			{Text: digest(g.Decision.Evidence.Release.Model)}, {Text: page.Text(v), Tone: verdictTone(v)}, {Text: page.Text(g.decided())}})
		full := g.Blocks()
		if len(gates) > 2 {
			full = []page.Block{&page.Details{Summary: fmt.Sprintf("%s: %s", g.title(), v), Blocks: full}}
		}
		blocks = append(blocks, full...)
	}
	return append([]page.Block{t}, blocks...)
}

// decided says which rules decided.
func (g *Gate) decided() string {
	if g.Decision.Verdict == gate.Pass {
		return fmt.Sprintf("all %s", figure.Things(len(g.Decision.Rules), "rule"))
	}
	var ids []string
	for _, r := range g.Decision.Rules {
		if r.Outcome == g.Decision.Verdict && r.Waived == nil && !r.ReportOnly {
			ids = append(ids, r.ID)
		}
	}
	return list(ids, 4)
}

// Blocks returns a decision as a page shows it: what was asked and what came of it, each
// rule with its value and reason, and the evidence drawn against its bounds.
func (g *Gate) Blocks() []page.Block {
	d := g.Decision
	blocks := []page.Block{&page.Heading{Text: g.title()}}
	text := page.Text(question(d.Subject) + " ")
	if g.Model.Digest != "" {
		text = page.Join(text, page.Text("Candidate "), page.Digest(d.Evidence.Release.Model), page.Text(", against "), page.Digest(d.Evidence.Release.Champion), page.Text(". "))
	}
	if o := d.Evidence.Outcome; o != nil {
		text = page.Join(text, page.Textf("Labels of %s: %s, look %d of at most %d. ", list(o.Batches, 4), figure.Things(o.Rows, "row"), len(o.Past), o.Looks))
	}
	if g.Entry > 0 {
		text = page.Join(text, page.Textf("Entry %d of the registry, decision ", g.Entry), page.Digest(g.Paper), page.Text("."))
	}
	blocks = append(blocks, &page.Callout{Tone: verdictTone(string(d.Verdict)), Title: verdictWord(string(d.Verdict)), Text: text}, g.rules())
	if t := g.forest(); t != nil {
		blocks = append(blocks, t)
	}
	return blocks
}

func (g *Gate) title() string {
	switch {
	case g.Release == "":
		return "May the month be published"
	case g.Decision.Subject == gate.Canary:
		return fmt.Sprintf("%s: the step %s in this batch", g.Release, g.Step)
	}
	return fmt.Sprintf("%s: %s of %s", g.Release, g.Step, figure.Short(g.Decision.Evidence.Release.Model))
}

func question(s gate.Subject) string {
	switch s {
	case gate.Publish:
		return "May this month go out?"
	case gate.Canary:
		return "Did the batch go well, of which the candidate served a share?"
	case gate.Reverse:
		return "Was the former champion better after all?"
	}
	return "Is the candidate better beyond doubt, and worse in nothing that counts?"
}

func verdictWord(v string) string {
	switch v {
	case "pass":
		return "Pass"
	case "block":
		return "Block"
	case "ask":
		return "Ask: a person decides"
	}
	return "Inconclusive: more evidence is needed"
}

func (g *Gate) rules() *page.Table {
	t := &page.Table{Caption: "Rules", Columns: page.Columns("Rule", "What is asked", "Value", "Outcome", "Reason")}
	for _, r := range g.Decision.Rules {
		outcome := string(r.Outcome)
		tone := verdictTone(outcome)
		switch {
		case r.ReportOnly:
			outcome, tone = outcome+", for information", page.Plain
		case r.Waived != nil:
			outcome, tone = outcome+", waived by "+r.Waived.By, page.Warn
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Code(r.ID)}, {Text: page.Text(r.Rule)}, {Text: page.Text(r.Value)}, {Text: page.Text(outcome), Tone: tone}, {Text: page.Text(r.Reason)}})
	}
	return t
}

// forest draws the evidence of a decision against the bounds of its policy. It is nil if
// there are no numbers.
func (g *Gate) forest() page.Block {
	switch e := g.Decision.Evidence; {
	case e.Outcome != nil && len(e.Outcome.Metrics) > 0:
		return g.outcomeForest()
	case e.Compare != nil:
		return g.compareForest(e.Compare)
	}
	return nil
}

// A line is a row of a forest.
type line struct {
	metric               evaluate.Metric
	name, value, meaning string
	interval             chart.Interval
	bounds               [2]float64
	fails                bool
}

// forestTable draws intervals in a table, on one scale that holds them all.
func forestTable(caption, scale, how string, zero float64, lines []line) *page.Table {
	f := chart.Forest{Low: math.Inf(1), High: math.Inf(-1), Zero: zero}
	see := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			f.Low, f.High = min(f.Low, v), max(f.High, v)
		}
	}
	for _, l := range lines {
		for _, v := range []float64{l.interval.Low, l.interval.Value, l.interval.High, l.bounds[0], l.bounds[1], zero} {
			see(v)
		}
	}
	room := (f.High - f.Low) * 0.06
	f.Low, f.High = f.Low-room, f.High+room
	axis := f.Axis("Scale: " + scale)
	t := &page.Table{Caption: caption, How: how, Columns: []page.Column{{Name: "Measure"}, {Name: scale, Axis: &axis}, {Name: "Value and interval"}, {Name: "Bound"}}}
	for _, l := range lines {
		c := f.Row(chart.Row{Title: l.name + ": " + l.value, Interval: l.interval, Bounds: l.bounds, Fails: l.fails, Series: chart.Alt})
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(l.name)}, {Chart: &c}, {Text: page.Text(l.value)}, {Text: page.Text(l.meaning)}})
	}
	return t
}

// lowerIsBetter are the metrics that a better model has less of.
var lowerIsBetter = []evaluate.Metric{evaluate.LogLoss, evaluate.Brier, evaluate.Reliability, evaluate.ECE, evaluate.RMSE, evaluate.MAE,
	evaluate.Pinball, evaluate.Poisson, evaluate.Tweedie, evaluate.MulticlassLogLoss}

// improvement turns a difference of a metric into percent of the champion's, so that more
// is better.
func improvement(m evaluate.Metric, e evaluate.Estimate, champion float64) chart.Interval {
	name, _, _ := m.Argument()
	f := 100 / math.Abs(champion)
	i := chart.Interval{Low: e.Low * f, Value: e.Value * f, High: e.High * f}
	if slices.Contains(lowerIsBetter, name) {
		i = chart.Interval{Low: -i.High, Value: -i.Value, High: -i.Low}
	}
	return i
}

const forestHow = "Differences of candidate and champion on the same rows, with intervals as wide as the look grants: over all looks and challengers of a year, one that is not better gets through no more often than the policy's alpha. The drawing divides by the champion's value; to the right is better."

// outcomeForest draws what labels say of candidate and champion.
func (g *Gate) outcomeForest() page.Block {
	lines := g.lines("")
	if len(lines) == 0 {
		return nil
	}
	return forestTable("Candidate against champion on the same rows", "better by … % of the champion's →", forestHow, 0, lines)
}

// lines are the metrics of a decision, as parts of the champion's.
func (g *Gate) lines(prefix string) []line {
	o := g.Decision.Evidence.Outcome
	var lines []line
	for _, m := range slices.Sorted(maps.Keys(o.Metrics)) {
		metric := o.Metrics[m]
		base := metric.Champion.Value
		if base == 0 {
			continue
		}
		if metric.Success != nil {
			lines = append(lines, line{metric: m, name: prefix + string(m) + " is better", value: figure.Estimate(metric.Success), interval: improvement(m, *metric.Success, base),
				bounds: [2]float64{0, math.NaN()}, meaning: "above 0", fails: improvement(m, *metric.Success, base).Low <= 0})
		}
		l := line{metric: m, name: prefix + string(m) + " is not worse", value: figure.Estimate(&metric.Difference), interval: improvement(m, metric.Difference, base), bounds: [2]float64{math.NaN(), math.NaN()}}
		if margin, ok := g.margin(m, base); ok {
			l.bounds[0], l.meaning = -margin, "above "+figure.Percent(-margin/100)
			l.fails = l.interval.Low <= -margin
		}
		lines = append(lines, l)
	}
	return lines
}

// margin is by how much a metric may be worse, in percent of the champion's.
func (g *Gate) margin(m evaluate.Metric, champion float64) (float64, bool) {
	if g.Policy == nil {
		return 0, false
	}
	for _, guard := range g.Policy.Advance.Guardrails {
		switch {
		case guard.Metric != m:
		case guard.Relative:
			return 100 * guard.Margin, true
		default:
			return 100 * guard.Margin / math.Abs(champion), true
		}
	}
	return 0, false
}

// compareForest draws how the candidate's scores differ, as shares of what is allowed.
func (g *Gate) compareForest(c *gate.Compare) page.Block {
	if g.Policy == nil {
		return nil
	}
	p := g.Policy.Canary
	var lines []line
	add := func(name string, e *evaluate.Estimate, bound float64, both bool) {
		if e == nil || bound <= 0 {
			return
		}
		l := line{name: name, value: figure.Estimate(e), interval: chart.Interval{Low: e.Low / bound, Value: e.Value / bound, High: e.High / bound},
			bounds: [2]float64{math.NaN(), 1}, meaning: "at most " + figure.Bound(bound), fails: e.High > bound}
		if both {
			l.bounds[0], l.meaning = -1, "within ±"+figure.Bound(bound)
			l.fails = l.fails || e.Low < -bound
		}
		lines = append(lines, l)
	}
	add("index of the scores (PSI)", c.PSI, p.PSI, false)
	add("decisions that flip", c.Flips, p.Flips, false)
	add("shift of the mean score", c.Shift, p.Shift, true)
	if len(lines) == 0 {
		return nil
	}
	return forestTable("Scores of candidate and champion on the same rows", "as a part of what is allowed",
		"95 % intervals over the compared rows, divided by the bound of the policy: inside of 1 is allowed.", 0, lines)
}
