//go:build e2e && unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"headgate/activities"
	"headgate/internal/quarantine"
	"headgate/internal/registration"
	"headgate/internal/store"
	"headgate/workflows"
)

// Commands are an actor that does everything with cmd/starter.
type commands struct {
	*story
	program string
	env     []string
}

var _ actor = (*commands)(nil)

const blocked = 3 // exit code

// run runs starter and returns what it prints. A block is no error.
func (c *commands) run(ctx context.Context, args ...string) (stdout string, err error) {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = c.env
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == blocked {
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("starter %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), log.String())
	}
	return out.String(), nil
}

var digestOfModel = regexp.MustCompile(`(?m)^model +(sha256:[0-9a-f]{64}) `)

func (c *commands) register(ctx context.Context, r registration.Request) (store.Digest, error) {
	args := []string{"register", r.Pipeline, "--model", r.Model, "--by", r.By, "--reason", r.Reason}
	for flag, value := range map[string]string{"--golden": r.Golden, "--expected": r.Expected, "--source": r.Source, "--sample": r.Sample, "--training": r.Training} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	for _, b := range r.Reference {
		args = append(args, "--reference", b.Name+"="+b.File)
	}
	if r.Champion {
		args = append(args, "--champion")
	}
	said, err := c.run(ctx, args...)
	if err != nil {
		return "", err
	}
	found := digestOfModel.FindStringSubmatch(said)
	if found == nil {
		return "", fmt.Errorf("starter register names no model:\n%s", said)
	}
	return store.Digest(found[1]), nil
}

func (c *commands) score(ctx context.Context, batch string) (out workflows.ScoreBatchOutput, err error) {
	said, err := c.run(ctx, "score", "retailer", "--batch", batch, "--wait", "--json")
	if err != nil {
		return out, err
	}
	// Behind the result stands what was published and where.
	err = json.NewDecoder(strings.NewReader(said)).Decode(&out)
	return out, err
}

var rowsHandedIn = regexp.MustCompile(`: (\d+) corrected rows? handed in`)

func (c *commands) replay(ctx context.Context, r quarantine.Request) (int64, error) {
	said, err := c.run(ctx, "quarantine", "replay", "retailer", "--batch", r.Batch, "--data", r.File, "--reason", r.Reason)
	if err != nil {
		return 0, err
	}
	found := rowsHandedIn.FindStringSubmatch(said)
	if found == nil {
		return 0, fmt.Errorf("starter quarantine replay does not say how many rows were handed in:\n%s", said)
	}
	return strconv.ParseInt(found[1], 10, 64)
}

func (c *commands) judge(ctx context.Context, batch string) (out workflows.EvaluateBatchOutput, err error) {
	if _, err := c.run(ctx, "judge", "retailer", "--batch", batch, "--wait"); err != nil {
		return out, err
	}
	err = c.client.GetWorkflow(ctx, workflows.EvaluateID("retailer", batch), "").Get(ctx, &out)
	return out, err
}

func (c *commands) start(ctx context.Context, in workflows.ReleaseStart) error {
	_, err := c.run(ctx, "release", "start", "retailer", "--model", in.Model, "--batch", in.Batch, "--reason", in.Reason)
	return err
}

func (c *commands) approve(ctx context.Context, in workflows.ReleaseAnswer) error {
	_, err := c.run(ctx, "approve", "retailer", "--release", "--decision", in.Decision, "--reason", in.Reason)
	return err
}

func (c *commands) restore(ctx context.Context, in workflows.RestoreBatchInput) (out activities.PublishOutput, err error) {
	if _, err := c.run(ctx, "restore", "retailer", "--batch", in.Batch, "--publication", fmt.Sprint(in.Publication), "--reason", in.Reason); err != nil {
		return out, err
	}
	err = c.client.GetWorkflow(ctx, workflows.RestoreID("retailer", in.Batch), "").Get(ctx, &out)
	return out, err
}
