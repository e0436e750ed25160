package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/audit"
	"headgate/internal/delta"
	"headgate/internal/figure"
	pipelines "headgate/internal/pipeline"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

func newVerifyCommand(e *env) *cobra.Command {
	var url string
	var anchors, batches []string
	var all, evidence, quiet bool
	c := &cobra.Command{
		Use:   "verify PIPELINE",
		Short: "Check the audit trail, and score a published batch again",
		Long: `verify walks the registry's chain of hashes, checks what every entry rests on, judges
every decision of a gate again, scores the golden rows of every model version, and checks
the digest of every data file that was ever published. It names routings, promotions and
publications that no verdict or approval lets be.

A chain that lost its tail still holds together. Give --anchor SEQ:HASH, as an earlier
command printed it, to find that out too.

--evidence measures again, from stored scores and labels, what the decisions about
candidates rest on. --batch scores a published batch again from its input files and compares every value.
It needs read access only. Exit code 1 if anything is not as it was recorded.`,
		Example: `  starter verify retailer
  starter verify retailer --batch 2024-01
  starter verify retailer --all-batches --anchor 12:sha256:9f2c…`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			a := &audit.Auditor{Store: b, Formats: formats, Pipeline: args[0]}
			if !quiet {
				a.Progress = func(s string) { fmt.Fprintln(e.stderr, "checking", s) }
			}
			if all {
				s, err := delta.Open(b, papers.TablePrefix(args[0])).Snapshot(c.Context())
				if err != nil {
					return err
				}
				batches = s.Batches()
			}
			return verify(c.Context(), e, a, anchors, batches, evidence)
		},
	}
	storeFlag(c, &url)
	c.Flags().StringArrayVar(&anchors, "anchor", nil, "`SEQ:HASH` that an earlier command printed; may be repeated")
	c.Flags().StringArrayVar(&batches, "batch", nil, "published `batch` to score again; may be repeated")
	c.Flags().BoolVar(&all, "all-batches", false, "score every published batch again")
	c.Flags().BoolVar(&evidence, "evidence", false, "measure the evidence behind decisions again")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "no progress")
	return c
}

func verify(ctx context.Context, e *env, a *audit.Auditor, anchors, batches []string, evidence bool) error {
	r, err := a.Verify(ctx, anchors...)
	if err != nil {
		return plain(err)
	}
	if r.Entries == 0 && len(r.Findings) == 0 {
		return notRegistered(a.Pipeline, a.Store)
	}
	fmt.Fprintf(e.stdout, "registry  %s entries, chain %s\n", figure.Count(r.Entries), r.Anchor)
	fmt.Fprintf(e.stdout, "models    %s\n", figure.Things(r.Versions, "version"))
	fmt.Fprintf(e.stdout, "table     %s, %s\n", figure.Things(r.Publications, "publication"), figure.Things(r.Files, "data file"))
	if r.Papers > 0 {
		fmt.Fprintf(e.stdout, "papers    %s, %s judged again\n", figure.Things(r.Papers, "paper"), figure.Things(r.Decisions, "decision"))
	}
	findings := r.Findings
	if evidence {
		again, err := a.Remeasure(ctx)
		if err != nil {
			return plain(err)
		}
		findings = append(findings, again.Findings...)
		fmt.Fprintf(e.stdout, "evidence  of %s measured again\n", figure.Things(again.Decisions, "decision"))
	}
	for _, batch := range batches {
		again, err := a.Recompute(ctx, batch)
		if err != nil {
			return err
		}
		findings = append(findings, again.Findings...)
		what := "same bytes"
		switch {
		case len(again.Findings) > 0:
			what = "DIFFERENT"
		case !again.SameBytes:
			what = "same values in other bytes"
		}
		fmt.Fprintf(e.stdout, "%s  publication %d scored again: %s, %s\n", batch, again.Publication, figure.Things(again.Rows, "row"), what)
		for _, s := range again.Skipped {
			fmt.Fprintf(e.stdout, "%s  not scored again: %s\n", batch, s.Sentence())
		}
	}
	if len(findings) == 0 {
		fmt.Fprintln(e.stdout, "everything is as it was recorded")
		return nil
	}
	for _, f := range findings {
		fmt.Fprintln(e.stdout, "FOUND", f)
	}
	return fmt.Errorf("%s: what is stored is not what was recorded", figure.Things(len(findings), "finding"))
}

func newWhyCommand(e *env) *cobra.Command {
	var url string
	c := &cobra.Command{
		Use:   "why PIPELINE BATCH KEY",
		Short: "Tell where one score came from",
		Long: `why finds a published row by its entity key and shows the score, the values that the
model read, the input file and row, the model version and who let it in, the contract,
and the verdict that published the batch. Of a row with a fallback score it says so
instead. Separate the parts of a composite key by
commas. Values of restricted columns are not shown.`,
		Example: "  starter why retailer 2024-01 1042",
		Args:    arguments(cobra.ExactArgs(3)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(args[2]) == "" {
				return usageError{errors.New("which key? it is empty")}
			}
			b, err := openStore(c.Context(), e, url)
			if err != nil {
				return err
			}
			defer b.Close()
			a := &audit.Auditor{Store: b, Formats: formats, Pipeline: args[0]}
			o, err := a.Why(c.Context(), args[1], args[2])
			if err != nil {
				return unexplained(c.Context(), b, args[0], err)
			}
			printOrigin(e, args[0], o)
			return nil
		},
	}
	storeFlag(c, &url)
	return c
}

// unexplained says of a pipeline that is not registered just that.
func unexplained(ctx context.Context, b *store.Bucket, pipeline string, err error) error {
	if _, registryErr := loadRegistry(ctx, b, pipeline); registryErr != nil {
		return registryErr
	}
	return err
}

func printOrigin(e *env, pipeline string, o *audit.Origin) {
	p := func(format string, args ...any) { fmt.Fprintf(e.stdout, format+"\n", args...) }
	p("%s %s, publication %d of %s by %s", pipeline, o.Batch, o.Publication, o.At.UTC().Format("2006-01-02 15:04:05"), o.By)
	width := 0
	for _, v := range slices.Concat(o.Row, o.Inputs) {
		width = max(width, len(v.Name))
	}
	p("\npublished row")
	for _, v := range o.Row {
		p("  %-*s  %s", width, v.Name, v.Text)
	}
	switch o.Fallback() {
	case "":
		p("\ninput  %s, row %d (from 0)", o.File, o.FileRow)
		for _, v := range o.Inputs {
			p("  %-*s  %s", width, v.Name, v.Text)
		}
	case string(pipelines.FallbackLast):
		p("\nfallback  the model could not score this row in %s; the score is the one that was published for the batch before, by the model in the row", o.Batch)
	default:
		p("\nfallback  the model could not score this row in %s; the score is the constant of the pipeline file", o.Batch)
	}
	model := "model   "
	if o.Fallback() != "" {
		model = "champion" // of the run; it did not make this score
	}
	p("\n%s  %s (%s)", model, o.Model, o.Objective)
	for _, entry := range o.LetIn {
		p("          entry %d, %s by %s: %s", entry.Seq, entry.At.UTC().Format("2006-01-02"), entry.By, details(entry))
	}
	p("contract  %s", o.Contract)
	p("run       %s", o.Run)
	p("verdict   %s: %s, %s in quarantine of %s allowed (%s)", o.Verdict.Verdict, figure.Things(o.Verdict.Rows, "row"), figure.Count(o.Verdict.Quarantined), figure.Count(o.Verdict.Budget), o.Decision)
	for _, s := range o.Verdict.Skipped {
		p("left out  %s", s.Sentence())
	}
	if o.Published != nil {
		p("registry  entry %d", o.Published.Seq)
		if again := replaced(*o.Published); again != "" {
			p("again     %s", again)
		}
	}
}

// replaced says of a publication that took another's place why it did, and what that
// changed; "" of the first one.
func replaced(entry registry.Entry) string {
	if entry.Publication < 2 {
		return ""
	}
	text := fmt.Sprintf("it supersedes publication %d", entry.Publication-1)
	if entry.Changed != nil {
		text += fmt.Sprintf(" and changes %s of its keys", figure.Count(*entry.Changed))
	}
	if entry.Restated {
		text += "; restated from other input, no evidence"
	}
	if entry.Reason != "" {
		text += ": " + entry.Reason
	}
	return text
}
