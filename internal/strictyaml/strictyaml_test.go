package strictyaml_test

import (
	"strings"
	"testing"

	"headgate/internal/strictyaml"
)

// read opens a text and reads it as a map with the keys a (a number), b (a
// boolean), c (a list of strings) and d (x or y).
func read(text string) error {
	root, file, err := strictyaml.Open("f.yaml", []byte(text))
	if err != nil {
		return err
	}
	if fs, ok := root.Map("the file", "a", "b", "c", "d"); ok {
		if v, ok := fs.Need("a"); ok {
			v.Rat("a")
		}
		if v, ok := fs.Get("b"); ok {
			v.Bool("b")
		}
		if v, ok := fs.Get("c"); ok {
			list, _ := v.List("c")
			for _, e := range list {
				e.Str("an entry of c")
			}
		}
		if v, ok := fs.Get("d"); ok {
			v.OneOf("d", "first", "second")
		}
	}
	return file.Err()
}

func TestProblemsHavePlaces(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
	}{
		{"nothing is wrong", "a: 1.5\nb: true\nc: [x, 'y', 2024-01-01]\nd: first\n", ""},
		{"every problem is named, in the order of the file", "d: frist\nc: [1]\nb: yes\na: one\n",
			"f.yaml:1:4: d \"frist\" is not known; did you mean first?\nf.yaml:2:5: an entry of c must be a string, not the number 1\n" +
				"f.yaml:3:4: b must be true or false, not a string\nf.yaml:4:4: a must be a number, not a string"},
		{"an unknown key", "a: 1\nbb: true\n", "f.yaml:2:1: the file has no key \"bb\""},
		{"a key twice", "a: 1\na: 2\n", "f.yaml:2:1: the file has \"a\" twice; the first is on line 1"},
		{"a key that is a list", "a: 1\n? [x]\n: 2\n", "f.yaml:2:3: a key must be a string, not a list"},
		{"a missing key", "b: true\n", "f.yaml:1:1: the file needs a"},
		{"nothing at all", "", "f.yaml:1:1: the file is empty"},
		{"only a comment", "# hello\n", "f.yaml:1:1: the file is empty"},
		{"only a document mark", "---\n", "f.yaml:2:1: the file must be a map, not nothing"},
		{"a list", "[1]", "f.yaml:1:1: the file must be a map, not a list"},
		{"two documents", "a: 1\n---\na: 2\n", "f.yaml:2:1: one document is enough: a second one begins here"},
		{"an anchor", "a: &x 1\n", "f.yaml:1:4: anchors and aliases are not read here; write the value out"},
		{"a tag", "a: !!float 1\n", "f.yaml:1:4: tags such as !!float are not read here"},
		{"a merge key", "a: 1\n<<: {b: true}\n", "f.yaml:2:1: merge keys are not read here; write the values out"},
		{"a broken list", "a: [1\n", "f.yaml:1:1: not YAML: did not find expected ',' or ']'"},
		{"infinity is no number here", "a: .inf\n", "f.yaml:1:4: a must be a finite decimal number of at most 400 digits, not the number .inf"},
		{"a choice that is far off", "a: 1\nd: zzz\n", "f.yaml:2:4: d \"zzz\" is not one of first, second"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := read(tt.text); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"too long":            "a: " + strings.Repeat("x", strictyaml.MaxSize),
		"too deep":            "a: " + strings.Repeat("[", 100_000),
		"a number of aliases": "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
		"not UTF-8":           "a: \xff\xfe\n",
		"a huge exponent":     "a: 1e1000000000\n",
	} {
		if err := read(text); err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: got %.200v", name, err)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"required", "unique", "quality", "minimum", "maximum", "warning"}
	for word, want := range map[string]string{
		"requierd": "required", "Unique": "unique", "qualtiy": "quality", "minimun": "minimum", "warn": "warning",
		"maximum": "maximum", "x": "", "zzzzzzzz": "", "": "",
	} {
		if got := strictyaml.Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", word, got, want)
		}
	}
}

// A place within a text is one in the file, as far as the text is there as it is.
func TestProblemsWithinAText(t *testing.T) {
	for _, tt := range []struct {
		name, text   string
		line, column int
		want         string
	}{
		{"plain", "a: one two\n", 1, 5, "f.yaml:1:8: here"},
		{"in quotes", "a: \"one two\"\n", 1, 5, "f.yaml:1:9: here"},
		{"after an escape", "a: 'it''s two'\n", 1, 6, "f.yaml:1:4: line 1, column 6: here"},
		{"in a block", "a: |\n  one\n  two\n", 2, 1, "f.yaml:1:4: line 2, column 1: here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, file, err := strictyaml.Open("f.yaml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			fs, _ := root.AnyMap("the file")
			v, _ := fs.Get("a")
			if n := v.Problems(); n != 0 {
				t.Errorf("%d problems before the first", n)
			}
			v.ProblemInf(tt.line, tt.column, "here")
			if err := file.Err(); err == nil || err.Error() != tt.want || v.Problems() != 1 {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
