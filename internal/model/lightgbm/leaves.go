package lightgbm

import (
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Leaves appends to dst, for every row of rec, the leaf that it reaches in each
// tree in use: rows × NumTrees numbers, row-major. Leaves are numbered from 0 in
// each tree. The errors are those of Score.
func (m *Model) Leaves(dst []int32, rec arrow.Record) ([]int32, error) {
	frame, err := m.encoder.Bind(rec)
	if err != nil {
		return dst, err
	}
	stride := len(m.inputs)
	m.blocks(frame, int(rec.NumRows()), func(block []float64, from, to int) {
		for i := range to - from {
			row := block[i*stride : (i+1)*stride]
			for t, root := range m.forest.roots {
				dst = append(dst, m.forest.leaf(root, row)-m.forest.firstLeaf[t])
			}
		}
	})
	return dst, nil
}

// LeafSchema returns the columns of [Model.LeafRecord]: leaf_0 …, 32-bit integers
// without nulls, one per tree in use.
func (m *Model) LeafSchema() *arrow.Schema {
	fields := make([]arrow.Field, m.NumTrees())
	for t := range fields {
		fields[t] = arrow.Field{Name: "leaf_" + strconv.Itoa(t), Type: arrow.PrimitiveTypes.Int32}
	}
	return arrow.NewSchema(fields, nil)
}

// LeafRecord returns the leaves of every row of rec as Arrow columns.
func (m *Model) LeafRecord(rec arrow.Record) (arrow.Record, error) {
	leaves, err := m.Leaves(nil, rec)
	if err != nil {
		return nil, err
	}
	rows, trees := int(rec.NumRows()), m.NumTrees()
	columns := make([]arrow.Array, trees)
	for t := range columns {
		b := array.NewInt32Builder(memory.DefaultAllocator)
		b.Reserve(rows)
		for i := range rows {
			b.UnsafeAppend(leaves[i*trees+t])
		}
		columns[t] = b.NewArray()
		b.Release()
	}
	return array.NewRecord(m.LeafSchema(), columns, int64(rows)), nil
}
