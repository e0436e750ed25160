package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/internal/telemetry"
)

// formats are the model formats that the starter reads.
var formats = model.Formats{"lightgbm": lightgbm.Format}

// storeFlag adds --store to a command.
func storeFlag(c *cobra.Command, url *string) {
	c.Flags().StringVar(url, "store", "", "`store`: a directory or a URL file:// s3:// gs:// azblob:// (default $HEADGATE_STORE)")
}

// openStore opens the store that a command works on: --store, or what the
// environment says.
func openStore(ctx context.Context, e *env, url string) (*store.Bucket, error) {
	if url == "" {
		url = e.getenv("HEADGATE_STORE")
	}
	if url == "" {
		return nil, usageError{fmt.Errorf("which store? set HEADGATE_STORE or give --store DIRECTORY or URL")}
	}
	return store.Open(ctx, url)
}

// openRegistry opens the store and the registry of a pipeline that must be registered. The
// caller closes the store.
func openRegistry(ctx context.Context, e *env, url, pipeline string) (*store.Bucket, *registry.Log, error) {
	b, err := openStore(ctx, e, url)
	if err != nil {
		return nil, nil, err
	}
	log, err := loadRegistry(ctx, b, pipeline)
	if err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	return b, log, nil
}

// loadRegistry reads the registry of a pipeline that must be registered.
func loadRegistry(ctx context.Context, b *store.Bucket, pipeline string) (*registry.Log, error) {
	log, err := registry.Load(ctx, b, pipeline)
	if err != nil {
		return nil, plain(err)
	}
	if log.Head() == 0 {
		return nil, notRegistered(pipeline, b)
	}
	return log, nil
}

// dial connects to Temporal by the SDK's environment variables and profiles.
func dial(ctx context.Context) (client.Client, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, usageError{fmt.Errorf("temporal settings: %w", err)}
	}
	options.Logger = sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if telemetry.Configured() {
		return dialTraced(ctx, options)
	}
	return connect(ctx, options)
}

// connect dials, and says what to do if nobody answers.
func connect(ctx context.Context, options client.Options) (client.Client, error) {
	c, err := client.DialContext(ctx, options)
	if err != nil {
		address := options.HostPort
		if address == "" {
			address = client.DefaultHostPort
		}
		return nil, unreachable(address, err)
	}
	return c, nil
}

// who is the person named in registry entries unless --by says otherwise.
func who(e *env) string {
	if user := e.getenv("USER"); user != "" {
		return user
	}
	return "starter"
}
