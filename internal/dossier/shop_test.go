package dossier_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headgate/internal/dossier"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/workflows"
	"headgate/workflows/workflowstest"
)

const shipped = "../../testdata/retailer/"

var (
	formats = model.Formats{"lightgbm": lightgbm.Format}
	// day is when people and gates begin to act on the shop.
	day = time.Date(2024, 7, 1, 8, 0, 0, 0, time.UTC)
)

// A shop is a store in memory with the shipped pipeline of a retailer and its champion.
type shop struct {
	t *testing.T
	b *store.Bucket
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, b: inMemory(t)}
	s.register(shipped + "loop.yaml")
	return s
}

// newMonths returns a shop with three months: one is fine, one has rows in quarantine, and
// one lacks a column and is blocked. They are scored once for all tests.
func newMonths(t *testing.T) *shop {
	t.Helper()
	scored.once.Do(func() {
		s := newShop(t)
		s.score("2024-01", retailer.NoFault)
		s.score("2024-02", retailer.BadRows)
		s.score("2024-04", retailer.MissingColumn)
		objects := map[string][]byte{}
		for _, key := range storetest.Keys(t, s.b) {
			objects[key] = s.get(key)
		}
		scored.objects = objects
	})
	s := &shop{t: t, b: inMemory(t)}
	for key, data := range scored.objects {
		s.put(key, data)
	}
	if len(scored.objects) == 0 {
		t.Fatal("the months could not be scored; see the first test that failed")
	}
	return s
}

var scored struct {
	once    sync.Once
	objects map[string][]byte // by key
}

func inMemory(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *shop) get(key string) []byte {
	s.t.Helper()
	data, err := s.b.Get(s.t.Context(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *shop) put(key string, data []byte) {
	s.t.Helper()
	if err := s.b.Put(s.t.Context(), key, data); err != nil {
		s.t.Fatal(err)
	}
}

// register makes a pipeline file and the shipped model those in force.
func (s *shop) register(pipeline string) {
	s.t.Helper()
	_, err := registration.Request{Pipeline: pipeline, Model: shipped + "champion.txt", Champion: true, Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv",
		Reference: []registration.Batch{{Name: "2023-12", File: s.month("2023-12", retailer.NoFault)[0]}},
		By:        "test", Reason: "the first one", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(s.t.Context(), s.b, formats)
	if err != nil {
		s.t.Fatal(err)
	}
}

// month writes a month of 1000 customers and returns its files.
func (s *shop) month(month string, fault retailer.Fault) []string {
	s.t.Helper()
	files, err := retailer.World{Seed: 1, Customers: 1000}.WriteDir(s.t.Context(), s.t.TempDir(), month, &retailer.Options{Fault: fault})
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

// score delivers a month and scores it.
func (s *shop) score(month string, fault retailer.Fault) workflows.ScoreBatchOutput {
	s.t.Helper()
	for _, file := range s.month(month, fault) {
		data, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		s.put(path.Join("incoming/retailer", month, filepath.Base(file)), data)
	}
	env := workflowstest.Environment(s.b, formats, fmt.Sprintf("score-%s-%d", month, s.log().Head()), time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC))
	return workflowstest.Score(s.t, env, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "ada"})
}

func (s *shop) log() *registry.Log {
	s.t.Helper()
	log, err := registry.Load(s.t.Context(), s.b, "retailer")
	if err != nil {
		s.t.Fatal(err)
	}
	return log
}

// append appends entries by ada, each an hour after the one before.
func (s *shop) append(entries ...registry.Entry) {
	s.t.Helper()
	log := s.log()
	for _, e := range entries {
		e.ID, e.At = fmt.Sprint("entry ", log.Head()), day.Add(time.Duration(log.Head())*time.Hour)
		if e.By == "" {
			e.By = "ada"
		}
		if _, err := log.Append(s.t.Context(), e); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shop) champion() store.Digest {
	s.t.Helper()
	state := s.log().State()
	return state.Champion()
}

// keep stores a paper and returns its digest.
func (s *shop) keep(paper any) store.Digest {
	s.t.Helper()
	d, err := run.SaveBlob(s.t.Context(), s.b, paper)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// remove deletes the one object whose key matches a pattern, as docs/privacy.md lets people
// do.
func (s *shop) remove(pattern string) {
	s.t.Helper()
	var found []string
	for _, key := range storetest.Keys(s.t, s.b) {
		if ok, err := path.Match(pattern, key); err != nil || ok {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		s.t.Fatalf("%s matches %q", pattern, found)
	}
	if err := s.b.Delete(s.t.Context(), found[0]); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) open() *dossier.Reader {
	s.t.Helper()
	r, err := dossier.Open(s.t.Context(), s.b, "retailer", formats)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// short returns the digits by which people name a run, a training or a model version.
func short(d store.Digest) string { return strings.TrimPrefix(string(d), "sha256:")[:8] }
