// Command coverage counts how often the intervals of package evaluate hold the truth:
// of many samples from worlds whose truth is known, 95 % intervals should in 95 of 100.
// ../README.md has what came out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"headgate/internal/evaluate"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("coverage", flag.ContinueOnError)
	flags.SetOutput(stderr)
	samples := flags.Int("samples", 2000, "samples of each world")
	replicates := flags.Int("replicates", 2000, "of each bootstrap")
	only := flags.String("world", "", "run the worlds whose names have this in them")
	metric := flags.String("metric", "", "ask only for metrics whose names have this in them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *samples < 1 {
		return errors.New("coverage takes no arguments, and at least 1 sample")
	}
	fmt.Fprintln(stderr, "| world | rows | metric | truth | covered | below | above | mean width | undefined |")
	fmt.Fprintln(stderr, "|---|---:|---|---:|---:|---:|---:|---:|---:|")
	var t table
	for _, w := range worlds() {
		w.questions = slices.DeleteFunc(w.questions, func(q question) bool { return !strings.Contains(q.name, *metric) })
		if strings.Contains(w.name, *only) {
			if err := w.run(*samples, *replicates, stderr, &t); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	t.print(stdout)
	return nil
}

// A table has the share of intervals that held the truth, by question and world.
type table struct {
	worlds, questions []string
	held              map[[2]string]float64
}

func (t *table) add(world, question string, held float64) {
	if !slices.Contains(t.worlds, world) {
		t.worlds = append(t.worlds, world)
	}
	if !slices.Contains(t.questions, question) {
		t.questions = append(t.questions, question)
	}
	if t.held == nil {
		t.held = map[[2]string]float64{}
	}
	t.held[[2]string{world, question}] = held
}

// print writes the table in Markdown. A question that a world does not ask is empty.
func (t *table) print(out io.Writer) {
	fmt.Fprintf(out, "| | %s |\n|---|%s\n", strings.Join(t.worlds, " | "), strings.Repeat("---:|", len(t.worlds)))
	for _, q := range t.questions {
		fmt.Fprintf(out, "| %s |", q)
		for _, w := range t.worlds {
			if held, ok := t.held[[2]string{w, q}]; ok {
				fmt.Fprintf(out, " %.1f |", 100*held)
			} else {
				fmt.Fprint(out, " |")
			}
		}
		fmt.Fprintln(out)
	}
}

// A question is a number that is estimated from a sample.
type question struct {
	name     string
	truth    float64
	estimate func(s *drawn, o *evaluate.Options) (evaluate.Estimate, error)
}

// A tally counts what became of the intervals of a question.
type tally struct{ held, below, above, undefined, width float64 }

// run prints how often the truth of each question is in its interval, and adds it to
// the table.
func (w *world) run(samples, replicates int, out io.Writer, to *table) error {
	answers := make([][]evaluate.Estimate, samples)
	failed := make([][]error, samples)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < samples; i = int(next.Add(1)) - 1 {
				s := w.sample(uint64(i))
				o := w.options
				o.Seed, o.Replicates = uint64(i), replicates
				for _, q := range w.questions {
					e, err := q.estimate(s, &o)
					answers[i], failed[i] = append(answers[i], e), append(failed[i], err)
				}
			}
		})
	}
	wg.Wait()
	for j, q := range w.questions {
		var t tally
		for i := range samples {
			err := failed[i][j]
			if err != nil && !errors.Is(err, evaluate.ErrUndefined) {
				return err
			}
			t.count(answers[i][j], q.truth, err == nil)
		}
		n := float64(samples) - t.undefined
		to.add(fmt.Sprintf("%s (%d)", w.name, w.rows), q.name, t.held/n)
		fmt.Fprintf(out, "| %s | %d | %s | %.4f | %.1f %% | %.1f %% | %.1f %% | %.4f | %.0f |\n",
			w.name, w.rows, q.name, q.truth, 100*t.held/n, 100*t.below/n, 100*t.above/n, t.width/n, t.undefined)
	}
	return nil
}

func (t *tally) count(e evaluate.Estimate, truth float64, defined bool) {
	switch {
	case !defined:
		t.undefined++
		return
	case e.High < truth:
		t.below++
	case e.Low > truth:
		t.above++
	default:
		t.held++
	}
	t.width += e.High - e.Low
}
