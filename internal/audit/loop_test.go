package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headgate/internal/audit"
	"headgate/internal/evidence"
	"headgate/internal/gate"
	"headgate/internal/labels"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/workflows"
	"headgate/workflows/workflowstest"
)

// settings make a pipeline of whose releases and changes people approve.
const settings = `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml }
release:
  steps: [10%, 100%]
  approve:
    steps: [10%]
    people: [{ name: ada }, { name: bob }]
`

// A house is a store in memory with two published months and a release that made its
// candidate the champion: an entry of each kind, each with what it rests on.
type house struct {
	t         testing.TB
	b         *store.Bucket
	dir       string // of the files that are registered
	anchor    string
	models    []store.Digest // the first champion, its successor, one that is rejected
	decision  store.Digest   // that lets the successor go
	runs      []store.Digest // of the two months
	evaluated store.Digest   // paper of the first month
	labels    store.Digest
}

const releaseName = "2024-02/retrain"

func newHouse(t testing.TB) *house {
	t.Helper()
	h := newMonths(t, settings)
	h.release()
	h.change()
	h.anchor = h.log().Anchor()
	return h
}

// newMonths returns a house before its release, with what its pipeline says of releases.
func newMonths(t testing.TB, settings string) *house {
	t.Helper()
	b, err := store.Open(context.Background(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, b: b, dir: t.TempDir()}
	for _, name := range []string{"contract.yaml", "labels.yaml", "pipeline.yaml"} {
		h.write(name, h.shipped(name))
	}
	h.write("pipeline.yaml", append(h.shipped("pipeline.yaml"), settings...))
	for trees := 1; trees <= 3; trees++ {
		h.register(trees, trees == 1)
	}
	h.score("2024-01")
	h.score("2024-02")
	return h
}

func (h *house) shipped(name string) []byte {
	h.t.Helper()
	data, err := os.ReadFile("../../testdata/retailer/" + name)
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}

func (h *house) write(name string, data []byte) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), data, 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) log() *registry.Log {
	h.t.Helper()
	log, err := registry.Load(h.t.Context(), h.b, "retailer")
	if err != nil {
		h.t.Fatal(err)
	}
	return log
}

// register registers the first trees of the shipped champion, which score fast.
func (h *house) register(trees int, champion bool) {
	h.t.Helper()
	text := string(h.shipped("champion.txt"))
	head, rest, _ := strings.Cut(text, fmt.Sprintf("Tree=%d\n", trees))
	_, tail, found := strings.Cut(rest, "end of trees\n")
	sizes, _, _ := strings.Cut(text[strings.Index(text, "tree_sizes="):], "\n")
	if !found {
		h.t.Fatal("the champion has too few trees")
	}
	few := strings.Join(strings.Fields(sizes)[:trees], " ")
	h.write("model.txt", []byte(strings.Replace(head, sizes, few, 1)+"end of trees\n"+tail))
	world := retailer.World{Seed: 1, Customers: 60}
	files, err := world.WriteDir(context.Background(), h.dir, "2023-12", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := registration.Request{Pipeline: h.path("pipeline.yaml"), Model: h.path("model.txt"), Champion: champion, Sample: files[0],
		Reference: []registration.Batch{{Name: "2023-12", File: files[0]}}, By: "test", At: time.Unix(1e9, 0).UTC()}.Do(h.t.Context(), h.b, formats)
	if err != nil {
		h.t.Fatal(err)
	}
	h.models = append(h.models, out.Version.Digest)
}

// score delivers a month of sixty customers and publishes it.
func (h *house) score(month string) {
	h.t.Helper()
	dir := filepath.Join(h.dir, month)
	world := retailer.World{Seed: 1, Customers: 60}
	files, err := world.WriteDir(context.Background(), dir, month, &retailer.Options{Parts: 2})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			h.t.Fatal(err)
		}
		h.put("incoming/retailer/"+month+"/"+filepath.Base(file), data)
	}
	env := workflowstest.Environment(h.b, formats, "score-"+month, time.Unix(1.1e9, 0).UTC())
	out := workflowstest.Score(h.t, env, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "test"})
	if out.Publication != 1 {
		h.t.Fatalf("%+v", out)
	}
	h.runs = append(h.runs, out.Run)
}

func (h *house) put(key string, data []byte) {
	h.t.Helper()
	if err := h.b.Put(context.Background(), key, data); err != nil {
		h.t.Fatal(err)
	}
}

// blob keeps a paper.
func (h *house) blob(v any) store.Digest {
	h.t.Helper()
	d, err := run.SaveBlob(context.Background(), h.b, v)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// append appends an entry, an hour after the one before it.
func (h *house) append(e registry.Entry) registry.Entry {
	h.t.Helper()
	log := h.log()
	e.ID, e.At = fmt.Sprintf("entry/%d", log.Head()), time.Unix(1.2e9, 0).UTC().Add(time.Duration(log.Head())*time.Hour)
	if e.By == "" {
		e.By = "test"
	}
	e, err := log.Append(context.Background(), e)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// release appends what makes the second model the champion.
func (h *house) release() {
	h.t.Helper()
	h.append(registry.Entry{Kind: registry.KindTraining, Batch: "2023-12", Verdict: "pass", Paper: h.blob(map[string]string{"verdict": "pass"})})
	h.append(registry.Entry{Kind: registry.KindCandidate, Release: releaseName, Model: h.models[1], Batch: "2023-12"})
	h.append(registry.Entry{Kind: registry.KindShadow, Batch: "2024-01", Run: h.runs[0], Model: h.models[1], Paper: h.scored(h.models[1])})
	h.labels = h.blob(labels.Version{Format: 1, Pipeline: "retailer", Batch: "2024-01", Complete: true})
	h.evaluated = h.blob(evidence.Evaluation{Format: 1, Pipeline: "retailer", Batch: "2024-01", Run: h.runs[0], Verdict: "pass",
		Labels: evidence.LabelSummary{Version: h.labels}})
	h.append(registry.Entry{Kind: registry.KindEvaluated, Batch: "2024-01", Run: h.runs[0], Model: h.models[0], Verdict: "pass", Labels: h.labels, Paper: h.evaluated})
	until := time.Unix(2e9, 0).UTC()
	w := h.append(registry.Entry{Kind: registry.KindWaiver, Rule: "calibration/slope", Until: &until, By: "ada", Reason: "known"})
	d := h.judged(h.models[1], 0.5, gate.Waiver{Rule: w.Rule, By: w.By, Reason: w.Reason, Until: until, Entry: w.Seq})
	if d.Verdict != gate.Pass {
		h.t.Fatalf("the candidate is no better: %v", d.Reasons)
	}
	h.decision = h.blob(d)
	h.append(h.advance(d, h.decision))
	h.append(h.approve("ada", "10%"))
	h.append(h.routing("10%", 1000))
	h.append(registry.Entry{Kind: registry.KindControl, Control: registry.ControlHold, Reason: "a sale"})
	h.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: h.models[1], Decision: h.decision})
	h.append(h.routing("watch", 10000))
	h.append(registry.Entry{Kind: registry.KindRejected, Model: h.models[2], Reason: "not needed"})
}

// scored is the paper of a shadow: the champion's files pass for another model's.
func (h *house) scored(model store.Digest) store.Digest {
	h.t.Helper()
	ctx := context.Background()
	plan, err := run.LoadPlan(ctx, h.b, "retailer", "2024-01", h.runs[0])
	if err != nil {
		h.t.Fatal(err)
	}
	published, _ := h.log().Find("published/2024-01/1")
	data, err := run.LoadVerdict(ctx, h.b, "retailer", "2024-01", h.runs[0], published.Decision)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := run.FindScored(ctx, h.b, plan, data, plan.Champion, "")
	if err != nil {
		h.t.Fatal(err)
	}
	s.Model = model
	return h.blob(s)
}

// judged lets the shipped gate judge a candidate whose scores have so much of the noise
// of the champion's.
func (h *house) judged(model store.Digest, noise float64, waivers ...gate.Waiver) *gate.Decision {
	h.t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	in := gate.Paired{Batches: []string{"2024-01"}}
	for range 4000 {
		z := r.NormFloat64()
		label := 0.0
		if r.Float64() < logistic(z) {
			label = 1
		}
		in.Data.Labels = append(in.Data.Labels, label)
		in.Champion = append(in.Champion, logistic((z+r.NormFloat64())/2))
		in.Candidate = append(in.Candidate, logistic((z+noise*r.NormFloat64())/(1+noise*noise)))
	}
	policy := gate.Default()
	outcome, err := gate.Measure(policy, gate.Advance, in)
	if err != nil {
		h.t.Fatal(err)
	}
	d, err := gate.Judge(policy, gate.Advance, gate.Evidence{
		Release: gate.Case{At: time.Unix(1.3e9, 0).UTC(), Pipeline: "retailer", Release: releaseName, Step: "shadow",
			Champion: string(h.models[0]), Model: string(model), Learned: "2023-12"},
		Outcome: outcome, Sources: []gate.Source{{Batch: "2024-01", Run: string(h.runs[0]), Labels: string(h.labels)}}}, waivers)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// canary is a verdict in a run that the second model served a share of.
func (h *house) canary(moved *gate.Moved) registry.Entry {
	h.t.Helper()
	d, err := gate.Judge(gate.Default(), gate.Canary, gate.Evidence{
		Release: gate.Case{At: time.Unix(1.3e9, 0).UTC(), Pipeline: "retailer", Release: releaseName, Step: "10%", Batch: "2024-02",
			Champion: string(h.models[0]), Model: string(h.models[1])},
		Data: &gate.Data{Verdict: gate.Pass}, Compare: &gate.Compare{Rows: 1, Moved: moved}}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	e := h.advance(d, h.blob(d))
	e.Batch, e.Run = "2024-02", h.runs[1]
	return e
}

func (h *house) advance(d *gate.Decision, paper store.Digest) registry.Entry {
	about := d.Evidence.Release
	return registry.Entry{Kind: registry.KindAdvance, Release: about.Release, Step: about.Step, Model: store.Digest(about.Model),
		Verdict: string(d.Verdict), Paper: paper}
}

func (h *house) approve(by, step string) registry.Entry {
	h.t.Helper()
	paper := h.blob(release.Approval{Format: 1, Pipeline: "retailer", Release: releaseName, Step: step, Model: string(h.models[1]),
		Decision: string(h.decision), Answer: "approve", By: by, Reason: "agreed", Nonce: "n", Expires: time.Unix(2e9, 0).UTC()})
	return registry.Entry{Kind: registry.KindApproval, Release: releaseName, Step: step, Model: h.models[1], Answer: "approve", By: by, Paper: paper}
}

// routing gives so many basis points to the second model, and the rest to the first.
func (h *house) routing(step string, points int) registry.Entry {
	h.t.Helper()
	return h.routed(step, release.Arm{Model: string(h.models[0]), Share: release.Whole - points}, release.Arm{Model: string(h.models[1]), Share: points})
}

func (h *house) routed(step string, arms ...release.Arm) registry.Entry {
	h.t.Helper()
	paper := h.blob(release.Routing{Format: 1, Release: releaseName, Step: step, Salt: "s", Arms: arms})
	return registry.Entry{Kind: registry.KindRouting, Release: releaseName, Step: step, Paper: paper}
}

// change proposes other files and lets them in, then proposes a third version.
func (h *house) change() {
	h.t.Helper()
	for i, owner := range []string{"shop", "bank"} {
		text := append(h.shipped("pipeline.yaml"), settings...)
		h.write("pipeline.yaml", bytes.Replace(text, []byte("owner: demo"), []byte("owner: "+owner), 1))
		out, err := registration.Request{Pipeline: h.path("pipeline.yaml"), By: "ada", Reason: "a new owner", At: time.Unix(1.4e9, 0).UTC()}.Do(h.t.Context(), h.b, formats)
		if err != nil || out.Proposal == 0 {
			h.t.Fatalf("%+v, %v", out, err)
		}
		if i > 0 {
			return
		}
		_, err = registration.Approval{Pipeline: "retailer", Proposal: out.Proposal, By: "bob", Reason: "agreed", At: time.Unix(1.5e9, 0).UTC()}.Do(h.t.Context(), h.b)
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// copy returns a house with the same objects.
func (h *house) copy(t *testing.T) *house {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	to := *h
	to.t, to.b = t, b
	for _, key := range storetest.Keys(t, h.b) {
		data, err := h.b.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		to.put(key, data)
	}
	return &to
}

func (h *house) verify(anchors ...string) *audit.Report {
	h.t.Helper()
	a := &audit.Auditor{Store: h.b, Formats: formats, Pipeline: "retailer"}
	r, err := a.Verify(context.Background(), anchors...)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func TestVerifyOfAReleaseFindsNothing(t *testing.T) {
	h := newHouse(t)
	kinds := map[string]bool{}
	for _, e := range h.log().Entries() {
		kinds[e.Kind] = true
	}
	if len(kinds) != 15 { // no verdict by itself and no restore
		t.Errorf("kinds %v", kinds)
	}
	r := h.verify(h.anchor)
	if len(r.Findings) > 0 || r.Entries != 22 || r.Decisions != 1 || r.Papers != 10 || r.Versions != 3 || r.Publications != 2 || r.Files != 4 {
		t.Errorf("%+v", r)
	}
}
