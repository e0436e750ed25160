//go:build e2e

package telemetry_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool runs Prometheus's own checks, which Debian has in the package prometheus.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestTheRulesHold(t *testing.T) {
	promtool(t, "check", "config", "../../deploy/prometheus/prometheus.yml")
	promtool(t, "test", "rules", "../../deploy/prometheus/alerts_test.yml")
}

// Every query of a dashboard is one that Prometheus understands.
func TestTheQueriesOfDashboardsParse(t *testing.T) {
	var b strings.Builder
	b.WriteString("groups:\n- name: dashboards\n  rules:\n")
	queries := 0
	for _, file := range dashboards(t) {
		for _, p := range panels(t, file) {
			for _, target := range p.Targets {
				quoted, err := json.Marshal(strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "  - record: panel:%d\n    expr: %s\n", queries, quoted)
				queries++
			}
		}
	}
	if queries == 0 {
		t.Fatal("no queries")
	}
	file := filepath.Join(t.TempDir(), "dashboards.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// What a scrape answers is what Prometheus reads, and keeps its conventions.
func TestTheScrapeIsCleanForPrometheus(t *testing.T) {
	told, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, told)
	lint := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	lint.Stdin = strings.NewReader(scrape(told))
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
