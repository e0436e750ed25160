package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

func newWorkersCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "workers",
		Short: "See which builds of the worker run, and choose the one that new runs go to",
		Long: `workers looks at the versions of a worker deployment on Temporal: workers that were
started with HEADGATE_DEPLOYMENT. A month that is being scored ends on the build that it
began on; releases and evaluations, which wait for months, go on with the one in force.`,
		Example: `  starter workers show
  starter workers use 3f1c8a90b2de`,
		Args:                       knownCommand,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newWorkersShowCommand(e), newWorkersUseCommand(e))
	return c
}

func newWorkersShowCommand(e *env) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "show",
		Short: "List the builds of a worker deployment",
		Long: `show lists the builds that a worker deployment has had lately: which one new runs go to,
on which ones runs still have to end, and whose workers may be stopped.`,
		Example: `  starter workers show
  starter workers show --deployment headgate-emea`,
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return withDeployment(c.Context(), name, func(d client.WorkerDeploymentHandle) error {
				said, err := d.Describe(c.Context(), client.WorkerDeploymentDescribeOptions{})
				if err != nil {
					return deploymentError(err, name)
				}
				printBuilds(e, said.Info)
				return nil
			})
		},
	}
	deploymentFlag(c, e, &name)
	return c
}

func newWorkersUseCommand(e *env) *cobra.Command {
	var name string
	var patience time.Duration
	c := &cobra.Command{
		Use:   "use BUILD_ID",
		Short: "Let new runs go to a build of the worker",
		Long: `use makes a build current: new runs begin on it, and releases and evaluations that wait
go on with it. Months that are being scored end on the build they began on, so leave its
workers running until starter workers show says drained. A build becomes known when its
first worker polls; use waits for that.

The first version of a deployment has to be made current as well. Until then all work
stays with the workers that have no deployment.`,
		Example: `  starter workers use 3f1c8a90b2de
  starter workers use v1.4.0 --deployment headgate-emea --wait 5m`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return withDeployment(c.Context(), name, func(d client.WorkerDeploymentHandle) error {
				before, err := makeCurrent(c.Context(), d, args[0], patience)
				if err != nil {
					return deploymentError(err, name)
				}
				if before != nil && before.BuildID == args[0] {
					fmt.Fprintf(e.stdout, "new runs go to build %s of %s, as before\n", args[0], name)
					return nil
				}
				fmt.Fprintf(e.stdout, "new runs go to build %s of %s, no longer to %s\n", args[0], name, buildName(before))
				return nil
			})
		},
	}
	deploymentFlag(c, e, &name)
	c.Flags().DurationVar(&patience, "wait", time.Minute, "`time` to wait for the first worker of the build")
	return c
}

// deploymentFlag adds --deployment to a command.
func deploymentFlag(c *cobra.Command, e *env, name *string) {
	c.Flags().StringVar(name, "deployment", cmp.Or(e.getenv("HEADGATE_DEPLOYMENT"), "headgate"), "worker `deployment`; $HEADGATE_DEPLOYMENT, if it is set")
}

// withDeployment connects to Temporal and calls do.
func withDeployment(ctx context.Context, name string, do func(client.WorkerDeploymentHandle) error) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c.WorkerDeploymentClient().GetHandle(name))
}

// makeCurrent makes a build current, as soon as one of its workers has polled, and
// returns the one that was.
func makeCurrent(ctx context.Context, d client.WorkerDeploymentHandle, build string, patience time.Duration) (*worker.WorkerDeploymentVersion, error) {
	for deadline := time.Now().Add(patience); ; {
		before, err := d.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
		if err == nil {
			_, err = d.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build, ConflictToken: before.ConflictToken})
		}
		if err == nil {
			return before.Info.RoutingConfig.CurrentVersion, nil
		}
		var unknown *serviceerror.NotFound
		var early *serviceerror.FailedPrecondition // it has not polled, or somebody else has changed something
		if !errors.As(err, &unknown) && !errors.As(err, &early) || time.Now().After(deadline) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// deploymentError says what to do about a deployment or a build that is not there.
func deploymentError(err error, name string) error {
	var unknown *serviceerror.NotFound
	if errors.As(err, &unknown) {
		return fmt.Errorf("no worker of such a build has polled as a member of deployment %s (%w); start one with HEADGATE_DEPLOYMENT=%s", name, err, name)
	}
	return fmt.Errorf("worker deployment %s: %w", name, err)
}

// printBuilds prints the builds of a deployment, the newest first.
func printBuilds(e *env, d client.WorkerDeploymentInfo) {
	fmt.Fprintf(e.stdout, "deployment  %s; new runs go to %s\n", d.Name, buildName(d.RoutingConfig.CurrentVersion))
	slices.SortFunc(d.VersionSummaries, func(a, b client.WorkerDeploymentVersionSummary) int {
		return cmp.Or(b.CreateTime.Compare(a.CreateTime), cmp.Compare(a.Version.BuildID, b.Version.BuildID))
	})
	for _, v := range d.VersionSummaries {
		fmt.Fprintf(e.stdout, "build       %-20s since %s  %s\n", v.Version.BuildID, v.CreateTime.UTC().Format(time.DateOnly), standing(d.RoutingConfig, v))
	}
}

// standing says what a build is good for.
func standing(r client.WorkerDeploymentRoutingConfig, v client.WorkerDeploymentVersionSummary) string {
	switch {
	case r.CurrentVersion != nil && *r.CurrentVersion == v.Version:
		return "current"
	case r.RampingVersion != nil && *r.RampingVersion == v.Version:
		return fmt.Sprintf("ramping, %g%% of new runs", r.RampingVersionPercentage)
	case v.DrainageStatus == client.WorkerDeploymentVersionDrainageStatusDraining:
		return "draining: runs still end on it, leave its workers running"
	case v.DrainageStatus == client.WorkerDeploymentVersionDrainageStatusDrained:
		return "drained: its workers may be stopped"
	}
	return "not in use yet"
}

func buildName(v *worker.WorkerDeploymentVersion) string {
	if v == nil {
		return "workers without a deployment"
	}
	return "build " + v.BuildID
}
