package workflows_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headgate/internal/retailer"
)

var update = flag.Bool("update", false, "rewrite the trees in testdata/tree, and docs/chaos.md")

// What a run leaves in the store, key by key: testdata/tree says what each is for.
func TestTree(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *world) (verdict string)
	}{
		{"published", func(w *world) string {
			w.deliver("2024-01", retailer.Options{Parts: 2})
			return string(w.mustScore("2024-01").Verdict)
		}},
		{"blocked-by-footers", func(w *world) string {
			w.deliver("2024-04", retailer.Options{Fault: retailer.MissingColumn})
			return string(w.mustScore("2024-04").Verdict)
		}},
		{"blocked-by-rows", func(w *world) string {
			w.deliver("2024-05", retailer.Options{Fault: retailer.Cents})
			return string(w.mustScore("2024-05").Verdict)
		}},
		{"late-quarantine", func(w *world) string {
			w.deliver("2024-01", retailer.Options{Fault: retailer.BadRows, Parts: 2})
			w.repeatRows("2024-01", 1)
			return string(w.mustScore("2024-01").Verdict)
		}},
		{"published-again-and-restored", func(w *world) string {
			w.deliver("2024-01", retailer.Options{})
			w.mustScore("2024-01")
			w.mustScore("2024-01") // unchanged: leaves nothing
			w.deliver("2024-01", retailer.Options{Fault: retailer.BadRows})
			out := w.mustScore("2024-01")
			w.restore("2024-01", 1)
			return string(out.Verdict)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 600)
			verdict := tt.do(w)
			if blocked := strings.HasPrefix(tt.name, "blocked"); blocked != (verdict == "block") {
				t.Errorf("verdict %s", verdict)
			}
			file := filepath.Join("testdata", "tree", tt.name+".txt")
			comment, want := readTree(t, file)
			got := tree(w.keys(""))
			if *update {
				if err := os.WriteFile(file, []byte(comment+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("%s\n got:\n%s\nwant:\n%s", comment, got, want)
			}
		})
	}
}

// readTree splits a golden file into the lines that say what it shows and the keys.
func readTree(t *testing.T, file string) (comment, keys string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	comment, keys, ok := strings.Cut(string(data), "\n\n")
	if !ok {
		t.Fatalf("%s: no blank line after the comment", file)
	}
	return comment + "\n\n", keys
}

// Digests depend on the time of the input files, which a plan names.
var hexDigest = regexp.MustCompile(`\b[0-9a-f]{16,64}\b`)

// tree lists keys with their digests replaced: <digest> are the 16 digits that name
// runs and papers, <DIGEST> the 64 of blobs and data files. " +" is one more key of
// that shape.
func tree(keys []string) string {
	counts := map[string]int{}
	var lines []string
	for _, key := range keys {
		line := hexDigest.ReplaceAllStringFunc(key, func(d string) string {
			if strings.Trim(d, "0123456789") == "" && len(d) == 20 {
				return d // a version of the table
			}
			if len(d) == 16 {
				return "<digest>"
			}
			return "<DIGEST>"
		})
		if strings.HasPrefix(line, "blobs/") {
			line = "blobs/sha256/<DI>/<DIGEST>"
		}
		if counts[line]++; counts[line] == 1 {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line)
		if n := counts[line]; n > 1 {
			b.WriteString(strings.Repeat(" +", n-1))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Two stores that get the same files at the same times end up with the same table:
// the same names, the same bytes, and so the same answer to whoever compares them.
func TestTwoStoresGetTheSameTable(t *testing.T) {
	w := mixed(t)
	one, two := w.twin(t), w.twin(t)
	first, second := one.mustScore("2024-01"), two.mustScore("2024-01")
	if first.Run != second.Run || first.Values != second.Values {
		t.Errorf("first %+v, second %+v", first, second)
	}
	keys := one.keys("runs/")
	keys = append(keys, one.keys("scores/retailer/batch=2024-01/")...)
	if others := append(two.keys("runs/"), two.keys("scores/retailer/batch=2024-01/")...); !slices.Equal(keys, others) {
		t.Fatalf("keys\nfirst  %v\nsecond %v", keys, others)
	}
	for _, key := range keys {
		a, errA := one.bucket.Get(t.Context(), key)
		b, errB := two.bucket.Get(t.Context(), key)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v, %v)", key, errA, errB)
		}
	}
}
