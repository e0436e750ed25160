package workflows_test

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"headgate/workflows"
)

// Histories of every released version must replay: cmd/dev record makes them.
func TestReplay(t *testing.T) {
	var histories []string
	err := filepath.WalkDir("testdata/histories", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".json") {
			histories = append(histories, path)
		}
		return err
	})
	if err != nil || len(histories) == 0 {
		t.Fatalf("no histories (%v)", err)
	}
	replayer := worker.NewWorkflowReplayer()
	workflows.Register(replayer)
	quiet := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	for _, h := range histories {
		t.Run(strings.TrimPrefix(h, "testdata/histories/"), func(t *testing.T) {
			f, err := os.Open(h)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			history, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
			if err != nil {
				t.Fatal(err)
			}
			// Ids of child workflows are made of the workflow's own.
			started := history.Events[0].GetWorkflowExecutionStartedEventAttributes()
			err = replayer.ReplayWorkflowHistoryWithOptions(quiet, history, worker.ReplayWorkflowHistoryOptions{
				OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()}})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
