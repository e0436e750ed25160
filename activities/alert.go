package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"headgate/internal/alert"
	"headgate/internal/deliver"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// Kinds of failure of an alert that no retry can cure.
const (
	KindSecret   = "Secret"   // a reference to a secret or an address points to nothing of use on this worker
	KindReceiver = "Receiver" // the receiver refuses the notice for good
)

// RouteAlertInput names the alert whose receivers are looked for.
type RouteAlertInput struct {
	Pipeline string         `json:"pipeline"`
	Kind     alert.Kind     `json:"kind"`
	Severity alert.Severity `json:"severity"`
}

// RouteAlertOutput says who is told. Nobody is if the plan has no levels.
type RouteAlertOutput struct {
	Plan    alert.Plan   `json:"plan"`
	File    store.Digest `json:"file"`              // the pipeline file that says so
	Console string       `json:"console,omitempty"` // address of the Web UI

	Receivers []string `json:"receivers,omitempty"` // that the file describes, in alphabetical order
}

// RouteAlert finds out who is told of an alert, by the pipeline file in force.
func (a *Activities) RouteAlert(ctx context.Context, in RouteAlertInput) (RouteAlertOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (RouteAlertOutput, error) {
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return RouteAlertOutput{}, err
		}
		out := RouteAlertOutput{File: log.State().Pipeline, Plan: alert.Plan{Follows: true}}
		if out.File == "" {
			return out, nil
		}
		settings, err := a.alerts(ctx, out.File)
		if err != nil || settings == nil {
			return out, err
		}
		out.Console = settings.Console
		out.Receivers = settings.Names()
		out.Plan.Quiet, out.Plan.Repeat = time.Duration(settings.Quiet), time.Duration(settings.Repeat)
		for _, name := range out.Receivers {
			if settings.Receivers[name].Forgets() {
				out.Plan.Forgets = append(out.Plan.Forgets, name)
			}
		}
		route := settings.Route(in.Kind, in.Severity)
		if len(route.To) == 0 {
			return out, nil
		}
		out.Plan.Levels = []alert.Level{{To: route.To}}
		for _, e := range route.Acknowledge {
			out.Plan.Levels = append(out.Plan.Levels, alert.Level{After: time.Duration(e.Within), To: e.Else})
		}
		return out, nil
	})
}

// alerts returns who is told of what by a stored pipeline file; nil if nobody is.
func (a *Activities) alerts(ctx context.Context, file store.Digest) (*pipeline.Alerts, error) {
	data, err := a.store.GetBlob(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("pipeline file: %w", err)
	}
	c, err := pipeline.ParseKept("pipeline file "+string(file), data)
	if err != nil {
		return nil, &kindError{KindConfig, err}
	}
	return c.Alerts, nil
}

// SendAlertInput is a notice, and who is told.
type SendAlertInput struct {
	File     store.Digest `json:"file"` // the pipeline file that describes the receiver
	Receiver string       `json:"receiver"`
	Notice   alert.Notice `json:"notice"`
}

// SendAlertOutput says whether the notice has arrived.
type SendAlertOutput struct {
	Later time.Duration `json:"later,omitempty"` // it has not: the receiver wants to be left alone for so long
}

// soon is how long a wish to be left alone may be for the same notice to be sent
// again: after five minutes receivers take a signature for a replay.
const soon = time.Minute

// SendAlert tells one receiver. Addresses and secrets are read here and go nowhere else.
// Sending a notice again sends the same bytes under the same id.
//
// A worker that shuts down completes what it is sending, as long as it may: cut off, the
// notice may have arrived and would come twice. It begins no other.
func (a *Activities) SendAlert(whole context.Context, in SendAlertInput) (SendAlertOutput, error) {
	return stage(whole, func(ctx context.Context, _ func(Progress)) (SendAlertOutput, error) {
		settings, err := a.alerts(ctx, in.File)
		if err != nil {
			return SendAlertOutput{}, err
		}
		if settings == nil || settings.Receivers[in.Receiver].Refs() == nil {
			return SendAlertOutput{}, fail(KindConfig, "pipeline file %s has no receiver %s", in.File, in.Receiver)
		}
		if ctx.Err() != nil {
			return SendAlertOutput{}, ctx.Err()
		}
		err = a.sender.Send(whole, settings.Receivers[in.Receiver], in.Notice)
		var failed *deliver.Error
		if err == nil || !errors.As(err, &failed) {
			return SendAlertOutput{}, err
		}
		switch said := fmt.Errorf("receiver %s: %w", in.Receiver, failed); {
		case failed.Kind == deliver.Unreadable:
			return SendAlertOutput{}, &kindError{KindSecret, said}
		case failed.Kind == deliver.Refused:
			return SendAlertOutput{}, &kindError{KindReceiver, said}
		case failed.After > soon:
			return SendAlertOutput{Later: failed.After}, nil
		default:
			return SendAlertOutput{}, temporal.NewApplicationErrorWithOptions(said.Error(), string(failed.Kind),
				temporal.ApplicationErrorOptions{NextRetryDelay: failed.After})
		}
	})
}
