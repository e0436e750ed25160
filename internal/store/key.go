package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a key, in bytes: S3 allows 1024 for the whole, file systems 255 for
// each name in it.
const (
	maxKey  = 1024
	maxName = 255
)

// tempPrefix begins the names of files that a directory has not published yet.
const tempPrefix = ".headgate-put-"

// CheckKey returns nil if key can name an object in every kind of store, and an
// error that wraps [ErrKey] if not.
//
// A key is names joined by "/". It is valid UTF-8 of 1 to 1024 bytes, each name
// of 1 to 255. A name contains no control character, no "\", does not end in "."
// (which rules out "." and ".."; Azure would drop it), and does not begin with
// ".headgate-put-", which is how unfinished files are called.
func CheckKey(key string) error {
	if key == "" {
		return fmt.Errorf("store: an empty string is %w", ErrKey)
	}
	if len(key) > maxKey {
		return fmt.Errorf("store: %q… is %w: %d bytes are over %d", key[:32], ErrKey, len(key), maxKey)
	}
	for name := range strings.SplitSeq(key, "/") {
		if why := nameProblem(name); why != "" {
			return fmt.Errorf("store: %q is %w: %s", key, ErrKey, why)
		}
	}
	return nil
}

// nameProblem says what keeps a name out of a key, or "".
func nameProblem(name string) string {
	switch {
	case name == "":
		return `a name is empty ("/" first, last or doubled)`
	case len(name) > maxName:
		return fmt.Sprintf("a name of %d bytes is over %d", len(name), maxName)
	case strings.HasSuffix(name, "."):
		return `a name ends in "."`
	case isTemp(name):
		return fmt.Sprintf("names that begin with %s are for unfinished files", tempPrefix)
	}
	return charProblem(name)
}

// charProblem says which character cannot be in a key, or "".
func charProblem(s string) string {
	if !utf8.ValidString(s) {
		return "it is not UTF-8"
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\\' {
			return fmt.Sprintf("it contains %q", r)
		}
	}
	return ""
}

// checkPrefix returns nil if a key can begin with prefix.
func checkPrefix(prefix string) error {
	folder, rest := splitPrefix(prefix)
	if folder != "" {
		if err := CheckKey(folder); err != nil {
			return err
		}
	}
	if why := charProblem(rest); why != "" {
		return fmt.Errorf("store: %q is %w: %s", prefix, ErrKey, why)
	}
	if strings.HasPrefix(prefix, "/") {
		return fmt.Errorf("store: %q is %w: it begins with \"/\"", prefix, ErrKey)
	}
	return nil
}

// splitPrefix cuts a prefix at its last "/": whole names, and the beginning of one.
func splitPrefix(prefix string) (folder, rest string) {
	i := strings.LastIndexByte(prefix, '/')
	if i < 0 {
		return "", prefix
	}
	return prefix[:i], prefix[i+1:]
}

// isTemp reports whether a file of that name was never published.
func isTemp(name string) bool { return strings.HasPrefix(name, tempPrefix) }
