// Package delivertest has receivers of alerts for tests: servers on the loopback interface
// that answer as they are told, and remember what they got.
package delivertest

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A Request is what a receiver by HTTP got.
type Request struct {
	Path   string
	Header http.Header
	Body   []byte
}

// An Answer is what it says. The zero value is 200.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
	Do     func()        // when it has the request; nil: nothing
	Wait   time.Duration // before it says anything
}

// A Web is a receiver by HTTP.
type Web struct {
	URL   string
	Roots *x509.CertPool // of one with TLS

	mu      sync.Mutex
	got     []Request
	answers []Answer
}

// NewWeb starts a receiver that gives answers in their order, and 200 when none is left.
func NewWeb(t testing.TB, answers ...Answer) *Web {
	t.Helper()
	w := &Web{answers: answers}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.URL = s.URL
	return w
}

// NewTLS is like NewWeb, for a receiver with TLS.
func NewTLS(t testing.TB, answers ...Answer) *Web {
	t.Helper()
	w := &Web{answers: answers}
	s := httptest.NewUnstartedServer(w)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	w.URL, w.Roots = s.URL, pool(s)
	return w
}

func pool(s *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return roots
}

// ServeHTTP notes a request and answers it.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.got = append(w.got, Request{Path: r.URL.Path, Header: r.Header, Body: body})
	var a Answer
	if len(w.answers) > 0 {
		a, w.answers = w.answers[0], w.answers[1:]
	}
	w.mu.Unlock()
	if a.Do != nil {
		a.Do()
	}
	select {
	case <-time.After(a.Wait):
	case <-r.Context().Done():
		return
	}
	for name, value := range a.Header {
		rw.Header().Set(name, value)
	}
	if a.Status != 0 {
		rw.WriteHeader(a.Status)
	}
	_, _ = io.WriteString(rw, a.Body)
}

// Got returns the requests so far.
func (w *Web) Got() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Request(nil), w.got...)
}

// A Letter is a mail that a server took.
type Letter struct {
	From, User string
	To         []string
	Data       []byte
	TLS        bool
}

// A Post is a mail server.
type Post struct {
	Address string // host:port
	Roots   *x509.CertPool

	password string // "" if it asks for none
	mu       sync.Mutex
	got      []Letter
	refusals []*smtp.SMTPError // of the next letters
}

// NewPost starts a mail server with STARTTLS, or with TLS from the first byte on. It wants
// a password unless that is empty. Its first letters are refused as refusals say.
func NewPost(t testing.TB, password string, direct bool, refusals ...*smtp.SMTPError) *Post {
	t.Helper()
	cert := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(cert.Close)
	p := &Post{password: password, Roots: pool(cert), refusals: refusals}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Address = l.Addr().String()
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{post: p, conn: c}, nil }))
	s.Domain, s.ErrorLog = "mail.test", log.New(io.Discard, "", 0)
	s.TLSConfig = &tls.Config{Certificates: cert.TLS.Certificates, MinVersion: tls.VersionTLS12}
	if direct {
		l = tls.NewListener(l, s.TLSConfig)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return p
}

// Got returns the letters so far.
func (p *Post) Got() []Letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Letter(nil), p.got...)
}

type session struct {
	post   *Post
	conn   *smtp.Conn
	letter Letter
}

// AuthMechanisms returns how a client can say who it is.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth checks a password.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != s.post.password {
			// As a server would that tells secrets to everybody.
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong user or password " + password}
		}
		s.letter.User = user
		return nil
	}), nil
}

// Mail begins a letter.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.post.password != "" && s.letter.User == "" {
		return smtp.ErrAuthRequired
	}
	s.letter.From = from
	return nil
}

// Rcpt adds who gets it.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.To = append(s.letter.To, to)
	return nil
}

// Data takes the letter, or refuses it.
func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	if len(s.post.refusals) > 0 {
		refusal := s.post.refusals[0]
		s.post.refusals = s.post.refusals[1:]
		return refusal
	}
	_, s.letter.TLS = s.conn.TLSConnectionState()
	s.letter.Data = data
	s.post.got = append(s.post.got, s.letter)
	return nil
}

// Reset forgets a letter.
func (s *session) Reset() { s.letter = Letter{User: s.letter.User} }

// Logout ends the session.
func (s *session) Logout() error { return nil }
