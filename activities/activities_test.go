package activities_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"headgate/activities"
	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

const month = "2024-01"

var formats = model.Formats{"lightgbm": lightgbm.Format}

// A shop is a store with the retailer's pipeline, and a month on its way.
type shop struct {
	t      *testing.T
	dir    string
	bucket *store.Bucket
	act    *activities.Activities
}

// newShop registers the pipeline, with the champion or without.
func newShop(t *testing.T, champion bool) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir()}
	var err error
	if s.bucket, err = store.Open(t.Context(), s.dir); err != nil {
		t.Fatal(err)
	}
	r := registration.Request{Pipeline: "../testdata/retailer/pipeline.yaml", By: "test", At: time.Unix(1e9, 0).UTC()}
	if champion {
		r.Model, r.Golden, r.Expected, r.Champion = "../testdata/retailer/champion.txt", "../testdata/retailer/golden.csv", "../testdata/retailer/golden_expected.csv", true
	}
	if _, err := r.Do(t.Context(), s.bucket, formats); err != nil {
		t.Fatal(err)
	}
	s.act = activities.New(s.bucket, formats)
	return s
}

func (s *shop) deliver(o retailer.Options) {
	s.t.Helper()
	if _, err := (retailer.World{Seed: 1, Customers: 600}).WriteDir(s.t.Context(), s.input(""), month, &o); err != nil {
		s.t.Fatal(err)
	}
}

// input returns the path of a delivered file.
func (s *shop) input(name string) string {
	return filepath.Join(s.dir, "incoming", "retailer", month, name)
}

// repeat delivers the first n rows of a file once more, in another one.
func (s *shop) repeat(name string, n int, as string) {
	s.t.Helper()
	data, err := os.ReadFile(s.input(name))
	if err != nil {
		s.t.Fatal(err)
	}
	for rec, err := range open(s.t, data).Records(s.t.Context(), columnar.ReadOptions{Rows: n}) {
		if err != nil {
			s.t.Fatal(err)
		}
		var buf bytes.Buffer
		w, err := columnar.Create(&buf, rec.Schema(), nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := errors.Join(w.Write(rec), w.Close(), os.WriteFile(s.input(as), buf.Bytes(), 0o644)); err != nil {
			s.t.Fatal(err)
		}
		return
	}
}

func open(t *testing.T, data []byte) *columnar.File {
	t.Helper()
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// column returns a column of a stored Parquet file as text.
func (s *shop) column(key, name string) []string {
	s.t.Helper()
	data, err := s.bucket.Get(s.t.Context(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	var values []string
	for rec, err := range open(s.t, data).Records(s.t.Context(), columnar.ReadOptions{Columns: []string{name}}) {
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			values = append(values, strings.Clone(rec.Column(0).ValueStr(i))) // the record goes, its text stays
		}
	}
	return values
}

// call runs one attempt of an activity as a worker does.
func call[In, Out any](s *shop, activity func(context.Context, In) (Out, error), in In) (Out, error) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(activity)
	var out Out
	value, err := env.ExecuteActivity(activity, in)
	if err == nil {
		err = value.Get(&out)
	}
	return out, err
}

func must[In, Out any](s *shop, activity func(context.Context, In) (Out, error), in In) Out {
	s.t.Helper()
	out, err := call(s, activity, in)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// failure returns kind and message of an activity's error.
func failure(err error) (kind, message string) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type(), app.Message()
	}
	return "", fmt.Sprint(err)
}

func (s *shop) resolve() activities.ResolveOutput {
	s.t.Helper()
	return must(s, s.act.Resolve, activities.ResolveInput{Pipeline: "retailer", Batch: month})
}

func TestResolveSaysWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name           string
		champion       bool
		pipeline       string
		batch          string
		kind, sentence string
	}{
		{"a pipeline that nobody registered", true, "churn", month, activities.KindUnknown,
			`pipeline "churn" is not registered in this store; run: starter register PIPELINE.yaml`},
		{"a name that no pipeline can have", true, "../churn", month, activities.KindUnknown,
			`registry: not a pipeline's name: want a-z, 0-9 and -, at most 63: "../churn"`},
		{"no champion", false, "retailer", month, activities.KindUnknown,
			`pipeline "retailer" has no champion; run: starter register PIPELINE.yaml --model FILE --champion`},
		{"a batch that is no month", true, "retailer", "January", activities.KindConfig,
			`batch "January" is not a month, as in 2024-01`},
		{"a batch that leaves its folder", true, "retailer", "../2024-01", activities.KindConfig,
			`batch "../2024-01" is not a month, as in 2024-01`},
		{"nothing was delivered", true, "retailer", month, activities.KindNoData,
			`no file matches "incoming/retailer/{batch}/*.parquet" for batch 2024-01 in STORE; deliver the batch or correct input.files`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, tt.champion)
			before := storetest.Keys(t, s.bucket)
			_, err := call(s, s.act.Resolve, activities.ResolveInput{Pipeline: tt.pipeline, Batch: tt.batch})
			kind, sentence := failure(err)
			if want := strings.Replace(tt.sentence, "STORE", s.bucket.URL(), 1); kind != tt.kind || sentence != want {
				t.Errorf("got  %s: %s\nwant %s: %s", kind, sentence, tt.kind, want)
			}
			if after := storetest.Keys(t, s.bucket); !slices.Equal(before, after) {
				t.Errorf("it wrote %v", after)
			}
		})
	}
}

func TestResolveAgainIsTheSameRun(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{Parts: 2})
	first, keys := s.resolve(), storetest.Keys(t, s.bucket)
	if second := s.resolve(); !reflect.DeepEqual(second, first) || !slices.Equal(keys, storetest.Keys(t, s.bucket)) {
		t.Errorf("first  %+v\nsecond %+v", first, second)
	}
	s.deliver(retailer.Options{Parts: 2, Fault: retailer.BadRows})
	if third := s.resolve(); third.Run.Run == first.Run.Run || third.Rows != 600 || third.Shards != 2 {
		t.Errorf("other files, the same run: %+v", third)
	}
}

// A customer who comes in two files is found after the last shard. Both copies leave
// the batch, and the rest is published.
func TestADuplicateKeyAcrossFilesIsQuarantinedLate(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{Fault: retailer.BadRows, Parts: 2})
	s.repeat("part-0001.parquet", 2, "part-0002.parquet")
	twice := s.column("incoming/retailer/"+month+"/part-0002.parquet", "customer_id")
	plan := s.resolve()
	var shards []run.Object
	for i := range plan.Shards {
		shards = append(shards, must(s, s.act.ScoreShard, activities.ScoreShardInput{Run: plan.Run, Shard: i}).Result)
	}
	data := must(s, s.act.JudgeData, activities.JudgeDataInput{Run: plan.Run, Shards: activities.Papers{Items: shards}})
	rules := map[string]int64{}
	var inRules int64
	for _, r := range data.Rules {
		rules[r.Rule] = r.Rows
		inRules += r.Rows
	}
	if data.Verdict != run.Pass || data.Rows != 602 || data.Budget != 6 || rules["primaryKey"] != 4 || data.Quarantined <= 4 || inRules != data.Quarantined {
		t.Fatalf("verdict %+v", data)
	}
	var table []run.Object
	var rows, late int64
	for i, result := range shards {
		object := must(s, s.act.AssembleShard, activities.AssembleShardInput{Run: plan.Run, Shard: i, Result: result, Data: data.Paper})
		table = append(table, object)
		var file run.TableFile
		if err := run.LoadJSON(t.Context(), s.bucket, object, &file); err != nil {
			t.Fatal(err)
		}
		rows += file.Rows
		if i == 0 != (file.Quarantine == nil) {
			t.Fatalf("table file %d: %+v", i, file)
		}
		if file.Quarantine == nil {
			continue
		}
		ids := s.column(file.Quarantine.Key, "customer_id")
		late += int64(len(ids))
		if !slices.Equal(ids, twice) || !slices.Equal(s.column(file.Quarantine.Key, "headgate_rules"), []string{"primaryKey", "primaryKey"}) ||
			!slices.Equal(s.column(file.Quarantine.Key, "headgate_row"), []string{"0", "1"}) {
			t.Errorf("%s: %v, rules %v, rows %v", file.Quarantine.Key, ids, s.column(file.Quarantine.Key, "headgate_rules"), s.column(file.Quarantine.Key, "headgate_row"))
		}
	}
	if late != 4 || rows+data.Quarantined != 602 {
		t.Errorf("%d late, %d published, %d in quarantine of 602", late, rows, data.Quarantined)
	}
	out := must(s, s.act.Publish, activities.PublishInput{Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Head: plan.Head,
		Data: data.Paper, Table: activities.Papers{Items: table}, Operation: "test/1", At: time.Unix(2e9, 0).UTC(), By: "test"})
	var published []string
	for _, key := range storetest.Keys(t, s.bucket) {
		if strings.HasPrefix(key, "scores/retailer/batch="+month) {
			published = append(published, s.column(key, "customer_id")...)
		}
	}
	if out.Rows != rows || len(published) != int(rows) || slices.ContainsFunc(published, func(id string) bool { return slices.Contains(twice, id) }) {
		t.Errorf("published %+v, %d rows in the table", out, len(published))
	}
}

func TestAVerdictOfAnotherRunLetsNothingOut(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	plan := s.resolve()
	shard := must(s, s.act.ScoreShard, activities.ScoreShardInput{Run: plan.Run, Shard: 0})
	for name, verdict := range map[string]run.Data{
		"a block":             {Run: plan.Run.Run, Verdict: run.Block},
		"no verdict":          {Run: plan.Run.Run},
		"that of another run": {Run: store.DigestOf(nil), Verdict: run.Pass},
	} {
		paper, err := run.SaveJSON(t.Context(), s.bucket, "runs/test", "data.json", verdict)
		if err != nil {
			t.Fatal(err)
		}
		_, err = call(s, s.act.AssembleShard, activities.AssembleShardInput{Run: plan.Run, Result: shard.Result, Data: paper})
		if kind, sentence := failure(err); kind != activities.KindCorrupt || !strings.Contains(sentence, "lets nothing out") {
			t.Errorf("%s: %s: %s", name, kind, sentence)
		}
	}
	if keys := s.table(); len(keys) > 0 {
		t.Errorf("the table has %v", keys)
	}
}

// table lists the keys under the table's root.
func (s *shop) table() []string {
	return slices.DeleteFunc(storetest.Keys(s.t, s.bucket), func(key string) bool { return !strings.HasPrefix(key, "scores/") })
}

func TestAnInputThatChangesStopsTheRun(t *testing.T) {
	for name, change := range map[string]func(s *shop) error{
		"replaced by other rows": func(s *shop) error {
			s.deliver(retailer.Options{Fault: retailer.BadRows})
			return nil
		},
		"replaced by the same bytes at another time": func(s *shop) error {
			return os.Chtimes(s.input("part-0000.parquet"), time.Time{}, time.Unix(1e9, 0))
		},
		"removed": func(s *shop) error { return os.Remove(s.input("part-0000.parquet")) },
	} {
		t.Run(name+" before the shard", func(t *testing.T) {
			s := newShop(t, true)
			s.deliver(retailer.Options{})
			plan := s.resolve()
			if err := change(s); err != nil {
				t.Fatal(err)
			}
			s.wantChanged(plan.Run)
		})
		t.Run(name+" during the shard", func(t *testing.T) {
			s := newShop(t, true)
			s.deliver(retailer.Options{})
			plan := s.resolve()
			var once sync.Once
			s.act = activities.New(s.bucket.Intercept(func(_ context.Context, c store.Call, do func() error) error {
				err := do()
				if c.Name == store.CallRead && strings.HasPrefix(c.Key, "incoming/") {
					once.Do(func() { err = errors.Join(err, change(s)) })
				}
				return err
			}), formats)
			s.wantChanged(plan.Run)
		})
	}
}

// wantChanged scores a shard and wants it to refuse its input and to leave nothing.
func (s *shop) wantChanged(r activities.Run) {
	s.t.Helper()
	before := storetest.Keys(s.t, s.bucket)
	_, err := call(s, s.act.ScoreShard, activities.ScoreShardInput{Run: r})
	want := "incoming/retailer/2024-01/part-0000.parquet was replaced or removed while the batch was being scored; nothing was published: start the batch again"
	if kind, sentence := failure(err); kind != activities.KindInputChanged || sentence != want {
		s.t.Errorf("got  %s: %s\nwant %s: %s", kind, sentence, activities.KindInputChanged, want)
	}
	for _, key := range storetest.Keys(s.t, s.bucket) {
		if !slices.Contains(before, key) {
			s.t.Errorf("it left %s", key)
		}
	}
}

func TestAZombieCannotPublish(t *testing.T) {
	s := newShop(t, true)
	s.deliver(retailer.Options{})
	in := s.assembled()
	in.Operation = "first"
	first := must(s, s.act.Publish, in)
	if again := must(s, s.act.Publish, in); !reflect.DeepEqual(again, first) {
		t.Errorf("again  %+v\nbefore %+v", again, first)
	}
	s.deliver(retailer.Options{Fault: retailer.BadRows})
	late := s.assembled()
	late.Operation, late.Expect = "late", 0
	before := storetest.Keys(t, s.bucket)
	_, err := call(s, s.act.Publish, late)
	if kind, sentence := failure(err); kind != activities.KindConflict {
		t.Errorf("%s: %s", kind, sentence)
	}
	if after := storetest.Keys(t, s.bucket); !slices.Equal(after, before) {
		t.Errorf("the zombie left %v", after)
	}
}

// assembled takes the month to the moment before the commit.
func (s *shop) assembled() activities.PublishInput {
	s.t.Helper()
	plan := s.resolve()
	shard := must(s, s.act.ScoreShard, activities.ScoreShardInput{Run: plan.Run})
	data := must(s, s.act.JudgeData, activities.JudgeDataInput{Run: plan.Run, Shards: activities.Papers{Items: []run.Object{shard.Result}}})
	file := must(s, s.act.AssembleShard, activities.AssembleShardInput{Run: plan.Run, Result: shard.Result, Data: data.Paper})
	return activities.PublishInput{Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Head: plan.Head, Expect: plan.Expect,
		Data: data.Paper, Table: activities.Papers{Items: []run.Object{file}}, At: time.Unix(2e9, 0).UTC(), By: "test"}
}

func TestAPublicationThatDoesNotExist(t *testing.T) {
	s := newShop(t, true)
	_, err := call(s, s.act.FindPublication, activities.FindPublicationInput{Pipeline: "retailer", Batch: month, Publication: 3})
	if kind, sentence := failure(err); kind != activities.KindUnknown || sentence != "batch 2024-01 of pipeline retailer was never published, so there is nothing to restore" {
		t.Errorf("%s: %s", kind, sentence)
	}
}
