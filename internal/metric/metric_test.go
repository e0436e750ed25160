package metric_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headgate/internal/metric"
)

var update = flag.Bool("update", false, "write the reference in docs/metrics.md")

// Names follow the conventions of Prometheus, labels are few, and each has a meaning.
func TestTheListKeepsTheConventions(t *testing.T) {
	seen := map[string]bool{}
	snake := regexp.MustCompile(`^headgate_[a-z]+(_[a-z]+)*$`)
	for _, m := range metric.All() {
		if seen[m.Name] || !snake.MatchString(m.Name) {
			t.Errorf("%s: twice in the list, or no name", m.Name)
		}
		seen[m.Name] = true
		if m.Kind == metric.Counter != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s: counters, and they alone, end in _total", m.Name)
		}
		if m.Unit == "seconds" != strings.HasSuffix(m.Name, "_seconds") {
			t.Errorf("%s: seconds, and they alone, end in _seconds", m.Name)
		}
		if m.Unit == "share" != strings.HasSuffix(m.Name, "_share") {
			t.Errorf("%s: shares, and they alone, end in _share", m.Name)
		}
		if !strings.HasSuffix(m.Help, ".") && !strings.HasSuffix(m.Help, "…") && !strings.HasSuffix(m.Help, "`") {
			t.Errorf("%s: the help is no sentence: %q", m.Name, m.Help)
		}
		for _, banned := range []string{"run", "run_id", "workflow_id", "batch", "model", "customer", "key"} {
			if slices.Contains(m.Labels, banned) {
				t.Errorf("%s: label %s has no bound", m.Name, banned)
			}
		}
	}
	if len(seen) == 0 {
		t.Error("the list is empty")
	}
}

func TestDocsHaveTheList(t *testing.T) {
	const file, begin, end = "../../docs/metrics.md", "<!-- generated: go test ./internal/metric -update -->\n", "<!-- end -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s lacks the marks of the reference", file)
	}
	want := "\n**Flows**, recorded where they happen: sum over workers.\n\n" + metric.Table(metric.Flows) +
		"\n**States**, folded from the registry by every worker: max over workers.\n\n" + metric.Table(metric.States) + "\n"
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the list says; run: go test ./internal/metric -update", file)
	}
	if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestASampleHasAsManyValuesAsLabels(t *testing.T) {
	s := metric.WaitingSince.At(17, "retailer", metric.QuestionBatch)
	if tags := s.Tags(s.Values...); tags["pipeline"] != "retailer" || tags["question"] != "batch" || s.Value != 17 {
		t.Errorf("got %+v", s)
	}
	defer func() {
		if recover() == nil {
			t.Error("a sample without its labels was taken")
		}
	}()
	metric.WaitingSince.At(17)
}
