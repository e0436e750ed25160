package main

import (
	"io"
	"regexp"
	"strings"
	"testing"
)

// documented finds the commands that a page shows.
var documented = regexp.MustCompile(`(?m)^ {4,}starter (.*)$`)

// word is an argument, in quotes or not.
var word = regexp.MustCompile(`"[^"]*"|\S+`)

func TestCommandsThatTheDocsShowAreKnown(t *testing.T) {
	var lines [][]string
	for _, page := range []string{"releases", "reports"} {
		found := documented.FindAllStringSubmatch(string(readFile(t, "../../docs/"+page+".md")), -1)
		if len(found) < 4 {
			t.Fatalf("%s: %d commands, want more", page, len(found))
		}
		lines = append(lines, found...)
	}
	for _, line := range lines {
		root := newRootCommand(&env{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }})
		args := word.FindAllString(line[1], -1)
		for i := range args {
			args[i] = strings.Trim(args[i], `"`)
		}
		c, rest, err := root.Find(args)
		if err != nil || !c.Runnable() || c.HasSubCommands() {
			t.Errorf("starter %s is no command (%v)", line[1], err)
			continue
		}
		if err := c.ParseFlags(rest); err != nil {
			t.Errorf("starter %s: %v", line[1], err)
			continue
		}
		if err := c.ValidateArgs(c.Flags().Args()); err != nil {
			t.Errorf("starter %s: %v", line[1], err)
		}
	}
}
