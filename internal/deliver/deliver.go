// Package deliver sends notices of alerts to their receivers, by HTTP and by SMTP.
//
// It is the only package that reads what references point to. What it read never stands
// in an error: neither a secret nor the URL of a receiver, which may itself be one.
package deliver

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"headgate/internal/alert"
)

// A Sender sends notices. The zero value is good.
type Sender struct {
	Roots *x509.CertPool // whom TLS trusts; nil: whom the system trusts
}

// timeout is how long one attempt may take: Standard Webhooks recommend 15 to 30 seconds.
const timeout = 20 * time.Second

// A Kind says what became of an attempt that failed.
type Kind string

// The kinds.
const (
	Unreadable Kind = "unreadable" // a reference points to nothing, or to nothing of use
	Refused    Kind = "refused"    // the receiver will never take it
	Unready    Kind = "unready"    // the receiver may take it later
)

// An Error is an attempt that failed.
type Error struct {
	Kind  Kind
	After time.Duration // of one that is unready: the receiver wants to be left alone for so long; 0: it does not say
	err   error
}

func (e *Error) Error() string { return e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

func fail(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, err: fmt.Errorf(format, args...)}
}

// Send sends a notice once. The error is an [*Error]. The same notice is the same message
// to its receiver, which may so find out that it came twice.
func (s *Sender) Send(ctx context.Context, r alert.Receiver, n alert.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	values := map[string]string{}
	for _, key := range []string{"url", "server", "secret"} {
		ref, ok := r.Refs()[key]
		if !ok {
			continue
		}
		value, err := read(ref)
		if err != nil {
			return &Error{Kind: Unreadable, err: fmt.Errorf("%s of a receiver of type %s: %w", key, r.Type(), err)}
		}
		values[key] = value
	}
	if r.Email != nil {
		return s.mail(ctx, values["server"], *r.Email, n)
	}
	return s.post(ctx, r, values, n)
}

// maxValue is how long the value of a reference may be, in bytes.
const maxValue = 16 << 10

// read returns what a reference points to, without spaces around it.
func read(ref alert.Ref) (string, error) {
	if err := ref.Check(); err != nil {
		return "", err
	}
	scheme, name, _ := strings.Cut(string(ref), ":")
	var value string
	if scheme == "env" {
		if value = os.Getenv(name); value == "" {
			return "", fmt.Errorf("variable %s is not set here; set it for every worker", name)
		}
		return strings.TrimSpace(value), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("%w; every worker needs the file", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxValue+1))
	switch value = strings.TrimSpace(string(data)); {
	case err != nil:
		return "", err
	case len(data) > maxValue:
		return "", fmt.Errorf("%s has more than %d bytes", name, maxValue)
	case value == "":
		return "", fmt.Errorf("%s is empty", name)
	}
	return value, nil
}

// A redaction hides secrets in what others wrote.
type redaction []string

// hide returns a text as one short line without secrets.
func (h redaction) hide(text string) string {
	for _, secret := range h {
		if secret != "" && secret != "/" {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	const most = 300
	if text = strings.Join(strings.Fields(strings.ToValidUTF8(text, " ")), " "); len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// later returns the error of an attempt that may succeed later.
func (h redaction) later(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
		return fail(Unready, "no answer within %s", timeout)
	}
	return fail(Unready, "%s", h.hide(err.Error()))
}
