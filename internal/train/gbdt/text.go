package gbdt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// model is what the training has made: all rounds, or those up to the best if early
// stopping was asked for.
func (b *booster) model() *Model {
	rounds := b.rounds()
	if b.p.EarlyStopping > 0 && b.best > 0 {
		rounds = b.best
	}
	if b.stopped == "" {
		b.stopped = StoppedAtLast
	}
	return &Model{
		Text: b.text(rounds), Inputs: b.train.Inputs(), Objective: b.loss.text(), Outputs: b.p.NumClass,
		Rounds: rounds, Metric: b.metric, Values: slices.Clone(b.values), Stopped: b.stopped,
	}
}

// text writes the model's first rounds in LightGBM's text format, version v4.
func (b *booster) text(rounds int) []byte {
	trees := b.trees[:rounds*b.p.NumClass]
	var t strings.Builder
	b.writeHeader(&t, trees)
	for i, section := range trees {
		t.WriteString(treeName(i))
		t.WriteString(section)
	}
	t.WriteString("end of trees\n\nfeature_importances:\n")
	b.writeImportances(&t, trees)
	t.WriteString("\nparameters:\n[boosting: gbdt]\n")
	for i := range parameters {
		fmt.Fprintf(&t, "[%s: %s]\n", parameters[i].name, parameters[i].get(&b.p))
	}
	t.WriteString("\nend of parameters\n\npandas_categorical:null\n")
	return []byte(t.String())
}

func treeName(i int) string { return "Tree=" + strconv.Itoa(i) + "\n" }

// writeHeader writes what stands before the first tree.
func (b *booster) writeHeader(t *strings.Builder, trees []string) {
	d := b.train
	names, infos, sizes := make([]string, len(d.mappers)), make([]string, len(d.mappers)), make([]string, len(trees))
	for i := range d.mappers {
		names[i], infos[i] = d.columns.Features[i].Name, d.mappers[i].info()
	}
	for i, section := range trees {
		sizes[i] = strconv.Itoa(len(treeName(i)) + len(section))
	}
	fmt.Fprintf(t, "tree\nversion=v4\nnum_class=%d\nnum_tree_per_iteration=%d\nlabel_index=0\nmax_feature_idx=%d\nobjective=%s\n",
		b.p.NumClass, b.p.NumClass, len(names)-1, b.loss.text())
	fmt.Fprintf(t, "feature_names=%s\n", strings.Join(names, " "))
	if len(b.p.Monotone) > 0 {
		fmt.Fprintf(t, "monotone_constraints=%s\n", strings.ReplaceAll(b.p.Values()["monotone_constraints"], ",", " "))
	}
	fmt.Fprintf(t, "feature_infos=%s\ntree_sizes=%s\n\n", strings.Join(infos, " "), strings.Join(sizes, " "))
}

// writeImportances lists the features that split, those that do it most often first.
func (b *booster) writeImportances(t *strings.Builder, trees []string) {
	counts := make([]int, len(b.train.mappers))
	for _, section := range trees {
		for _, feature := range fields(section, "split_feature=") {
			if i, err := strconv.Atoi(feature); err == nil {
				counts[i]++
			}
		}
	}
	order := make([]int, 0, len(counts))
	for i, n := range counts {
		if n > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return counts[j] - counts[i] })
	for _, i := range order {
		fmt.Fprintf(t, "%s=%d\n", b.train.columns.Features[i].Name, counts[i])
	}
}

// fields are the values of a line of a tree's section, which begins with key.
func fields(section, key string) []string {
	_, rest, found := strings.Cut(section, "\n"+key)
	if !found {
		return nil
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(line)
}
