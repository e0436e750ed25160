package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"headgate/internal/figure"
)

// validate comes to the verdict of a run: the same violations, and as many rows in
// quarantine, for every batch of the conformance suite that is judged by itself, and
// not by other objects, other batches or the time of day.
func TestValidateAgreesWithTheSuite(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("..", "..", "testdata", "odcs", "batches", "*.txtar"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(ar.Files[0].Data, []byte("relationships:")) || len(ar.Files) > 4 {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			file, want := filepath.Join(t.TempDir(), "contract.yaml"), ""
			var err error
			for _, f := range ar.Files {
				switch f.Name {
				case "contract.yaml":
					err = os.WriteFile(file, f.Data, 0o600)
				case "want":
					want = string(f.Data)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := starter(t, "validate", file, "--data", strings.TrimSuffix(path, ".txtar")+".parquet")
			bad, quarantined := 0, strings.Count(want, "\nquarantine row ")
			for line := range strings.Lines(want) {
				severity, _, _ := strings.Cut(line, " ")
				if severity == "error" || severity == "warning" || severity == "info" {
					bad++
					if !strings.Contains(stdout, "\n"+line) {
						t.Errorf("no %q", line)
					}
				}
			}
			if n := strings.Count(stdout, "\nerror ") + strings.Count(stdout, "\nwarning ") + strings.Count(stdout, "\ninfo "); n != bad {
				t.Errorf("got %d violations, want %d", n, bad)
			}
			rows := fmt.Sprintf("%s of ", figure.Things(quarantined, "row"))
			if !strings.Contains(stdout, "\n"+rows) && !strings.Contains(stderr, "no row was read") {
				t.Errorf("not %s", rows)
			}
			blocked := strings.HasPrefix(want, "verdict block") || quarantined > 0 // a contract alone has no budget
			if blocked != (code == 3) || code != 0 && code != 3 {
				t.Errorf("got exit code %d", code)
			}
			if t.Failed() {
				t.Logf("got:\n%s%swant:\n%s", stdout, stderr, want)
			}
		})
	}
}
