package contract_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"headgate/internal/contract"
)

// A suiteColumn is as much of a column as the suite must cover.
type suiteColumn struct {
	Type    string         `yaml:"logicalType"`
	Options map[string]any `yaml:"logicalTypeOptions"`
	Quality []suiteRule    `yaml:"quality"`
}

type suiteRule struct {
	Metric string         `yaml:"metric"`
	Rest   map[string]any `yaml:",inline"`
}

// uses notes what a rule is an example of.
func (r suiteRule) uses(level string, used map[string]bool) {
	if parts, ok := r.Rest["implementation"].(map[string]any); ok {
		used[fmt.Sprintf("check %v", parts["check"])] = true
		used[fmt.Sprintf("history of %v", parts["metric"])] = true
	}
	if r.Metric == "" {
		return
	}
	unit := "rows"
	if r.Rest["unit"] == "percent" {
		unit = "percent"
	}
	severity, ok := r.Rest["severity"].(string)
	if !ok {
		severity = "error"
	}
	used[fmt.Sprintf("%s of a %s", r.Metric, level)] = true
	used["severity "+severity] = true
	for _, op := range contract.Operators {
		if _, ok := r.Rest[op]; ok {
			used[op+" in "+unit] = true
			if r.Metric == "rowCount" {
				used[op+" of rowCount"] = true
			}
		}
	}
}

// The suite has a case for every logical type and option, metric, operator and unit.
func TestSuiteCovers(t *testing.T) {
	used := map[string]bool{}
	for _, c := range suiteCases(t) {
		var doc struct {
			Schema []struct {
				Quality    []suiteRule   `yaml:"quality"`
				Properties []suiteColumn `yaml:"properties"`
			} `yaml:"schema"`
		}
		if err := yaml.Unmarshal(c.file(t, "contract.yaml"), &doc); err != nil {
			t.Fatal(err)
		}
		for _, r := range doc.Schema[0].Quality {
			r.uses("table", used)
		}
		for _, col := range doc.Schema[0].Properties {
			used["type "+col.Type] = true
			for key, value := range col.Options {
				used[fmt.Sprintf("%s of %s", key, col.Type)] = true
				if key == "format" {
					used[fmt.Sprintf("format %v", value)] = true
				}
			}
			for _, r := range col.Quality {
				r.uses("column", used)
			}
		}
	}
	for _, want := range mustCover() {
		if !used[want] {
			t.Errorf("no case for %s", want)
		}
	}
}

func mustCover() []string {
	want := []string{"severity error", "severity warning", "severity info"}
	for typ, keys := range contract.OptionKeys {
		want = append(want, "type "+string(typ))
		for _, key := range keys {
			want = append(want, fmt.Sprintf("%s of %s", key, typ))
		}
	}
	for _, op := range contract.Operators {
		want = append(want, op+" in rows", op+" in percent", op+" of rowCount")
	}
	for _, m := range contract.ColumnMetrics {
		want = append(want, m+" of a column")
	}
	for _, m := range contract.TableMetrics {
		want = append(want, m+" of a table")
	}
	for _, f := range slices.Concat(contract.StringFormats, contract.NumberFormats) {
		want = append(want, "format "+f)
	}
	for _, check := range contract.Checks {
		want = append(want, "check "+check)
	}
	for _, m := range contract.HistoryMetrics {
		want = append(want, "history of "+m)
	}
	slices.Sort(want)
	return want
}

// Every kind of rule is broken by some batch of the suite.
func TestSuiteBreaksEveryKindOfRule(t *testing.T) {
	kinds := map[contract.Kind]bool{} // broken?
	for _, c := range suiteCases(t) {
		con, err := contract.Parse(c.path, c.file(t, "contract.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(strings.NewReplacer(":", " ", "\n", " ").Replace(string(c.file(t, "want"))))
		for _, r := range con.Rules {
			kinds[r.Kind] = kinds[r.Kind] || slices.Contains(want, r.ID)
		}
	}
	for kind, broken := range kinds {
		if !broken {
			t.Errorf("no batch breaks %s", kind)
		}
	}
	if len(kinds) < 19 {
		t.Errorf("the suite has %d kinds of rules, want at least 19", len(kinds))
	}
}

// Every case is in the README, and the README names no other.
func TestSuiteReadme(t *testing.T) {
	text := string(readFile(t, filepath.Join(suite, "README.md")))
	names := map[string]bool{}
	for _, c := range suiteCases(t) {
		name := strings.TrimSuffix(filepath.Base(c.path), ".txtar")
		names["batches/"+name] = true
	}
	refused, err := filepath.Glob("testdata/refuse/*.txtar")
	if err != nil || len(refused) < 40 {
		t.Fatalf("%d contracts that are refused, want at least 40 (%v)", len(refused), err)
	}
	for _, path := range refused {
		names["refuse/"+strings.TrimSuffix(filepath.Base(path), ".txtar")] = false
	}
	said := map[string]bool{}
	for _, quoted := range regexp.MustCompile("`(?:batches|refuse)/[A-Za-z0-9_-]+`").FindAllString(text, -1) {
		said[strings.Trim(quoted, "`")] = true
	}
	for name := range maps.Keys(said) {
		if _, ok := names[name]; !ok {
			t.Errorf("the README names %s, which is not there", name)
		}
	}
	for name, must := range names {
		if must && !said[name] {
			t.Errorf("the README does not name %s", name)
		}
	}
}
