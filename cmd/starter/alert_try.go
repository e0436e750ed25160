package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headgate/internal/alert"
	"headgate/internal/deliver"
	"headgate/internal/pipeline"
	"headgate/internal/strictyaml"
)

// testWindow is how long a receiver that forgets remembers a sample.
const testWindow = 5 * time.Minute

func newAlertTestCommand(e *env) *cobra.Command {
	var name, kind string
	var dry bool
	c := &cobra.Command{
		Use:   "test PIPELINE.yaml --receiver NAME [--dry-run]",
		Short: "Send a sample to a receiver, or print what it would get",
		Long: `test sends a sample alert to one receiver of a pipeline file, from this machine: it reads
the variables and files that the receiver refers to here. Workers read theirs. The title
begins with TEST.

--dry-run sends nothing and reads no secret: it prints what the receiver would get.`,
		Example: `  starter alert test pipeline.yaml --receiver team --dry-run
  starter alert test pipeline.yaml --receiver duty --kind releaseAsks`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			receiver, notice, err := trial(args[0], name, kind, time.Now().UTC())
			if err != nil {
				return err
			}
			if dry {
				text, err := deliver.Preview(receiver, notice)
				fmt.Fprint(e.stdout, text)
				return err
			}
			var sender deliver.Sender
			if err := sender.Send(c.Context(), receiver, notice); err != nil {
				return fmt.Errorf("receiver %s: %w", name, err)
			}
			fmt.Fprintf(e.stdout, "receiver %s took it, id %s\n", name, notice.ID)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&name, "receiver", "", "`name` of a receiver of the file")
	f.StringVar(&kind, "kind", string(alert.BatchBlocked), "`kind` of the sample: "+strings.Join(alert.Kinds(), ", "))
	f.BoolVar(&dry, "dry-run", false, "send nothing, and print what it would be")
	return c
}

// trial returns a receiver of a pipeline file, and a sample for it.
func trial(file, name, kind string, now time.Time) (alert.Receiver, alert.Notice, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return alert.Receiver{}, alert.Notice{}, err
	}
	config, err := pipeline.Parse(file, data)
	if err != nil {
		return alert.Receiver{}, alert.Notice{}, err
	}
	if config.Alerts == nil {
		return alert.Receiver{}, alert.Notice{}, fmt.Errorf("%s has no alerts, so nobody is told; see docs/alerts.md", file)
	}
	names := slices.Sorted(maps.Keys(config.Alerts.Receivers))
	receiver, ok := config.Alerts.Receivers[name]
	switch {
	case name == "":
		return receiver, alert.Notice{}, usageError{fmt.Errorf("which receiver? give --receiver, one of %s", strings.Join(names, ", "))}
	case !ok:
		return receiver, alert.Notice{}, usageError{fmt.Errorf("%s has no receiver %s%s; it has %s", file, name, strictyaml.Hint(name, names), strings.Join(names, ", "))}
	}
	a, ok := alert.Sample(alert.Kind(kind), config.Name, now)
	if !ok {
		return receiver, alert.Notice{}, usageError{errors.New("no alert is of the kind " + kind + strictyaml.Hint(kind, alert.Kinds()))}
	}
	a.Title, a.Subject = "TEST "+a.Title, "test"
	return receiver, alert.Notice{ID: alert.ID(fmt.Sprintf("test-%d", now.UnixMilli()), 1), Event: alert.Firing, Alert: a, Since: now, Count: 1,
		At: now, Sent: now, Until: now.Add(testWindow)}, nil
}
