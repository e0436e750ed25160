// Package strictyaml reads the YAML files that people write, strictly: every key
// must be known, every value must have the kind that was asked for, and every
// problem carries the line and column that an editor can jump to.
//
// It never guesses. Duplicate keys, anchors, aliases, merge keys and second
// documents are problems, and an unknown key names its nearest neighbour. A reader
// goes on after a problem, so that one run shows all of them.
package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 4 << 20

// A Problem is one thing that is wrong with a file. Lines and columns count from 1.
type Problem struct {
	Line, Column int
	Message      string
}

// An Error lists every problem of one file, in the order of the file.
type Error struct {
	Name     string // as given to [Open]
	Problems []Problem
}

// Error returns one line for each problem: name:line:column: message.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s", e.Name, p.Line, p.Column, p.Message)
	}
	return b.String()
}

// A File collects the problems found while its values are read.
type File struct {
	name     string
	problems []Problem
}

// Open parses data and returns its only document. The file of the value collects
// what is found later; [File.Err] returns all of it. A syntax error, an empty
// file, or one over [MaxSize] gives an error at once.
func Open(name string, data []byte) (Value, *File, error) {
	f := &File{name: name}
	if len(data) > MaxSize {
		f.add(1, 1, fmt.Sprintf("the file has %d bytes, more than %d", len(data), MaxSize))
		return Value{}, f, f.Err()
	}
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		f.add(1, 1, "the file is empty")
		return Value{}, f, f.Err()
	} else if err != nil {
		f.syntax(err)
		return Value{}, f, f.Err()
	}
	if err := d.Decode(&second); err == nil {
		f.add(second.Line, second.Column, "one document is enough: a second one begins here")
	} else if !errors.Is(err, io.EOF) {
		f.syntax(err)
	}
	return Value{f: f, n: doc.Content[0]}, f, f.Err()
}

// Err returns every problem so far as an [*Error], or nil.
func (f *File) Err() error {
	if len(f.problems) == 0 {
		return nil
	}
	ps := slices.Clone(f.problems)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Error{Name: f.name, Problems: ps}
}

func (f *File) add(line, column int, message string) {
	f.problems = append(f.problems, Problem{Line: line, Column: column, Message: message})
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?((?s).*)$`)

// syntax adds the parser's own error, which names a line but no column.
func (f *File) syntax(err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	line, convErr := strconv.Atoi(m[1])
	if convErr != nil {
		line = 1
	}
	f.add(line, 1, "not YAML: "+m[2])
}

// Nearest returns the candidate that a person who wrote word most likely meant:
// the one with the fewest edits, letter case set aside, or "" if all are far.
// A swap of neighbours counts as one edit. The first of equals wins. Failing that,
// it is the first candidate that word, of three letters or more, begins: warn is
// warning.
func Nearest(word string, candidates []string) string {
	best, bestEdits := "", 1+min(3, len(word)/3)
	for _, c := range candidates {
		if strings.EqualFold(word, c) {
			return c
		}
		if e := edits(strings.ToLower(word), strings.ToLower(c)); e < bestEdits {
			best, bestEdits = c, e
		}
	}
	if best == "" && len(word) >= 3 {
		for _, c := range candidates {
			if strings.HasPrefix(strings.ToLower(c), strings.ToLower(word)) {
				return c
			}
		}
	}
	return best
}

// Hint returns "; did you mean x?" for the nearest candidate, or "".
func Hint(word string, candidates []string) string {
	if c := Nearest(word, candidates); c != "" {
		return "; did you mean " + c + "?"
	}
	return ""
}

// edits is the optimal string alignment distance between a and b.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	older, prev, cur := rows[0], rows[1], rows[2]
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, prev, cur = prev, cur, older
	}
	return prev[len(b)]
}
