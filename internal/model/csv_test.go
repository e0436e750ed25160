package model_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/model"
)

// read renders what ReadCSV yields: rows by line, fields by comma, records by "/".
func read(text string, inputs []model.Input, rows int) (string, error) {
	var b strings.Builder
	for rec, err := range model.ReadCSV(strings.NewReader(text), inputs, rows) {
		if err != nil {
			return b.String(), err
		}
		for i := range int(rec.NumRows()) {
			for j, a := range rec.Columns() {
				if j > 0 {
					b.WriteByte(',')
				}
				if s, ok := a.(*array.String); ok && !s.IsNull(i) {
					fmt.Fprintf(&b, "%q", s.Value(i))
				} else {
					b.WriteString(a.ValueStr(i))
				}
			}
			b.WriteByte('\n')
		}
		b.WriteByte('/')
	}
	return b.String(), nil
}

func TestReadCSV(t *testing.T) {
	x, y := model.Input{Name: "x"}, model.Input{Name: "y"}
	city := model.Input{Name: "city", Categories: []string{"Bern", "7"}}
	floor := model.Input{Name: "floor", Categories: []string{"1", "3"}}
	for _, test := range []struct {
		name   string
		text   string
		inputs []model.Input
		want   string
		err    string
	}{
		{name: "in the model's order, others ignored", text: "x,other,y\n1,a,2\n3,b,4\n", inputs: []model.Input{y, x}, want: "2,1\n4,3\n/"},
		{name: "records of at most two rows", text: "x,y\n1,2\n3,4\n5,6\n", inputs: []model.Input{x}, want: "1\n3\n/5\n/"},
		{name: "empty is missing", text: "x,y\n,\n", inputs: []model.Input{x, y}, want: "(null),(null)\n/"},
		{name: "a byte order mark and CRLF", text: "\ufeffx,y\r\n1,2\r\n", inputs: []model.Input{x, y}, want: "1,2\n/"},
		{name: "spaces around numbers", text: "x,y\n 1 , 2\n", inputs: []model.Input{x, y}, want: "1,2\n/"},
		{name: "true and false", text: "x,y\ntrue,FALSE\n", inputs: []model.Input{x, y}, want: "1,0\n/"},
		{name: "no line feed at the end", text: "x,y\n1,2", inputs: []model.Input{x}, want: "1\n/"},
		{name: "text stays text", text: "city,floor\n7,3.0\n,\n", inputs: []model.Input{city, floor}, want: "\"7\",3\n(null),(null)\n/"},
		{name: "quotes", text: "city\n\"a \"\"b\"\", c\"\n", inputs: []model.Input{city}, want: "\"a \\\"b\\\", c\"\n/"},
		{name: "no rows", text: "x,y\n", inputs: []model.Input{x}, want: ""},
		{name: "a missing value alone on its line", text: "x\n\"\"\n1\n", inputs: []model.Input{x}, want: "(null)\n1\n/"},
		{name: "nothing at all", text: "", inputs: []model.Input{x}, err: "line 1, column 1: there is no header line"},
		{name: "a missing column", text: "y\n1\n", inputs: []model.Input{x}, err: `column "x" is missing from the header`},
		{name: "a column twice", text: "x,x\n1,2\n", inputs: []model.Input{x}, err: `column "x" is there 2 times`},
		{name: "not a number", text: "x,y\n1,2\n3,four\n", inputs: []model.Input{x, y}, err: `line 3, column 3 (y): the text is not a number`},
		{name: "too large", text: "x,y\n1e999,2\n", inputs: []model.Input{x, y}, err: "line 2, column 1 (x): the number is too large for a double"},
		{name: "a short line", text: "x,y\n1,2\n3\n", inputs: []model.Input{x, y}, err: "line 3, column 1: wrong number of fields"},
		{name: "an open quote", text: "x,y\n1,\"2\n", inputs: []model.Input{x, y}, err: "line 2, column 6: extraneous or missing \" in quoted-field"},
		{name: "a blank line that may be a row", text: "x\n1\n\n2\n", inputs: []model.Input{x}, err: "line 3, column 1: the line is blank"},
		{name: "a blank line at the end that may be a row", text: "x\n1\n\n", inputs: []model.Input{x}, err: "line 3, column 1: the line is blank"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := read(test.text, test.inputs, 2)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

func TestNumbersSurviveCSV(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 0.1, 1e16, 1e17, 123456789, 100, 1e-5, 5e-324, math.MaxFloat64,
		float64(float32(1e-35)), math.NaN(), math.Inf(1), math.Inf(-1)}
	scores := model.Scores{Outputs: 1, Raw: values, Pred: values}
	var b strings.Builder
	w := model.NewCSVWriter(&b, model.Schema(1), true)
	if err := w.Write(scores.Record()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for rec, err := range model.ReadCSV(strings.NewReader(b.String()), []model.Input{{Name: "raw_0"}}, 100) {
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range rec.Column(0).(*array.Float64).Float64Values() {
			if math.Float64bits(got) != math.Float64bits(values[i]) && !math.IsNaN(values[i]) {
				t.Errorf("%v came back as %v", values[i], got)
			}
		}
	}
}

// The texts are those of C's printf("%.17g").
func TestAppendFloatIsPrintf(t *testing.T) {
	for v, want := range map[float64]string{
		0.1: "0.10000000000000001", 1e16: "10000000000000000", 1e17: "1e+17", 1e-5: "1.0000000000000001e-05",
		0.0001: "0.0001", 100: "100", 5e-324: "4.9406564584124654e-324", math.Inf(-1): "-inf", -2.5: "-2.5",
	} {
		if got := string(model.AppendFloat(nil, v)); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

func TestCSVWriterRefusesText(t *testing.T) {
	rec := record(map[string]arrow.Array{"x": column(t, arrow.BinaryTypes.String, `["a"]`)}, "x")
	err := model.NewCSVWriter(&strings.Builder{}, rec.Schema(), true).Write(rec)
	if err == nil || !strings.Contains(err.Error(), `column "x" is of type utf8`) {
		t.Errorf("got %v", err)
	}
}
