// Command train trains the same models with Headgate's own trainer and with
// LightGBM, on the same rows with the same parameters, and prints Markdown: how long
// each took and in how much memory, or with -quality how good the models are.
// README.md says what came out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench/train:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	dir     string
	rows    int
	rounds  int
	leaves  string
	threads string
	python  string
	quality bool
	seeds   int
	only    string
	shared  string
	profile string
	job     string // this process only trains, see [train]
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench/train", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.dir, "dir", filepath.Join(".headgate", "bench-train"), "directory of the data; what is there already is used again")
	flags.IntVar(&s.rows, "rows", 1_000_000, "rows to train on, of 28 features")
	flags.IntVar(&s.rounds, "rounds", 100, "boosting rounds")
	flags.StringVar(&s.leaves, "leaves", "31,255", "leaves of a tree")
	flags.StringVar(&s.threads, "threads", "1,2", "threads")
	flags.StringVar(&s.python, "peer", defaultPeer(), "Python with lightgbm, scikit-learn and pyarrow to compare with")
	flags.BoolVar(&s.quality, "quality", false, "compare how good the models are, on real data and over several seeds")
	flags.IntVar(&s.seeds, "seeds", 5, "seeds, with -quality")
	flags.StringVar(&s.only, "only", "", "with -quality, only subjects whose name begins so")
	flags.StringVar(&s.shared, "shared", defaultShared(), "where the flights are, with -quality")
	flags.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile of the last training to this file")
	flags.StringVar(&s.job, "job", "", "train what this JSON says and print JSON (what the command calls itself for)")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case s.rows < 100 || s.rounds < 1 || s.seeds < 1:
		return s, errors.New("-rows is at least 100, -rounds and -seeds 1")
	case s.python == "" && s.job == "":
		return s, errors.New("there is no Python to compare with: .ci/peers installs one")
	}
	return s, nil
}

// defaultPeer is the interpreter that .ci/peers makes, if it is there.
func defaultPeer() string {
	if python := os.Getenv("HEADGATE_PYTHON"); python != "" {
		return python
	}
	python := filepath.Join(".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return ""
	}
	return python
}

// defaultShared is where data is that may not be shipped.
func defaultShared() string {
	if dir := os.Getenv("HEADGATE_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared", "data")
}

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	switch {
	case s.job != "":
		return runJob(ctx, s, stdout)
	case s.quality:
		return quality(ctx, s, stdout, stderr)
	}
	return speed(ctx, s, stdout, stderr)
}
