// Package columnar moves tables between Parquet files and Arrow records, column
// by column and with bounded memory; no row is ever put together in between.
//
// Start with [Open] and [File.Records] to read, and with [Create] to write.
//
// It reads the flat columns of a file: leaves that stand directly under the
// root and are required or optional. Nested columns are named by [File.Nested]
// and otherwise left alone. Page checksums are verified where a file has them
// and always written; a file that contradicts itself is an [*Error], never a
// panic and never a silently wrong value that the format lets us notice.
//
// It knows nothing of where files come from: the caller brings an io.ReaderAt.
// It needs a little-endian machine, as Arrow's buffers do.
package columnar

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrCorrupt means that the bytes contradict the format or each other.
	ErrCorrupt = errors.New("corrupt")

	// ErrEncrypted means that the file, or the column, is encrypted.
	ErrEncrypted = errors.New("encrypted")

	// ErrNested means that a column that was asked for is a list, a map or a struct.
	ErrNested = errors.New("nested column")

	// ErrColumn means that a column that was asked for is not in the file.
	ErrColumn = errors.New("no such column")

	// ErrUnsupported means that the file is well-formed, as far as we can see,
	// but uses something that this package cannot read or write.
	ErrUnsupported = errors.New("unsupported")

	// ErrLimit means that a page, or one column of a record, would take more memory
	// than is allowed; see [OpenOptions].
	ErrLimit = errors.New("too large")
)

// An Error says where in a file something is wrong.
type Error struct {
	Name     string // the file, as the caller named it; may be empty
	RowGroup int    // from 0; -1 if the trouble is not inside one
	Column   string // empty if the trouble is not inside one
	Err      error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("columnar: ")
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	if e.RowGroup >= 0 {
		fmt.Fprintf(&b, "row group %d: ", e.RowGroup)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q: ", e.Column)
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// corrupt makes an error that is [ErrCorrupt].
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// unsupported makes an error that is [ErrUnsupported].
func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

// tooLarge makes an error that is [ErrLimit].
func tooLarge(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrLimit, fmt.Sprintf(format, args...))
}

// guard turns a panic of a decoder into an error. Third-party decoders may index
// out of range on malformed bytes.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = corrupt("decoder panicked: %v", r)
	}
}
