package delta

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// partition is the name of the column that the table is partitioned by.
const partition = "batch"

// FilePath returns the path of a batch's data file, relative to the table's root:
// "batch=2024-01/NAME". Characters of the batch that Hive's layout of directories
// reserves are written as %XX, as Spark does it.
func FilePath(batch, name string) string { return dir(batch) + name }

// dir returns the directory of a batch, with a slash at the end.
func dir(batch string) string {
	var b strings.Builder
	b.WriteString(partition + "=")
	for i := range len(batch) {
		if c := batch[i]; c < ' ' || c == 0x7f || strings.IndexByte(`"#%'*/:=?\{}[]^`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + "/"
}

// escapePath writes a path as the URI (RFC 2396) that the log wants.
func escapePath(p string) string {
	names := strings.Split(p, "/")
	for i, name := range names {
		names[i] = url.PathEscape(name)
	}
	return strings.Join(names, "/")
}

// unescapePath reads a path from the log. It may lie outside the table's root, as
// those of a shallow clone do; no object of ours has such a path.
func unescapePath(uri string) (string, error) {
	p, err := url.PathUnescape(uri)
	if err == nil && p == "" {
		err = errors.New("empty")
	}
	return p, err
}

// checkPath says why a file cannot be one of the batch's, or "".
func checkPath(batch, p string) string {
	name, ok := strings.CutPrefix(p, dir(batch))
	switch {
	case !ok:
		return "lies outside " + dir(batch)
	case name == "" || strings.Contains(name, "/"):
		return "is not directly in " + dir(batch)
	case name[0] == '_' || name[0] == '.':
		return "has a name that readers take for hidden"
	}
	return ""
}
