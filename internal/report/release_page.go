package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/figure"
	"headgate/internal/gate"
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
		if c.Won {
			return &r.Contest[i]
		}
	}
	return nil
}

func (r *Release) happened() page.Words {
	begin := page.Textf("%s asked to replace ", sentenceCase(figure.Things(len(r.Contest), "candidate")))
	begin = page.Join(begin, page.Digest(r.Champion.Digest), page.Text(". "))
	switch w := r.winner(); {
	case w != nil && r.Standing == RolledBack:
		return page.Join(begin, page.Digest(w.Model.Digest), page.Textf(" became the champion and had to go: %s.", r.lostWhy()))
	case w != nil:
		return page.Join(begin, page.Digest(w.Model.Digest), page.Textf(" passed every step and became the champion on %s.", day(r.entered("100%"))))
	case r.Standing == Rejected:
		return page.Join(begin, page.Textf("It was rejected: %s.", r.lostWhy()))
	case r.Standing == Waiting && r.Waits != nil:
		return page.Join(begin, page.Textf("Whether %s enters the step %s, a person decides.", figure.Short(r.Waits.Model.Digest), r.Waits.Step))
	}
	if last := r.lastStep(); last != "" {
		begin = page.Join(begin, page.Textf("It is in the step %s. ", last))
	}
	if r.Next != "" {
		begin = page.Join(begin, page.Textf("It waits for %s.", strings.TrimSuffix(r.Next, ".")))
	}
	return begin
}

// lostWhy is why the last model of the release that had to go may not serve.
func (r *Release) lostWhy() string {
	for _, e := range slices.Backward(r.Events) {
		if e.Kind == "rejected" && e.What != "" {
			return strings.TrimSuffix(e.What, ".")
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
	if g := r.lastLook(); g != nil {
		o := g.Decision.Evidence.Outcome
		word := map[gate.Verdict]string{gate.Pass: "speak for it", gate.Block: "speak against it"}[g.Decision.Verdict]
		parts = append(parts, fmt.Sprintf("%s of %s, all later than what was learned from, %s.", sentenceCase(figure.Things(o.Rows, "row")+" with labels"), list(o.Batches, 4), cmp.Or(word, "do not settle it yet")))
		if o.Alpha.Success > 0 {
			parts = append(parts, fmt.Sprintf("A model that is not better gets through such a look with probability %s at most for each metric.", figure.Number(o.Alpha.Success)))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "No labels of later batches have judged it yet.")
	}
	for _, g := range r.Gates {
		if g.Decision.Subject == gate.Canary && g.Decision.Verdict == gate.Block {
			parts = append(parts, fmt.Sprintf("In the step %s the gate stopped it on %s: %s.", g.Step, g.Decision.Evidence.Release.Batch, g.decided()))
		}
	}
	for _, w := range r.Waivers {
		if w.Used {
			parts = append(parts, fmt.Sprintf("The rule %s was waived by %s.", w.Rule, w.By))
		}
	}
	if n := r.claimed(); n > 0 {
		parts = append(parts, fmt.Sprintf("%s not signed: the name is only claimed.", sentenceCase(fmt.Sprintf("%s %s", figure.Things(n, "answer"), isAre(n)))))
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
			page.Code(fmt.Sprintf("starter approve %s --release --reason TEXT", r.Pipeline)), page.Text(" or "), page.Code("starter reject"))
		if !q.Until.IsZero() {
			words = page.Join(words, page.Textf(", until %s; then things stay as they are", day(q.Until)))
		}
		return page.Join(words, page.Text("."))
	case r.Standing == Watched:
		return page.Text("Nobody: the former champion scores along, and comes back by itself if labels prove it better.")
	case r.Standing == Running:
		return page.Text("Nobody: it goes on by itself when labels are there.")
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
			page.Fact{Name: "Alpha of the last look", Value: page.Text(figure.Number(o.Alpha.Success)), Note: "for each metric of success", How: alphaHow},
			page.Fact{Name: "Challengers this year", Value: page.Textf("%d of %d", o.Tried+1, o.Budget), Note: "tried up to this one, and the budget", How: alphaHow})
	}
	facts = append(facts, page.Fact{Name: "Begun", Value: page.Text(day(r.Begun)), Note: r.Begun.UTC().Format("15:04 UTC")})
	if !r.Ended.IsZero() {
		facts = append(facts, page.Fact{Name: "Ended", Value: page.Text(day(r.Ended)), Note: r.Ended.UTC().Format("15:04 UTC")})
	}
	return facts
}

const alphaHow = "The policy's alpha is what all challengers of a year may err by together. Each look of each challenger is granted a part of it before it is taken, so looking more often does not make a lucky model pass."

// lastLook is the last look at labels of the candidate that won, or else of any.
func (r *Release) lastLook() *Gate {
	var last *Gate
	w := r.winner()
	for i := range r.Gates {
		g := &r.Gates[i]
		if g.Decision.Evidence.Outcome == nil || g.Decision.Subject != gate.Advance {
			continue
		}
		if w == nil || g.Model == w.Model || last == nil {
			last = g
		}
	}
	return last
}

func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 January 2006")
}

// stamp writes a moment for a narrow column, without a place to break the line.
func stamp(t time.Time) string {
	return strings.ReplaceAll(t.UTC().Format("2 Jan 2006 15:04:05"), " ", "\u00a0")
}

// sentenceEnd makes a sentence of what our papers write without capital and full stop.
func sentenceEnd(s string) string {
	if s == "" {
		return ""
	}
	return sentenceCase(strings.TrimSuffix(s, ".")) + "."
}

func (r *Release) gateBlocks() []page.Block {
	if len(r.Gates) == 0 {
		return []page.Block{&page.Paragraph{Text: page.Text("No gate has been asked yet.")}}
	}
	return gateBlocks(r.Gates)
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
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(a.Entry))}, {Text: page.Text(stamp(a.At))}, {Text: page.Text(a.By)}, {Text: page.Text(cmp.Or(a.Role, "–"))}, {Text: page.Text(a.proof())},
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
			changed = figure.Count(*c.Changed)
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(c.Batch)}, {Text: page.Text(fmt.Sprint(c.Publication))}, {Text: page.Text(stamp(c.At))}, {Text: page.Digest(c.Model.Digest)}, {Text: page.Text(changed)}, {Text: page.Text(fmt.Sprint(c.Entry))}, {Text: page.Text(c.Reason)}})
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
