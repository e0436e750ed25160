package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"headgate/internal/alert"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 4 << 10

// maxAfter is how long a receiver can want to be left alone.
const maxAfter = 24 * time.Hour

// post sends a notice by HTTP.
func (s *Sender) post(ctx context.Context, r alert.Receiver, values map[string]string, n alert.Notice) error {
	to, err := url.Parse(values["url"])
	if err != nil || to.Host == "" || to.Scheme != "https" && to.Scheme != "http" {
		return fail(Unreadable, "url of a receiver of type %s is not one that begins with https:// or http://", r.Type())
	}
	hidden := secretsOf(to, values)
	body := r.Body(n)
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Headgate"}}
	switch {
	case r.Webhook != nil:
		keys, err := alert.Keys(values["secret"])
		if err != nil {
			return &Error{Kind: Unreadable, err: err}
		}
		header.Set(alert.HeaderID, n.ID)
		header.Set(alert.HeaderTimestamp, n.Timestamp())
		header.Set(alert.HeaderSignature, n.Sign(keys, body))
	case r.Alertmanager != nil:
		to = to.JoinPath(alert.AlertmanagerPath)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return fail(Unreadable, "url of a receiver of type %s cannot be used", r.Type())
	}
	request.Header = header
	answer, err := s.client().Do(request)
	if err != nil {
		var in *url.Error // has the URL
		if errors.As(err, &in) {
			err = in.Err
		}
		return hidden.later(err)
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // what came suffices
	return judge(answer, hidden.hide(string(said)))
}

// minSecret is how long a part of a URL is that may be a secret, in bytes.
const minSecret = 6

// secretsOf returns what of a URL and of the values beside it nobody else may see: its
// path and query, whole and in parts, and its password.
func secretsOf(to *url.URL, values map[string]string) redaction {
	password, _ := to.User.Password()
	hidden := redaction{values["url"], to.RequestURI(), to.Path, password, values["secret"]}
	parts := strings.FieldsFunc(to.RequestURI(), func(r rune) bool { return strings.ContainsRune("/?&=", r) })
	for _, part := range parts {
		if len(part) >= minSecret {
			hidden = append(hidden, part)
		}
	}
	return hidden
}

// client returns a client that follows nobody elsewhere.
func (s *Sender) client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots}
	transport.DisableKeepAlives = true
	return &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// judge says what an answer means. Only 2xx is a success. That the receiver is slow, busy
// or broken may pass; all else will not, a redirection included.
func judge(answer *http.Response, said string) error {
	code := answer.StatusCode
	if said != "" {
		said = ": " + said
	}
	switch {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		e := fail(Unready, "it answered %s%s", answer.Status, said)
		e.After = after(answer)
		return e
	case code >= 300 && code < 400:
		return fail(Refused, "it answered %s, and redirections are not followed; give the URL that it leads to", answer.Status)
	}
	return fail(Refused, "it answered %s%s", answer.Status, said)
}

// after reads the header Retry-After, in seconds or as a date; 0 if there is none.
func after(answer *http.Response) time.Duration {
	text := strings.TrimSpace(answer.Header.Get("Retry-After"))
	wait := time.Duration(0)
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		now, err := http.ParseTime(answer.Header.Get("Date"))
		if err != nil {
			now = time.Now()
		}
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxAfter)
}
