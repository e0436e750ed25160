package main

import (
	"bytes"
	"strings"
	"testing"
)

// scoreNowhere runs starter score against a Temporal that is not there, and returns its exit
// code and what it says.
func scoreNowhere(t *testing.T) (int, string) {
	t.Helper()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"score", "retailer", "--batch", "2024-01"}, &env{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
	return code, stderr.String()
}

func TestTracesDoNotChangeWhatACommandSays(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	code, plain := scoreNowhere(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	tracedCode, traced := scoreNowhere(t)
	if code != 1 || tracedCode != code || traced != plain {
		t.Errorf("exit %d, %q; without traces %d, %q", tracedCode, traced, code, plain)
	}
}

func TestAProtocolOfTracesThatIsNoneIsWrongUsage(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	code, said := scoreNowhere(t)
	if code != 2 || !strings.Contains(said, `OTEL_EXPORTER_OTLP_PROTOCOL="http/json": want grpc or http/protobuf`) {
		t.Errorf("exit %d, %q", code, said)
	}
}
