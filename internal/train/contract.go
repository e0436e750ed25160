package train

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
	"headgate/internal/model"
)

// FromContract returns a manifest with the features and roles of a contract, for files
// of a schema: columns of text are categorical, all others numeric. label names the
// label if the contract does not, or has several; features the features, if they are
// not to be all that the contract has. Where the contract says by availableAt when a
// feature was known, the training looks: it may not be later than the row.
//
// A role whose column the files do not have, and a label that nobody names, are errors,
// joined; weight and event time may be missing.
func FromContract(c *contract.Contract, digest string, schema *arrow.Schema, label string, features []string) (Manifest, error) {
	m := Manifest{Format: ManifestFormat, Contract: digest, Label: label, Entity: c.Entity()}
	var problems []error
	if label == "" {
		switch labels := c.WithRole(contract.RoleLabel); len(labels) {
		case 1:
			m.Label = labels[0]
		case 0:
			problems = append(problems, fmt.Errorf("the contract %s has no column with mlRole label; name the label", c.Name))
		default:
			problems = append(problems, fmt.Errorf("the contract %s has several labels: %s; name one", c.Name, names(labels)))
		}
	}
	has := func(name string) bool { return len(schema.FieldIndices(name)) == 1 }
	if features == nil {
		features = slices.DeleteFunc(c.Features(), func(name string) bool { return name == m.Label })
	}
	for _, name := range features {
		if !has(name) {
			problems = append(problems, fmt.Errorf("the data have no column %s, which is a feature", name))
			continue
		}
		col, _ := c.Column(name)
		if col.Available != "" && !has(col.Available) {
			problems = append(problems, fmt.Errorf("the data have no column %s, which says when %s was known", col.Available, name))
		}
		m.Features = append(m.Features, Feature{Name: name, Kind: KindOf(schema.Field(schema.FieldIndices(name)[0]).Type).String(), Available: col.Available})
	}
	if m.Label != "" && !has(m.Label) {
		problems = append(problems, fmt.Errorf("the data have no column %s, which is the label", m.Label))
	}
	if i := slices.IndexFunc(c.WithRole(contract.RoleWeight), has); i >= 0 {
		m.Weight = c.WithRole(contract.RoleWeight)[i]
	}
	if i := slices.IndexFunc(c.WithRole(contract.RoleEventTime), has); i >= 0 {
		m.EventTime = c.WithRole(contract.RoleEventTime)[i]
	}
	for _, name := range m.Entity {
		if !has(name) {
			problems = append(problems, fmt.Errorf("the data have no column %s, which is the entity key by the contract %s", name, c.Name))
		}
	}
	return m, errors.Join(problems...)
}

// KindOf is how a model reads a column of a type: texts are categories, all others
// numbers.
func KindOf(t arrow.DataType) model.Kind {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.DICTIONARY:
		return model.Categorical
	}
	return model.Numeric
}
