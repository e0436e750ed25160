package telemetry

import (
	"context"
	"log/slog"

	"go.temporal.io/sdk/log"

	"headgate/internal/metric"
)

// fields are the names that the SDK gives its fields, and ours: those of the labels of
// metrics where there is one.
var fields = map[string]string{
	"Namespace": "namespace", "TaskQueue": "task_queue", "WorkerID": "worker_id",
	"WorkflowType": "workflow_type", "WorkflowID": "workflow_id", "RunID": "run_id",
	"ActivityType": "stage", "ActivityID": "activity_id", "Attempt": "attempt",
	"SignalName": "signal", "UpdateID": "update_id", "UpdateName": "update", "QueryType": "query", "Error": "error",
}

// NewLogger returns a logger for the Temporal SDK that writes to h. Its lines have the
// names of [fields], and beside workflow_id also pipeline and batch, which the id names:
// so a line joins the metrics of its pipeline, the trace and the page in the Web UI.
func NewLogger(h slog.Handler) log.Logger { return log.NewStructuredLogger(slog.New(handler{h})) }

// A handler renames fields.
type handler struct{ next slog.Handler }

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	renamed := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		renamed.AddAttrs(rename(a)...)
		return true
	})
	return h.next.Handle(ctx, renamed)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var renamed []slog.Attr
	for _, a := range attrs {
		renamed = append(renamed, rename(a)...)
	}
	return handler{h.next.WithAttrs(renamed)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.next.WithGroup(name)} }

// rename gives a field our name, and reads pipeline and batch from a workflow's id.
func rename(a slog.Attr) []slog.Attr {
	name, ok := fields[a.Key]
	if !ok {
		return []slog.Attr{a}
	}
	all := []slog.Attr{{Key: name, Value: a.Value}}
	if name != "workflow_id" {
		return all
	}
	pipeline, batch := metric.Subject(a.Value.String())
	if pipeline != "" {
		all = append(all, slog.String("pipeline", pipeline))
	}
	if batch != "" {
		all = append(all, slog.String("batch", batch))
	}
	return all
}
