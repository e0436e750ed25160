package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newUpCommand() *cobra.Command {
	var o siteOptions
	up := &cobra.Command{
		Use:   "up",
		Short: "Run the server, the Web UI and a worker until interrupted",
		Long: `up runs a Temporal server, its Web UI and a worker until it is interrupted. What it
has begun it goes on with when it is started again on the same directory, also
after kill -9.

With --server-only there is no worker in it: run go run ./cmd/worker beside it, with a
store of your choice. With --postgres the server keeps what it knows in PostgreSQL, as
servers in production do; it makes two databases and their tables if they are missing.`,
		Example: `  go run -C cmd/dev . up
  go run -C cmd/dev . up --port 7244 --ui-port 8244 --dir /tmp/another
  go run -C cmd/dev . up --server-only --postgres postgres://me:secret@127.0.0.1/temporal`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runSite(c.Context(), o, c.ErrOrStderr(), func(ctx context.Context, s *site) error {
				s.describe(c.OutOrStdout(), o.serverOnly)
				<-ctx.Done()
				return nil
			})
		},
	}
	o.addFlags(up, "up")
	up.Flags().StringVar(&o.postgres, "postgres", "", "`URL` of a PostgreSQL database for the Temporal server, instead of a SQLite file")
	up.Flags().BoolVar(&o.serverOnly, "server-only", false, "no worker: you run cmd/worker yourself")
	return up
}

// describe prints where everything is.
func (s *site) describe(w io.Writer, serverOnly bool) {
	if serverOnly {
		fmt.Fprintf(w, `Web UI           %s
Temporal server  %s
logs             %s
ready, without a worker; Ctrl-C stops
`, s.server.UI(), s.server.Address(), s.server.Log())
		return
	}
	fmt.Fprintf(w, `Web UI           %s
Temporal server  %s
metrics          %s
scores, models   %s
logs             %s
                 %s
ready; Ctrl-C stops
`, s.server.UI(), s.server.Address(), s.metrics(), s.store, s.log, s.server.Log())
}
