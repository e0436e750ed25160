package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"headgate/internal/registration"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// Values of classified columns are nowhere in what a run leaves but where they must
// be: not in papers, profiles, the table's log, the registry, logs, errors, workflow
// histories or the server's database. Every month below makes something talk: rows
// that break rules, a month that is blocked, damaged files, drift and questions.
//
// The same search then finds values that were planted in each kind of place, and,
// with the classifications taken out of the contract, those that the code would show.
func TestClassifiedValuesStayWhereTheyBelong(t *testing.T) {
	w := &watch{dir: t.TempDir(), inputs: t.TempDir()}
	var warnings lockedBuffer
	stop := w.up(t, &warnings)
	w.privateYear(t, "privacy")
	t.Run("nothing leaks", w.nothingLeaks)
	t.Run("who is erased is gone", w.erasedIsGone)
	t.Run("what is planted is found", w.plantedIsFound)
	t.Run("without classifications everything shows", w.unclassifiedShows)
	stop()
	t.Run("nothing leaks while everything stops", func(t *testing.T) {
		places := slices.DeleteFunc(files(t, w.dir), func(p place) bool { return strings.HasPrefix(p.name, "store/") })
		places = append(places, place{"said:warnings", []byte(warnings.String())})
		found := slices.DeleteFunc(scan(places), func(f finding) bool { return f.column == planted })
		if len(found) > 0 {
			t.Errorf("found:%s", lines(found))
		}
	})
}

// A watch runs months on a site and keeps all that is said about them.
type watch struct {
	*site
	dir    string // of the site
	inputs string // of the files of registrations
	bucket *store.Bucket
	said   []place
}

// up brings the site up, with everybody at their most talkative. The returned function
// takes it down.
func (w *watch) up(t *testing.T, warnings *lockedBuffer) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan *site), make(chan error, 1)
	go func() {
		done <- runSite(ctx, siteOptions{dir: w.dir, debug: true}, warnings, func(ctx context.Context, s *site) error {
			ready <- s
			<-ctx.Done()
			return nil
		})
	}()
	select {
	case w.site = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	var err error
	if w.bucket, err = store.Open(ctx, w.store); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, w.bucket.Close()); err != nil {
			t.Error(err)
		}
	})
}

// hear keeps what somebody would read.
func (w *watch) hear(name string, what ...any) {
	p := place{name: "said:" + name}
	for _, v := range what {
		p.data = fmt.Appendf(p.data, "%+v\n", v)
		if b, err := json.Marshal(v); err == nil {
			p.data = append(p.data, b...)
		}
	}
	w.said = append(w.said, p)
}

// register registers the pipeline of testdata/privacy under a name. open takes the
// classifications out of its contracts.
func (w *watch) register(t *testing.T, name string, open bool) {
	dir := filepath.Join(w.inputs, name)
	for _, file := range []string{"pipeline.yaml", "contract.yaml", "scores.yaml", "model.txt", "categories.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", "privacy", file))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.Replace(text, []byte("pipeline: privacy"), []byte("pipeline: "+name), 1)
		if open {
			text = regexp.MustCompile(`classification: (confidential|restricted)`).ReplaceAll(text, []byte("classification: public"))
			text = regexp.MustCompile(`customProperties: #.*`).ReplaceAll(text, []byte("classification: public\n        customProperties:"))
		}
		save(t, filepath.Join(dir, file), text)
	}
	w.identify(t)
	reference := filepath.Join(dir, "reference.parquet")
	save(t, reference, parquet(t, peopleSchema, crowd(), ""))
	out, err := registration.Request{
		Pipeline: filepath.Join(dir, "pipeline.yaml"), Model: filepath.Join(dir, "model.txt"), Categories: filepath.Join(dir, "categories.json"),
		Sample: reference, Reference: []registration.Batch{{Name: "2023-12", File: reference}},
		Champion: true, By: "test", Reason: "to see what leaks", At: time.Unix(1e9, 0).UTC(),
	}.Do(t.Context(), w.bucket, worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	w.hear("registration", out)
}

// identify writes the set of known people, with others besides. One of the crowd is not
// in it, and goes to quarantine every month.
func (w *watch) identify(t *testing.T, others ...person) {
	save(t, filepath.Join(w.dir, "store", "reference", "ids.parquet"), parquet(t, peopleSchema, append(slices.Delete(crowd(), 7, 8), others...), ""))
}

// deliver puts a file of a month in place of the one before.
func (w *watch) deliver(t *testing.T, batch string, file []byte) {
	save(t, filepath.Join(w.dir, "store", "incoming", batch, "people.parquet"), file)
}

// score scores a batch. Where it asks, the answer is given if there is one.
func (w *watch) score(t *testing.T, pipeline, batch string, answer *workflows.Answer) (out workflows.ScoreBatchOutput, err error) {
	run, err := workflows.StartScore(t.Context(), w.client, "", workflows.ScoreBatchInput{Pipeline: pipeline, Batch: batch, By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if answer != nil {
		w.answer(t, run, *answer)
	}
	err = run.Get(t.Context(), &out)
	w.hear(pipeline+" "+batch, out, err)
	return out, err
}

// answer waits until a batch asks, and answers.
func (w *watch) answer(t *testing.T, run client.WorkflowRun, a workflows.Answer) {
	var card workflows.Scorecard
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for card.Until == "" {
		shown, err := w.client.QueryWorkflow(t.Context(), run.GetID(), run.GetRunID(), "scorecard")
		if err == nil {
			err = shown.Get(&card)
		}
		if err != nil || card.Verdict != "" && card.Verdict != string(papers.Ask) {
			t.Fatalf("%s does not ask: %+v, %v", run.GetID(), card, err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
	w.hear(run.GetID()+" asks", card, card.Markdown())
	a.Decision = card.Decision
	update, err := w.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{WorkflowID: run.GetID(), RunID: run.GetRunID(),
		UpdateName: workflows.UpdateAnswer, Args: []any{a}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err == nil {
		err = update.Get(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}
