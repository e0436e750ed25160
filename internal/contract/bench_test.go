package contract_test

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// BenchmarkAdd checks records of 16,384 rows × 28 columns: 20 doubles with a
// range and 5 % nulls, four dictionaries of 400 values, four plain strings.
func BenchmarkAdd(b *testing.B) {
	const rows = 16384
	var columns []string
	var fields []arrow.Field
	var arrays []arrow.Array
	add := func(rule string, arr arrow.Array) {
		name := fmt.Sprintf("c%d", len(columns))
		columns = append(columns, "{ name: "+name+", "+rule+" }")
		fields = append(fields, arrow.Field{Name: name, Type: arr.DataType(), Nullable: true})
		arrays = append(arrays, arr)
	}
	for range 20 {
		fb := array.NewFloat64Builder(memory.DefaultAllocator)
		for i := range rows {
			if i%20 == 7 {
				fb.AppendNull()
			} else {
				fb.Append(float64(i))
			}
		}
		add("logicalType: number, logicalTypeOptions: { minimum: 0, maximum: 1e6 }", fb.NewArray())
	}
	for i := range 8 {
		sb := array.NewStringBuilder(memory.DefaultAllocator)
		n := rows
		if i < 4 {
			n = 400
		}
		for j := range n {
			sb.Append(fmt.Sprintf("value%d", j))
		}
		arr := sb.NewArray()
		if i < 4 {
			ib := array.NewInt32Builder(memory.DefaultAllocator)
			for j := range rows {
				ib.Append(int32(j * 7 % 400))
			}
			arr = array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, ib.NewArray(), arr)
		}
		add("logicalType: string, required: true, logicalTypeOptions: { minLength: 1, maxLength: 20 }", arr)
	}
	c := parse(b, "", columns...)
	rec := array.NewRecord(arrow.NewSchema(fields, nil), arrays, rows)
	k := c.NewChecker()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Add(rec); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
