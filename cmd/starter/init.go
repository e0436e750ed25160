package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"headgate/internal/contract"
	"headgate/internal/figure"
	"headgate/internal/infer"
	"headgate/internal/model"
	"headgate/internal/pipeline"
)

// initialization is what init was asked for.
type initialization struct {
	dir, data, model, format, name, label string
	labels                                string // file
	keys                                  []string
}

func newInitCommand(e *env) *cobra.Command {
	var in initialization
	c := &cobra.Command{
		Use:   "init DIR --data F.parquet --model M",
		Short: "Write a contract and a pipeline file for data and a model that you have",
		Long: `init reads one batch and one model and writes DIR/contract.yaml and DIR/pipeline.yaml,
which run as they are: columns and types as in the batch, required where the batch has
no null, features as the model reads them. The entity key is --key, or else the one
column that is different in every row.

With --labels, a file of what came true, it also writes DIR/labels.yaml and how labels
judge the scores, start a training and let a new model serve.

It does not guess what is normal: ranges, allowed values and limits are for you to add,
and the comments in the files say where; "starter contract infer" writes a contract with
guesses. It replaces no file.`,
		Example: `  starter init churn --data 2024-01.parquet --model model.txt
  starter init churn --data 2024-01.parquet --model model.txt --name churn-eu --key customer_id
  starter init churn --data 2024-01.parquet --model model.txt --key customer_id --labels labels-2024-01.parquet --label churned`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			in.dir = args[0]
			if in.data == "" || in.model == "" {
				return usageError{errors.New("init needs a batch and a model; name them with --data and --model")}
			}
			if in.label != "" && slices.Contains(in.keys, in.label) {
				return usageError{fmt.Errorf("%s cannot be both --key and --label", in.label)}
			}
			return in.run(c.Context(), e)
		},
	}
	f := c.Flags()
	f.StringVar(&in.data, "data", "", "Parquet `file` with one batch")
	f.StringVar(&in.model, "model", "", "model `file`")
	f.StringVar(&in.format, "format", "lightgbm", "`format` of the model file")
	f.StringVar(&in.name, "name", "", "`name` of the pipeline (default the name of DIR)")
	f.StringSliceVar(&in.keys, "key", nil, "`column` that names whom a row is about; several, if it takes them together")
	f.StringVar(&in.label, "label", "", "`column` of the batch that later batches come without, because it is what the model predicts; with --labels, a column of that file")
	f.StringVar(&in.labels, "labels", "", "Parquet `file` with labels of a batch, by its key")
	return c
}

func (in *initialization) run(ctx context.Context, e *env) error {
	name, err := in.pipelineName()
	if err != nil {
		return usageError{err}
	}
	contractFile, pipelineFile, labelsFile := filepath.Join(in.dir, "contract.yaml"), filepath.Join(in.dir, "pipeline.yaml"), filepath.Join(in.dir, "labels.yaml")
	names := []string{contractFile, pipelineFile}
	if in.labels != "" {
		names = append(names, labelsFile)
	}
	for _, file := range names {
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s exists, and init replaces nothing; name another directory", file)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	scorer, err := in.scorer()
	if err != nil {
		return err
	}
	data, err := openLocal(in.data)
	if err != nil {
		return err
	}
	defer data.f.Close()
	d := draft{Draft: &infer.Draft{Name: name}, data: filepath.Base(in.data), model: filepath.Base(in.model), inputs: scorer.Inputs(), progress: e.stderr}
	if in.labels == "" {
		d.label = in.label
	}
	if err := d.look(ctx, data.File, scorer, in.keys); err != nil {
		return inFile(in.data, err)
	}
	files := []newFile{{contractFile, d.contract()}, {pipelineFile, d.pipeline()}}
	if in.labels != "" {
		l, err := in.lookAtLabels(ctx, &d)
		if err != nil {
			return inFile(in.labels, err)
		}
		files[1].text = append(files[1].text, l.loop(name)...)
		files = append(files, newFile{labelsFile, l.contract()})
	}
	if err := proven(files); err != nil {
		return err
	}
	if err := os.MkdirAll(in.dir, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := writeNew(file.name, file.text); err != nil {
			return err
		}
	}
	in.tell(e, &d, contractFile, pipelineFile, labelsFile)
	return nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// pipelineName returns --name, or a name made of the directory's.
func (in *initialization) pipelineName() (string, error) {
	name := in.name
	if name == "" {
		abs, err := filepath.Abs(in.dir)
		if err != nil {
			return "", err
		}
		name = strings.Trim(notInNames.ReplaceAllString(strings.ToLower(filepath.Base(abs)), "-"), "-")
	}
	text := fmt.Sprintf("pipeline: %s\ncontract: c\ninput: { files: '{batch}' }\n", strconv.QuoteToASCII(name))
	if _, err := pipeline.Parse("--name", []byte(text)); err != nil {
		return "", fmt.Errorf("%q cannot be the name of a pipeline: use small letters, digits and dashes, with --name", name)
	}
	return name, nil
}

func (in *initialization) scorer() (model.Scorer, error) {
	parse, ok := formats[in.format]
	if !ok {
		return nil, usageError{fmt.Errorf("--format %s is not known; this program reads lightgbm", in.format)}
	}
	data, err := os.ReadFile(in.model)
	if err != nil {
		return nil, err
	}
	s, err := parse(data, model.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.model, err)
	}
	return s, nil
}

// A newFile is what init writes.
type newFile struct {
	name string
	text []byte
}

// proven checks that what was written can be read: init must not leave files that
// the next command refuses. files are the contract, the pipeline file and, if there are
// labels, their contract.
func proven(files []newFile) error {
	c, err := contract.Parse("contract.yaml", files[0].text)
	if err != nil {
		return err
	}
	p, err := pipeline.Parse("pipeline.yaml", files[1].text)
	if err != nil {
		return err
	}
	if err := p.CheckContract(c); err != nil || len(files) == 2 {
		return err
	}
	l, err := contract.Parse("labels.yaml", files[2].text)
	if err != nil {
		return err
	}
	return p.CheckLabels(c, l)
}

// writeNew writes a file that must not exist.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// tell says what was written and what to do next.
func (in *initialization) tell(e *env, d *draft, contractFile, pipelineFile, labelsFile string) {
	fmt.Fprintf(e.stdout, "wrote %s: %s, entity key %s, %s\nwrote %s: pipeline %s\n",
		contractFile, figure.Things(len(d.Columns), "column"), strings.Join(d.Key, ", "), figure.Things(len(d.inputs), "feature"), pipelineFile, d.Name)
	if in.labels != "" {
		fmt.Fprintf(e.stdout, "wrote %s: say there when labels are known\n", labelsFile)
	}
	fmt.Fprintln(e.stdout)
	for _, note := range d.notes {
		fmt.Fprintf(e.stdout, "note: %s\n", note)
	}
	fmt.Fprintf(e.stdout, `next:
  starter validate %s --data %s
  starter register %s --model %s --sample %s --reference %s --champion
  put a batch into the store under incoming/%s/2024-01/, then
  starter score %s --batch 2024-01 --wait
`, shell(pipelineFile), shell(in.data), shell(pipelineFile), shell(in.model), shell(in.data), shell(in.data), d.Name, d.Name)
}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// shell quotes a path for a command line, if it needs that.
func shell(path string) string {
	if plainPath.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
