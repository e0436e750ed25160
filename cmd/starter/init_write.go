package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
)

// contract returns the text of contract.yaml.
func (d *draft) contract() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# The data contract of the pipeline %[1]s, in the Open Data Contract Standard 3.1.
# Written by "starter init" from %[2]s (%[3]d rows) and the inputs of %[4]s.
#
# What was seen in that one batch: columns, types, where there were no nulls.
# What nobody looked at: which values are right. Add that where you know it:
#
#   logicalTypeOptions: { minimum: 0, maximum: 120 }           rows outside go to quarantine
#   quality:
#     - { metric: invalidValues, arguments: { validValues: [a, b] }, mustBe: 0 }
#     - { metric: nullValues, mustBeLessThan: 5, unit: percent }   blocks the batch
#
# and say who may see a column with classification: public, internal, confidential
# or restricted.
apiVersion: v3.1.0
kind: DataContract
id: %[1]s
name: %[1]s
version: 1.0.0
status: draft
schema:
  - name: %[1]s
    physicalType: file
    quality:
      # A month with far fewer rows than usual is usually a broken delivery: raise this.
      - { id: rows, metric: rowCount, mustBeGreaterThan: 0 }
    properties:
`, d.name, comment(d.data), d.rows, comment(d.model))
	for _, c := range d.columns {
		d.property(&b, c)
	}
	for _, name := range d.nested {
		fmt.Fprintf(&b, "      # %s is nested and left out: only flat columns can be checked and scored.\n", comment(name))
	}
	return b.Bytes()
}

// property writes one column.
func (d *draft) property(b *bytes.Buffer, c draftColumn) {
	fmt.Fprintf(b, "      - name: %s\n", quoted(c.name))
	typ, options := logicalType(c.typ)
	if typ != "" {
		fmt.Fprintf(b, "        logicalType: %s\n", typ)
	} else {
		fmt.Fprintf(b, "        # All values are null here, so the file does not say what the type is.\n")
	}
	if options != "" {
		fmt.Fprintf(b, "        logicalTypeOptions: { %s }\n", options)
	}
	at := slices.Index(d.keys, c.name)
	role := ""
	switch {
	case at >= 0:
		role = "entityKey"
	case c.name == d.label:
		role = "label"
	case c.feature:
		role = "feature"
	}
	switch {
	case c.nulls > 0 && at < 0:
		fmt.Fprintf(b, "        # %d of %d rows are null.\n", c.nulls, d.rows)
	case c.nulls == 0 && role != "label":
		fmt.Fprintf(b, "        required: true\n")
	}
	switch {
	case at >= 0 && d.repeated > 0:
		fmt.Fprintf(b, "        # No primary key: %d rows repeat the key of another.\n", d.repeated)
	case at >= 0:
		fmt.Fprintf(b, "        primaryKey: true\n        primaryKeyPosition: %d\n", at+1)
	}
	if role != "" {
		fmt.Fprintf(b, "        customProperties:\n          - { property: mlRole, value: %s }\n", role)
	}
}

// logicalType returns the standard's type for an Arrow type, and options that the
// file's type needs. It is "" for a column without a type.
func logicalType(t arrow.DataType) (typ, options string) {
	switch id := t.ID(); {
	case id == arrow.STRING || id == arrow.LARGE_STRING:
		return "string", ""
	case id == arrow.DICTIONARY:
		return logicalType(t.(*arrow.DictionaryType).ValueType)
	case id == arrow.BINARY || id == arrow.LARGE_BINARY || id == arrow.FIXED_SIZE_BINARY:
		return "string", "format: binary"
	case arrow.IsInteger(id):
		return "integer", ""
	case arrow.IsFloating(id) || arrow.IsDecimal(id):
		return "number", ""
	case id == arrow.BOOL:
		return "boolean", ""
	case id == arrow.DATE32 || id == arrow.DATE64:
		return "date", ""
	case id == arrow.TIMESTAMP:
		zoned := t.(*arrow.TimestampType).TimeZone != ""
		return "timestamp", fmt.Sprintf("timezone: %v", zoned)
	case id == arrow.TIME32 || id == arrow.TIME64:
		return "time", ""
	}
	return "", ""
}

// pipeline returns the text of pipeline.yaml.
func (d *draft) pipeline() []byte {
	return fmt.Appendf(nil, `# The pipeline %[1]s. Written by "starter init"; every key is explained in
# schemas/pipeline.json.
pipeline: %[1]s
contract: contract.yaml
input:
  # Where a batch is, in the store. Or an absolute URL, as in
  # s3://lake/%[1]s/{batch}/*.parquet or file:///data/%[1]s/{batch}/*.parquet
  files: incoming/%[1]s/{batch}/*.parquet
# A batch is a month (2024-01), a day (2024-01-31), or any name.
batch: month
scores:
  # Columns of the batch that are published beside the scores; the key always is.
  keep: []
quarantine:
  # More bad rows than this, and the batch is blocked. Nobody has measured what is
  # normal for your data: start low, and look at what goes to quarantine.
  budget: 1%%
`, d.name)
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// words are plain names that YAML, old or new, reads as something else.
var words = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// quoted writes a name as a YAML string.
func quoted(name string) string {
	if plainName.MatchString(name) && !slices.Contains(words, strings.ToLower(name)) {
		return name
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r > 0x7e }) {
		return strconv.QuoteToASCII(name)
	}
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}

// comment makes a name safe to stand in a comment.
func comment(name string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, name)
}
