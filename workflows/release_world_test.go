package workflows_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// atOnce are settings by which a person's yes is all that a candidate needs.
const atOnce = `release:
  strategy: allAtOnce
  shadow: 0
  watch: 0
  approve:
    steps: [100%]
`

// releasing is a world whose pipeline has labels and releases by these settings.
func releasing(t *testing.T, settings string) *world {
	t.Helper()
	return configured(t, 300, "labels: { files: \"labels/retailer/{batch}/*.parquet\", contract: labels.yaml }\n"+settings,
		nil, map[string]string{"labels.yaml": shippedLabels(t)})
}

// shippedLabels is the shipped contract of the labels.
func shippedLabels(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../testdata/retailer/labels.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// changedVersion registers another model version, whose text is changed, and returns its digest.
func (w *world) changedVersion(change *strings.Replacer) store.Digest {
	w.t.Helper()
	shipped := "../testdata/retailer/"
	text, err := os.ReadFile(shipped + "champion.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	model := filepath.Join(w.t.TempDir(), "model.txt")
	if err := os.WriteFile(model, []byte(change.Replace(string(text))), 0o600); err != nil {
		w.t.Fatal(err)
	}
	out, err := registration.Request{Pipeline: w.pipeline, Model: model, Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv",
		By: "test", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(w.t.Context(), w.bucket, worker.Formats())
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Version.Digest
}

// twinVersion registers a version that gives the champion's scores and is not it; n makes
// it another one.
func (w *world) twinVersion(n int) store.Digest {
	w.t.Helper()
	return w.changedVersion(strings.NewReplacer("[boosting: gbdt]", "[boosting: gbdt"+strings.Repeat(" ", n)+"]"))
}

// A theatre is a Release in a test environment, and what people say to it.
type theatre struct {
	*world
	env  *testsuite.TestWorkflowEnvironment
	said []*said
}

// said is what somebody who sent an Update gets to hear.
type said struct {
	update   string
	accepted bool
	err      error // why it was refused
	out      any
	heard    bool
}

// theatre makes an environment for a Release that begins on March 1, 2024.
func (w *world) theatre() *theatre {
	env := w.env()
	env.SetStartTime(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC))
	return &theatre{world: w, env: env}
}

// after does something when the release has run for so long.
func (th *theatre) after(long time.Duration, do func()) { th.env.RegisterDelayedCallback(do, long) }

// tell sends an Update from within a callback.
func (th *theatre) tell(update string, arg any) *said {
	s := &said{update: update}
	th.said = append(th.said, s)
	th.env.UpdateWorkflow(update, fmt.Sprint("update ", len(th.said)), &testsuite.TestUpdateCallback{
		OnReject:   func(err error) { s.err, s.heard = err, true },
		OnAccept:   func() { s.accepted = true },
		OnComplete: func(v any, err error) { s.out, s.err, s.heard = v, err, true },
	}, arg)
	return s
}

// start asks for the release of a model at the beginning.
func (th *theatre) start(model store.Digest) *said {
	var s *said
	th.after(0, func() {
		s = th.tell(workflows.UpdateStart, workflows.ReleaseStart{Model: string(model), By: "eve", Reason: "it is newer"})
	})
	return s
}

// card asks the release how far it is.
func (th *theatre) card() workflows.ReleaseCard {
	th.t.Helper()
	var card workflows.ReleaseCard
	value, err := th.env.QueryWorkflow("scorecard")
	if err == nil {
		err = value.Get(&card)
	}
	if err != nil {
		th.t.Error(err)
	}
	return card
}

// yes approves the question that is open.
func (th *theatre) yes(by string) *said { return th.tell(workflows.UpdateApprove, th.answer(by)) }

// answer is whole and fits the question that is open.
func (th *theatre) answer(by string) workflows.ReleaseAnswer {
	th.t.Helper()
	q := th.card().Next
	if q.Kind != release.DoAsk {
		th.t.Errorf("nothing is asked: %+v", q)
	}
	return workflows.ReleaseAnswer{By: by, Reason: "it looks good", Decision: q.Decision, Nonce: q.Nonce}
}

// run carries the release out and returns what came of it.
func (th *theatre) run() (workflows.ReleaseOutput, error) {
	th.env.ExecuteWorkflow(workflows.Release, workflows.ReleaseInput{Pipeline: "retailer"})
	var out workflows.ReleaseOutput
	err := th.env.GetWorkflowResult(&out)
	for _, s := range th.said {
		if !s.heard {
			th.t.Errorf("who sent %s heard nothing", s.update)
		}
	}
	return out, err
}

func (th *theatre) mustRun() workflows.ReleaseOutput {
	th.t.Helper()
	out, err := th.run()
	if err != nil {
		th.t.Fatal(err)
	}
	return out
}

// happened lists the kinds of the entries that releases made, with what they say.
func (w *world) happened() []string {
	w.t.Helper()
	var all []string
	for _, e := range w.registry().Entries() {
		switch e.Kind {
		case registry.KindPipeline, registry.KindRegister, registry.KindVerdict:
			continue
		case registry.KindApproval:
			all = append(all, e.Kind+" "+e.Answer)
		case registry.KindRouting:
			all = append(all, e.Kind+" "+e.Step)
		case registry.KindControl:
			all = append(all, e.Kind+" "+e.Control)
		case registry.KindAdvance:
			all = append(all, strings.TrimSpace(e.Kind+" "+e.Step+" "+e.Verdict+" "+e.Batch))
		case registry.KindShadow, registry.KindEvaluated, registry.KindPublished:
			all = append(all, e.Kind+" "+e.Batch)
		default:
			all = append(all, e.Kind)
		}
	}
	return all
}

// mustHear fails unless somebody was refused with these words, or was not if they are
// empty.
func (s *said) mustHear(t *testing.T, words string) {
	t.Helper()
	switch {
	case words == "" && (s.err != nil || !s.heard):
		t.Errorf("%s was refused: %v", s.update, s.err)
	case words != "" && (s.err == nil || !strings.Contains(s.err.Error(), words)):
		t.Errorf("%s heard %v, want %q", s.update, s.err, words)
	}
}
