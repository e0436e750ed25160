package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/activities"
	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/model"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

const canaryMonth = "2024-01"

// looped is a world with a pipeline that has labels, and a month on its way.
func looped(t *testing.T, customers int, o retailer.Options, more ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: customers}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	w.closeLoop(more...)
	w.deliver(canaryMonth, o)
	return w
}

// closeLoop registers the shipped pipeline with labels, and more.
func (w *world) closeLoop(more ...string) {
	w.t.Helper()
	labels, err := os.ReadFile("../testdata/retailer/labels.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	w.register(w.pipelineFile("labels: { files: \"labels/{batch}/*.parquet\", contract: labels.yaml }\n"+strings.Join(more, ""), nil, map[string]string{"labels.yaml": string(labels)}))
}

// log reads the registry.
func (w *world) registry() *registry.Log {
	w.t.Helper()
	log, err := registry.Load(context.Background(), w.bucket, "retailer")
	if err != nil {
		w.t.Fatal(err)
	}
	return log
}

func (w *world) add(e registry.Entry) {
	w.t.Helper()
	e.At, e.By = time.Unix(1.7e9, 0).UTC(), "test"
	if _, err := w.registry().Append(context.Background(), e); err != nil {
		w.t.Fatal(err)
	}
}

// challenger registers the shipped model with another calibration, in a format that the
// worker knows by that name.
func (w *world) challenger(format string, intercept, slope float64) store.Digest {
	w.t.Helper()
	return w.modelOf(format, w.shippedModel(), &model.Calibration{Kind: model.Platt, Intercept: intercept, Slope: slope})
}

func (w *world) shippedModel() []byte {
	w.t.Helper()
	text, err := os.ReadFile("../testdata/retailer/champion.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// modelOf registers a model.
func (w *world) modelOf(format string, text []byte, calibration *model.Calibration) store.Digest {
	w.t.Helper()
	state := w.registry().State()
	file, err := w.bucket.GetBlob(context.Background(), state.Contract)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := contract.Parse("contract", file)
	if err != nil {
		w.t.Fatal(err)
	}
	raw, err := worker.Formats()["lightgbm"](text, model.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	scorer, err := model.Calibrated(raw, calibration)
	if err != nil {
		w.t.Fatal(err)
	}
	golden, err := bundle.Remember(scorer, w.goldenRows(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := bundle.Save(context.Background(), w.bucket, bundle.Draft{Pipeline: "retailer", Format: format, Model: text, Contract: c,
		ContractID: state.Contract, Golden: golden, Calibration: calibration}, w.knownFormats())
	if err != nil {
		w.t.Fatal(err)
	}
	w.add(registry.Entry{Kind: registry.KindRegister, ID: "register/" + string(v.Digest), Model: v.Digest})
	return v.Digest
}

func (w *world) goldenRows(s model.Scorer) arrow.Record {
	w.t.Helper()
	f, err := os.Open("../testdata/retailer/golden.csv")
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	for rec, err := range model.ReadCSV(f, s.Inputs(), 20) {
		if err != nil {
			w.t.Fatal(err)
		}
		rec.Retain()
		return rec
	}
	w.t.Fatal("no golden rows")
	return nil
}

// champion returns the champion in force.
func (w *world) champion() store.Digest { return w.registry().State().Aliases["champion"] }

// route puts a routing in force: shares of models beside the champion, and shadows.
func (w *world) route(step string, shares map[store.Digest]int, shadow ...store.Digest) *release.Routing {
	w.t.Helper()
	r := &release.Routing{Format: release.Format, Release: "test", Step: step, Salt: "salt of the test", Arms: []release.Arm{{Model: string(w.champion()), Share: release.Whole}}}
	for m, share := range shares {
		w.lets(step, m)
		r.Arms = append(r.Arms, release.Arm{Model: string(m), Share: share})
		r.Arms[0].Share -= share
	}
	for _, m := range shadow {
		r.Shadow = append(r.Shadow, string(m))
	}
	paper, err := run.SaveBlob(context.Background(), w.bucket, r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.add(registry.Entry{Kind: registry.KindRouting, ID: fmt.Sprintf("routing/%d", w.registry().Head()), Release: "test", Step: step, Paper: paper})
	return r
}

// lets enters a verdict that lets a candidate go so far.
func (w *world) lets(step string, m store.Digest) {
	w.t.Helper()
	state := w.registry().State()
	file, err := w.bucket.GetBlob(context.Background(), state.Pipeline)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := pipeline.Parse("pipeline file", file)
	if err != nil {
		w.t.Fatal(err)
	}
	none := &evaluate.Estimate{Level: 0.95}
	policy := c.Gates
	if policy == nil {
		policy = gate.Default()
	}
	d, err := gate.Judge(policy, gate.Canary, gate.Evidence{
		Release: gate.Case{At: time.Unix(1.7e9, 0).UTC(), Pipeline: "retailer", Release: "test", Step: step, Model: string(m), Champion: string(w.champion())},
		Data:    &gate.Data{Verdict: gate.Pass, Rows: 1},
		Compare: &gate.Compare{Rows: 1, PSI: none, Shift: none, Flips: none, Volume: &gate.Volume{P: 1}}}, nil)
	if err != nil || d.Verdict != gate.Pass {
		w.t.Fatalf("%v %+v", err, d)
	}
	paper, err := run.SaveBlob(context.Background(), w.bucket, d)
	if err != nil {
		w.t.Fatal(err)
	}
	w.add(registry.Entry{Kind: registry.KindAdvance, ID: fmt.Sprintf("advance/%d", w.registry().Head()), Release: "test", Step: step, Model: m,
		Verdict: registry.VerdictPass, Paper: paper, Reasons: d.Reasons})
}

// entries lists the entries of some kinds that are about a batch.
func (w *world) entries(kinds ...string) (out []registry.Entry) {
	for _, e := range w.registry().Entries() {
		if slices.Contains(kinds, e.Kind) && e.Batch != "" {
			out = append(out, e)
		}
	}
	return out
}

// table returns the rows of the current publication as maps.
func (w *world) table(month string) (out []map[string]string) {
	for _, line := range w.rows("scores/retailer/batch=" + month) {
		row := map[string]string{}
		for _, cell := range strings.Split(line, " ") {
			name, value, _ := strings.Cut(cell, "=")
			row[name] = value
		}
		out = append(out, row)
	}
	return out
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A canary month has the candidate's scores for its share of the customers, each row with
// the model that scored it, and an auditor computes the same bytes again. Rows that are
// quarantined, or late, are so whoever would have scored them.
func TestACanaryMonthMixesModels(t *testing.T) {
	w := looped(t, 4000, retailer.Options{Fault: retailer.BadRows, Parts: 2})
	w.repeatRows(canaryMonth, 1)
	candidate := w.challenger("lightgbm", 0.02, 0.97)
	w.route("10%", map[store.Digest]int{candidate: 1000})
	out := w.mustScore(canaryMonth)
	if out.Verdict != "pass" || len(out.Advance) != 1 || out.Advance[0].Verdict != "pass" || out.Taken != "" || out.Quarantined == 0 {
		t.Fatalf("%+v", out)
	}
	served, scores := map[string]int64{}, map[string]map[string]float64{}
	for _, m := range []store.Digest{w.champion(), candidate} {
		scores[string(m)] = w.scoresOf(out.Run, m)
	}
	var ranks float64
	for _, row := range w.table(canaryMonth) {
		served[row["model"]]++
		if got, want := number(t, row["score"]), scores[row["model"]][row["customer_id"]]; got != want {
			t.Fatalf("customer %s: score %v, the model said %v", row["customer_id"], got, want)
		}
		rank := number(t, row["rank_pct"])
		if rank < 0 || rank > 1 {
			t.Fatalf("rank %v", rank)
		}
		ranks += rank
	}
	want := map[string]int64{}
	for _, m := range out.Models {
		want[string(m.Model)] = m.Rows
	}
	if share := float64(served[string(candidate)]) / float64(out.Published); len(served) != 2 || share < 0.085 || share > 0.115 ||
		fmt.Sprint(served) != fmt.Sprint(want) || served[string(candidate)]+served[string(w.champion())] != out.Published {
		t.Errorf("served %v, the output says %v, %d published", served, want, out.Published)
	}
	if mean := ranks / float64(out.Published); mean < 0.49 || mean > 0.51 {
		t.Errorf("mean rank %v", mean)
	}
	if again := w.audited(canaryMonth); again.Rows != out.Published {
		t.Errorf("%d rows computed again of %d", again.Rows, out.Published)
	}
	advance, shadow := w.entries(registry.KindAdvance), w.entries(registry.KindShadow)
	if len(advance) != 1 || advance[0].Batch != canaryMonth || advance[0].Verdict != "pass" || advance[0].Step != "10%" ||
		len(shadow) != 1 || shadow[0].Model != candidate || shadow[0].Run != out.Run {
		t.Errorf("advance %+v\nshadow %+v", advance, shadow)
	}
	w.whySays(candidate)
}

// scoresOf returns what a model said by customer, wherever its scores are.
func (w *world) scoresOf(name, m store.Digest) map[string]float64 {
	w.t.Helper()
	dir := run.Short(m)
	if m == w.champion() {
		dir = "champion"
	}
	out := map[string]float64{}
	for _, line := range w.rows(run.Dir("retailer", canaryMonth, name) + "/scores/" + dir + "/") {
		var id string
		for _, cell := range strings.Split(line, " ") {
			key, value, _ := strings.Cut(cell, "=")
			switch key {
			case "customer_id":
				id = value
			case "pred_0":
				out[id] = number(w.t, value)
			}
		}
	}
	return out
}

// A customer's arm does not change from month to month, and a growing share takes nobody
// back.
func TestAGrowingShareMovesNobodyBack(t *testing.T) {
	w := looped(t, 2000, retailer.Options{})
	candidate := w.challenger("lightgbm", 0.02, 0.97)
	var before map[string]bool
	for _, share := range []int{1000, 5000, 10000} {
		w.route(fmt.Sprint(share), map[store.Digest]int{candidate: share})
		out := w.mustScore(canaryMonth)
		now := map[string]bool{}
		for _, row := range w.currentRows(out) {
			if row["model"] == string(candidate) {
				now[row["customer_id"]] = true
			}
			if _, ranked := row["rank_pct"]; ranked != (share < 10000) {
				t.Fatalf("share %d: %v", share, row)
			}
		}
		for id := range before {
			if !now[id] {
				t.Fatalf("customer %s went back at %d", id, share)
			}
		}
		if got := float64(len(now)) / float64(out.Published); got < float64(share)/10000-0.03 || got > float64(share)/10000+0.03 {
			t.Errorf("share %d: %v", share, got)
		}
		before = now
	}
}

// currentRows returns the rows of the files of one run: those of former publications stay
// in the table's folder.
func (w *world) currentRows(out workflows.ScoreBatchOutput) (rows []map[string]string) {
	for _, row := range w.table(canaryMonth) {
		if row["run"] == string(out.Run) {
			rows = append(rows, row)
		}
	}
	return rows
}

// championOnly returns the rows of the month as the champion alone publishes them,
// without the name of the run.
func championOnly(t *testing.T, w *world) []string {
	t.Helper()
	alone := w.twin(t)
	if out := alone.mustScore(canaryMonth); out.Verdict != "pass" {
		t.Fatalf("%+v", out)
	}
	return alone.rows("scores/retailer/", "run")
}

// A candidate that the gate does not let pass serves nobody: the month has the champion's
// rows, value by value.
func TestABlockedCandidateServesNobody(t *testing.T) {
	w := looped(t, 2000, retailer.Options{Fault: retailer.BadRows, Parts: 2})
	want := championOnly(t, w)
	candidate := w.challenger("lightgbm", 4, 1)
	w.route("10%", map[store.Digest]int{candidate: 1000})
	out := w.mustScore(canaryMonth)
	if out.Verdict != "pass" || len(out.Advance) != 1 || out.Advance[0].Verdict != "block" || !strings.Contains(out.Taken, "is block") {
		t.Fatalf("%+v", out)
	}
	if got := w.rows("scores/retailer/", "run"); !slices.Equal(got, want) {
		t.Errorf("%d rows, the champion alone has %d; they differ", len(got), len(want))
	}
	if e := w.entries(registry.KindAdvance); len(e) != 1 || e[0].Verdict != "block" {
		t.Errorf("%+v", e)
	}
	w.audited(canaryMonth)
}

// fragile is a model that breaks off on more rows than its golden ones.
type fragile struct{ model.Scorer }

func (f fragile) Score(dst *model.Scores, rec arrow.Record) error {
	if rec.NumRows() > 20 {
		panic("out of range")
	}
	return f.Scorer.Score(dst, rec)
}

// knownFormats are those of the worker, and a fragile one.
func (w *world) knownFormats() model.Formats {
	formats := model.Formats{"fragile": func(data []byte, o model.Options) (model.Scorer, error) {
		s, err := worker.Formats()["lightgbm"](data, o)
		return fragile{s}, err
	}}
	for name, f := range worker.Formats() {
		formats[name] = f
	}
	return formats
}

// Whatever goes wrong with a challenger, the champion's month goes on.
func TestAFailingChallengerDoesNotStopTheMonth(t *testing.T) {
	for _, tt := range []struct {
		name   string
		share  int
		model  func(w *world) store.Digest
		reason string
	}{
		{"it panics in shadow", 0, func(w *world) store.Digest { return w.challenger("fragile", 0, 1) }, "the model broke off: out of range"},
		{"it panics as a canary", 1000, func(w *world) store.Digest { return w.challenger("fragile", 0, 1) }, "the model broke off: out of range"},
		{"its bytes are gone", 1000, func(w *world) store.Digest {
			d := w.challenger("lightgbm", 0, 0.9)
			if err := w.bucket.Delete(context.Background(), store.BlobKey(d)); err != nil {
				w.t.Fatal(err)
			}
			return d
		}, "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := looped(t, 600, retailer.Options{})
			want := championOnly(t, w)
			w.formats = w.knownFormats()
			m := tt.model(w)
			if tt.share > 0 {
				w.route("10%", map[store.Digest]int{m: tt.share})
			} else {
				w.route("shadow", nil, m)
			}
			out := w.mustScore(canaryMonth)
			if got := w.rows("scores/retailer/", "run"); out.Verdict != "pass" || !slices.Equal(got, want) {
				t.Errorf("%+v: %d rows, the champion alone has %d", out, len(got), len(want))
			}
			if tt.share > 0 && (len(out.Advance) != 1 || out.Advance[0].Verdict != "block" || !strings.Contains(out.Taken, tt.reason)) {
				t.Errorf("advance %+v, taken %q", out.Advance, out.Taken)
			}
			if e := w.entries(registry.KindShadow); len(e) > 0 {
				t.Errorf("a model that failed has an entry: %+v", e)
			}
		})
	}
}

// A rollback appends first and then looks for publications; a batch commits first and then
// looks into the registry. Whoever comes second, the month has the champion's scores.
func TestARollbackDuringABatchInBothOrders(t *testing.T) {
	setUp := func(t *testing.T) (*world, store.Digest, []string) {
		w := looped(t, 2000, retailer.Options{Parts: 2})
		want := championOnly(t, w)
		candidate := w.challenger("lightgbm", 0.02, 0.97)
		w.route("10%", map[store.Digest]int{candidate: 1000})
		return w, candidate, want
	}
	reject := func(w *world, m store.Digest) {
		w.add(registry.Entry{Kind: registry.KindRejected, ID: "rejected/test", Model: m, Reason: "the test rolls it back"})
	}
	// alone checks that the last publication has the champion's rows.
	alone := func(t *testing.T, w *world, publication int64, want []string) {
		t.Helper()
		published := w.entries(registry.KindPublished)
		last := published[len(published)-1]
		if last.Publication != publication {
			t.Fatalf("publication %d, want %d", last.Publication, publication)
		}
		if got := w.current("run"); !slices.Equal(got, want) {
			t.Errorf("%d rows, the champion alone has %d; they differ", len(got), len(want))
		}
		w.audited(canaryMonth)
	}
	t.Run("the rollback comes before the batch is planned", func(t *testing.T) {
		w, candidate, want := setUp(t)
		reject(w, candidate)
		if out := w.mustScore(canaryMonth); len(out.Advance) > 0 || out.Taken != "" {
			t.Errorf("%+v", out)
		}
		alone(t, w, 1, want)
	})
	for name, key := range map[string]string{
		"the rollback comes while shards are scored": "/shards/",
		"the rollback comes right after the commit":  "_delta_log/",
	} {
		t.Run(name, func(t *testing.T) {
			w, candidate, want := setUp(t)
			plain := w.bucket
			var once sync.Once
			w.bucket = plain.Intercept(func(_ context.Context, c store.Call, do func() error) error {
				err := do()
				if c.Name == store.CallPut && strings.Contains(c.Key, key) {
					once.Do(func() { reject(&world{t: t, bucket: plain}, candidate) })
				}
				return err
			})
			out := w.mustScore(canaryMonth)
			w.bucket = plain
			if out.Publication != 2 || !strings.Contains(out.Taken, "the test rolls it back") {
				t.Errorf("%+v", out)
			}
			alone(t, w, 2, want)
		})
	}
	t.Run("the rollback finds the publication", func(t *testing.T) {
		w, candidate, want := setUp(t)
		if out := w.mustScore(canaryMonth); out.Publication != 1 || len(out.Models) != 2 {
			t.Fatalf("%+v", out)
		}
		reject(w, candidate)
		first := w.republish("")
		if first.Publication != 2 || first.Unchanged {
			t.Fatalf("%+v", first)
		}
		if again := w.republish(""); again.Publication != 2 || !again.Unchanged {
			t.Errorf("again %+v", again)
		}
		alone(t, w, 2, want)
		published := w.entries(registry.KindPublished)
		if last := published[len(published)-1]; last.Reason != "the test says so" || last.Paper == "" {
			t.Errorf("%+v", last)
		}
	})
}

func (w *world) republish(m store.Digest) activities.PublishOutput {
	w.t.Helper()
	env := w.env()
	env.ExecuteWorkflow(workflows.RepublishBatch, workflows.RepublishBatchInput{Pipeline: "retailer", Batch: canaryMonth, Model: m, By: "test", Reason: "the test says so"})
	var out activities.PublishOutput
	if err := env.GetWorkflowResult(&out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) shadow(models ...store.Digest) (workflows.ShadowBatchOutput, error) {
	env := w.env()
	env.ExecuteWorkflow(workflows.ShadowBatch, workflows.ShadowBatchInput{Pipeline: "retailer", Batch: canaryMonth, Models: models, By: "test"})
	var out workflows.ShadowBatchOutput
	err := env.GetWorkflowResult(&out)
	return out, err
}

// scored returns the digests of the score files that a model's shadow entry names.
func (w *world) scoreFiles(m store.Digest) (files []store.Digest) {
	w.t.Helper()
	for _, e := range w.entries(registry.KindShadow) {
		if e.Model != m {
			continue
		}
		var s run.Scored
		if err := run.LoadBlob(context.Background(), w.bucket, e.Paper, &s); err != nil {
			w.t.Fatal(err)
		}
		for _, shard := range s.Shards {
			files = append(files, shard.Scores.Digest)
		}
	}
	return files
}

// Scores that a model gives after the fact are those that it would have given in the run,
// byte by byte, also beside rows in quarantine.
func TestAShadowAfterTheFactSaysTheSame(t *testing.T) {
	w := looped(t, 3000, retailer.Options{Fault: retailer.BadRows, Parts: 3})
	w.repeatRows(canaryMonth, 1)
	m := w.challenger("lightgbm", 0.1, 0.8)
	later := w.twin(t)
	w.route("shadow", nil, m)
	w.mustScore(canaryMonth)
	later.mustScore(canaryMonth)
	out, err := later.shadow(m)
	if err != nil || len(out.Scored) != 1 || len(out.Failed) > 0 {
		t.Fatalf("%v %+v", err, out)
	}
	want, got := w.scoreFiles(m), later.scoreFiles(m)
	if len(want) != 4 || !slices.Equal(got, want) {
		t.Errorf("in the run %v\nafterwards %v", want, got)
	}
	keys := later.keys("")
	if again, err := later.shadow(m); err != nil || len(again.Scored) != 1 || !slices.Equal(later.keys(""), keys) {
		t.Errorf("again: %v %+v", err, again)
	}
	// The model can take over the published month now, and nothing is scored for that.
	if out := later.republish(m); out.Publication != 2 || len(out.Models) != 2 || out.Models[0].Rows != 0 {
		t.Errorf("%+v", out)
	}
	later.audited(canaryMonth)
}

// A month whose input is not what it was cannot be scored again.
func TestAShadowRefusesOtherInput(t *testing.T) {
	w := looped(t, 300, retailer.Options{})
	m := w.challenger("lightgbm", 0.1, 0.8)
	w.mustScore(canaryMonth)
	w.deliver(canaryMonth, retailer.Options{Fault: retailer.BadRows})
	if _, err := w.shadow(m); err == nil || !strings.Contains(err.Error(), "is not what the run read any more") {
		t.Errorf("got %v", err)
	}
	if e := w.entries(registry.KindShadow); len(e) > 0 {
		t.Errorf("%+v", e)
	}
}

// A model that has not scored a month does so before it takes it over.
func TestRepublishingScoresWhatIsMissing(t *testing.T) {
	w := looped(t, 600, retailer.Options{})
	m := w.challenger("lightgbm", 0.1, 0.8)
	first := w.mustScore(canaryMonth)
	out := w.republish(m)
	if out.Publication != 2 || out.Rows != first.Published || out.Unchanged {
		t.Fatalf("%+v", out)
	}
	for _, row := range w.table(canaryMonth) {
		if row["model"] != string(m) && row["model"] != string(w.champion()) {
			t.Fatalf("%v", row)
		}
	}
	w.audited(canaryMonth)
	if back := w.republish(w.champion()); back.Publication != 3 || back.Values != first.Values {
		t.Errorf("back %+v, first values %s", back, first.Values)
	}
}

// current returns the rows of the current publication as sorted lines.
func (w *world) current(without ...string) []string {
	w.t.Helper()
	var all []string
	for _, key := range w.currentFiles() {
		all = append(all, w.rows(key, without...)...)
	}
	slices.Sort(all)
	return all
}

// whySays asks for the origin of a row that a model scored.
func (w *world) whySays(m store.Digest) {
	w.t.Helper()
	for _, row := range w.table(canaryMonth) {
		if row["model"] != string(m) {
			continue
		}
		o, err := w.auditor().Why(context.Background(), canaryMonth, row["customer_id"])
		if err != nil || o.Model != m || o.Champion != w.champion() || len(o.LetIn) != 1 {
			w.t.Errorf("%v, %+v", err, o)
		}
		return
	}
	w.t.Error(errors.New("no row has a score of the model"))
}

// Scores of two models stand beside each other only if both are probabilities.
func TestAMixedMonthNeedsCalibratedScores(t *testing.T) {
	w := looped(t, 600, retailer.Options{})
	want := championOnly(t, w)
	text := strings.Replace(string(w.shippedModel()), "objective=binary sigmoid:1", "objective=regression", 1)
	m := w.modelOf("lightgbm", []byte(text), nil)
	w.route("10%", map[store.Digest]int{m: 1000})
	out := w.mustScore(canaryMonth)
	if len(out.Advance) != 1 || out.Advance[0].Verdict != "block" ||
		!strings.Contains(out.Taken, "its scores are no probabilities (objective regression, no calibration)") {
		t.Errorf("%+v", out)
	}
	if got := w.rows("scores/retailer/", "run"); !slices.Equal(got, want) {
		t.Errorf("%d rows, the champion alone has %d; they differ", len(got), len(want))
	}
}

// A candidate whose scores break the contract of the scores serves nobody, and cannot take
// over a published month either.
func TestACandidateKeepsTheContractOfTheScores(t *testing.T) {
	w := looped(t, 600, retailer.Options{})
	w.register(w.pipelineFile("", nil, map[string]string{"scores.yaml": scoresContract("0.999999"), "pipeline.yaml": w.shippedPipeline(t, "scores:\n", "scores:\n  contract: scores.yaml\n")}))
	m := w.challenger("lightgbm", 40, 1)
	w.route("10%", map[store.Digest]int{m: 1000})
	out := w.mustScore(canaryMonth)
	if out.Verdict != "pass" || out.Published != 600 || len(out.Advance) != 1 || out.Advance[0].Verdict != "block" || len(out.Models) != 1 {
		t.Errorf("%+v", out)
	}
	env := w.env()
	env.ExecuteWorkflow(workflows.RepublishBatch, workflows.RepublishBatchInput{Pipeline: "retailer", Batch: canaryMonth, Model: m, By: "test", Reason: "no"})
	if err := env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "600 scores of model") {
		t.Errorf("got %v", err)
	}
}

// A new colour is read in full before one commit gives it the whole month, and the former
// one can be had back.
func TestANewColourIsReadBeforeItIsPublished(t *testing.T) {
	w := looped(t, 600, retailer.Options{Parts: 2}, "release: { strategy: blueGreen }\n")
	before := w.mustScore(canaryMonth)
	m := w.challenger("lightgbm", 0.02, 0.97)
	w.route("100%", map[store.Digest]int{m: release.Whole})
	damaged := w.twin(t)
	plain := damaged.bucket
	damaged.bucket = plain.Intercept(func(ctx context.Context, c store.Call, do func() error) error {
		err := do()
		if c.Name == store.CallPut && strings.HasPrefix(c.Key, "scores/retailer/batch=") && err == nil {
			if err := plain.Delete(ctx, c.Key); err != nil {
				return err
			}
			return plain.Put(ctx, c.Key, []byte("PAR1"))
		}
		return err
	})
	if out, err := damaged.score(canaryMonth); err == nil || !strings.Contains(err.Error(), "was changed: its digest is") {
		t.Errorf("a damaged colour: %v %+v", err, out)
	}
	out := w.mustScore(canaryMonth)
	if out.Publication != 2 || len(out.Models) != 2 || out.Models[0].Rows != 0 || out.Models[1].Rows != 600 {
		t.Errorf("%+v", out)
	}
	w.audited(canaryMonth)
	if back := w.restore(canaryMonth, 1); back.Values != before.Values {
		t.Errorf("%+v", back)
	}
}

// What the policy asks of a month is judged with the contract, in one verdict.
func TestThePolicyJudgesTheMonthToo(t *testing.T) {
	for _, tt := range []struct{ name, rule, verdict string }{
		{"it holds", "{ id: many, rule: data.rows > 100, reason: too few rows }", "pass"},
		{"it does not", "{ id: many, rule: data.rows > 1000, reason: too few rows }", "block"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := looped(t, 600, retailer.Options{}, "gates: { publish: { rules: ["+tt.rule+"] } }\n")
			out := w.mustScore(canaryMonth)
			if string(out.Verdict) != tt.verdict || (tt.verdict == "block") != strings.Contains(strings.Join(out.Reasons, ";"), "too few rows") {
				t.Errorf("%+v", out)
			}
		})
	}
}

// A month of more shards than one history holds is mixed, scored in shadow and published
// again through windows.
func TestModelsOverManyShards(t *testing.T) {
	w := inMemory(t, canaryMonth, 200)
	w.closeLoop()
	m, late := w.challenger("lightgbm", 0.02, 0.97), w.challenger("lightgbm", 0.05, 0.9)
	w.route("50%", map[store.Digest]int{m: 5000})
	out := w.mustScore(canaryMonth)
	if out.Taken != "" || len(out.Models) != 2 {
		t.Fatalf("%+v", out)
	}
	if again := w.audited(canaryMonth); again.Rows != out.Published {
		t.Errorf("%d rows of %d", again.Rows, out.Published)
	}
	if again := w.republish(late); again.Publication != 2 || again.Rows != out.Published {
		t.Errorf("%+v", again)
	}
	w.audited(canaryMonth)
}
