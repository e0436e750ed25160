package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headgate/internal/retailer"
)

// starterIn runs the starter in a directory and returns what it wrote.
func starterIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "starter", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("starter %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// trainingDesk is a directory with the shipped pipeline and contracts, labels among
// them, and months of features and of labels in files of their own.
func trainingDesk(t *testing.T, customers int, months ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"contract.yaml", "labels.yaml", "pipeline.yaml"} {
		text, err := os.ReadFile(filepath.Join(shipped, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "pipeline.yaml" {
			text = append(text, "labels: { files: \"labels/{batch}/*.parquet\", contract: labels.yaml }\n"...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shop := retailer.World{Seed: 3, Customers: customers}
	for _, month := range months {
		for name, write := range map[string]func(io.Writer) error{
			month + ".parquet":        func(to io.Writer) error { return shop.Write(t.Context(), to, month, nil) },
			month + "-labels.parquet": func(to io.Writer) error { return shop.WriteLabels(t.Context(), to, month, nil) },
		} {
			var buf bytes.Buffer
			if err := write(&buf); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestATrainingThatWasKilledGoesOnToTheSameModel(t *testing.T) {
	dir := trainingDesk(t, 2000, "2023-10")
	args := []string{"train", "pipeline.yaml", "--data", "2023-10.parquet", "--labels", "2023-10-labels.parquet", "--params", "num_iterations=300,num_leaves=15"}
	starterIn(t, dir, append(args, "--out", "whole.txt")...)

	killed := exec.CommandContext(t.Context(), "starter", append(args, "--out", "killed.txt", "--checkpoint", "at.txt")...)
	killed.Dir = dir
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "at.txt")); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if killed.Wait() == nil {
		t.Fatal("the training ended before it was killed")
	}
	starterIn(t, dir, append(args, "--out", "resumed.txt", "--resume", "at.txt")...)
	want, err := os.ReadFile(filepath.Join(dir, "whole.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "resumed.txt"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v; the model that was resumed has %d bytes, the other %d, and they differ", err, len(got), len(want))
	}
}

func TestLabelsComeFromFilesOfTheirOwn(t *testing.T) {
	dir := trainingDesk(t, 1500, "2023-10", "2023-11", "2023-12")
	if err := writeBought(filepath.Join(dir, "bought.parquet"), "2023-10"); err != nil {
		t.Fatal(err)
	}
	more := []string{"--params", "num_iterations=5"}
	starterIn(t, dir, append([]string{"train", "pipeline.yaml", "--data", "bought.parquet", "--out", "inside.txt"}, more...)...)
	starterIn(t, dir, append([]string{"train", "pipeline.yaml", "--data", "2023-10.parquet", "--labels", "2023-10-labels.parquet", "--out", "beside.txt"}, more...)...)
	inside, err1 := os.ReadFile(filepath.Join(dir, "inside.txt"))
	beside, err2 := os.ReadFile(filepath.Join(dir, "beside.txt"))
	if err1 != nil || err2 != nil || !bytes.Equal(inside, beside) {
		t.Errorf("%v, %v: labels beside the data give another model than labels in it", err1, err2)
	}
	parts := []string{"train", "pipeline.yaml", "--window", "0", "--params", "num_iterations=2", "--out", "m.txt"}
	for _, month := range []string{"2023-10", "2023-11", "2023-12"} {
		parts = append(parts, "--data", month+"="+month+".parquet", "--labels", month+"="+month+"-labels.parquet")
	}
	// 44 days after it began, November is known, and December is not.
	out := starterIn(t, dir, append(parts, "--as-of", "2024-01-01")...)
	if !strings.Contains(out, "3,000 rows in 4 files: 2023-10 … 2023-11") {
		t.Errorf("got %s", out)
	}
}
