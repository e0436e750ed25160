package delta_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"headgate/internal/delta"
	"headgate/internal/store"
)

var errLost = errors.New("connection reset")

// A fault is what befalls a put of a log entry.
type fault int

const (
	none fault = iota
	notWritten
	written // and neither the answer nor a look at the object comes through
)

// losing returns the table through a connection that answers the first put of a
// log entry with a fault.
func losing(b *store.Bucket, f fault) *delta.Table {
	var blind string
	return delta.Open(b.Intercept(func(ctx context.Context, call store.Call, do func() error) error {
		switch {
		case call.Name == store.CallPut && f != none:
			if f == written {
				if err := do(); err != nil {
					return err
				}
				blind = call.Key
			}
			f = none
			return errLost
		case call.Name == store.CallGet && call.Key == blind:
			blind = ""
			return errLost
		}
		return do()
	}), "scores/shop")
}

func TestALostAnswerIsMadeGoodByTheNextAttempt(t *testing.T) {
	tests := []struct {
		name  string
		fault fault
		want  delta.Published // of the second attempt
	}{
		{name: "failed and not written", fault: notWritten, want: delta.Published{Version: 2, Publication: 2}},
		{name: "failed and written", fault: written, want: delta.Published{Version: 2, Publication: 2, Already: true}},
	}
	for _, tt := range tests {
		t.Run("publish, "+tt.name, func(t *testing.T) {
			b, table := open(t)
			publish(t, table, commit("2024-01", 0, "1", put(t, b, "2024-01", "a")))
			publish(t, table, commit("2024-02", 0, "2", put(t, b, "2024-02", "x")))
			c := commit("2024-01", 1, "3", put(t, b, "2024-01", "b"))
			flaky := losing(b, tt.fault)
			if got, err := flaky.Publish(t.Context(), c); !errors.Is(err, errLost) {
				t.Fatalf("first attempt: got %+v, %v", got, err)
			}
			if got, err := flaky.Publish(t.Context(), c); err != nil || got != tt.want {
				t.Errorf("second attempt: got %+v, %v; want %+v", got, err, tt.want)
			}
			wantFiles(t, table, "2024-01", "b")
			if v := snapshot(t, table).Version(); v != 2 {
				t.Errorf("the table is at version %d, want 2", v)
			}
		})
		t.Run("restore, "+tt.name, func(t *testing.T) {
			b, table := open(t)
			publish(t, table, commit("2024-01", 0, "1", put(t, b, "2024-01", "a")))
			publish(t, table, commit("2024-01", 1, "2", put(t, b, "2024-01", "b")))
			flaky := losing(b, tt.fault)
			if got, err := flaky.Restore(t.Context(), restore("2024-01", 2, 1, "3")); !errors.Is(err, errLost) {
				t.Fatalf("first attempt: got %+v, %v", got, err)
			}
			want := tt.want
			want.Publication = 3
			if got, err := flaky.Restore(t.Context(), restore("2024-01", 2, 1, "3")); err != nil || got != want {
				t.Errorf("second attempt: got %+v, %v; want %+v", got, err, want)
			}
			wantFiles(t, table, "2024-01", "a")
		})
	}
}

// TestACommitMovesBehindThoseOfOtherBatches lets another writer commit between
// our look at the table and our put.
func TestACommitMovesBehindThoseOfOtherBatches(t *testing.T) {
	for _, first := range []bool{true, false} {
		b, table := open(t)
		if !first {
			publish(t, table, commit("2024-01", 0, "0", put(t, b, "2024-01", "z")))
		}
		expect := snapshot(t, table).Publication("2024-01")
		var once sync.Once
		other := commit("2024-02", 0, "other", put(t, b, "2024-02", "x"))
		other.Fields = append(slices.Clone(fields), delta.Field{Name: "more", Type: "string"})
		raced := delta.Open(b.Intercept(func(ctx context.Context, call store.Call, do func() error) error {
			if call.Name == store.CallPut {
				once.Do(func() { publish(t, table, other) })
			}
			return do()
		}), "scores/shop")
		got := publish(t, raced, commit("2024-01", expect, "ours", put(t, b, "2024-01", "a")))
		if got.Version != expect+1 {
			t.Errorf("published as version %d, want %d", got.Version, expect+1)
		}
		wantFiles(t, table, "2024-01", "a")
		wantFiles(t, table, "2024-02", "x")
		again := commit("2024-01", expect+1, "again", put(t, b, "2024-01", "b"))
		again.Fields = append(slices.Clone(fields), delta.Field{Name: "more", Type: "long"})
		var schema *delta.SchemaError
		if _, err := table.Publish(t.Context(), again); !errors.As(err, &schema) || schema.Column != "more" {
			t.Errorf("got %v, want that column more has another type: the other's column is lost", err)
		}
	}
}

func TestTheLoserOfARaceForABatchIsToldSo(t *testing.T) {
	b, table := open(t)
	var once sync.Once
	winner := commit("2024-01", 0, "winner", put(t, b, "2024-01", "w"))
	raced := delta.Open(b.Intercept(func(ctx context.Context, call store.Call, do func() error) error {
		if call.Name == store.CallPut {
			once.Do(func() { publish(t, table, winner) })
		}
		return do()
	}), "scores/shop")
	if got, err := raced.Publish(t.Context(), commit("2024-01", 0, "loser", put(t, b, "2024-01", "l"))); !errors.Is(err, delta.ErrConflict) {
		t.Errorf("got %+v, %v; want ErrConflict", got, err)
	}
	wantFiles(t, table, "2024-01", "w")
}

// TestManyPublishersAtOnce runs for real, for the race detector.
func TestManyPublishersAtOnce(t *testing.T) {
	b, table := open(t)
	const writers = 24
	var wins [3]int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range writers {
		batch := fmt.Sprintf("2024-%02d", i%3)
		c := commit(batch, 0, fmt.Sprint(i), put(t, b, batch, fmt.Sprint("f", i)))
		wg.Go(func() {
			_, err := table.Publish(t.Context(), c)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				wins[i%3]++
			} else if !errors.Is(err, delta.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if wins != [3]int{1, 1, 1} || snapshot(t, table).Version() != 2 {
		t.Errorf("winners per batch: %v, version %d; want one each", wins, snapshot(t, table).Version())
	}
}

// TestAnyInterleaving lets a few processes publish, restore, repeat themselves and
// come back from the dead, one request at a time in an order drawn from the seed,
// and then asks the log what happened.
func TestAnyInterleaving(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(250) {
		w := newWorld(t, seed)
		w.play()
		w.check()
		all := strings.Join(w.journal, "\n")
		for _, what := range []string{"Already:true", "Already:false}, <nil>", errLost.Error(), delta.ErrConflict.Error()} {
			seen[what] += strings.Count(all, what)
		}
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, all)
		}
	}
	for what, n := range seen {
		if n < 100 {
			t.Errorf("%q happened %d times: the test tests too little", what, n)
		}
	}
}

// A job is one publication or restore, whoever attempts it and how often.
type job struct {
	publish *delta.Commit
	restore *delta.RestoreCommit
}

func (j job) id() string {
	if j.publish != nil {
		return j.publish.Operation
	}
	return j.restore.Operation
}

func (j job) attempt(ctx context.Context, table *delta.Table) (delta.Published, error) {
	if j.publish != nil {
		return table.Publish(ctx, *j.publish)
	}
	return table.Restore(ctx, *j.restore)
}

// A world is one run of the processes. Only one of them runs at a time.
type world struct {
	t       *testing.T
	rand    *rand.Rand
	bucket  *store.Bucket
	table   *delta.Table
	files   map[string][]delta.File
	jobs    []job
	told    map[string][]delta.Published // successes, by operation
	unknown map[string]bool              // operations of which an attempt ended without an answer
	yield   chan bool                    // a process waits for its turn (true) or is done
	journal []string
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 1)), files: map[string][]delta.File{},
		told: map[string][]delta.Published{}, unknown: map[string]bool{}, yield: make(chan bool)}
	w.bucket, w.table = open(t)
	for _, batch := range []string{"2024-01", "2024-02"} {
		for i := range 4 {
			w.files[batch] = append(w.files[batch], put(t, w.bucket, batch, fmt.Sprint("f", i)))
		}
	}
	return w
}

// play starts the processes and gives them turns until all are done.
func (w *world) play() {
	var turns []chan fault
	for p := range 4 {
		turn := make(chan fault)
		turns = append(turns, turn)
		go func() {
			<-turn
			w.process(p, turn)
			w.yield <- false
		}()
	}
	for len(turns) > 0 {
		i := w.rand.IntN(len(turns))
		f := none
		if w.rand.IntN(5) == 0 {
			f = fault(w.rand.IntN(3))
		}
		turns[i] <- f
		if !<-w.yield {
			turns = slices.Delete(turns, i, i+1)
		}
	}
}

// process does a few jobs. It waits for its turn before it lists and before it
// puts; all other requests read what never changes.
func (w *world) process(p int, turn chan fault) {
	var blind string
	table := delta.Open(w.bucket.Intercept(func(ctx context.Context, call store.Call, do func() error) error {
		switch {
		case call.Name == store.CallGet && call.Key == blind:
			blind = ""
			return errLost
		case call.Name != store.CallPut && call.Name != store.CallList:
			return do()
		}
		w.yield <- true
		f := <-turn
		if call.Name == store.CallList || f == none {
			return do()
		}
		if f == written && do() == nil {
			blind = call.Key
		}
		return errLost
	}), "scores/shop")
	for range 4 {
		j, ok := w.nextJob()
		if !ok {
			continue
		}
		for range 3 {
			got, err := j.attempt(w.t.Context(), table)
			w.journal = append(w.journal, fmt.Sprintf("process %d, %s: %+v, %v", p, j.id(), got, err))
			if err == nil {
				w.told[j.id()] = append(w.told[j.id()], got)
			}
			if !errors.Is(err, errLost) {
				if err != nil && !errors.Is(err, delta.ErrConflict) {
					w.t.Errorf("%s: %v", j.id(), err)
				}
				break
			}
			w.unknown[j.id()] = true
		}
	}
}

// nextJob draws a job: an old one again, or a new one that expects what is there.
func (w *world) nextJob() (job, bool) {
	if len(w.jobs) > 0 && w.rand.IntN(4) == 0 {
		return w.jobs[w.rand.IntN(len(w.jobs))], true
	}
	s, err := w.table.Snapshot(w.t.Context())
	if err != nil {
		w.t.Error(err)
		return job{}, false
	}
	batch := []string{"2024-01", "2024-02"}[w.rand.IntN(2)]
	expect := s.Publication(batch)
	operation := fmt.Sprintf("%s/%d", batch, len(w.jobs))
	var j job
	if expect > 0 && w.rand.IntN(3) == 0 {
		c := restore(batch, expect, 1+w.rand.Int64N(expect), operation)
		j.restore = &c
	} else {
		files := slices.Clone(w.files[batch])
		w.rand.Shuffle(len(files), func(i, k int) { files[i], files[k] = files[k], files[i] })
		c := commit(batch, expect, operation, files[:w.rand.IntN(len(files)+1)]...)
		j.publish = &c
	}
	w.jobs = append(w.jobs, j)
	return j, true
}

// check compares what the log says with what the processes were told.
func (w *world) check() {
	s := snapshot(w.t, w.table)
	done := map[string]delta.Publication{}
	for _, batch := range s.Batches() {
		if err := s.Intact(batch); err != nil {
			w.t.Error(err)
		}
		for _, p := range s.History(batch) {
			if _, twice := done[p.Operation]; twice {
				w.t.Errorf("operation %s was published twice", p.Operation)
			}
			done[p.Operation] = p
			if len(w.told[p.Operation]) == 0 && !w.unknown[p.Operation] {
				w.t.Errorf("operation %s was published, and everyone was told that it was not", p.Operation)
			}
		}
	}
	if int64(len(done)) != s.Version()+1 {
		w.t.Errorf("%d publications in %d commits", len(done), s.Version()+1)
	}
	for operation, all := range w.told {
		for _, told := range all {
			if p := done[operation]; p.Number != told.Publication || p.Version != told.Version {
				w.t.Errorf("operation %s: told %+v, the log has publication %d at version %d", operation, told, p.Number, p.Version)
			}
		}
	}
	for _, j := range w.jobs {
		if p, ok := done[j.id()]; ok {
			w.checkJob(s, j, p)
		}
	}
}

// checkJob compares a publication with the job that made it.
func (w *world) checkJob(s *delta.Snapshot, j job, p delta.Publication) {
	var expect int64
	var want []delta.File
	if j.publish != nil {
		expect, want = j.publish.Expect, slices.Clone(j.publish.Files)
	} else {
		expect, want = j.restore.Expect, s.History(p.Batch)[j.restore.To-1].Files
	}
	slices.SortFunc(want, func(a, b delta.File) int { return strings.Compare(a.Path, b.Path) })
	if p.Number != expect+1 || names(p.Files) != names(want) {
		w.t.Errorf("operation %s: publication %d of %q, want %d of %q", p.Operation, p.Number, names(p.Files), expect+1, names(want))
	}
}
