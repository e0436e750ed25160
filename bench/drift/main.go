// Command drift measures how often package drift cries wolf and what it finds,
// beside simpler rules: on the simulated retailer, where the truth is known, on
// resamples of a real month of flights, and on shifts of known size. It prints
// Markdown. README.md one directory up says how to run it and what came out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "drift:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	seeds     int
	customers int
	repeats   int
	largest   int
	parallel  int
	shared    string
	month     string
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("drift", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.seeds, "seeds", 200, "seeds of the retailer, each as a steady world and as the story")
	flags.IntVar(&s.customers, "customers", 3_000, "customers of a month, at least 1,000")
	flags.IntVar(&s.repeats, "repeats", 200, "resamples and shifts of each size; a tenth of it for a million rows")
	flags.IntVar(&s.largest, "largest", 1_000_000, "rows of the largest resample")
	flags.IntVar(&s.parallel, "parallel", runtime.GOMAXPROCS(0), "seeds at a time")
	flags.StringVar(&s.shared, "shared", "", "directory with flights/2021-07.csv.gz; empty for no flights")
	flags.StringVar(&s.month, "month", "2021-07", "month of flights that is resampled")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case s.seeds < 1 || s.repeats < 1 || s.parallel < 1:
		return s, errors.New("-seeds, -repeats and -parallel are at least 1")
	case s.customers < 1_000:
		return s, errors.New("-customers is at least 1000: with fewer, nothing can be said")
	}
	return s, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	parts := []func(context.Context, settings, io.Writer) error{retail, shifts}
	if s.shared != "" {
		parts = append(parts, resamples)
	}
	for _, part := range parts {
		if err := part(ctx, s, stdout); err != nil {
			return err
		}
	}
	return nil
}
