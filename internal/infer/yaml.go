package infer

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headgate/internal/contract"
)

// YAML returns the contract, in the Open Data Contract Standard 3.1.
func (d *Draft) YAML() []byte {
	var b bytes.Buffer
	for line := range strings.Lines(strings.TrimSuffix(d.Intro, "\n")) {
		b.WriteString(strings.TrimRight("# "+printable(strings.TrimSuffix(line, "\n")), " ") + "\n")
	}
	rows := "mustBeGreaterThan: 0"
	if d.LeastRow > 0 {
		rows = fmt.Sprintf("mustBeGreaterOrEqualTo: %d", d.LeastRow)
	}
	fmt.Fprintf(&b, `apiVersion: v3.1.0
kind: DataContract
id: %[1]s
name: %[1]s
version: 1.0.0
status: draft
schema:
  - name: %[1]s
    physicalType: file
%[3]s    quality:
      # A month with far fewer rows than usual is usually a broken delivery: raise this.
      - { id: rows, metric: rowCount, %[2]s }
    properties:
`, quoted(d.Name), rows, d.custom())
	for i := range d.Columns {
		d.property(&b, &d.Columns[i])
	}
	for _, name := range d.Nested {
		fmt.Fprintf(&b, "      # %s is nested and left out: only flat columns can be checked and scored.\n", printable(name))
	}
	return b.Bytes()
}

// custom returns the custom properties of the table.
func (d *Draft) custom() string {
	if len(d.Custom) == 0 {
		return ""
	}
	text := "    customProperties:\n"
	for _, o := range d.Custom {
		text += fmt.Sprintf("      - { property: %s, value: %s }\n", o.Key, o.Value)
	}
	return text
}

// property writes one column.
func (d *Draft) property(b *bytes.Buffer, c *Column) {
	line := func(format string, args ...any) { fmt.Fprintf(b, "        "+format+"\n", args...) }
	fmt.Fprintf(b, "      - name: %s\n", quoted(c.Name))
	for _, text := range c.Comments {
		line("# %s", printable(text))
	}
	if typ, _ := logicalType(c.Type); typ != "" {
		line("logicalType: %s", typ)
	} else {
		line("# All values are null here, so the file does not say what the type is.")
	}
	if len(c.Options) > 0 {
		var options []string
		for _, o := range c.Options {
			options = append(options, o.Key+": "+o.Value)
		}
		line("logicalTypeOptions: { %s }", strings.Join(options, ", "))
	}
	at := slices.Index(d.Key, c.Name)
	switch {
	case c.Nulls > 0 && at < 0:
		line("# %d of %d rows are null.", c.Nulls, d.Rows)
	case c.Nulls == 0 && c.Role != contract.RoleLabel:
		line("required: true")
	}
	switch {
	case at >= 0 && d.Repeated > 0:
		line("# No primary key: %d rows repeat the key of another.", d.Repeated)
	case at >= 0:
		line("primaryKey: true")
		line("primaryKeyPosition: %d", at+1)
	}
	if c.Classification != "" {
		line("classification: %s", c.Classification)
	}
	c.custom(line)
	c.quality(line)
}

// custom writes the properties that are ours.
func (c *Column) custom(line func(string, ...any)) {
	if c.Role == "" && c.PII == "" {
		return
	}
	line("customProperties:")
	if c.Role != "" {
		line("  - { property: mlRole, value: %s }", c.Role)
	}
	if c.PII != "" {
		line("  - { property: piiKind, value: %s }", c.PII)
	}
}

// quality writes what is expected of the values.
func (c *Column) quality(line func(string, ...any)) {
	if c.Valid == nil && c.NullPercent == 0 {
		return
	}
	line("quality:")
	if c.Valid != nil {
		var values []string
		for _, v := range c.Valid {
			values = append(values, quoted(v))
		}
		line("  - { metric: invalidValues, mustBe: 0, severity: warning, arguments: { validValues: [%s] } }", strings.Join(values, ", "))
	}
	if c.NullPercent > 0 {
		line("  - { metric: nullValues, unit: percent, mustBeLessOrEqualTo: %d, severity: warning }", c.NullPercent)
	}
}

// comment adds a comment to the column.
func (c *Column) comment(format string, args ...any) {
	c.Comments = append(c.Comments, fmt.Sprintf(format, args...))
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// words are plain names that YAML, old or new, reads as something else.
var words = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// quoted writes a text as a YAML string.
func quoted(name string) string {
	if plainName.MatchString(name) && !slices.Contains(words, strings.ToLower(name)) {
		return name
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > 0x7e }) {
		return strconv.QuoteToASCII(name)
	}
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}

// printable makes a text safe to stand in a comment.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
