package alert

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// A Receiver is where notices go. It has one of the four.
//
// Where a receiver is may itself be a secret, so pipeline files, histories and logs only
// have references: a pipeline file can choose among what its workers were given, and
// cannot send anything to a place of its own.
type Receiver struct {
	Webhook      *Webhook      `json:"webhook,omitempty"`
	Slack        *Slack        `json:"slack,omitempty"`
	Email        *Email        `json:"email,omitempty"`
	Alertmanager *Alertmanager `json:"alertmanager,omitempty"`
}

// Types are the keys of a receiver.
var Types = []string{"webhook", "slack", "email", "alertmanager"}

// Forgets reports whether the receiver forgets an alert that it is not told of again.
func (r Receiver) Forgets() bool { return r.Alertmanager != nil }

// Type returns which of the four the receiver is.
func (r Receiver) Type() string {
	switch {
	case r.Webhook != nil:
		return "webhook"
	case r.Slack != nil:
		return "slack"
	case r.Email != nil:
		return "email"
	}
	return "alertmanager"
}

// A Webhook gets JSON, signed as Standard Webhooks say.
type Webhook struct {
	URL    Ref `json:"url"`
	Secret Ref `json:"secret"` // whsec_ and base64
}

// Slack gets blocks, as do programs that are compatible with it.
type Slack struct {
	URL Ref `json:"url"` // of an incoming webhook
}

// Email goes by SMTP.
type Email struct {
	Server Ref      `json:"server"` // smtp://user:password@host:587, or smtps://…:465
	From   string   `json:"from"`
	To     []string `json:"to"`
}

// An Alertmanager gets alerts by its API, version 2.
type Alertmanager struct {
	URL Ref `json:"url"` // of the server: https://alertmanager.example.com
}

// Refs returns the references of a receiver by their keys.
func (r Receiver) Refs() map[string]Ref {
	switch {
	case r.Webhook != nil:
		return map[string]Ref{"url": r.Webhook.URL, "secret": r.Webhook.Secret}
	case r.Slack != nil:
		return map[string]Ref{"url": r.Slack.URL}
	case r.Email != nil:
		return map[string]Ref{"server": r.Email.Server}
	case r.Alertmanager != nil:
		return map[string]Ref{"url": r.Alertmanager.URL}
	}
	return nil
}

// A Ref says where a worker finds a value that nobody else may see: "env:NAME" is a
// variable of its environment, "file:/path" the content of a file.
type Ref string

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Check returns what is wrong with a reference, or nil. The message does not have the
// reference: somebody may have written the secret itself.
func (r Ref) Check() error {
	scheme, name, _ := strings.Cut(string(r), ":")
	switch {
	case scheme == "env" && envName.MatchString(name):
		return nil
	case scheme == "file" && path.IsAbs(name) && path.Clean(name) == name:
		return nil
	case scheme == "env" || scheme == "file":
		return fmt.Errorf("must be env:NAME or file:/absolute/path")
	}
	return fmt.Errorf("must be a reference, env:NAME or file:/absolute/path, and not the value itself: pipeline files are kept for ever")
}

// Body returns what a receiver by HTTP is sent.
func (r Receiver) Body(n Notice) []byte {
	switch {
	case r.Slack != nil:
		return n.Slack()
	case r.Alertmanager != nil:
		return n.Alertmanager()
	}
	return n.JSON()
}
