package main

import (
	"fmt"
	"io"
	"strings"

	"headgate/internal/drift"
)

// A rule is a way to call a column drifted.
type rule int

// The rules, from the simplest to ours.
const (
	plain     rule = iota // p < 0.05: Kolmogorov and Smirnov for numbers, χ² for the rest
	corrected             // significant after Benjamini and Hochberg at 1 %
	fixed                 // PSI of 0.1 or more
	combined              // both, and never on fewer than 1,000 rows
	rules
)

var ruleNames = [rules]string{"p < 0.05", "significant", "PSI ≥ 0.1", "combined"}

// holds reports whether the rule calls a column drifted. measured is from a report
// without a minimum of rows, judged from one with the defaults.
func (r rule) holds(measured, judged drift.Column) bool {
	switch {
	case measured.P == nil:
		return false
	case r == plain && measured.KS != nil:
		return measured.KS.P < 0.05
	case r == plain && measured.ChiSquare != nil:
		return measured.ChiSquare.P < 0.05
	case r == corrected:
		return measured.Significant
	case r == fixed:
		return measured.PSI.Value >= drift.DefaultModerate
	case r == combined:
		return judged.Level == drift.Warn
	}
	return false
}

// A tally counts alarms of each rule.
type tally struct {
	columns, batches int
	column, batch    [rules]int
	unknown          int // batches of which the combined rule says that it cannot tell
	names            [rules]map[string]int
	effects          map[string]float64 // of each column, summed over the batches
}

// add counts a batch.
func (t *tally) add(measured, judged *drift.Report) {
	t.batches++
	t.columns += len(measured.Columns)
	if judged.Level == drift.Inconclusive {
		t.unknown++
	}
	for r := range rules {
		any := false
		for i, c := range measured.Columns {
			if r.holds(c, judged.Columns[i]) {
				any = true
				t.column[r]++
				t.names[r] = plus(t.names[r], c.Name, 1)
			}
		}
		if any {
			t.batch[r]++
		}
	}
	for _, c := range measured.Columns {
		t.effects = plus(t.effects, c.Name, c.Effect)
	}
}

// plus adds to a sum by name.
func plus[N int | float64](sums map[string]N, name string, n N) map[string]N {
	if sums == nil {
		sums = map[string]N{}
	}
	sums[name] += n
	return sums
}

// merge adds what o has counted.
func (t *tally) merge(o *tally) {
	t.columns, t.batches, t.unknown = t.columns+o.columns, t.batches+o.batches, t.unknown+o.unknown
	for r := range rules {
		t.column[r] += o.column[r]
		t.batch[r] += o.batch[r]
		for name, n := range o.names[r] {
			t.names[r] = plus(t.names[r], name, n)
		}
	}
	for name, effect := range o.effects {
		t.effects = plus(t.effects, name, effect)
	}
}

// share writes n of total.
func share(n, total int) string {
	switch {
	case total == 0:
		return "–"
	case n == 0:
		return "0"
	case n == total:
		return "100 %"
	}
	return fmt.Sprintf("%.3g %%", 100*float64(n)/float64(total))
}

// shares writes what each rule has counted, of total.
func shares(counts [rules]int, total int) []string {
	var out []string
	for _, n := range counts {
		out = append(out, share(n, total))
	}
	return out
}

// A table is written as Markdown. Columns after the first are numbers.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

func (t *table) write(out io.Writer) error {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	b.WriteString("|---|" + strings.Repeat("---:|", len(t.head)-1) + "\n")
	for _, row := range t.rows {
		line(row)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(out, b.String())
	return err
}
