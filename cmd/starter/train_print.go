package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"headgate/internal/figure"
	"headgate/internal/train"
)

// importantFeatures is how many features train lists.
const importantFeatures = 10

// printTraining says what came of a training.
func printTraining(e *env, one candidate, m *train.Manifest, out, manifest string) {
	r := m.Results
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "learned from\t%s\n", partText(r.Train.Rows, m.Data.Train))
	if r.Valid != nil {
		fmt.Fprintf(w, "stopped by\t%s\n", partText(r.Valid.Rows, m.Data.Valid))
	}
	if c := r.CalibrationEvidence; c != nil {
		part := c.Part + " part"
		if m.Folds > 0 {
			part = fmt.Sprintf("training part, by models of the other folds of %d", m.Folds)
		}
		fmt.Fprintf(w, "calibrated on\t%s of the %s\n", figure.Things(c.Rows, "row"), part)
	}
	if len(one.evidence) > 0 {
		fmt.Fprintf(w, "kept apart\t%s\n", strings.Join(one.evidence, ", "))
	}
	fmt.Fprintf(w, "label\t%s, %s\n", m.Label, labelText(m.Task, r))
	fmt.Fprintf(w, "features\t%d\n", len(m.Features))
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note\t%s\n", note)
	}
	fmt.Fprintf(w, "model\t%s\n", strings.TrimSpace(out+"  "+r.Model))
	if manifest != "" {
		fmt.Fprintf(w, "manifest\t%s\n", manifest)
	}
	if r.Rounds > 0 {
		fmt.Fprintf(w, "rounds\t%s\n", roundsText(r))
	}
	if r.Trainer != "gbdt" {
		fmt.Fprintf(w, "trainer\t%s, %s\n", r.Trainer, librariesText(r.Libraries))
	}
	w.Flush()
	printCalibration(e, r)
	printImportance(e, r.Importance)
}

// partText says how many rows a part has, and of which batches.
func partText(rows int64, files []train.File) string {
	var batches []string
	for _, f := range files {
		if f.Batch != "" && (len(batches) == 0 || batches[len(batches)-1] != f.Batch) {
			batches = append(batches, f.Batch)
		}
	}
	text := fmt.Sprintf("%s in %s", figure.Things(rows, "row"), figure.Things(len(files), "file"))
	switch n := len(batches); {
	case n == 0:
		return text
	case n <= 3:
		return text + ": " + strings.Join(batches, ", ")
	default:
		return text + ": " + batches[0] + " … " + batches[n-1]
	}
}

// labelText says what the label looks like.
func labelText(task train.Task, r *train.Results) string {
	if task != train.Binary || len(r.Classes) != 2 {
		return string(task)
	}
	return fmt.Sprintf("binary: 1 in %s of the rows", figure.Percent(float64(r.Classes[1])/float64(r.Classes[0]+r.Classes[1])))
}

// librariesText lists the versions that decide the model.
func librariesText(versions map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, name+" "+versions[name])
	}
	return strings.Join(all, ", ")
}

// roundsText says how far the training went, and how good the model is there.
func roundsText(r *train.Results) string {
	text := fmt.Sprintf("%d", r.Rounds)
	switch r.Stopped {
	case "early_stopping_round":
		text += ", the best; more did not help"
	case train.StoppedByFolds:
		text += ", best in the mean of the folds"
	case "no split":
		text += "; no leaf could be split any more"
	}
	if r.Metric != "" {
		text += fmt.Sprintf("; %s %.6g", r.Metric, r.Value)
	}
	return text
}

// printCalibration says what the calibration does.
func printCalibration(e *env, r *train.Results) {
	if r.CalibrationEvidence == nil {
		return
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s, cross-fitted\tbefore\tafter\n", r.Calibration.Kind)
	for _, c := range r.CalibrationEvidence.Changes {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Metric, figure.Estimate(&c.Before), figure.Estimate(&c.After))
	}
	w.Flush()
}

// printImportance lists the features that the model rests on most.
func printImportance(e *env, list []train.Importance) {
	if len(list) == 0 {
		return
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\nfeature\tshare of the gain\n")
	for i, f := range list {
		if i == importantFeatures {
			fmt.Fprintf(w, "and %d more\n", len(list)-i)
			break
		}
		fmt.Fprintf(w, "%s\t%s\n", f.Feature, figure.Percent(f.Share))
	}
	w.Flush()
}

// A roundMeter says on w how far a long training is: nothing in the first two seconds,
// then a line every five.
type roundMeter struct {
	w    io.Writer
	next time.Time
}

func newRoundMeter(w io.Writer) *roundMeter { return &roundMeter{w, time.Now().Add(2 * time.Second)} }

func (m *roundMeter) round(p train.Progress) error {
	now := time.Now()
	if now.Before(m.next) {
		return nil
	}
	m.next = now.Add(5 * time.Second)
	text := fmt.Sprintf("round %d of at most %d", p.Round, p.Rounds)
	if p.Metric != "" {
		text += fmt.Sprintf(": %s %.6g, best in round %d", p.Metric, p.Value, p.Best)
	}
	_, err := fmt.Fprintln(m.w, text)
	return err
}
