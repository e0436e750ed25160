package contract

import (
	"math/big"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // defaultTimezone must not depend on the machine

	"headgate/internal/strictyaml"
)

// A literal is a value that the contract names, of the type of its column.
type literal struct {
	num  *big.Rat // a number; of dates and timestamps nanoseconds since 1970 UTC; of times since midnight
	wall *big.Rat // a timestamp as a clock in the default time zone shows it
	text string   // of strings
	yes  bool     // of booleans
	nan  bool     // a number that is NaN
}

// literal reads a value of the column's type. what names it in messages.
func (col *column) literal(what string, v strictyaml.Value) (literal, bool) {
	switch col.Type {
	case String:
		s, ok := v.Str(what)
		return literal{text: s}, ok
	case Boolean:
		b, ok := v.Bool(what)
		return literal{yes: b}, ok
	case Integer, Number:
		if s, ok := v.Scalar(); ok && v.Number() && strings.EqualFold(s, ".nan") {
			return literal{nan: true}, true
		}
		r, ok := v.Rat(what)
		return literal{num: r}, ok
	case Date, Timestamp, Time:
		return col.temporalLiteral(what, v)
	}
	v.Problemf("%s need a logicalType", what)
	return literal{}, false
}

func (col *column) temporalLiteral(what string, v strictyaml.Value) (literal, bool) {
	s, ok := v.Str(what)
	if !ok {
		return literal{}, false
	}
	layouts := col.temporal.layouts
	if layouts == nil {
		layouts = isoLayouts[col.Type]
	}
	for _, layout := range layouts {
		t, err := time.ParseInLocation(layout, s, col.temporal.in)
		if err != nil {
			continue
		}
		if col.Type == Time {
			midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
			return literal{num: big.NewRat(int64(t.Sub(midnight)), 1)}, true
		}
		t = t.In(col.temporal.in)
		_, offset := t.Zone()
		wall := nanos(t)
		wall.Add(wall, big.NewRat(int64(offset)*1e9, 1))
		if col.Type == Date {
			return literal{num: wall}, true
		}
		return literal{num: nanos(t), wall: wall}, true
	}
	if col.temporal.pattern != "" {
		v.Problemf("%s is not in the format %s", what, col.temporal.pattern)
	} else {
		v.Problemf("%s is not in ISO 8601, as in %s", what, isoExamples[col.Type])
	}
	return literal{}, false
}

// nanos returns the nanoseconds since 1970, of any year.
func nanos(t time.Time) *big.Rat {
	n := new(big.Int).Mul(big.NewInt(t.Unix()), big.NewInt(1e9))
	return new(big.Rat).SetInt(n.Add(n, big.NewInt(int64(t.Nanosecond()))))
}

var isoLayouts = map[Type][]string{
	Date: {"2006-01-02"},
	Time: {"15:04:05", "15:04"}, // a fraction is read after the seconds of any layout
	Timestamp: {"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00",
		"2006-01-02 15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"},
}

var isoExamples = map[Type]string{Date: "2024-01-31", Time: "23:59:59", Timestamp: "2024-01-31T23:59:59Z"}

// temporal says how dates and times are written in the contract.
type temporal struct {
	pattern string   // format, as written
	layouts []string // Go's layouts for it; nil means ISO 8601
	in      *time.Location
}

func (t *temporal) defaults() { t.in = time.UTC }

// zone reads defaultTimezone: an IANA name, which must be known to this program.
func (t *temporal) zone(v strictyaml.Value) {
	s, ok := v.Str("defaultTimezone")
	if !ok {
		return
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "" || s == "Local" {
		v.Problemf("defaultTimezone %q is not a time zone, as in Europe/Berlin", s)
		return
	}
	t.in = loc
}

// jdk maps what JDK patterns and Go layouts both can say.
var jdk = map[string]string{
	"yyyy": "2006", "uuuu": "2006", "yy": "06", "MM": "01", "M": "1", "MMM": "Jan", "dd": "02", "d": "2",
	"HH": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5", "a": "PM", "EEE": "Mon",
	"XXX": "Z07:00", "XX": "Z0700", "X": "Z07", "xxx": "-07:00", "xx": "-0700", "x": "-07", "Z": "-0700",
}

// format reads a pattern of the JDK's DateTimeFormatter. It only matters for the
// limits in the contract: Parquet keeps dates and times as numbers.
func (t *temporal) format(v strictyaml.Value) {
	s, ok := v.Str("format")
	if !ok {
		return
	}
	layout, reason := layoutOf(s)
	if reason != "" {
		v.Problemf("format %q cannot be read: %s", s, reason)
		return
	}
	t.pattern, t.layouts = s, []string{layout}
	if strings.Contains(layout, "-0700") { // Z is often written with a colon
		t.layouts = append(t.layouts, strings.ReplaceAll(layout, "-0700", "-07:00"), strings.ReplaceAll(layout, "-0700", "Z07:00"))
	}
}

// layoutOf translates a JDK pattern, or says why it cannot.
func layoutOf(p string) (layout, reason string) {
	var b strings.Builder
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '\'':
			text, n, reason := quotedText(p[i:])
			if reason != "" {
				return "", reason
			}
			b.WriteString(text)
			i += n
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(p) && p[i+n] == c {
				n++
			}
			run := p[i : i+n]
			switch out, known := jdk[run], jdk[run] != ""; {
			case known:
				b.WriteString(out)
			case c == 'S' && i > 0 && p[i-1] == '.' && n <= 9:
				b.WriteString(strings.Repeat("0", n))
			case c == 'S':
				return "", "a fraction of a second must follow a dot, with at most 9 digits"
			case c == 'Y':
				return "", "Y is the week-based year; write yyyy"
			case c == 'D':
				return "", "D is the day of the year; write dd"
			default:
				return "", run + " is not supported"
			}
			i += n
		case c >= '0' && c <= '9' || c == '_' || c >= 0x80:
			return "", "only letters, punctuation and quoted text can be read"
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), ""
}

// quotedText reads a quoted part of a JDK pattern and its length: 'T' is T, ” is a
// quote, and so are two quotes inside of quotes.
func quotedText(p string) (text string, n int, reason string) {
	if strings.HasPrefix(p, "''") {
		return "'", 2, ""
	}
	var b strings.Builder
	for i := 1; i < len(p); i++ {
		switch {
		case strings.HasPrefix(p[i:], "''"):
			b.WriteByte('\'')
			i++
		case p[i] == '\'':
			return b.String(), i + 1, ""
		case p[i] >= '0' && p[i] <= '9' || p[i] == '_' || len(goWords.FindString(p[i:])) > 0:
			return "", 0, "the quoted text has a part that cannot be read literally"
		default:
			b.WriteByte(p[i])
		}
	}
	return "", 0, "a quote is not closed"
}

// goWords are letters that Go's layouts would not take literally.
var goWords = regexp.MustCompile(`^(?:Jan|Mon|MST|Z07|PM|pm)`)
