package workflows_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"headgate/internal/alert"
	"headgate/internal/deliver/delivertest"
	"headgate/workflows"
)

// toldAlerts tells the team first, then whoever is on duty, then by mail.
const toldAlerts = `alerts:
  receivers:
    team: { slack: { url: env:TEST_TEAM } }
    duty: { webhook: { url: env:TEST_DUTY, secret: env:TEST_SECRET } }
    prom: { alertmanager: { url: env:TEST_PROM } }
    mail: { email: { server: env:TEST_SMTP, from: headgate@example.com, to: [ann@example.com] } }
  routes:
    - { kinds: [trainingBlocked], to: [] }
    - { to: [team, prom] }
  acknowledge: [{ within: 30m, else: [duty] }, { within: 2h, else: [mail] }]
  console: https://temporal.example.com
`

// canary is a secret that must stand nowhere but in its variable.
const canary = "canary-0815-secret"

// A desk is an Alert in a test environment with real receivers.
type desk struct {
	*world
	env              *testsuite.TestWorkflowEnvironment
	team, duty, prom *delivertest.Web
	mail             *delivertest.Post
	seen             *recorder
	heard            []error // what people who said something heard
}

// newDesk makes an Alert whose receivers answer as they are told.
func newDesk(t *testing.T, team, duty []delivertest.Answer) *desk {
	t.Helper()
	return newDeskOf(t, toldAlerts, team, duty)
}

// newDeskOf is like newDesk, for a pipeline that tells people by other rules.
func newDeskOf(t *testing.T, alerts string, team, duty []delivertest.Answer) *desk {
	t.Helper()
	d := &desk{world: configured(t, 20, alerts, nil, nil), team: delivertest.NewWeb(t, team...), duty: delivertest.NewWeb(t, duty...), prom: delivertest.NewWeb(t),
		mail: delivertest.NewPost(t, "", false)}
	t.Setenv("TEST_TEAM", d.team.URL+"/services/"+canary)
	t.Setenv("TEST_DUTY", d.duty.URL+"/"+canary)
	t.Setenv("TEST_PROM", d.prom.URL)
	t.Setenv("TEST_SECRET", "whsec_Y2FuYXJ5LCBhdCBsZWFzdCB0d2VudHktZm91ciBieXRlcw==")
	t.Setenv("TEST_SMTP", "smtp://"+d.mail.Address+"?tls=none")
	d.told = true
	d.env = d.world.env()
	d.seen = &recorder{DataConverter: converter.GetDefaultDataConverter()}
	d.env.SetDataConverter(d.seen)
	d.env.SetStartTime(time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC))
	d.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "alert/retailer/test"})
	return d
}

// A recorder keeps all that goes into histories.
type recorder struct {
	converter.DataConverter
	mu  sync.Mutex
	all bytes.Buffer
}

// ToPayload notes one value.
func (r *recorder) ToPayload(v any) (*commonpb.Payload, error) {
	p, err := r.DataConverter.ToPayload(v)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all.Write(p.GetData())
	return p, err
}

// ToPayloads notes several.
func (r *recorder) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	ps, err := r.DataConverter.ToPayloads(values...)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range ps.GetPayloads() {
		r.all.Write(p.GetData())
	}
	return ps, err
}

func blocked() alert.Alert {
	a, _ := alert.Sample(alert.BatchBlocked, "retailer", time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC))
	return a
}

// after does something while the alert is open.
func (d *desk) after(long time.Duration, do func()) { d.env.RegisterDelayedCallback(do, long) }

// over says that the trouble is over.
func (d *desk) over() {
	d.env.SignalWorkflow(workflows.SignalOver, alert.Word{By: "score/retailer/2024-03", Reason: "the batch is published"})
}

// say sends an Update.
func (d *desk) say(update, by, reason string) {
	i := len(d.heard)
	d.heard = append(d.heard, errors.New("nothing"))
	d.env.UpdateWorkflow(update, fmt.Sprint(update, i), &testsuite.TestUpdateCallback{
		OnReject: func(err error) { d.heard[i] = err }, OnAccept: func() {},
		OnComplete: func(_ any, err error) { d.heard[i] = err },
	}, workflows.Word{By: by, Reason: reason})
}

// now returns how the alert stands.
func (d *desk) now() (out workflows.AlertOutput) {
	value, err := d.env.QueryWorkflow("alert")
	if err == nil {
		err = value.Get(&out)
	}
	if err != nil {
		d.t.Error(err)
	}
	return out
}

// run lets the alert take its course, and looks for the canary.
func (d *desk) run(a alert.Alert) workflows.AlertOutput {
	d.t.Helper()
	d.env.ExecuteWorkflow(workflows.Alert, workflows.AlertInput{Alert: a})
	var out workflows.AlertOutput
	if err := d.env.GetWorkflowResult(&out); err != nil {
		d.t.Fatal(err)
	}
	d.seen.mu.Lock()
	defer d.seen.mu.Unlock()
	if d.seen.all.Len() == 0 || bytes.Contains(d.seen.all.Bytes(), []byte(canary)) || strings.Contains(asJSON(d.t, out), canary) {
		d.t.Errorf("the history has the canary: %s", d.seen.all.Bytes())
	}
	return out
}

// ids returns the ids of the webhooks that somebody got.
func ids(web *delivertest.Web) (ids []string) {
	for _, r := range web.Got() {
		ids = append(ids, r.Header.Get("webhook-id"))
	}
	return ids
}

// Nobody acknowledges, so the next ones are told; then somebody does, and at last the
// trouble is over.
func TestAnAlertTakesItsCourse(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.after(3*time.Hour, func() { d.say(workflows.UpdateAcknowledge, "ann", "I call the supplier") })
	d.after(4*time.Hour, func() { d.say(workflows.UpdateAcknowledge, "bob", "me too") })
	d.after(5*time.Hour, func() {
		if s := d.now(); s.Acknowledged == nil || s.Acknowledged.By != "ann" || s.Level != 2 {
			t.Errorf("%+v", s)
		}
		d.over()
	})
	out := d.run(blocked())
	if out.Nobody || out.Count != 1 || out.Notices != 6 || out.Resolved == nil || out.Resolved.Reason != "the batch is published" || out.Firing {
		t.Errorf("%+v", out)
	}
	if len(d.team.Got()) != 3 || len(d.duty.Got()) != 3 || len(d.prom.Got()) != 3 || len(d.mail.Got()) != 3 {
		t.Errorf("the team got %d, duty %d, prom %d, mail %d", len(d.team.Got()), len(d.duty.Got()), len(d.prom.Got()), len(d.mail.Got()))
	}
	if got := ids(d.duty); len(got) == 3 && (got[0] == got[1] || !strings.HasSuffix(got[0], "-2") || !strings.HasSuffix(got[1], "-4")) {
		t.Errorf("ids %v", got)
	}
	for i, words := range []string{"[ESCALATED]", "[ACKNOWLEDGED]", "[RESOLVED]"} {
		if got := d.mail.Got(); len(got) == 3 && !bytes.Contains(got[i].Data, []byte(words)) {
			t.Errorf("mail %d: %s", i, got[i].Data)
		}
	}
	if body := d.team.Got()[0].Body; !bytes.Contains(body, []byte("https://temporal.example.com/namespaces/default/workflows/score%2Fretailer%2F2024-03/")) {
		t.Errorf("no link: %s", body)
	}
	if d.heard[0] != nil || d.heard[1] == nil || !strings.Contains(d.heard[1].Error(), "ann has acknowledged it already: I call the supplier") {
		t.Errorf("heard %v", d.heard)
	}
	for _, delivery := range out.Deliveries {
		if delivery.State != alert.Arrived || delivery.Event != alert.Resolved {
			t.Errorf("%+v", delivery)
		}
	}
}

// What a receiver did not take is sent again: the same bytes under the same id.
func TestANoticeIsTriedAgain(t *testing.T) {
	d := newDesk(t, []delivertest.Answer{{Status: 500}, {Status: 503}}, []delivertest.Answer{{Status: 500, Body: "no " + canary}})
	d.after(2*time.Hour, d.over)
	out := d.run(blocked())
	got := d.duty.Got()
	if len(got) != 3 || !bytes.Equal(got[0].Body, got[1].Body) || got[0].Header.Get("webhook-id") != got[1].Header.Get("webhook-id") ||
		got[0].Header.Get("webhook-signature") != got[1].Header.Get("webhook-signature") || ids(d.duty)[2] == ids(d.duty)[0] {
		t.Errorf("%v", ids(d.duty))
	}
	if team := d.team.Got(); len(team) != 4 || !bytes.Equal(team[0].Body, team[2].Body) {
		t.Errorf("the team got %d", len(team))
	}
	if slices.ContainsFunc(out.Deliveries, func(d alert.Delivery) bool { return d.State != alert.Arrived }) {
		t.Errorf("%+v", out.Deliveries)
	}
}

// If no receiver of the first level can be reached, the next ones are told at once. One
// that wants to be left alone is, and then gets the same notice with a new signature: the
// old one would be taken for a replay.
func TestNobodyOfTheFirstOnesCanBeReached(t *testing.T) {
	d := newDesk(t, []delivertest.Answer{{Status: 404}}, []delivertest.Answer{{Status: 429, Header: map[string]string{"Retry-After": "600"}}})
	t.Setenv("TEST_PROM", "")
	d.after(5*time.Minute, func() {
		out := d.now()
		why := map[string]string{}
		for _, delivery := range out.Deliveries {
			why[delivery.Receiver] = string(delivery.State) + ": " + delivery.Why
		}
		if out.Level != 1 || why["team"] != "failed: receiver team: it answered 404 Not Found" || !strings.Contains(why["prom"], "variable TEST_PROM is not set here") ||
			why["duty"] != "sending: receiver duty wanted to be left alone for 10m0s" {
			t.Errorf("level %d, %v", out.Level, why)
		}
	})
	d.after(20*time.Minute, d.over)
	d.run(blocked())
	got := d.duty.Got()
	if len(got) != 3 || got[0].Header.Get("webhook-id") != got[1].Header.Get("webhook-id") || !bytes.Equal(got[0].Body, got[1].Body) ||
		got[0].Header.Get("webhook-timestamp") == got[1].Header.Get("webhook-timestamp") || got[0].Header.Get("webhook-signature") == got[1].Header.Get("webhook-signature") {
		t.Errorf("%d requests, ids %v", len(got), ids(d.duty))
	}
}

// The same trouble is counted, and told again when the quiet time is over.
func TestTheSameTroubleIsToldOnce(t *testing.T) {
	d := newDesk(t, nil, nil)
	found := func() {
		a := blocked()
		a.Reasons = []string{"and again"}
		d.env.SignalWorkflow(workflows.SignalFound, a)
	}
	d.after(time.Minute, found)
	d.after(2*time.Minute, found)
	d.after(3*time.Minute, func() { d.say(workflows.UpdateAcknowledge, "ann", "on it") })
	d.after(90*time.Minute, d.over)
	out := d.run(blocked())
	if out.Count != 3 || len(d.team.Got()) != 3 || out.Alert.Reasons[0] != "and again" {
		t.Errorf("counted %d, told %d times: %+v", out.Count, len(d.team.Got()), out.Alert)
	}
}

// A person may say that it is over, where no workflow finds out.
func TestAPersonResolvesAnAlert(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.after(time.Minute, func() { d.say(workflows.UpdateResolve, "", "no name") })
	d.after(2*time.Minute, func() { d.say(workflows.UpdateResolve, "ann", "two\nlines") })
	d.after(3*time.Minute, func() { d.say(workflows.UpdateResolve, "ann", "the supplier has gone") })
	d.after(4*time.Minute, func() { d.say(workflows.UpdateAcknowledge, "bob", "on it") })
	out := d.run(blocked())
	if out.Resolved == nil || out.Resolved.By != "ann" || d.heard[0] == nil || d.heard[1] == nil || d.heard[2] != nil ||
		d.heard[3] == nil || !strings.Contains(d.heard[3].Error(), "it is over since") {
		t.Errorf("%+v, heard %v", out.Resolved, d.heard)
	}
}

// What has merely happened is over when somebody has seen it.
func TestARolledBackReleaseEndsWhenItIsSeen(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.after(time.Minute, func() { d.say(workflows.UpdateAcknowledge, "ann", "I know why") })
	a, _ := alert.Sample(alert.RolledBack, "retailer", time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC))
	if out := d.run(a); out.Acknowledged == nil || out.Resolved != nil || len(d.team.Got()) != 2 {
		t.Errorf("%+v", out)
	}
}

func TestNobodyIsTold(t *testing.T) {
	for name, a := range map[string]alert.Alert{
		"of this kind":                 alert.NewTrainingBlocked("retailer", nil),
		"of a pipeline without alerts": alert.NewTrainingBlocked("flights", nil),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil, nil)
			if out := d.run(a); !out.Nobody || out.Notices != 0 {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A cancelled alert tells nobody any more.
func TestACancelledAlert(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.after(time.Minute, d.env.CancelWorkflow)
	d.env.ExecuteWorkflow(workflows.Alert, workflows.AlertInput{Alert: blocked()})
	if err := d.env.GetWorkflowError(); !temporal.IsCanceledError(err) || len(d.team.Got()) != 1 {
		t.Errorf("%v, told %d times", err, len(d.team.Got()))
	}
}

// An alert that continues as new goes on where it was.
func TestAnAlertGoesOnAsNew(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.env.SetContinueAsNewSuggested(true)
	d.env.ExecuteWorkflow(workflows.Alert, workflows.AlertInput{Alert: blocked()})
	var again *workflow.ContinueAsNewError
	if err := d.env.GetWorkflowError(); !errors.As(err, &again) {
		t.Fatal(err)
	}
	var in workflows.AlertInput
	if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &in); err != nil {
		t.Fatal(err)
	}
	if in.State == nil || in.State.Notices != 1 || in.State.Told.IsZero() {
		t.Fatalf("%+v", in)
	}
	e := d.world.env()
	e.SetStartTime(time.Date(2024, 3, 2, 6, 5, 0, 0, time.UTC))
	e.RegisterDelayedCallback(func() { e.SignalWorkflow(workflows.SignalOver, alert.Word{By: "x", Reason: "y"}) }, time.Minute)
	e.ExecuteWorkflow(workflows.Alert, in)
	var out workflows.AlertOutput
	if err := e.GetWorkflowResult(&out); err != nil || out.Notices != 2 || len(d.team.Got()) != 2 {
		t.Errorf("%v %+v, told %d times", err, out, len(d.team.Got()))
	}
}

// A workflow that finds the same trouble twice starts one alert, and its end ends it. It
// does not fail if the alert does.
func TestRaiseJoinsAnAlertThatRuns(t *testing.T) {
	d := newDesk(t, nil, nil)
	finder := func(ctx workflow.Context) error {
		a := blocked()
		workflows.Raise(ctx, a)
		workflows.Raise(ctx, a)
		if err := workflow.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		workflows.Resolve(ctx, "all is well", "retailer", "2024-03", alert.BatchBlocked)
		return workflow.Sleep(ctx, 3*time.Hour)
	}
	d.env.RegisterWorkflow(finder)
	d.env.ExecuteWorkflow(finder)
	if err := d.env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	got := d.team.Got()
	if len(got) != 2 || !bytes.Contains(got[1].Body, []byte("[RESOLVED]")) || !bytes.Contains(got[1].Body, []byte("Found 2 times")) || !bytes.Contains(got[1].Body, []byte("all is well")) {
		t.Errorf("the team got %d: %s", len(got), got[len(got)-1].Body)
	}
}

func TestAlertCardMarkdown(t *testing.T) {
	at := time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC)
	plan := alert.Plan{Levels: []alert.Level{{To: []string{"team"}}, {After: 30 * time.Minute, To: []string{"duty", "mail"}}}}
	asks, _ := alert.Sample(alert.BatchAsks, "retailer", at)
	open := workflows.AlertCard{Stage: "Open", Plan: plan, State: alert.State{Alert: asks, Since: at, Count: 1, LevelAt: at,
		Deliveries: []alert.Delivery{{Receiver: "team", Event: alert.Firing, At: at, State: alert.Failed, Why: "receiver team: it answered 404 | gone"}, {Receiver: "duty", Event: alert.Escalated, At: at, State: alert.Sending}}}}
	over := workflows.AlertCard{Stage: "Done", Plan: plan, State: alert.State{Alert: blocked(), Since: at, Count: 3, Level: 1,
		Acknowledged: &alert.Word{By: "ann", Reason: "I call | the supplier", At: at.Add(time.Hour)}, Resolved: &alert.Word{By: "score/retailer/2024-03", Reason: "the batch is published", At: at.Add(2 * time.Hour)},
		Deliveries: []alert.Delivery{{Receiver: "team", Event: alert.Resolved, At: at.Add(2 * time.Hour), State: alert.Arrived}}}}
	got := open.Markdown() + "\n---\n\n" + over.Markdown()
	const file = "testdata/alert.md"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s", got)
	}
}
