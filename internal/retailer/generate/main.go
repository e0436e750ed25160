// Command generate writes months of the simulated retailer as Parquet files:
//
//	go run ./internal/retailer/generate -dir DIR [-from 2024-01] [-to 2024-04] [-customers 20000] [-fault bad-rows]
//
// Under DIR it makes features/MONTH/part-0000.parquet, …, labels/MONTH.parquet
// (revised, and without coupons) and, with -truth, truth/MONTH.parquet. Nothing
// in them is real.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"headgate/internal/retailer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	dir, from, to string
	truth         bool
	world         retailer.World
	options       retailer.Options
}

// run parses the flags and writes the months.
func run(ctx context.Context, args []string, progress io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar(&s.dir, "dir", "", "directory to write to")
	flags.StringVar(&s.from, "from", "2024-01", "first month")
	flags.StringVar(&s.to, "to", "", "last month (default: the first)")
	flags.IntVar(&s.world.Customers, "customers", 20_000, "rows a month")
	flags.Uint64Var(&s.world.Seed, "seed", 1, "seed of the world")
	flags.BoolVar(&s.world.Steady, "steady", false, "a world without the story")
	flags.IntVar(&s.options.Parts, "parts", 1, "files a month")
	flags.StringVar((*string)(&s.options.Fault), "fault", "", "bad-rows, missing-column or cents")
	flags.BoolVar(&s.truth, "truth", false, "also write the true probabilities")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.dir == "" {
		return fmt.Errorf("no -dir to write to")
	}
	if s.to == "" {
		s.to = s.from
	}
	return s.months(ctx, progress)
}

// months writes the months one after the other.
func (s *settings) months(ctx context.Context, progress io.Writer) error {
	from, err := time.Parse("2006-01", s.from)
	if err != nil {
		return err
	}
	to, err := time.Parse("2006-01", s.to)
	if err != nil {
		return err
	}
	for ; !from.After(to); from = from.AddDate(0, 1, 0) {
		month := from.Format("2006-01")
		if err := s.month(ctx, month); err != nil {
			return fmt.Errorf("month %s: %w", month, err)
		}
		fmt.Fprintf(progress, "simulated %s: %d customers\n", month, s.world.Customers)
	}
	return nil
}

// month writes one month.
func (s *settings) month(ctx context.Context, month string) error {
	_, err := s.world.WriteDir(ctx, filepath.Join(s.dir, "features", month), month, &s.options)
	if err != nil {
		return err
	}
	err = writeFile(filepath.Join(s.dir, "labels", month+".parquet"), func(to io.Writer) error {
		return s.world.WriteLabels(ctx, to, month, &retailer.LabelOptions{Revised: true})
	})
	if err != nil || !s.truth {
		return err
	}
	return writeFile(filepath.Join(s.dir, "truth", month+".parquet"), func(to io.Writer) error {
		return s.world.WriteTruth(ctx, to, month)
	})
}

// writeFile makes a file and its directory.
func writeFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
