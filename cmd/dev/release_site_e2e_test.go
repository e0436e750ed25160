//go:build e2e

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/model"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/internal/worker"
	"headgate/workflows"
)

// shortWay are settings of a pipeline whose releases take one labelled batch in shadow,
// two that are served in part, and one under watch. Labels are due at once, and how good
// probabilities are decides.
const shortWay = `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml, due: 1s, poll: 1s }
gates:
  looks: 1
  advance: { success: [logLoss], guardrails: { auc: 0.05 }, calibration: none }
  canary: { psi: 0, flips: 0, shift: 0, volume: 0 }
  reverse: { metrics: [logLoss], looks: 1 }
release:
  strategy: canary
  shadow: 1
  steps: [10%, 100%]
  batches: 2
  watch: 1
  extend: 0
`

// A releaseSite is a site with a pipeline that has labels, and with model versions to
// release.
type releaseSite struct {
	*site
	t      *testing.T
	dir    string
	bucket *store.Bucket
	shop   retailer.World
}

// withReleases runs a site whose champion says too much to everybody, with a scored and
// evaluated January. In the shipped pipeline file, replace has old and new texts in turn.
func withReleases(t *testing.T, settings string, do func(r *releaseSite), replace ...string) {
	t.Helper()
	dir := t.TempDir()
	err := runSite(t.Context(), siteOptions{dir: dir}, t.Output(), func(ctx context.Context, s *site) error {
		b, err := store.Open(ctx, s.store)
		if err != nil {
			return err
		}
		defer b.Close()
		r := &releaseSite{site: s, t: t, dir: dir, bucket: b, shop: retailer.World{Seed: 1, Customers: 1500}}
		r.register(r.pipelineFile(settings, replace...), 1.5, true)
		r.month("2024-01")
		do(r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pipelineFile writes the shipped pipeline with settings, and its contracts beside it.
func (r *releaseSite) pipelineFile(settings string, replace ...string) string {
	r.t.Helper()
	shipped, dir := filepath.Join(home(), "testdata", "retailer"), filepath.Join(r.dir, "pipeline")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		r.t.Fatal(err)
	}
	for _, name := range []string{"pipeline.yaml", "contract.yaml", "labels.yaml"} {
		text, err := os.ReadFile(filepath.Join(shipped, name))
		if name == "pipeline.yaml" {
			text = append([]byte(strings.NewReplacer(replace...).Replace(string(text))), settings...)
		}
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o666)); err != nil {
			r.t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pipeline.yaml")
}

// register makes a model version of the shipped model whose log odds are moved by
// intercept: at 0 it is right.
func (r *releaseSite) register(pipeline string, intercept float64, champion bool) store.Digest {
	r.t.Helper()
	shipped := filepath.Join(home(), "testdata", "retailer")
	text, err := os.ReadFile(filepath.Join(shipped, "champion.txt"))
	if err != nil {
		r.t.Fatal(err)
	}
	manifest := train.Manifest{Format: train.ManifestFormat, Pipeline: "retailer", Label: "bought", Features: []train.Feature{{Name: "tenure", Kind: "numeric"}},
		Results: &train.Results{Model: string(store.DigestOf(text)), Calibration: &model.Calibration{Kind: model.Platt, Intercept: intercept, Slope: 1}}}
	training := filepath.Join(r.dir, fmt.Sprintf("training %g.json", intercept))
	written, err := manifest.Marshal()
	if err = errors.Join(err, os.WriteFile(training, written, 0o666)); err != nil {
		r.t.Fatal(err)
	}
	sample, err := r.shop.WriteDir(r.t.Context(), filepath.Join(r.dir, "sample"), "2023-12", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := registration.Request{Pipeline: pipeline, Model: filepath.Join(shipped, "champion.txt"), Sample: sample[0], Training: training,
		Champion: champion, By: "test", Reason: "the test needs it", At: time.Now().UTC().Truncate(time.Millisecond)}.Do(r.t.Context(), r.bucket, worker.Formats())
	if err != nil {
		r.t.Fatal(err)
	}
	return out.Version.Digest
}

// month delivers a month and its labels, scores it, and waits until it is evaluated.
func (r *releaseSite) month(batch string) workflows.ScoreBatchOutput {
	r.t.Helper()
	incoming, labels := filepath.Join(r.root(), "incoming", "retailer", batch), filepath.Join(r.root(), "labels", "retailer", batch)
	_, err := r.shop.WriteDir(r.t.Context(), incoming, batch, nil)
	if err = errors.Join(err, os.MkdirAll(labels, 0o777)); err != nil {
		r.t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(labels, "labels.parquet"))
	if err != nil {
		r.t.Fatal(err)
	}
	err = errors.Join(r.shop.WriteLabels(r.t.Context(), file, batch, nil), file.Close(), os.WriteFile(filepath.Join(labels, "_COMPLETE"), nil, 0o666))
	if err != nil {
		r.t.Fatal(err)
	}
	run, err := workflows.StartScore(r.t.Context(), r.client, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "test"})
	if err != nil {
		r.t.Fatal(err)
	}
	var out workflows.ScoreBatchOutput
	if err := run.Get(r.t.Context(), &out); err != nil {
		r.t.Fatal(err)
	}
	r.until("evaluation of "+batch, func(e registry.Entry) bool {
		return e.Kind == registry.KindEvaluated && e.Batch == batch && e.Run == out.Run
	})
	return out
}

// root is the directory of the store.
func (r *releaseSite) root() string { return strings.TrimPrefix(r.store, "file://") }

// entries reads the registry.
func (r *releaseSite) entries() []registry.Entry {
	r.t.Helper()
	log, err := registry.Load(r.t.Context(), r.bucket, "retailer")
	if err != nil {
		r.t.Fatal(err)
	}
	return log.Entries()
}

// patience is how long something may take that takes a second.
const patience = 40 * time.Second

// until waits for an entry of the registry.
func (r *releaseSite) until(what string, is func(registry.Entry) bool) registry.Entry {
	r.t.Helper()
	return eventually(r, what, func() (registry.Entry, bool) {
		entries := r.entries()
		if i := slices.IndexFunc(entries, is); i >= 0 {
			return entries[i], true
		}
		return registry.Entry{}, false
	})
}

// eventually waits until there is something.
func eventually[T any](r *releaseSite, what string, get func() (T, bool)) T {
	r.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; {
		if got, ok := get(); ok {
			return got
		}
		if time.Now().After(end) {
			r.t.Fatalf("no %s within %v; the registry has %s", what, patience, r.told())
		}
		<-tick.C
	}
}

// told lists the registry's entries.
func (r *releaseSite) told() string {
	var all []string
	for _, e := range r.entries() {
		all = append(all, strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Batch, " ", e.Step, " ", e.Verdict, e.Answer, e.Control, " ", e.By, " ", e.Reason)), " "))
	}
	return strings.Join(all, "\n")
}

// pipeline is the pipeline file.
func (r *releaseSite) pipeline() string { return filepath.Join(r.dir, "pipeline", "pipeline.yaml") }

// candidate asks for the release of a model that has learned up to December.
func (r *releaseSite) candidate(digest store.Digest) {
	r.t.Helper()
	err := workflows.TellRelease(r.t.Context(), r.client, "", "retailer", workflows.UpdateStart,
		workflows.ReleaseStart{Model: string(digest), Batch: "2023-12", By: "eve", Reason: "the champion says too much"}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
}

// card asks the releases how far they are until they are where they should be.
func (r *releaseSite) card(what string, is func(workflows.ReleaseCard) bool) workflows.ReleaseCard {
	r.t.Helper()
	return eventually(r, what, func() (card workflows.ReleaseCard, ok bool) {
		value, err := r.client.QueryWorkflow(r.t.Context(), workflows.ReleaseID("retailer"), "", "scorecard")
		if err == nil {
			err = value.Get(&card)
		}
		return card, err == nil && is(card)
	})
}

// asks waits for the question whether a model may take a step.
func (r *releaseSite) asks(step string, digest store.Digest) workflows.ReleaseCard {
	r.t.Helper()
	return r.card("question about step "+step, func(c workflows.ReleaseCard) bool {
		return c.Next.Kind == release.DoAsk && c.Next.Step == step && c.Next.Model == string(digest)
	})
}

// served lists the models whose scores the current publication of a batch has.
func (r *releaseSite) served(batch string) []store.Digest {
	r.t.Helper()
	var last registry.Entry
	for _, e := range r.entries() {
		if e.Kind == registry.KindPublished && e.Batch == batch && e.Publication > last.Publication {
			last = e
		}
	}
	if last.Paper == "" {
		return []store.Digest{last.Model}
	}
	var serving papers.Serving
	if err := papers.LoadBlob(r.t.Context(), r.bucket, last.Paper, &serving); err != nil {
		r.t.Error(err)
	}
	return serving.Models()
}
