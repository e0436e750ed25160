package telemetry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	temporal "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// begun begins and ends a span as the SDK does, and returns it as it was sent.
func begun(t *testing.T, run string, parent interceptor.TracerSpanRef) (interceptor.TracerSpan, tracetest.SpanStub) {
	t.Helper()
	sent := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(sent), trace.WithIDGenerator(ids{}))
	inner, err := temporal.NewTracer(temporal.TracerOptions{Tracer: provider.Tracer(scope), SpanStarter: startSpan, DisableBaggage: true})
	if err != nil {
		t.Fatal(err)
	}
	o := &interceptor.TracerStartSpanOptions{Operation: "RunWorkflow", Name: "ScoreBatch", Tags: map[string]string{"temporalRunID": run}, Parent: parent}
	span, err := tracer{inner}.StartSpan(o)
	if err != nil {
		t.Fatal(err)
	}
	span.Finish(&interceptor.TracerFinishSpanOptions{})
	if len(sent.GetSpans()) != 1 || sent.GetSpans()[0].Name != "RunWorkflow:ScoreBatch" {
		t.Fatalf("sent %+v", sent.GetSpans())
	}
	return span, sent.GetSpans()[0]
}

func TestAReplayBeginsTheSameSpan(t *testing.T) {
	_, first := begun(t, "run 1", nil)
	_, again := begun(t, "run 1", nil)
	_, other := begun(t, "run 2", nil)
	if first.SpanContext.TraceID() != again.SpanContext.TraceID() || first.SpanContext.SpanID() != again.SpanContext.SpanID() {
		t.Errorf("a replay has %v and not %v", again.SpanContext, first.SpanContext)
	}
	if first.SpanContext.TraceID() == other.SpanContext.TraceID() || first.SpanContext.SpanID() == other.SpanContext.SpanID() {
		t.Errorf("two runs have the ids %v", first.SpanContext)
	}
}

func TestASpanWithAParentStaysInItsTrace(t *testing.T) {
	parent, sent := begun(t, "", nil)
	_, child := begun(t, "run 1", parent)
	if child.SpanContext.TraceID() != sent.SpanContext.TraceID() || child.Parent.SpanID() != sent.SpanContext.SpanID() {
		t.Errorf("the child %v has the parent %v, not %v", child.SpanContext, child.Parent, sent.SpanContext)
	}
}

func TestSpansWithoutARunAreAllDifferent(t *testing.T) {
	_, first := begun(t, "", nil)
	_, second := begun(t, "", nil)
	if first.SpanContext.TraceID() == second.SpanContext.TraceID() || first.SpanContext.SpanID() == second.SpanContext.SpanID() {
		t.Errorf("two spans have the ids %v", first.SpanContext)
	}
}

func TestALineNamesItsSpan(t *testing.T) {
	span, sent := begun(t, "run 1", nil)
	var out bytes.Buffer
	tracer{}.GetLogger(NewLogger(slog.NewTextHandler(&out, nil)), span).Info("stage done")
	want := "trace_id=" + sent.SpanContext.TraceID().String() + " span_id=" + sent.SpanContext.SpanID().String()
	if !strings.Contains(out.String(), want) {
		t.Errorf("%q has no %s", out.String(), want)
	}
}
