package contract_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"headgate/internal/contract"
)

var update = flag.Bool("update", false, "write what the code does now into the golden files")

func TestParse(t *testing.T) {
	cases, err := filepath.Glob("testdata/parse/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			golden(t, path)
		})
	}
}

func TestRefusals(t *testing.T) {
	cases, err := filepath.Glob("testdata/refuse/*.txtar")
	if err != nil || len(cases) < 25 {
		t.Fatalf("%d cases, want at least 25 (%v)", len(cases), err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			if got := golden(t, path); !strings.HasPrefix(got, "contract.yaml:") {
				t.Errorf("the contract was not refused:\n%s", got)
			}
		})
	}
}

// golden parses the first file of an archive and compares with the second.
func golden(t *testing.T, path string) string {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil || len(ar.Files) != 2 {
		t.Fatalf("want an input and an output: %v", err)
	}
	got := show(contract.Parse(ar.Files[0].Name, ar.Files[0].Data))
	if *update {
		ar.Files[1].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(ar.Files[1].Data); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	return got
}

// show prints a contract, or why it was refused.
func show(c *contract.Contract, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "contract %s %q version %s (%s), table %s\n", c.ID, c.Name, c.Version, c.Status, c.Table)
	if c.Compat != "" {
		fmt.Fprintf(&b, "compat %s\n", c.Compat)
	}
	for _, col := range c.Columns {
		fmt.Fprintf(&b, "column %s", col.Name)
		if col.LogicalName != col.Name {
			fmt.Fprintf(&b, " (%s)", col.LogicalName)
		}
		fmt.Fprintf(&b, ": %s", col.Type)
		for _, word := range []string{col.Options.Format, col.Classification, col.PII} {
			if word != "" {
				fmt.Fprintf(&b, " %s", word)
			}
		}
		if col.Key > 0 {
			fmt.Fprintf(&b, " key=%d", col.Key)
		}
		if len(col.Roles) > 0 {
			fmt.Fprintf(&b, " %v", col.Roles)
		}
		if col.Available != "" {
			fmt.Fprintf(&b, " available=%s", col.Available)
		}
		b.WriteByte('\n')
	}
	for _, r := range c.Rules {
		effect := "judged"
		if r.Quarantine {
			effect = "quarantine"
		}
		fmt.Fprintf(&b, "rule %s %d:%d: %s %v must be %s, %s, %s\n", r.ID, r.Line, r.Col, r.Kind, r.Columns, r.Limit, r.Severity, effect)
	}
	for _, r := range c.Relationships {
		fmt.Fprintf(&b, "relationship %s: %v to %v of %s\n", r.Rule, r.Columns, r.To, r.Object)
	}
	for _, p := range c.Promises {
		fmt.Fprintf(&b, "promise %s %d:%d: %s of %s within %s\n", p.ID, p.Line, p.Col, p.Kind, p.Column, p.Period)
	}
	for _, h := range c.History {
		fmt.Fprintf(&b, "history %s %d:%d: %s of %q against %s %d/%d within [%g, %g], %s\n", h.ID, h.Line, h.Col, h.Metric, h.Column, h.Against, h.MinBatches, h.Last, h.Lower, h.Upper, h.Severity)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Drift)) {
		fmt.Fprintf(&b, "drift of %s: %+v\n", name, c.Drift[name])
	}
	if l := c.Labels; l != nil {
		fmt.Fprintf(&b, "labels: within %s, %s later, negative %v, marker %q\n", l.Window, l.Settlement, l.Negative, l.Marker)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(&b, "note %d:%d: %s\n", n.Line, n.Column, n.Text)
	}
	return b.String()
}
