package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// An Answer is what a trainer in another program says of the model that it wrote. It is
// JSON; unknown fields are refused.
type Answer struct {
	Format     string              `json:"format"`               // of the model: lightgbm
	Model      string              `json:"model"`                // name of its file
	Categories map[string][]string `json:"categories,omitempty"` // dictionaries that the file does not hold
	Libraries  map[string]string   `json:"libraries"`            // versions, by name: of whatever decides the model
	Rounds     int                 `json:"rounds,omitempty"`     // in the model
	Metric     string              `json:"metric,omitempty"`
	Value      float64             `json:"value,omitempty"`   // of the metric, on the validation part
	Stopped    string              `json:"stopped,omitempty"` // why there were no more rounds
	Notes      []string            `json:"notes,omitempty"`   // what a person should know
}

// ParseAnswer reads an answer.
func ParseAnswer(data []byte) (*Answer, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var a Answer
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("the trainer's answer: %w", err)
	}
	if d.More() {
		return nil, errors.New("the trainer's answer: there is something after its end")
	}
	return &a, a.check()
}

// check says what an answer lacks.
func (a *Answer) check() error {
	switch {
	case a == nil || a.Format == "":
		return errors.New("the trainer's answer does not say of which format the model is")
	case a.Model == "":
		return errors.New("the trainer's answer does not name the model's file")
	case len(a.Libraries) == 0:
		return errors.New("the trainer's answer has no versions of libraries, without which nobody could train the model again")
	}
	return nil
}

// answer writes what the trainer says into the results.
func (r *Results) answer(trainer string, a *Answer) {
	r.Trainer, r.Libraries = trainer, a.Libraries
	r.Rounds, r.Metric, r.Value, r.Stopped = a.Rounds, a.Metric, a.Value, a.Stopped
	r.Notes = append(r.Notes, a.Notes...)
}
