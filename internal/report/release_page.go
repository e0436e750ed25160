package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headgate/internal/gate"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// Page returns the release as a page.
func (r *Release) Page() *page.Page {
	p := &page.Page{Kind: "Release report", Title: r.Pipeline + ": release " + r.Name, Verdict: r.verdict(), Facts: r.factList()}
	p.Add("Steps", "When it entered each step of its plan, and who let it.", r.stepBlocks()...)
	p.Add("Candidates against the champion", "Paired differences on the same labelled rows, one row for each metric of each look.", r.lookBlocks()...)
	p.Add("Gates", "Every decision about the release, rule by rule.", r.gateBlocks()...)
	p.Add("Canary months", "Batches that a candidate scored beside the champion while it was on its way: what it would have changed, and what it did change.", r.canaryBlocks()...)
	p.Add("Approvals, refusals and waivers", "", r.approvalBlocks()...)
	p.Add("Republished batches", "No row keeps the score of a model that may not serve.", r.compensationBlocks()...)
	p.Add("The way back", "", r.backBlocks()...)
	p.Add("Trail", "Every entry of the registry about the release, the oldest first.", eventTable("Entries of the registry", r.Events))
	p.Add("Lineage", "Whoever has these can judge every gate again.", r.lineageBlocks()...)
	p.End = []page.Words{page.Join(page.Text("Release "), page.Code(r.Name), page.Text(". Registry anchor "), page.Code(r.Anchor),
		page.Text(": keep it, and nobody can change the trail up to there unnoticed."))}
	return p
}

var standingTones = map[Standing]page.Tone{Waiting: page.Warn, Watched: page.Good, Released: page.Good, Superseded: page.Plain, RolledBack: page.Bad, Rejected: page.Bad}

func (r *Release) verdict() page.Verdict {
	return page.Verdict{Tone: standingTones[r.Standing], Word: sentenceCase(string(r.Standing)), Happened: r.happened(), Trust: r.trust(), Act: r.act()}
}

// winner returns the candidate that became the champion; nil if none did.
func (r *Release) winner() *Contender {
	for i, c := range r.Contest {
		if c.Fate == "champion" || c.Fate == "was champion" || r.Standing == RolledBack && !strings.Contains(c.Fate, "goes on") {
			return &r.Contest[i]
		}
	}
	return nil
}

func (r *Release) happened() page.Words {
	begin := page.Textf("%s asked to replace ", sentenceCase(count(len(r.Contest), "candidate")))
	begin = page.Join(begin, page.Digest(r.Champion.Digest), page.Text(". "))
	switch w := r.winner(); {
	case w != nil && r.Standing == RolledBack:
		return page.Join(begin, page.Digest(w.Model.Digest), page.Textf(" became the champion and had to go: %s.", r.lostWhy()))
	case w != nil:
		return page.Join(begin, page.Digest(w.Model.Digest), page.Textf(" passed every step and became the champion on %s.", day(r.entered("100%"))))
	case r.Standing == Rejected:
		return page.Join(begin, page.Textf("It was rejected: %s.", r.lostWhy()))
	case r.Standing == Waiting && r.Waits != nil:
		return page.Join(begin, page.Textf("Whether %s enters the step %s, a person decides.", short(r.Waits.Model.Digest), r.Waits.Step))
	}
	if last := r.lastStep(); last != "" {
		begin = page.Join(begin, page.Textf("It is in the step %s. ", last))
	}
	return page.Join(begin, page.Text(sentenceEnd(r.Next)))
}

func (r *Release) lostWhy() string {
	for _, c := range slices.Backward(r.Contest) {
		if why, ok := strings.CutPrefix(c.Fate, "rejected: "); ok && !strings.Contains(why, "goes on") {
			return strings.TrimSuffix(why, ".")
		}
	}
	return "see the trail"
}

func (r *Release) entered(step string) time.Time {
	for _, s := range r.Steps {
		if s.Name == step {
			return s.Entered
		}
	}
	return time.Time{}
}

func (r *Release) lastStep() string {
	last := ""
	for _, s := range r.Steps {
		if s.Entry > 0 {
			last = s.Name
		}
	}
	return last
}

// trust says what speaks for the verdict: labels, and what the gate may err.
func (r *Release) trust() page.Words {
	var parts []string
	for _, g := range slices.Backward(r.Gates) {
		o := g.Decision.Evidence.Outcome
		if o == nil || g.Decision.Subject != gate.Advance {
			continue
		}
		word := map[gate.Verdict]string{gate.Pass: "speak for it", gate.Block: "speak against it"}[g.Decision.Verdict]
		parts = append(parts, fmt.Sprintf("%s of %s, all later than what was learned from, %s.", sentenceCase(rows(o.Rows)+" with labels"), list(o.Batches, 4), cmp.Or(word, "do not settle it yet")))
		if o.Alpha.Success > 0 {
			parts = append(parts, fmt.Sprintf("A model that is not better gets through such a look with probability %s at most for each metric.", chart.Probability(o.Alpha.Success)))
		}
		break
	}
	if len(parts) == 0 {
		parts = append(parts, "No labels of later batches have judged it yet.")
	}
	for _, w := range r.Waivers {
		if w.Used {
			parts = append(parts, fmt.Sprintf("The rule %s was waived by %s.", w.Rule, w.By))
		}
	}
	if n := r.claimed(); n > 0 {
		parts = append(parts, fmt.Sprintf("%s not signed: the name is only claimed.", sentenceCase(fmt.Sprintf("%s %s", count(n, "answer"), isAre(n)))))
	}
	return page.Text(strings.Join(parts, " "))
}

// claimed counts the answers that no signature proves.
func (r *Release) claimed() int {
	n := 0
	for _, a := range r.Approvals {
		if a.Answer != "refused" && !a.Signed {
			n++
		}
	}
	return n
}

func (r *Release) act() page.Words {
	switch {
	case r.Waits != nil:
		q := r.Waits
		words := page.Join(page.Text(sentenceCase(q.Names())+": look at decision "), page.Digest(q.Decision), page.Text(" below, then "),
			page.Code(fmt.Sprintf("starter approve %s --reason TEXT", r.Pipeline)), page.Text(" or "), page.Code("starter reject"))
		if !q.Until.IsZero() {
			words = page.Join(words, page.Textf(", until %s; then things stay as they are", day(q.Until)))
		}
		return page.Join(words, page.Text("."))
	case r.Standing == Watched:
		return page.Text("Nobody: the former champion scores along, and comes back by itself if labels prove it better.")
	case r.Standing == Running:
		return page.Text("Nobody. " + sentenceEnd(r.Next))
	}
	return page.Text("Nobody.")
}

// Names says who is asked.
func (q *Question) Names() string {
	who := list(q.Who, 4)
	switch {
	case who == "" && q.Role == "":
		who = "whoever may answer"
	case who == "":
		who = "whoever is " + q.Role
	case q.Role != "":
		who += ", as " + q.Role
	}
	if q.Need > 1 {
		who += fmt.Sprintf(" (%d must agree)", q.Need)
	}
	return who
}

func (r *Release) factList() []page.Fact {
	facts := []page.Fact{
		{Name: "Candidates", Value: page.Text(fmt.Sprint(len(r.Contest))), Note: "strategy " + r.Strategy},
		{Name: "Champion before", Value: page.Digest(r.Champion.Digest), Note: r.Champion.Note},
	}
	if w := r.winner(); w != nil {
		facts = append(facts, page.Fact{Name: "Champion after", Value: page.Digest(w.Model.Digest), Note: w.Model.Note})
	}
	if g := r.lastLook(); g != nil {
		o := g.Decision.Evidence.Outcome
		facts = append(facts, page.Fact{Name: "Looks", Value: page.Textf("%d of %d", len(o.Past), o.Looks), Note: "at labelled batches"},
			page.Fact{Name: "Alpha of the last look", Value: page.Text(chart.Number(o.Alpha.Success)), Note: "for each metric of success", How: alphaHow},
			page.Fact{Name: "Challengers this year", Value: page.Textf("%d of %d", o.Tried+1, o.Budget), Note: "tried up to this one, and the budget", How: alphaHow})
	}
	facts = append(facts, page.Fact{Name: "Begun", Value: page.Text(day(r.Begun)), Note: r.Begun.UTC().Format("15:04 UTC")})
	if !r.Ended.IsZero() {
		facts = append(facts, page.Fact{Name: "Ended", Value: page.Text(day(r.Ended)), Note: r.Ended.UTC().Format("15:04 UTC")})
	}
	return facts
}

const alphaHow = "The policy's alpha is what all challengers of a year may err by together. Each look of each challenger is granted a part of it before it is taken, so looking more often does not make a lucky model pass."

func (r *Release) lastLook() *Gate {
	for i := range slices.Backward(r.Gates) {
		if g := &r.Gates[i]; g.Decision.Evidence.Outcome != nil && g.Decision.Subject == gate.Advance {
			return g
		}
	}
	return nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 January 2006")
}

// sentenceEnd makes a sentence of what our papers write without capital and full stop.
func sentenceEnd(s string) string {
	if s == "" {
		return ""
	}
	return sentenceCase(strings.TrimSuffix(s, ".")) + "."
}

func (r *Release) stepBlocks() []page.Block {
	t := &page.Table{Caption: "Plan and course", Columns: page.Columns("Step", "#Share of the entities", "Entered", "#Entry", "Verdict", "Let in by")}
	for _, s := range r.Steps {
		row := page.Row{{Text: page.Code(s.Name)}, {Text: page.Text("–")}, {Text: page.Text("not yet")}, {Text: page.Text("–")}, {Text: page.Text("–")}, {Text: page.Text("nobody must")}}
		if s.Share > 0 {
			row[1].Text = page.Text(chart.Percent(float64(s.Share) / 10_000))
		}
		if s.Entry > 0 {
			row[2].Text, row[3].Text = page.Text(s.Entered.UTC().Format("2006-01-02 15:04:05")), page.Text(fmt.Sprint(s.Entry))
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
				lines = append(lines, g.lines(fmt.Sprintf("%s, look %d (%s): ", short(g.Decision.Evidence.Release.Model), len(o.Past), list(o.Batches, 3)))...)
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
		return chart.Number(a)
	}
	for _, g := range r.Gates {
		o := g.Decision.Evidence.Outcome
		if o == nil {
			continue
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(g.Entry))}, {Text: page.Digest(g.Decision.Evidence.Release.Model)}, {Text: page.Text(string(g.Decision.Subject))}, {Text: page.Text(list(o.Batches, 4))},
			{Text: page.Textf("%d of %d", len(o.Past), o.Looks)}, {Text: page.Text(chart.Count(o.Rows))}, {Text: page.Textf("%d of %d", o.Tried, o.Budget)},
			{Text: page.Text(granted(o.Alpha.Success))}, {Text: page.Text(granted(o.Alpha.Guard))}, {Text: page.Text(granted(o.Alpha.Slice))}})
	}
	return t
}

func (r *Release) gateBlocks() []page.Block {
	if len(r.Gates) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No gate has been asked yet.")}}
	}
	return gateBlocks(r.Gates)
}

func (r *Release) canaryBlocks() []page.Block {
	var blocks []page.Block
	t := &page.Table{Caption: "Batches and candidates", How: "95 % intervals over the compared rows of the batch. Flips are decisions that would be other ones at the pipeline's threshold.",
		Columns: page.Columns("Batch", "Step", "Candidate", "#Serves", "#Rows served", "#Shift of the mean score", "#Decisions that flip", "#Swapped in", "#Swapped out")}
	for _, c := range r.Canaries {
		for _, x := range c.Comparisons {
			t.Rows = append(t.Rows, x.canaryRow(&c))
			if x.Changes != nil && x.Share > 0 {
				blocks = append(blocks, &page.Details{Summary: fmt.Sprintf("%s: the swap set of %s, and where scores moved", c.Batch, short(x.Model.Digest)), Blocks: []page.Block{changes(x), migration(x)}})
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
		row[3].Text = page.Text(chart.Percent(float64(x.Share) / 10_000))
	}
	if v := x.Volume; v != nil {
		row[4].Text = page.Text(chart.Count(v.Rows))
	}
	if x.Changes == nil {
		row[5].Text = page.Text(x.Note)
		return row
	}
	s := x.Changes.Shift
	row[5].Text = page.Textf("%s %s", chart.Signed(s.Value), span(s))
	if d := x.Changes.Decisions; d != nil {
		row[6].Text, row[7].Text, row[8].Text = page.Text(share(d.Flips)), page.Text(chart.Count(d.SwapIn.Rows)), page.Text(chart.Count(d.SwapOut.Rows))
	}
	return row
}

func (r *Release) approvalBlocks() []page.Block {
	t := &page.Table{Caption: "Answers of people", Columns: page.Columns("#Entry", "When", "Who", "As", "Proof", "Answer", "Step", "Candidate", "Evidence looked at", "Reason"),
		How: "A signed answer carries a signature that fits the key which the pipeline file has for the person. Of a claimed one only the name is known."}
	for _, a := range r.Approvals {
		tone, reason := page.Good, a.Reason
		switch a.Answer {
		case "reject":
			tone = page.Bad
		case "refused":
			tone, reason = page.Warn, a.Refused
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(a.Entry))}, {Text: page.Text(a.At.UTC().Format("2006-01-02 15:04:05"))}, {Text: page.Text(a.By)}, {Text: page.Text(cmp.Or(a.Role, "–"))}, {Text: page.Text(a.proof())},
			{Text: page.Text(a.Answer), Tone: tone}, {Text: page.Text(a.Step)}, {Text: digest(a.Model.Digest)}, {Text: digest(a.Decision)}, {Text: page.Text(reason)}})
	}
	w := &page.Table{Caption: "Waivers that its decisions were given", Columns: page.Columns("#Entry", "Rule", "By", "Until", "Did it count", "Reason")}
	for _, v := range r.Waivers {
		cell := page.Cell{Text: page.Text("no")}
		if v.Used {
			cell = page.Cell{Text: page.Text("yes"), Tone: page.Warn}
		}
		w.Rows = append(w.Rows, page.Row{{Text: page.Text(fmt.Sprint(v.Entry))}, {Text: page.Code(v.Rule)}, {Text: page.Text(v.By)}, {Text: page.Text(day(v.Until))}, cell, {Text: page.Text(v.Reason)}})
	}
	var blocks []page.Block
	for _, t := range []*page.Table{t, w} {
		if len(t.Rows) > 0 {
			blocks = append(blocks, t)
		}
	}
	if len(blocks) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("Nobody has answered, nobody was refused, and no rule was waived.")}}
	}
	return blocks
}

func (r *Release) compensationBlocks() []page.Block {
	if len(r.Compensations) == 0 {
		return nil
	}
	t := &page.Table{Caption: "Batches published again from stored scores", Columns: page.Columns("Batch", "#Publication", "When", "All rows have the score of", "#Keys with another row", "#Entry", "Reason")}
	for _, c := range r.Compensations {
		changed := "–"
		if c.Changed != nil {
			changed = chart.Count(*c.Changed)
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(c.Batch)}, {Text: page.Text(fmt.Sprint(c.Publication))}, {Text: page.Text(c.At.UTC().Format("2006-01-02 15:04:05"))}, {Text: page.Digest(c.Model.Digest)}, {Text: page.Text(changed)}, {Text: page.Text(fmt.Sprint(c.Entry))}, {Text: page.Text(c.Reason)}})
	}
	return []page.Block{t}
}

func (r *Release) backBlocks() []page.Block {
	b := r.Back
	if b == nil {
		return []page.Block{&page.Paragraph{Text: page.Text("The champion is not of this release, so there is nothing to take back.")}}
	}
	if b.Blocked != "" {
		return []page.Block{&page.Callout{Tone: page.Warn, Title: "The former champion may not serve", Text: page.Join(page.Digest(b.Model.Digest), page.Textf(": %s. Name another version.", b.Blocked))}}
	}
	how := "Its stored scores are used where it scored along; what it has not scored is scored again."
	if b.Shadow {
		how = "It scores along in the shadow, so its scores of the latest batches are there, and nothing is scored again."
	}
	command := fmt.Sprintf("starter rollback %s --reason TEXT", r.Pipeline)
	if b.Batch != "" {
		command = fmt.Sprintf("starter rollback %s --to %s --batch %s --reason TEXT", r.Pipeline, strings.TrimPrefix(b.Model.Digest, "sha256:")[:16], b.Batch)
	}
	return []page.Block{&page.Paragraph{Text: page.Join(page.Digest(b.Model.Digest), page.Textf(" (%s) would come back. %s A step back needs no approval, and a hold does not stop it.", b.Model.Note, how))},
		&page.CodeBlock{Caption: "To take it back by hand, with its last batch", Text: command + "\n"}}
}

func (r *Release) lineageBlocks() []page.Block {
	blocks := []page.Block{lineage(r.Lineage), commands("Verify it yourself", []string{
		"# the chain of the registry, every decision, every answer, every published file",
		fmt.Sprintf("starter verify %s --anchor %s", r.Pipeline, r.Anchor),
		"# measure again what every decision rests on, from stored scores and labels",
		fmt.Sprintf("starter verify %s --evidence", r.Pipeline),
	})}
	if len(r.Notes) > 0 {
		blocks = append(blocks, &page.Callout{Title: "Not to be had any more", Text: page.Text(list(r.Notes, 5) + ".")})
	}
	return blocks
}

// eventTable lists entries of the registry.
func eventTable(caption string, events []Event) *page.Table {
	t := &page.Table{Caption: caption, Columns: page.Columns("#Entry", "When", "What", "By", "Where", "Model", "Verdict", "In words")}
	for _, e := range events {
		model := page.Text("")
		if e.Model != nil {
			model = page.Digest(e.Model.Digest)
		}
		where := strings.TrimSpace(e.Batch + " " + e.Step)
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(e.Entry))}, {Text: page.Text(e.At.UTC().Format("2006-01-02 15:04:05"))}, {Text: page.Text(e.Kind)}, {Text: page.Text(e.By)},
			{Text: page.Text(where)}, {Text: model}, {Text: page.Text(e.Verdict), Tone: eventTone(e.Verdict)}, {Text: page.Text(e.What)}})
	}
	return t
}

func eventTone(verdict string) page.Tone {
	switch verdict {
	case "pass", "approve", "resume":
		return page.Good
	case "block", "reject", "rollback":
		return page.Bad
	case "":
		return page.Plain
	}
	return page.Warn
}

// unknown is an interval of which only the value is known.
func unknown(v float64) chart.Interval {
	return chart.Interval{Low: math.NaN(), Value: v, High: math.NaN()}
}
