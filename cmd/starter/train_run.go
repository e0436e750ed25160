package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/learn"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/store"
	"headgate/internal/train"
)

// A candidate is one model to train.
type candidate struct {
	window                   string // "" if there is one only
	data, valid, calibration []batchFile
	evidence                 []string // batches that are kept apart
	split                    train.Split
}

// run trains every candidate.
func (r *training) run(ctx context.Context, e *env) error {
	pipelineName, c, digest, err := r.readContract(e)
	if err != nil {
		return err
	}
	if err := errors.Join(r.checkProgram(), r.checkSplit()); err != nil {
		return usageError{err}
	}
	candidates, err := r.candidates()
	if err != nil {
		return err
	}
	for i, one := range candidates {
		if i > 0 && !r.asJSON {
			fmt.Fprintln(e.stdout)
		}
		if err := r.candidate(ctx, e, one, pipelineName, c, digest); err != nil {
			return err
		}
	}
	return nil
}

// readContract reads the contract, or the pipeline's and how that trains.
func (r *training) readContract(e *env) (pipeline string, c *contract.Contract, digest string, err error) {
	if r.pipeline != "" {
		f, err := registration.Read(r.pipeline)
		if err != nil {
			return "", nil, "", err
		}
		if err := r.settle(e, f); err != nil {
			return "", nil, "", err
		}
		return f.Config.Name, f.Contract, string(store.DigestOf(f.ContractText)), nil
	}
	text, err := os.ReadFile(r.contract)
	if err != nil {
		return "", nil, "", err
	}
	c, err = contract.Parse(r.contract, text)
	return "", c, string(store.DigestOf(text)), err
}

// candidates divides the files into parts, once for each window.
func (r *training) candidates() ([]candidate, error) {
	if !r.byTime() {
		return []candidate{{data: r.trainFiles, valid: r.validFiles, calibration: r.cals, split: r.splitting}}, nil
	}
	var batches []train.Batch
	files := map[string][]batchFile{}
	var latest time.Time
	for _, f := range r.trainFiles {
		if files[f.batch] == nil {
			begin, err := batchBegin(f.batch)
			if err != nil {
				return nil, err
			}
			known := begin.Add(r.maturity)
			batches = append(batches, train.Batch{Name: f.batch, Begin: begin, Known: known})
			if known.After(latest) {
				latest = known
			}
		}
		files[f.batch] = append(files[f.batch], f)
	}
	if r.asOf != "" {
		var err error
		if latest, err = readAsOf(r.asOf); err != nil {
			return nil, usageError{err}
		}
	}
	windows := r.windows
	if len(windows) == 0 {
		windows = []int{0}
	}
	parts, err := train.Windows(batches, latest, r.splitting, windows)
	if err != nil {
		return nil, err
	}
	of := func(names []string) (all []batchFile) {
		for _, name := range names {
			all = append(all, files[name]...)
		}
		return all
	}
	var all []candidate
	for _, p := range parts {
		split := r.splitting
		split.Window = len(p.Train)
		all = append(all, candidate{window: strconv.Itoa(len(p.Train)), data: of(p.Train), valid: of(p.Valid), calibration: of(p.Calibration),
			evidence: p.Evidence, split: split})
	}
	return all, nil
}

// batchBegin reads the first day of a month or day.
func batchBegin(name string) (time.Time, error) {
	for _, layout := range []string{"2006-01", time.DateOnly} {
		if t, err := time.Parse(layout, name); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("batch %q is no month, as in 2024-01, and no day; --split and --window go by time", name)}
}

func readAsOf(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--as-of %q is no date, as in 2024-03-01, and no time, as in 2024-03-01T12:00:00Z", text)
}

// candidate trains one model and writes it.
func (r *training) candidate(ctx context.Context, e *env, one candidate, pipeline string, c *contract.Contract, digest string) error {
	var sets [3]*fileSet
	for i, list := range [][]batchFile{one.data, one.valid, one.calibration} {
		var err error
		sets[i], err = openSet(list)
		defer sets[i].close()
		if err != nil {
			return err
		}
	}
	trainer, err := r.trainer(e)
	if err != nil {
		return err
	}
	schema := sets[0].files[0].Schema()
	if r.labelled != nil {
		schema = r.labelled.schema(schema)
		r.label, _ = r.labelled.column()
	}
	m, err := train.FromContract(c, digest, schema, r.label, r.names)
	if err != nil {
		return err
	}
	if r.labelled != nil {
		r.labelled.own = m.Weight
		_, m.Weight = r.labelled.column()
	}
	m.Pipeline, m.AsOf, m.Seed, m.Parameters, m.Split = pipeline, r.asOf, r.seed, r.parameters, one.split
	m.Calibrate, m.Folds = model.CalibrationKind(r.calibrate), r.folds
	if m.Folds > 0 && schema.HasField(r.cluster) {
		var features []string
		for _, f := range m.Features {
			features = append(features, f.Name)
		}
		m.Entity = (&learn.Plan{Cluster: r.cluster}).Apart(m.Entity, features)
	}
	m.Leak = train.LeakPolicy{Threshold: r.leak, Allow: r.allow}
	rows, err := r.rows(ctx, c, one, &sets, m.Columns())
	if err != nil {
		return err
	}
	m.Data = train.Data{Train: sets[0].digests, Valid: sets[1].digests, Calibration: sets[2].digests}
	if err := m.Check(); err != nil {
		return usageError{err}
	}
	job := train.Job{Manifest: m, Train: rows[0], Valid: rows[1], Calibration: rows[2], Formats: formats, Threads: r.threads}
	return r.train(ctx, e, one, trainer, job)
}

// rows streams the columns of each part, with labels from files of their own if there
// are any; these are then among the files of the part.
func (r *training) rows(ctx context.Context, c *contract.Contract, one candidate, sets *[3]*fileSet, columns []string) (rows [3]train.Rows, err error) {
	for i, list := range [][]batchFile{one.data, one.valid, one.calibration} {
		if r.labelled == nil {
			rows[i] = sets[i].rows(ctx, columns)
			continue
		}
		joins, read, err := r.labelled.read(ctx, c, list, columns)
		if err != nil {
			return rows, err
		}
		rows[i] = sets[i].labelledRows(ctx, list, joins)
		beside, err := openSet(read)
		beside.close()
		if err != nil {
			return rows, err
		}
		sets[i].digests = append(sets[i].digests, beside.digests...)
	}
	return rows, nil
}

// train does a job, from where an earlier attempt was if that is asked for.
func (r *training) train(ctx context.Context, e *env, one candidate, trainer train.Trainer, job train.Job) (err error) {
	if r.resume != "" {
		if job.Resume, err = os.ReadFile(r.resume); err != nil {
			return err
		}
	}
	watch, keep := newRoundMeter(e.stderr), &keeper{name: r.checkpoint}
	job.Progress = func(p train.Progress) error { return errors.Join(watch.round(p), keep.round(p)) }
	result, err := trainer.Train(ctx, job)
	var leak *train.LeakError
	switch {
	case errors.As(err, &leak):
		return blockedError{fmt.Errorf("%w with --allow", err)}
	case errors.Is(err, train.ErrCheckpoint):
		return fmt.Errorf("--resume %s: %w", r.resume, err)
	case err != nil:
		return plain(err)
	}
	return r.write(e, one, result)
}

// trainer returns the trainer that was asked for. To recalibrate, the features are those
// of the old model.
func (r *training) trainer(e *env) (train.Trainer, error) {
	switch {
	case r.recalibrate != "":
		text, err := os.ReadFile(r.recalibrate)
		if err != nil {
			return nil, err
		}
		old, err := lightgbm.Parse(text, model.Options{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.recalibrate, err)
		}
		r.names = old.FeatureNames()
		return train.Recalibrate{Format: "lightgbm", Model: text}, nil
	case len(r.words) > 0:
		return train.CrossFitted{Trainer: r.program(e)}, nil
	}
	return train.CrossFitted{Trainer: train.GBDT{}}, nil
}

// program is the program that trains. Words that name a file here are made absolute,
// for the program is started elsewhere.
func (r *training) program(e *env) train.Command {
	words := slices.Clone(r.words)
	for i, w := range words {
		if _, err := os.Stat(w); err != nil {
			continue
		}
		if absolute, err := filepath.Abs(w); err == nil {
			words[i] = absolute
		}
	}
	c := train.Command{Args: words, Secrets: r.secrets, Timeout: r.timeout, Env: map[string]string{}}
	for _, name := range slices.Concat(r.env, r.secrets) {
		c.Env[name] = e.getenv(name)
	}
	return c
}

// write writes model and manifest, and says what came of the training.
func (r *training) write(e *env, one candidate, result *train.Result) error {
	manifest, err := result.Manifest.Marshal()
	if err != nil {
		return err
	}
	out, beside := strings.ReplaceAll(r.out, windowMark, one.window), strings.ReplaceAll(r.manifest, windowMark, one.window)
	for name, data := range map[string][]byte{out: result.Model, beside: manifest} {
		if err := writeWhole(name, data); err != nil {
			return err
		}
	}
	if r.asJSON {
		_, err := e.stdout.Write(manifest)
		return err
	}
	printTraining(e, one, &result.Manifest, out, beside)
	return nil
}

// writeWhole writes a file that appears whole or not at all; no name, no file.
func writeWhole(name string, data []byte) error {
	if name == "" {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

// A fileSet is the files of one part.
type fileSet struct {
	files   []*localFile
	digests []train.File
}

// openSet opens and digests files. What was opened is returned also with an error.
func openSet(list []batchFile) (*fileSet, error) {
	s := new(fileSet)
	for _, b := range list {
		f, err := openLocal(b.file)
		if err != nil {
			return s, err
		}
		s.files = append(s.files, f)
		h := sha256.New()
		if _, err := io.Copy(h, f.f); err != nil {
			return s, err
		}
		s.digests = append(s.digests, train.File{Batch: b.batch, Digest: "sha256:" + hex.EncodeToString(h.Sum(nil)), Rows: f.NumRows()})
	}
	return s, nil
}

func (s *fileSet) close() { closeAll(s.files) }

// rows streams the columns of all files, or is nil if there are none.
func (s *fileSet) rows(ctx context.Context, columns []string) train.Rows {
	if len(s.files) == 0 {
		return nil
	}
	return func(yield func(arrow.Record, error) bool) {
		for _, f := range s.files {
			for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: slices.Clone(columns)}) {
				if err != nil {
					err = inFile(f.name, err)
				}
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
}
