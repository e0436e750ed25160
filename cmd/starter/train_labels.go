package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/labels"
	"headgate/internal/learn"
	"headgate/internal/pass"
	"headgate/internal/store"
	"headgate/internal/train"
)

// labelFiles are files of what came true, beside the data.
type labelFiles struct {
	contract *contract.Contract // of the labels
	files    []batchFile
	own      string // column of the data that says how much a row counts, or ""
}

// column returns the column of the outcome, and the weight's column or "".
func (l *labelFiles) column() (label, weight string) {
	if l.own != "" {
		weight = learn.ColumnWeight
	}
	for _, role := range []contract.Role{contract.RoleTreatment, contract.RoleWeight} {
		if len(l.contract.WithRole(role)) > 0 {
			weight = learn.ColumnWeight
		}
	}
	return l.contract.WithRole(contract.RoleLabel)[0], weight
}

// schema returns the schema of data with the outcome in it.
func (l *labelFiles) schema(data *arrow.Schema) *arrow.Schema {
	label, _ := l.column()
	fields := slices.DeleteFunc(slices.Clone(data.Fields()), func(f arrow.Field) bool { return f.Name == label })
	return arrow.NewSchema(append(fields, arrow.Field{Name: label, Type: arrow.PrimitiveTypes.Float64}), nil)
}

// read reads the labels of the batches of a part, and returns the files that it read.
func (l *labelFiles) read(ctx context.Context, data *contract.Contract, list []batchFile, columns []string) (map[string]*learn.Join, []batchFile, error) {
	joins := map[string]*learn.Join{}
	var read []batchFile
	for _, d := range list {
		if joins[d.batch] != nil {
			continue
		}
		var own []batchFile
		for _, f := range l.files {
			if f.batch == d.batch {
				own = append(own, f)
			}
		}
		if len(own) == 0 {
			return nil, nil, usageError{fmt.Errorf("%s has no labels; name their file as %s", d.file, hintLabels(d.batch))}
		}
		table, err := l.table(ctx, own)
		if err != nil {
			return nil, nil, err
		}
		joins[d.batch] = l.join(data, table, columns)
		read = append(read, own...)
	}
	return joins, read, nil
}

func hintLabels(batch string) string {
	if batch == "" {
		return "--labels FILE"
	}
	return "--labels " + batch + "=FILE"
}

// table reads label files as the pipeline does: a later file revises an earlier one.
func (l *labelFiles) table(ctx context.Context, own []batchFile) (*labels.Table, error) {
	bucket, err := store.Open(ctx, "mem://")
	if err != nil {
		return nil, err
	}
	defer bucket.Close()
	version := labels.Version{Format: labels.Format}
	for i, f := range own {
		data, err := os.ReadFile(f.file)
		if err != nil {
			return nil, err
		}
		if err := bucket.Put(ctx, fmt.Sprintf("%03d-%s", i, filepath.Base(f.file)), data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.file, err)
		}
	}
	found, err := labels.Find(ctx, bucket, version, labels.Where{Match: func(string) bool { return true }})
	if err != nil {
		return nil, err
	}
	table, err := labels.Read(ctx, bucket, found, l.contract, labels.Limits{})
	if err == nil && len(table.Refused) > 0 {
		err = fmt.Errorf("%s: %s", own[0].file, table.Refused[0])
	}
	return table, err
}

// join says how rows get their labels. Nobody says here that labels are complete, so
// what is missing is missing.
func (l *labelFiles) join(data *contract.Contract, table *labels.Table, columns []string) *learn.Join {
	label, weight := l.column()
	j := &learn.Join{Entity: data.Entity(), Label: label, Weight: l.own, Weighted: weight != "", Lookup: func(key pass.Key) labels.Label {
		if found, ok := table.Of(key); ok {
			return found
		}
		return labels.Label{Value: math.NaN(), Weight: 1}
	}}
	for _, name := range columns {
		if name != label && name != weight {
			j.Columns = append(j.Columns, name)
		}
	}
	return j
}

// labelledRows streams the columns of all files, with their labels.
func (s *fileSet) labelledRows(ctx context.Context, list []batchFile, joins map[string]*learn.Join) train.Rows {
	if len(s.files) == 0 {
		return nil
	}
	return func(yield func(arrow.Record, error) bool) {
		for i, f := range s.files {
			j := *joins[list[i].batch]
			columns := slices.Clone(j.Columns)
			for _, name := range append(slices.Clone(j.Entity), j.Weight) {
				if name != "" && !slices.Contains(columns, name) {
					columns = append(columns, name)
				}
			}
			for rec, err := range j.Rows(f.Records(ctx, columnar.ReadOptions{Columns: columns})) {
				if err != nil {
					err = inFile(f.name, err)
				}
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
}
