package report

import (
	"fmt"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/report/page"
)

// Page returns the batch as a page.
func (b *Batch) Page() *page.Page {
	p := &page.Page{Kind: "Batch report", Title: b.Pipeline + " " + b.Batch, Verdict: b.verdict(), Facts: b.factList()}
	p.Add("Scores", b.scoresLead(), b.scoreBlocks()...)
	p.Add("Drift", b.driftLead(), b.driftBlocks()...)
	p.Add("What came true", "", b.outcomeBlocks()...)
	p.Add("Contract and quarantine", b.contractLead(), b.contractBlocks()...)
	p.Add("Slices", "Groups of rows that the contract names: how many they are, what they are scored, and how well.", b.sliceBlocks()...)
	p.Add("Champion and challengers", "Models that scored the same rows, held against the champion without labels.", b.comparisonBlocks()...)
	p.Add("Gates", "Every decision that rests on this run, rule by rule.", gateBlocks(b.Gates)...)
	p.Add("Publications", "", b.publicationBlocks()...)
	p.Add("Lineage", "Whoever has these inputs can compute every score again.", b.lineageBlocks()...)
	p.End = []page.Words{page.Join(page.Text("Run "), page.Code(b.Run), page.Text(". Registry anchor "), page.Code(b.Anchor),
		page.Text(": keep it, and nobody can change the trail up to there unnoticed."))}
	return p
}

func (b *Batch) verdict() page.Verdict {
	v := page.Verdict{Happened: b.happened(), Trust: b.trust(), Act: b.act()}
	switch {
	case b.Verdict.Verdict == "block":
		v.Tone, v.Word = page.Bad, "Blocked"
	case b.Verdict.Verdict == "ask":
		v.Tone, v.Word = page.Warn, "Waits for an answer"
	case b.Published > 0 && b.concern():
		v.Tone, v.Word = page.Warn, "Published, with reservations"
	case b.Published > 0:
		v.Tone, v.Word = page.Good, "Published"
	case len(b.Publications) > 0:
		v.Tone, v.Word = page.Plain, "Superseded by another run"
	default:
		v.Tone, v.Word = page.Plain, "Passed, not published"
	}
	return v
}

// concern reports whether somebody should look although the batch passed.
func (b *Batch) concern() bool {
	drifted := b.Drift != nil && b.Drift.Level != "none"
	return drifted || b.fell() != "" || len(b.uncalibrated()) > 0
}

func (b *Batch) happened() page.Words {
	r := b.Rows
	if b.Verdict.Stage == "footers" && b.Verdict.Verdict == "block" {
		return page.Textf("The footers of the %s delivered already showed that the batch breaks its contract: %s. No row was read.", figure.Things(r.Delivered, "row"), list(b.Verdict.Reasons, 2))
	}
	s := fmt.Sprintf("%s delivered: %s scored, %s in quarantine", figure.Things(r.Delivered, "row"), figure.Count(r.Scored), figure.Count(r.Quarantined))
	if r.Corrected > 0 {
		s += fmt.Sprintf(", %s of them since corrected", figure.Count(r.Corrected))
	}
	switch {
	case b.Verdict.Verdict == "block":
		return page.Textf("%s. It was blocked: %s.", s, list(b.Verdict.Reasons, 2))
	case b.Verdict.Verdict == "ask":
		return page.Textf("%s. A person decides: %s.", s, list(b.Verdict.Asks, 2))
	case len(b.Served) > 1:
		s += fmt.Sprintf(". %d models served: %s", len(b.Served), servedText(b.Served))
	}
	return page.Text(s + ".")
}

// trust says what speaks for the scores and what against.
func (b *Batch) trust() page.Words {
	if b.Verdict.Verdict == "block" {
		return page.Text("Nothing of this run was published; whoever reads the table sees what was there before.")
	}
	var parts []string
	if broken := b.broken(); len(broken) == 0 {
		parts = append(parts, "The contract is kept.")
	} else {
		parts = append(parts, fmt.Sprintf("%s of the contract %s broken, within the budget.", figure.Things(len(broken), "rule"), isAre(len(broken))))
	}
	if d := b.Drift; d != nil {
		switch d.Level {
		case "none":
			parts = append(parts, "Nothing drifted.")
		case "inconclusive":
			parts = append(parts, "Whether it drifted nobody can say.")
		default:
			parts = append(parts, fmt.Sprintf("Drifted from %s: %s.", d.Reference, list(b.drifted(), 3)))
		}
	}
	parts = append(parts, b.outcomeTrust()...)
	return page.Text(strings.Join(parts, " "))
}

// outcomeTrust says what labels say, in a sentence or two.
func (b *Batch) outcomeTrust() []string {
	o := b.Outcome
	if o == nil {
		return []string{"Labels are not known yet."}
	}
	var parts []string
	if r := o.champion(); r != nil {
		for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.R2} {
			if e, ok := r.Get(m); ok {
				parts = append(parts, fmt.Sprintf("Labels give the champion's scores an %s of %s.", metricName(m), figure.Estimate(&e)))
			}
		}
	}
	if why := b.fell(); why != "" {
		parts = append(parts, why)
	}
	if off := b.uncalibrated(); len(off) > 0 {
		parts = append(parts, sentenceCase(list(off, 2))+".")
	}
	if o.Verdict != "pass" {
		parts = append(parts, "The labels are no evidence: "+list(o.Reasons, 2)+".")
	}
	return parts
}

// act says who must do what, with the command to paste.
func (b *Batch) act() page.Words {
	switch {
	case b.Verdict.Verdict == "ask":
		return page.Join(page.Text("Whoever may answer: "), page.Code(fmt.Sprintf("starter approve %s --batch %s --reason TEXT", b.Pipeline, b.Batch)), page.Text(", or "), page.Code("reject"), page.Text("."))
	case b.Verdict.Verdict == "block" && len(b.Publications) == 0:
		return page.Join(page.Text(owner(b.Owner)+": have the delivery repaired, then "), page.Code(fmt.Sprintf("starter score %s --batch %s", b.Pipeline, b.Batch)), page.Text("."))
	case b.Verdict.Verdict == "block":
		return page.Text("Nobody: another delivery of the batch is published.")
	case b.Published > 0 && b.Drift != nil && b.Drift.Level == "trigger":
		return page.Text(owner(b.Owner) + ": the drift has lasted. If the pipeline retrains by itself, a training follows as soon as labels allow; else look at the columns below.")
	case b.Published > 0 && b.concern():
		return page.Text(owner(b.Owner) + ": look at what is marked below. Nothing waits for an answer.")
	}
	return page.Text("Nobody.")
}

func owner(name string) string {
	if name == "" {
		return "The owner of the pipeline"
	}
	return "The owner, " + name
}

func (b *Batch) factList() []page.Fact {
	r := b.Rows
	facts := []page.Fact{{Name: "Rows delivered", Value: page.Text(figure.Count(r.Delivered)), Note: balance(r)}}
	if r.Scored > 0 || r.Quarantined > 0 {
		q := page.Fact{Name: "In quarantine", Value: page.Text(figure.Count(r.Quarantined)), Note: fmt.Sprintf("%s of the rows; %s may be", figure.Percent(float64(r.Quarantined)/float64(max(r.Delivered, 1))), figure.Count(r.Budget))}
		if r.Quarantined > 0 {
			q.Tone = page.Warn
		}
		facts = append(facts, q)
	}
	facts = append(facts, b.contractFact())
	if b.Drift != nil {
		facts = append(facts, b.driftFact())
	}
	facts = append(facts, b.outcomeFacts()...)
	facts = append(facts, page.Fact{Name: "Champion", Value: page.Digest(b.Champion.Digest), Note: b.Champion.Note})
	if n := len(b.Publications); n > 0 {
		last := b.Publications[n-1]
		facts = append(facts, page.Fact{Name: "Publication", Value: page.Text(fmt.Sprint(last.Number)), Note: fmt.Sprintf("table version %d, %s", last.TableVersion, last.At.UTC().Format("2 January 2006, 15:04 UTC"))})
	}
	return facts
}

// balance says that no row was lost.
func balance(r Rows) string {
	if r.Scored+r.Quarantined == 0 {
		return "no row was read"
	}
	s := fmt.Sprintf("= %s scored + %s in quarantine", figure.Count(r.Scored), figure.Count(r.Quarantined))
	if r.Fallback > 0 {
		s += fmt.Sprintf("; %s more have a fallback score", figure.Count(r.Fallback))
	}
	return s
}

func (b *Batch) contractFact() page.Fact {
	f := page.Fact{Name: "Contract", Value: page.Text("kept"), Tone: page.Good, Note: fmt.Sprintf("%s, %s", strings.TrimSpace(b.Contract.Name+" "+b.Contract.Version), figure.Things(len(b.Contract.Rules), "rule"))}
	if broken := b.broken(); len(broken) > 0 {
		f.Value, f.Tone = page.Text(figure.Things(len(broken), "rule")+" broken"), page.Warn
		if b.Verdict.Verdict == "block" {
			f.Tone = page.Bad
		}
	}
	return f
}

func (b *Batch) driftFact() page.Fact {
	d := b.Drift
	f := page.Fact{Name: "Drift", Value: page.Text(d.Level), Note: "against " + d.Reference}
	switch d.Level {
	case "none":
		f.Tone = page.Good
	case "warn", "trigger":
		f.Tone, f.Note = page.Warn, list(b.drifted(), 3)+"; against "+d.Reference
	}
	return f
}

func (b *Batch) outcomeFacts() []page.Fact {
	r := b.Outcome.champion()
	if r == nil {
		return nil
	}
	var facts []page.Fact
	for _, m := range []evaluate.Metric{evaluate.AUC, evaluate.InTheLarge, evaluate.R2, evaluate.RMSE} {
		if e, ok := r.Get(m); ok {
			facts = append(facts, page.Fact{Name: metricName(m), Value: page.Text(figure.Number(e.Value)), Note: figure.Interval(e) + fmt.Sprintf(", %s with labels", figure.Things(e.N, "row")), How: metricHow(m, e)})
		}
	}
	return facts
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func sentenceCase(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

func (b *Batch) publicationBlocks() []page.Block {
	if len(b.Publications) == 0 {
		return nil
	}
	t := &page.Table{Caption: "Publications of the batch, the first one first", Columns: page.Columns("#No.", "When", "By", "#Table version", "#Rows", "Run", "What")}
	for _, p := range b.Publications {
		n := "–"
		if p.Rows >= 0 {
			n = figure.Count(p.Rows)
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(p.Number))}, {Text: page.Text(p.At.UTC().Format("2006-01-02 15:04:05"))}, {Text: page.Text(p.By)}, {Text: page.Text(fmt.Sprint(p.TableVersion))},
			{Text: page.Text(n)}, {Text: digest(p.Run)}, {Text: page.Text(p.what())}})
	}
	return []page.Block{t}
}

func (p *Publication) what() string {
	var parts []string
	switch {
	case p.RestoredFrom > 0:
		parts = append(parts, fmt.Sprintf("publication %d put back", p.RestoredFrom))
	case p.Supersedes > 0:
		parts = append(parts, fmt.Sprintf("replaces publication %d", p.Supersedes))
	default:
		parts = append(parts, "first")
	}
	if p.Changed != "" {
		parts = append(parts, p.Changed+" keys with other rows")
	}
	if p.Backfill != "" {
		parts = append(parts, "backfill "+p.Backfill)
	}
	if p.Restated {
		parts = append(parts, "restated: no evidence")
	}
	if p.Reason != "" {
		parts = append(parts, p.Reason)
	}
	return strings.Join(parts, "; ")
}

func (b *Batch) lineageBlocks() []page.Block {
	t := &page.Table{Caption: "Entries of the registry about this run", Columns: page.Columns("#Entry", "When", "What", "By", "")}
	for _, e := range b.Entries {
		t.Rows = append(t.Rows, page.Cells(fmt.Sprint(e.Seq), e.At.UTC().Format("2006-01-02 15:04:05"), e.Kind, e.By, e.What))
	}
	blocks := []page.Block{lineage(b.Lineage), t, commands("Verify it yourself", []string{
		"# the chain of the registry, every decision, every published file",
		fmt.Sprintf("starter verify %s --anchor %s", b.Pipeline, b.Anchor),
		"# score the batch again from its input and compare every value",
		fmt.Sprintf("starter verify %s --batch %s", b.Pipeline, b.Batch),
		"# where one score came from",
		fmt.Sprintf("starter why %s %s KEY", b.Pipeline, b.Batch),
	})}
	if len(b.Notes) > 0 {
		blocks = append(blocks, &page.Callout{Title: "Not to be had any more", Text: page.Text(list(b.Notes, 5) + ".")})
	}
	return blocks
}
