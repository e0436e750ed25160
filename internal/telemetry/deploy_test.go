package telemetry_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headgate/internal/metric"
)

const rules = "../../deploy/prometheus/alerts.yml"

// dashboards returns the files of the dashboards.
func dashboards(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../deploy/grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards (%v)", err)
	}
	return files
}

// A panel is what tests look at of a panel.
type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr string }
}

func panels(t *testing.T, file string) []panel {
	t.Helper()
	var board struct {
		UID    string
		Title  string
		Panels []panel
	}
	if err := json.Unmarshal([]byte(read(t, file)), &board); err != nil || board.UID == "" || board.Title == "" || len(board.Panels) == 0 {
		t.Fatalf("%s is no dashboard (%v)", file, err)
	}
	return board.Panels
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Dashboards and rules name metrics and labels of the list, and every state is shown.
func TestDashboardsAndRulesNameWhatThereIs(t *testing.T) {
	kinds := map[string]string{}
	for _, m := range metric.All() {
		kinds[m.Name] = m.Kind
	}
	suffix := regexp.MustCompile(`_(bucket|count|sum)$`)
	shown := map[string]bool{}
	for _, file := range append(dashboards(t), rules) {
		for _, name := range regexp.MustCompile(`\bheadgate_[a-z_]+`).FindAllString(read(t, file), -1) {
			if kinds[name] == "" && kinds[suffix.ReplaceAllString(name, "")] != metric.Histogram {
				t.Errorf("%s names %s, which is not in the list", file, name)
			}
			shown[suffix.ReplaceAllString(name, "")] = true
		}
	}
	for _, m := range metric.All() {
		if !shown[m.Name] && m.Name != metric.Publications.Name {
			t.Errorf("nothing shows %s", m.Name)
		}
	}
}

func TestPanelsLieSideBySide(t *testing.T) {
	for _, file := range dashboards(t) {
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range panels(t, file) {
			if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
				t.Errorf("%s: panel %d, %q: without a title or a query, or twice", file, p.ID, p.Title)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q lies on %q or beyond the edge", file, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// alerts are the names of the rules.
func alerts(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^ +- alert: (\S+)$`).FindAllStringSubmatch(read(t, rules), -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		t.Fatal("no rules")
	}
	return names
}

func TestEveryAlertSaysWhatToDo(t *testing.T) {
	text, book := read(t, rules), read(t, "../../docs/alerts.md")
	names := alerts(t)
	for _, name := range names {
		if !strings.Contains(book, "\n### "+name+"\n\n") || !strings.Contains(text, "runbook: docs/alerts.md#"+strings.ToLower(name)+"\n") {
			t.Errorf("%s has no section in docs/alerts.md, or does not name it", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(book, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("docs/alerts.md has %s, which is no alert", m[1])
		}
	}
}

// Each rule is shown to fire, and not to fire where it must not; promtool runs the cases.
func TestEveryAlertIsTestedBothWays(t *testing.T) {
	cases := read(t, "../../deploy/prometheus/alerts_test.yml")
	for _, name := range alerts(t) {
		quiet := regexp.MustCompile(`alertname: ` + name + `, exp_alerts: \[\]`)
		fires := regexp.MustCompile(`alertname: ` + name + `\n +exp_alerts:\n +- exp_labels`)
		if !quiet.MatchString(cases) || !fires.MatchString(cases) {
			t.Errorf("%s has no case in which it fires, or none in which it does not", name)
		}
	}
}
