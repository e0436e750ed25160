package workflows

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDetailsHaveRoom(t *testing.T) {
	line := "- a reason that nobody wants to read so often, with ünïcode\n"
	long := strings.Repeat(line, 1000)
	for _, tt := range []struct {
		name, markdown string
		more           bool
	}{
		{name: "nothing", markdown: ""},
		{name: "what fits stays as it is", markdown: long[:maxDetails]},
		{name: "what does not is cut after a line", markdown: long, more: true},
		{name: "one line that is too long is cut in it", markdown: strings.Repeat("é", maxDetails), more: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := fit(tt.markdown)
			if len(got) > maxDetails || !utf8.ValidString(got) || strings.Contains(got, "There is more") != tt.more {
				t.Errorf("%d bytes: …%s", len(got), got[max(0, len(got)-200):])
			}
			if !tt.more && got != tt.markdown {
				t.Error("it was changed")
			}
		})
	}
}

func TestSummariesAreOneShortLine(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a short one", "Score shard 3", "Score shard 3"},
		{"several lines become one", "Leave shard 3 out\nfor  ann", "Leave shard 3 out for ann"},
		{"a long one ends in dots", strings.Repeat("a", 300), strings.Repeat("a", 197) + "…"},
		{"no character is broken", strings.Repeat("é", 150), strings.Repeat("é", 98) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line(tt.text); got != tt.want {
				t.Errorf("line(%q) = %q of %d bytes, want %q", tt.text, got, len(got), tt.want)
			}
		})
	}
}
