package activities_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

// judged takes a month of two files to the point where it may be published.
func (s *shop) judged() (activities.ResolveOutput, activities.JudgeDataOutput, []run.Object) {
	s.t.Helper()
	s.deliver(retailer.Options{Parts: 2})
	plan := s.resolve()
	var shards, table []run.Object
	for i := range plan.Shards {
		shards = append(shards, must(s, s.act.ScoreShard, activities.ScoreShardInput{Run: plan.Run, Shard: i}).Result)
	}
	data := must(s, s.act.JudgeData, activities.JudgeDataInput{Run: plan.Run, Shards: activities.Papers{Items: shards}})
	for i, result := range shards {
		table = append(table, must(s, s.act.AssembleShard, activities.AssembleShardInput{Run: plan.Run, Shard: i, Result: result, Data: data.Paper}))
	}
	return plan, data, table
}

// verdict stores a verdict that is the given one but for a change.
func (s *shop) verdict(o run.Object, change func(d *run.Data)) run.Object {
	s.t.Helper()
	var d run.Data
	if err := run.LoadJSON(s.t.Context(), s.bucket, o, &d); err != nil {
		s.t.Fatal(err)
	}
	change(&d)
	out, err := run.SaveJSON(s.t.Context(), s.bucket, "runs/test", "data.json", d)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// A commit has every shard of the run and the fallback that the verdict wants, or there
// is none.
func TestPublishCommitsTheWholeBatchOrNothing(t *testing.T) {
	s := newShop(t, true)
	plan, data, table := s.judged()
	whole := activities.PublishInput{Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Head: plan.Head,
		Data: data.Paper, Table: activities.Papers{Items: table}, Operation: "test/1", At: time.Unix(2e9, 0).UTC(), By: "test"}
	for _, tt := range []struct {
		name  string
		spoil func(in *activities.PublishInput)
		want  string
	}{
		{"without the last shard", func(in *activities.PublishInput) { in.Table.Items = table[:1] }, "1 table files for 2 shards"},
		{"with a shard twice", func(in *activities.PublishInput) { in.Table.Items = append(slices.Clone(table), table[1]) }, "3 table files for 2 shards"},
		{"with the shards in another order", func(in *activities.PublishInput) { in.Table.Items = []run.Object{table[1], table[0]} }, "stands in the place of shard 0"},
		{"without the fallback that the verdict wants", func(in *activities.PublishInput) {
			in.Data = s.verdict(data.Paper, func(d *run.Data) { d.Fallback = &table[0] })
		}, "the verdict wants fallback scores"},
		{"with a fallback that the verdict does not want", func(in *activities.PublishInput) { in.Fallback = &table[0] }, "the verdict wants no fallback scores"},
		{"with a verdict that blocks", func(in *activities.PublishInput) {
			in.Data = s.verdict(data.Paper, func(d *run.Data) { d.Verdict = run.Block })
		}, "lets nothing out"},
		{"with a verdict that asks", func(in *activities.PublishInput) {
			in.Data = s.verdict(data.Paper, func(d *run.Data) { d.Verdict = run.Ask })
		}, "lets nothing out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := whole
			tt.spoil(&in)
			_, err := call(s, s.act.Publish, in)
			if kind, sentence := failure(err); kind != activities.KindCorrupt || !strings.Contains(sentence, tt.want) {
				t.Errorf("got %s: %s", kind, sentence)
			}
			if log := slices.DeleteFunc(s.table(), func(key string) bool { return !strings.Contains(key, "_delta_log") }); len(log) > 0 {
				t.Fatalf("committed %v", log)
			}
		})
	}
	first := must(s, s.act.Publish, whole)
	keys := storetest.Keys(t, s.bucket)
	if again := must(s, s.act.Publish, whole); !reflect.DeepEqual(again, first) || !slices.Equal(keys, storetest.Keys(t, s.bucket)) {
		t.Errorf("first %+v, again %+v", first, again)
	}
}

// entries returns the registry's entries after the registration.
func (s *shop) entries() []registry.Entry {
	s.t.Helper()
	log, err := registry.Load(s.t.Context(), s.bucket, "retailer")
	if err != nil {
		s.t.Fatal(err)
	}
	return log.Entries()[3:]
}

// An answer that got lost is given again, at another time, by another worker: there is
// one entry, and one verdict.
func TestRecordAndAnswerAreEnteredOnce(t *testing.T) {
	s := newShop(t, true)
	plan, data, _ := s.judged()
	asks := s.verdict(data.Paper, func(d *run.Data) { d.Verdict, d.Asks = run.Ask, []string{"the data has drifted"} })
	record := activities.RecordInput{Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Paper: asks, Verdict: run.Ask,
		Reasons: []string{"the data has drifted"}, Operation: "test/1", At: time.Unix(2e9, 0).UTC(), By: "test"}
	asked := must(s, s.act.Record, record)
	record.At = record.At.Add(time.Minute)
	if again := must(s, s.act.Record, record); again != asked || len(s.entries()) != 1 {
		t.Errorf("recorded %+v, again %+v: %+v", asked, again, s.entries())
	}
	answer := activities.AnswerInput{Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Data: asks, Approved: true,
		By: "ann", Reason: "as expected", Operation: "test/1", At: time.Unix(2e9+60, 0).UTC()}
	first := must(s, s.act.Answer, answer)
	keys := storetest.Keys(t, s.bucket)
	answer.At = answer.At.Add(time.Minute)
	again := must(s, s.act.Answer, answer)
	if again.Paper != first.Paper || again.Seq != first.Seq || again.Verdict != run.Pass || !slices.Equal(keys, storetest.Keys(t, s.bucket)) {
		t.Errorf("answered %+v, again %+v", first, again)
	}
	entries := s.entries()
	if len(entries) != 2 || entries[1].Verdict != "pass" || entries[1].By != "ann" || entries[1].Decision != first.Paper.Digest || entries[0].Decision != asks.Digest {
		t.Errorf("entries %+v", entries)
	}
	answer.Approved = false
	if kind, sentence := failure(second(call(s, s.act.Answer, answer))); kind != activities.KindConflict {
		t.Errorf("the other answer of the same run: %s: %s", kind, sentence)
	}
	if len(s.entries()) != 2 {
		t.Errorf("entries %+v", s.entries())
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhatAsksNothingCannotBeAnswered(t *testing.T) {
	s := newShop(t, true)
	plan, data, _ := s.judged()
	for name, paper := range map[string]run.Object{
		"a pass":                    data.Paper,
		"a question of another run": s.verdict(data.Paper, func(d *run.Data) { d.Verdict, d.Run = run.Ask, store.DigestOf(nil) }),
	} {
		_, err := call(s, s.act.Answer, activities.AnswerInput{Run: plan.Run, Model: plan.Model, Contract: plan.Contract, Data: paper,
			Approved: true, By: "ann", Reason: "r", Operation: "test/1", At: time.Unix(2e9, 0).UTC()})
		if kind, sentence := failure(err); kind != activities.KindCorrupt || !strings.Contains(sentence, "asks nothing") {
			t.Errorf("%s: %s: %s", name, kind, sentence)
		}
	}
	if len(s.entries()) > 0 {
		t.Errorf("entries %+v", s.entries())
	}
}
