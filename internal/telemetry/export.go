package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

// endpoint is where the environment says that traces go; "" if it does not.
func endpoint() string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
}

// newExporter returns what sends traces away, nil if nothing does. Address, headers,
// certificates and time-outs are read from the environment by the exporters themselves.
func newExporter(ctx context.Context) (trace.SpanExporter, error) {
	if !Configured() {
		return nil, nil
	}
	if name := cmp.Or(os.Getenv("OTEL_TRACES_EXPORTER"), "otlp"); name != "otlp" {
		return nil, fmt.Errorf("OTEL_TRACES_EXPORTER=%q: want otlp or none", name)
	}
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	var e trace.SpanExporter
	var err error
	switch protocol {
	case "grpc":
		e, err = otlptracegrpc.New(ctx)
	case "http/protobuf":
		e, err = otlptracehttp.New(ctx)
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%q: want grpc or http/protobuf", protocol)
	}
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT=%q: %w", endpoint(), err)
	}
	return e, nil
}

// serviceName is the attribute by which trace stores list what they have.
func serviceName(name string) attribute.KeyValue { return attribute.String("service.name", name) }
