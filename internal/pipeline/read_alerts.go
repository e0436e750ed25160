package pipeline

import (
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"headgate/internal/alert"
	"headgate/internal/strictyaml"
)

// The defaults of alerts.
const (
	DefaultQuiet  = time.Hour
	DefaultRepeat = 24 * time.Hour
)

// receiverRule is what a receiver can be called.
var receiverRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

func (c *Config) readAlerts(v strictyaml.Value) {
	a := &Alerts{Receivers: map[string]alert.Receiver{}, Quiet: Duration(DefaultQuiet), Repeat: Duration(DefaultRepeat)}
	c.Alerts = a
	fs, ok := v.Map("alerts", "receivers", "routes", "quiet", "repeat", "acknowledge", "console")
	if !ok {
		return
	}
	if v, ok := fs.Need("receivers"); ok {
		a.readReceivers(v)
	}
	if v, ok := fs.Get("routes"); ok {
		a.readRoutes(v)
	} else {
		a.Routes = []Route{{To: a.Names()}}
	}
	if v, ok := fs.Get("quiet"); ok {
		a.Quiet = duration("quiet", v)
	}
	if v, ok := fs.Get("repeat"); ok {
		a.Repeat = duration("repeat", v)
		if d := time.Duration(a.Repeat); d != 0 && d < time.Second {
			v.Problemf("repeat must be 1s or more, or 0s for never")
		}
	}
	if v, ok := fs.Get("acknowledge"); ok {
		a.Acknowledge = a.readEscalations(v)
	}
	if v, ok := fs.Get("console"); ok {
		a.Console, _ = v.Str("console")
		if u, err := url.Parse(a.Console); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
			v.Problemf("console must be the address of the Temporal Web UI, as in https://temporal.example.com")
		}
	}
}

// Names returns the names of the receivers in alphabetical order.
func (a *Alerts) Names() []string { return slices.Sorted(maps.Keys(a.Receivers)) }

func (a *Alerts) readReceivers(v strictyaml.Value) {
	fs, ok := v.AnyMap("receivers")
	if !ok {
		return
	}
	if len(fs.Names()) == 0 {
		v.Problemf("receivers is empty; name one, as in team: { slack: { url: env:TEAM_SLACK_URL } }, or leave alerts out")
	}
	for _, name := range fs.Names() {
		if !receiverRule.MatchString(name) {
			fs.Key(name).Problemf("receiver %q must be 1 to 63 letters, digits, dashes and underscores, and begin with a letter or digit", name)
		}
		r, _ := fs.Get(name)
		a.Receivers[name] = readReceiver(name, r)
	}
}

func readReceiver(name string, v strictyaml.Value) (r alert.Receiver) {
	fs, ok := v.Map("receiver "+name, alert.Types...)
	if !ok {
		return r
	}
	names := fs.Names()
	if len(names) != 1 {
		v.Problemf("receiver %s must have one of %s, and has %d", name, strings.Join(alert.Types, ", "), len(names))
		return r
	}
	of := names[0]
	v, _ = fs.Get(of)
	keys := map[string][]string{"webhook": {"url", "secret"}, "slack": {"url"}, "email": {"server", "from", "to"}, "alertmanager": {"url"}}[of]
	parts, ok := v.Map(of, keys...)
	if !ok {
		return r
	}
	switch of {
	case "webhook":
		r.Webhook = &alert.Webhook{URL: reference(parts, "url"), Secret: reference(parts, "secret")}
	case "slack":
		r.Slack = &alert.Slack{URL: reference(parts, "url")}
	case "alertmanager":
		r.Alertmanager = &alert.Alertmanager{URL: reference(parts, "url")}
	case "email":
		r.Email = &alert.Email{Server: reference(parts, "server")}
		readAddresses(parts, r.Email)
	}
	return r
}

// reference reads where a worker finds a value. A problem does not show what was written:
// it may be the secret.
func reference(fs strictyaml.Fields, key string) alert.Ref {
	v, ok := fs.Need(key)
	if !ok {
		return ""
	}
	text, _ := v.Scalar()
	ref := alert.Ref(text)
	if err := ref.Check(); err != nil {
		v.Problemf("%s %v", key, err)
		return ""
	}
	return ref
}

func readAddresses(fs strictyaml.Fields, e *alert.Email) {
	address := func(what string, v strictyaml.Value) string {
		s, ok := v.Str(what)
		if _, err := mail.ParseAddress(s); ok && err != nil {
			v.Problemf("%s %q is no mail address, as in ann@example.com", what, s)
		}
		return s
	}
	if v, ok := fs.Need("from"); ok {
		e.From = address("from", v)
	}
	v, ok := fs.Need("to")
	if !ok {
		return
	}
	list, _ := v.List("to")
	for _, one := range list {
		e.To = append(e.To, address("an entry of to", one))
	}
	if v.IsList() && len(list) == 0 {
		v.Problemf("to is empty; name who gets the mail")
	}
}

func (a *Alerts) readRoutes(v strictyaml.Value) {
	list, ok := v.List("routes")
	if !ok {
		return
	}
	for i, one := range list {
		r := a.readRoute(one)
		if a.Routes = append(a.Routes, r); r.all() && i < len(list)-1 {
			list[i+1].Problemf("no alert comes here: the route before fits all of them")
		}
	}
	if n := len(a.Routes); n == 0 || !a.Routes[n-1].all() {
		v.Problemf("alerts that fit no route would go nowhere; add { to: [%s] } as the last one, or { to: [] } if that is meant", strings.Join(a.Names(), ", "))
	}
}

func (a *Alerts) readRoute(v strictyaml.Value) Route {
	r := Route{To: []string{}}
	fs, ok := v.Map("a route", "kinds", "severity", "to", "acknowledge")
	if !ok {
		return r
	}
	if v, ok := fs.Get("kinds"); ok {
		list, _ := v.List("kinds")
		for _, one := range list {
			if kind, ok := one.OneOf("kind", alert.Kinds()...); ok {
				r.Kinds = append(r.Kinds, alert.Kind(kind))
			}
		}
	}
	if v, ok := fs.Get("severity"); ok {
		s, _ := v.OneOf("severity", alert.Severities()...)
		r.Severity = alert.Severity(s)
	}
	if v, ok := fs.Need("to"); ok {
		r.To = append(r.To, a.readNames("to", v)...)
	}
	if v, ok := fs.Get("acknowledge"); ok {
		r.Acknowledge = a.readEscalations(v)
	}
	return r
}

// readEscalations reads who is told next. It is never nil.
func (a *Alerts) readEscalations(v strictyaml.Value) []Escalation {
	all := []Escalation{}
	list, _ := v.List("acknowledge")
	for _, one := range list {
		fs, ok := one.Map("an entry of acknowledge", "within", "else")
		if !ok {
			continue
		}
		var e Escalation
		if v, ok := fs.Need("within"); ok {
			if e.Within = duration("within", v); e.Within <= 0 {
				v.Problemf("within must be longer than nothing: it is how long somebody has to acknowledge an alert")
			}
		}
		if v, ok := fs.Need("else"); ok {
			if e.Else = a.readNames("else", v); len(e.Else) == 0 {
				v.Problemf("else is empty; name who is told next, or leave the entry out")
			}
		}
		all = append(all, e)
	}
	return all
}

// readNames reads a list of receivers.
func (a *Alerts) readNames(what string, v strictyaml.Value) []string {
	var names []string
	list, _ := v.List(what)
	for _, one := range list {
		name, ok := one.OneOf("receiver", a.Names()...)
		switch {
		case !ok:
		case slices.Contains(names, name):
			one.Problemf("%s has %s twice", what, name)
		default:
			names = append(names, name)
		}
	}
	return names
}
