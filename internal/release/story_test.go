package release

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestStories plays scripts: after every line it does all that Next says. The files'
// comments say what each story is about and, in the last line, which settings it is
// told in.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			comment := strings.TrimSpace(string(archive.Comment))
			name := strings.TrimPrefix(comment[strings.LastIndex(comment, "\n")+1:], "settings: ")
			set, ok := strategies[name]
			if !ok {
				t.Fatalf("no settings %q", name)
			}
			w := newWorld(set)
			for line := range strings.Lines(string(archive.Files[0].Data)) {
				if err := w.run(strings.TrimSpace(line)); err != nil {
					t.Fatal(err)
				}
			}
			got := strings.Join(w.lines, "\n") + "\n"
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(archive.Files) < 2 || string(archive.Files[1].Data) != got {
				t.Errorf("got\n%s", got)
			}
		})
	}
}
