package report

import (
	"fmt"
	"slices"

	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

func (b *Batch) broken() []Rule {
	var out []Rule
	for _, r := range b.Contract.Rules {
		if r.Broken {
			out = append(out, r)
		}
	}
	return out
}

func (b *Batch) contractLead() string {
	broken := b.broken()
	if len(broken) == 0 {
		return fmt.Sprintf("All %s of the contract are kept; no row is in quarantine.", figure.Things(len(b.Contract.Rules), "rule"))
	}
	if b.unread() {
		return fmt.Sprintf("%s broken, as the footers of the files show. No row was read, so the other rules were not judged.", figure.Things(len(broken), "rule"))
	}
	return fmt.Sprintf("%s broken. %s of %s delivered are in quarantine; the budget is %s.", figure.Things(len(broken), "rule"), figure.Things(b.Rows.Quarantined, "row"), figure.Count(b.Rows.Delivered), figure.Count(b.Rows.Budget))
}

func (b *Batch) contractBlocks() []page.Block {
	var blocks []page.Block
	if broken := b.broken(); len(broken) > 0 {
		blocks = append(blocks, b.brokenTable(broken))
	}
	if a := b.Verdict.Answer; a != nil {
		tone, word := page.Good, "Approved"
		if !a.Approved {
			tone, word = page.Bad, "Rejected"
		}
		blocks = append(blocks, &page.Callout{Tone: tone, Title: word + " by " + a.By + " (claimed)", Text: page.Text(a.Reason)})
	}
	if said := slices.Concat(b.Verdict.Asks, b.Verdict.Notes); len(said) > 0 {
		blocks = append(blocks, points(said))
	}
	if b.Rows.Quarantined > 0 {
		blocks = append(blocks, commands("Look at the rows in quarantine, and correct them", []string{
			fmt.Sprintf("starter quarantine show %s --batch %s", b.Pipeline, b.Batch),
			fmt.Sprintf("starter quarantine replay %s --batch %s --data CORRECTED.parquet", b.Pipeline, b.Batch),
		}))
	}
	if k := b.Keys; k != nil {
		blocks = append(blocks, &page.FactList{Facts: keyFacts(k)})
	}
	word := "kept"
	if b.unread() {
		word = "not judged"
	}
	t := &page.Table{Caption: "Rules that are " + word, Columns: page.Columns("Rule", "Severity", "A row that breaks it", "What it says")}
	for _, r := range b.Contract.Rules {
		if !r.Broken {
			where := "is counted"
			if r.Quarantine {
				where = "goes to quarantine"
			}
			t.Rows = append(t.Rows, page.Row{{Text: page.Code(r.ID)}, {Text: page.Text(r.Severity)}, {Text: page.Text(where)}, {Text: page.Text(r.Message)}})
		}
	}
	if len(t.Rows) > 0 {
		blocks = append(blocks, &page.Details{Summary: figure.Things(len(t.Rows), "rule") + " " + word, Blocks: []page.Block{t}})
	}
	return blocks
}

func (b *Batch) brokenTable(broken []Rule) *page.Table {
	t := &page.Table{Caption: "Broken rules", Columns: page.Columns("Rule", "#Rows", "Share", "#Share", "Consequence", "What was found"),
		How: "Rows that break a rule, counted in the pass that scored. A row may break several rules, so their counts may add up to more than the quarantine."}
	largest := 0.0
	for _, r := range broken {
		largest = max(largest, float64(r.Rows))
	}
	for _, r := range broken {
		consequence, tone := "shown", page.Plain
		switch {
		case r.Quarantine:
			consequence, tone = "quarantine", page.Warn
		case r.Severity == "error":
			consequence, tone = "blocks", page.Bad
		case r.Severity == "warning":
			consequence, tone = "warning", page.Warn
		}
		share := float64(r.Rows) / float64(max(b.Rows.Delivered, 1))
		row := page.Row{{Text: page.Code(r.ID)}, {Text: page.Text("–")}, {}, {Text: page.Text("–")}, {Text: page.Text(consequence), Tone: tone}, {Text: page.Text(r.Message)}}
		if r.Rows > 0 {
			bar := chart.Bar(r.ID+": "+figure.Things(r.Rows, "row"), float64(r.Rows), largest, false)
			row[1].Text, row[2].Chart, row[3].Text = page.Text(figure.Count(r.Rows)), &bar, page.Text(figure.Percent(share))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// unread reports whether the batch was judged by its footers alone.
func (b *Batch) unread() bool { return b.Verdict.Stage == "footers" }

func keyFacts(k *Keys) []page.Fact {
	if k.Before == "" {
		return []page.Fact{{Name: "Entities scored", Value: page.Text(figure.Count(k.Scored)), Note: "the first batch: there is none to compare with"}}
	}
	facts := []page.Fact{
		{Name: "Entities scored", Value: page.Text(figure.Count(k.Scored)), Note: figure.Count(k.Expected) + " in " + k.Before},
		{Name: "New", Value: page.Text(figure.Count(k.New)), Note: "not in " + k.Before},
		{Name: "Vanished", Value: page.Text(figure.Count(k.Vanished)), Note: "in " + k.Before + ", and not delivered"},
	}
	if k.Unscored > 0 {
		facts = append(facts, page.Fact{Name: "Without a score", Value: page.Text(figure.Count(k.Unscored)), Tone: page.Warn, Note: "all their rows are in quarantine"})
	}
	return facts
}

func optional(x *float64, text func(float64) string) string {
	if x == nil {
		return "–"
	}
	return text(*x)
}
