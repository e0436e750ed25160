package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"golang.org/x/sync/errgroup"

	"headgate/cmd/dev/devserver"
	"headgate/internal/telemetry"
	"headgate/internal/worker"
)

// siteOptions say where a site lies and listens.
type siteOptions struct {
	dir          string // absolute
	port, uiPort int
	debug        bool // everybody logs all that there is to say

	postgres   string // URL of a database for the Temporal server; "": a SQLite file in dir
	serverOnly bool   // no worker: somebody runs cmd/worker
}

// addFlags gives a command the flags of a site; name is its directory by default.
func (o *siteOptions) addFlags(c *cobra.Command, name string) {
	c.Flags().IntVar(&o.port, "port", 7233, "port of the Temporal server")
	c.Flags().IntVar(&o.uiPort, "ui-port", 8233, "port of the Web UI")
	o.dir = filepath.Join(home(), ".headgate", name)
	c.Flags().Func("dir", "`directory` for everything that is kept; a relative one counts from the\nproject's directory (default \".headgate/"+name+"\")", func(dir string) error {
		o.dir = dir
		if !filepath.IsAbs(dir) {
			o.dir = filepath.Join(home(), dir)
		}
		return nil
	})
}

// A site is a running server with a worker on it.
type site struct {
	server *devserver.Server
	client client.Client
	store  string // directory of the object store
	log    string // file in which the worker says what it does
	told   *telemetry.Telemetry
	listen net.Listener // for GET /health and GET /metrics; nil without a worker
}

// runSite brings a site up, calls do, and takes it down again when do returns, when
// ctx ends or when a part of the site fails. The context that do gets ends in each
// of these cases. Warnings of the worker go to warn as well as to its log.
func runSite(ctx context.Context, o siteOptions, warn io.Writer, do func(context.Context, *site) error) (err error) {
	server, err := devserver.Start(ctx, o.dir, &devserver.Options{Port: o.port, UIPort: o.uiPort, PostgreSQL: o.postgres, Debug: o.debug})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()

	s := &site{server: server, store: filepath.Join(o.dir, "store"), log: filepath.Join(o.dir, "worker.log")}
	if !o.serverOnly {
		if s.listen, err = listenMetrics(); err != nil {
			return err
		}
		defer s.listen.Close()
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	options := client.Options{HostPort: server.Address(), Namespace: devserver.Namespace, Logger: newLogger(ctx, o.debug, log, warn)}
	trouble := options.Logger
	if s.told, err = telemetry.Start(ctx, "headgate-dev", func(err error) { trouble.Warn("telemetry", "error", err.Error()) }); err != nil {
		return err
	}
	defer s.stopTelling(trouble)
	s.told.Apply(&options)
	s.client, err = client.DialContext(ctx, options)
	if err != nil {
		return fmt.Errorf("temporal server at %s: %w", server.Address(), err)
	}
	defer s.client.Close()
	return s.work(ctx, o.serverOnly, func(ctx context.Context, s *site) error {
		defer stop()
		return do(ctx, s)
	})
}

// work runs a worker, unless there is none, and do until ctx ends.
func (s *site) work(ctx context.Context, serverOnly bool, do func(context.Context, *site) error) error {
	if err := worker.EnsureSearchAttributes(ctx, s.client, devserver.Namespace); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if !serverOnly {
		w, err := worker.New(ctx, worker.Config{Store: s.store, Metrics: s.told.Handler()}, s.client)
		if err != nil {
			return err
		}
		if err := s.told.Observe(0, w.Standing); err != nil { // a look at a local directory costs little
			return err
		}
		group.Go(func() error { return w.ServeHealth(ctx, s.listen) })
		group.Go(func() error { return w.Run(ctx) })
	}
	group.Go(func() error { return do(ctx, s) })
	group.Go(func() error {
		select {
		case err := <-s.server.Failed():
			return err
		case <-ctx.Done():
			return nil
		}
	})
	return group.Wait()
}

// newLogger writes everything to the log, as JSON, and, until ctx ends, warnings for
// people as well: what the parts complain of while they stop concerns nobody.
func newLogger(ctx context.Context, debug bool, log, warn io.Writer) sdklog.Logger {
	level := zerolog.InfoLevel
	if debug {
		level = zerolog.DebugLevel
	}
	file, ok := warn.(*os.File)
	people := zerolog.ConsoleWriter{
		Out:        untilDone{ctx, warn},
		TimeFormat: time.TimeOnly,
		NoColor:    !ok || !isatty.IsTerminal(file.Fd()),
	}
	both := zerolog.MultiLevelWriter(log, &zerolog.FilteredLevelWriter{
		Writer: zerolog.LevelWriterAdapter{Writer: people},
		Level:  zerolog.WarnLevel,
	})
	logger := zerolog.New(both).Level(level).With().Timestamp().Logger()
	return telemetry.NewLogger(zerolog.NewSlogHandler(logger))
}

// An untilDone writes to w until ctx ends, and nowhere after that.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u untilDone) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return len(p), nil
	}
	return u.w.Write(p)
}

// home is the project's directory if the command runs inside it, as go run -C does,
// and otherwise the current one.
func home() string {
	current, err := os.Getwd()
	if err != nil {
		return "."
	}
	for dir := current; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && projectModule.Match(mod) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return current
		}
	}
}

var projectModule = regexp.MustCompile(`(?m)^module headgate$`)
