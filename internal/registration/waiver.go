package registration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"headgate/internal/change"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// A Waiver lets a rule of the pipeline's gates go, for a while.
type Waiver struct {
	Pipeline   string
	Rule       string // id of the rule: "guardrail/auc"
	By, Reason string
	At, Until  time.Time // it holds from At on, and no longer at Until
}

// Do appends the waiver. If the files in force name people who approve, it is one of
// them. Doing it again is a success and appends nothing.
func (w Waiver) Do(ctx context.Context, b *store.Bucket) (registry.Entry, string, error) {
	log, err := registry.Load(ctx, b, w.Pipeline)
	if err != nil {
		return registry.Entry{}, "", err
	}
	switch s := log.State(); {
	case s.Pipeline == "":
		return registry.Entry{}, "", fmt.Errorf("pipeline %s is not registered", w.Pipeline)
	case strings.TrimSpace(w.Rule) == "" || strings.TrimSpace(w.Reason) == "":
		return registry.Entry{}, "", fmt.Errorf("a waiver needs the id of a rule and a reason")
	case !w.Until.After(w.At):
		return registry.Entry{}, "", fmt.Errorf("a waiver until %s would be over: it is %s", w.Until.UTC().Format(time.DateTime), w.At.UTC().Format(time.DateTime))
	}
	was, err := inForce(ctx, b, log.State())
	if err != nil {
		return registry.Entry{}, "", err
	}
	people, err := approvers(was.Pipeline)
	if err != nil {
		return registry.Entry{}, "", err
	}
	if len(people) > 0 {
		if err := among(people, w.By); err != nil {
			return registry.Entry{}, "", err
		}
	}
	until := w.Until.UTC()
	e, err := log.Append(ctx, registry.Entry{Kind: registry.KindWaiver, ID: fmt.Sprintf("waiver/%s/%s/%s", w.Rule, until.Format(time.RFC3339), w.By),
		At: w.At, By: w.By, Cause: "waive", Rule: w.Rule, Until: &until, Reason: w.Reason})
	return e, log.Anchor(), err
}

// Proposed returns the difference that a proposal makes, and its entry. It need not wait
// any more.
func Proposed(ctx context.Context, b *store.Bucket, log *registry.Log, seq int64) (registry.Entry, *change.Change, error) {
	entries := log.Entries()
	if seq < 1 || seq > int64(len(entries)) || entries[seq-1].Kind != registry.KindProposal {
		return registry.Entry{}, nil, fmt.Errorf("entry %d of %s is no proposal", seq, log.Pipeline())
	}
	e := entries[seq-1]
	data, err := b.GetBlob(ctx, e.Paper)
	if err != nil {
		return e, nil, fmt.Errorf("proposal %d: %w", seq, err)
	}
	c, err := change.Parse(data)
	return e, c, err
}
