//go:build e2e

package columnar

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// peers runs testdata/peers.py.
func peers(t *testing.T, args ...string) {
	t.Helper()
	python := os.Getenv("HEADGATE_PYTHON")
	if python == "" {
		python = "../../.venv/bin/python"
	}
	out, err := exec.Command(python, append([]string{"testdata/peers.py"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("peers.py %v: %v\n%s", args, err, out)
	}
}

func TestReadWhatPeersWrite(t *testing.T) {
	for _, rows := range []string{"1", "40", "20000"} {
		dir := t.TempDir()
		peers(t, "write", dir, rows)
		compareFolder(t, dir)
	}
}

func TestPeersReadWhatWeWrite(t *testing.T) {
	dir := t.TempDir()
	fields := everyType()
	fields[len(fields)-3].Nullable = true
	for _, rows := range []int{0, 1, 5000, 60000} {
		for _, codec := range []string{"zstd", "snappy", "gzip", "lz4", "none"} {
			rec := makeRecord(fields, rows, uint64(rows), func(i int) bool { return i%7 == 3 || i/500%3 == 1 })
			name := filepath.Join(dir, fmt.Sprintf("%s_%d", codec, rows))
			if err := os.WriteFile(name+".parquet", writeFile(t, rec, &Options{RowGroup: 2500, Compression: codec}), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := os.Create(name + ".arrow")
			if err != nil {
				t.Fatal(err)
			}
			w, err := ipc.NewFileWriter(out, ipc.WithSchema(rec.Schema()))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			rec.Release()
		}
	}
	peers(t, "check", dir)
}
