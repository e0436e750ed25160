package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/bundle"
	"headgate/internal/registration"
	"headgate/internal/store"
)

func newRegisterCommand(e *env) *cobra.Command {
	var r registration.Request
	var url string
	var reference []string
	c := &cobra.Command{
		Use:   "register PIPELINE.yaml [--model FILE]",
		Short: "Put a pipeline, its contract and a model version into the registry",
		Long: `register stores the pipeline file and its contract by digest and makes them the ones
in force. With --model it stores a model version too: the model, its inputs, and golden
rows whose scores must come out the same before the version is ever used.

Golden rows come best from where the model was trained: --golden has the feature
columns, --expected has raw_0…, pred_0… as the training library computed them. With
--sample instead, the first rows of a Parquet file are scored now and remembered.

--reference freezes with the version what the data looked like: the profile of one or more
batches, usually those that the model was trained on. Every later batch is compared with
it, to tell whether the data have drifted. Name the batch of each file, as in
2023-01=FILE, and January is compared with January: a season is no drift. The profiles
have counts, quantiles and frequent values, and no row; no values of classified columns.

--champion makes the version the one that scores, if there is none yet.

Files that differ from those in force need --reason, and the difference is kept. If the
pipeline file in force names people under release.approve, the files are a proposal, and
come into force when another of them says so: starter approve PIPELINE --proposal N.`,
		Example: `  starter register pipeline.yaml
  starter register pipeline.yaml --model champion.txt --golden golden.csv --expected golden_expected.csv --champion
  starter register pipeline.yaml --model champion.txt --sample 2023-12.parquet --reference 2023-11=2023-11.parquet --reference 2023-12=2023-12.parquet
  starter register pipeline.yaml --model candidate.txt --sample 2024-01.parquet --reason "trained on 2023"`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			r.Pipeline, r.Reference = args[0], references(reference)
			if err := checkRegister(r); err != nil {
				return usageError{err}
			}
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			return register(c.Context(), e, b, r)
		},
	}
	storeFlag(c, &url)
	c.Flags().StringArrayVar(&reference, "reference", nil, "Parquet `file` that later batches are compared with, best as BATCH=FILE; may be repeated")
	registerFlags(e, c, &r)
	return c
}

// register carries a request out, and says what was done.
func register(ctx context.Context, e *env, b *store.Bucket, r registration.Request) error {
	r.At = time.Now().UTC().Truncate(time.Millisecond)
	meter := newMeter(e.stderr, "profiled")
	r.Progress = func(rows int64) { meter.add(int(rows) - meter.rows) }
	out, err := r.Do(ctx, b, formats)
	meter.end()
	var taken *registration.ChampionError
	switch {
	case errors.As(err, &taken):
		return fmt.Errorf("%w; without --champion the version is registered and does not score", err)
	case errors.Is(err, registration.ErrReason):
		return usageError{fmt.Errorf("%w; give --reason", err)}
	case err != nil:
		return plain(err)
	}
	printRegistration(e, r, out)
	return nil
}

// registerFlags adds the flags that are parts of a request.
func registerFlags(e *env, c *cobra.Command, r *registration.Request) {
	f := c.Flags()
	f.StringVar(&r.Model, "model", "", "model `file` to register")
	f.StringVar(&r.Format, "format", "lightgbm", "`format` of the model file")
	f.StringVar(&r.Golden, "golden", "", "CSV or Parquet `file` with rows of model inputs")
	f.StringVar(&r.Expected, "expected", "", "CSV `file` with the scores of the golden rows")
	f.StringVar(&r.Source, "source", "", "`name` of what computed --expected, for the record: \"LightGBM 4.6.0\"")
	f.StringVar(&r.Sample, "sample", "", "Parquet `file` whose first 32 rows become golden rows, scored now; classified columns are left empty")
	f.StringVar(&r.Categories, "categories", "", "JSON `file` {column: [value, …]}: category dictionaries that the model file lacks")
	f.StringVar(&r.Training, "training", "", "JSON `file`: manifest of the training, kept with the version")
	f.BoolVar(&r.Champion, "champion", false, "make it the champion, if there is none")
	f.StringVar(&r.By, "by", who(e), "`name` of who registers, for the audit trail")
	f.StringVar(&r.Reason, "reason", "", "`text` that says why, for the audit trail")
}

// checkRegister refuses flags that do not go together.
func checkRegister(r registration.Request) error {
	_, known := formats[r.Format]
	switch {
	case r.Model == "" && (r.Champion || r.Golden != "" || r.Expected != "" || r.Sample != "" || len(r.Reference) > 0):
		return errors.New("--champion, --golden, --expected, --sample and --reference need --model")
	case r.Model == "":
		return nil
	case !known:
		return fmt.Errorf("--format %s is not known; this program reads lightgbm", r.Format)
	case (r.Golden == "") != (r.Expected == ""):
		return errors.New("--golden and --expected come together: rows, and the scores they must have")
	case r.Sample != "" && r.Golden != "":
		return errors.New("golden rows come from --golden or from --sample, not from both")
	case r.Sample == "" && r.Golden == "":
		return errors.New("a model version needs golden rows: give --golden with --expected, or --sample")
	}
	return nil
}

// references reads BATCH=FILE, or FILE alone.
func references(flags []string) []registration.Batch {
	var all []registration.Batch
	for _, text := range flags {
		batch, file, named := strings.Cut(text, "=")
		if !named {
			batch, file = "", text
		}
		all = append(all, registration.Batch{Name: batch, File: file})
	}
	return all
}

func printRegistration(e *env, r registration.Request, out *registration.Result) {
	fmt.Fprintf(e.stdout, "pipeline  %s  %s (%s)\ncontract  %s\n", out.Name, out.Pipeline, filepath.Base(r.Pipeline), out.Contract)
	if v := out.Version; v != nil {
		fmt.Fprintf(e.stdout, "model     %s  %s, %d inputs, %d golden rows by %s\n", v.Digest, v.Bundle.Objective,
			len(v.Bundle.Inputs), v.Bundle.Golden.Rows, v.Bundle.Golden.Source)
		if ref := v.Bundle.Reference; ref != nil {
			fmt.Fprintf(e.stdout, "reference %s\n", referenceText(ref))
		}
	}
	if r.Champion {
		fmt.Fprintln(e.stdout, "champion  it scores from now on")
	}
	if out.Proposal > 0 {
		fmt.Fprintf(e.stdout, "proposal  %[2]d: the files come into force when another of the people says so: starter approve %[1]s --proposal %[2]d --reason TEXT\n", out.Name, out.Proposal)
	}
	fmt.Fprintf(e.stdout, "registry  %s\n", out.Anchor)
}

// referenceText says what later batches are compared with.
func referenceText(ref *bundle.Reference) string {
	text := string(ref.Profile.Digest)
	if len(ref.Batches) > 0 {
		text += "  " + strings.Join(ref.Batches, ", ")
	}
	if len(ref.Seasons) > 0 {
		text += "; month by month: " + strings.Join(slices.Sorted(maps.Keys(ref.Seasons)), ", ")
	}
	return text
}
