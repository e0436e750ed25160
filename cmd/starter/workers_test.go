package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

func TestBuildsSayWhatTheyAreGoodFor(t *testing.T) {
	version := func(build string) worker.WorkerDeploymentVersion {
		return worker.WorkerDeploymentVersion{DeploymentName: "headgate", BuildID: build}
	}
	current, ramping := version("v4"), version("v5")
	var out bytes.Buffer
	printBuilds(&env{stdout: &out}, client.WorkerDeploymentInfo{
		Name: "headgate",
		VersionSummaries: []client.WorkerDeploymentVersionSummary{
			{Version: version("v1"), CreateTime: time.Unix(0, 0), DrainageStatus: client.WorkerDeploymentVersionDrainageStatusDrained},
			{Version: version("v3"), CreateTime: time.Unix(2e5, 0), DrainageStatus: client.WorkerDeploymentVersionDrainageStatusDraining},
			{Version: current, CreateTime: time.Unix(3e5, 0)},
			{Version: ramping, CreateTime: time.Unix(4e5, 0)},
			{Version: version("v6"), CreateTime: time.Unix(5e5, 0)},
		},
		RoutingConfig: client.WorkerDeploymentRoutingConfig{CurrentVersion: &current, RampingVersion: &ramping, RampingVersionPercentage: 5},
	})
	want := `deployment  headgate; new runs go to build v4
build       v6                   since 1970-01-06  not in use yet
build       v5                   since 1970-01-05  ramping, 5% of new runs
build       v4                   since 1970-01-04  current
build       v3                   since 1970-01-03  draining: runs still end on it, leave its workers running
build       v1                   since 1970-01-01  drained: its workers may be stopped
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

func TestADeploymentWithoutWorkersIsNamed(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{serviceerror.NewNotFound("no such build"), "start one with HEADGATE_DEPLOYMENT=headgate"},
		{errors.New("unavailable"), "worker deployment headgate: unavailable"},
	} {
		if got := deploymentError(test.err, "headgate").Error(); !strings.Contains(got, test.want) {
			t.Errorf("got %q, want %q in it", got, test.want)
		}
	}
}
