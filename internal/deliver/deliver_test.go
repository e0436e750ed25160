package deliver_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"headgate/internal/alert"
	"headgate/internal/deliver"
	"headgate/internal/deliver/delivertest"
)

const (
	secret = "whsec_Y2FuYXJ5LCBhdCBsZWFzdCB0d2VudHktZm91ciBieXRlcw=="
	canary = "canary-4711"
)

func notice(event alert.Event, n int) alert.Notice {
	at := time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC)
	a, _ := alert.Sample(alert.BatchBlocked, "retailer", at)
	return alert.Notice{ID: alert.ID(a.Fingerprint()+"-5d41402a", n), Event: event, Alert: a, Since: at, Count: 1, At: at, Sent: at, Until: at.Add(time.Hour)}
}

// webhook returns a receiver by HTTP of each type, whose address is a variable.
func webhook(t *testing.T, url string) alert.Receiver {
	t.Helper()
	t.Setenv("HOOK_URL", url)
	t.Setenv("HOOK_SECRET", secret)
	return alert.Receiver{Webhook: &alert.Webhook{URL: "env:HOOK_URL", Secret: "env:HOOK_SECRET"}}
}

func failure(t *testing.T, err error) *deliver.Error {
	t.Helper()
	var failed *deliver.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a failure", err)
	}
	return failed
}

func TestAWebhookIsSigned(t *testing.T) {
	web := delivertest.NewTLS(t)
	r := webhook(t, web.URL+"/alerts")
	s := deliver.Sender{Roots: web.Roots}
	n := notice(alert.Firing, 1)
	for range 2 {
		if err := s.Send(t.Context(), r, n); err != nil {
			t.Fatal(err)
		}
	}
	got := web.Got()
	if len(got) != 2 || !bytes.Equal(got[0].Body, got[1].Body) || got[0].Path != "/alerts" {
		t.Fatalf("%d requests: %+v", len(got), got)
	}
	for _, header := range []string{"webhook-id", "webhook-timestamp", "webhook-signature", "Content-Type"} {
		if v := got[0].Header.Get(header); v == "" || v != got[1].Header.Get(header) {
			t.Errorf("%s is %q, then %q", header, v, got[1].Header.Get(header))
		}
	}
	// As a receiver does it, by Standard Webhooks 1.0.0.
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(got[0].Header.Get("webhook-id") + "." + got[0].Header.Get("webhook-timestamp") + "." + string(got[0].Body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got[0].Header.Get("webhook-signature") != want || got[0].Header.Get("webhook-id") != n.ID {
		t.Errorf("id %s, signature %s, want %s", got[0].Header.Get("webhook-id"), got[0].Header.Get("webhook-signature"), want)
	}
}

func TestSlackAndAlertmanager(t *testing.T) {
	web := delivertest.NewWeb(t)
	t.Setenv("SLACK", web.URL+"/services/T0/B0/x")
	file := filepath.Join(t.TempDir(), "alertmanager")
	if err := os.WriteFile(file, []byte(web.URL+"/prefix\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var s deliver.Sender
	for _, r := range []alert.Receiver{{Slack: &alert.Slack{URL: "env:SLACK"}}, {Alertmanager: &alert.Alertmanager{URL: alert.Ref("file:" + file)}}} {
		if err := s.Send(t.Context(), r, notice(alert.Firing, 1)); err != nil {
			t.Fatal(err)
		}
	}
	got := web.Got()
	if len(got) != 2 || got[0].Path != "/services/T0/B0/x" || got[1].Path != "/prefix/api/v2/alerts" {
		t.Fatalf("%+v", got)
	}
	var message struct{ Attachments []any }
	var alerts []struct{ Labels map[string]string }
	if err := errors.Join(json.Unmarshal(got[0].Body, &message), json.Unmarshal(got[1].Body, &alerts)); err != nil ||
		len(message.Attachments) != 1 || alerts[0].Labels["alertname"] != "HeadgateBatchBlocked" {
		t.Errorf("%v: %s\n%s", err, got[0].Body, got[1].Body)
	}
	if got[0].Header.Get("webhook-signature") != "" {
		t.Error("what is not a webhook is signed")
	}
}

// What the receiver says decides whether somebody tries again, and a secret that it
// repeats goes no further.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer delivertest.Answer
		kind   deliver.Kind
		after  time.Duration
		want   string
	}{
		{name: "created", answer: delivertest.Answer{Status: 201}},
		{name: "broken", answer: delivertest.Answer{Status: 500, Body: "oops"}, kind: deliver.Unready, want: "it answered 500 Internal Server Error: oops"},
		{name: "busy", answer: delivertest.Answer{Status: 429, Header: map[string]string{"Retry-After": "30"}}, kind: deliver.Unready, after: 30 * time.Second, want: "429"},
		{name: "busy until a date", answer: delivertest.Answer{Status: 503, Header: map[string]string{"Retry-After": "Sat, 02 Mar 2024 06:05:00 GMT", "Date": "Sat, 02 Mar 2024 06:00:00 GMT"}},
			kind: deliver.Unready, after: 5 * time.Minute, want: "503"},
		{name: "busy for years", answer: delivertest.Answer{Status: 503, Header: map[string]string{"Retry-After": "99999999"}}, kind: deliver.Unready, after: 24 * time.Hour, want: "503"},
		{name: "busy, and nobody knows how long", answer: delivertest.Answer{Status: 503, Header: map[string]string{"Retry-After": "soon"}}, kind: deliver.Unready, want: "503"},
		{name: "slow", answer: delivertest.Answer{Status: 408}, kind: deliver.Unready, want: "408"},
		{name: "a bad request", answer: delivertest.Answer{Status: 400, Body: "no such token:\n " + canary}, kind: deliver.Refused, want: "it answered 400 Bad Request: no such token: [hidden]"},
		{name: "gone", answer: delivertest.Answer{Status: 410}, kind: deliver.Refused, want: "410"},
		{name: "elsewhere", answer: delivertest.Answer{Status: 307, Header: map[string]string{"Location": "http://192.0.2.1/" + canary}}, kind: deliver.Refused, want: "redirections are not followed"},
		{name: "a long answer", answer: delivertest.Answer{Status: 404, Body: strings.Repeat("x", 1<<20)}, kind: deliver.Refused, want: "xxx…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			web := delivertest.NewWeb(t, tt.answer)
			err := (&deliver.Sender{}).Send(t.Context(), webhook(t, web.URL+"/"+canary), notice(alert.Firing, 1))
			if tt.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			failed := failure(t, err)
			if failed.Kind != tt.kind || failed.After != tt.after || !strings.Contains(failed.Error(), tt.want) {
				t.Errorf("%s, after %s: %v", failed.Kind, failed.After, failed)
			}
			if text := failed.Error(); strings.Contains(text, canary) || strings.Contains(text, web.URL) || len(text) > 500 {
				t.Errorf("it tells the address: %v", failed)
			}
		})
	}
}

// Who cannot be reached now may be later.
func TestReceiversThatAreNotThere(t *testing.T) {
	tls := delivertest.NewTLS(t)
	slow := delivertest.NewWeb(t, delivertest.Answer{Wait: time.Minute})
	for _, tt := range []struct {
		name, url, want string
		limit           time.Duration // of a caller who does not wait for so long
	}{
		{name: "nobody listens", url: "http://127.0.0.1:1/" + canary, want: "connection refused", limit: time.Minute},
		{name: "a certificate of nobody that is trusted", url: tls.URL + "/" + canary, want: "certificate", limit: time.Minute},
		{name: "no answer", url: slow.URL + "/" + canary, want: "no answer within 20s", limit: 200 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
			defer cancel()
			failed := failure(t, (&deliver.Sender{}).Send(ctx, webhook(t, tt.url), notice(alert.Firing, 1)))
			if failed.Kind != deliver.Unready || !strings.Contains(failed.Error(), tt.want) || strings.Contains(failed.Error(), canary) {
				t.Errorf("%s: %v", failed.Kind, failed)
			}
		})
	}
}

// What a reference points to may be nothing of use. The error says so without it.
func TestReferencesThatPointToNothing(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) alert.Ref {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return alert.Ref("file:" + filepath.Join(dir, name))
	}
	t.Setenv("CANARY", canary)
	t.Setenv("HOOK_SECRET", secret)
	t.Setenv("GOOD", "http://127.0.0.1:1/")
	hook := func(url, secret alert.Ref) alert.Receiver {
		return alert.Receiver{Webhook: &alert.Webhook{URL: url, Secret: secret}}
	}
	servers := 0
	post := func(server string) alert.Receiver {
		servers++
		return alert.Receiver{Email: &alert.Email{Server: write(fmt.Sprint("server", servers), server), From: "a@example.com", To: []string{"b@example.com"}}}
	}
	for _, tt := range []struct {
		name string
		r    alert.Receiver
		want string
	}{
		{"a variable that is not set", hook("env:NOT_SET", "env:HOOK_SECRET"), "url of a receiver of type webhook: variable NOT_SET is not set here; set it for every worker"},
		{"a file that is not there", hook("file:/no/such/file", "env:HOOK_SECRET"), "no such file or directory; every worker needs the file"},
		{"an empty file", hook(write("empty", "\n"), "env:HOOK_SECRET"), "is empty"},
		{"a large file", hook(write("large", strings.Repeat("x", 1<<20)), "env:HOOK_SECRET"), "has more than 16384 bytes"},
		{"no URL", hook("env:CANARY", "env:HOOK_SECRET"), "url of a receiver of type webhook is not one that begins with https:// or http://"},
		{"a broken URL", hook(write("broken", "http://\x7f"+canary), "env:HOOK_SECRET"), "is not one that begins with https:// or http://"},
		{"no secret", hook("env:GOOD", "env:CANARY"), "the secret of a webhook is whsec_ followed by base64"},
		{"no reference", hook(canary, "env:HOOK_SECRET"), "url of a receiver of type webhook: must be a reference"},
		{"a server without a scheme", post(canary), "is not smtp://user:password@host:587 or smtps://user:password@host:465"},
		{"a server with a path", post("smtp://h/" + canary), "is not smtp://user:password@host:587"},
		{"a server with a bad port", post("smtp://h:99999999999"), "port"},
		{"a password without TLS", post("smtp://u:" + canary + "@127.0.0.1:1?tls=none"), "says tls=none, which goes with smtp:// and without a password only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failed := failure(t, (&deliver.Sender{}).Send(t.Context(), tt.r, notice(alert.Firing, 1)))
			if failed.Kind != deliver.Unreadable || !strings.Contains(failed.Error(), tt.want) || strings.Contains(failed.Error(), canary) {
				t.Errorf("%s: %v", failed.Kind, failed)
			}
		})
	}
}

func email(t *testing.T, url string) alert.Receiver {
	t.Helper()
	t.Setenv("SMTP_URL", url)
	return alert.Receiver{Email: &alert.Email{Server: "env:SMTP_URL", From: "Headgate <headgate@example.com>", To: []string{"ann@example.com", "bob@example.com"}}}
}

// A mail goes out under TLS, says who it is from, and is the same however often it is
// sent.
func TestAMail(t *testing.T) {
	for _, direct := range []bool{false, true} {
		post := delivertest.NewPost(t, canary, direct)
		scheme := map[bool]string{false: "smtp", true: "smtps"}[direct]
		s := deliver.Sender{Roots: post.Roots}
		for range 2 {
			if err := s.Send(t.Context(), email(t, scheme+"://robot:"+canary+"@"+post.Address), notice(alert.Escalated, 2)); err != nil {
				t.Fatal(err)
			}
		}
		got := post.Got()
		if len(got) != 2 || !bytes.Equal(got[0].Data, got[1].Data) || !got[0].TLS || got[0].User != "robot" || len(got[0].To) != 2 || got[0].From != "headgate@example.com" {
			t.Fatalf("%+v", got)
		}
		look(t, got[0].Data)
	}
}

// look reads a mail as a mail program does.
func look(t *testing.T, data []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "[ESCALATED] retailer 2024-03 is blocked" {
		t.Errorf("subject %q (%v)", subject, err)
	}
	id := notice(alert.Escalated, 2).ID
	if m.Header.Get("Message-ID") != "<"+id+"@example.com>" || m.Header.Get("In-Reply-To") != "<"+strings.TrimSuffix(id, "2")+"1@example.com>" ||
		m.Header.Get("Date") != "Sat, 02 Mar 2024 06:00:00 +0000" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers %v", m.Header)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(part)
		if !strings.HasPrefix(part.Header.Get("Content-Type"), want) || !strings.Contains(string(text), "rule age: 380 rows") {
			t.Errorf("%s: %s", part.Header.Get("Content-Type"), text)
		}
	}
}

func TestMailServersThatDoNotTakeAMail(t *testing.T) {
	full := &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	policy := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not here, " + canary}
	for _, tt := range []struct {
		name     string
		refusals []*smtp.SMTPError
		password string
		trusted  bool
		query    string
		kind     deliver.Kind
		want     string
	}{
		{name: "later", refusals: []*smtp.SMTPError{full}, password: canary, trusted: true, kind: deliver.Unready, want: "mailbox full"},
		{name: "never", refusals: []*smtp.SMTPError{policy}, password: canary, trusted: true, kind: deliver.Refused, want: "not here, [hidden]"},
		{name: "a wrong password", password: canary + "-wrong", trusted: true, kind: deliver.Refused, want: "wrong user or password [hidden]"},
		{name: "a certificate of nobody that is trusted", password: canary, kind: deliver.Unready, want: "certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			post := delivertest.NewPost(t, canary, false, tt.refusals...)
			var s deliver.Sender
			if tt.trusted {
				s.Roots = post.Roots
			}
			failed := failure(t, s.Send(t.Context(), email(t, "smtp://robot:"+tt.password+"@"+post.Address), notice(alert.Firing, 1)))
			if failed.Kind != tt.kind || !strings.Contains(failed.Error(), tt.want) || strings.Contains(failed.Error(), canary) {
				t.Errorf("%s: %v", failed.Kind, failed)
			}
			if len(post.Got()) != 0 {
				t.Error("it was taken")
			}
		})
	}
}

// A relay on the same machine may go without TLS and without a password.
func TestARelayWithoutTLS(t *testing.T) {
	post := delivertest.NewPost(t, "", false)
	if err := (&deliver.Sender{}).Send(t.Context(), email(t, "smtp://"+post.Address+"?tls=none"), notice(alert.Firing, 1)); err != nil {
		t.Fatal(err)
	}
	if got := post.Got(); len(got) != 1 || got[0].TLS {
		t.Errorf("%+v", got)
	}
}

func TestAReceiverIsNotFollowedElsewhere(t *testing.T) {
	elsewhere := delivertest.NewWeb(t)
	web := delivertest.NewWeb(t, delivertest.Answer{Status: http.StatusTemporaryRedirect, Header: map[string]string{"Location": elsewhere.URL}})
	failed := failure(t, (&deliver.Sender{}).Send(t.Context(), webhook(t, web.URL), notice(alert.Firing, 1)))
	if failed.Kind != deliver.Refused || len(elsewhere.Got()) != 0 {
		t.Errorf("%v, and elsewhere got %d", failed, len(elsewhere.Got()))
	}
}
