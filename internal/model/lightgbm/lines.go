package lightgbm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A ParseError says where a model file cannot be understood.
type ParseError struct {
	Line   int // from 1
	Reason string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("lightgbm model, line %d: %s", e.Line, e.Reason)
}

func errorAt(line int, format string, args ...any) error {
	return &ParseError{Line: line, Reason: fmt.Sprintf(format, args...)}
}

// lines walks a file line by line.
type lines struct {
	rest   string
	line   int // of text, from 1
	start  int // offset of text in the file
	next   int // offset of rest
	text   string
	closed bool // text ends with a line feed
}

// scan moves to the next line and reports whether there is one.
func (l *lines) scan() bool {
	if l.rest == "" {
		l.text = ""
		return false
	}
	l.line++
	l.start = l.next
	l.text, l.rest, l.closed = strings.Cut(l.rest, "\n")
	l.next += len(l.text)
	if l.closed {
		l.next++
	}
	return true
}

// An entry is the value of one "key=value" line.
type entry struct {
	value string
	line  int
}

// entries are the lines of one section: the header, or one tree.
type entries struct {
	line   int // where the section begins
	name   string
	values map[string]entry
}

// add keeps a line. A line without "=" is a key without a value.
func (s *entries) add(l *lines) error {
	key, value, _ := strings.Cut(l.text, "=")
	if first, twice := s.values[key]; twice {
		return errorAt(l.line, "%s has %s twice; the first is on line %d", s.name, quote(key), first.line)
	}
	s.values[key] = entry{value, l.line}
	return nil
}

// get returns a value that must be there.
func (s *entries) get(key string) (entry, error) {
	e, ok := s.values[key]
	if !ok {
		return e, errorAt(s.line, "%s has no %s", s.name, key)
	}
	return e, nil
}

// integer returns a value in [low, high].
func (s *entries) integer(key string, low, high int) (int, error) {
	e, err := s.get(key)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(e.value))
	if err != nil || n < low || n > high {
		return 0, errorAt(e.line, "%s is %s, not an integer from %d to %d", key, quote(e.value), low, high)
	}
	return n, nil
}

// ints returns n integers in [low, high].
func (s *entries) ints(key string, n, low, high int) ([]int32, error) {
	return list(s, key, n, func(text string) (int32, string) {
		v, err := strconv.Atoi(text)
		if err != nil || v < low || v > high {
			return 0, fmt.Sprintf("not an integer from %d to %d", low, high)
		}
		return int32(v), ""
	})
}

// words returns the 32-bit words of bit sets.
func (s *entries) words(key string, n int) ([]uint32, error) {
	return list(s, key, n, func(text string) (uint32, string) {
		v, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return 0, "not a 32-bit word"
		}
		return uint32(v), ""
	})
}

// floats returns n finite numbers.
func (s *entries) floats(key string, n int) ([]float64, error) {
	return list(s, key, n, func(text string) (float64, string) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			return 0, "not a finite number"
		}
		return v, ""
	})
}

// limits returns n numbers that may be infinite, as thresholds may, that only part
// the missing values from all others.
func (s *entries) limits(key string, n int) ([]float64, error) {
	return list(s, key, n, func(text string) (float64, string) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) {
			return 0, "not a number"
		}
		return v, ""
	})
}

// list reads n values that are separated by spaces; read returns what is wrong
// with one, or "". It allocates no more than the line has values, whatever n says.
func list[T any](s *entries, key string, n int, read func(string) (T, string)) ([]T, error) {
	e, err := s.get(key)
	if err != nil {
		return nil, err
	}
	var values []T
	if len(e.value) >= n {
		values = make([]T, 0, n)
	}
	for text := range strings.SplitSeq(e.value, " ") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if len(values) == n {
			return nil, errorAt(e.line, "%s has more than the %d values that it should have", key, n)
		}
		v, reason := read(text)
		if reason != "" {
			return nil, errorAt(e.line, "%s: value %d is %s, %s", key, len(values)+1, quote(text), reason)
		}
		values = append(values, v)
	}
	if len(values) != n {
		return nil, errorAt(e.line, "%s has %d values, not %d", key, len(values), n)
	}
	return values, nil
}

// quote shows a piece of the file in a message, which stays one line.
func quote(text string) string {
	if len(text) > 60 {
		return strconv.Quote(text[:60]) + "…"
	}
	return strconv.Quote(text)
}

// A RangeError means that a model does not have the iterations asked for.
type RangeError struct {
	Start, Count int
	Iterations   int // that the model has
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("lightgbm model: start at iteration %d, count %d: the model has iterations 0 to %d",
		e.Start, e.Count, e.Iterations-1)
}
