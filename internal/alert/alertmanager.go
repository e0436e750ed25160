package alert

import (
	"fmt"
	"strings"
	"time"
)

// AlertmanagerPath is where alerts are posted, below the URL of an Alertmanager.
const AlertmanagerPath = "/api/v2/alerts"

// A postableAlert is one alert of Alertmanager's API, version 2:
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Alertmanager returns the notice as Alertmanager takes it: a list of one alert. Labels
// say which alert it is, so they are the same in all its notices; an alert that is over
// ends now, and any other one when it may be forgotten.
func (n Notice) Alertmanager() []byte {
	a := n.Alert
	p := postableAlert{
		Labels: map[string]string{"alertname": "Headgate" + strings.ToUpper(string(a.Kind[:1])) + string(a.Kind[1:]), "severity": string(a.Severity),
			"pipeline": a.Pipeline, "fingerprint": a.Fingerprint()},
		Annotations: map[string]string{"summary": a.Title, "description": strings.Join(append([]string{a.Text}, a.Reasons...), "\n"),
			"who": a.Who, "next": n.plainSteps()},
		StartsAt: n.Since.UTC(), EndsAt: n.Until.UTC(), GeneratorURL: a.Link,
	}
	if a.Subject != "" {
		p.Labels["subject"] = a.Subject
	}
	if n.over() {
		p.EndsAt = n.At.UTC()
	}
	if n.Note != "" {
		p.Annotations["note"] = n.Note
	}
	return encode([]postableAlert{p})
}

// plainSteps writes what is left to do, a line for each.
func (n Notice) plainSteps() string {
	var b strings.Builder
	for i, s := range n.steps() {
		fmt.Fprintf(&b, "%d. %s", i+1, s.Text)
		switch {
		case s.Command != "":
			fmt.Fprintf(&b, ":\n   %s", s.Command)
		case s.Update != nil:
			fmt.Fprintf(&b, ":\n   Update %s of %s, with\n   %s", s.Update.Name, s.Update.Workflow, s.Update.Input)
		}
		b.WriteString("\n")
	}
	return b.String()
}
