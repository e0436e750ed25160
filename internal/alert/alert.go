// Package alert says what the person on call must know: what happened, who must act, and
// what to do next, word for word.
//
// It is pure. Workflows make an [Alert] of what they found; a [Notice] is what one
// receiver is told of it, and this package writes it as the receiver reads it: a signed
// webhook, blocks for Slack, a mail, an alert for Alertmanager. Nothing here sends,
// reads a clock or knows a secret. Package deliver sends.
package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Kind says what happened.
type Kind string

// The kinds.
const (
	BatchBlocked    Kind = "batchBlocked"    // a batch may not be published
	BatchAsks       Kind = "batchAsks"       // a batch waits for a person
	BatchMissed     Kind = "batchMissed"     // a batch was due, and nothing was published
	RunFailed       Kind = "runFailed"       // a run broke off, or does not go on
	DriftPersists   Kind = "driftPersists"   // batches have drifted for longer than one
	MetricFell      Kind = "metricFell"      // the champion is worse than when it came
	CalibrationLost Kind = "calibrationLost" // the champion's probabilities are off
	LabelsMissing   Kind = "labelsMissing"   // nobody wrote down what came true
	TrainingFailed  Kind = "trainingFailed"  // a training broke off
	TrainingBlocked Kind = "trainingBlocked" // a training made no model that may compete
	ReleaseAsks     Kind = "releaseAsks"     // a release waits for a person
	ApprovalExpires Kind = "approvalExpires" // … and the question soon runs out
	ReleaseStopped  Kind = "releaseStopped"  // a release stands still until somebody resumes
	ReleaseBlocked  Kind = "releaseBlocked"  // a candidate was rejected before it served anybody
	RolledBack      Kind = "rolledBack"      // a candidate that served was taken back
	Reversed        Kind = "reversed"        // the former champion is the champion again
)

// about is what is known of a kind.
type about struct {
	severity Severity
	// lasts says that the trouble is over when its cause is, and not when somebody has
	// seen it.
	lasts bool
}

var kinds = map[Kind]about{
	BatchBlocked:    {Critical, true},
	BatchAsks:       {Warning, true},
	BatchMissed:     {Critical, true},
	RunFailed:       {Critical, true},
	DriftPersists:   {Warning, true},
	MetricFell:      {Warning, true},
	CalibrationLost: {Warning, true},
	LabelsMissing:   {Warning, true},
	TrainingFailed:  {Warning, true},
	TrainingBlocked: {Info, true},
	ReleaseAsks:     {Warning, true},
	ApprovalExpires: {Critical, true},
	ReleaseStopped:  {Warning, true},
	ReleaseBlocked:  {Info, false},
	RolledBack:      {Critical, false},
	Reversed:        {Critical, false},
}

// Kinds returns all kinds in alphabetical order.
func Kinds() []string {
	var all []string
	for k := range kinds {
		all = append(all, string(k))
	}
	slices.Sort(all)
	return all
}

// Severity returns how bad the kind is.
func (k Kind) Severity() Severity { return kinds[k].severity }

// Lasts reports whether the trouble ends with its cause. Otherwise something has
// happened, and it is over when somebody says that they have seen it.
func (k Kind) Lasts() bool { return kinds[k].lasts }

// A Severity says how bad something is.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"  // somebody should look at it today
	Critical Severity = "critical" // somebody should look at it now
)

var severities = []Severity{Info, Warning, Critical}

// Severities returns all severities, the least first.
func Severities() []string {
	var all []string
	for _, s := range severities {
		all = append(all, string(s))
	}
	return all
}

// Least reports whether a severity is at least as bad as another one. All are as bad as
// the empty one.
func (s Severity) Least(than Severity) bool {
	return slices.Index(severities, s) >= slices.Index(severities, than)
}

// An Alert is trouble, and what to do about it.
type Alert struct {
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	Pipeline string    `json:"pipeline"`
	Subject  string    `json:"subject,omitempty"` // the batch or the release; empty: the pipeline
	Title    string    `json:"title"`             // one line
	Text     string    `json:"text"`              // what happened
	Reasons  []string  `json:"reasons,omitempty"` // as the gate or the failure wrote them
	Who      string    `json:"who"`               // must act
	Steps    []Step    `json:"steps,omitempty"`   // what to do next
	Workflow Execution `json:"workflow"`          // that found it
	Link     string    `json:"link,omitempty"`    // to its page in the Temporal Web UI
	At       time.Time `json:"at"`                // when it was found
}

// A Step is something to do. It has a command, an Update, or only its text.
type Step struct {
	Text    string  `json:"text"`
	Command string  `json:"command,omitempty"`
	Update  *Update `json:"update,omitempty"`
}

// An Update is what to send to a workflow, from its page in the Web UI.
type Update struct {
	Workflow string `json:"workflow"`
	Name     string `json:"name"`
	Input    string `json:"input"` // JSON
}

// An Execution is a run of a workflow.
type Execution struct {
	Namespace string `json:"namespace,omitempty"`
	ID        string `json:"id"`
	Run       string `json:"run,omitempty"`
}

// Fingerprint names the trouble: the same kind, about the same thing, of the same
// pipeline is one alert, however often it is found. It is 16 hexadecimal digits.
func (a Alert) Fingerprint() string { return Fingerprint(a.Kind, a.Pipeline, a.Subject) }

// Fingerprint returns the fingerprint of an alert.
func Fingerprint(kind Kind, pipeline, subject string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "headgate alert\n%q\n%q\n%q\n", kind, pipeline, subject))
	return hex.EncodeToString(sum[:8])
}

// The longest parts of an alert, in bytes, and the most reasons.
const (
	maxTitle   = 150
	maxText    = 1000
	maxReason  = 400
	maxReasons = 10
)

// Fit returns the alert with parts that no receiver would take cut off, and without
// characters that no line may have.
func (a Alert) Fit() Alert {
	a.Title, a.Text = line(a.Title, maxTitle), line(a.Text, maxText)
	var reasons []string
	for i, r := range a.Reasons {
		if i == maxReasons {
			reasons = append(reasons, fmt.Sprintf("and %d more", len(a.Reasons)-i))
			break
		}
		reasons = append(reasons, line(r, maxReason))
	}
	a.Reasons = reasons
	return a
}

// line returns a text as one line of at most so many bytes: what a receiver would take for
// the end of it, and every other control character, becomes a space.
func line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) <= most {
		return s
	}
	const more = "…"
	end := most - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// An Event says why a receiver is told of an alert.
type Event string

// The events.
const (
	Firing       Event = "firing"       // it has come, or come again
	Reminder     Event = "reminder"     // nobody has acknowledged it
	Escalated    Event = "escalated"    // … so that others are told
	Acknowledged Event = "acknowledged" // somebody takes care of it
	Resolved     Event = "resolved"     // it is over
	Refresh      Event = "refresh"      // it lasts, for receivers that forget
)

// A Notice is what a receiver is told. Everything that is sent follows from it.
type Notice struct {
	ID    string    `json:"id"` // the same however often it is sent, and to whom
	Event Event     `json:"event"`
	Alert Alert     `json:"alert"`
	Since time.Time `json:"since"` // when the trouble was found first
	Count int       `json:"count"` // how often it was found
	Note  string    `json:"note,omitempty"`
	// At is when this notice came to be, and Sent when a round of attempts to send it
	// began: a receiver may refuse what is signed too long ago.
	At   time.Time `json:"at"`
	Sent time.Time `json:"sent"`
	// Until is when a receiver that forgets may do so.
	Until time.Time `json:"until,omitzero"`
}

// ID returns the ID of an alert's n-th notice. Notices are counted from 1, and IDs have
// no full stop, which separates the parts of what is signed.
func ID(base string, n int) string { return fmt.Sprintf("%s-%d", base, n) }

// over reports whether the trouble has ended.
func (n Notice) over() bool { return n.Event == Resolved }

// Headline returns the notice in one line.
func (n Notice) Headline() string {
	word := strings.ToUpper(string(n.Alert.Severity))
	switch n.Event {
	case Resolved, Acknowledged, Escalated, Reminder:
		word = strings.ToUpper(string(n.Event))
	}
	return "[" + word + "] " + n.Alert.Title
}

// story returns what the headline leaves out of the notice's own circumstances, or "".
func (n Notice) story() string {
	var parts []string
	if n.Note != "" {
		parts = append(parts, n.Note)
	}
	if n.Count > 1 {
		parts = append(parts, fmt.Sprintf("Found %d times since %s.", n.Count, n.Since.UTC().Format(time.RFC3339)))
	}
	return strings.Join(parts, " ")
}

// steps returns what is left to do.
func (n Notice) steps() []Step {
	if n.over() {
		return nil
	}
	steps := slices.Clone(n.Alert.Steps)
	if n.Event != Acknowledged {
		steps = append(steps, Step{Text: "Say that you take care of it",
			Command: fmt.Sprintf("starter alert ack %s %s --reason TEXT", n.Alert.Pipeline, n.Alert.Fingerprint())})
	}
	return steps
}
