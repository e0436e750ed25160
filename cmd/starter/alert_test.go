package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headgate/internal/alert"
	"headgate/internal/deliver/delivertest"
	"headgate/workflows"
)

func TestASampleArrives(t *testing.T) {
	web := delivertest.NewWeb(t, delivertest.Answer{}, delivertest.Answer{Status: 403, Body: "invalid_token"})
	t.Setenv("TEAM", web.URL+"/services/canary")
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, []byte("pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nalerts: { receivers: { team: { slack: { url: env:TEAM } } } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		code        int
		out, errors string
	}{{0, "receiver team took it, id test-", ""}, {1, "", "starter: receiver team: it answered 403 Forbidden: invalid_token"}} {
		var out, errors bytes.Buffer
		code := run(t.Context(), []string{"alert", "test", file, "--receiver", "team"}, &env{stdout: &out, stderr: &errors, getenv: os.Getenv})
		if code != want.code || !strings.HasPrefix(out.String(), want.out) || !strings.HasPrefix(errors.String(), want.errors) || strings.Contains(errors.String(), "canary") {
			t.Errorf("code %d, %s%s", code, out.String(), errors.String())
		}
	}
	if got := web.Got(); len(got) != 2 || !bytes.Contains(got[0].Body, []byte("TEST p 2024-03 is blocked")) {
		t.Errorf("%d requests", len(got))
	}
}

// Whoever is woken pastes the command: it must be one.
func TestCommandsOfAlertsAreKnown(t *testing.T) {
	for _, kind := range alert.Kinds() {
		a, _ := alert.Sample(alert.Kind(kind), "retailer", time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC))
		for _, step := range a.Steps {
			if step.Command != "" {
				mustParse(t, strings.TrimPrefix(step.Command, "starter "))
			}
		}
	}
}

func TestHowAlertsStand(t *testing.T) {
	at := time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC)
	a, _ := alert.Sample(alert.BatchBlocked, "retailer", at)
	state := func(change func(*alert.State)) openAlert {
		s := alert.State{Alert: a, Since: at, Count: 2, Deliveries: []alert.Delivery{{Receiver: "team", State: alert.Arrived}, {Receiver: "duty", State: alert.Failed}}}
		change(&s)
		return openAlert{AlertOutput: workflows.AlertOutput{State: s}}
	}
	var out bytes.Buffer
	err := printAlerts(&env{stdout: &out}, []openAlert{state(func(*alert.State) {}), state(func(s *alert.State) { s.Deliveries = nil }),
		state(func(s *alert.State) { s.Acknowledged = &alert.Word{By: "ann"} }), state(func(s *alert.State) { s.Resolved = &alert.Word{By: "ann"} })})
	const want = `PIPELINE  ALERT             SEVERITY  SINCE                FOUND  STANDS                    WHAT
retailer  7bc329e2150f9c15  critical  2024-03-02 06:00:00  2      open, 1 of 2 not reached  retailer 2024-03 is blocked
retailer  7bc329e2150f9c15  critical  2024-03-02 06:00:00  2      open                      retailer 2024-03 is blocked
retailer  7bc329e2150f9c15  critical  2024-03-02 06:00:00  2      ann                       retailer 2024-03 is blocked
retailer  7bc329e2150f9c15  critical  2024-03-02 06:00:00  2      over                      retailer 2024-03 is blocked

you take care of one: starter alert ack PIPELINE ALERT --reason TEXT
`
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := printAlerts(&env{stdout: &out}, nil); err != nil || out.String() != "no alert is open\n" {
		t.Errorf("%v %s", err, out.String())
	}
}
