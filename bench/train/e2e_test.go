//go:build e2e

package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testSettings are those of a run from this directory.
func testSettings(t *testing.T) settings {
	t.Helper()
	s := settings{dir: t.TempDir(), rows: 5000, rounds: 5, leaves: "7,15", threads: "1", seeds: 5,
		python: os.Getenv("HEADGATE_PYTHON"), shared: os.Getenv("HEADGATE_SHARED")}
	if s.python == "" {
		s.python = filepath.Join("..", "..", ".venv", "bin", "python")
	}
	if s.shared == "" {
		s.shared = filepath.Join("..", "..", "..", "shared", "data")
	}
	sources = "."
	return s
}

// allowed is how far the means over the seeds may be apart.
func (s *subject) allowed() float64 {
	if s.metric == "AUC" {
		return 0.003
	}
	return 0.01
}

func TestModelsAreAsGoodAsThoseOfLightGBM(t *testing.T) {
	s := testSettings(t)
	if err := s.prepare(t.Context(), os.Stderr); err != nil {
		t.Fatal(err)
	}
	for i := range subjects {
		sub := &subjects[i]
		t.Run(sub.name, func(t *testing.T) {
			outcomes, err := s.examine(t.Context(), sub, os.Stderr)
			if err != nil {
				t.Fatal(err)
			}
			m := summarize(outcomes)
			if math.Abs(m.apart) > sub.allowed() {
				t.Errorf("%s is %v, with LightGBM %v: %+.4f apart, allowed are %g", sub.metric, m.ours, m.theirs, m.apart, sub.allowed())
			}
			if m.loaded > 1e-12 {
				t.Errorf("LightGBM scores our model differently, by up to %g", m.loaded)
			}
		})
	}
}

func TestSpeedTableHasALineForEachTraining(t *testing.T) {
	var table bytes.Buffer
	if err := speed(t.Context(), testSettings(t), &table, os.Stderr); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"| 7 | 1 | ", "| 15 | 1 | "} {
		if !strings.Contains(table.String(), "\n"+line) {
			t.Errorf("no line %s in\n%s", line, table.String())
		}
	}
}
