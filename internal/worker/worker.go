// Package worker is the only place that wires: store, model formats, activities and
// workflows become one Temporal worker. cmd/worker runs it against any cluster,
// cmd/dev against the server in its own process.
package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"headgate/activities"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/standing"
	"headgate/internal/store"
	"headgate/workflows"
)

// Config says how one worker works. The zero value of a field is its default.
type Config struct {
	Store     string        // store URL; required
	TaskQueue string        // default: workflows.TaskQueue
	Parallel  int           // activities at a time; default 4
	Drain     time.Duration // how long a stopping worker waits for its activities; default 10 s
	Metrics   http.Handler  // of GET /metrics, beside GET /health; nil for none

	Deployment string // Temporal worker deployment that it belongs to; none by default
	BuildID    string // its version within the deployment; required with one
}

// deployment says which version of which deployment the worker is. Without a deployment
// it is a worker without versions, which takes up what workers without versions left.
func (c Config) deployment() worker.DeploymentOptions {
	if c.Deployment == "" {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{UseVersioning: true, Version: worker.WorkerDeploymentVersion{DeploymentName: c.Deployment, BuildID: c.BuildID}}
}

// Formats returns the model formats that workers read.
func Formats() model.Formats { return model.Formats{"lightgbm": lightgbm.Format} }

// A Worker polls one task queue.
type Worker struct {
	bucket *store.Bucket
	worker worker.Worker
	client client.Client
	config Config

	standing *standing.Reader
}

// New opens and probes the store and makes a worker. It does not poll yet.
func New(ctx context.Context, c Config, temporal client.Client) (*Worker, error) {
	if c.Store == "" {
		return nil, errors.New("no store: set HEADGATE_STORE to a directory or a URL such as s3://bucket")
	}
	if c.TaskQueue == "" {
		c.TaskQueue = workflows.TaskQueue
	}
	if c.Parallel == 0 {
		c.Parallel = 4
	}
	if c.Drain == 0 {
		c.Drain = 10 * time.Second
	}
	bucket, err := store.Open(ctx, c.Store)
	if err != nil {
		return nil, err
	}
	if err := bucket.Probe(ctx); err != nil {
		bucket.Close()
		return nil, err
	}
	w := worker.New(temporal, c.TaskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: c.Parallel,
		WorkerStopTimeout:                  c.Drain,
		// The SDK would pass on one heartbeat in 8 of the 10 seconds that a worker may
		// be silent: too close, and a cancellation is only heard with a heartbeat.
		MaxHeartbeatThrottleInterval: activities.HeartbeatEvery,
		DeploymentOptions:            c.deployment(),
	})
	workflows.Register(w)
	w.RegisterActivity(activities.New(bucket, Formats()))
	made := &Worker{bucket: bucket, worker: w, client: temporal, config: c}
	made.standing = standing.New(bucket, made.scoring, made.expects)
	return made, nil
}

// Run polls until ctx ends; then running activities hand over to other workers and
// Run returns. It returns early with an error that polling cannot survive.
func (w *Worker) Run(ctx context.Context) error {
	defer w.bucket.Close()
	collectSooner()
	if err := w.worker.Start(); err != nil {
		return fmt.Errorf("start worker on task queue %q: %w", w.config.TaskQueue, err)
	}
	<-ctx.Done()
	w.worker.Stop()
	return nil
}

// collectSooner makes the garbage collector run when memory has grown by half since
// the last time, not when it has doubled, unless GOGC says otherwise. A worker's
// memory is mostly large buffers, which cost it next to nothing to look through: in
// the benchmark its peak fell by a quarter and its processor time stayed the same.
func collectSooner() {
	const byDefault, sooner = 100, 50
	if set := debug.SetGCPercent(sooner); set != byDefault {
		debug.SetGCPercent(set)
	}
}

// Health reports whether the worker can do its work: Temporal and the store answer.
func (w *Worker) Health(ctx context.Context) error {
	if _, err := w.client.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	_, err := w.bucket.Folders(ctx, "registry/")
	return err
}

// ServeHealth answers GET /health with 200, or with 503 and the reason, and GET /metrics,
// until ctx ends.
func (w *Worker) ServeHealth(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	if w.config.Metrics != nil {
		mux.Handle("GET /metrics", w.config.Metrics)
	}
	mux.HandleFunc("GET /health", func(rw http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := w.Health(ctx); err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(rw, "ok")
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("health endpoint: %w", err)
	}
	return nil
}

// attributeFlags writes search attributes as the flags of Temporal's command line, which
// takes a type for each name.
func attributeFlags(attributes []workflows.SearchAttribute) string {
	var flags []string
	for _, a := range attributes {
		flags = append(flags, fmt.Sprintf("--name %s --type %s", a.Name, a.Type))
	}
	return strings.Join(flags, " ")
}

// EnsureSearchAttributes adds the search attributes that the namespace lacks. Where
// that is not allowed (Temporal Cloud), the error names the command that does it.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	var unknown *serviceerror.NamespaceNotFound
	if errors.As(err, &unknown) {
		return fmt.Errorf("namespace %q does not exist on this Temporal; set TEMPORAL_NAMESPACE or create it", namespace)
	}
	missing := slices.DeleteFunc(workflows.SearchAttributes(), func(a workflows.SearchAttribute) bool {
		_, ok := have.GetCustomAttributes()[a.Name]
		return ok
	})
	if err == nil && len(missing) == 0 {
		return nil
	}
	add := map[string]enums.IndexedValueType{}
	for _, a := range missing {
		add[a.Name] = a.Type
	}
	if err == nil {
		_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: add})
	}
	if err != nil {
		return fmt.Errorf("namespace %s lacks search attributes and they could not be added (%w); add them with: temporal operator search-attribute create %s",
			namespace, err, attributeFlags(missing))
	}
	return nil
}
