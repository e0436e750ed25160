package pipeline_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/alert"
	"headgate/internal/pipeline"
	"headgate/schemas"
)

const alertsText = `pipeline: p
contract: c.yaml
input: { files: '{batch}' }
alerts:
  receivers:
    duty: { webhook: { url: env:DUTY_URL, secret: file:/run/secrets/duty } }
    team: { slack: { url: env:TEAM_SLACK_URL } }
    post: { email: { server: env:SMTP, from: "Headgate <headgate@example.com>", to: [ann@example.com] } }
    am: { alertmanager: { url: env:ALERTMANAGER } }
  routes:
    - { kinds: [releaseAsks, approvalExpires], to: [team], acknowledge: [] }
    - { severity: critical, to: [duty, am] }
    - { kinds: [trainingBlocked], to: [] }
    - { to: [team] }
  quiet: 10m
  repeat: 0s
  acknowledge: [{ within: 30m, else: [duty] }, { within: 2h, else: [post] }]
  console: https://temporal.example.com
`

func TestTheFirstRouteThatFits(t *testing.T) {
	a := parse(t, alertsText).Alerts
	for _, tt := range []struct {
		name      string
		kind      alert.Kind
		to        []string
		escalates int
	}{
		{name: "by its kind, and never to others", kind: alert.ReleaseAsks, to: []string{"team"}},
		{name: "by its severity", kind: alert.BatchBlocked, to: []string{"duty", "am"}, escalates: 2},
		{name: "to nobody", kind: alert.TrainingBlocked, to: []string{}, escalates: 2},
		{name: "by the last route", kind: alert.DriftPersists, to: []string{"team"}, escalates: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := a.Route(tt.kind, tt.kind.Severity())
			if !slices.Equal(r.To, tt.to) || len(r.Acknowledge) != tt.escalates {
				t.Errorf("%+v", r)
			}
		})
	}
	if time.Duration(a.Quiet) != 10*time.Minute || a.Repeat != 0 {
		t.Errorf("quiet %s, repeat %s", a.Quiet, a.Repeat)
	}
}

func TestWithoutRoutesAllAreToldOfEverything(t *testing.T) {
	text, _, _ := strings.Cut(alertsText, "  routes:")
	a := parse(t, text).Alerts
	if r := a.Route(alert.TrainingBlocked, alert.Info); !slices.Equal(r.To, []string{"am", "duty", "post", "team"}) || len(r.Acknowledge) != 0 {
		t.Errorf("%+v", r)
	}
	if time.Duration(a.Quiet) != pipeline.DefaultQuiet || time.Duration(a.Repeat) != pipeline.DefaultRepeat {
		t.Errorf("quiet %s, repeat %s", a.Quiet, a.Repeat)
	}
}

func TestAlertsAreWrittenAsTheyAreRead(t *testing.T) {
	c := parse(t, alertsText)
	again, err := pipeline.Parse("again", c.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.Alerts, c.Alerts) {
		t.Errorf("got %s, want %s", again.JSON(), c.JSON())
	}
}

// What could be a secret does not stand in the problem that it makes.
func TestAlertsThatAreNotUnderstood(t *testing.T) {
	const receivers = "receivers: { team: { slack: { url: env:TEAM } } }"
	for _, tt := range []struct{ name, alerts, want string }{
		{"no receiver", "{}", "4:9: alerts needs receivers"},
		{"an empty list", "{ receivers: {} }", "4:22: receivers is empty; name one, as in team: { slack: { url: env:TEAM_SLACK_URL } }, or leave alerts out"},
		{"an unknown type", "{ receivers: { team: { slak: { url: env:TEAM } } } }", `receiver team has no key "slak"; did you mean slack?`},
		{"two types", "{ receivers: { team: { slack: { url: env:A }, alertmanager: { url: env:B } } } }", "receiver team must have one of webhook, slack, email, alertmanager, and has 2"},
		{"a name with a slash", "{ receivers: { a/b: { slack: { url: env:A } } } }", `receiver "a/b" must be 1 to 63 letters`},
		{"the secret itself", "{ receivers: { team: { slack: { url: 'https://hooks.slack.com/services/canary' } } } }",
			"4:46: url must be a reference, env:NAME or file:/absolute/path, and not the value itself: pipeline files are kept for ever"},
		{"a secret that begins like a reference", "{ receivers: { team: { slack: { url: 'env:canary secret' } } } }", "url must be env:NAME or file:/absolute/path"},
		{"a relative file", "{ receivers: { team: { slack: { url: 'file:canary' } } } }", "url must be env:NAME or file:/absolute/path"},
		{"no secret", "{ receivers: { duty: { webhook: { url: env:A } } } }", "webhook needs secret"},
		{"no address", "{ receivers: { post: { email: { server: env:A, from: ann, to: [] } } } }", `from "ann" is no mail address, as in ann@example.com`},
		{"nobody gets the mail", "{ receivers: { post: { email: { server: env:A, from: a@b.example, to: [] } } } }", "to is empty; name who gets the mail"},
		{"an unknown receiver", "{ " + receivers + ", routes: [{ to: [teem] }] }", `receiver "teem" is not known; did you mean team?`},
		{"an unknown kind", "{ " + receivers + ", routes: [{ kinds: [batchBlock], to: [] }, { to: [] }] }", `kind "batchBlock" is not known; did you mean batchBlocked?`},
		{"an unknown severity", "{ " + receivers + ", routes: [{ severity: kritical, to: [] }, { to: [] }] }", `severity "kritical" is not known; did you mean critical?`},
		{"twice the same", "{ " + receivers + ", routes: [{ to: [team, team] }] }", "to has team twice"},
		{"no last route", "{ " + receivers + ", routes: [{ severity: warning, to: [team] }] }",
			"alerts that fit no route would go nowhere; add { to: [team] } as the last one, or { to: [] } if that is meant"},
		{"a route behind the last", "{ " + receivers + ", routes: [{ to: [team] }, { severity: critical, to: [] }] }", "no alert comes here: the route before fits all of them"},
		{"no time", "{ " + receivers + ", acknowledge: [{ within: 0s, else: [team] }] }", "within must be longer than nothing"},
		{"nobody else", "{ " + receivers + ", acknowledge: [{ within: 1h, else: [] }] }", "else is empty; name who is told next"},
		{"half an entry", "{ " + receivers + ", acknowledge: [{ within: 1h }] }", "an entry of acknowledge needs else"},
		{"a fast repeat", "{ " + receivers + ", repeat: 1ms }", "repeat must be 1s or more, or 0s for never"},
		{"a console with a password", "{ " + receivers + ", console: 'https://a:canary@b' }", "console must be the address of the Temporal Web UI, as in https://temporal.example.com"},
		{"a word", "none", "alerts must be a map, not a string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pipeline.Parse("p.yaml", []byte("pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nalerts: "+tt.alerts+"\n"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("it tells the secret: %v", err)
			}
		})
	}
}

// Editors know the kinds that there are, and the types of receivers.
func TestSchemaAgreesOnAlerts(t *testing.T) {
	var root struct {
		Properties struct {
			Alerts struct {
				Properties struct {
					Receivers struct {
						Additional node `json:"additionalProperties"`
					} `json:"receivers"`
					Routes node `json:"routes"`
				} `json:"properties"`
			} `json:"alerts"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(schemas.Pipeline, &root); err != nil {
		t.Fatal(err)
	}
	alerts := root.Properties.Alerts.Properties
	agree(t, "receivers", alerts.Receivers.Additional, reflect.TypeFor[alert.Receiver]())
	if kinds := alerts.Routes.Items.Properties["kinds"].Items.Enum; !slices.Equal(kinds, alert.Kinds()) {
		t.Errorf("the schema has the kinds %v, and there are %v", kinds, alert.Kinds())
	}
}
