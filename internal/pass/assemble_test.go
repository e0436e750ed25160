package pass_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/pass"
	"headgate/internal/profile"
	"headgate/internal/retailer"
	"headgate/internal/run"
)

func TestAssemble(t *testing.T) {
	f := parquet(t, nil, record(t, peopleSchema, `[{"id": 1, "x": 1, "town": "Ulm"}, {"id": 2, "x": -1}, {"id": 3, "x": 3}, {"id": 4, "x": 4, "town": "Bonn"}]`))
	shard := everything(f)
	shard.FirstRow = 100
	scored := mustRun(t, pass.Input{File: f, Shard: shard, Contract: peopleContract(t), Scorer: linear(1), Keep: []string{"town"}})
	for _, tc := range []struct {
		name       string
		late       map[int64]string
		rows       []string
		quarantine []string
		nulls      int // towns
	}{
		{name: "no late row", rows: []string{"1 Ulm 10 1 m c r", "3 - 30 3 m c r", "4 Bonn 40 4 m c r"}, nulls: 1},
		{name: "a late row in the middle", late: map[int64]string{2: "twice"},
			rows: []string{"1 Ulm 10 1 m c r", "4 Bonn 40 4 m c r"}, quarantine: []string{"twice people 102 3 -"}},
		{name: "late rows of two rules", late: map[int64]string{0: "twice", 3: "again"},
			rows: []string{"3 - 30 3 m c r"}, quarantine: []string{"twice people 100 1 Ulm", "again people 103 4 Bonn"}, nulls: 1},
		{name: "late rows only", late: map[int64]string{0: "twice", 2: "twice", 3: "twice"},
			quarantine: []string{"twice people 100 1 Ulm", "twice people 102 3 -", "twice people 103 4 Bonn"}},
		{name: "a late row that the pass had sent to quarantine", late: map[int64]string{1: "twice"},
			rows: []string{"1 Ulm 10 1 m c r", "3 - 30 3 m c r", "4 Bonn 40 4 m c r"}, nulls: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := pass.Assemble(t.Context(), pass.AssembleInput{Scores: open(t, scored.Scores), Name: "people", FirstRow: 100,
				Columns: []string{"id", "town"}, Outputs: 1, Late: tc.late, Model: "m", Contract: "c", Run: "r"})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "rows", lines(t, got.Data), tc.rows)
			compare(t, "quarantine", lines(t, got.Quarantine), tc.quarantine)
			if got.Rows != int64(len(tc.rows)) {
				t.Errorf("got %d rows, want %d", got.Rows, len(tc.rows))
			}
			if got.Data == nil {
				return
			}
			compare(t, "columns", names(t, got.Data), []string{"id", "town", "score", "raw_score", "model", "contract", "run"})
			var stats struct{ NumRecords, NullCount any }
			if err := json.Unmarshal(got.Stats, &stats); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("{%d map[contract:0 id:0 model:0 raw_score:0 run:0 score:0 town:%d]}", len(tc.rows), tc.nulls)
			if fmt.Sprint(stats) != want {
				t.Errorf("got statistics %v, want %s", stats, want)
			}
			if values, err := pass.Values(t.Context(), open(t, got.Data)); err != nil || values != got.Values {
				t.Errorf("got values %x, want %x, %v", got.Values, values, err)
			}
		})
	}
}

func TestAssembleWithoutAScore(t *testing.T) {
	scores := parquet(t, nil, record(t, peopleSchema, `[{"id": 1}]`))
	_, err := pass.Assemble(t.Context(), pass.AssembleInput{Scores: scores, Name: "people", Columns: []string{"id"}, Outputs: 1})
	if want := "assemble people: score file has no column pred_0"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A shop is a delivery of the simulated retailer with bad rows, in row groups of
// which no two have the same number of records.
type shop struct {
	file     *columnar.File
	contract *contract.Contract
	scorer   model.Scorer
}

func newShop(t *testing.T) *shop {
	t.Helper()
	var b bytes.Buffer
	var w *columnar.Writer
	world := retailer.World{Seed: 7, Customers: 20_000}
	for rec, err := range world.Records("2024-01", &retailer.Options{Fault: retailer.BadRows}) {
		if err != nil {
			t.Fatal(err)
		}
		if w == nil {
			if w, err = columnar.Create(&b, rec.Schema(), &columnar.Options{RowGroup: 3001}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c, scorer := shipped(t)
	return &shop{file: open(t, b.Bytes()), contract: c, scorer: scorer}
}

// shipped returns the retailer's contract and champion.
func shipped(t testing.TB) (*contract.Contract, model.Scorer) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile("../../testdata/retailer/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	c, err := contract.Parse("contract.yaml", read("contract.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := lightgbm.Parse(read("champion.txt"), model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// A summary is what several passes found together.
type summary struct {
	rows, quarantine    []string
	scored, quarantined int64
	rules               map[string]int64
	profile             []byte
}

// passOver passes over the file in shards of so many row groups.
func (s *shop) passOver(t *testing.T, groups int) *summary {
	t.Helper()
	sum := &summary{}
	var merged *profile.Profile
	var check contract.Result
	all := s.file.RowGroups()
	var first int64
	for from := 0; from < len(all); from += groups {
		shard := run.Shard{FirstGroup: from, Groups: min(groups, len(all)-from), FirstRow: first}
		for _, g := range all[from : from+shard.Groups] {
			shard.Rows += g.Rows
		}
		first += shard.Rows
		out := mustRun(t, pass.Input{File: s.file, Name: "shop", Shard: shard, Contract: s.contract, Scorer: s.scorer, Keep: []string{"segment"}})
		sum.scored += out.Scored
		sum.quarantined += out.Quarantined
		sum.rows = append(sum.rows, lines(t, out.Scores)...)
		sum.quarantine = append(sum.quarantine, lines(t, out.Quarantine)...)
		p := new(profile.Profile)
		if err := p.UnmarshalBinary(out.Profile); err != nil {
			t.Fatal(err)
		}
		var err error
		if merged == nil {
			merged, check = p, out.Check
		} else if merged, err = profile.Merge(merged, p); err != nil {
			t.Fatal(err)
		} else {
			check = contract.Merge(check, out.Check)
		}
	}
	sum.rules = check.Rules
	var err error
	if sum.profile, err = merged.MarshalBinary(); err != nil {
		t.Fatal(err)
	}
	return sum
}

// However a file is cut, the same rows are scored and quarantined, and the counts
// and profiles merge into the same.
func TestAnyShardsFindTheSame(t *testing.T) {
	s := newShop(t)
	want := s.passOver(t, len(s.file.RowGroups()))
	if want.scored+want.quarantined != 20_000 || want.quarantined == 0 || len(want.quarantine) != int(want.quarantined) {
		t.Fatalf("%d rows scored, %d in quarantine, of which %d are there", want.scored, want.quarantined, len(want.quarantine))
	}
	for _, groups := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("%d row groups a shard", groups), func(t *testing.T) {
			got := s.passOver(t, groups)
			if got.scored != want.scored || got.quarantined != want.quarantined || !maps.Equal(got.rules, want.rules) {
				t.Errorf("got %d scored, %d quarantined, %v; want %d, %d, %v", got.scored, got.quarantined, got.rules, want.scored, want.quarantined, want.rules)
			}
			if !slices.Equal(got.rows, want.rows) || !slices.Equal(got.quarantine, want.quarantine) {
				t.Error("got other rows")
			}
			if !bytes.Equal(got.profile, want.profile) {
				t.Error("got another profile")
			}
		})
	}
}

// A pass writes the same bytes every time: a retry finds its own.
func TestAPassWritesTheSameBytes(t *testing.T) {
	s := newShop(t)
	shard := run.Shard{Groups: 2, Rows: 2 * 3001}
	in := pass.Input{File: s.file, Name: "shop", Shard: shard, Contract: s.contract, Scorer: s.scorer}
	a, b := mustRun(t, in), mustRun(t, in)
	if !bytes.Equal(a.Scores, b.Scores) || !bytes.Equal(a.Quarantine, b.Quarantine) || !bytes.Equal(a.Profile, b.Profile) ||
		!bytes.Equal(a.Keys[0], b.Keys[0]) || a.Content != b.Content {
		t.Error("two passes wrote different bytes")
	}
}
