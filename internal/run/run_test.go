package run_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"headgate/internal/delta"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

var (
	champion = store.DigestOf([]byte("champion"))
	beside   = store.DigestOf([]byte("beside"))
	stranger = store.DigestOf([]byte("stranger"))
	name     = store.DigestOf([]byte("run"))
)

// A plan with corrected rows, of which the delivery knows nothing.
func TestTheBaseOfAPlanIsWhatWasDelivered(t *testing.T) {
	p := run.Plan{Rows: 35, Files: []run.File{{Key: "a", Rows: 20}, {Key: "b", Rows: 10}, {Key: "fixed", Rows: 5, Replay: true}},
		Shards: []run.Shard{{File: 0, Rows: 20}, {File: 1, Rows: 10}, {File: 2, Rows: 5}}}
	base := p.Base()
	if base.Rows != 30 || len(base.Files) != 2 || len(base.Shards) != 2 || base.Files[1].Key != "b" || base.Shards[1].File != 1 {
		t.Errorf("got %+v", base)
	}
	if p.Rows != 35 || len(p.Files) != 3 {
		t.Errorf("the plan itself has changed: %+v", p)
	}
}

func TestWhoseScoresAPublicationHas(t *testing.T) {
	mixed := &release.Routing{Arms: []release.Arm{{Model: string(champion), Share: 9000}, {Model: string(beside), Share: 1000}, {Model: string(stranger), Share: 0}}}
	blueGreen := &release.Routing{Arms: []release.Arm{{Model: string(champion)}, {Model: string(beside), Share: release.Whole}}}
	for _, tt := range []struct {
		name    string
		serving run.Serving
		want    []store.Digest
		mixed   bool
	}{
		{"one model scores all", run.Serving{Model: beside}, []store.Digest{beside}, false},
		{"arms without a share serve nobody", run.Serving{Model: champion, Routing: mixed}, []store.Digest{champion, beside}, true},
		{"a new colour serves all", run.Serving{Model: champion, Routing: blueGreen}, []store.Digest{beside}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.serving.Models(); !slices.Equal(got, tt.want) || run.Mixed(tt.serving.Routing) != tt.mixed {
				t.Errorf("got %v, mixed %v", got, run.Mixed(tt.serving.Routing))
			}
		})
	}
}

// judged keeps the results of a run of two shards, which the champion and a model beside it
// have scored; that one failed where a reason is given.
func judged(t *testing.T, b *store.Bucket, failed string, order ...int) (*run.Plan, *run.Data) {
	t.Helper()
	p := &run.Plan{Format: run.Format, Pipeline: "retailer", Batch: "2024-01", Champion: champion, Models: []store.Digest{beside}, Shards: make([]run.Shard, 2)}
	var list run.List
	for _, shard := range order {
		r := run.ShardResult{Format: run.Format, Shard: shard, Rows: 10, Scored: 9, Quarantined: 1, Scores: &run.Object{Key: "champion"},
			Models: []run.ModelScores{{Model: beside, Scores: &run.Object{Key: "beside"}, Invalid: 2}}}
		if failed != "" && shard == 1 {
			r.Models[0] = run.ModelScores{Model: beside, Failed: failed}
		}
		o, err := run.SaveJSON(t.Context(), b, "runs/x/shards", "shard.json", r)
		if err != nil {
			t.Fatal(err)
		}
		list.Items = append(list.Items, o)
	}
	o, err := run.SaveJSON(t.Context(), b, "runs/x/lists", "shards.json", list)
	if err != nil {
		t.Fatal(err)
	}
	return p, &run.Data{Format: run.Format, Run: name, Stage: run.StageRows, Shards: []run.Object{o}}
}

func TestResultsStandInTheOrderOfTheShards(t *testing.T) {
	for _, tt := range []struct {
		name  string
		order []int
		want  string // of the error; "" for none
	}{
		{"all are there", []int{0, 1}, ""},
		{"one is missing", []int{0}, "1 shard results for 2 shards of batch 2024-01"},
		{"they were swapped", []int{1, 0}, "the result of shard 1 stands in the place of shard 0"},
		{"one is there twice", []int{0, 0}, "the result of shard 0 stands in the place of shard 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := inMemory(t)
			p, d := judged(t, b, "", tt.order...)
			got, err := run.Results(t.Context(), b, p, d)
			if tt.want == "" && (err != nil || len(got) != 2) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%d results, error %v, want %q", len(got), err, tt.want)
			}
		})
	}
}

func TestWhereTheScoresOfAModelAre(t *testing.T) {
	b := inMemory(t)
	shadow := run.Scored{Format: run.Format, Run: name, Model: stranger, Rows: 18, Shards: make([]run.ShardScores, 2)}
	paper, err := run.SaveBlob(t.Context(), b, shadow)
	if err != nil {
		t.Fatal(err)
	}
	shadow.Run = stranger
	elsewhere, err := run.SaveBlob(t.Context(), b, shadow)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		model  store.Digest
		failed string
		shadow store.Digest
		want   string // key of the second shard's scores, or the error
	}{
		{"the champion's, in the run", champion, "", "", "champion"},
		{"those of a model beside it, in the run", beside, "", "", "beside"},
		{"those of a model that came later, by its paper", stranger, "", paper, ""},
		{"a model that nobody asked", stranger, "", "", "the model has not scored this run"},
		{"a model that broke off", beside, "out of range", "", "the model has not scored this run: out of range"},
		{"a paper about another run", stranger, "", elsewhere, "has scores of model " + run.Short(stranger) + " for run " + run.Short(stranger)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, d := judged(t, b, tt.failed, 0, 1)
			s, err := run.FindScored(t.Context(), b, p, d, tt.model, tt.shadow)
			if err != nil {
				if !strings.Contains(err.Error(), tt.want) || tt.want == "" || tt.shadow == "" && !errors.Is(err, run.ErrNotScored) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			if s.Model != tt.model || s.Run != name || s.Rows != 18 || len(s.Shards) != 2 || tt.want != "" && s.Shards[1].Scores.Key != tt.want {
				t.Errorf("got %+v, want scores in %q", s, tt.want)
			}
			if (s.Shards[0].Invalid == 2) != (tt.model == beside) {
				t.Errorf("%d rows break the contract of the scores", s.Shards[0].Invalid)
			}
		})
	}
}

func TestVerdictsOfBothStages(t *testing.T) {
	b := inMemory(t)
	dir := run.Dir("retailer", "2024-01", name)
	rows, err := run.SaveJSON(t.Context(), b, dir, "data.json", run.Data{Format: run.Format, Stage: run.StageRows})
	if err != nil {
		t.Fatal(err)
	}
	footers, err := run.SaveJSON(t.Context(), b, dir, "footers.json", run.Data{Format: run.Format, Stage: run.StageFooters})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		decision store.Digest
		stage    string
	}{{rows.Digest, run.StageRows}, {footers.Digest, run.StageFooters}} {
		if d, err := run.FindVerdict(t.Context(), b, "retailer", "2024-01", name, tt.decision); err != nil || d.Stage != tt.stage {
			t.Errorf("stage %s: %+v, %v", tt.stage, d, err)
		}
	}
	if _, err := run.LoadVerdict(t.Context(), b, "retailer", "2024-01", name, footers.Digest); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a verdict over the footers is none over the rows: %v", err)
	}
	if _, err := run.FindVerdict(t.Context(), b, "retailer", "2024-01", name, stranger); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no verdict: %v", err)
	}
}

func TestAPublishedFileOrItsCopy(t *testing.T) {
	b := inMemory(t)
	bytes := []byte("PAR1")
	d := store.DigestOf(bytes)
	file := delta.File{Path: delta.FilePath("2024-01", strings.TrimPrefix(string(d), "sha256:")+".parquet"), Size: int64(len(bytes))}
	published := run.TablePrefix("retailer") + "/" + file.Path
	own := run.Dir("retailer", "2024-01", name) + "/table/0." + run.Short(d) + ".parquet"
	for _, key := range []string{published, own} {
		if err := b.Put(t.Context(), key, bytes); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{published, own} {
		o, err := run.Published(t.Context(), b, "retailer", "2024-01", name, file)
		if err != nil || o.Key != want || o.Digest != d || o.Size != file.Size {
			t.Errorf("%+v, %v; want %s", o, err, want)
		}
		if err := b.Delete(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Published(t.Context(), b, "retailer", "2024-01", name, file); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), published) {
		t.Errorf("gone from both places: %v", err)
	}
}

func TestTheDigestOfFilesKnowsNoOrder(t *testing.T) {
	a, err := run.FilesDigest([]delta.File{{Path: "a"}, {Path: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := run.FilesDigest([]delta.File{{Path: "b"}, {Path: "a"}}); err != nil || a != b {
		t.Errorf("%s and %s, %v", a, b, err)
	}
	if none, err := run.FilesDigest(nil); err != nil || none != store.DigestOf([]byte("[]\n")) {
		t.Errorf("of no files %s, %v", none, err)
	}
}

func TestShardsThatWereLeftOutAndRowsThatCameLate(t *testing.T) {
	skip := run.Skip{Shard: 3, By: "ann", Reason: "the file is torn", File: "a.parquet", FirstRow: 100, Rows: 50}
	d := run.Data{Skipped: []run.Skip{skip}, Late: []run.Late{{Shard: 1, Row: 7, Rule: "primaryKey"}, {Shard: 2, Row: 0, Rule: "person"}, {Shard: 1, Row: 9, Rule: "person"}}}
	if !d.Skips(3) || d.Skips(1) {
		t.Error("shard 3 alone is left out")
	}
	if got := d.LateRows(1); !maps.Equal(got, map[int64]string{7: "primaryKey", 9: "person"}) {
		t.Errorf("late rows %v", got)
	}
	const want = "shard 3 was left out by ann (claimed): the file is torn; rows 100 to 149 of a.parquet count as quarantined"
	if got := skip.Sentence(); !strings.HasPrefix(got, want) || !strings.Contains(got, "is not known") {
		t.Errorf("got %q", got)
	}
	if skip.Keys = true; skip.Sentence() != want {
		t.Errorf("got %q", skip.Sentence())
	}
}
