package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/model"
	"headgate/internal/train"
)

// training is what train was asked for.
type training struct {
	pipeline, contract           string
	data, valid, calibration     []string // BATCH=FILE, or FILE
	label, asOf, features        string
	params                       []string // name=value,…
	seed                         int64
	split, window, calibrate     string
	folds                        int
	cluster                      string // column of the pipeline file that keeps rows together
	leak                         float64
	allow                        []string
	out, manifest                string
	threads                      int
	asJSON                       bool
	splitting                    train.Split
	windows                      []int
	parameters                   map[string]string
	trainFiles, validFiles, cals []batchFile
	command                      string
	env, secrets                 []string // names
	timeout                      time.Duration
	recalibrate                  string        // model file
	labels                       []string      // BATCH=FILE, or FILE
	labelled                     *labelFiles   // nil if the data have their labels
	maturity                     time.Duration // from the beginning of a batch until all of its labels are known
	checkpoint, resume           string        // files

	given func(flag string) bool // is the flag written?
	names []string               // of the features; nil means those of the contract
	words []string               // of the program that trains; nil if the built-in trainer does
}

// A batchFile is a Parquet file, and the batch that it is of, or "".
type batchFile struct{ batch, file string }

func newTrainCommand(e *env) *cobra.Command {
	var r training
	c := &cobra.Command{
		Use:   "train [PIPELINE.yaml] --data F.parquet… --out MODEL.txt",
		Short: "Train a model on local files, without Temporal",
		Long: `train learns a model from Parquet files with the built-in gradient-boosted trees. The
data contract, by a pipeline file or --contract, says which columns are features, label,
weight, entity key and event time. Parameters have LightGBM's names, and the model file
is LightGBM's: LightGBM loads it and predicts the same. Equal files, parameters and seed
give an equal model, on any number of threads.

Before anything is learned it looks for leaks: a feature that is the label, that alone
predicts it nearly perfectly, or that is dated after --as-of stops the training by name.
If somebody has looked and it is right, --allow lets it pass. Rows after --as-of and rows
without a label are left out, and counted.

With --valid (or valid= in --split) a later part says when to stop:
--params early_stopping_round=20. With --calibrate a later part turns raw scores into
probabilities that mean what they say. With --folds 5 no part is kept apart for that: the
model learns from all rows, five more models from all but a fifth of the entities each (of
the days, if labels.cluster of the pipeline file is a date), and the calibration is fitted
on what they say of the rows that they have not seen.

--split divides batches by time, for files that are named by batch: evidence=2 keeps the
two latest apart, which no training reads, valid=1 takes the one before to stop early,
calibration=1 the one before that. entities=0.2 keeps a fifth of the entities, by their
key, for the evidence only. --window 6,12,0 trains a model on the latest 6, on the latest
12, and on all batches before; each is a candidate, written to --out with their number in place of {window}.

--manifest writes what was learned from what, and what came of it. Hand it to
"starter register --model MODEL.txt --training MANIFEST.json": it has the calibration.

--command trains with any program instead. It is started in a new directory with
manifest.json, train.parquet and valid.parquet, and leaves result.json and the model
there; docs/formats.md says what is in them. It has the variables of its environment that
--env and --secret name, and no others; values of --secret are never shown. It is killed
with its children after --timeout.

What no flag says is taken from training: in the pipeline file: parameters, features,
seed, leak, calibrate, folds, the program, and, for files that are named by batch, windows and
valid.

--labels joins files of what came true, by the entity key, as starter evaluate and the
pipeline do: treated rows are left out, and the untreated weigh 1/(1 - propensity). By
the contract of the labels a batch is known when its window and settlement are over, so
with --as-of only batches are used whose labels were known on that day.

--checkpoint keeps a file up to date while the built-in trainer works. If the training is
killed, --resume goes on from there, to the same model.

--recalibrate keeps an old model and fits a new --calibrate on --data.

Exit code 3 means that the training was stopped by a leak.`,
		Example: `  starter train pipeline.yaml --data 2023-11.parquet --label bought --out model.txt --manifest model.json
  starter train pipeline.yaml --data 2023-10.parquet --valid 2023-11.parquet --label bought --params num_leaves=63,early_stopping_round=20 --out model.txt
  starter train --contract contract.yaml --data 2023-09=a.parquet --data 2023-10=b.parquet --data 2023-11=c.parquet --split valid=1,evidence=1 --window 1,0 --out model-{window}.txt
  starter register pipeline.yaml --model model.txt --training model.json --sample 2023-11.parquet`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				r.pipeline = args[0]
			}
			r.given = c.Flags().Changed
			if err := r.check(); err != nil {
				return usageError{err}
			}
			return r.run(c.Context(), e)
		},
	}
	r.flags(c)
	return c
}

func (r *training) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&r.contract, "contract", "", "data contract `file`, in place of a pipeline file")
	f.StringArrayVar(&r.data, "data", nil, "Parquet `file` to learn from, best as BATCH=FILE; may be repeated")
	f.StringArrayVar(&r.valid, "valid", nil, "Parquet `file`, later than --data, that says when to stop; may be repeated")
	f.StringArrayVar(&r.calibration, "calibration", nil, "Parquet `file`, later still, for --calibrate (default: those of --valid); may be repeated")
	f.StringVar(&r.label, "label", "", "`column` of what came true (default: the contract's)")
	f.StringVar(&r.features, "features", "", "`columns` to learn from, with commas between them (default: the contract's)")
	f.StringArrayVar(&r.params, "params", nil, "`name=value,…`: parameters, by LightGBM's names; may be repeated")
	f.Int64Var(&r.seed, "seed", 0, "`seed` of every random draw")
	f.StringVar(&r.asOf, "as-of", "", "`date` or time; rows and batches after it are not used")
	f.StringVar(&r.split, "split", "", "`part=n,…`: how many of the latest batches are for valid, calibration, evidence; entities=share")
	f.StringVar(&r.window, "window", "", "`batches,…` to learn from, the latest before the split; each makes a model; 0 is all")
	f.StringVar(&r.calibrate, "calibrate", "", "`kind` of calibration: isotonic or platt")
	f.IntVar(&r.folds, "folds", 0, "`number` of folds over which --calibrate is cross-fitted, each one more training; 0: a part has its rows")
	f.Float64Var(&r.leak, "leak", train.DefaultLeak, "`AUC` (or R²) of a single feature from which on the training stops")
	f.StringSliceVar(&r.allow, "allow", nil, "`feature` that may predict the label that well; may be repeated")
	f.StringVar(&r.out, "out", "", "model `file` to write")
	f.StringVar(&r.manifest, "manifest", "", "JSON `file` to write: the training's manifest")
	f.StringVar(&r.command, "command", "", "`program` and arguments, with spaces between them, that train in place of the built-in trainer")
	f.StringSliceVar(&r.env, "env", nil, "`name` of an environment variable that --command may see; may be repeated")
	f.StringSliceVar(&r.secrets, "secret", nil, "`name` of one whose value is not shown; may be repeated")
	f.DurationVar(&r.timeout, "timeout", 0, "`time` that --command may take, as in 2h; 0 is any")
	f.StringArrayVar(&r.labels, "labels", nil, "Parquet `file` of what came true, as BATCH=FILE if --data is; the pipeline's contract of the labels says what is in it; may be repeated")
	f.StringVar(&r.checkpoint, "checkpoint", "", "`file` that says all the time where the training is, to --resume it")
	f.StringVar(&r.resume, "resume", "", "checkpoint `file` of the same training, to go on from; the model is the same as without a break")
	f.StringVar(&r.recalibrate, "recalibrate", "", "LightGBM model `file` to give a new calibration")
	f.IntVar(&r.threads, "threads", 0, "`number` of threads; 0 is as many as there are. They change no model")
	f.BoolVar(&r.asJSON, "json", false, "print the manifests, one after the other, and no table")
}

// check refuses what cannot be meant, and reads what flags are made of.
func (r *training) check() error {
	switch {
	case (r.pipeline == "") == (r.contract == ""):
		return errors.New("train needs to know the features: name a pipeline file, or a contract with --contract")
	case len(r.data) == 0:
		return errors.New("train needs rows to learn from; name their files with --data")
	case r.out == "" && !r.asJSON:
		return errors.New("train needs a place for the model; name a file with --out")
	case !slices.Contains([]string{"", string(model.Isotonic), string(model.Platt)}, r.calibrate):
		return fmt.Errorf("--calibrate %s is not known; it is isotonic or platt", r.calibrate)
	case r.recalibrate != "" && (r.calibrate == "" || r.command != "" || len(r.valid) > 0):
		return errors.New("--recalibrate goes with --calibrate, and neither with --command nor with --valid")
	case r.folds != 0 && (r.folds < 2 || r.recalibrate != "" || len(r.calibration) > 0):
		return errors.New("--folds takes 2 or more, and goes neither with --recalibrate nor with --calibration")
	case r.checkpoint+r.resume != "" && (r.recalibrate != "" || r.command != "" || len(r.windows) > 1):
		return errors.New("--checkpoint and --resume are about one model of the built-in trainer")
	case len(r.labels) > 0 && r.pipeline == "":
		return errors.New("--labels needs a pipeline file, whose contract of the labels says which column is what")
	case !(r.leak > 0 && r.leak <= 1):
		return fmt.Errorf("--leak %g must be above 0 and not above 1", r.leak)
	}
	r.trainFiles, r.validFiles, r.cals = batchFiles(r.data), batchFiles(r.valid), batchFiles(r.calibration)
	for _, f := range slices.Concat(r.trainFiles, r.validFiles, r.cals) {
		if sameFile(f.file, r.out) || sameFile(f.file, r.manifest) {
			return fmt.Errorf("--out and --manifest would replace %s, which train reads", f.file)
		}
	}
	r.words = strings.Fields(r.command)
	if r.features != "" {
		r.names = strings.Split(r.features, ",")
	}
	if err := r.readParams(); err != nil {
		return err
	}
	return r.readSplit()
}

// checkProgram refuses flags about a program that does not train.
func (r *training) checkProgram() error {
	if len(r.words) == 0 && (len(r.env)+len(r.secrets) > 0 || r.given("timeout")) {
		return errors.New("--env, --secret and --timeout are about --command, and there is none")
	}
	return nil
}

// batchFiles reads BATCH=FILE, or FILE alone.
func batchFiles(flags []string) []batchFile {
	var all []batchFile
	for _, b := range references(flags) {
		all = append(all, batchFile{b.Name, b.File})
	}
	return all
}

// readParams reads name=value,…. A value may have commas, as monotone_constraints does:
// what has no = belongs to the value before.
func (r *training) readParams() error {
	r.parameters = map[string]string{}
	for _, list := range r.params {
		last := ""
		for part := range strings.SplitSeq(list, ",") {
			name, value, ok := strings.Cut(part, "=")
			name = strings.TrimSpace(name)
			_, twice := r.parameters[name]
			switch {
			case !ok && last != "":
				r.parameters[last] += "," + part
				continue
			case !ok || name == "":
				return fmt.Errorf("--params %q is not name=value", part)
			case twice:
				return fmt.Errorf("--params has %s twice", name)
			}
			r.parameters[name], last = value, name
		}
	}
	return nil
}

// readSplit reads --split and --window.
func (r *training) readSplit() error {
	parts := map[string]*int{"valid": &r.splitting.Valid, "calibration": &r.splitting.Calibration, "evidence": &r.splitting.Evidence}
	for part := range strings.SplitSeq(r.split, ",") {
		if r.split == "" {
			break
		}
		name, text, _ := strings.Cut(part, "=")
		var err error
		switch to := parts[name]; {
		case name == "entities":
			r.splitting.Entities, err = strconv.ParseFloat(text, 64)
		case to == nil:
			return fmt.Errorf("--split %s is not known; it is valid, calibration, evidence or entities", part)
		default:
			*to, err = strconv.Atoi(text)
		}
		if err != nil {
			return fmt.Errorf("--split %s: %q is not a number", name, text)
		}
	}
	for text := range strings.SplitSeq(r.window, ",") {
		if r.window == "" {
			break
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("--window %s: %q is not a number of batches", r.window, text)
		}
		r.windows = append(r.windows, n)
	}
	return nil
}

// checkSplit refuses splits and windows that do not go with the files.
func (r *training) checkSplit() error {
	byTime := r.byTime()
	switch {
	case byTime && len(r.valid)+len(r.calibration) > 0:
		return errors.New("--split and --window choose the files of each part themselves; give all files with --data")
	case byTime && slices.ContainsFunc(r.trainFiles, func(f batchFile) bool { return f.batch == "" }):
		return errors.New("--split and --window need to know the batch of each file: --data 2023-01=FILE")
	case len(r.windows) > 1 && r.out != "" && !strings.Contains(r.out, windowMark):
		return fmt.Errorf("several windows make several models; write %s into --out", windowMark)
	case len(r.windows) > 1 && r.manifest != "" && !strings.Contains(r.manifest, windowMark):
		return fmt.Errorf("several windows make several manifests; write %s into --manifest", windowMark)
	}
	return nil
}

// windowMark is where a file's name has the window.
const windowMark = "{window}"

// byTime reports whether the batches are divided by their names.
func (r *training) byTime() bool {
	s := r.splitting
	return len(r.windows) > 0 || s.Valid+s.Calibration+s.Evidence != 0
}
