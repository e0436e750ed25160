package serving_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/gate"
	"headgate/internal/pass"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

const people = `
apiVersion: v3.1.0
kind: DataContract
id: people
name: people
version: 1.0.0
status: active
schema:
  - name: people
    logicalType: object
    properties:
      - name: id
        logicalType: integer
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        customProperties: [{ property: mlRole, value: entityKey }]
`

// A batch of one shard, scored by a champion and a model beside it.
func batch(t *testing.T, rows int, theirs func(mine float64) float64) (*store.Bucket, serving.Input) {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	c, err := contract.Parse("people.yaml", []byte(people))
	if err != nil {
		t.Fatal(err)
	}
	champion, candidate := store.DigestOf([]byte("champion")), store.DigestOf([]byte("candidate"))
	random := rand.New(rand.NewPCG(1, 2))
	mine, other := make([]float64, rows), make([]float64, rows)
	for i := range mine {
		mine[i] = random.Float64()
		other[i] = theirs(mine[i])
	}
	first, second := save(t, b, "champion", mine), save(t, b, "candidate", other)
	plan := &run.Plan{Champion: champion, Models: []store.Digest{candidate}, Shards: []run.Shard{{Rows: int64(rows)}}, Rows: int64(rows),
		Routing: &release.Routing{Format: 1, Salt: "salt", Arms: []release.Arm{{Model: string(champion), Share: 9000}, {Model: string(candidate), Share: 1000}}}}
	threshold := 0.5
	return b, serving.Input{Plan: plan, Data: &run.Data{Late: []run.Late{{Row: 0, Rule: "key"}}}, Contract: c, Outputs: 1, Threshold: &threshold,
		Results: []run.ShardResult{{Rows: int64(rows), Scored: int64(rows), Scores: first, Models: []run.ModelScores{{Model: candidate, Scores: second}}}}}
}

// save stores a score file.
func save(t *testing.T, b *store.Bucket, name string, preds []float64) *run.Object {
	t.Helper()
	ids := make([]int64, len(preds))
	for i := range ids {
		ids[i] = int64(i)
	}
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: pass.ColumnRow, Type: arrow.PrimitiveTypes.Int64}, {Name: "pred_0", Type: arrow.PrimitiveTypes.Float64}}
	rec := array.NewRecord(arrow.NewSchema(fields, nil), []arrow.Array{columnar.Int64s(ids), columnar.Int64s(ids), columnar.Float64s(preds)}, int64(len(preds)))
	var file bytes.Buffer
	w, err := columnar.Create(&file, rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	o, err := run.Save(context.Background(), b, "runs/test", name+".parquet", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return &o
}

func TestCompareCountsAllRowsAndComparesASample(t *testing.T) {
	b, in := batch(t, 20_000, func(mine float64) float64 { return math.Min(1, mine+0.1) })
	in.Sample = 2000
	got, ranks, err := serving.Compare(t.Context(), b, in)
	if err != nil {
		t.Fatal(err)
	}
	e := got.Models[0].Evidence
	if got.Rows != 19_999 || got.Sampled < 1800 || got.Sampled > 2200 || e.Rows != got.Sampled || e.Failed != "" {
		t.Errorf("%d rows, %d sampled, evidence %+v", got.Rows, got.Sampled, e)
	}
	if math.Abs(e.Flips.Value-0.1) > 0.02 || math.Abs(e.Shift.Value-0.095) > 0.01 {
		t.Errorf("flips %v, shift %v", e.Flips, e.Shift)
	}
	if v := e.Volume; v.Of != 19_999 || v.Share != 0.1 || v.P < 0.001 || v.Rows < 1800 || v.Rows > 2200 {
		t.Errorf("volume %+v", v)
	}
	if len(ranks.Models) != 2 || ranks.Outputs[1][0].Rows() != 19_999 {
		t.Errorf("ranks of %v", ranks.Models)
	}
	again, ranksAgain, err := serving.Compare(t.Context(), b, in)
	if err != nil || asJSON(t, again) != asJSON(t, got) || !bytes.Equal(encode(t, ranks), encode(t, ranksAgain)) {
		t.Errorf("another comparison: %v", err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := run.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func encode(t *testing.T, r *serving.Ranks) []byte {
	t.Helper()
	data, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A candidate that is far from the champion on purpose is held against itself.
func TestCompareHoldsACandidateAgainstItsShadow(t *testing.T) {
	half := func(mine float64) float64 { return mine / 2 }
	shadow := &serving.Shadow{Decision: "sha256:d", Batches: []string{"2024-06"}}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 2000 {
		x := random.Float64()
		shadow.Champion, shadow.Challenger, shadow.Clusters = append(shadow.Champion, x), append(shadow.Challenger, half(x)), append(shadow.Clusters, uint64(i))
	}
	moved := func(theirs func(float64) float64, s *serving.Shadow) *gate.Moved {
		t.Helper()
		b, in := batch(t, 1000, theirs)
		in.Shadows = map[store.Digest]*serving.Shadow{in.Plan.Models[0]: s}
		got, _, err := serving.Compare(t.Context(), b, in)
		if err != nil {
			t.Fatal(err)
		}
		if e := got.Models[0].Evidence; e.PSI == nil || e.PSI.Value < 0.2 {
			t.Errorf("the index against the champion is %v", e.PSI)
		}
		return got.Models[0].Evidence.Moved
	}
	if m := moved(half, shadow); m.PSI.Value > 0.01 || math.Abs(m.Shift.Value) > 0.01 || math.Abs(m.Flips.Value) > 0.03 || m.Rows != 2000 || m.Decision != "sha256:d" {
		t.Errorf("the same candidate: %+v", m)
	}
	if m := moved(func(mine float64) float64 { return 0.4 }, shadow); m.PSI.Low < 1 {
		t.Errorf("one that turned bad: PSI %v", m.PSI)
	}
	if m := moved(half, &serving.Shadow{Missing: "it is gone"}); m.PSI != nil || m.Missing != "it is gone" {
		t.Errorf("without rows: %+v", m)
	}
	if m := moved(half, &serving.Shadow{}); m.PSI != nil || !strings.Contains(m.Missing, "no rows") {
		t.Errorf("without rows and a reason: %+v", m)
	}
}

func TestCompareSaysWhatIsWrongWithAModel(t *testing.T) {
	same := func(mine float64) float64 { return mine }
	t.Run("it failed in a shard", func(t *testing.T) {
		b, in := batch(t, 100, same)
		in.Results[0].Models[0] = run.ModelScores{Model: in.Plan.Models[0], Failed: "it broke off"}
		got, ranks, err := serving.Compare(t.Context(), b, in)
		if err != nil || got.Models[0].Evidence.Failed != "shard 0: it broke off" || got.Models[0].Evidence.Rows != 0 || len(ranks.Models) != 1 {
			t.Errorf("%v %+v", err, got)
		}
	})
	t.Run("it cannot serve", func(t *testing.T) {
		b, in := batch(t, 100, same)
		in.Unfit = map[store.Digest]string{in.Plan.Models[0]: "no probabilities"}
		got, _, err := serving.Compare(t.Context(), b, in)
		if err != nil || got.Models[0].Evidence.Failed != "no probabilities" || got.Models[0].Compare == nil {
			t.Errorf("%v %+v", err, got)
		}
	})
	t.Run("its scores break the contract of the scores", func(t *testing.T) {
		b, in := batch(t, 100, same)
		in.Results[0].Models[0].Invalid = 3
		got, _, err := serving.Compare(t.Context(), b, in)
		if err != nil || got.Models[0].Evidence.Invalid != 3 {
			t.Errorf("%v %+v", err, got)
		}
	})
	t.Run("a row cannot be compared", func(t *testing.T) {
		b, in := batch(t, 2, same)
		got, _, err := serving.Compare(t.Context(), b, in)
		if err != nil || got.Models[0].Note == "" || got.Models[0].Evidence.PSI != nil {
			t.Errorf("%v %+v", err, got)
		}
	})
	t.Run("it has scored other rows", func(t *testing.T) {
		b, in := batch(t, 100, same)
		in.Results[0].Models[0].Scores = save(t, b, "other", make([]float64, 99))
		if _, _, err := serving.Compare(t.Context(), b, in); err == nil || !strings.Contains(err.Error(), "has other rows than") {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzRanks(f *testing.F) {
	r := serving.Ranks{Models: []store.Digest{store.DigestOf(nil)}, Outputs: [][]*pass.Ranks{{new(pass.Ranks)}}}
	r.Outputs[0][0].Add(0.5)
	good, err := r.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(binary.AppendUvarint(nil, 1<<60))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r serving.Ranks
		if err := r.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, serving.ErrRanks) {
				t.Errorf("got %v", err)
			}
			return
		}
		again := encode(t, &r)
		var back serving.Ranks
		if err := back.UnmarshalBinary(again); err != nil || !bytes.Equal(encode(t, &back), again) {
			t.Errorf("%v: %x", err, again)
		}
	})
}
