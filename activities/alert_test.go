package activities_test

import (
	"errors"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"headgate/activities"
	"headgate/internal/alert"
	"headgate/internal/deliver/delivertest"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// sending is a store with a pipeline file whose team has an incoming webhook.
func sending(t *testing.T, answers ...delivertest.Answer) (*testsuite.TestActivityEnvironment, *activities.Activities, store.Digest, *delivertest.Web) {
	t.Helper()
	bucket, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text := "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nalerts: { receivers: { team: { slack: { url: env:TEAM } } } }\n"
	ref, err := bucket.PutBlob(t.Context(), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	web := delivertest.NewWeb(t, answers...)
	t.Setenv("TEAM", web.URL+"/canary")
	a := activities.New(bucket, worker.Formats())
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a)
	return env, a, ref.Digest, web
}

// What the receiver says becomes what the workflow needs to know: whether to try again,
// and when.
func TestSendAlert(t *testing.T) {
	at := time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC)
	sample, _ := alert.Sample(alert.BatchBlocked, "p", at)
	after := func(seconds string) delivertest.Answer {
		return delivertest.Answer{Status: 429, Header: map[string]string{"Retry-After": seconds}}
	}
	for _, tt := range []struct {
		name     string
		answer   delivertest.Answer
		receiver string
		unset    bool
		later    time.Duration
		kind     string
		never    bool // is it tried again
		delay    time.Duration
	}{
		{name: "it arrives"},
		{name: "broken", answer: delivertest.Answer{Status: 500}, kind: "unready"},
		{name: "busy for seconds", answer: after("30"), kind: "unready", delay: 30 * time.Second},
		{name: "busy for minutes", answer: after("600"), later: 10 * time.Minute},
		{name: "refused", answer: delivertest.Answer{Status: 400, Body: "canary"}, kind: activities.KindReceiver, never: true},
		{name: "no secret here", unset: true, kind: activities.KindSecret, never: true},
		{name: "an unknown receiver", receiver: "teem", kind: activities.KindConfig, never: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, a, file, _ := sending(t, tt.answer)
			if tt.unset {
				os.Unsetenv("TEAM")
			}
			in := activities.SendAlertInput{File: file, Receiver: "team", Notice: alert.Notice{ID: "a-b-1", Event: alert.Firing, Alert: sample, At: at, Sent: at}}
			if tt.receiver != "" {
				in.Receiver = tt.receiver
			}
			value, err := env.ExecuteActivity(a.SendAlert, in)
			var failed *temporal.ApplicationError
			if errors.As(err, &failed) != (tt.kind != "") {
				t.Fatalf("err = %v", err)
			}
			if failed != nil {
				if failed.Type() != tt.kind || failed.NonRetryable() != tt.never || failed.NextRetryDelay() != tt.delay || strings.Contains(err.Error(), "canary") {
					t.Errorf("%s, never %t, after %s: %v", failed.Type(), failed.NonRetryable(), failed.NextRetryDelay(), err)
				}
				return
			}
			var out activities.SendAlertOutput
			if err := value.Get(&out); err != nil || out.Later != tt.later {
				t.Errorf("%v %+v", err, out)
			}
		})
	}
}

// A worker that shuts down completes the notice that it is sending, and says so: otherwise
// another worker would send it again. It begins no other.
func TestAStoppingWorkerSendsToTheEnd(t *testing.T) {
	at := time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC)
	sample, _ := alert.Sample(alert.BatchBlocked, "p", at)
	for _, tt := range []struct {
		name   string
		before bool
		got    int
		failed string
	}{
		{name: "while the receiver reads it", got: 1},
		{name: "before it has begun", before: true, failed: activities.KindWorkerStopped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stopping := make(chan struct{})
			env, a, file, web := sending(t, delivertest.Answer{Do: func() { close(stopping) }, Wait: 300 * time.Millisecond})
			if tt.before {
				close(stopping)
			}
			env.SetWorkerStopChannel(stopping)
			_, err := env.ExecuteActivity(a.SendAlert, activities.SendAlertInput{File: file, Receiver: "team",
				Notice: alert.Notice{ID: "a-b-1", Event: alert.Firing, Alert: sample, At: at, Sent: at}})
			kind := ""
			if failed := (*temporal.ApplicationError)(nil); errors.As(err, &failed) {
				kind = failed.Type()
			}
			if n := len(web.Got()); kind != tt.failed || (err == nil) != (tt.failed == "") || n != tt.got {
				t.Errorf("err = %v, want kind %q; it got %d notices, want %d", err, tt.failed, n, tt.got)
			}
		})
	}
}

// Whoever is told, and which receivers there are, says the pipeline file that is in force.
func TestRouteAlert(t *testing.T) {
	s := newShop(t, false)
	route := func(text string) activities.RouteAlertOutput {
		t.Helper()
		s.inForce("pipeline: retailer\ncontract: c.yaml\ninput: { files: '{batch}' }\n" + text)
		return must(s, s.act.RouteAlert, activities.RouteAlertInput{Pipeline: "retailer", Kind: alert.BatchBlocked, Severity: alert.Critical})
	}
	out := route("alerts: { receivers: { team: { slack: { url: env:T } }, prom: { alertmanager: { url: env:P } } }, routes: [{ to: [prom] }], repeat: 2h }\n")
	want := alert.Plan{Levels: []alert.Level{{To: []string{"prom"}}}, Quiet: time.Hour, Repeat: 2 * time.Hour, Forgets: []string{"prom"}, Follows: true}
	if !reflect.DeepEqual(out.Plan, want) || !slices.Equal(out.Receivers, []string{"prom", "team"}) {
		t.Errorf("%+v", out)
	}
	if out := route(""); !reflect.DeepEqual(out.Plan, alert.Plan{Follows: true}) || len(out.Receivers) != 0 {
		t.Errorf("without alerts: %+v", out)
	}
}

// A pipeline that is not registered, or whose file is gone, tells nobody.
func TestRouteAlertOfNobody(t *testing.T) {
	env, a, _, _ := sending(t)
	value, err := env.ExecuteActivity(a.RouteAlert, activities.RouteAlertInput{Pipeline: "p", Kind: alert.BatchBlocked, Severity: alert.Critical})
	if err != nil {
		t.Fatal(err)
	}
	var out activities.RouteAlertOutput
	if err := value.Get(&out); err != nil || len(out.Plan.Levels) != 0 || out.File != "" {
		t.Errorf("%v %+v", err, out)
	}
}
