package alert

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"time"
)

// A Mail is a notice as a mail, without its addresses.
type Mail struct {
	Subject string
	Text    string
	HTML    string
	// MessageID is the same however often the mail is sent; InReplyTo, if it is not empty,
	// is that of the first mail about the alert, so that mail programs show them together.
	MessageID string
	InReplyTo string
	Date      time.Time
}

// Mail returns the notice as a mail that comes from an address at domain.
func (n Notice) Mail(domain string) (Mail, error) {
	m := Mail{Subject: n.Headline(), Text: n.plain(), MessageID: n.ID + "@" + domain, Date: n.At.UTC()}
	thread := n.thread() + "@" + domain
	if n.ID != n.thread() {
		m.InReplyTo = thread
	}
	var b bytes.Buffer
	if err := page.Execute(&b, n); err != nil {
		return Mail{}, fmt.Errorf("mail of alert %s: %w", n.ID, err)
	}
	m.HTML = b.String()
	return m, nil
}

// thread returns the ID of the alert's first notice.
func (n Notice) thread() string {
	if i := strings.LastIndexByte(n.ID, '-'); i > 0 {
		return ID(n.ID[:i], 1)
	}
	return n.ID
}

// plain writes the notice as text.
func (n Notice) plain() string {
	a := n.Alert
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", n.Headline())
	if story := n.story(); story != "" {
		fmt.Fprintf(&b, "%s\n\n", story)
	}
	fmt.Fprintf(&b, "%s\n", a.Text)
	for _, r := range a.Reasons {
		fmt.Fprintf(&b, "- %s\n", r)
	}
	if steps := n.plainSteps(); steps != "" {
		fmt.Fprintf(&b, "\nWho acts: %s\n\nWhat to do\n%s", a.Who, steps)
	}
	fmt.Fprintf(&b, "\nKind %s, severity %s, since %s\nRun %s\n", a.Kind, a.Severity, n.Since.UTC().Format(time.RFC3339), a.Workflow.ID)
	if a.Link != "" {
		fmt.Fprintf(&b, "%s\n", a.Link)
	}
	fmt.Fprintf(&b, "Alert %s\n", a.Fingerprint())
	return b.String()
}

var page = template.Must(template.New("mail").Funcs(template.FuncMap{
	"headline": Notice.Headline, "story": Notice.story, "steps": Notice.steps,
	"since": func(n Notice) string { return n.Since.UTC().Format(time.RFC3339) },
	"colour": func(n Notice) template.CSS {
		if n.over() {
			return colourOver
		}
		return template.CSS(colours[n.Alert.Severity])
	},
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{{headline .}}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:640px;border-left:6px solid {{colour .}};padding-left:16px">
<h1 style="font-size:20px;margin:0 0 12px">{{headline .}}</h1>
{{- with story .}}
<p><strong>{{.}}</strong></p>
{{- end}}
<p>{{.Alert.Text}}</p>
{{- with .Alert.Reasons}}
<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{- end}}
{{- with steps .}}
<p><strong>Who acts:</strong> {{$.Alert.Who}}</p>
<ol>
{{- range .}}
<li>{{.Text}}
{{- if .Command}}<br><code>{{.Command}}</code>{{end}}
{{- with .Update}}<br>Update <code>{{.Name}}</code> of <code>{{.Workflow}}</code>, with<br><code>{{.Input}}</code>{{end}}</li>
{{- end}}
</ol>
{{- end}}
<p style="font-size:13px">{{.Alert.Kind}}, {{.Alert.Severity}}, since {{since .}}<br>
{{- if .Alert.Link}}<a href="{{.Alert.Link}}">{{.Alert.Workflow.ID}}</a>{{else}}{{.Alert.Workflow.ID}}{{end}}<br>
alert {{.Alert.Fingerprint}}</p>
</div></body></html>
`))
