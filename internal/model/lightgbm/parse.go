package lightgbm

import (
	"strconv"
	"strings"

	"headgate/internal/model"
)

// maxFile bounds a model file, so that nodes can be numbered with 32 bits.
const maxFile = 1 << 30

// Parse reads a model file of LightGBM 2.2 to 4.6 (format versions v2 to v4) and
// makes it ready to score with the iterations that o asks for.
//
// Categories come from o, or else from the file's own pandas_categorical line. A
// file that is truncated, cyclic, out of range, or of an unknown objective gives
// a *[ParseError]; an iteration or a category list that the model does not have
// gives an error too.
func Parse(data []byte, o model.Options) (*Model, error) {
	if len(data) > maxFile {
		return nil, errorAt(1, "the file has %d bytes, more than the %d that a model may have", len(data), maxFile)
	}
	f := &file{lines: lines{rest: string(data)}}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	if err := f.readTrees(); err != nil {
		return nil, err
	}
	if err := f.readTail(); err != nil {
		return nil, err
	}
	return f.model(o)
}

// Format is [Parse] as a [model.Format].
func Format(data []byte, o model.Options) (model.Scorer, error) {
	m, err := Parse(data, o)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// file is a model file while it is read.
type file struct {
	lines     lines
	header    entries
	names     []string // of the features
	infos     []string // one per feature: [low:high], codes as -1:4:2, or none
	outputs   int      // trees per iteration
	objective objective
	trees     []*tree
	starts    []int // offset of each tree in the file, and of what follows the last
	// From the end of the file.
	categorical string // the parameter categorical_feature
	dictionary  entry  // the line pandas_categorical, without its key
}

// readHeader reads everything before the first tree.
func (f *file) readHeader() error {
	l := &f.lines
	switch {
	case !l.scan():
		return errorAt(1, "the file is empty")
	case l.text == "tree\r":
		return errorAt(1, "the line ends were changed to CRLF; copy the file as binary")
	case l.text != "tree":
		return errorAt(1, `a LightGBM text model begins with "tree", not with %s`, quote(l.text))
	}
	f.header = entries{line: 1, name: "the header", values: map[string]entry{}}
	for l.scan() && !strings.HasPrefix(l.text, "Tree=") {
		if l.text == "" {
			continue
		}
		if ends(l.text) {
			return errorAt(l.line, "the model has no trees")
		}
		if err := f.header.add(l); err != nil {
			return err
		}
	}
	if l.text == "" {
		return errorAt(max(l.line, 1), "the file ends before the first tree: it is truncated")
	}
	return f.checkHeader()
}

// ends reports whether a line says that the trees are over. Files before format
// v3 have no "end of trees".
func ends(text string) bool {
	return text == "end of trees" || text == "feature importances:" || text == "feature_importances:"
}

// checkHeader understands the header.
func (f *file) checkHeader() error {
	h := &f.header
	version, err := h.get("version")
	if err != nil {
		return err
	}
	if v := version.value; v != "v2" && v != "v3" && v != "v4" {
		return errorAt(version.line, "format version %s is not known; v2, v3 and v4 are", quote(v))
	}
	classes, err := h.integer("num_class", 1, 1_000_000)
	if err != nil {
		return err
	}
	f.outputs = classes
	if _, ok := h.values["num_tree_per_iteration"]; ok {
		if f.outputs, err = h.integer("num_tree_per_iteration", 1, 1_000_000); err != nil {
			return err
		}
	}
	line := h.values["objective"].line
	var reason string
	if f.objective, reason = parseObjective(h.values["objective"].value); reason != "" {
		return errorAt(line, "%s", reason)
	}
	if n := f.objective.classes; n > 0 && n != f.outputs {
		return errorAt(line, "the objective has %d classes, an iteration %d trees", n, f.outputs)
	}
	return f.checkFeatures()
}

// checkFeatures reads the features' names and infos.
func (f *file) checkFeatures() error {
	h := &f.header
	names, err := h.get("feature_names")
	if err != nil {
		return err
	}
	f.names = strings.Fields(names.value)
	last, err := h.integer("max_feature_idx", 0, maxFile)
	if err != nil {
		return err
	}
	if len(f.names) != last+1 {
		return errorAt(names.line, "feature_names has %d names, and max_feature_idx is %d", len(f.names), last)
	}
	seen := make(map[string]bool, len(f.names))
	for _, name := range f.names {
		if seen[name] {
			return errorAt(names.line, "feature_names has %s twice", quote(name))
		}
		seen[name] = true
	}
	f.infos = make([]string, len(f.names))
	if infos, ok := h.values["feature_infos"]; ok {
		if f.infos = strings.Fields(infos.value); len(f.infos) != len(f.names) {
			return errorAt(infos.line, "feature_infos has %d values, not %d", len(f.infos), len(f.names))
		}
	}
	return nil
}

// readTrees reads the trees; the current line is the first one's "Tree=".
func (f *file) readTrees() error {
	l := &f.lines
	for !ends(l.text) {
		if want := "Tree=" + strconv.Itoa(len(f.trees)); l.text != want {
			return errorAt(l.line, "%s is not %s: a tree is missing", quote(l.text), want)
		}
		f.starts = append(f.starts, l.start)
		section := entries{line: l.line, name: "tree " + strconv.Itoa(len(f.trees)), values: map[string]entry{}}
		more := l.scan()
		for ; more && !ends(l.text) && !strings.HasPrefix(l.text, "Tree="); more = l.scan() {
			if l.text == "" {
				continue
			}
			if err := section.add(l); err != nil {
				return err
			}
		}
		if !more {
			return errorAt(l.line, "the file ends in tree %d: it is truncated", len(f.trees))
		}
		t, err := parseTree(&section, len(f.names))
		if err != nil {
			return err
		}
		f.trees = append(f.trees, t)
	}
	f.starts = append(f.starts, l.start)
	if n := len(f.trees); n%f.outputs != 0 {
		return errorAt(l.line, "%d trees are no whole number of iterations of %d trees", n, f.outputs)
	}
	return f.checkSizes()
}

// checkSizes compares the trees with the sizes that the header promises.
func (f *file) checkSizes() error {
	sizes, ok := f.header.values["tree_sizes"]
	if !ok {
		return nil
	}
	words := strings.Fields(sizes.value)
	if len(words) != len(f.trees) {
		return errorAt(sizes.line, "tree_sizes has %d values for %d trees", len(words), len(f.trees))
	}
	for i, word := range words {
		if size := f.starts[i+1] - f.starts[i]; word != strconv.Itoa(size) {
			return errorAt(f.trees[i].line, "tree %d has %d bytes, and tree_sizes says %s: the file was changed", i, size, quote(word))
		}
	}
	return nil
}

// readTail reads what follows the trees.
func (f *file) readTail() error {
	l := &f.lines
	parameters := 0 // the line on which they begin, while they are open
	for l.scan() {
		switch text := l.text; {
		case text == "parameters:":
			parameters = l.line
		case text == "end of parameters":
			parameters = 0
		case parameters > 0 && strings.HasPrefix(text, "[categorical_feature: "):
			f.categorical = strings.TrimSuffix(strings.TrimPrefix(text, "[categorical_feature: "), "]")
		case strings.HasPrefix(text, "pandas_categorical:"):
			f.dictionary = entry{strings.TrimPrefix(text, "pandas_categorical:"), l.line}
		}
	}
	if parameters > 0 {
		return errorAt(l.line, "the file ends in the parameters, which begin on line %d: it is truncated", parameters)
	}
	return nil
}
