package main

import (
	"fmt"
	"slices"
	"time"

	"headgate/internal/contract"
	"headgate/internal/pipeline"
	"headgate/internal/registration"
)

// settle takes from the pipeline file what no flag says: its training section, and the
// label of the labels' contract. It notes on stderr what it has to leave out.
func (r *training) settle(e *env, f *registration.Files) error {
	if f.Labels != nil && r.label == "" && len(f.Contract.WithRole(contract.RoleLabel)) == 0 {
		r.label = f.Labels.WithRole(contract.RoleLabel)[0]
	}
	if f.Labels != nil && f.Labels.Labels != nil {
		r.maturity = f.Labels.Labels.Window + f.Labels.Labels.Settlement
	}
	if len(r.labels) > 0 {
		if f.Labels == nil {
			return fmt.Errorf("%s names no contract of the labels, which --labels needs; write labels into it", r.pipeline)
		}
		r.labelled = &labelFiles{contract: f.Labels, files: batchFiles(r.labels)}
	}
	t := f.Config.Training
	if t == nil {
		return nil
	}
	if !r.given("seed") {
		r.seed = t.Seed
	}
	if !r.given("leak") {
		r.leak = t.Leak.Threshold
	}
	if !r.given("allow") {
		r.allow = t.Leak.Allow
	}
	if r.recalibrate != "" {
		return nil
	}
	if !r.given("features") {
		r.names = t.Features
	}
	for name, value := range t.Parameters {
		if _, mine := r.parameters[name]; !mine {
			r.parameters[name] = value
		}
	}
	if f.Config.Labels != nil {
		r.cluster = f.Config.Labels.Cluster
	}
	r.settleParts(e, t)
	return r.settleTrainer(t)
}

// settleParts takes windows, validation and calibration, where the files allow it.
func (r *training) settleParts(e *env, t *pipeline.Training) {
	named := !slices.ContainsFunc(r.trainFiles, func(f batchFile) bool { return f.batch == "" })
	divided := t.Valid > 0 || !slices.Equal(t.Windows, []int{0})
	if named && divided && len(r.valid)+len(r.calibration) == 0 {
		if !r.given("window") {
			r.windows = t.Windows
		}
		if !r.given("split") {
			r.splitting.Valid = t.Valid
		}
	}
	if t.Calibrate == "" || r.given("calibrate") {
		return
	}
	if apart := len(r.calibration) + r.splitting.Calibration; apart == 0 && !r.given("folds") {
		r.folds = t.Folds
	}
	if r.folds+len(r.valid)+len(r.calibration)+r.splitting.Valid+r.splitting.Calibration == 0 {
		fmt.Fprintf(e.stderr, "note: %s has training.calibrate %s, and there is no part to fit it on; give one with --valid or --split, or --folds\n", r.pipeline, t.Calibrate)
		return
	}
	r.calibrate = string(t.Calibrate)
}

// settleTrainer takes the trainer.
func (r *training) settleTrainer(t *pipeline.Training) error {
	if r.command != "" {
		return nil
	}
	switch t.Trainer {
	case pipeline.TrainerTaskQueue:
		return fmt.Errorf("%s trains on the task queue %s, which takes Temporal: use starter retrain, or name a program with --command", r.pipeline, t.TaskQueue)
	case pipeline.TrainerCommand:
		r.words = t.Command
		if !r.given("timeout") {
			r.timeout = time.Duration(t.Timeout)
		}
	}
	return nil
}
