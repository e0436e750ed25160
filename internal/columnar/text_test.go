package columnar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// textFile writes one column of texts; every tenth row is null.
func textFile(t *testing.T, rows int, text func(i int) string) []byte {
	t.Helper()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range rows {
		if i%10 == 9 {
			b.AppendNull()
			continue
		}
		b.Append(text(i))
	}
	col := b.NewArray()
	defer col.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	rec := array.NewRecord(schema, []arrow.Array{col}, int64(rows))
	defer rec.Release()
	return writeFile(t, rec, &Options{RowGroup: 1000})
}

func TestTextIsUTF8(t *testing.T) {
	few := func(i int) string { return fmt.Sprintf("région %d", i%7) }
	many := func(i int) string { return fmt.Sprintf("né %d", i) }
	but := func(text func(int) string, row int, bad string) func(int) string {
		return func(i int) string {
			if i == row {
				return bad
			}
			return text(i)
		}
	}
	split := func(i int) string { // two halves of é: valid together, and neither alone
		switch i {
		case 1500:
			return "n\xc3"
		case 1501:
			return "\xa9"
		}
		return many(i)
	}
	cases := []struct {
		name string
		text func(i int) string
		want string // of the error
	}{
		{"a dictionary of UTF-8", few, ""},
		{"plain UTF-8", many, ""},
		{"Latin-1 in a dictionary", but(few, 1234, "r\xe9gion 1"), "row group 1: column \"name\": corrupt: the text in row 234 of the row group is not UTF-8"},
		{"Latin-1 in plain text", but(many, 1999-1, "n\xe9"), "row group 1: column \"name\": corrupt: the text in row 998 of"},
		{"Latin-1 in the first row", but(many, 0, "\xff"), "row group 0: column \"name\": corrupt: the text in row 0 of"},
		{"a character in two rows", split, "row group 1: column \"name\": corrupt: the text in row 500 of"},
		{"a surrogate, as CESU-8 has it", but(few, 7, "\xed\xa0\x80"), "the text in row 7 of"},
	}
	for _, c := range cases {
		for _, rows := range []int{0, 100} {
			t.Run(fmt.Sprint(c.name, " in records of ", rows), func(t *testing.T) {
				b := textFile(t, 2000, c.text)
				f, err := Open(bytes.NewReader(b), int64(len(b)), nil)
				if err != nil {
					t.Fatal(err)
				}
				read := 0
				for rec, e := range f.Records(context.Background(), ReadOptions{Rows: rows}) {
					if e != nil {
						err = e
						break
					}
					read += int(rec.NumRows())
				}
				switch {
				case c.want == "" && (err != nil || read != 2000):
					t.Fatalf("%d rows, %v, want 2000", read, err)
				case c.want != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want)):
					t.Fatalf("error %v, want %q", err, c.want)
				}
			})
		}
	}
}
