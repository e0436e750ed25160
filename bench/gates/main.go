// Command gates counts how often the default policy of package gate errs: it judges
// thousands of releases whose challenger is known to be as good as the champion, worse
// or better, batch by batch until there is an answer. It prints Markdown. README.md
// has what came out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"headgate/internal/gate"
)

func main() {
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "gates:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	releases int
	pool     int
	shared   string
	world    string
	only     string
	seed     uint64
	parallel int
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("gates", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.releases, "releases", 2400, "of each challenger; 12 are a year")
	flags.IntVar(&s.pool, "pool", 200_000, "customers that those of a release are drawn from, at least 40,000")
	flags.StringVar(&s.shared, "shared", "", "directory with flights/2021-01.csv.gz; empty for no flights")
	flags.StringVar(&s.world, "world", "", "judge in the worlds whose names have this in them")
	flags.StringVar(&s.only, "challenger", "", "judge the challengers whose names have this in them, as + or equal")
	flags.Uint64Var(&s.seed, "seed", 1, "of everything random")
	flags.IntVar(&s.parallel, "parallel", runtime.GOMAXPROCS(0), "releases at a time")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case s.releases < 12 || s.parallel < 1:
		return s, errors.New("-releases is at least 12, a year, and -parallel at least 1")
	case s.pool < 40_000:
		return s, errors.New("-pool is at least 40000: releases are to differ")
	}
	return s, nil
}

func run(args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	worlds, err := s.worlds(stderr)
	if err != nil {
		return err
	}
	if len(worlds) == 0 {
		return fmt.Errorf("no world has %q in its name", s.world)
	}
	fmt.Fprintln(stdout, "| world | challenger | AUC | log loss | releases | promoted by batch 1 / 2 / 3 | blocked | asked | open | batches | years with a promotion |")
	fmt.Fprintln(stdout, "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, w := range worlds {
		for _, c := range w.challengers {
			if !strings.Contains(c.name, s.only) {
				continue
			}
			t, err := w.judge(c, s)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", w.name, c.name, err)
			}
			t.print(stdout, w, c)
		}
	}
	return nil
}

// worlds makes the worlds whose names were asked for.
func (s settings) worlds(stderr io.Writer) ([]*world, error) {
	var out []*world
	for _, rows := range []int{20_000, 5_000, 1_000} {
		if name := fmt.Sprintf("retailer, %d rows", rows); strings.Contains(name, s.world) {
			fmt.Fprintln(stderr, "making", name)
			w, err := retailerWorld(name, s.pool, rows, s.seed)
			if err != nil {
				return nil, err
			}
			out = append(out, w)
		}
	}
	if name := "flights, days"; s.shared != "" && strings.Contains(name, s.world) {
		fmt.Fprintln(stderr, "making", name)
		w, err := flightWorld(name, s.shared)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// A tally counts how releases ended.
type tally struct {
	releases, years, spoilt int
	promoted                []int // by each batch
	blocked, asked, open    int
	batches                 int
}

// perYear is how many challengers the default policy lets try in a year.
var perYear = gate.Default().Challengers

// judge judges releases of a challenger. Twelve in a row are a year.
func (w *world) judge(c *challenger, s settings) (*tally, error) {
	ends := make([]end, s.releases)
	errs := make([]error, s.releases)
	var wg sync.WaitGroup
	for first := range s.parallel {
		wg.Go(func() {
			for i := first; i < s.releases; i += s.parallel {
				ends[i], errs[i] = w.release(c, i, s.seed)
			}
		})
	}
	wg.Wait()
	t := &tally{releases: s.releases, promoted: make([]int, w.batches), years: s.releases / perYear}
	spoilt := map[int]bool{}
	for i, e := range ends {
		if errs[i] != nil {
			return nil, errs[i]
		}
		t.batches += e.batches
		switch e.verdict {
		case gate.Pass:
			for b := e.batches - 1; b < w.batches; b++ {
				t.promoted[b]++
			}
			spoilt[i/perYear] = true
		case gate.Block:
			t.blocked++
		case gate.Ask:
			t.asked++
		default:
			t.open++
		}
	}
	for year := range t.years {
		if spoilt[year] {
			t.spoilt++
		}
	}
	return t, nil
}

func (t *tally) print(out io.Writer, w *world, c *challenger) {
	share := func(n, of int) string { return fmt.Sprintf("%.3g %%", 100*float64(n)/float64(of)) }
	var promoted []string
	for _, n := range t.promoted {
		promoted = append(promoted, share(n, t.releases))
	}
	fmt.Fprintf(out, "| %s | %s | %+.4f | %+.2f %% | %d | %s | %s | %s | %s | %.2f | %s |\n", w.name, c.name, c.auc, 100*c.logLoss, t.releases,
		strings.Join(promoted, " / "), share(t.blocked, t.releases), share(t.asked, t.releases), share(t.open, t.releases),
		float64(t.batches)/float64(t.releases), share(t.spoilt, t.years))
}
