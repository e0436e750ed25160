package calendar

import (
	"slices"
	"strings"
	"testing"
)

func TestParseHolidays(t *testing.T) {
	const ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Christmas\r\n"
	for _, tt := range []struct{ name, text, want string }{
		{"dates, names and comments", "# Berlin\n\n2024-12-25 Christmas\n 2024-01-01\n2024-12-25\n", "2024-01-01 2024-12-25"},
		{"no holidays", "", ""},
		{"a mark of the order of bytes", "\ufeff2024-01-01\r\n", "2024-01-01"},
		{"a name after a tab", "2024-01-01\tNew Year", "2024-01-01"},
		{"a date of another country", "2024-01-01\n 25.12.2024\n", `h:2:2: "25.12.2024" is no date, as in 2024-12-25`},
		{"a day that is not there", "2023-02-29", `h:1:1: "2023-02-29" is no date`},
		{"no text", "\xff", "h:1:1: the file is no text in UTF-8"},
		{"a calendar", ics + "DTSTART;VALUE=DATE:20241225\r\nDTEND;VALUE=DATE:20241227\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "2024-12-25 2024-12-26"},
		{"an event of one day", ics + "DTSTART;VALUE=DATE:20241225\r\nEND:VEVENT\r\n", "2024-12-25"},
		{"an hour is no holiday", ics + "DTSTART:20241225T100000Z\r\nEND:VEVENT\r\n", "h:5:1: DTSTART is no whole day"},
		{"every year", ics + "DTSTART;VALUE=DATE:20241225\nRRULE:FREQ=YEARLY\nEND:VEVENT\n", "h:6:1: RRULE repeats an event"},
		{"no date", ics + "DTSTART;VALUE=DATE:2024-12-25\n", `h:5:20: "2024-12-25" is no date`},
		{"an event without a day", ics + "END:VEVENT\n", "h:5:1: the event before this has no DTSTART"},
		{"it ends before it begins", ics + "DTSTART;VALUE=DATE:20241225\nDTEND;VALUE=DATE:20241224\nEND:VEVENT\n", "h:7:1: the event before this lasts from 2024-12-25 to 2024-12-24"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			days, err := ParseHolidays("h", []byte(tt.text))
			got := strings.Join(days, " ")
			if err != nil {
				got = err.Error()
			}
			if got != tt.want && (err == nil || !strings.HasPrefix(got, tt.want)) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzParseHolidays(f *testing.F) {
	f.Add([]byte("2024-01-01 New Year\n# x\n"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20241225\nEND:VEVENT\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		days, err := ParseHolidays("h", data)
		if err != nil {
			return
		}
		if !slices.IsSorted(days) {
			t.Fatalf("%v are not in order", days)
		}
		again, err := ParseHolidays("h", []byte(strings.Join(days, "\n")))
		if err != nil || !slices.Equal(again, days) {
			t.Fatalf("%v, read again, are %v (%v)", days, again, err)
		}
	})
}
