package pipeline

import (
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"headgate/internal/strictyaml"
)

// batchMark is where a pattern has the name of the batch.
const batchMark = "{batch}"

var braces = regexp.MustCompile(`\{[^{}]*\}|[{}]`)

var schemes = []string{"file", "s3", "gs", "azblob", "mem"}

// checkPattern returns what is wrong with the pattern of a batch's files, or "".
func checkPattern(s string) string {
	if reason := checkKeys(s); reason != "" || strings.Contains(s, batchMark) {
		return reason
	}
	return "must have {batch} in it, or every batch would read the same files"
}

// checkKeys returns what is wrong with a pattern of keys, or "".
func checkKeys(s string) string {
	for _, b := range braces.FindAllString(s, -1) {
		if b != batchMark {
			return "has " + b + ", and only {batch} can be filled in" + strictyaml.Hint(b, []string{batchMark})
		}
	}
	p := splitPattern(s)
	scheme, _, hasScheme := strings.Cut(s, "://")
	switch {
	case hasScheme && strictyaml.Nearest(scheme, schemes) != scheme:
		return "has a scheme that is not one of " + strings.Join(schemes, ", ")
	case hasScheme && strings.ContainsAny(p.base, "*{"):
		return "must name its bucket without * and {batch}"
	case !hasScheme && strings.HasPrefix(s, "/"):
		return "is a key pattern in the store, which begins with no slash; for a directory write file://" + s
	case strings.ContainsAny(p.keys, `[]\`):
		return `has one of [ ] \, which mean nothing here`
	case strings.HasSuffix(p.keys, "/") || p.keys == "":
		return "must end in a file name, as in *.parquet"
	}
	for segment := range strings.SplitSeq(p.keys, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return "has an empty, . or .. part"
		case strings.Contains(segment, "**") && segment != "**":
			return "has ** inside a name; it stands between slashes"
		}
	}
	return ""
}

// A pattern is where to look, and which keys to take there.
type pattern struct {
	base string // URL of another store, or "" for the pipeline's own
	keys string // pattern of keys in it
}

// splitPattern cuts a URL into its store and the keys in it. A bucket is a store;
// of a directory, the longest part without * and {batch} is.
func splitPattern(s string) pattern {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return pattern{keys: s}
	}
	query := ""
	if scheme != "file" { // ? is a wildcard in directories, and begins the options of a bucket
		rest, query, _ = strings.Cut(rest, "?")
		if query != "" {
			query = "?" + query
		}
		bucket, keys, _ := strings.Cut(rest, "/")
		return pattern{base: scheme + "://" + bucket + query, keys: keys}
	}
	fixed := rest
	if i := strings.IndexAny(rest, "*?{"); i >= 0 {
		fixed = rest[:i]
	}
	dir := path.Dir(fixed + "x")
	return pattern{base: scheme + "://" + dir, keys: strings.TrimPrefix(rest[len(dir):], "/")}
}

// Files returns where the files of a batch are: the URL of their store, or "" for
// the pipeline's own; the prefix that every key there begins with, for listing;
// and which keys match. A batch that [Config.CheckBatch] refuses gives nothing
// that is safe to list.
func (c *Config) Files(batch string) (base, prefix string, match func(key string) bool) {
	return filesOf(c.Input.Files, batch)
}

func filesOf(files, batch string) (base, prefix string, match func(key string) bool) {
	p := splitPattern(files)
	keys := strings.ReplaceAll(p.keys, batchMark, batch)
	prefix = keys
	if i := strings.IndexAny(keys, "*?"); i >= 0 {
		prefix = keys[:i]
	}
	re := regexp.MustCompile(patternRegexp(p.keys, batch))
	return p.base, prefix, re.MatchString
}

// LabelFiles is [Config.Files] for the labels of a batch. Without labels nothing matches.
func (c *Config) LabelFiles(batch string) (base, prefix string, match func(key string) bool) {
	if c.Labels == nil {
		return "", "", func(string) bool { return false }
	}
	return filesOf(c.Labels.Files, batch)
}

// LabelMarker returns where the object of that name is which says that the labels of a
// batch are complete: in the folder of the label files. [Config.CheckLabels] refuses a
// pattern that names no one folder for each batch.
func (c *Config) LabelMarker(batch, name string) (base, key string) {
	p := splitPattern(c.Labels.Files)
	folder, _ := path.Split(strings.ReplaceAll(p.keys, batchMark, batch))
	return p.base, folder + name
}

// patternRegexp translates a pattern of keys. Everything but the wildcards stands
// for itself, also in the name of the batch.
func patternRegexp(keys, batch string) string {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for rest := strings.ToValidUTF8(keys, "?"); rest != ""; {
		_, n := utf8.DecodeRuneInString(rest)
		switch {
		case strings.HasPrefix(rest, batchMark):
			b.WriteString(regexp.QuoteMeta(strings.ToValidUTF8(batch, "?")))
			n = len(batchMark)
		case strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:.*/)?`)
			n = 3
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			n = 2
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
		case rest[0] == '?':
			b.WriteString(`[^/]`)
		default:
			b.WriteString(regexp.QuoteMeta(rest[:n]))
		}
		rest = rest[n:]
	}
	b.WriteString(`$`)
	return b.String()
}
