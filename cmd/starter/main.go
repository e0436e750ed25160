// Command starter is how people and scripts talk to Headgate: it checks files,
// registers models, starts monthly runs, and reads what they left behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// env is what a command may touch of the process, so that tests can replace it.
type env struct {
	stdout, stderr io.Writer
	getenv         func(string) string
}

// A usageError is a wrong invocation: exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// A blockedError is an answer, not a failure: what was asked for was stopped by
// its contract or its gate. Exit code 3.
type blockedError struct{ err error }

func (e blockedError) Error() string { return e.err.Error() }
func (e blockedError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	os.Exit(run(ctx, os.Args[1:], &env{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}))
}

// run executes one command line and returns the exit code: 0 done, 1 failed,
// 2 usage, 3 blocked.
func run(ctx context.Context, args []string, e *env) int {
	root := newRootCommand(e)
	root.SetArgs(args)
	err := withNamespace(root.ExecuteContext(ctx))
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(e.stderr, "starter: %v\n", err)
	var usage usageError
	var blocked blockedError
	switch {
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &blocked):
		return 3
	}
	return 1
}

func newRootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "starter",
		Short: "Score a company's data every month, and know which model scored whom",
		Long: `starter is the command line of Headgate. It writes and checks contracts and
pipeline files, tries models on local files, registers them, starts monthly
runs on Temporal, and reads back what was published and why.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 blocked by the contract.`,
		Example: `  starter init mine --data 2024-01.parquet --model model.txt
  starter register mine/pipeline.yaml --model model.txt --sample 2024-01.parquet --champion
  starter score mine --batch 2024-01 --wait
  starter status mine`,
		Args:                       knownCommand,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newInitCommand(e), newContractCommand(e), newValidateCommand(e), newPredictCommand(e), newTrainCommand(e), newShowCommand(e),
		newEvaluateCommand(e), newCompareCommand(e), newDriftCommand(e),
		newRegisterCommand(e), newScoreCommand(e), newRestoreCommand(e), newRetrainCommand(e), newBackfillCommand(e), newScheduleCommand(e), newPlanCommand(e),
		newReleaseCommand(e), newHoldCommand(e), newResumeCommand(e), newRollbackCommand(e), newJudgeCommand(e), newGateCommand(e),
		newApproveCommand(e), newRejectCommand(e), newWaiveCommand(e), newDiffCommand(e), newQuarantineCommand(e),
		newRetryCommand(e), newSkipCommand(e), newViewsCommand(e), newReportCommand(e), newSiteCommand(e),
		newStatusCommand(e), newAlertCommand(e), newLogCommand(e), newVerifyCommand(e), newWhyCommand(e), newWorkersCommand(e),
	)
	group(root)
	checkBuiltIn(root)
	return root
}

// knownCommand refuses arguments of the root: none of them is a command.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see " + c.CommandPath() + " --help"
	if similar := c.SuggestionsFor(args[0]); len(similar) > 0 {
		hint = fmt.Sprintf("did you mean %s?", strings.Join(similar, " or "))
	}
	return usageError{fmt.Errorf("unknown command %q; %s", args[0], hint)}
}

// checkBuiltIn makes help and completion, which are cobra's, refuse what they do not
// know, as all other commands do.
func checkBuiltIn(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				if found, _, err := root.Find(args); err != nil || found == root {
					return knownCommand(root, args)
				}
				return nil
			}
		case "completion":
			c.Args = knownCommand
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
}
