package workflows_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"headgate/activities"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/workflows"
)

// delivered is a world with a published January and a February of four shards; what
// becomes of one that cannot be scored the pipeline file says with onFail.
func delivered(t *testing.T, onFail, budget string) *world {
	t.Helper()
	return deliveredWith(t, onFail, budget, "")
}

// deliveredWith is delivered, with more in the pipeline file.
func deliveredWith(t *testing.T, onFail, budget, more string) *world {
	t.Helper()
	shards := "  parallel: 4\n  onFail: " + onFail + "\nask: { wait: 48h }\nfallback: { score: last, for: [quarantined] }\n" + more
	text := new(world).shippedPipeline(t, "  parallel: 4\n", shards, "1%", budget)
	w := configured(t, 800, "", nil, map[string]string{"pipeline.yaml": strings.Replace(text, "budget: 50%", "budget: "+budget, 1)})
	w.deliver("2024-01", retailer.Options{})
	w.mustScore("2024-01")
	w.deliver("2024-02", retailer.Options{Parts: 4})
	return w
}

func (w *world) delivery(month, name string) string {
	return filepath.Join(w.dir, "incoming", "retailer", month, name)
}

// damage turns bits of the last columns of a delivered file; its footer and its keys stay
// as they are.
func (w *world) damage(month, name string) {
	w.t.Helper()
	path := w.delivery(month, name)
	data, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	footer := int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	data[len(data)-8-footer-100] ^= 0xff
	if err := os.WriteFile(path, data, 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// A sent Update is what whoever sent it gets to hear.
type sent struct {
	refused, failed error
	out             any
}

func (s *sent) send(env *testsuite.TestWorkflowEnvironment, name, id string, in any) {
	env.UpdateWorkflow(name, id, s.callback(), in)
}

// sendTo sends an Update to a child workflow.
func (s *sent) sendTo(env *testsuite.TestWorkflowEnvironment, workflow, name, id string, in any) {
	if err := env.UpdateWorkflowByID(workflow, name, id, s.callback(), in); err != nil {
		s.refused = err
	}
}

func (s *sent) callback() *testsuite.TestUpdateCallback {
	return &testsuite.TestUpdateCallback{
		OnReject: func(err error) { s.refused = err }, OnAccept: func() {},
		OnComplete: func(v any, err error) { s.out, s.failed = v, err },
	}
}

// skip leaves a shard out.
func skip(shard int) workflows.SkipShard {
	return workflows.SkipShard{Shard: &shard, By: "ann", Reason: "the supplier has no other"}
}

// skipped scores February and leaves a shard out after an hour.
func (w *world) skipped(shard int) (out workflows.ScoreBatchOutput, hears sent, err error) {
	w.t.Helper()
	env := w.env()
	env.RegisterDelayedCallback(func() { hears.send(env, workflows.UpdateSkipShard, "skip", skip(shard)) }, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-02", By: "test"})
	err = env.GetWorkflowResult(&out)
	return out, hears, err
}

// A shard with damaged columns is left out. Its keys could be read, so its customers have
// the score of the month before, and an auditor finds all of it.
func TestADamagedShardIsLeftOut(t *testing.T) {
	w := delivered(t, "ask", "50%")
	w.damage("2024-02", "part-0002.parquet")
	out, hears, err := w.skipped(2)
	if err != nil || hears.refused != nil || hears.failed != nil {
		t.Fatalf("%v %+v", err, hears)
	}
	entry, ok := hears.out.(activities.SkipShardOutput)
	if !ok || !entry.Keys || entry.Rows == 0 || entry.Seq == 0 {
		t.Errorf("whoever skipped it hears %+v", hears.out)
	}
	if out.Verdict != run.Pass || out.Quarantined < entry.Rows || out.Fallback == 0 || out.Keys.Unscored < entry.Rows || len(out.Skipped) != 1 {
		t.Errorf("%+v, keys %+v", out, out.Keys)
	}
	if out.Rows-out.Quarantined+out.Fallback != out.Published {
		t.Errorf("%d rows, %d in quarantine, %d fell back, %d published", out.Rows, out.Quarantined, out.Fallback, out.Published)
	}
	logged := w.logged(registry.KindSkipped)
	if len(logged) != 1 || logged[0].By != "ann" || logged[0].Run != out.Run || len(logged[0].Reasons) != 1 {
		t.Errorf("the registry has %+v", logged)
	}
	published := w.logged(registry.KindPublished)
	if said := published[len(published)-1].Reasons; len(said) != 1 || !strings.Contains(said[0], "shard 2 was left out by ann") {
		t.Errorf("the publication says %q", said)
	}
	if again := w.audited("2024-02"); again.Rows != out.Published || len(again.Skipped) != 1 {
		t.Errorf("%d rows recomputed of %d, skipped %+v", again.Rows, out.Published, again.Skipped)
	}
	// A customer of the shard's own file, behind its damage, can be asked about.
	if _, err := w.auditor().Why(t.Context(), "2024-02", "no such customer"); err == nil || !strings.Contains(err.Error(), "among those left out: shard 2") {
		t.Errorf("why says %v", err)
	}
}

// Once the shard can be read, another run has all rows.
func TestAShardThatCanBeReadAgainIsAnotherRun(t *testing.T) {
	w := delivered(t, "ask", "50%")
	w.damage("2024-02", "part-0001.parquet")
	first, _, err := w.skipped(1)
	if err != nil {
		t.Fatal(err)
	}
	w.deliver("2024-02", retailer.Options{Parts: 4})
	second := w.mustScore("2024-02")
	if second.Run == first.Run || second.Publication != 2 || second.Quarantined != 0 || second.Published != second.Rows {
		t.Errorf("first %+v\nsecond %+v", first, second)
	}
	w.audited("2024-02")
}

// Of a file that is gone nobody knows whose rows it had, and the verdict says so. The
// error budget judges what is left out like all other rows.
func TestALostFileIsLeftOutWithinTheBudget(t *testing.T) {
	w := delivered(t, "ask", "1%")
	lost := w.delivery("2024-02", "part-0003.parquet")
	env := w.env()
	var once sync.Once
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == "ScoreShard" {
			once.Do(func() {
				if err := os.Remove(lost); err != nil {
					t.Error(err)
				}
			})
		}
	})
	var hears sent
	env.RegisterDelayedCallback(func() { hears.send(env, workflows.UpdateSkipShard, "skip", skip(3)) }, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-02", By: "test"})
	var out workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil || hears.refused != nil {
		t.Fatal(err, hears.refused)
	}
	says := func(all []string, text string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, text) })
	}
	if out.Verdict != run.Block || !says(out.Reasons, "more than the error budget") || !says(out.Skipped, "whose rows they are is not known") || out.Keys.Unscored != 0 {
		t.Errorf("%+v, keys %+v", out, out.Keys)
	}
}

// Where nobody is to be asked, or nobody answers, the batch fails.
func TestAShardThatNobodySkips(t *testing.T) {
	for _, tt := range []struct{ onFail, want string }{
		{"ask", "nobody skipped shard 0 or tried it again within 48h0m0s"},
		{"fail", "part-0000.parquet"},
	} {
		t.Run(tt.onFail, func(t *testing.T) {
			w := delivered(t, tt.onFail, "50%")
			w.damage("2024-02", "part-0000.parquet")
			_, err := w.score("2024-02")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %s", err, tt.want)
			}
			if got := w.logged(registry.KindSkipped); len(got) > 0 {
				t.Errorf("the registry has %+v", got)
			}
		})
	}
}

// What cannot be done is refused, and the reason says what can.
func TestUpdatesThatDoNotFit(t *testing.T) {
	w := delivered(t, "ask", "50%")
	w.damage("2024-02", "part-0002.parquet")
	env := w.env()
	two := 2
	updates := []struct {
		at   time.Duration
		name string
		in   any
		want string // why it is refused; "" if it is not
	}{
		{0, workflows.UpdateSkipShard, skip(2), "the batch is not cut into shards yet"},
		{0, workflows.UpdateRetryNow, workflows.RetryNow{By: "ann", Reason: "now"}, "nothing waits to be tried again"},
		{time.Hour, workflows.UpdateSkipShard, skip(4), "there is no shard 4: they go from 0 to 3"},
		{time.Hour, workflows.UpdateSkipShard, skip(1), "shard 1 has its result already"},
		{time.Hour, workflows.UpdateSkipShard, workflows.SkipShard{By: "ann", Reason: "why"}, "which shard?"},
		{time.Hour, workflows.UpdateSkipShard, workflows.SkipShard{Shard: &two, Reason: "why"}, "it needs by"},
		{time.Hour, workflows.UpdateSkipShard, workflows.SkipShard{Shard: &two, By: "ann", Reason: "a\nb"}, "one line"},
		{time.Hour, workflows.UpdateRetryNow, workflows.RetryNow{By: "ann"}, "it needs a reason"},
		{2 * time.Hour, workflows.UpdateRetryNow, workflows.RetryNow{By: "ann", Reason: "the disk was repaired", Shard: &two}, ""},
		{3 * time.Hour, workflows.UpdateSkipShard, skip(2), ""},
	}
	hears := make([]sent, len(updates))
	for i, u := range updates {
		env.RegisterDelayedCallback(func() { hears[i].send(env, u.name, u.want+u.name+u.at.String(), u.in) }, u.at)
	}
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-02", By: "test"})
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	for i, u := range updates {
		switch refused := hears[i].refused; {
		case u.want == "" && refused != nil:
			t.Errorf("%s %+v was refused: %v", u.name, u.in, refused)
		case u.want != "" && (refused == nil || !strings.Contains(refused.Error(), u.want)):
			t.Errorf("%s %+v was refused with %v, want %s", u.name, u.in, refused, u.want)
		}
	}
}

// A stage that fails again and again waits in the workflow; a person ends that.
func TestRetryNowEndsTheBackOff(t *testing.T) {
	for _, tt := range []struct {
		name, key string
	}{
		{"of a shard", "/scores/champion/000000"},
		{"of another stage", "scores/retailer/_delta_log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := delivered(t, "fail", "50%")
			w.losePuts(tt.key, 5)
			hurried(t, w.env(), workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: "2024-02", By: "test"})
		})
	}
	t.Run("of a training", func(t *testing.T) {
		w := learned(t)
		w.losePuts("training/retailer/sets/2024-02", 5)
		hurried(t, w.retrainEnv(), workflows.Retrain, workflows.RetrainInput{Pipeline: "retailer", By: "ann", Reason: "a try"})
	})
}

// losePuts lets the first puts of keys with some text in them fail.
func (w *world) losePuts(text string, times int64) {
	var lost atomic.Int64
	w.bucket = w.bucket.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		if c.Name == store.CallPut && strings.Contains(c.Key, text) && lost.Add(1) <= times {
			return storetest.ErrLost
		}
		return do()
	})
}

// hurried runs a workflow in which something fails for a quarter of a minute, and ends its
// back-off before it ends by itself.
func hurried(t *testing.T, env *testsuite.TestWorkflowEnvironment, flow, in any) {
	t.Helper()
	began := env.Now()
	var hears sent
	env.RegisterDelayedCallback(func() {
		hears.send(env, workflows.UpdateRetryNow, "now", workflows.RetryNow{By: "ann", Reason: "the store is back"})
	}, 40*time.Second)
	env.ExecuteWorkflow(flow, in)
	if err := env.GetWorkflowError(); err != nil || hears.refused != nil {
		t.Fatal(err, hears.refused)
	}
	if took := env.Now().Sub(began); took >= time.Minute {
		t.Errorf("it took %v: the back-off was not ended", took)
	}
	if out, ok := hears.out.(workflows.RetryNowOutput); !ok || len(out.Tried) == 0 {
		t.Errorf("whoever wanted it hears %+v", hears.out)
	}
}

// The shards of a large batch are scored by windows, which take the same Updates.
func TestAWindowOfShardsAsksToo(t *testing.T) {
	w := delivered(t, "ask", "50%")
	w.damage("2024-02", "part-0002.parquet")
	out, _, err := w.skipped(2) // plans the run
	if err != nil {
		t.Fatal(err)
	}
	env := w.env()
	var hears sent
	env.RegisterDelayedCallback(func() { hears.send(env, workflows.UpdateSkipShard, "skip", skip(2)) }, time.Hour)
	env.ExecuteWorkflow(workflows.ScoreShards, workflows.ScoreShardsInput{Run: activities.Run{Pipeline: "retailer", Batch: "2024-02", Run: out.Run},
		From: 1, To: 4, Parallel: 2, OnFail: "ask", Wait: 48 * time.Hour})
	var scored workflows.ScoreShardsOutput
	if err := env.GetWorkflowResult(&scored); err != nil || hears.refused != nil {
		t.Fatal(err, hears.refused)
	}
	if scored.Quarantined == 0 || scored.Rows != scored.Quarantined*3 {
		t.Errorf("%+v", scored)
	}
}

// A table's file of a large batch that cannot be written waits in its window: whoever asks
// the batch is told where, and the window tries again at once.
func TestAWindowOfTheTableTakesRetries(t *testing.T) {
	const month = "2024-01"
	w := inMemory(t, month, 200)
	w.losePuts("/table/000200", 5)
	env := w.env()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflows.ScoreID("retailer", month)})
	var card workflows.Scorecard
	var asked, skipped, hears sent
	again := workflows.RetryNow{By: "ann", Reason: "the store is back"}
	env.RegisterDelayedCallback(func() {
		value, err := env.QueryWorkflow("scorecard")
		if err == nil {
			err = value.Get(&card)
		}
		if err != nil {
			t.Error(err)
		}
		asked.send(env, workflows.UpdateRetryNow, "batch", again)
		skipped.sendTo(env, card.Window, workflows.UpdateSkipShard, "skip", skip(200))
		hears.sendTo(env, card.Window, workflows.UpdateRetryNow, "window", again)
	}, 40*time.Second)
	began := env.Now()
	env.ExecuteWorkflow(workflows.ScoreBatch, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "test"})
	var out workflows.ScoreBatchOutput
	if err := env.GetWorkflowResult(&out); err != nil || out.Verdict != run.Pass || hears.refused != nil {
		t.Fatal(err, out, hears.refused)
	}
	if took := env.Now().Sub(began); took >= time.Minute {
		t.Errorf("it took %v: the back-off was not ended", took)
	}
	if !strings.HasSuffix(card.Window, "/table/000200") || !strings.Contains(card.Markdown(), "| Assembled by | `"+card.Window+"` |") {
		t.Errorf("the scorecard says\n%s", card.Markdown())
	}
	if asked.refused == nil || !strings.Contains(asked.refused.Error(), card.Window+" goes on with the shards now: send it there") {
		t.Errorf("the batch answers %v", asked.refused)
	}
	if skipped.refused == nil || !strings.Contains(skipped.refused.Error(), "shard 200 has its result already") {
		t.Errorf("a skip is answered with %v", skipped.refused)
	}
	if tried, ok := hears.out.(workflows.RetryNowOutput); !ok || !slices.Equal(tried.Tried, []string{"Assemble shard 200"}) {
		t.Errorf("the window answers %+v", hears.out)
	}
}
