package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"headgate/internal/alert"
)

// Ports of SMTP: with STARTTLS, and with TLS from the first byte on.
const (
	portSubmission = 587
	portTLS        = 465
)

// mail sends a notice by SMTP.
func (s *Sender) mail(ctx context.Context, server string, e alert.Email, n alert.Notice) error {
	options, host, hidden, err := s.server(server)
	if err != nil {
		return err
	}
	message, err := compose(e, n)
	if err != nil {
		return &Error{Kind: Refused, err: err}
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return fail(Unreadable, "server of a receiver of type email: %s", hidden.hide(err.Error()))
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return hidden.smtp(err)
	}
	err = client.SendWithSMTPClient(connection, message)
	// The server has said whether it takes the mail: how it says goodbye does not matter.
	_ = client.CloseWithSMTPClient(connection)
	if err != nil {
		return hidden.smtp(err)
	}
	return nil
}

// server reads the URL of a mail server: smtp:// needs STARTTLS, smtps:// is TLS from the
// first byte on, and smtp://…?tls=none, which takes no password, is for a relay on the
// same machine.
func (s *Sender) server(text string) (options []mail.Option, host string, hidden redaction, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" {
		return nil, "", nil, fail(Unreadable, "server of a receiver of type email is not smtp://user:password@host:587 or smtps://user:password@host:465")
	}
	password, has := u.User.Password()
	plain := u.Query().Get("tls") == "none"
	port := portSubmission
	if u.Scheme == "smtps" {
		port = portTLS
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, "", nil, fail(Unreadable, "server of a receiver of type email has a port that is no number")
		}
	}
	options = []mail.Option{mail.WithPort(port), mail.WithTimeout(timeout),
		mail.WithTLSConfig(&tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, RootCAs: s.Roots})}
	switch {
	case plain && (has || u.Scheme == "smtps"):
		return nil, "", nil, fail(Unreadable, "server of a receiver of type email says tls=none, which goes with smtp:// and without a password only")
	case plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case u.Scheme == "smtps":
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if has {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return options, u.Hostname(), redaction{text, password, url.QueryEscape(password)}, nil
}

// compose makes the mail. Its bytes follow from the notice.
func compose(e alert.Email, n alert.Notice) (*mail.Msg, error) {
	domain := e.From[strings.LastIndexByte(e.From, '@')+1:]
	m, err := n.Mail(strings.TrimSuffix(domain, ">"))
	if err != nil {
		return nil, err
	}
	message := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary("headgate-"+n.ID))
	if err := errors.Join(message.From(e.From), message.To(e.To...)); err != nil {
		return nil, err
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(m.MessageID)
	message.SetDateWithValue(m.Date)
	if m.InReplyTo != "" {
		message.SetGenHeader(mail.HeaderInReplyTo, "<"+m.InReplyTo+">")
		message.SetGenHeader(mail.HeaderReferences, "<"+m.InReplyTo+">")
	}
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody answers that they are on holiday
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	message.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return message, nil
}

// smtp says what a failure means: a server that answers 5xx will never take the mail.
func (h redaction) smtp(err error) *Error {
	code := 0
	var protocol *textproto.Error
	var send *mail.SendError
	switch {
	case errors.As(err, &protocol):
		code = protocol.Code
	case errors.As(err, &send):
		code = send.ErrorCode()
	}
	if code >= 500 {
		return fail(Refused, "the mail server answered %s", h.hide(err.Error()))
	}
	return h.later(err)
}
