package model

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow/array"
)

// A dictionary finds the codes of an input's categories.
type dictionary struct {
	codes   map[string]float64
	numbers map[float64]float64 // by value; nil unless every category is a number
}

// newDictionary indexes the categories of in.
func newDictionary(in Input) (*dictionary, error) {
	d := &dictionary{codes: make(map[string]float64, len(in.Categories))}
	for code, text := range in.Categories {
		if first, twice := d.codes[text]; twice {
			return nil, &InputError{in.Name, fmt.Sprintf("has a category twice, as %g and %d", first, code)}
		}
		d.codes[text] = float64(code)
	}
	d.numbers = byValue(in.Categories)
	d.addBooleans()
	return d, nil
}

// booleanNames are the texts of false and true: JSON's, Python's, and R's.
var booleanNames = [2][3]string{{"false", "False", "FALSE"}, {"true", "True", "TRUE"}}

// addBooleans makes a dictionary of nothing but booleans know all their names.
func (d *dictionary) addBooleans() {
	all := make(map[string]float64, 6)
	found := 0
	for _, names := range booleanNames {
		for _, name := range names {
			code, ok := d.codes[name]
			if !ok {
				continue
			}
			found++
			for _, name := range names {
				all[name] = code
			}
		}
	}
	// Two names of one boolean are text, and so is anything beside booleans.
	if found == len(d.codes) && len(all) == len(booleanNames[0])*found {
		d.codes = all
	}
}

// byValue indexes categories that are numbers in their shortest form, and returns
// nil if any is not: "007" is a name. It also returns nil if two are one double.
func byValue(categories []string) map[float64]float64 {
	codes := make(map[float64]float64, len(categories))
	for code, text := range categories {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || (strconv.FormatFloat(v, 'f', -1, 64) != text && strconv.FormatFloat(v, 'g', -1, 64) != text) {
			return nil
		}
		if _, twice := codes[v]; twice {
			return nil
		}
		codes[v] = float64(code)
	}
	return codes
}

// text returns the code of a string, or NaN.
func (d *dictionary) text(s string) float64 {
	if code, ok := d.codes[s]; ok {
		return code
	}
	return math.NaN()
}

// coded replaces the numbers that c writes by their codes.
func (d *dictionary) coded(c column) column {
	return func(dst []float64, stride, from, to int) {
		c(dst, stride, from, to)
		for i := range to - from {
			code, ok := d.numbers[dst[i*stride]]
			if !ok {
				code = math.NaN()
			}
			dst[i*stride] = code
		}
	}
}

// texts reads strings.
func texts(a array.StringLike, d *dictionary) column {
	return func(dst []float64, stride, from, to int) {
		for i := range to - from {
			if a.IsNull(from + i) {
				dst[i*stride] = math.NaN()
				continue
			}
			dst[i*stride] = d.text(a.Value(from + i))
		}
	}
}

// booleans reads booleans, as numbers or as the categories "false" and "true".
func booleans(a *array.Boolean, d *dictionary) column {
	value := [2]float64{0, 1}
	if d != nil {
		value = [2]float64{d.text("false"), d.text("true")}
	}
	return func(dst []float64, stride, from, to int) {
		for i := range to - from {
			dst[i*stride] = value[0]
			if a.Value(from + i) {
				dst[i*stride] = value[1]
			}
		}
	}
}

// bindDictionary reads a dictionary-encoded array: each of its distinct values is
// encoded once.
func bindDictionary(a *array.Dictionary, in Input, d *dictionary) (column, error) {
	c, err := bind(a.Dictionary(), in, d)
	if err != nil {
		return nil, err
	}
	values := make([]float64, a.Dictionary().Len())
	c(values, 1, 0, len(values))
	return func(dst []float64, stride, from, to int) {
		for i := range to - from {
			if a.IsNull(from + i) {
				dst[i*stride] = math.NaN()
				continue
			}
			dst[i*stride] = values[a.GetValueIndex(from+i)]
		}
	}, nil
}

// decimal returns the double nearest to a decimal's text.
func decimal(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
