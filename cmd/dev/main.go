// Command dev runs Headgate on one machine: a Temporal server with its Web UI and a
// worker, in one process and one directory.
//
// It is a module of its own, because it compiles a whole Temporal server, of which
// production code should see nothing. Run it from anywhere in the project:
//
//	go run -C cmd/dev . up
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"headgate/cmd/dev/devserver"
)

// A usageError is a wrong invocation: exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code: 0 done, 1 failed, 2 usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "dev: %v\n", withHint(err))
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "dev",
		Short: "Run Headgate on this machine, with a Temporal server and its Web UI",
		Long: `dev runs Headgate on this machine: a Temporal server with its Web UI and a
worker, in one process. It needs nothing but Go, listens on 127.0.0.1 only, and
keeps all it knows in one directory. It is for trying things out, not for production.

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("which command? see %s --help", c.CommandPath())}
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	root.AddCommand(newUpCommand(), newDemoCommand(), newRecordCommand())
	return root
}

// noArgs refuses arguments as wrong usage.
func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	}
	return nil
}

// withHint adds what to do about an error where the flags of this command are the
// answer.
func withHint(err error) error {
	var port *devserver.PortError
	switch {
	case errors.As(err, &port) && port.UI:
		return fmt.Errorf("%w; choose one with --ui-port", port)
	case errors.As(err, &port):
		return fmt.Errorf("%w; choose one with --port", port)
	case errors.Is(err, devserver.ErrInUse):
		return fmt.Errorf("%w; choose one with --dir", err)
	}
	return err
}
