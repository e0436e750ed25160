// Package devserver runs a Temporal server and its Web UI inside this process, for
// trying things out and for tests: no container, no download, one SQLite file, or a
// database of PostgreSQL if there is one.
//
// What it was told survives: after kill -9, a server started on the same directory
// goes on with the same workflows, timers and activities. It listens on the
// loopback interface only and asks nobody for a password. Temporal says, and so do
// we, that a server on SQLite is not for production.
//
// Start reading at [Start].
package devserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/server/common/log"
	server "go.temporal.io/server/temporal"
)

// Namespace is where the workflows live.
const Namespace = "default"

// Options tune a [Server]. The zero value works: it takes any free ports.
type Options struct {
	Port   int // of the Temporal server; 0 takes a free one
	UIPort int // of the Web UI; 0 takes a free one

	// PostgreSQL is the URL of a database in which the server keeps what it knows, instead
	// of a SQLite file: postgres://USER:PASSWORD@HOST:PORT/DATABASE. The server makes the
	// database, and a second one of that name with _visibility behind it, if they are not
	// there.
	PostgreSQL string

	Debug bool // the log has everything, and not only warnings and errors
}

// A Server is a running Temporal server with its Web UI.
type Server struct {
	temporal server.Server
	ui       *uiserver.Server
	lock     *lock
	ports    ports
	log      string
	failed   chan error
}

// Start runs a server whose SQLite file, lock and log lie in the directory dir, which
// it makes if it is missing, and returns when both the server and the UI answer.
//
// Only one server can use a directory, and only one program a port: the errors are
// [ErrInUse] and [*PortError]. If ctx ends before the server answers, or the
// server gives up, Start returns the reason; what already runs then ends with the
// process, which is why a program should start one server and exit if that fails.
func Start(ctx context.Context, dir string, o *Options) (*Server, error) {
	if o == nil {
		o = &Options{}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	held, err := acquire(ctx, filepath.Join(dir, lockFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	s := &Server{lock: held, log: filepath.Join(dir, "server.log"), failed: make(chan error, 1)}
	if err := s.start(ctx, dir, o); err != nil {
		return nil, errors.Join(err, held.release())
	}
	return s, nil
}

// start takes the ports, prepares the database, and brings up server and UI.
func (s *Server) start(ctx context.Context, dir string, o *Options) error {
	var err error
	if s.ports, err = choosePorts(o.Port, o.UIPort); err != nil {
		return err
	}
	if err := touch(s.log); err != nil {
		return err
	}
	level := "warn"
	if o.Debug {
		level = "debug"
	}
	logger := &fatalLogger{
		Logger: log.NewZapLogger(log.BuildZapLogger(log.Config{Level: level, OutputFile: s.log})),
		fatal:  s.failed,
	}
	up := make(chan error, 1)
	go func() { up <- s.bringUp(ctx, dir, o.PostgreSQL, logger) }()
	select {
	case err := <-up:
		return err
	case err := <-s.failed:
		return fmt.Errorf("temporal server: %w; see %s", err, s.log)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) bringUp(ctx context.Context, dir, postgresURL string, logger log.Logger) error {
	k, err := keep(dir, postgresURL, logger)
	if err != nil {
		return err
	}
	if s.temporal, err = newTemporal(k, s.ports, logger); err != nil {
		return err
	}
	if err := s.temporal.Start(); err != nil {
		return err
	}
	s.ui = newUI(s.ports)
	go s.serveUI()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := waitForServer(ctx, s.Address()); err != nil {
		return err
	}
	return waitForUI(ctx, s.UI())
}

// Address is host:port of the Temporal server, for clients.
func (s *Server) Address() string { return net.JoinHostPort(loopback, strconv.Itoa(s.ports.frontend)) }

// UI is the address of the Web UI, for browsers.
func (s *Server) UI() string { return fmt.Sprintf("http://%s:%d", loopback, s.ports.ui) }

// Log is the file that the server logs to: warnings and errors, unless [Options] say more.
func (s *Server) Log() string { return s.log }

// Failed delivers the reason when the running server has given up. Nothing is
// lost by it that kill -9 would not lose: exit, and start again.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop ends the UI and the server, and lets go of the directory. Stop the
// workers first, so that they can hand their work over. It takes about a second.
func (s *Server) Stop() error {
	s.ui.Stop()
	return errors.Join(s.temporal.Stop(), s.lock.release())
}

// startTimeout bounds how long a start waits for the server or the UI to answer.
// They need a second; a busy machine may need several.
const startTimeout = 30 * time.Second

// touch makes an empty file if there is none. The server's logger ends the process
// if it cannot open its file; this gives an error first.
func touch(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
