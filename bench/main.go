// Command bench generates a batch of the simulated retailer, scores it as a worker
// does, and prints how many rows a second that is, stage by stage, and how much
// memory it took. README.md says how to run it and what came out.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
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
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	dir       string
	rows      int
	shardRows int64
	parallel  int
	peer      string // Python interpreter; empty for no comparison
	peerRows  int
	measure   bool // this process only scores, see [measure]
	profile   string
}

// month is the one that is generated and scored. It is a month without a story.
const month = "2024-01"

// shipped is where contract and champion are.
var shipped = filepath.Join("testdata", "retailer")

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.dir, "dir", filepath.Join(".headgate", "bench"), "directory of the batch; one that is there already is used again")
	flags.IntVar(&s.rows, "rows", 10_000_000, "rows of the batch")
	flags.Int64Var(&s.shardRows, "shard-rows", 500_000, "rows of a shard")
	flags.IntVar(&s.parallel, "parallel", 2, "shards at a time")
	flags.StringVar(&s.peer, "peer", defaultPeer(), "Python with lightgbm and pyarrow to compare with; empty for none")
	flags.IntVar(&s.peerRows, "peer-rows", 1_000_000, "rows that the peer scores")
	flags.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile of the scoring to this file")
	flags.BoolVar(&s.measure, "measure", false, "score an existing batch and print JSON (what bench calls itself for)")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case s.rows < 1 || s.shardRows < 1 || s.parallel < 1 || s.peerRows < 1:
		return s, errors.New("-rows, -shard-rows, -parallel and -peer-rows are at least 1")
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

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if _, err := os.Stat(shipped); err != nil {
		return fmt.Errorf("%w; run bench from the project's directory", err)
	}
	if s.measure {
		r, err := measure(ctx, s)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(r)
	}
	if err := generate(ctx, s, stderr); err != nil {
		return err
	}
	r, err := measureApart(ctx, args, stderr)
	if err != nil {
		return err
	}
	r.print(stdout)
	if s.peer == "" {
		fmt.Fprintln(stderr, "no peer: .ci/peers installs one")
		return nil
	}
	return compare(ctx, s, r, stdout, stderr)
}

// measureApart measures in a process of its own, whose peak of memory is that of
// scoring alone.
func measureApart(ctx context.Context, args []string, stderr io.Writer) (*report, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append(args, "-measure")...)
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the scoring process: %w", err)
	}
	r := new(report)
	return r, json.Unmarshal(out, r)
}
