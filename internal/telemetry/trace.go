package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strings"

	api "go.opentelemetry.io/otel/trace"
	temporal "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
)

// newTracing returns what traces workflows, activities and calls of clients. Queries are
// left out: a page of the Web UI makes one a second.
func newTracing(t api.Tracer) (interceptor.Interceptor, error) {
	inner, err := temporal.NewTracer(temporal.TracerOptions{Tracer: t, DisableQueryTracing: true, DisableBaggage: true,
		AllowInvalidParentSpans: true, SpanStarter: startSpan})
	if err != nil {
		return nil, err
	}
	return interceptor.NewTracingInterceptor(tracer{inner}), nil
}

// A tracer gives the span of a workflow the same id in every replay. The SDK begins that
// span anew on each worker that takes the workflow up; with a random id, what ran before
// would be the child of a span that nobody has ever sent.
type tracer struct{ interceptor.Tracer }

// keyMark parts the name of a span from its key on the way to [startSpan], which is told
// nothing but the name.
const keyMark = "\x00"

// What the SDK calls the span of a workflow, and the tag of its run.
const (
	runWorkflow = "RunWorkflow"
	runIDTag    = "temporalRunID"
)

// StartSpan gives the span of a workflow the key of its run. The SDK has a key of its own,
// which is another one in a replay if the workflow began with a signal or an Update.
func (t tracer) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	if run := o.Tags[runIDTag]; o.Operation == runWorkflow && run != "" {
		keyed := *o
		keyed.Name += keyMark + run
		o = &keyed
	}
	return t.Tracer.StartSpan(o)
}

// GetLogger adds the ids by which a line finds its trace.
func (t tracer) GetLogger(l log.Logger, ref interceptor.TracerSpanRef) log.Logger {
	span, ok := ref.(interface{ SpanContext() api.SpanContext })
	if !ok || !span.SpanContext().IsValid() {
		return l
	}
	return log.With(l, "trace_id", span.SpanContext().TraceID().String(), "span_id", span.SpanContext().SpanID().String())
}

// spanKey is the key under which a context holds the key of the span to be begun.
type spanKey struct{}

func startSpan(ctx context.Context, t api.Tracer, name string, opts ...api.SpanStartOption) api.Span {
	name, key, keyed := strings.Cut(name, keyMark)
	if keyed {
		ctx = context.WithValue(ctx, spanKey{}, key)
	}
	_, span := t.Start(ctx, name, opts...)
	return span
}

// ids makes ids of spans and traces: of their key if they have one, else by chance.
type ids struct{}

// NewIDs returns ids for a span without a parent.
func (g ids) NewIDs(ctx context.Context) (api.TraceID, api.SpanID) {
	var trace api.TraceID
	if key, ok := ctx.Value(spanKey{}).(string); ok {
		digest := sha256.Sum256([]byte("trace " + key))
		copy(trace[:], digest[:])
	} else {
		binary.NativeEndian.PutUint64(trace[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(trace[8:], rand.Uint64()|1) // zero is no id
	}
	return trace, g.NewSpanID(ctx, trace)
}

// NewSpanID returns an id for a span of a trace.
func (ids) NewSpanID(ctx context.Context, trace api.TraceID) api.SpanID {
	var span api.SpanID
	if key, ok := ctx.Value(spanKey{}).(string); ok {
		digest := sha256.Sum256([]byte(trace.String() + " span " + key))
		copy(span[:], digest[:])
		return span
	}
	binary.NativeEndian.PutUint64(span[:], rand.Uint64()|1)
	return span
}
