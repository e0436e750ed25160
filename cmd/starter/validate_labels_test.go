package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// validate refuses what register would refuse, also beyond the contract of the batch.
func TestValidateReadsWhatIsRegistered(t *testing.T) {
	for _, tt := range []struct {
		name               string
		file, before, then string
		code               int
		stdout, stderr     string // each a part; stderr with DIR for the directory
	}{
		{"a good pipeline names the labels' contract", "loop.yaml", "", "", 0, "labels.yaml: contract ", ""},
		{"labels without a window", "labels.yaml", "value: 30d", "value: a month", 1, "", `labelWindow must be a number and a unit`},
		{"labels that are no YAML", "labels.yaml", "apiVersion", "\tapiVersion", 1, "", "DIR/labels.yaml:"},
		{"labels of another key", "labels.yaml", "name: customer_id", "name: client_id", 1, "", "DIR/loop.yaml: "},
		{"a parameter that the trainer does not know", "loop.yaml", "num_leaves", "leafs", 1, "", "DIR/loop.yaml: training.parameters: "},
		{"a list where a pipeline should be", "loop.yaml", "pipeline: retailer", "- pipeline", 1, "", "DIR/loop.yaml:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"loop.yaml", "contract.yaml", "labels.yaml"} {
				text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "retailer", name))
				if err != nil {
					t.Fatal(err)
				}
				if name == tt.file && tt.before != "" {
					if !strings.Contains(string(text), tt.before) {
						t.Fatalf("%s has no %q", name, tt.before)
					}
					text = []byte(strings.Replace(string(text), tt.before, tt.then, 1))
				}
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, stdout, stderr := starter(t, "validate", filepath.Join(dir, "loop.yaml"))
			stderr = strings.ReplaceAll(stderr, dir, "DIR")
			if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("got %d, %q and %q; want %d, %q and %q", code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
			}
		})
	}
}
