package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"headgate/internal/columnar"
	"headgate/internal/deliver/delivertest"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/train"
	"headgate/internal/worker"
	"headgate/workflows"
)

// waiting is a world with the data of February; that of January never came.
func waiting(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 100)
	w.deliver("2024-02", retailer.Options{})
	w.schedule = w.monthly(asIs)
	return w
}

func playSlot(w *world) (string, error) {
	out, _, err := w.slot(w.schedule, due, 0, nil)
	out.Anchor = ""
	return asJSON(w.t, out), err
}

// queued is a world like learned, whose trainer is a worker of somebody's own.
func queued(t *testing.T) *world {
	t.Helper()
	settings := strings.NewReplacer("[1, 0]", "[0]", "training:\n", "training:\n  trainer: taskQueue\n  taskQueue: training\n").Replace(learning)
	return settledWorld(t, 800, settings, "2024-01", "2024-02")
}

func playQueue(w *world) (string, error) {
	env := w.retrainEnv()
	env.RegisterActivityWithOptions(trainElsewhere, activity.RegisterOptions{Name: train.TrainActivity, DisableAlreadyRegisteredCheck: true})
	env.ExecuteWorkflow(workflows.Retrain, workflows.RetrainInput{Pipeline: "retailer", By: "ann", Reason: "May's labels tell of a change"})
	answer, err := w.answered(env)
	if err == nil && !strings.Contains(answer, `"candidates":["sha256:`) {
		err = errors.New("a training without candidates: " + answer)
	}
	return answer, err
}

// trainElsewhere is a trainer on a task queue: it knows the request and its files only.
func trainElsewhere(ctx context.Context, r train.TaskRequest) (*train.Answer, error) {
	dir := strings.TrimPrefix(r.Base, "file://")
	var parts [2]train.Rows
	for i, name := range []string{r.Train, r.Valid} {
		if name == "" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			return nil, err
		}
		parts[i] = f.Records(ctx, columnar.ReadOptions{})
	}
	result, err := train.GBDT{}.Train(ctx, train.Job{Manifest: r.Manifest, Train: parts[0], Valid: parts[1], Formats: worker.Formats()})
	if err != nil {
		return nil, err
	}
	err = os.WriteFile(filepath.Join(dir, r.Model), result.Model, 0o644)
	return &train.Answer{Format: "lightgbm", Model: r.Model, Rounds: result.Manifest.Results.Rounds, Libraries: map[string]string{"play": "2.0"}}, err
}

// unreadable is a world with a candidate and a month that it cannot score after the fact:
// its data is gone.
func unreadable(t *testing.T) *world {
	t.Helper()
	w := shadowWorld(t)
	if err := os.RemoveAll(filepath.Join(w.dir, "incoming", "retailer", "2024-01")); err != nil {
		t.Fatal(err)
	}
	return w
}

// damaged is a world with a month one of whose shards cannot be read.
func damaged(t *testing.T) *world {
	t.Helper()
	w := delivered(t, "ask", "50%")
	w.damage("2024-02", "part-0002.parquet")
	return w
}

func playSkip(w *world) (string, error) {
	out, _, err := w.skipped(2)
	if err == nil && (out.Verdict != run.Pass || len(out.Skipped) != 1) {
		err = fmt.Errorf("the shard was not left out: %+v", out)
	}
	out.Anchor = ""
	return asJSON(w.t, out), err
}

// told is a world whose team is told of what goes wrong, by a receiver of its own.
func told(t *testing.T) *world {
	t.Helper()
	w := configured(t, 20, "alerts: { receivers: { team: { webhook: { url: env:TEST_CHAOS_TEAM, secret: env:TEST_CHAOS_SECRET } } } }\n", nil, nil)
	w.team = delivertest.NewWeb(t)
	t.Setenv("TEST_CHAOS_TEAM", w.team.URL)
	t.Setenv("TEST_CHAOS_SECRET", "whsec_Y2FuYXJ5LCBhdCBsZWFzdCB0d2VudHktZm91ciBieXRlcw==")
	return w
}

// playAlert answers which notices the team got of this alert. One that it got twice has the
// same id and the same bytes, and counts once.
func playAlert(w *world) (string, error) {
	w.told = true
	env := w.env()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: fmt.Sprintf("alert/%s/%d", w.dir, w.runs)})
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(workflows.SignalOver, nil) }, 5*time.Hour)
	env.ExecuteWorkflow(workflows.Alert, workflows.AlertInput{Alert: blocked()})
	var out workflows.AlertOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		return "", err
	}
	if len(out.Deliveries) != 1 {
		return "", fmt.Errorf("deliveries %+v", out.Deliveries)
	}
	last := out.Deliveries[0]
	base := last.ID[:strings.LastIndex(last.ID, "-")]
	got := map[string]bool{}
	for _, r := range w.team.Got() {
		if number, ours := strings.CutPrefix(r.Header.Get("webhook-id"), base); ours {
			got[number+" "+string(r.Body)] = true
		}
	}
	var notices []string
	for _, text := range slices.Sorted(maps.Keys(got)) {
		number, body, _ := strings.Cut(text, " ")
		var notice struct{ Type string }
		if err := json.Unmarshal([]byte(body), &notice); err != nil {
			return "", errors.Join(err, errors.New(body))
		}
		notices = append(notices, number+" "+notice.Type)
	}
	if len(notices) == 0 || len(notices) != out.Notices {
		return "", fmt.Errorf("the team got %d of %d notices: %q", len(notices), out.Notices, notices)
	}
	return fmt.Sprint(last.State, notices), nil
}
