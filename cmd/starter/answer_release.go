package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"headgate/activities"
	"headgate/internal/release"
	"headgate/workflows"
)

// sendRelease prints what a release asks, answers, and prints what came of it.
func (r *reply) sendRelease(ctx context.Context, e *env, c client.Client) error {
	card, err := releaseCard(ctx, c, r.pipeline)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("no release of %s is under way, so nothing is asked; see starter release status %s", r.pipeline, r.pipeline)
	}
	if err != nil {
		return err
	}
	q := card.Next
	if q.Kind != release.DoAsk && r.Approve {
		return fmt.Errorf("the release of %s asks nothing: it waits for %s; see starter release status %s", r.pipeline, q.WaitsFor, r.pipeline)
	}
	printNext(e.stdout, r.pipeline, q)
	a := workflows.ReleaseAnswer{By: r.By, Role: r.role, Reason: r.Reason, Decision: r.Decision, Release: q.Release, Step: q.Step,
		Model: q.Model, Nonce: q.Nonce, Expires: q.Until}
	if a.Release == "" {
		a.Release, a.Step = card.Release, card.Step
	}
	if a.Decision == "" || strings.HasPrefix(q.Decision, "sha256:"+strings.TrimPrefix(a.Decision, "sha256:")) {
		a.Decision = q.Decision
	}
	update, answer := workflows.UpdateApprove, release.Approve
	if !r.Approve {
		update, answer = workflows.UpdateReject, release.Reject
	}
	if r.key != "" {
		if a.Signature, err = sign(ctx, r.key, a.Approval(r.pipeline, answer).Payload()); err != nil {
			return err
		}
	}
	var out activities.CheckApprovalOutput
	if err := told(workflows.TellRelease(ctx, c, r.queue, r.pipeline, update, a, &out), r.pipeline); err != nil {
		return err
	}
	said := "approved"
	if !r.Approve {
		said = "rejected"
	}
	fmt.Fprintf(e.stdout, "%s by %s: step %s of release %s, registry entry %d; see starter release status %s\n", said, r.By, out.Step, out.Release, out.Seq, r.pipeline)
	return nil
}

// releaseCard asks the releases of a pipeline how far they are.
func releaseCard(ctx context.Context, c client.Client, pipeline string) (workflows.ReleaseCard, error) {
	var card workflows.ReleaseCard
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	value, err := c.QueryWorkflow(ctx, workflows.ReleaseID(pipeline), "", "scorecard")
	if err != nil {
		return card, errors.Join(err, ctx.Err())
	}
	return card, value.Get(&card)
}

// sign signs an answer with an ssh key, or by the agent that holds it.
func sign(ctx context.Context, key string, payload []byte) (string, error) {
	c := exec.CommandContext(ctx, "ssh-keygen", "-Y", "sign", "-q", "-n", release.Namespace, "-f", key)
	var signature, problem bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(payload), &signature, &problem
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("sign with %s: %w: %s", key, err, strings.TrimSpace(problem.String()))
	}
	return signature.String(), nil
}
