package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"

	"headgate/workflows"
)

func newViewsCommand(e *env) *cobra.Command {
	var ui, name string
	c := &cobra.Command{
		Use:   "views [PIPELINE]",
		Short: "Print the list views of the Temporal Web UI that make it the console",
		Long: `views prints questions that the list of workflows in the Temporal Web UI answers, each
with its filter and, if the address of the UI is known, as a link. The UI keeps saved
views in the browser: open a link, choose the columns, and save it there.

It talks to nobody. The address comes from --ui or TEMPORAL_UI, the namespace from the
same settings as the connection.`,
		Example: `  starter views
  starter views retailer --ui http://localhost:8233
  starter views retailer --who ann`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			options, err := envconfig.LoadDefaultClientOptions()
			if err != nil {
				return usageError{fmt.Errorf("temporal settings: %w", err)}
			}
			if options.Namespace == "" {
				options.Namespace = client.DefaultNamespace
			}
			if ui == "" {
				ui = e.getenv("TEMPORAL_UI")
			}
			pipeline := strings.Join(args, "")
			if strings.ContainsAny(pipeline+name, "\"'\\") {
				return usageError{fmt.Errorf("no pipeline and no person is called %q", pipeline+name)}
			}
			views := workflows.Views(pipeline)
			if name != "" {
				views = []workflows.View{workflows.WaitsOn(name, pipeline)}
			}
			printViews(e, views, ui, options.Namespace)
			return nil
		},
	}
	c.Flags().StringVar(&ui, "ui", "", "`URL` of the Temporal Web UI (default $TEMPORAL_UI)")
	c.Flags().StringVar(&name, "who", "", "only what waits for the person of this `name`")
	return c
}

// printViews prints each view: its question, its filter, its columns and its link.
func printViews(e *env, views []workflows.View, ui, namespace string) {
	for i, v := range views {
		if i > 0 {
			fmt.Fprintln(e.stdout)
		}
		fmt.Fprintf(e.stdout, "%s\n  filter   %s\n  columns  %s\n", v.Asks, v.Query, strings.Join(v.Columns, ", "))
		if ui != "" {
			fmt.Fprintf(e.stdout, "  link     %s\n", v.URL(ui, namespace))
		}
	}
}
