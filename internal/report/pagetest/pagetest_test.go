package pagetest_test

import (
	"strings"
	"testing"

	"headgate/internal/report/pagetest"
)

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ name, page, want string }{
		{"a sound page", `<h1>x</h1><svg><title>y</title></svg><a href="#a">a</a><p id="a"></p><table><caption>c</caption><tr><th scope="col">h</th></tr></table>`, ""},
		{"an element that is not closed", `<h1>x</h1><div>`, "without an end"},
		{"elements that cross", `<h1>x</h1><p><b></p></b>`, "ends"},
		{"no heading", `<p>x</p>`, "0 h1 elements"},
		{"two first headings", `<h1>x</h1><h1>y</h1>`, "2 h1 elements"},
		{"a heading too deep", `<h1>x</h1><h3>y</h3>`, "after a heading of level 1"},
		{"a drawing without a title", `<h1>x</h1><svg><rect/></svg>`, "a drawing without a title"},
		{"a table without a caption", `<h1>x</h1><table><tr><td>1</td></tr></table>`, "a table without a caption"},
		{"a head without a scope", `<h1>x</h1><table><caption>c</caption><tr><th>h</th></tr></table>`, "without a scope"},
		{"a script", `<h1>x</h1><script>1</script>`, "an element script"},
		{"a handler", `<h1 onclick="x()">x</h1>`, "a handler onclick"},
		{"another host", `<h1>x</h1><a href="https://example.com">y</a>`, "the address"},
		{"another host for a picture", `<h1>x</h1><img src="//example.com/a.png">`, "the address"},
		{"a style that loads", `<h1 style="background:url(x)">x</h1>`, "the attribute style"},
		{"an id twice", `<h1 id="a">x</h1><p id="a"></p>`, `the id "a" twice`},
		{"a link to nothing", `<h1>x</h1><a href="#nowhere">y</a>`, "a link to #nowhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(pagetest.Check([]byte(test.page)), "; ")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
