// Package pagetest checks that a page keeps what package page promises of all of them.
package pagetest

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Check returns what is wrong with a page: elements that are not closed, more or less than
// one first heading, a heading that skips a level, a drawing without a title, a table
// without a caption, a cell of a head without a scope, an id that is used twice, a link to
// a part that is not there, a script, a handler of events, or an address that needs a
// network.
func Check(page []byte) []string {
	c := &checker{ids: map[string]bool{}}
	if err := c.balanced(page); err != nil {
		c.problem("%v", err)
	}
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return append(c.problems, err.Error())
	}
	c.walk(root)
	if c.first != 1 {
		c.problem("%d h1 elements; want one", c.first)
	}
	for _, l := range c.links {
		if !c.ids[l] {
			c.problem("a link to #%s, which is not there", l)
		}
	}
	return c.problems
}

type checker struct {
	problems []string
	ids      map[string]bool
	links    []string
	first    int // h1 elements
	level    int // of the last heading
}

func (c *checker) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// void are the elements that have no end.
var void = []string{"meta", "link", "br", "hr", "img", "input"}

// balanced checks that elements end in the order in which they began. A parser of HTML
// mends that silently.
func (c *checker) balanced(page []byte) error {
	var open []string
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				return fmt.Errorf("elements without an end: %v", open)
			}
			return nil
		case html.StartTagToken:
			if name, _ := z.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return fmt.Errorf("</%s> ends %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func (c *checker) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.walk(child)
	}
}

func (c *checker) element(n *html.Node) {
	switch n.Data {
	case "script", "iframe", "object", "embed", "link", "base", "form":
		c.problem("an element %s", n.Data)
	case "h1", "h2", "h3", "h4":
		level := int(n.Data[1] - '0')
		if level == 1 {
			c.first++
		}
		if level > c.level+1 {
			c.problem("%s after a heading of level %d: %s", n.Data, c.level, text(n))
		}
		c.level = level
	case "svg":
		if t := child(n, "title"); t == nil || strings.TrimSpace(text(t)) == "" {
			c.problem("a drawing without a title")
		}
	case "table":
		if t := child(n, "caption"); t == nil || strings.TrimSpace(text(t)) == "" {
			c.problem("a table without a caption: %.60s", text(n))
		}
	case "th":
		if attribute(n, "scope") == "" {
			c.problem("a head of cells without a scope: %s", text(n))
		}
	}
	for _, a := range n.Attr {
		c.attribute(n, a)
	}
}

func (c *checker) attribute(n *html.Node, a html.Attribute) {
	switch key := strings.ToLower(a.Key); {
	case key == "id":
		if c.ids[a.Val] {
			c.problem("the id %q twice", a.Val)
		}
		c.ids[a.Val] = true
	case strings.HasPrefix(key, "on"):
		c.problem("a handler %s of %s", key, n.Data)
	case key == "href" || key == "src" || key == "srcset" || key == "action":
		u, err := url.Parse(a.Val)
		if err != nil || u.IsAbs() || u.Host != "" {
			c.problem("the address %q", a.Val)
		} else if u.Path == "" {
			c.links = append(c.links, u.Fragment)
		}
	}
	if v := strings.ToLower(a.Val); strings.Contains(v, "url(") || strings.Contains(v, "javascript:") {
		c.problem("the attribute %s=%q of %s", a.Key, a.Val, n.Data)
	}
}

func child(n *html.Node, name string) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && c.Data == name {
			return c
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(text(c))
	}
	return b.String()
}
