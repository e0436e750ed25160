package columnar_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

func Example() {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "customer", Type: arrow.PrimitiveTypes.Int64},
		{Name: "score", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{7, 8}, nil)
	b.Field(1).(*array.Float64Builder).AppendValues([]float64{0.25, 0}, []bool{true, false})

	var file bytes.Buffer
	w, err := columnar.Create(&file, schema, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Write(b.NewRecord()); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	f, err := columnar.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), nil)
	if err != nil {
		log.Fatal(err)
	}
	for rec, err := range f.Records(context.Background(), columnar.ReadOptions{Columns: []string{"score"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rec.NumRows(), rec.Column(0))
	}
	// Output: 2 [0.25 (null)]
}
