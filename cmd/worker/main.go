// Command worker runs Headgate's workflows and activities against a Temporal cluster
// or Temporal Cloud. Its settings come from the environment; worker --help lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"headgate/internal/telemetry"
	"headgate/internal/worker"
)

const usage = `worker runs Headgate's workflows and activities until it is told to stop.

Usage:
  HEADGATE_STORE=s3://scores?region=eu-central-1 worker
  worker health     ask the worker with the same settings whether it can work

Settings, from the environment:
%s
Connection to Temporal: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
TEMPORAL_TLS_*, or a profile of Temporal's TOML file named by TEMPORAL_PROFILE; see
https://docs.temporal.io/develop/environment-configuration. Without any of them it
connects to localhost:7233, namespace default.

Traces go where OTEL_EXPORTER_OTLP_ENDPOINT says, http://127.0.0.1:4318 for example, and
nowhere without it; OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf or grpc. All variables
of OpenTelemetry's exporter count. Metrics and alerts: docs/metrics.md.

SIGTERM and SIGINT stop it: running shards start over on another worker. A second one
ends it at once.
Exit codes: 0 stopped, or well; 1 failed, or not well; 2 wrong settings.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// run returns the exit code.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
			fmt.Fprintf(stdout, usage, settings())
			return 0
		}
	}
	health := len(args) == 1 && args[0] == "health"
	if len(args) > 0 && !health {
		fmt.Fprintf(stderr, "worker: unknown argument %q; settings come from the environment, see worker --help\n", args[0])
		return 2
	}
	c, err := parseConfig(lookup)
	if err != nil {
		fmt.Fprintf(stderr, "worker: %v; see worker --help\n", err)
		return 2
	}
	if health {
		if err := askHealth(ctx, c.Health, stdout); err != nil {
			fmt.Fprintf(stderr, "worker: %v\n", err)
			return 1
		}
		return 0
	}
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		fmt.Fprintf(stderr, "worker: settings of Temporal: %v; see worker --help\n", err)
		return 2
	}
	log := newLogger(stderr, c.Log)
	if err := observed(ctx, c, options, log); err != nil {
		log.Error().Msg("worker failed: " + err.Error())
		return 1
	}
	log.Info().Msg("worker stopped")
	return 0
}

// newLogger writes JSON, or lines for people on a terminal.
func newLogger(w io.Writer, level zerolog.Level) zerolog.Logger {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// lookEvery is how often scrapes make the worker look at the registries.
const lookEvery = 15 * time.Second

// flushTimeout is how long the last traces may take.
const flushTimeout = 5 * time.Second

// observed runs work with metrics and traces, and sends off the last ones.
func observed(ctx context.Context, c Config, options client.Options, log zerolog.Logger) error {
	told, err := telemetry.Start(ctx, "headgate-worker", func(err error) { log.Warn().Msg("telemetry: " + err.Error()) })
	if err != nil {
		return err
	}
	told.Apply(&options)
	options.Logger = telemetry.NewLogger(zerolog.NewSlogHandler(log))
	err = work(ctx, c, options, told, log)
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := told.Stop(flush); err != nil {
		log.Warn().Msg("telemetry: " + err.Error())
	}
	return err
}

// work polls until ctx ends, and then waits for its activities to hand over.
func work(ctx context.Context, c Config, options client.Options, told *telemetry.Telemetry, log zerolog.Logger) error {
	temporal, err := client.DialContext(ctx, options)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("temporal does not answer at %s; set TEMPORAL_ADDRESS (%w)", address(options), err)
	}
	defer temporal.Close()
	if err := worker.EnsureSearchAttributes(ctx, temporal, namespace(options)); err != nil {
		return err
	}
	w, err := worker.New(ctx, worker.Config{Store: c.Store, TaskQueue: c.TaskQueue, Parallel: c.Parallel, Drain: c.Drain,
		Deployment: c.Deployment, BuildID: c.BuildID, Metrics: told.Handler()}, temporal)
	if err != nil {
		return err
	}
	if err := told.Observe(lookEvery, w.Standing); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if c.Health != "" {
		l, err := net.Listen("tcp", c.Health)
		if err != nil {
			return fmt.Errorf("HEADGATE_HEALTH=%q: %w", c.Health, err)
		}
		go func() { cancel(w.ServeHealth(ctx, l)) }()
	}
	log.Info().Str("temporal", address(options)).Str("namespace", namespace(options)).
		Str("task_queue", c.TaskQueue).Str("health", c.Health).Str("deployment", c.Deployment).Str("build_id", c.BuildID).
		Bool("traces", told.Tracing()).Msg("worker started")
	if err := w.Run(ctx); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func address(o client.Options) string {
	if o.HostPort == "" {
		return client.DefaultHostPort
	}
	return o.HostPort
}

func namespace(o client.Options) string {
	if o.Namespace == "" {
		return client.DefaultNamespace
	}
	return o.Namespace
}
