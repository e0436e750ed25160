package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
	"headgate/internal/figure"
)

// sentence says how rows line up.
func (a alignedFile) sentence() string {
	text := fmt.Sprintf("%s: %s in common", a.Challenger, figure.Things(a.Common, "key"))
	for _, part := range []struct {
		keys compare.Unmatched
		what string
	}{
		{a.OnlyA, "only the champion has"},
		{a.OnlyB, "only the challenger has"},
		{a.TwiceA, "the champion has more than once"},
		{a.TwiceB, "the challenger has more than once"},
	} {
		if part.keys.Count > 0 {
			text += fmt.Sprintf("; %s %s (%s)", part.what, figure.Count(part.keys.Count), strings.Join(part.keys.Keys, ", "))
		}
	}
	return text
}

// print writes the answer as tables.
func (out *compared) print(w io.Writer) {
	fmt.Fprintf(w, "champion %s, %s compared", out.Champion, figure.Things(out.Result.Rows, "row"))
	if out.Result.Labels > 0 {
		fmt.Fprintf(w, ", %s with a label", figure.Count(out.Result.Labels))
	}
	fmt.Fprintln(w)
	for _, a := range out.Alignment {
		fmt.Fprintln(w, a.sentence())
	}
	for _, c := range out.Result.Challengers {
		fmt.Fprintf(w, "\n%s\n", c.Challenger)
		printComparison(w, &c)
	}
}

// printComparison writes what one challenger would change.
func printComparison(w io.Writer, c *compare.Comparison) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tvalue\t%s interval\n", level(c.PSI.Level))
	line := func(name string, e *evaluate.Estimate) {
		if e != nil {
			fmt.Fprintf(t, "%s\t%s\t%s\n", name, figure.Number(e.Value), figure.Interval(*e))
		}
	}
	line("PSI of the scores", &c.PSI)
	line("rank correlation", c.Spearman)
	line("mean change", &c.Shift)
	line("mean absolute change", &c.Distance)
	line("in another decile", &c.Migration.Moved)
	line("two deciles away or more", &c.Migration.Far)
	if d := c.Decisions; d != nil {
		line("decisions that flip", &d.Flips)
		line("champion selects", &d.Champion)
		line("challenger selects", &d.Challenger)
		line("only the challenger selects", &d.SwapIn.Share)
		line("  of these, label 1", d.SwapIn.Label)
		line("only the champion selects", &d.SwapOut.Share)
		line("  of these, label 1", d.SwapOut.Label)
	}
	if k := c.Cost; k != nil {
		line("change of cost, by labels", k.Observed)
		line("  if the champion is right", k.ByChampion)
		line("  if the challenger is right", k.ByChallenger)
	}
	for _, m := range c.Metrics {
		line("change of "+string(m.Metric), &m.Estimate)
	}
	t.Flush()
	absent(w, c.Missing)
	if len(c.Movers) > 0 {
		fmt.Fprintf(w, "biggest movers: %s\n", strings.Join(c.Movers, ", "))
	}
	printMigration(w, &c.Migration)
	printSlices(w, c.Slices)
}

// printMigration writes the matrix.
func printMigration(w io.Writer, m *compare.Migration) {
	fmt.Fprintln(w, "\ndeciles, the champion's down, the challenger's across:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i := range m.Counts {
		fmt.Fprintf(t, "\t%d", i+1)
	}
	fmt.Fprintln(t, "\t")
	for i, row := range m.Counts {
		fmt.Fprintf(t, "%d", i+1)
		for _, n := range row {
			fmt.Fprintf(t, "\t%s", figure.Count(n))
		}
		fmt.Fprintln(t, "\t")
	}
	t.Flush()
}

// printSlices writes slices. Their intervals hold for all at once.
func printSlices(w io.Writer, slices []compare.Slice) {
	if len(slices) == 0 {
		return
	}
	fmt.Fprintln(w, "\nslices (all intervals hold at once):")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "slice\trows\tPSI\tmean change\tdecisions that flip")
	for _, s := range slices {
		if s.Comparison == nil {
			fmt.Fprintf(t, "%s=%s\t%s\ttoo few to compare\t\t\n", s.Dimension, s.Value, figure.Count(s.Rows))
			continue
		}
		flips := "–"
		if s.Comparison.Decisions != nil {
			flips = figure.Estimate(&s.Comparison.Decisions.Flips)
		}
		fmt.Fprintf(t, "%s=%s\t%s\t%s\t%s\t%s\n", s.Dimension, s.Value, figure.Count(s.Rows), figure.Estimate(&s.Comparison.PSI), figure.Estimate(&s.Comparison.Shift), flips)
	}
	t.Flush()
}
