// Package lightgbm reads the text files in which LightGBM keeps its models, and
// scores with them as LightGBM 4.6 does: raw scores agree bit for bit, leaf
// indices exactly, and transformed scores to a few units in the last place.
//
// It never trains, and it never trusts a file: what is truncated, cyclic or out
// of range is refused with the number of the line. Start at [Parse].
//
// Source: LightGBM 4.6.0, src/io/tree.cpp, include/LightGBM/tree.h and
// src/boosting/gbdt_prediction.cpp; every rule is held by the files under
// testdata/golden, which LightGBM itself has scored.
package lightgbm

import (
	"slices"
	"sync"

	"headgate/internal/model"
)

// A Model is a LightGBM model that is ready to score. It implements
// [model.Scorer] and is safe for concurrent use.
type Model struct {
	inputs     []model.Input
	encoder    *model.Encoder
	objective  objective
	outputs    int // trees per iteration
	average    bool
	iterations int // used, after Options.Start and Options.Count
	importance []Importance
	forest     forest
	buffers    sync.Pool // of *[]float64, block × inputs
}

// An Importance says how much the used trees rest on a feature.
type Importance struct {
	Feature string
	Splits  int     // splits that gained something
	Gain    float64 // the sum of their gains
}

// Inputs lists the model's features, in the model's order.
func (m *Model) Inputs() []model.Input { return slices.Clone(m.inputs) }

// Outputs is the number of scores of a row.
func (m *Model) Outputs() int { return m.outputs }

// Objective is the text of the file's objective line, as "binary sigmoid:1". It
// is "custom" if the file names none: then raw scores are the predictions.
func (m *Model) Objective() string { return m.objective.text }

// NumTrees is the number of trees in use.
func (m *Model) NumTrees() int { return len(m.forest.roots) }

// NumIterations is the number of iterations in use; each has Outputs trees.
func (m *Model) NumIterations() int { return m.iterations }

// FeatureNames lists the names of Inputs.
func (m *Model) FeatureNames() []string {
	names := make([]string, len(m.inputs))
	for i, in := range m.inputs {
		names[i] = in.Name
	}
	return names
}

// Importance says for each feature, in the model's order, how much the trees in
// use rest on it: LightGBM's importance types "split" and "gain".
func (m *Model) Importance() []Importance { return slices.Clone(m.importance) }
