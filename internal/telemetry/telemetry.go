// Package telemetry says what a process does: metrics for Prometheus, traces by OTLP, and
// the fields of logs that join both. It is the only package that knows OpenTelemetry.
//
// Activities and workflows record through the Temporal SDK, which hands over here. What
// is measured, package metric lists. Traces go where the standard variables
// OTEL_EXPORTER_OTLP_* say, and nowhere if none of them is set.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.temporal.io/sdk/client"
	temporal "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// scope is the name under which everything is measured and traced.
const scope = "headgate"

// A Telemetry is what one process says of itself. Make it with [Start].
type Telemetry struct {
	registry *prometheus.Registry
	metrics  *metric.MeterProvider
	traces   *trace.TracerProvider // nil: traces go nowhere
	tracing  interceptor.Interceptor

	mu     sync.Mutex
	sights []*sight
}

// Start begins to measure and, if the environment says where traces go, to trace. service
// is what traces are of, unless OTEL_SERVICE_NAME says otherwise; trouble hears why
// something could not be exported. The error names the variable that is wrong.
func Start(ctx context.Context, service string, trouble func(error)) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(trouble))
	if err := t.measure(); err != nil {
		return nil, err
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, err
	}
	if exporter == nil {
		return t, nil
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(), resource.WithAttributes(serviceName(service)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	t.traces = trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about), trace.WithIDGenerator(ids{}))
	if t.tracing, err = newTracing(t.traces.Tracer(scope)); err != nil {
		return nil, err
	}
	return t, nil
}

// Tracing reports whether traces go somewhere.
func (t *Telemetry) Tracing() bool { return t.traces != nil }

// Apply makes a client, and the workers that are made with it, measure and trace.
func (t *Telemetry) Apply(o *client.Options) {
	o.MetricsHandler = temporal.NewMetricsHandler(temporal.MetricsHandlerOptions{
		Meter: t.metrics.Meter(scope), UseMonotonicCounters: true, OnError: otel.Handle})
	if t.tracing != nil {
		o.Interceptors = append(o.Interceptors, t.tracing)
	}
}

// Handler answers GET /metrics in the format of Prometheus.
func (t *Telemetry) Handler() http.Handler {
	scrape := promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.lookAround()
		scrape.ServeHTTP(w, r)
	})
}

// Stop exports what is left, and ends.
func (t *Telemetry) Stop(ctx context.Context) error {
	err := t.metrics.Shutdown(ctx)
	if t.traces != nil {
		err = errors.Join(err, t.traces.Shutdown(ctx))
	}
	if err != nil {
		return fmt.Errorf("export the last traces: %w", err)
	}
	return nil
}

// Configured reports whether the environment says where traces go.
func Configured() bool {
	return endpoint() != "" && os.Getenv("OTEL_SDK_DISABLED") != "true" && os.Getenv("OTEL_TRACES_EXPORTER") != "none"
}
