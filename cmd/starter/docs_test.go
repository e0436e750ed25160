package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"headgate/workflows"
)

// documented finds the commands that a page shows.
var documented = regexp.MustCompile(`(?m)^ {4,}starter (.*)$`)

// word is an argument, in quotes or not.
var word = regexp.MustCompile(`"[^"]*"|\S+`)

// beyond is what follows a command in its line: a comment, a pipe, another command.
var beyond = regexp.MustCompile(` +(#|\||>|&&|;).*$`)

// pages returns every page of documentation, the README first.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"../../README.md", "../../CONTRIBUTING.md"}
	err := filepath.WalkDir("../../docs", func(file string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(file, ".md") {
			all = append(all, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCommandsThatTheDocsShowAreKnown(t *testing.T) {
	shown, all := 0, pages(t)
	for _, page := range all {
		for _, line := range documented.FindAllStringSubmatch(string(readFile(t, page)), -1) {
			command := beyond.ReplaceAllString(line[1], "")
			if strings.HasSuffix(command, `\`) || strings.HasSuffix(line[1], "[flags]") { // it goes on in the next line, or is a usage
				continue
			}
			shown++
			t.Run(filepath.Base(page)+"/"+command, func(t *testing.T) { mustParse(t, command) })
		}
	}
	if shown < 100 {
		t.Errorf("%d commands in %d pages, want more", shown, len(all))
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
	if err := c.ParseFlags(rest); errors.Is(err, pflag.ErrHelp) {
		return
	} else if err != nil {
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
