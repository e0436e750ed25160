package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// A loop is a client of the workflow that a test environment runs. The environment
// belongs to one goroutine: what others ask is done there, see serve.
type loop struct {
	client.Client
	env  *testsuite.TestWorkflowEnvironment
	todo chan func()
}

// serve does what is asked until ended is closed, or an update is under way.
func (l *loop) serve(ended chan struct{}) {
	for {
		select {
		case do := <-l.todo:
			if do == nil {
				return
			}
			do()
		case <-ended:
			return
		}
	}
}

func (l *loop) QueryWorkflow(_ context.Context, _, _, query string, args ...any) (value converter.EncodedValue, err error) {
	done := make(chan struct{})
	l.todo <- func() { value, err = l.env.QueryWorkflow(query, args...); close(done) }
	<-done
	return value, err
}

func (l *loop) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	u := &given{done: make(chan struct{})}
	l.todo <- func() {
		l.env.UpdateWorkflow(o.UpdateName, "", &testsuite.TestUpdateCallback{
			OnAccept:   func() {},
			OnReject:   func(err error) { u.err = overTheWire(err); close(u.done) },
			OnComplete: func(v any, err error) { u.verdict, u.err = v, err; close(u.done) },
		}, o.Args...)
	}
	l.todo <- nil
	return u, nil
}

// overTheWire returns an error as it comes from a server.
func overTheWire(err error) error {
	c := temporal.GetDefaultFailureConverter()
	return c.FailureToError(c.ErrorToFailure(err))
}

// A given answer is what came of an update.
type given struct {
	client.WorkflowUpdateHandle
	done    chan struct{}
	verdict any
	err     error
}

func (u *given) Get(_ context.Context, to any) error {
	<-u.done
	if u.err == nil {
		*to.(*papers.Verdict) = u.verdict.(papers.Verdict)
	}
	return u.err
}

// askingShop has a pipeline whose warnings ask, and a rule that every month breaks.
func askingShop(t *testing.T) *shop {
	t.Helper()
	dir := t.TempDir()
	contract := strings.Replace(string(readFile(t, shipped+"contract.yaml")), "mustBeLessThan: 20,", "mustBeLessThan: 1,", 1)
	for name, text := range map[string]string{"contract.yaml": contract, "pipeline.yaml": string(readFile(t, shipped+"pipeline.yaml")) + "warnings: ask\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return openShop(t, filepath.Join(dir, "pipeline.yaml"))
}

// answered scores a month during which replies are sent, one after the other, and
// returns what they printed or why they failed.
func (s *shop) answered(month string, replies ...reply) (out workflows.ScoreBatchOutput, texts []string) {
	s.t.Helper()
	s.with(func(b *store.Bucket) {
		l := &loop{env: s.temporal(b), todo: make(chan func())}
		texts = make([]string, len(replies))
		ended := make([]chan struct{}, len(replies))
		for i, r := range replies {
			ended[i] = make(chan struct{})
			l.env.RegisterDelayedCallback(func() {
				go func() {
					defer close(ended[i])
					var text bytes.Buffer
					if err := r.send(context.Background(), &env{stdout: &text, stderr: &text}, l); err != nil {
						text.WriteString(err.Error())
					}
					texts[i] = text.String()
				}()
				l.serve(ended[i])
			}, time.Duration(i+1)*time.Hour)
		}
		l.env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "ada"})
		if err := l.env.GetWorkflowResult(&out); err != nil {
			s.t.Fatal(err)
		}
		for _, e := range ended {
			<-e
		}
	})
	return out, texts
}

func say(approve bool, decision string) reply {
	return reply{pipeline: "retailer", batch: "2024-01", Answer: workflows.Answer{Approve: approve, By: "grace", Reason: "it is as every year", Decision: decision}}
}

const asks = `retailer 2024-01 asks, until 2024-05-04T12:00:01Z (decision DIGEST):
  109 of 1000 null values in age, must be less than 1 percent
`

func TestAnswersOfABatchThatAsks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		replies []reply
		verdict papers.Verdict
		want    []string
		log     string
	}{
		{"approved, after a look at another verdict", []reply{say(true, "sha256:00112233"), say(true, "")}, papers.Pass,
			[]string{asks + `refused: decision "sha256:00112233" is not what is asked about; that is DIGEST: look at it again`,
				asks + "approved by grace: it is being published; see starter status retailer\n"},
			"2024-01: pass, approved by grace: it is as every year; asked: 109 of 1000 null values in age, must be less than 1 percent\n"},
		{"rejected", []reply{say(false, "")}, papers.Block,
			[]string{asks + "rejected by grace: the batch is blocked, nothing was published\n"},
			"2024-01: block, rejected by grace: it is as every year; asked: 109 of 1000 null values in age, must be less than 1 percent\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := askingShop(t)
			s.deliver("2024-01", "")
			out, texts := s.answered("2024-01", tt.replies...)
			if out.Verdict != tt.verdict || out.Answered != "grace: it is as every year" {
				t.Errorf("got %+v", out)
			}
			for i, want := range tt.want {
				if got := digests.ReplaceAllString(texts[i], "DIGEST"); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
			if log := s.ask(0, "", "log", "retailer"); !strings.Contains(log, tt.log) {
				t.Errorf("no %q in\n%s", tt.log, log)
			}
		})
	}
}

func TestStatusShowsWhatWaits(t *testing.T) {
	s := askingShop(t)
	s.deliver("2024-01", "")
	waiting := ""
	s.with(func(b *store.Bucket) {
		env := s.temporal(b)
		env.RegisterDelayedCallback(func() { waiting = s.ask(0, "", "status", "retailer") }, time.Hour)
		env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-01", By: "ada"})
	})
	for _, want := range []string{"2024-01  ask   –", "\n2024-01 waits for an answer: starter approve retailer --batch 2024-01 --reason TEXT, or starter reject …\n"} {
		if !strings.Contains(waiting, want) {
			t.Errorf("no %q in\n%s", want, waiting)
		}
	}
	after := s.ask(0, "", "status", "retailer")
	if !strings.Contains(after, "2024-01  block") || !strings.Contains(after, "rejected by nobody: no answer within 72h") || strings.Contains(after, "waits") {
		t.Errorf("after the time was up:\n%s", after)
	}
}

func TestWhyAnAnswerDidNotGetThrough(t *testing.T) {
	r := say(true, "")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{serviceerror.NewNotFound("no rows in result set"), "retailer 2024-01 is not being scored, so it asks nothing; see starter status retailer"},
		{context.DeadlineExceeded, "retailer 2024-01 does not answer: is a worker running?"},
		{client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded), "retailer 2024-01 does not answer: is a worker running?"},
		{temporal.NewApplicationError("it asks nothing", ""), "refused: it asks nothing"},
		{errors.New("no disk"), "no disk"},
	} {
		if err := r.unanswered(tt.err); err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
