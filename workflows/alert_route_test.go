package workflows_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"headgate/internal/alert"
	"headgate/internal/deliver/delivertest"
	"headgate/internal/registration"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// onlyDuty tells whoever is on duty, and then by mail; the team is gone.
const onlyDuty = `alerts:
  receivers:
    duty: { webhook: { url: env:TEST_DUTY, secret: env:TEST_SECRET } }
    mail: { email: { server: env:TEST_SMTP, from: headgate@example.com, to: [ann@example.com] } }
  routes: [{ to: [duty] }]
  acknowledge: [{ within: 30m, else: [mail] }]
`

// becomes registers another pipeline file.
func (d *desk) becomes(alerts string) {
	d.t.Helper()
	_, err := registration.Request{Pipeline: d.pipelineFile(alerts, nil, nil), By: "test", Reason: "people come and go", At: time.Date(2024, 3, 2, 6, 1, 0, 0, time.UTC)}.
		Do(d.t.Context(), d.bucket, worker.Formats())
	if err != nil {
		d.t.Fatal(err)
	}
}

// The next notice goes by the pipeline file that is in force by then. Who was told by the
// one before hears the end by that.
func TestAnAlertFollowsThePipelineFile(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.after(10*time.Minute, func() { d.becomes(onlyDuty) })
	d.after(31*time.Minute, func() {
		if team, duty, mail := len(d.team.Got()), len(d.duty.Got()), len(d.mail.Got()); team != 1 || duty != 0 || mail != 1 {
			t.Errorf("after the escalation the team got %d, duty %d, mail %d", team, duty, mail)
		}
	})
	d.after(26*time.Hour, func() {
		if team, duty, mail := len(d.team.Got()), len(d.duty.Got()), len(d.mail.Got()); team != 1 || duty != 1 || mail != 2 {
			t.Errorf("after the reminder the team got %d, duty %d, mail %d", team, duty, mail)
		}
		d.over()
	})
	out := d.run(blocked())
	team, prom := d.team.Got(), d.prom.Got()
	if len(team) != 2 || !bytes.Contains(team[1].Body, []byte("[RESOLVED]")) || len(d.duty.Got()) != 2 || len(d.mail.Got()) != 3 {
		t.Errorf("at the end the team got %d, duty %d, mail %d", len(team), len(d.duty.Got()), len(d.mail.Got()))
	}
	if len(prom) != 2 || !bytes.Contains(prom[1].Body, []byte(`"endsAt":"2024-03-03T08:00:00Z"`)) {
		t.Errorf("Alertmanager got %d: %s", len(prom), prom[len(prom)-1].Body)
	}
	for _, delivery := range out.Deliveries {
		if delivery.State != alert.Arrived || delivery.Event != alert.Resolved {
			t.Errorf("%+v", delivery)
		}
	}
}

// A pipeline file without alerts ends reminders, and not what people were told already.
func TestAnAlertThatNobodyIsToldOfAnyMore(t *testing.T) {
	d := newDesk(t, nil, nil)
	d.after(10*time.Minute, func() { d.becomes("") })
	d.after(50*time.Hour, d.over)
	out := d.run(blocked())
	if out.Nobody || len(d.team.Got()) != 2 || len(d.duty.Got())+len(d.mail.Got()) != 0 || out.Resolved == nil {
		t.Errorf("%+v; the team got %d, duty %d, mail %d", out, len(d.team.Got()), len(d.duty.Got()), len(d.mail.Got()))
	}
}

// If nobody can find out who is told now, those of before are.
func TestAnAlertOverAStoreThatCannotBeRead(t *testing.T) {
	d := newDesk(t, nil, nil)
	key := store.BlobKey(d.registry().State().Pipeline)
	file, err := d.bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	d.after(10*time.Minute, func() {
		d.becomes(onlyDuty)
		if err := d.bucket.Delete(t.Context(), store.BlobKey(d.registry().State().Pipeline)); err != nil {
			t.Error(err)
		}
		if _, err := d.bucket.PutBlob(t.Context(), file); err != nil {
			t.Error(err)
		}
	})
	d.after(40*time.Minute, d.over)
	out := d.run(blocked())
	if len(d.duty.Got()) != 2 || len(d.mail.Got()) != 0 || out.Level != 1 {
		t.Errorf("level %d, duty got %d, mail %d", out.Level, len(d.duty.Got()), len(d.mail.Got()))
	}
}

// A notice that is on its way goes on to a receiver that the file in force has no more.
func TestANoticeUnderWayOutlivesItsFile(t *testing.T) {
	busy := delivertest.Answer{Status: 429, Header: map[string]string{"Retry-After": "1200"}}
	d := newDesk(t, []delivertest.Answer{busy}, nil)
	d.after(10*time.Minute, func() { d.becomes(strings.Replace(onlyDuty, "within: 30m", "within: 15m", 1)) })
	d.after(30*time.Minute, func() {
		if team := d.team.Got(); len(team) != 2 || !bytes.Equal(team[0].Body, team[1].Body) {
			t.Errorf("the team got %d", len(team))
		}
		d.over()
	})
	d.run(blocked())
	if len(d.team.Got()) != 3 {
		t.Errorf("the team got %d", len(d.team.Got()))
	}
}
