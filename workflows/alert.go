package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"headgate/activities"
	"headgate/internal/alert"
	"headgate/internal/store"
)

// Names of the signals and the Updates of an [Alert].
const (
	SignalFound       = "found" // the same trouble was found again; it carries the alert
	SignalOver        = "over"  // the trouble is over; it carries an [alert.Word]
	UpdateAcknowledge = "acknowledge"
	UpdateResolve     = "resolve"
)

// AlertID is the id of the workflow that tells people of an alert: the same trouble is one
// alert.
func AlertID(pipeline, fingerprint string) string { return "alert/" + pipeline + "/" + fingerprint }

// AlertInput is the alert, and how it stands if a workflow before this one has begun to
// tell people of it.
type AlertInput struct {
	Alert alert.Alert  `json:"alert"`
	State *alert.State `json:"state,omitempty"`
}

// AlertOutput is how an alert ended: who was told, who acknowledged it, and why it is over.
type AlertOutput struct {
	Nobody bool `json:"nobody,omitempty"` // is told of such alerts
	alert.State
}

// trouble is the state of one Alert.
type trouble struct {
	route  activities.RouteAlertOutput
	looked time.Time // when that was found out
	state  alert.State
	news   bool // something happened since hear
	found  workflow.ReceiveChannel
	over   workflow.ReceiveChannel
	open   int // deliveries under way
	ways   map[string]*way
	shown  string // stage in the list view, and who must act
}

// A way leads to one receiver: one notice after the other.
type way struct {
	turn   workflow.Mutex
	cancel workflow.CancelFunc // of the last notice
}

// Alert tells people of an alert, reminds them, tells others if nobody acknowledges it,
// and says when it is over. Its id is [AlertID].
//
// Whoever finds the trouble starts it, or signals one that runs: that is counted, and told
// again only when the quiet time is over. It ends when the trouble is over or, where
// something has merely happened, when somebody has acknowledged it. A receiver that cannot
// be reached delays nobody else, and never fails the workflow that found the trouble.
//
// Each notice goes by the pipeline file that is in force when it is made. Whoever was told is
// told the end, also if that file does not name them any more.
func Alert(ctx workflow.Context, in AlertInput) (AlertOutput, error) {
	t := &trouble{ways: map[string]*way{}, state: alert.State{Alert: in.Alert, Since: in.Alert.At, Count: 1}}
	if in.State != nil {
		t.state = *in.State
	}
	if err := t.listen(ctx); err != nil {
		return t.out(), err
	}
	a := t.state.Alert
	err := workflow.UpsertTypedSearchAttributes(ctx, attrPipeline.ValueSet(a.Pipeline), attrVerdict.ValueSet(string(a.Severity)))
	if err != nil {
		return t.out(), err
	}
	if err := t.show(ctx, "Route"); err != nil {
		return t.out(), err
	}
	if err = t.find(forDays(ctx, "Find out who is told of "+string(a.Kind))); err == nil {
		t.state.Alert.Link = link(t.route.Console, a.Workflow)
		err = t.tellAll(ctx)
	}
	switch {
	case err == nil:
		err = t.show(ctx, "Done")
	case temporal.IsCanceledError(err):
		disconnected, _ := workflow.NewDisconnectedContext(ctx)
		err = joined(err, t.show(disconnected, "Cancelled"))
	}
	return t.out(), err
}

func (t *trouble) out() AlertOutput {
	return AlertOutput{Nobody: len(t.route.Plan.Levels) == 0 && t.state.Told.IsZero(), State: t.state}
}

// tellAll makes one move after the other until none is left.
func (t *trouble) tellAll(ctx workflow.Context) error {
	for {
		t.hear(ctx)
		now := workflow.Now(ctx).UTC()
		move := t.state.Next(t.route.Plan, now)
		switch {
		case move.Event != "":
			again, err := t.findAgain(ctx)
			if err != nil {
				return err
			}
			if again {
				continue
			}
			notice := t.state.Make(move, noticeBase(ctx, t.state.Alert), now)
			for _, name := range move.To {
				t.send(ctx, name, notice)
			}
		case move.Wait:
			if err := t.wait(ctx, move.Until); err != nil {
				return err
			}
		default:
			if done, err := t.settle(ctx); done || err != nil {
				return err
			}
		}
	}
}

// wait waits for something to happen, or for a moment.
func (t *trouble) wait(ctx workflow.Context, until time.Time) error {
	if err := t.show(ctx, t.stage()); err != nil {
		return err
	}
	if workflow.GetInfo(ctx).GetContinueAsNewSuggested() && t.open == 0 && workflow.AllHandlersFinished(ctx) {
		return workflow.NewContinueAsNewError(ctx, Alert, AlertInput{Alert: t.state.Alert, State: &t.state})
	}
	if until.IsZero() {
		return workflow.Await(ctx, t.heard)
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{Timeout: until.Sub(workflow.Now(ctx)),
		TimerOptions: workflow.TimerOptions{Summary: "Then somebody is told, or the alert ends"}}, t.heard)
	return err
}

// settle waits until nothing is under way any more. done is false if something happened
// meanwhile.
func (t *trouble) settle(ctx workflow.Context) (done bool, err error) {
	if err := t.show(ctx, t.stage()); err != nil {
		return false, err
	}
	err = workflow.Await(ctx, func() bool { return t.heard() || t.open == 0 && workflow.AllHandlersFinished(ctx) })
	return !t.heard(), err
}

// Rounds of attempts to send one notice: so many, with so long between the first two, and
// twice as long each time up to an hour. All together take about seven hours.
const (
	rounds     = 10
	firstPause = 5 * time.Minute
)

// send sends a notice to a receiver in the background. One that is still on its way there
// is dropped: the later one says more.
func (t *trouble) send(ctx workflow.Context, name string, n alert.Notice) {
	w, ok := t.ways[name]
	if !ok {
		w = &way{turn: workflow.NewMutex(ctx)}
		t.ways[name] = w
	}
	if w.cancel != nil {
		w.cancel()
	}
	// A cancellation of the alert drops what is under way; nothing else does.
	own, cancel := workflow.WithCancel(ctx)
	w.cancel = cancel
	file := t.fileOf(name)
	t.state.Deliver(alert.Delivery{Receiver: name, ID: n.ID, Event: n.Event, At: n.At, State: alert.Sending, File: string(file)})
	t.open++
	workflow.Go(own, func(ctx workflow.Context) {
		defer func() { t.open--; t.news = true }()
		if w.turn.Lock(ctx) != nil {
			return
		}
		defer w.turn.Unlock()
		d := t.try(ctx, name, file, n)
		if d.State != "" {
			d.Receiver, d.ID, d.Event, d.At, d.File = name, n.ID, n.Event, workflow.Now(ctx).UTC(), string(file)
			t.state.Deliver(d)
		}
	})
}

// try sends a notice in rounds until it has arrived, or cannot any more. A round signs it
// anew, since receivers refuse what was signed long ago. The state is empty if a later
// notice took the place of this one.
func (t *trouble) try(ctx workflow.Context, name string, file store.Digest, n alert.Notice) (d alert.Delivery) {
	pause := firstPause
	for round := 1; ; round++ {
		n.Sent = workflow.Now(ctx).UTC()
		out, err := run(toReceiver(ctx, fmt.Sprintf("Tell %s: %s", name, n.Headline())), act.SendAlert,
			activities.SendAlertInput{File: file, Receiver: name, Notice: n})
		wait := pause
		switch {
		case err == nil && out.Later == 0:
			return alert.Delivery{State: alert.Arrived}
		case temporal.IsCanceledError(err):
			return alert.Delivery{}
		case err == nil:
			wait = out.Later
			d = alert.Delivery{State: alert.Failed, Why: fmt.Sprintf("receiver %s wanted to be left alone for %s", name, out.Later)}
		default:
			d = alert.Delivery{State: alert.Failed, Why: cause(err)}
		}
		if hopeless(err) || round == rounds {
			return d
		}
		d.State, d.Receiver, d.ID, d.Event, d.At, d.File = alert.Sending, name, n.ID, n.Event, n.Sent, string(file)
		t.state.Deliver(d)
		t.news = true // the page shows why it has not arrived yet
		if workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "Try " + name + " again"}).Get(ctx, nil) != nil {
			return alert.Delivery{}
		}
		pause = min(2*pause, time.Hour)
	}
}

// toReceiver returns a context for one round of attempts: it is over before a receiver takes
// what was signed at its beginning for a replay, after five minutes.
func toReceiver(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    30 * time.Second,
		ScheduleToCloseTimeout: 4 * time.Minute,
		HeartbeatTimeout:       heartbeatTimeout,
		WaitForCancellation:    true,
		Summary:                line(summary),
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 3, MaximumInterval: time.Minute, MaximumAttempts: 4},
	})
}

// forDays returns a context for an activity that is tried for days: the store may be what
// the alert is about.
func forDays(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Minute,
		HeartbeatTimeout:    heartbeatTimeout,
		WaitForCancellation: true,
		Summary:             line(summary),
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute, MaximumAttempts: 1000},
	})
}

// noticeBase begins the IDs of an alert's notices: another run has others.
func noticeBase(ctx workflow.Context, a alert.Alert) string {
	sum := sha256.Sum256([]byte(operation(ctx)))
	return a.Fingerprint() + "-" + hex.EncodeToString(sum[:4])
}

// stage names how the alert stands.
func (t *trouble) stage() string {
	switch {
	case t.state.Resolved != nil:
		return "Resolved"
	case t.state.Acknowledged != nil:
		return "Acknowledged"
	}
	return "Open"
}

// hear notes what signals say.
func (t *trouble) hear(ctx workflow.Context) {
	t.news = false
	var found alert.Alert
	for t.found.ReceiveAsync(&found) {
		found.Link = link(t.route.Console, found.Workflow)
		t.state.Find(found)
		found = alert.Alert{}
	}
	var over alert.Word
	for t.over.ReceiveAsync(&over) {
		if t.state.Resolved == nil {
			t.state.Resolved = &alert.Word{By: over.By, Reason: over.Reason, At: workflow.Now(ctx).UTC()}
		}
		over = alert.Word{}
	}
}

// heard reports whether something happened since hear.
func (t *trouble) heard() bool { return t.news || t.found.Len() > 0 || t.over.Len() > 0 }

// listen takes signals, Updates and queries from now on.
func (t *trouble) listen(ctx workflow.Context) error {
	t.found = workflow.GetSignalChannelWithOptions(ctx, SignalFound, workflow.SignalChannelOptions{Description: "The same trouble was found again: the alert. For workflows."})
	t.over = workflow.GetSignalChannelWithOptions(ctx, SignalOver, workflow.SignalChannelOptions{Description: `The trouble is over: {"by", "reason"}. For workflows; a person sends the Update resolve.`})
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, "alert", func() (AlertOutput, error) { return t.out(), nil },
			workflow.QueryHandlerOptions{Description: "The alert, who was told, and who acknowledged it, as JSON."}),
		update(ctx, UpdateAcknowledge, `Says that you take care of it, so that nobody is reminded: {"by", "reason"}.`, t.checkOpen(func() *alert.Word { return t.state.Acknowledged }),
			func(ctx workflow.Context, w Word) (alert.Word, error) {
				t.state.Acknowledged = t.word(ctx, w)
				return *t.state.Acknowledged, nil
			}),
		update(ctx, UpdateResolve, `Says that it is over, where no workflow finds that out: {"by", "reason"}.`, t.checkOpen(func() *alert.Word { return nil }),
			func(ctx workflow.Context, w Word) (alert.Word, error) {
				t.state.Resolved = t.word(ctx, w)
				return *t.state.Resolved, nil
			}))
}

// checkOpen returns a validator of what people say about an alert. said is what was said
// before and cannot be said twice.
func (t *trouble) checkOpen(said func() *alert.Word) func(Word) error {
	return func(w Word) error {
		if r := t.state.Resolved; r != nil {
			return fmt.Errorf("it is over since %s, says %s: %s", r.At.Format(time.RFC3339), r.By, r.Reason)
		}
		if s := said(); s != nil {
			return fmt.Errorf("%s has acknowledged it already: %s", s.By, s.Reason)
		}
		return checkPerson(w.By, w.Reason)
	}
}

// word notes what a person said.
func (t *trouble) word(ctx workflow.Context, w Word) *alert.Word {
	t.news = true
	return &alert.Word{By: w.By, Reason: w.Reason, At: workflow.Now(ctx).UTC()}
}

// show puts the stage and who must act into the list view, and the card onto the run's
// page.
func (t *trouble) show(ctx workflow.Context, stage string) error {
	card := AlertCard{State: t.state, Plan: t.route.Plan, Stage: stage}
	setDetails(ctx, card.Markdown())
	shown := stage + " " + card.waits()
	if shown == t.shown {
		return nil
	}
	t.shown = shown
	return workflow.UpsertTypedSearchAttributes(ctx, attrStage.ValueSet(stage), attrWaits.ValueSet(keyword(card.waits())))
}
