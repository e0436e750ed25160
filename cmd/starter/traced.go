package main

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/internal/telemetry"
)

// flushTimeout is how long the last traces may keep a command.
const flushTimeout = 2 * time.Second

// A tracedClient sends its traces off when it is closed.
type tracedClient struct {
	client.Client
	told *telemetry.Telemetry
}

// dialTraced connects with traces, so that what a command starts is one tree that begins
// with the command. That traces do not get through concerns no command.
func dialTraced(ctx context.Context, options client.Options) (client.Client, error) {
	told, err := telemetry.Start(ctx, "headgate-starter", func(error) {})
	if err != nil {
		return nil, usageError{err}
	}
	told.Apply(&options)
	c, err := connect(ctx, options)
	if err != nil {
		return nil, err
	}
	return tracedClient{c, told}, nil
}

// Close ends the connection, and sends off what it has traced.
func (c tracedClient) Close() {
	c.Client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = c.told.Stop(ctx)
}
