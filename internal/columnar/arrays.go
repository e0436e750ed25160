package columnar

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Float64s returns an array over values without copying; values must not change
// while the array is in use. No element is null.
func Float64s(values []float64) *array.Float64 {
	data := array.NewData(arrow.PrimitiveTypes.Float64, len(values),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(values))}, nil, 0, 0)
	defer data.Release()
	return array.NewFloat64Data(data)
}

// Int64s returns an array over values without copying; values must not change
// while the array is in use. No element is null.
func Int64s(values []int64) *array.Int64 {
	data := array.NewData(arrow.PrimitiveTypes.Int64, len(values),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(values))}, nil, 0, 0)
	defer data.Release()
	return array.NewInt64Data(data)
}

// Repeat returns a dictionary-coded string array of n rows that all hold value.
func Repeat(value string, n int) *array.Dictionary {
	return Choose([]string{value}, make([]int32, n))
}

// Choose returns a dictionary-coded string array: row i holds values[codes[i]].
func Choose(values []string, codes []int32) *array.Dictionary {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	dict := b.NewArray()
	defer dict.Release()
	data := array.NewData(arrow.PrimitiveTypes.Int32, len(codes),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(codes))}, nil, 0, 0)
	defer data.Release()
	indices := array.NewInt32Data(data)
	defer indices.Release()
	return array.NewDictionaryArray(DictionaryType, indices, dict)
}

// DictionaryType is the type of dictionary-coded string columns.
var DictionaryType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
