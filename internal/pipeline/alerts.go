package pipeline

import (
	"slices"

	"headgate/internal/alert"
)

// Alerts says who is told when something goes wrong.
type Alerts struct {
	Receivers map[string]alert.Receiver `json:"receivers"`
	// Routes say who is told of what: the first that fits. The last one fits everything.
	Routes []Route  `json:"routes"`
	Quiet  Duration `json:"quiet"`  // the same trouble within so long is not told again
	Repeat Duration `json:"repeat"` // after so long it is, while nobody has acknowledged it; 0: never
	// Acknowledge says who is told next while nobody acknowledges. Routes may have their own.
	Acknowledge []Escalation `json:"acknowledge,omitempty"`
	Console     string       `json:"console,omitempty"` // URL of the Temporal Web UI, for links
}

// A Route says who is told of alerts of some kinds, and at least of some severity.
type Route struct {
	Kinds       []alert.Kind   `json:"kinds,omitempty"`    // empty: all
	Severity    alert.Severity `json:"severity,omitempty"` // or worse; empty: any
	To          []string       `json:"to"`                 // receivers; empty: nobody
	Acknowledge []Escalation   `json:"acknowledge,omitzero"`
}

// An Escalation says who is told if nobody has acknowledged an alert in time.
type Escalation struct {
	Within Duration `json:"within"` // of the step before, or of the alert
	Else   []string `json:"else"`   // receivers
}

// Route returns the first route that an alert fits.
func (a *Alerts) Route(kind alert.Kind, severity alert.Severity) Route {
	for _, r := range a.Routes {
		if (len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind)) && severity.Least(r.Severity) {
			if r.Acknowledge == nil {
				r.Acknowledge = a.Acknowledge
			}
			return r
		}
	}
	return Route{}
}

// all reports whether every alert fits the route.
func (r *Route) all() bool {
	return len(r.Kinds) == 0 && (r.Severity == "" || r.Severity == alert.Info)
}
