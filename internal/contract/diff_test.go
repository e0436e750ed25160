package contract_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"headgate/internal/contract"
)

// Each archive has two contracts and what changes between them.
func TestDiff(t *testing.T) {
	cases, err := filepath.Glob("testdata/diff/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil || len(ar.Files) != 3 {
				t.Fatalf("want two contracts and the changes: %v", err)
			}
			var both [2]*contract.Contract
			for i := range both {
				if both[i], err = contract.Parse(ar.Files[i].Name, ar.Files[i].Data); err != nil {
					t.Fatal(err)
				}
			}
			got := showChanges(contract.Diff(both[0], both[1]))
			if *update {
				ar.Files[2].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(ar.Files[2].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func showChanges(changes []contract.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s/%s: %s\n", c.Producer, c.Consumer, c.What)
	}
	fmt.Fprintf(&b, "needs %s\n", contract.NeedsBump(changes))
	return b.String()
}

func TestAContractIsItself(t *testing.T) {
	for _, c := range suiteCases(t) {
		data := c.file(t, "contract.yaml")
		a, err := contract.Parse("a", data)
		if err != nil {
			t.Fatal(err)
		}
		b, err := contract.Parse("b", data)
		if err != nil {
			t.Fatal(err)
		}
		if changes := contract.Diff(a, b); len(changes) > 0 {
			t.Errorf("%s: got\n%s", c.path, showChanges(changes))
		}
	}
}

// Any two columns can be compared, in both directions; if nothing changes in one,
// nothing does in the other.
func TestAnyTwoColumnsCanBeCompared(t *testing.T) {
	seen := map[string]bool{}
	var all []*contract.Contract
	for _, c := range suiteCases(t) {
		var doc struct {
			Schema []struct{ Properties []yaml.Node }
		}
		if err := yaml.Unmarshal(c.file(t, "contract.yaml"), &doc); err != nil {
			t.Fatal(err)
		}
		for _, node := range doc.Schema[0].Properties {
			one, text := columnAlone(t, &node)
			if one != nil && !seen[text] {
				seen[text] = true
				all = append(all, one)
			}
		}
	}
	if len(all) < 150 {
		t.Fatalf("%d columns", len(all))
	}
	for i, a := range all {
		for j, b := range all[:i+1] {
			there, back := contract.Diff(a, b), contract.Diff(b, a)
			if (len(there) == 0) != (len(back) == 0) || i == j && len(there) > 0 {
				t.Errorf("got\n%sand back\n%s", showChanges(there), showChanges(back))
			}
		}
	}
}

// columnAlone makes a contract of one column, named x, or nil if the column needs
// others.
func columnAlone(t *testing.T, column *yaml.Node) (*contract.Contract, string) {
	t.Helper()
	for i := 0; i < len(column.Content); i += 2 {
		if key := column.Content[i].Value; key == "name" || key == "physicalName" {
			column.Content[i+1].Value = "x"
		}
	}
	text, err := yaml.Marshal([]*yaml.Node{column})
	if err != nil {
		t.Fatal(err)
	}
	c, err := contract.Parse("x", []byte(head+"  properties:\n    "+strings.ReplaceAll(string(text), "\n", "\n    ")))
	if err != nil {
		return nil, ""
	}
	return c, string(text)
}

// A limit is called tighter exactly if it refuses a count that the other allows.
func TestLimitsAreComparedByTheCountsTheyAllow(t *testing.T) {
	var limits []string
	for _, op := range []string{"mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo"} {
		for _, n := range []string{"0", "1", "2.5", "3"} {
			limits = append(limits, op+": "+n)
		}
	}
	for _, pair := range []string{"[0, 1]", "[0, 2]", "[1, 4]", "[1.5, 3]"} {
		limits = append(limits, "mustBeBetween: "+pair, "mustNotBeBetween: "+pair)
	}
	for _, unit := range []string{"rows", "percent"} {
		for _, x := range limits {
			for _, y := range limits {
				rule := func(limit string) *contract.Contract {
					return parse(t, "", "{ name: x, quality: [{ metric: nullValues, severity: warning, unit: "+unit+", "+limit+" }] }")
				}
				a, b := rule(x), rule(y)
				tighter, looser := false, false
				for count := range int64(40) { // to 40 rows, or to 10 percent in steps of a quarter
					was, is := a.Rules[0].Limit.Allows(count, 400), b.Rules[0].Limit.Allows(count, 400)
					tighter, looser = tighter || was && !is, looser || !was && is
				}
				word := ""
				switch {
				case tighter && looser:
					word = "changes"
				case tighter:
					word = "is tightened"
				case looser:
					word = "is loosened"
				}
				changes := contract.Diff(a, b)
				if got := showChanges(changes); len(changes) != min(len(word), 1) || !strings.Contains(got, word) {
					t.Errorf("%s, from %s to %s: got\n%swant %q", unit, x, y, got, word)
				}
			}
		}
	}
}

func TestBumped(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want contract.Bump
		err  bool
	}{
		{a: "1.0.0", b: "1.0.0", want: contract.BumpNone},
		{a: "1.0.0", b: "1.0.1", want: contract.BumpPatch},
		{a: "1.9.9", b: "1.10.0", want: contract.BumpMinor},
		{a: "1.9", b: "v2", want: contract.BumpMajor},
		{a: "2.0.0", b: "1.9.9", want: contract.BumpNone},
		{a: "1.0.0-rc.1", b: "1.0.0", want: contract.BumpNone},
		{a: "1.0.0", b: "2024-11", want: contract.BumpMajor},
		{a: "1.0.0", b: "next", err: true},
		{a: "1.0.0.0", b: "1.0.0", err: true},
	} {
		got, err := contract.Bumped(tt.a, tt.b)
		if got != tt.want || (err != nil) != tt.err {
			t.Errorf("%s to %s: got %s, %v; want %s", tt.a, tt.b, got, err, tt.want)
		}
	}
}
