package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/evidence"
	"headgate/internal/labels"
	"headgate/internal/run"
	"headgate/internal/store"
)

const pipelineFile = `pipeline: shop
contract: contract.yaml
input: { files: "in/{batch}/*.parquet" }
batch: month
scores: { keep: [segment] }
quarantine: { budget: 10% }
`

const contractFile = `apiVersion: v3.1.0
kind: DataContract
id: shop
name: shop
version: 1.0.0
status: active
schema:
  - name: customers
    logicalType: object
    properties:
      - { name: id, logicalType: integer, required: true, customProperties: [{ property: mlRole, value: entityKey }] }
      - { name: segment, logicalType: string, customProperties: [{ property: mlRole, value: slice }] }
      - { name: x, logicalType: number, customProperties: [{ property: mlRole, value: feature }] }
`

const labelFile = `apiVersion: v3.1.0
kind: DataContract
id: labels
name: labels
version: 1.0.0
status: active
schema:
  - name: labels
    logicalType: object
    customProperties:
      - { property: labelWindow, value: 30d }
      - { property: labelMarker, value: _COMPLETE }
      - { property: labelAbsence, value: unknown }
    properties:
      - { name: id, logicalType: integer, required: true, primaryKey: true, customProperties: [{ property: mlRole, value: entityKey }] }
      - { name: bought, logicalType: boolean, customProperties: [{ property: mlRole, value: label }] }
      - { name: treated, logicalType: boolean, customProperties: [{ property: mlRole, value: treatment }] }
      - { name: p, logicalType: number, customProperties: [{ property: mlRole, value: propensity }] }
`

// untreated is a contract of labels in which nobody is treated.
var untreated = strings.NewReplacer(", customProperties: [{ property: mlRole, value: treatment }]", "", ", customProperties: [{ property: mlRole, value: propensity }]", "").Replace(labelFile)

// Models of the shop.
var (
	champion = store.DigestOf([]byte("champion"))
	arm      = store.DigestOf([]byte("arm"))
	late     = store.DigestOf([]byte("late"))
)

// A person is a row of a batch.
type person struct {
	id      int64
	segment string
	scores  map[store.Digest]float64 // of champion, arm and late
	bad     bool                     // quarantined late
	outcome int                      // 0, 1, or −1 for none
	treated bool
	p       float64
}

// A shop keeps batches as runs do.
type shop struct {
	t        *testing.T
	bucket   *store.Bucket
	labels   string // contract of the labels
	contract string // of the batches
	shards   int
}

func newShop(t *testing.T, labels string) *shop {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &shop{t: t, bucket: b, labels: labels, contract: contractFile, shards: 2}
}

func (s *shop) blob(data string) store.Digest {
	s.t.Helper()
	ref, err := s.bucket.PutBlob(s.t.Context(), []byte(data))
	if err != nil {
		s.t.Fatal(err)
	}
	return ref.Digest
}

// score keeps a batch that champion and arm have scored in its run, and late afterwards.
func (s *shop) score(batch string, people []person) evidence.Batch {
	s.t.Helper()
	ctx := s.t.Context()
	plan := &run.Plan{Format: run.Format, Scoring: run.ScoringVersion, Pipeline: "shop", Batch: batch, File: s.blob(pipelineFile), Contract: s.blob(s.contract),
		Champion: champion, Models: []store.Digest{arm}, Files: []run.File{{Key: "in/" + batch + "/a.parquet"}}, Rows: int64(len(people))}
	size := (len(people) + s.shards - 1) / s.shards
	for from := 0; from < len(people); from += size {
		plan.Shards = append(plan.Shards, run.Shard{FirstRow: int64(from), Rows: int64(min(size, len(people)-from))})
	}
	name, err := run.SavePlan(ctx, s.bucket, plan)
	if err != nil {
		s.t.Fatal(err)
	}
	dir := run.Dir("shop", batch, name)
	data := run.Data{Format: run.Format, Run: name, Stage: "rows", Verdict: run.Pass}
	after := run.Scored{Format: run.Format, Pipeline: "shop", Batch: batch, Run: name, Model: late, Rows: plan.Rows}
	var items []run.Object
	for i, shard := range plan.Shards {
		rows := people[shard.FirstRow : shard.FirstRow+shard.Rows]
		object := func(model store.Digest) *run.Object {
			o, err := run.Save(ctx, s.bucket, dir+"/scores/"+run.Short(model), fmt.Sprintf("%06d.parquet", i), s.scoreFile(rows, shard.FirstRow, model))
			if err != nil {
				s.t.Fatal(err)
			}
			return &o
		}
		result := run.ShardResult{Format: run.Format, Shard: i, Rows: shard.Rows, Scored: shard.Rows, Scores: object(champion),
			Models: []run.ModelScores{{Model: arm, Scores: object(arm)}}}
		after.Shards = append(after.Shards, run.ShardScores{Shard: i, Rows: shard.Rows, Scores: object(late)})
		for j, p := range rows {
			if p.bad {
				data.Late = append(data.Late, run.Late{Shard: i, Row: int64(j), Rule: "unique"})
			}
		}
		items = append(items, saveJSON(s, dir+"/shards", fmt.Sprintf("%06d.json", i), result))
	}
	data.Shards = []run.Object{saveJSON(s, dir+"/lists", "shards.json", run.List{Format: run.Format, Items: items})}
	verdict := saveJSON(s, dir, "data.json", data)
	text, err := run.Encode(after)
	if err != nil {
		s.t.Fatal(err)
	}
	return evidence.Batch{Batch: batch, Run: name, Decision: verdict.Digest, Shadows: map[store.Digest]store.Digest{late: s.blob(string(text))}}
}

func saveJSON(s *shop, dir, name string, v any) run.Object {
	o, err := run.SaveJSON(s.t.Context(), s.bucket, dir, name, v)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// scoreFile returns what a model said; the champion's has the kept column too.
func (s *shop) scoreFile(rows []person, first int64, model store.Digest) []byte {
	s.t.Helper()
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "headgate_row", Type: arrow.PrimitiveTypes.Int64},
		{Name: "raw_0", Type: arrow.PrimitiveTypes.Float64}, {Name: "pred_0", Type: arrow.PrimitiveTypes.Float64}}
	if model == champion {
		fields = append(fields, arrow.Field{Name: "segment", Type: arrow.BinaryTypes.String, Nullable: true})
	}
	return parquet(s.t, fields, len(rows), func(b *array.RecordBuilder, i int) {
		b.Field(0).(*array.Int64Builder).Append(rows[i].id)
		b.Field(1).(*array.Int64Builder).Append(first + int64(i))
		b.Field(2).(*array.Float64Builder).Append(0)
		b.Field(3).(*array.Float64Builder).Append(rows[i].scores[model])
		switch {
		case model != champion:
		case rows[i].segment == "":
			b.Field(4).AppendNull()
		default:
			b.Field(4).(*array.StringBuilder).Append(rows[i].segment)
		}
	})
}

func parquet(t *testing.T, fields []arrow.Field, rows int, add func(b *array.RecordBuilder, i int)) []byte {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i := range rows {
		add(b, i)
	}
	rec := b.NewRecord()
	defer rec.Release()
	var out bytes.Buffer
	w, err := columnar.Create(&out, rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// label writes what came true of a batch, and returns the version.
func (s *shop) label(b evidence.Batch, people []person, complete bool) evidence.Batch {
	s.t.Helper()
	var known []person
	for _, p := range people {
		if p.outcome >= 0 {
			known = append(known, p)
		}
	}
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "bought", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "treated", Type: arrow.FixedWidthTypes.Boolean}, {Name: "p", Type: arrow.PrimitiveTypes.Float64}}
	data := parquet(s.t, fields, len(known), func(b *array.RecordBuilder, i int) {
		b.Field(0).(*array.Int64Builder).Append(known[i].id)
		b.Field(1).(*array.BooleanBuilder).Append(known[i].outcome == 1)
		b.Field(2).(*array.BooleanBuilder).Append(known[i].treated)
		b.Field(3).(*array.Float64Builder).Append(known[i].p)
	})
	prefix := "labels/" + b.Batch + "/"
	if err := s.bucket.Put(s.t.Context(), prefix+"a.parquet", data); err != nil {
		s.t.Fatal(err)
	}
	if complete {
		if err := s.bucket.Put(s.t.Context(), prefix+"_COMPLETE", nil); err != nil {
			s.t.Fatal(err)
		}
	}
	v, err := labels.Find(s.t.Context(), s.bucket, labels.Version{Pipeline: "shop", Batch: b.Batch, Contract: s.blob(s.labels)},
		labels.Where{Prefix: prefix, Match: func(key string) bool { return strings.HasSuffix(key, ".parquet") }, Marker: prefix + "_COMPLETE"})
	if err != nil {
		s.t.Fatal(err)
	}
	if b.Labels, err = labels.Save(s.t.Context(), s.bucket, v); err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *shop) load(r evidence.Request) *evidence.Rows {
	s.t.Helper()
	r.Pipeline = "shop"
	rows, err := evidence.Load(s.t.Context(), s.bucket, r, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// people returns n people with ids from first on, whose score is their chance to buy.
func people(n int, first int64, outcome func(i int, p float64) int) []person {
	var out []person
	for i := range n {
		p := (float64(i) + 0.5) / float64(n)
		out = append(out, person{id: first + int64(i*7919%n), segment: []string{"a", "b", "c", ""}[i%4], outcome: outcome(i, p),
			scores: map[store.Digest]float64{champion: p, arm: p * p, late: math.Sqrt(p)}})
	}
	return out
}
