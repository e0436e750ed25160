package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/registration"
	"headgate/internal/strictyaml"
)

// validation is what validate was asked for, and what it found.
type validation struct {
	files []string
	data  []string
	all   bool
	batch string              // name of the batch; may be empty
	sets  map[string][]string // files of other sets, by object

	pipeline *pipeline.Config   // the last one read, or nil
	contract *contract.Contract // likewise
	output   *contract.Contract // of the scores, or nil
	source   string             // file of contract
}

func newValidateCommand(e *env) *cobra.Command {
	var v validation
	var sets []string
	c := &cobra.Command{
		Use:   "validate FILES… [--data BATCH.parquet]",
		Short: "Check pipeline and contract files, and a local batch",
		Long: `validate reads pipeline files and data contracts (ODCS 3.1) and names everything that
is wrong with them, with line and column. A pipeline file brings its contracts along:
of the batch, of the scores and of the labels.

With --data it also checks a batch as a worker would: first the footers, then every
row. It prints the rules that rows break, and says whether the batch would be blocked,
by a rule over the whole batch or because more rows than the error budget allows would
go to quarantine. A contract alone has no budget: then no bad row is allowed.

What is not known here is said, and never taken for kept. Relationships with another set
need it: --reference-set customers=FILE. Service levels are about the time of the batch:
--batch 2024-01. Rules of the contract of the scores need scores, and rules about earlier
batches need those: a run judges them.

It needs neither Temporal nor a store.`,
		Example: `  starter validate pipeline.yaml
  starter validate pipeline.yaml --data 2024-01.parquet
  starter validate contract.yaml --data part-0.parquet --data part-1.parquet --all
  starter validate orders/pipeline.yaml --data 2024-01.parquet --batch 2024-01 --reference-set customers=customers.parquet`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			v.files = args
			if err := v.readSets(sets); err != nil {
				return usageError{err}
			}
			return v.run(c.Context(), e)
		},
	}
	c.Flags().StringArrayVar(&v.data, "data", nil, "Parquet `file` of the batch; give it again for each further file")
	c.Flags().StringArrayVar(&sets, "reference-set", nil, "`NAME=FILE`: Parquet file of a set that relationships point to; may be repeated")
	c.Flags().StringVar(&v.batch, "batch", "", "`batch` that --data is, as the pipeline names them: 2024-01")
	c.Flags().BoolVar(&v.all, "all", false, "list also the rules that no row breaks")
	return c
}

func (v *validation) run(ctx context.Context, e *env) error {
	var problems []error
	contracts := map[string]bool{}
	for _, name := range v.files {
		if err := v.file(e, name, contracts); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	if len(v.data) == 0 {
		if v.batch != "" || len(v.sets) > 0 {
			return usageError{errors.New("--batch and --reference-set are about --data, and there is none")}
		}
		return nil
	}
	if len(contracts) != 1 {
		return usageError{fmt.Errorf("--data is checked against one contract, and there are %d; name one pipeline or contract file", len(contracts))}
	}
	if err := v.checkFlags(); err != nil {
		return usageError{err}
	}
	return v.check(ctx, e)
}

// file checks one pipeline or contract file and says what it is.
func (v *validation) file(e *env, name string, contracts map[string]bool) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	isPipeline, err := looksLikePipeline(name, data)
	if err != nil {
		return err
	}
	if !isPipeline {
		return v.contractFile(e, name, data, contracts)
	}
	p, err := pipeline.Parse(name, data)
	if err != nil {
		return err
	}
	v.pipeline = p
	fmt.Fprintf(e.stdout, "%s: pipeline %s, a batch is %s, files %s\n  error budget: %s may go to quarantine\n",
		name, p.Name, article(string(p.Batch)), p.Input.Files, p.Quarantine.Budget)
	path := filepath.Join(filepath.Dir(name), filepath.FromSlash(p.Contract))
	if data, err = os.ReadFile(path); err != nil {
		return fmt.Errorf("%s: its contract: %w", name, err)
	}
	if err := v.contractFile(e, path, data, contracts); err != nil {
		return err
	}
	if err := p.CheckContract(v.contract); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := printSchedule(e, name, p, v.contract); err != nil {
		return err
	}
	if err := v.scores(e, name, p); err != nil {
		return err
	}
	files, err := registration.Read(name) // whatever register would refuse
	if err != nil {
		return err
	}
	if files.Labels != nil {
		printContract(e, filepath.Join(filepath.Dir(name), filepath.FromSlash(p.Labels.Contract)), files.Labels)
	}
	return nil
}

// scores checks the contract of the scores, if the pipeline has one.
func (v *validation) scores(e *env, name string, p *pipeline.Config) error {
	v.output = nil
	if p.Scores.Contract == "" {
		return nil
	}
	path := filepath.Join(filepath.Dir(name), filepath.FromSlash(p.Scores.Contract))
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: contract of the scores: %w", name, err)
	}
	if v.output, err = contract.Parse(path, data); err != nil {
		return err
	}
	printContract(e, path, v.output)
	if err := pass.CheckOutput(v.output, v.contract, p.Scores.Keep, outputsOf(v.output)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// outputsOf returns how many outputs a model has at least whose scores a contract is
// about: score_2 is the third.
func outputsOf(c *contract.Contract) int {
	outputs := 1
	for _, col := range c.Columns {
		_, number, numbered := strings.Cut(col.Name, "score_")
		if n, err := strconv.Atoi(number); numbered && err == nil && n >= outputs {
			outputs = n + 1
		}
	}
	return outputs
}

func article(kind string) string {
	if kind == string(pipeline.Any) {
		return "any name"
	}
	return "a " + kind
}

// looksLikePipeline tells the two kinds of files apart by their keys. A file that
// is neither is taken for a pipeline, whose messages then say what is missing.
func looksLikePipeline(name string, data []byte) (bool, error) {
	root, _, err := strictyaml.Open(name, data)
	if err != nil {
		return false, err
	}
	if !root.IsMap() {
		return true, nil
	}
	fs, _ := root.AnyMap("the file")
	return !fs.Has("apiVersion") && !fs.Has("kind") && !fs.Has("schema"), nil
}

func (v *validation) contractFile(e *env, name string, data []byte, contracts map[string]bool) error {
	c, err := contract.Parse(name, data)
	if err != nil {
		return err
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	v.contract, v.source = c, name
	if contracts[abs] {
		return nil
	}
	contracts[abs] = true
	printContract(e, name, c)
	if entity := c.Entity(); len(entity) > 0 {
		fmt.Fprintf(e.stdout, "  entity key: %s; features: %d\n", strings.Join(entity, ", "), len(c.Features()))
	}
	for _, n := range c.Notes {
		fmt.Fprintf(e.stdout, "  note %s:%d:%d: %s\n", name, n.Line, n.Column, n.Text)
	}
	return nil
}

func printContract(e *env, name string, c *contract.Contract) {
	title := c.Name
	if title == "" {
		title = c.ID
	}
	fmt.Fprintf(e.stdout, "%s: contract %s %s, %d columns, %d rules\n", name, title, c.Version, len(c.Columns), len(c.Rules))
}
