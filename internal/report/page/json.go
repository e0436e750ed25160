package page

import (
	"bytes"
	"encoding/json"
)

// JSON renders what a page was made of, for programs: indented, in the order of its fields,
// <, > and & as they are, a newline at the end.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
