package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headgate/schemas"
)

// referencePages are the pages of docs/reference that this package writes, by file.
var referencePages = map[string]func() (string, error){
	"cli.md":      cliReference,
	"pipeline.md": pipelineReference,
}

// The reference is what the code says. After a change of a command or of the schema:
//
//	go test -run TestReference ./cmd/starter -update
func TestReference(t *testing.T) {
	for name, write := range referencePages {
		t.Run(name, func(t *testing.T) {
			want, err := write()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("../../docs/reference", name)
			if *update {
				if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := readFile(t, file); !bytes.Equal(got, []byte(want)) {
				t.Errorf("%s is not what the code says; run go test -run TestReference ./cmd/starter -update", file)
			}
		})
	}
}

// cliReference writes every command with its flags and examples.
func cliReference() (string, error) {
	var b strings.Builder
	b.WriteString("# The command line\n\nWhat `starter COMMAND --help` says, in one page. It is written from the code; do not edit it.\n\n")
	root := newRootCommand(&env{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }})
	fmt.Fprintf(&b, "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 blocked.\n")
	for _, c := range commandsUnder(root) {
		c.InitDefaultHelpFlag()
		fmt.Fprintf(&b, "\n## %s\n\n    %s\n\n%s\n", c.CommandPath(), c.UseLine(), paragraph(c))
		writeFlags(&b, c)
		if c.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n\n%s\n", indented(c.Example))
		}
	}
	return b.String(), nil
}

// commandsUnder returns the commands that do something, in the order of their names.
func commandsUnder(c *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.Name() == "help" || sub.Name() == "completion" || sub.Hidden {
			continue
		}
		if sub.HasSubCommands() {
			list = append(list, commandsUnder(sub)...)
			continue
		}
		list = append(list, sub)
	}
	return list
}

// paragraph is a command's long text. Lines that it indents stay as they are.
func paragraph(c *cobra.Command) string {
	text := strings.TrimSpace(c.Long)
	if text == "" {
		text = c.Short + "."
	}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "  ") {
			line = "    " + strings.TrimLeft(line, " ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// indented is an example as a block of Markdown.
func indented(example string) string {
	var lines []string
	for line := range strings.Lines(strings.Trim(example, "\n")) {
		lines = append(lines, "    "+strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

func writeFlags(b *strings.Builder, c *cobra.Command) {
	var rows []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" {
			usage += " (" + f.DefValue + " unless given)"
		}
		rows = append(rows, fmt.Sprintf("| `--%s` | %s | %s |", f.Name, markdownCell(kind), markdownCell(usage)))
	})
	if len(rows) > 0 {
		fmt.Fprintf(b, "\n| flag | value | meaning |\n|---|---|---|\n%s\n", strings.Join(rows, "\n"))
	}
}

// markdownCell escapes what a table of Markdown would take for its own.
func markdownCell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}

// A property is a part of a JSON Schema (2020-12), as far as our schema of the pipeline
// file uses it.
type property struct {
	Ref         string              `json:"$ref"`
	Description string              `json:"description"`
	Type        any                 `json:"type"`
	Enum        []any               `json:"enum"`
	Const       any                 `json:"const"`
	Default     json.RawMessage     `json:"default"`
	Examples    []json.RawMessage   `json:"examples"`
	Properties  map[string]property `json:"properties"`
	Items       *property           `json:"items"`
	OneOf       []property          `json:"oneOf"`
	AnyOf       []property          `json:"anyOf"`
	Required    []string            `json:"required"`
	Defs        map[string]property `json:"$defs"`
}

// pipelineReference writes every key of the pipeline file, from its schema.
func pipelineReference() (string, error) {
	var root property
	if err := json.Unmarshal(schemas.Pipeline, &root); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Keys of the pipeline file\n\nEvery key with its type and default, from `schemas/pipeline.json`. It is written from the code; do not edit it.\n[../pipeline.md](../pipeline.md) tells the same with examples and reasons.\n\n| key | value | default | meaning |\n|---|---|---|---|\n")
	writeProperties(&b, "", root, root.Defs)
	return b.String(), nil
}

func writeProperties(b *strings.Builder, prefix string, of property, defs map[string]property) {
	for _, name := range slices.Sorted(maps.Keys(of.Properties)) {
		p := resolve(of.Properties[name], defs)
		key := prefix + name
		need := compact(p.Default)
		if slices.Contains(of.Required, name) {
			need = "*needed*"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, markdownCell(values(p, defs)), markdownCell(need), markdownCell(p.Description))
		writeBelow(b, key, p, defs)
	}
}

// writeBelow writes the keys of an object, of the items of a list, and of alternatives.
func writeBelow(b *strings.Builder, key string, p property, defs map[string]property) {
	writeProperties(b, key+".", p, defs)
	if p.Items != nil {
		writeProperties(b, key+"[].", resolve(*p.Items, defs), defs)
	}
	for _, one := range slices.Concat(p.OneOf, p.AnyOf) {
		one = resolve(one, defs)
		writeProperties(b, key+".", one, defs)
		if one.Items != nil {
			writeProperties(b, key+"[].", resolve(*one.Items, defs), defs)
		}
	}
}

// resolve follows a reference; what stands beside it counts.
func resolve(p property, defs map[string]property) property {
	name, ok := strings.CutPrefix(p.Ref, "#/$defs/")
	if !ok {
		return p
	}
	target := resolve(defs[name], defs)
	if p.Description != "" {
		target.Description = p.Description
	}
	if p.Default != nil {
		target.Default = p.Default
	}
	return target
}

// values says what may stand at a key.
func values(p property, defs map[string]property) string {
	switch {
	case len(p.Enum) > 0:
		var list []string
		for _, v := range p.Enum {
			list = append(list, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(list, ", ")
	case p.Const != nil:
		return fmt.Sprintf("`%v`", p.Const)
	case len(p.OneOf)+len(p.AnyOf) > 0:
		var list []string
		for _, one := range slices.Concat(p.OneOf, p.AnyOf) {
			if text := values(resolve(one, defs), defs); text != "" && !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
		return strings.Join(list, " or ")
	case p.Items != nil:
		if of := values(resolve(*p.Items, defs), defs); of != "" {
			return "list of " + of
		}
		return "list"
	case p.Type != nil:
		return strings.Trim(fmt.Sprint(p.Type), "[]")
	}
	return ""
}

func compact(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return "`" + b.String() + "`"
}
