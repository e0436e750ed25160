package version_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"headgate/internal/bundle"
	"headgate/internal/version"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Both bundles and what differs stand in one file.
func TestDiff(t *testing.T) {
	const name = "testdata/diff.txtar"
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	bundles := map[string]*bundle.Bundle{}
	want := -1
	for i, f := range archive.Files {
		if f.Name == "want" {
			want = i
			continue
		}
		var b bundle.Bundle
		if err := json.Unmarshal(f.Data, &b); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		bundles[f.Name] = &b
	}
	if want < 0 || len(bundles) != 3 {
		t.Fatalf("%d bundles, want 3, and what differs", len(bundles))
	}
	var text strings.Builder
	for _, pair := range [][2]string{{"old", "new"}, {"new", "old"}, {"old", "foreign"}, {"old", "old"}} {
		fmt.Fprintf(&text, "%s to %s\n", pair[0], pair[1])
		for _, d := range version.Diff(bundles[pair[0]], bundles[pair[1]]) {
			fmt.Fprintf(&text, "  %s | %s | %s | %s\n", d.Part, d.What, d.Old, d.New)
		}
	}
	if *update {
		archive.Files[want].Data = []byte(text.String())
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := string(archive.Files[want].Data); got != text.String() {
		t.Errorf("got\n%s\nwant\n%s", text.String(), got)
	}
}
