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
var documented = regexp.MustCompile(`(?m)^ {4,}starter (.*?)(?: +# .*)?$`)

// word is an argument, in quotes or not.
var word = regexp.MustCompile(`"[^"]*"|\S+`)

func TestCommandsThatTheDocsShowAreKnown(t *testing.T) {
	for page, least := range map[string]int{"releases.md": 10, "alerts.md": 5, "schedules.md": 3, "console.md": 5} {
		lines := documented.FindAllStringSubmatch(string(readFile(t, "../../docs/"+page)), -1)
		if len(lines) < least {
			t.Errorf("%s has %d commands, want more", page, len(lines))
		}
		for _, line := range lines {
			mustParse(t, line[1])
		}
	}
}

// mustParse fails unless a command line is one that the starter understands.
func mustParse(t *testing.T, line string) {
	t.Helper()
	root := newRootCommand(&env{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }})
	args := word.FindAllString(line, -1)
	for i := range args {
		args[i] = strings.Trim(args[i], `"`)
	}
	c, rest, err := root.Find(args)
	if err != nil || !c.Runnable() || c.HasSubCommands() {
		t.Errorf("starter %s is no command (%v)", line, err)
		return
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("starter %s: %v", line, err)
		return
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("starter %s: %v", line, err)
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
