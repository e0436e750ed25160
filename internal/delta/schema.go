package delta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A column is a column of the table.
type column struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Nullable bool            `json:"nullable"`
	Metadata json.RawMessage `json:"metadata"`
}

// noMetadata is what a column has if no other program gave it any.
var noMetadata = json.RawMessage("{}")

// timestampNTZ is the one type that needs more than the oldest protocol.
const timestampNTZ = "timestamp_ntz"

var primitives = []string{"string", "long", "integer", "short", "byte", "float", "double", "boolean",
	"binary", "date", "timestamp", timestampNTZ}

var decimal = regexp.MustCompile(`^decimal\((0|[1-9][0-9]?),(0|[1-9][0-9]?)\)$`)

// checkFields returns nil if data files may have these columns, or an error,
// mostly a [*SchemaError]. Names must be distinct whatever their case, must not be "batch", and must not
// contain a space or any of ,;{}()=, which Spark refuses.
func checkFields(fields []Field) error {
	seen := map[string]bool{partition: true}
	for _, f := range fields {
		lower := strings.ToLower(f.Name)
		switch {
		case f.Name == "" || !utf8.ValidString(f.Name):
			return &SchemaError{f.Name, "has no valid name"}
		case lower == partition:
			return &SchemaError{f.Name, "is the table's own: the partition"}
		case strings.ContainsAny(f.Name, " ,;{}()\n\t\r="):
			return &SchemaError{f.Name, "contains a character that readers of Delta Lake refuse"}
		case seen[lower]:
			return &SchemaError{f.Name, "is there twice, by the rules of Delta Lake, which ignore case"}
		case !knownType(f.Type):
			return &SchemaError{f.Name, fmt.Sprintf("has type %q, which is no primitive type of Delta Lake", f.Type)}
		}
		seen[lower] = true
	}
	if len(fields) == 0 {
		return errors.New("delta: data files have at least one column")
	}
	return nil
}

func knownType(t string) bool {
	if slices.Contains(primitives, t) {
		return true
	}
	m := decimal.FindStringSubmatch(t)
	if m == nil {
		return false
	}
	precision, _ := strconv.Atoi(m[1]) // two digits at most
	scale, _ := strconv.Atoi(m[2])
	return precision >= 1 && precision <= 38 && scale <= precision
}

// firstColumns returns the columns of a new table.
func firstColumns(fields []Field) []column {
	columns := make([]column, 0, len(fields)+1)
	for _, f := range fields {
		columns = append(columns, column{f.Name, f.Type, f.Nullable, noMetadata})
	}
	return append(columns, column{partition, "string", false, noMetadata})
}

// evolve returns the table's columns after data files with these fields, and
// whether that changes the table. A new column goes to the end and is nullable,
// because earlier files lack it; a column that the files lack or that may be null
// in them becomes nullable. Nothing is ever taken away, so that every publication
// can be restored.
func evolve(columns []column, fields []Field) ([]column, bool, error) {
	out := slices.Clone(columns)
	at := map[string]int{}
	nullable := map[string]bool{}
	for i, c := range out {
		at[strings.ToLower(c.Name)] = i
		nullable[c.Name] = c.Name != partition // unless the files say otherwise
	}
	for _, f := range fields {
		i, ok := at[strings.ToLower(f.Name)]
		if !ok {
			out = append(out, column{f.Name, f.Type, true, noMetadata})
			continue
		}
		if c := out[i]; c.Name != f.Name || c.Type != f.Type {
			return nil, false, &SchemaError{f.Name, fmt.Sprintf("has type %s; the published table has %q of type %s for ever, so deliver it like that",
				f.Type, c.Name, c.Type)}
		}
		nullable[f.Name] = f.Nullable
	}
	changed := len(out) != len(columns)
	for i, c := range columns {
		if nullable[c.Name] && !c.Nullable {
			out[i].Nullable, changed = true, true
		}
	}
	return out, changed, nil
}

// encodeSchema returns the schema as the log wants it: JSON within a string.
func encodeSchema(columns []column) (string, error) {
	b, err := encodeJSON(struct {
		Type   string   `json:"type"`
		Fields []column `json:"fields"`
	}{"struct", columns})
	return string(b), err
}

// parseSchema reads a schema. feature names what it needs and we do not know.
func parseSchema(s string) (columns []column, feature string, err error) {
	var schema struct {
		Type   string `json:"type"`
		Fields []struct {
			Name     string          `json:"name"`
			Type     json.RawMessage `json:"type"`
			Nullable *bool           `json:"nullable"`
			Metadata json.RawMessage `json:"metadata"`
		} `json:"fields"`
	}
	if err := json.Unmarshal([]byte(s), &schema); err != nil {
		return nil, "", err
	}
	if schema.Type != "struct" {
		return nil, "", fmt.Errorf("a schema of type %q", schema.Type)
	}
	seen := map[string]bool{}
	for _, f := range schema.Fields {
		if f.Name == "" || seen[strings.ToLower(f.Name)] || f.Nullable == nil {
			return nil, "", fmt.Errorf("column %q has no name, a name twice, or no nullable", f.Name)
		}
		seen[strings.ToLower(f.Name)] = true
		c := column{Name: f.Name, Nullable: *f.Nullable, Metadata: noMetadata}
		if json.Unmarshal(f.Type, &c.Type) != nil || !knownType(c.Type) {
			return nil, fmt.Sprintf("type %s of column %q", f.Type, f.Name), nil
		}
		if c.Metadata, feature, err = columnMetadata(f.Metadata); err != nil || feature != "" {
			return nil, feature, err
		}
		columns = append(columns, c)
	}
	if !seen[partition] {
		return nil, "", fmt.Errorf("no column %q", partition)
	}
	return columns, "", nil
}

// columnMetadata compacts what other programs say of a column. Keys that begin
// with "delta." change what a writer must do.
func columnMetadata(raw json.RawMessage) (json.RawMessage, string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return noMetadata, "", nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, "", err
	}
	for key := range values {
		if strings.HasPrefix(key, "delta.") {
			return nil, "column metadata " + key, nil
		}
	}
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.Bytes(), "", err
}
