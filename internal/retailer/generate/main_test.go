package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestRunWritesTheMonths(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-dir", dir, "-from", "2023-12", "-to", "2024-01", "-customers", "100", "-parts", "2", "-truth"}
	if err := run(context.Background(), args, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"features/2023-12/part-0000.parquet", "features/2024-01/part-0001.parquet",
		"labels/2024-01.parquet", "truth/2024-01.parquet",
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		args []string
	}{
		{name: "no directory"},
		{name: "an unknown fault", args: []string{"-dir", dir, "-fault", "flood"}},
		{name: "a month outside the world", args: []string{"-dir", dir, "-from", "2025-01"}},
		{name: "what is no month", args: []string{"-dir", dir, "-from", "may"}},
		{name: "an unknown flag", args: []string{"-what"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := run(context.Background(), append(tt.args, "-customers", "10"), io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}
