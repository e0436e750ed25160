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
after kill -9.`,
		Example: `  go run -C cmd/dev . up
  go run -C cmd/dev . up --port 7244 --ui-port 8244 --dir /tmp/another`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runSite(c.Context(), o, c.ErrOrStderr(), func(ctx context.Context, s *site) error {
				s.describe(c.OutOrStdout())
				<-ctx.Done()
				return nil
			})
		},
	}
	o.addFlags(up, "up")
	return up
}

// describe prints where everything is.
func (s *site) describe(w io.Writer) {
	fmt.Fprintf(w, `Web UI           %s
Temporal server  %s
metrics          %s
scores, models   %s
logs             %s
                 %s
ready; Ctrl-C stops
`, s.server.UI(), s.server.Address(), s.metrics(), s.store, s.log, s.server.Log())
}
