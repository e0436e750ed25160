package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"headgate/workflows"
)

// documented finds the commands that a page shows.
var documented = regexp.MustCompile(`(?m)^ {4,}starter (.*)$`)

// word is an argument, in quotes or not.
var word = regexp.MustCompile(`"[^"]*"|\S+`)

func TestCommandsThatTheDocsShowAreKnown(t *testing.T) {
	var lines [][]string
	for _, page := range []string{"releases.md", "console.md"} {
		found := documented.FindAllStringSubmatch(string(readFile(t, "../../docs/"+page)), -1)
		if len(found) < 5 {
			t.Fatalf("%s shows %d commands, want more", page, len(found))
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

// The page about the console lists every view as starter prints it, and every search
// attribute.
func TestTheConsolePageHasEveryViewAndAttribute(t *testing.T) {
	page := string(readFile(t, "../../docs/console.md"))
	for _, v := range workflows.Views("") {
		if !strings.Contains(page, "    "+v.Asks+"\n      filter   "+v.Query+"\n") {
			t.Errorf("docs/console.md does not list the view %s: %s", v.Name, v.Query)
		}
	}
	for _, a := range workflows.SearchAttributes() {
		if !strings.Contains(page, fmt.Sprintf("| `%s` | %s |", a.Name, a.Type)) {
			t.Errorf("docs/console.md does not explain %s of type %s", a.Name, a.Type)
		}
	}
}
