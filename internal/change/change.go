// Package change says what a change of a pipeline's files changes: for whoever has to
// approve it, and for whoever asks years later. It is kept as the paper of the entry
// that puts the files in force, and of the proposal before.
//
// It compares texts; it never decides whether a change is good. Equal files give equal
// bytes, so that anybody can make the paper again.
package change

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rogpeppe/go-internal/diff"

	"headgate/internal/contract"
	"headgate/internal/store"
)

// Format is the version of the paper.
const Format = 1

// Files are what a pipeline follows, as text. Output and Labels are nil without such a
// contract.
type Files struct {
	Pipeline, Contract, Output, Labels []byte
}

// A Change is the difference between two [Files]. A file that did not change is nil.
type Change struct {
	Format   int   `json:"format"`
	Pipeline *File `json:"pipeline,omitempty"`
	Contract *File `json:"contract,omitempty"`
	Output   *File `json:"output,omitempty"` // contract of the scores
	Labels   *File `json:"labels,omitempty"` // contract of the labels
}

// A File is the difference of one file.
type File struct {
	From store.Digest `json:"from,omitempty"` // "" if there was none
	To   store.Digest `json:"to,omitempty"`   // "" if there is none any more
	Text string       `json:"text"`           // unified diff

	// Changes say of a contract what changes and whom it breaks; none if no check reads
	// what changed, or if one side is missing.
	Changes []contract.Change `json:"changes,omitempty"`
}

// Between returns the difference between the files that were in force and others. It
// fails if a contract cannot be read.
func Between(was, is Files) (*Change, error) {
	c := &Change{Format: Format, Pipeline: file("pipeline.yaml", was.Pipeline, is.Pipeline),
		Contract: file("contract.yaml", was.Contract, is.Contract), Output: file("scores.yaml", was.Output, is.Output),
		Labels: file("labels.yaml", was.Labels, is.Labels)}
	return c, errors.Join(c.Contract.compare(was.Contract, is.Contract), c.Output.compare(was.Output, is.Output), c.Labels.compare(was.Labels, is.Labels))
}

// file returns the difference of a file, nil if there is none.
func file(name string, was, is []byte) *File {
	if bytes.Equal(was, is) {
		return nil
	}
	f := &File{Text: string(diff.Diff("in force/"+name, was, "new/"+name, is))}
	if was != nil {
		f.From = store.DigestOf(was)
	}
	if is != nil {
		f.To = store.DigestOf(is)
	}
	return f
}

// compare adds what changes between two contracts.
func (f *File) compare(was, is []byte) error {
	if f == nil || was == nil || is == nil {
		return nil
	}
	before, err := contract.Parse("the contract in force", was)
	if err != nil {
		return fmt.Errorf("change: %w", err)
	}
	after, err := contract.Parse("the new contract", is)
	if err != nil {
		return fmt.Errorf("change: %w", err)
	}
	f.Changes = contract.Diff(before, after)
	return nil
}

// Bytes returns the paper as it is kept: JSON on one line, empty fields left out, <, >
// and & as they are, and a newline at the end.
func (c *Change) Bytes() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(c)
	return out.Bytes(), err
}

// Parse reads a paper.
func Parse(data []byte) (*Change, error) {
	var c Change
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf("change: not a difference of files: %w", err)
	}
	if c.Format != Format {
		return nil, fmt.Errorf("change: its format is %d; this program reads %d", c.Format, Format)
	}
	return &c, nil
}
