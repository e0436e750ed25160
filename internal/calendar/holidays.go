package calendar

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxHolidays bounds the days of a holiday file.
const maxHolidays = 10_000

// A HolidayError is what is wrong in a holiday file.
type HolidayError struct {
	File         string
	Line, Column int // from 1
	Message      string
}

func (e *HolidayError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// ParseHolidays reads the days on which nobody works, as ascending ISO dates.
//
// The file has one ISO date a line; what follows it, after a blank, is its name, and a line
// that begins with # is a comment. A file that begins with BEGIN:VCALENDAR is an iCalendar
// (RFC 5545) of whole days: DTSTART;VALUE=DATE, and DTEND, which is the day after the last.
// One that repeats (RRULE) is refused: export the years one by one. name stands before line
// and column of an error, which is a [*HolidayError].
func ParseHolidays(name string, data []byte) ([]string, error) {
	p := &holidays{name: name, days: map[string]bool{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, &HolidayError{name, 1, 1, "the file is no text in UTF-8"}
	}
	read := p.plain
	if bytes.HasPrefix(data, []byte("BEGIN:VCALENDAR")) {
		read = p.event
	}
	for line := range strings.Lines(string(data)) {
		p.line++
		if err := read(strings.TrimRight(line, "\r\n")); err != nil {
			return nil, err
		}
		if len(p.days) > maxHolidays {
			return nil, p.wrong(1, "there are more than %d holidays", maxHolidays)
		}
	}
	var all []string
	for day := range p.days {
		all = append(all, day)
	}
	slices.Sort(all)
	return all, nil
}

type holidays struct {
	name  string
	line  int
	days  map[string]bool
	start time.Time // of the event that is read
	end   time.Time
}

func (p *holidays) wrong(column int, format string, args ...any) error {
	return &HolidayError{p.name, p.line, column, fmt.Sprintf(format, args...)}
}

// plain reads a line with a date.
func (p *holidays) plain(line string) error {
	text := strings.TrimLeft(line, " \t")
	column := len(line) - len(text) + 1
	if text == "" || text[0] == '#' {
		return nil
	}
	word, _, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
	day, err := time.Parse(time.DateOnly, word)
	if err != nil {
		return p.wrong(column, "%q is no date, as in 2024-12-25", word)
	}
	p.days[day.Format(time.DateOnly)] = true
	return nil
}

// event reads a line of an iCalendar.
func (p *holidays) event(line string) error {
	key, value, _ := strings.Cut(line, ":")
	name, parameters, _ := strings.Cut(strings.ToUpper(key), ";")
	var err error
	switch name {
	case "BEGIN":
		p.start, p.end = time.Time{}, time.Time{}
	case "RRULE", "RDATE":
		return p.wrong(1, "%s repeats an event, which is not understood; export the years one by one", name)
	case "DTSTART":
		p.start, err = p.date(key, parameters, value)
	case "DTEND":
		p.end, err = p.date(key, parameters, value)
	case "END":
		if strings.EqualFold(value, "VEVENT") {
			return p.add()
		}
	}
	return err
}

// date reads a day of an event.
func (p *holidays) date(key, parameters, value string) (time.Time, error) {
	if parameters != "VALUE=DATE" {
		return time.Time{}, p.wrong(1, "%s is no whole day; holidays are, as in DTSTART;VALUE=DATE:20241225", key)
	}
	day, err := time.Parse("20060102", value)
	if err != nil {
		return time.Time{}, p.wrong(len(key)+2, "%q is no date, as in 20241225", value)
	}
	return day, nil
}

// add takes the days of the event that was read.
func (p *holidays) add() error {
	if p.start.IsZero() {
		return p.wrong(1, "the event before this has no DTSTART;VALUE=DATE")
	}
	if p.end.IsZero() {
		p.end = p.start.AddDate(0, 0, 1)
	}
	if days := p.end.Sub(p.start) / (24 * time.Hour); days < 1 || days > longestBreak {
		return p.wrong(1, "the event before this lasts from %s to %s", p.start.Format(time.DateOnly), p.end.Format(time.DateOnly))
	}
	for d := p.start; d.Before(p.end); d = d.AddDate(0, 0, 1) {
		p.days[d.Format(time.DateOnly)] = true
	}
	return nil
}
