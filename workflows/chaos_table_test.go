package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headgate/activities"
	"headgate/internal/audit"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/worker"
)

// sameEnd is what a cell says when nothing tells the end from an undisturbed one.
const sameEnd = "same end"

// A scene is a workflow in a world, upon whose activities faults come.
type scene struct {
	name     string
	world    func(*testing.T) *world
	play     func(w *world) (answer string, err error)
	rows     []string // activities that faults come upon; nil: all
	without  []string // types of workflows whose activities do not count
	release  bool     // is carried out: a cancellation takes it back, and it is not started again
	prepared *world
}

// An end is what a scene leaves behind.
type end struct {
	Answer   string
	Keys     []string
	Happened []string
	Champion string
	Served   []string // files of the current publications, and whose scores they have
	Findings []audit.Finding
}

func (w *world) end(answer string) end {
	w.t.Helper()
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(context.Background())
	if err != nil {
		w.t.Error(err)
	}
	e := end{Answer: answer, Keys: timeless(w.keys("")), Happened: w.happened(), Champion: string(w.champion()), Findings: report.Findings}
	e.Served = w.currentFiles()
	for _, batch := range slices.Sorted(maps.Keys(w.registry().State().Batches)) {
		e.Served = append(e.Served, fmt.Sprint(batch, " by ", w.served(batch)))
	}
	return e
}

// differs says in what an end is not the one that is wanted, "" if in nothing. Ends of
// releases are compared without keys, which hold the moments of their decisions.
func (s *scene) differs(got, want end) string {
	switch {
	case len(got.Findings) > 0:
		return fmt.Sprintf("verify finds %v", got.Findings)
	case got.Champion != want.Champion || !slices.Equal(got.Served, want.Served):
		return fmt.Sprintf("%s serves %q, want %s and %q", got.Champion, got.Served, want.Champion, want.Served)
	case !slices.Equal(got.Happened, want.Happened):
		return fmt.Sprintf("entries %q, want %q", got.Happened, want.Happened)
	case s.release:
	case got.Answer != want.Answer:
		return fmt.Sprintf("answer %s, want %s", got.Answer, want.Answer)
	case len(got.Keys) != len(want.Keys) || len(minus(got.Keys, want.Keys)) > 0: // in another order is the same
		return fmt.Sprintf("keys more %q, less %q", minus(got.Keys, want.Keys), minus(want.Keys, got.Keys))
	}
	return ""
}

// minus returns what is in a more often than in b, in order.
func minus(a, b []string) []string {
	left := map[string]int{}
	for _, s := range b {
		left[s]++
	}
	var out []string
	for _, s := range a {
		if left[s]--; left[s] < 0 {
			out = append(out, s)
		}
	}
	return out
}

// cell brings a fault upon an activity and says in words how the scene ends. A word that
// is not allowed fails the test.
func (s *scene) cell(t *testing.T, target, fault string, before, want end) string {
	w, i, answer, err := s.strike(t, target, fault)
	if i.faults == 0 {
		t.Errorf("%s never began", target)
	}
	if i.differ != "" {
		t.Errorf("two answers: %s", i.differ)
	}
	got := w.end(answer)
	differs := s.differs(got, want)
	if fault != faultCancel {
		if err != nil || differs != "" {
			t.Errorf("%v %s", err, differs)
			return "OTHER"
		}
		return sameEnd
	}
	if err == nil && differs == "" {
		return "carried through: " + sameEnd
	}
	return s.cancelled(t, w, got, err, before, want)
}

// cancelled says what a cancellation left behind, and lets the scene play again.
func (s *scene) cancelled(t *testing.T, w *world, got end, err error, before, want end) string {
	if err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("ended with %v", err)
	}
	if len(got.Findings) > len(before.Findings) {
		t.Errorf("verify: %+v", got.Findings)
	}
	words := "stops, enters nothing"
	if added := minus(got.Happened, before.Happened); len(added) > 0 {
		words = "stops, enters " + strings.Join(slices.Compact(added), ", ")
	}
	if s.release {
		if err := w.championAlone(); err != nil {
			t.Error(err)
		}
		return words + "; champion alone"
	}
	answer, err := s.play(w)
	if err != nil {
		t.Error(err)
	}
	again := w.end(answer)
	if missing := minus(want.Happened, again.Happened); len(again.Findings) > 0 || len(missing) > 0 ||
		again.Champion != want.Champion || !slices.Equal(again.Served, want.Served) {
		t.Errorf("again: %+v\nwant %+v", again, want)
	}
	return words + "; again: " + sameEnd
}

// championAlone returns an error unless the champion serves every row.
func (w *world) championAlone() error {
	state := w.registry().State()
	var err error
	if state.Routing != "" {
		var routing release.Routing
		if err = run.LoadBlob(context.Background(), w.bucket, state.Routing, &routing); err == nil && len(routing.Arms) > 1 {
			err = fmt.Errorf("routing %+v", routing)
		}
	}
	for batch := range state.Batches {
		if models := w.served(batch); len(models) != 1 || models[0] != w.champion() {
			err = errors.Join(err, fmt.Errorf("%s has rows of %v", batch, models))
		}
	}
	return err
}

// table plays a scene under every fault, and returns its part of the document.
func (s *scene) table(t *testing.T) string {
	s.prepared = s.world(t)
	undisturbed, i, answer, err := s.strike(t, "", "")
	if err != nil {
		t.Fatal(err)
	}
	before, want := s.prepared.end(""), undisturbed.end(answer)
	if len(want.Findings) > 0 {
		t.Fatalf("undisturbed: %+v", want.Findings)
	}
	rows := s.rows
	if rows == nil {
		rows = i.seen
	}
	cells := make([][]string, len(rows))
	t.Run("faults", func(t *testing.T) {
		for n, row := range rows {
			cells[n] = make([]string, len(faults))
			for k, fault := range faults {
				t.Run(row+" "+fault, func(t *testing.T) {
					t.Parallel()
					cells[n][k] = s.cell(t, row, fault, before, want)
				})
			}
		}
	})
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n| activity | %s |\n|%s\n", s.name, strings.Join(faults, " | "), strings.Repeat("---|", 1+len(faults)))
	for n, row := range rows {
		fmt.Fprintf(&b, "| `%s` | %s |\n", row, strings.Join(cells[n], " | "))
	}
	return b.String()
}

// Every activity under every fault: registry and table end in a state that is allowed.
// What is said of killed workers comes from cmd/dev, whose end-to-end test holds it
// against a server.
func TestChaos(t *testing.T) {
	parts := []string{part(t, "chaos.md")}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) { parts = append(parts, s.table(t)) })
	}
	t.Run("rollback", func(t *testing.T) { parts = append(parts, rollbacks(t)) })
	if len(parts) != len(scenes)+2 {
		return // some were not asked for
	}
	const file = "../docs/chaos.md"
	got := strings.Join(append(parts, part(t, "killed.md")), "\n")
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/chaos.md is not what happens; look at the difference, then: go test -run TestChaos ./workflows -update")
	}
}

// An activity without a row in the chaos table has never been held against a fault.
func TestChaosTableHasEveryActivity(t *testing.T) {
	faulty, killed, found := strings.Cut(part(t, "../../docs/chaos.md"), "\n## A worker that is killed\n")
	act := reflect.TypeFor[*activities.Activities]()
	if act.NumMethod() == 0 || !found {
		t.Fatalf("%d activities, a table of killed workers: %t", act.NumMethod(), found)
	}
	for i := range act.NumMethod() {
		name := act.Method(i).Name
		if !strings.Contains(faulty, "\n| `"+name+"` | ") {
			t.Errorf("docs/chaos.md has no row of the activity %s: add it to a scene", name)
		}
		if !strings.Contains(killed, "`"+name+"`") {
			t.Errorf("no worker is killed in the activity %s: let a story of TestWorkerKilledInEveryActivity come to it", name)
		}
	}
}

// part is a part of the document that the table does not make.
func part(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
