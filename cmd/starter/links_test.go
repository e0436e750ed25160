package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	quoted  = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)

	// unanchored is what GitHub leaves out of a heading when it makes its anchor.
	unanchored = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestEveryLinkOfTheDocsLeadsSomewhere(t *testing.T) {
	followed := 0
	for _, page := range pages(t) {
		text := quoted.ReplaceAllString(fenced.ReplaceAllString(string(readFile(t, page)), ""), "")
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(l[1], "://") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(l[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links %s, which does not exist", page, l[1])
				continue
			}
			if anchor != "" && !anchors(string(readFile(t, target)))[anchor] {
				t.Errorf("%s links %s: %s has no such heading", page, l[1], target)
			}
		}
	}
	if followed < 100 {
		t.Errorf("%d links were followed, want more", followed)
	}
}

func TestEveryPictureOfTheDocsIsShown(t *testing.T) {
	shown := ""
	for _, page := range pages(t) {
		shown += string(readFile(t, page))
	}
	pictures, err := filepath.Glob("../../docs/images/*.png")
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no pictures (%v)", err)
	}
	for _, file := range pictures {
		if !strings.Contains(shown, "images/"+filepath.Base(file)) {
			t.Errorf("no page shows %s", file)
		}
	}
}

// anchors returns the anchors that GitHub gives the headings of a page.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		anchor := strings.ReplaceAll(unanchored.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
		unique := anchor
		for n := 1; all[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", anchor, n)
		}
		all[unique] = true
	}
	return all
}
