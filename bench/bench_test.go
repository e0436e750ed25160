package main

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestMeasure(t *testing.T) {
	t.Chdir("..")
	var progress bytes.Buffer
	s, err := parse([]string{"-dir", t.TempDir(), "-rows", "3000", "-shard-rows", "1000"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := generate(t.Context(), s, &progress); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(progress.String(), "\n"); n != 1 {
		t.Errorf("got %d files generated, want 1, and used again the second time:\n%s", n, progress.String())
	}
	r, err := measure(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows != 3000 || r.Published != 3000 || r.Duplicates != 0 || r.Features != 28 || r.Read == 0 || r.Written == 0 {
		t.Errorf("got %+v, want 3000 rows of 28 features, all published", r)
	}
	var table bytes.Buffer
	r.print(&table)
	for _, line := range []string{"decode", "check", "profile", "score", "write", "runtime", "all"} {
		if !regexp.MustCompile(`(?m)^ *` + line + ` +[0-9.-]+ `).MatchString(table.String()) {
			t.Errorf("no line for %s in\n%s", line, table.String())
		}
	}
	if left, err := os.ReadDir(s.dir); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v in the directory, want the batch alone", left, err)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{name: "no rows", args: []string{"-rows", "0"}, want: "-rows, -shard-rows, -parallel and -peer-rows are at least 1"},
		{name: "an argument", args: []string{"now"}, want: `unknown argument "now"`},
		{name: "an unknown flag", args: []string{"-row", "1"}, want: "flag provided but not defined: -row"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := parse(tc.args, io.Discard); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
