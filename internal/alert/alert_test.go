package alert_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"headgate/internal/alert"
)

var update = flag.Bool("update", false, "write what the code does now into the golden files")

var found = time.Date(2024, 3, 2, 6, 0, 0, 0, time.UTC)

// golden compares texts with a file that says in its first lines why it exists.
func golden(t *testing.T, name string, got []txtar.File) {
	t.Helper()
	path := filepath.Join("testdata", name+".txtar")
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		ar.Files = got
		if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(ar.Files) != len(got) {
		t.Fatalf("%s has %d files, and there are %d; write it with -update", path, len(ar.Files), len(got))
	}
	for i, f := range got {
		if ar.Files[i].Name != f.Name || !bytes.Equal(ar.Files[i].Data, f.Data) {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Name, f.Data, ar.Files[i].Data)
		}
	}
}

func file(name string, data []byte) txtar.File {
	return txtar.File{Name: name, Data: append(bytes.TrimRight(data, "\n"), '\n')}
}

// pretty indents JSON for whoever reads the golden file.
func pretty(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sample(t *testing.T, kind alert.Kind) alert.Alert {
	t.Helper()
	a, ok := alert.Sample(kind, "retailer", found)
	if !ok {
		t.Fatalf("no sample of %s", kind)
	}
	a.Link = "https://temporal.example.com/namespaces/default/workflows/score%2Fretailer%2F2024-03/018f5b2e/history"
	return a
}

func notice(a alert.Alert, event alert.Event, n int) alert.Notice {
	return alert.Notice{ID: alert.ID(a.Fingerprint()+"-5d41402a", n), Event: event, Alert: a, Since: found, Count: 1,
		At: found.Add(time.Hour), Sent: found.Add(time.Hour + time.Minute), Until: found.Add(13 * time.Hour)}
}

func TestWhatReceiversGet(t *testing.T) {
	first := notice(sample(t, alert.BatchAsks), alert.Firing, 1)
	over := notice(sample(t, alert.BatchAsks), alert.Resolved, 4)
	over.Note, over.Count = "score/retailer/2024-03: the batch is published", 3
	for name, n := range map[string]alert.Notice{"firing": first, "resolved": over} {
		t.Run(name, func(t *testing.T) {
			mail, err := n.Mail("example.com")
			if err != nil {
				t.Fatal(err)
			}
			head := fmt.Sprintf("Subject: %s\nMessage-ID: %s\nIn-Reply-To: %s\n", mail.Subject, mail.MessageID, mail.InReplyTo)
			golden(t, name, []txtar.File{file("webhook.json", pretty(t, n.JSON())), file("slack.json", pretty(t, n.Slack())),
				file("alertmanager.json", pretty(t, n.Alertmanager())), file("mail.head", []byte(head)), file("mail.txt", []byte(mail.Text)), file("mail.html", []byte(mail.HTML))})
		})
	}
}

// Every kind says what happened, who acts and what to do, in words that fit a line of a
// telephone.
func TestWhatEachKindSays(t *testing.T) {
	var got []txtar.File
	for _, kind := range alert.Kinds() {
		a := sample(t, alert.Kind(kind))
		a.Link = ""
		mail, err := notice(a, alert.Firing, 1).Mail("example.com")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, file(kind, []byte(mail.Text)))
		if a.Title == "" || a.Text == "" || a.Who == "" || len(a.Steps) == 0 || len(a.Reasons) == 0 || a.Severity == "" {
			t.Errorf("%s leaves something out: %+v", kind, a)
		}
	}
	several := alert.NewBatchesMissed("retailer", "2023-01", "2024-01", 12, []string{"2023-01 to 2023-11: it was never scored", "2024-01: no data came"})
	mail, err := notice(several, alert.Firing, 1).Mail("example.com")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "kinds", append(got, file("batchMissed, several", []byte(mail.Text))))
	if _, ok := alert.Sample("flood", "retailer", found); ok {
		t.Error("there is a sample of a kind that does not exist")
	}
}

// verify checks a webhook as its receiver would, by Standard Webhooks 1.0.0.
func verify(secret, id, timestamp, signatures string, body []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + string(body)))
	for one := range strings.SplitSeq(signatures, " ") {
		version, text, _ := strings.Cut(one, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(signature, mac.Sum(nil)) {
			return nil
		}
	}
	return errors.New("no signature matches")
}

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestAReceiverVerifiesTheSignature(t *testing.T) {
	n := notice(sample(t, alert.RunFailed), alert.Firing, 1)
	keys, err := alert.Keys("whsec_bmV3IHNlY3JldCwgYXQgbGVhc3QgMjQgYnl0ZXM= " + secret)
	if err != nil {
		t.Fatal(err)
	}
	body := n.JSON()
	signature := n.Sign(keys, body)
	for _, s := range []string{secret, "whsec_bmV3IHNlY3JldCwgYXQgbGVhc3QgMjQgYnl0ZXM="} {
		if err := verify(s, n.ID, n.Timestamp(), signature, body); err != nil {
			t.Errorf("with %s: %v", s, err)
		}
	}
	for name, tampered := range map[string]error{
		"another body":      verify(secret, n.ID, n.Timestamp(), signature, append(body, ' ')),
		"another id":        verify(secret, n.ID+"0", n.Timestamp(), signature, body),
		"another time":      verify(secret, n.ID, "1709359201", signature, body),
		"another key":       verify("whsec_YW5vdGhlciBzZWNyZXQsIGF0IGxlYXN0IDI0IGJ5dGVz", n.ID, n.Timestamp(), signature, body),
		"another algorithm": verify(secret, n.ID, n.Timestamp(), strings.ReplaceAll(signature, "v1,", "v2,"), body),
	} {
		if tampered == nil {
			t.Errorf("%s is taken", name)
		}
	}
	again := n
	again.Sent = again.Sent.Add(time.Hour)
	if !bytes.Equal(again.JSON(), body) || again.Sign(keys, body) == signature {
		t.Error("a later round must sign the same body anew")
	}
}

// The vector of the reference library of Standard Webhooks, go/webhook_test.go, TestWebhookSign.
func TestTheSignatureOfTheReferenceLibrary(t *testing.T) {
	keys, err := alert.Keys(secret)
	if err != nil {
		t.Fatal(err)
	}
	n := alert.Notice{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Sent: time.Unix(1614265330, 0)}
	if got, want := n.Sign(keys, []byte(`{"test": 2432232314}`)), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What is wrong with a secret is said without it.
func TestSecretsThatAreNone(t *testing.T) {
	for _, tt := range []struct{ name, secret, want string }{
		{name: "nothing", secret: " ", want: "is empty"},
		{name: "no prefix", secret: "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5", want: "whsec_ followed by base64"},
		{name: "no base64", secret: "whsec_canary!", want: "whsec_ followed by base64"},
		{name: "too short", secret: "whsec_Y2FuYXJ5", want: "must have 24 to 64 bytes, not 6"},
		{name: "too long", secret: "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)), want: "not 65"},
		{name: "the second of two", secret: secret + " whsec_canary!", want: "whsec_ followed by base64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := alert.Keys(tt.secret)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2Fu") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestTheSameTroubleHasOneFingerprint(t *testing.T) {
	a, b := sample(t, alert.BatchBlocked), sample(t, alert.BatchBlocked)
	b.Reasons, b.At = []string{"another"}, found.Add(time.Hour)
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("other reasons make another trouble")
	}
	seen := map[string]bool{a.Fingerprint(): true}
	for _, other := range []string{alert.Fingerprint(alert.BatchAsks, "retailer", "2024-03"), alert.Fingerprint(alert.BatchBlocked, "retailer", "2024-04"),
		alert.Fingerprint(alert.BatchBlocked, "flights", "2024-03"), alert.Fingerprint(alert.BatchBlocked, `retailer"`, `2024-03`)} {
		if seen[other] || len(other) != 16 {
			t.Errorf("fingerprint %q", other)
		}
		seen[other] = true
	}
}

func TestAlertsFitTheirReceivers(t *testing.T) {
	a := alert.NewBatchBlocked("retailer", "2024-03", nil)
	a.Title, a.Text = "two\r\nlines "+strings.Repeat("é", 200), strings.Repeat("x", 5000)
	for range 30 {
		a.Reasons = append(a.Reasons, strings.Repeat("word ", 500))
	}
	a = a.Fit()
	if len(a.Title) > 150 || strings.ContainsAny(a.Title, "\r\n") || !strings.HasSuffix(a.Title, "é…") || len(a.Text) != 1000 ||
		len(a.Reasons) != 11 || a.Reasons[10] != "and 20 more" {
		t.Errorf("%q, %d bytes of text, %d reasons", a.Title, len(a.Text), len(a.Reasons))
	}
}

func TestSeveritiesAreOrdered(t *testing.T) {
	for _, tt := range []struct {
		is, than alert.Severity
		want     bool
	}{{alert.Critical, alert.Warning, true}, {alert.Warning, alert.Warning, true}, {alert.Info, alert.Warning, false}, {alert.Info, "", true}} {
		if got := tt.is.Least(tt.than); got != tt.want {
			t.Errorf("%s at least %q: %t", tt.is, tt.than, got)
		}
	}
}

func ExampleAlert_Fingerprint() {
	a := alert.NewBatchBlocked("retailer", "2024-03", []string{"412 of 10 000 rows are in quarantine"})
	fmt.Println(a.Severity, a.Title, a.Fingerprint())
	// Output: critical retailer 2024-03 is blocked 7bc329e2150f9c15
}

// FuzzNotice holds that whatever texts an alert has, receivers by HTTP get JSON that means
// them, and mails have no header that somebody wrote into a title.
func FuzzNotice(f *testing.F) {
	f.Add("a title", "a text", "a reason")
	f.Add("<!channel> & co", "line\r\nBcc: x@y.z", "\xff\x00`|")
	f.Fuzz(func(t *testing.T, title, text, reason string) {
		a := alert.NewRunFailed("retailer", "2024-03", "Resolve", reason, "starter score retailer --batch 2024-03")
		a.Title, a.Text = title, text
		n := notice(a.Fit(), alert.Firing, 1)
		for _, body := range [][]byte{n.JSON(), n.Slack(), n.Alertmanager()} {
			if !json.Valid(body) {
				t.Fatalf("no JSON: %s", body)
			}
		}
		for part := range strings.SplitSeq(string(n.Slack()), `"type":"mrkdwn"`) { // plain text has no markup
			if _, after, _ := strings.Cut(part, `"text":`); strings.Contains(strings.SplitN(after, `"}`, 2)[0], "<!") && !strings.Contains(part, "plain_text") {
				t.Fatalf("it calls everybody: %s", part)
			}
		}
		mail, err := n.Mail("example.com")
		if err != nil || strings.ContainsAny(mail.Subject, "\r\n") {
			t.Fatalf("%v, subject %q", err, mail.Subject)
		}
	})
}
