package pipeline

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"headgate/internal/contract"
	"headgate/internal/strictyaml"
)

// CheckLabels refuses a contract of labels, l, that does not fit the pipeline and the
// contract k of its batches: labels are found by the same entity key, have one column of
// what came true, and say when they are there. It returns every problem, joined.
func (c *Config) CheckLabels(k, l *contract.Contract) error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf("labels: "+format, args...)) }
	if l.Labels == nil {
		problem("the contract %s does not say when labels are known; give its object the custom property labelWindow, as in 30d", l.ID)
	} else if why := c.checkMarker(l.Labels.Marker); why != "" {
		problem("%s", why)
	}
	if len(l.WithRole(contract.RoleLabel)) == 0 {
		problem("the contract %s has no column with mlRole label", l.ID)
	}
	problems = append(problems, checkKey(k, l)...)
	treatment, propensity := l.WithRole(contract.RoleTreatment), l.WithRole(contract.RolePropensity)
	switch {
	case len(treatment) > 0 && len(propensity) == 0:
		problem("%s says who was treated, and no column has mlRole propensity, so the untreated cannot be weighted", treatment[0])
	case len(treatment) == 0 && len(propensity) > 0:
		problem("%s is the probability of a treatment, and no column has mlRole treatment", propensity[0])
	}
	for _, name := range treatment {
		if col, _ := l.Column(name); col.Type != "" && col.Type != contract.Boolean && col.Type != contract.Integer {
			problem("the treatment %s must be a boolean, or 0 and 1, not %s", name, col.Type)
		}
	}
	for _, role := range []contract.Role{contract.RoleWeight, contract.RoleTreatment, contract.RolePropensity} {
		if a, b := k.WithRole(role), l.WithRole(role); len(a) > 0 && len(b) > 0 {
			problem("%s of the batch and %s of the labels are both the %s; there can be one", a[0], b[0], role)
		}
	}
	for _, col := range l.Columns {
		if own, ok := k.Column(col.Name); ok && own.Has(contract.RoleFeature) {
			problem("%s is a feature of the batch, and a column of the labels must have another name", col.Name)
		}
	}
	return errors.Join(problems...)
}

// checkMarker returns why the marker of a batch's labels has no one place, or "".
func (c *Config) checkMarker(marker string) string {
	if marker == "" || c.Labels == nil {
		return ""
	}
	folder, _ := path.Split(splitPattern(c.Labels.Files).keys)
	if strings.Contains(folder, batchMark) && !strings.ContainsAny(folder, "*?") {
		return ""
	}
	return fmt.Sprintf("labelMarker %s lies in the folder of a batch's labels, and labels.files %q names none; write it as in labels/{batch}/*.parquet", marker, c.Labels.Files)
}

// checkKey compares the entity keys of a batch and of its labels.
func checkKey(k, l *contract.Contract) []error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf("labels: "+format, args...)) }
	have := l.Entity()
	for _, name := range k.Entity() {
		own, _ := k.Column(name)
		col, ok := l.Column(name)
		switch {
		case !ok:
			problem("the entity key of the batch has %s, and the contract %s has no such column%s", name, l.ID, strictyaml.Hint(name, have))
		case !slices.Contains(have, name):
			problem("%s is of the entity key in the batch, and not in the contract %s; give it mlRole entityKey", name, l.ID)
		case own.Type != "" && col.Type != "" && own.Type != col.Type:
			problem("%s is %s in the batch and %s in the labels: no key would be found", name, own.Type, col.Type)
		}
	}
	for _, name := range have {
		if !slices.Contains(k.Entity(), name) {
			problem("%s is of the entity key in the labels, and not in the batch", name)
		}
	}
	return problems
}

// checkLearning checks what the training and the gates say of columns.
func (c *Config) checkLearning(k *contract.Contract) []error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if t := c.Training; t != nil {
		known := k.Features()
		for _, name := range t.Features {
			if !slices.Contains(known, name) {
				problem("training.features: %s is no feature of the contract%s", name, strictyaml.Hint(name, known))
			}
		}
		if t.Features != nil {
			known = t.Features
		}
		for _, name := range t.Leak.Allow {
			if !slices.Contains(known, name) {
				problem("training.leak.allow: %s is no feature that is learned from%s", name, strictyaml.Hint(name, known))
			}
		}
	}
	if c.Gates == nil {
		return problems
	}
	names := make([]string, len(k.Columns))
	for i, col := range k.Columns {
		names[i] = col.Name
	}
	for _, s := range c.Gates.Advance.Slices {
		switch col, ok := k.Column(s.By); {
		case !ok:
			problem("gates.advance.slices: the contract has no column %s%s", s.By, strictyaml.Hint(s.By, names))
		case col.Classified():
			problem("gates.advance.slices: values of %s must not stand in a decision, for it is classified", s.By)
		case col.Later():
			problem("gates.advance.slices: %s is a %s, which a batch may come without", s.By, col.Role())
		}
	}
	return problems
}
