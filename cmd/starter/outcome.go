package main

import (
	"fmt"
	"io"
	"strings"

	"headgate/internal/figure"
	papers "headgate/internal/run"
	"headgate/workflows"
)

// maxColumns is how many drifted columns are named in a line.
const maxColumns = 8

// printOutcome prints what came of a published batch.
func printOutcome(e *env, pipeline, batch string, out workflows.ScoreBatchOutput) {
	how := fmt.Sprintf("published as publication %d, table version %d", out.Publication, out.TableVersion)
	if out.Unchanged {
		how = fmt.Sprintf("same bytes as publication %d: no new commit", out.Publication)
	}
	replaced := ""
	if out.Replaced > 0 {
		replaced = fmt.Sprintf(" (%s of them corrected and published)", figure.Count(out.Replaced))
	}
	fmt.Fprintf(e.stdout, "%s %s: %s in = %s published + %s quarantined%s; %s\n",
		pipeline, batch, figure.Things(out.Rows, "row"), figure.Count(out.Published-out.Fallback), figure.Count(out.Quarantined), replaced, how)
	if out.Fallback > 0 {
		fmt.Fprintf(e.stdout, "fallback  %s more, with a score that is not the model's of this batch\n", figure.Things(out.Fallback, "row"))
	}
	printWorld(e.stdout, out)
	fmt.Fprintf(e.stdout, "run %s\nregistry %s\n", out.Run, out.Anchor)
}

// printWorld prints how a batch compares with others, and what was said about it.
func printWorld(w io.Writer, out workflows.ScoreBatchOutput) {
	if k := out.Keys; k != nil {
		fmt.Fprintf(w, "keys      %s\n", keysText(k))
	}
	if d := out.Drift; d != nil {
		fmt.Fprintf(w, "drift     %s\n", driftText(d))
	}
	if out.Answered != "" {
		fmt.Fprintf(w, "answered  %s\n", out.Answered)
	}
	for _, text := range out.Skipped {
		fmt.Fprintf(w, "left out  %s\n", text)
	}
	for _, text := range out.Warnings {
		fmt.Fprintf(w, "warning   %s\n", text)
	}
	for _, text := range out.Notes {
		fmt.Fprintf(w, "note      %s\n", text)
	}
}

// keysText says how the entity keys of a batch compare with those of the one before.
func keysText(k *papers.Keys) string {
	text := fmt.Sprintf("%s delivered, %s without a score", figure.Count(k.Delivered), figure.Count(k.Unscored))
	if k.Before != "" {
		text += fmt.Sprintf("; since %s, which scored %s: %s new, %s gone", k.Before, figure.Count(k.Expected), figure.Count(k.New), figure.Count(k.Vanished))
	}
	return text
}

// driftText says how far a batch is from its reference.
func driftText(d *papers.Drift) string {
	text := fmt.Sprintf("%s, against %s", d.Level, d.Reference)
	if len(d.Columns) > 0 {
		text += ": " + listed(d.Columns)
	}
	if len(d.Causes) > 0 {
		text += "; carried by " + listed(d.Causes)
	}
	return text
}

// listed names the first few columns.
func listed(names []string) string {
	text := strings.Join(names[:min(maxColumns, len(names))], ", ")
	if more := len(names) - maxColumns; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
