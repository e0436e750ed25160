package gbdt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Checkpoint is what a training needs to go on after a round: the model so far and
// the metric of its rounds. Scores are computed again from the trees, draws from the
// seed. Marshalled it is one line of JSON,
//
//	{"checkpoint":1,"round":57,"rows":"sha256:…","validation":"sha256:…","values":[…]}
//
// and then the model's text, as [Train] would have returned it after that round.
// rows and validation are digests of the rows in their bins; without a validation
// part the second is empty.
type Checkpoint struct {
	Round      int
	Rows       string
	Validation string
	Values     []float64 // metric of each round; empty if none is measured
	Text       []byte    // model after Round
}

// ErrCheckpoint means that a checkpoint is not one of this training.
var ErrCheckpoint = errors.New("the checkpoint does not fit")

// checkpointFormat is the number in a checkpoint's first line.
const checkpointFormat = 1

// checkpointHead is the first line.
type checkpointHead struct {
	Format     int       `json:"checkpoint"`
	Round      int       `json:"round"`
	Rows       string    `json:"rows"`
	Validation string    `json:"validation"`
	Values     []float64 `json:"values"`
}

// Marshal returns the checkpoint as bytes; equal ones give equal bytes.
func (c *Checkpoint) Marshal() ([]byte, error) {
	head, err := json.Marshal(checkpointHead{checkpointFormat, c.Round, c.Rows, c.Validation, c.Values})
	if err != nil {
		return nil, fmt.Errorf("checkpoint of round %d: %w", c.Round, err)
	}
	return slices.Concat(head, []byte{'\n'}, c.Text), nil
}

// ParseCheckpoint reads what [Checkpoint.Marshal] wrote. Whether it fits a training
// is seen when that is resumed.
func ParseCheckpoint(data []byte) (*Checkpoint, error) {
	line, text, ok := bytes.Cut(data, []byte{'\n'})
	var head checkpointHead
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	switch err := d.Decode(&head); {
	case !ok || err != nil:
		return nil, fmt.Errorf("%w: its first line is no checkpoint's", ErrCheckpoint)
	case head.Format != checkpointFormat:
		return nil, fmt.Errorf("%w: its format is %d; only %d is known", ErrCheckpoint, head.Format, checkpointFormat)
	}
	return &Checkpoint{head.Round, head.Rows, head.Validation, head.Values, bytes.Clone(text)}, nil
}

// checkpoint is where the training is.
func (b *booster) checkpoint() *Checkpoint {
	if b.rowsDigest == "" {
		b.rowsDigest, b.validDigest = b.digests()
	}
	return &Checkpoint{b.rounds(), b.rowsDigest, b.validDigest, slices.Clone(b.values), b.text(b.rounds())}
}

func (b *booster) digests() (rows, validation string) {
	if b.valid != nil {
		validation = b.valid.digest()
	}
	return b.train.digest(), validation
}

// resume brings the training to where a checkpoint was made.
func (b *booster) resume(c *Checkpoint) error {
	b.rowsDigest, b.validDigest = b.digests()
	p, sections, err := readCheckpoint(string(c.Text))
	if err != nil {
		return err
	}
	p.NumIterations = b.p.NumIterations
	switch {
	case c.Rows != b.rowsDigest || c.Validation != b.validDigest:
		return fmt.Errorf("%w: it was made from other rows", ErrCheckpoint)
	case !maps.Equal(p.Values(), b.p.Values()):
		return fmt.Errorf("%w: it was made with other parameters", ErrCheckpoint)
	case c.Round < 1 || len(sections) != c.Round*b.p.NumClass:
		return fmt.Errorf("%w: it has %d trees, not those of %d rounds", ErrCheckpoint, len(sections), c.Round)
	case c.Round > b.p.NumIterations:
		return fmt.Errorf("%w: it is of round %d, and num_iterations is %d", ErrCheckpoint, c.Round, b.p.NumIterations)
	case b.metric != "" && len(c.Values) != c.Round || b.metric == "" && len(c.Values) > 0:
		return fmt.Errorf("%w: it has %d values of the metric for %d rounds", ErrCheckpoint, len(c.Values), c.Round)
	}
	return b.replay(c, sections)
}

// replay adds the trees of a checkpoint. The first ones hold the starts already.
func (b *booster) replay(c *Checkpoint, sections []string) error {
	clearAll(b.scores)
	clearAll(b.others)
	for i, section := range sections {
		t, err := b.train.readTree(section)
		if err != nil {
			return fmt.Errorf("%w: tree %d: %v", ErrCheckpoint, i, err)
		}
		class := i % b.p.NumClass
		b.walk(t, b.train, b.scores[class])
		if b.valid != nil {
			b.walk(t, b.valid, b.others[class])
		}
	}
	b.trees = sections
	for round, value := range c.Values {
		b.values = append(b.values, value)
		b.follow(round + 1)
	}
	return nil
}

func clearAll(lists [][]float64) {
	for _, list := range lists {
		clear(list)
	}
}

// readCheckpoint finds the parameters and the trees in a model's text.
func readCheckpoint(text string) (Params, []string, error) {
	body, tail, ok := strings.Cut(text, "end of trees\n")
	if !ok {
		return Params{}, nil, fmt.Errorf("%w: its model is truncated", ErrCheckpoint)
	}
	var sections []string
	for at := strings.Index(body, "Tree=0\n"); at >= 0 && at < len(body); {
		name := treeName(len(sections))
		if !strings.HasPrefix(body[at:], name) {
			return Params{}, nil, fmt.Errorf("%w: tree %d is missing", ErrCheckpoint, len(sections))
		}
		body = body[at+len(name):]
		if at = strings.Index(body, "Tree="); at < 0 {
			at = len(body)
		}
		sections = append(sections, body[:at])
	}
	values := map[string]string{}
	for line := range strings.Lines(tail) {
		name, value, found := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), "]"), ": ")
		if name, ok := strings.CutPrefix(name, "["); found && ok {
			values[name] = value
		}
	}
	p, err := ParseParams(values)
	if err != nil {
		return p, nil, fmt.Errorf("%w: %v", ErrCheckpoint, err)
	}
	return p, sections, nil
}
