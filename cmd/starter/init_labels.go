package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/infer"
	"headgate/internal/strictyaml"
)

// A labelDraft is what init found out about a file of labels.
type labelDraft struct {
	draft
	amounts bool // the label is no 0 and 1
}

// lookAtLabels drafts the contract of the labels: the batch's key, the label, and what
// else is there but is no feature.
func (in *initialization) lookAtLabels(ctx context.Context, batch *draft) (*labelDraft, error) {
	f, err := openLocal(in.labels)
	if err != nil {
		return nil, err
	}
	defer f.f.Close()
	if f.NumRows() == 0 {
		return nil, errors.New("it has no rows to learn from")
	}
	l := &labelDraft{draft: draft{Draft: infer.New(batch.Name+"-labels", f.Schema(), f.NumRows(), nil), data: filepath.Base(in.labels)}}
	l.Nested = f.Nested()
	for _, name := range batch.Key {
		if l.Column(name) == nil {
			return nil, fmt.Errorf("there is no flat column %s, which is of the key of %s%s", name, batch.data, strictyaml.Hint(name, l.names()))
		}
		l.Column(name).Role = contract.RoleEntityKey
	}
	l.Columns = slices.DeleteFunc(l.Columns, func(c infer.Column) bool {
		other := batch.Column(c.Name)
		feature := other != nil && other.Role == contract.RoleFeature && c.Name != in.label
		if feature {
			batch.notes = append(batch.notes, fmt.Sprintf("%s of the labels is a feature of the batch, and left out", c.Name))
		}
		return feature
	})
	if l.label, err = l.findLabel(in.label); err != nil {
		return nil, err
	}
	l.Column(l.label).Role = contract.RoleLabel
	l.Key = batch.Key
	if err := l.countNulls(ctx, f.File); err != nil {
		return nil, err
	}
	repeated, err := repeats(ctx, f.File, [][]string{l.Key}, nil)
	if err != nil {
		return nil, err
	}
	l.Repeated = repeated[0]
	l.amounts, err = amounts(ctx, f.File, l.label)
	return l, err
}

// findLabel takes the label that was named, or else the only column that could be one.
func (l *labelDraft) findLabel(named string) (string, error) {
	var could []string
	for _, c := range l.Columns {
		if c.Role == "" && (c.Type.ID() == arrow.BOOL || arrow.IsInteger(c.Type.ID()) || arrow.IsFloating(c.Type.ID())) {
			could = append(could, c.Name)
		}
	}
	switch {
	case named != "" && slices.Contains(could, named):
		return named, nil
	case named != "" && l.Column(named) == nil:
		return "", fmt.Errorf("there is no flat column %s%s", named, strictyaml.Hint(named, could))
	case named != "":
		return "", fmt.Errorf("%s cannot be the label: that is a boolean or a number, and no key", named)
	case len(could) != 1:
		return "", fmt.Errorf("%s could be the label; name it with --label", orNone(could))
	}
	return could[0], nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "no column"
	}
	return strings.Join(names, ", ")
}

// amounts reports whether a column has other values than 0 and 1.
func amounts(ctx context.Context, f *columnar.File, name string) (bool, error) {
	for rec, err := range f.Records(ctx, columnar.ReadOptions{Columns: []string{name}}) {
		if err != nil {
			return false, err
		}
		column := rec.Column(0)
		if _, ok := column.(*array.Boolean); ok {
			return false, nil
		}
		for i := range column.Len() {
			if text := column.ValueStr(i); column.IsValid(i) && text != "0" && text != "1" {
				return true, nil
			}
		}
	}
	return false, nil
}

// contract returns the text of labels.yaml.
func (l *labelDraft) contract() []byte {
	l.Intro = fmt.Sprintf(`The data contract of the labels of the pipeline, in the Open Data Contract Standard 3.1.
Written by "starter init" from %s (%d rows).

What nobody could see in one file: when labels are known. Put right what stands under
customProperties: how long after the batch's date an outcome counts (labelWindow), how
long labels still arrive after that (labelSettlement), what it means that there is none
(labelAbsence: unknown, or negative once the object labelMarker lies beside the files).
docs/contract.md has more, also of customers who were treated because of their score.`, l.data, l.Rows)
	l.Custom = []infer.Option{{Key: "labelWindow", Value: "30d"}, {Key: "labelSettlement", Value: "7d"}, {Key: "labelAbsence", Value: "unknown"}}
	return l.YAML()
}

// loop returns what pipeline.yaml says of the labels and of what follows from them.
func (l *labelDraft) loop(name string) []byte {
	kind, metric, calibrate := "binary", "\n  # Its AUC on matured labels is worse by so much than when it came, beyond doubt.\n  metric: auc\n  fall: 0.02", "platt"
	if l.amounts {
		kind, metric, calibrate = "regression", "", "none"
	}
	return fmt.Appendf(nil, `# What came true. It judges the scores, and a new model before it may serve.
# docs/pipeline.md explains every key of this and of what follows.
labels:
  files: labels/%[1]s/{batch}/*.parquet
  contract: labels.yaml
# How a challenger is learned: one from the latest 6 labelled batches, one from all.
training:
  windows: [6, 0]
  calibrate: %[2]s
# What starts a training by itself: drift that lasts, and this of the champion.
retrain:
  drift: true%[3]s
  # Batches between two trainings, and challengers a year.
  cooldown: 3
  budget: 12
# A challenger scores in the shadow first, then a tenth of the customers after somebody
# has approved, then all.
release:
  strategy: canary
  steps: [10%%, 100%%]
  approve: { steps: [10%%] }
gates:
  kind: %[4]s
`, name, calibrate, metric, kind)
}
