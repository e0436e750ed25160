package pass_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// people is a contract with a rule, a key and a column that nobody may see.
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
        classification: restricted
        customProperties: [{ property: mlRole, value: entityKey }]
      - name: x
        logicalType: number
        logicalTypeOptions: { minimum: 0 }
        required: true
      - name: town
        logicalType: string
      - name: income
        logicalType: number
        classification: restricted
`

var peopleSchema = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "town", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "income", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

func peopleContract(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Parse("people.yaml", []byte(people))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// record makes a record from JSON rows.
func record(t *testing.T, schema *arrow.Schema, rows string) arrow.Record {
	t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// parquet writes records as a file and opens it.
func parquet(t *testing.T, o *columnar.Options, records ...arrow.Record) *columnar.File {
	t.Helper()
	var b bytes.Buffer
	w, err := columnar.Create(&b, records[0].Schema(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, b.Bytes())
}

func open(t testing.TB, data []byte) *columnar.File {
	t.Helper()
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), &columnar.OpenOptions{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// lines shows the rows of a file, a line for each; no data has no lines.
func lines(t *testing.T, data []byte, columns ...string) []string {
	t.Helper()
	if data == nil {
		return nil
	}
	var out []string
	for rec, err := range open(t, data).Records(t.Context(), columnar.ReadOptions{Columns: columns}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			var cells []string
			for _, col := range rec.Columns() {
				cell := "-"
				if col.IsValid(i) {
					cell = pass.Text(col, i)
				}
				cells = append(cells, cell)
			}
			out = append(out, strings.Join(cells, " "))
		}
	}
	return out
}

// names are the columns of a file.
func names(t *testing.T, data []byte) []string {
	t.Helper()
	var out []string
	for _, f := range open(t, data).Schema().Fields() {
		out = append(out, f.Name)
	}
	return out
}

// linear scores a row with as many outputs as it says: raw is output + x, pred ten times that.
type linear int

func (linear) Inputs() []model.Input { return []model.Input{{Name: "x"}} }
func (l linear) Outputs() int        { return int(l) }
func (linear) Objective() string     { return "test" }

func (l linear) Score(dst *model.Scores, rec arrow.Record) error {
	x := rec.Column(rec.Schema().FieldIndices("x")[0]).(*array.Float64)
	dst.Resize(x.Len(), int(l))
	for i := range x.Len() {
		for o := range int(l) {
			dst.Raw[i*int(l)+o] = x.Value(i) + float64(o)
			dst.Pred[i*int(l)+o] = 10 * (x.Value(i) + float64(o))
		}
	}
	return nil
}

// everything is the shard that is a whole file.
func everything(f *columnar.File) run.Shard {
	return run.Shard{Groups: len(f.RowGroups()), Rows: f.NumRows()}
}

// mustRun passes over people.
func mustRun(t *testing.T, in pass.Input) *pass.Output {
	t.Helper()
	out, err := pass.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const fivePeople = `[
	{"id": 1, "x": 1.5, "town": "Ulm", "income": 1000},
	{"id": 2, "x": -1, "town": "Bonn", "income": 2000},
	{"id": 3, "x": 0, "town": null, "income": null},
	{"id": 4, "x": null, "town": "Ulm", "income": 4000},
	{"id": null, "x": -2, "town": "Kiel", "income": 5000}
]`

func TestRunSplitsGoodRowsFromBad(t *testing.T) {
	f := parquet(t, nil, record(t, peopleSchema, fivePeople))
	shard := everything(f)
	shard.FirstRow = 100
	out := mustRun(t, pass.Input{File: f, Name: "people.parquet", Shard: shard, Contract: peopleContract(t),
		Scorer: linear(1), Keep: []string{"town"}})
	if out.Rows != 5 || out.Scored != 2 || out.Quarantined != 3 {
		t.Errorf("got %d rows, %d scored, %d quarantined; want 5, 2, 3", out.Rows, out.Scored, out.Quarantined)
	}
	compare(t, "columns of the score file", names(t, out.Scores), []string{"id", "town", "headgate_row", "raw_0", "pred_0"})
	compare(t, "scores", lines(t, out.Scores), []string{"1 Ulm 100 1.5 15", "3 - 102 0 0"})
	compare(t, "columns of the quarantine", names(t, out.Quarantine),
		[]string{"headgate_rules", "headgate_file", "headgate_row", "id", "x", "town"})
	compare(t, "quarantine", lines(t, out.Quarantine, "headgate_file", "headgate_row", "id", "x", "town"), []string{
		"people.parquet 101 2 -1 Bonn", "people.parquet 103 4 - Ulm", "people.parquet 104 - -2 Kiel"})
	rules := lines(t, out.Quarantine, "headgate_rules")
	if rules[0] == "" || rules[0] == rules[1] || len(strings.Fields(rules[2])) != 2 {
		t.Errorf("got rules %q; want one each for the first two rows, not the same, and two for the last", rules)
	}
}

func TestRunOfSeveralOutputs(t *testing.T) {
	f := parquet(t, nil, record(t, peopleSchema, `[{"id": 1, "x": 1}, {"id": 2, "x": 2}]`))
	out := mustRun(t, pass.Input{File: f, Shard: everything(f), Contract: peopleContract(t), Scorer: linear(3)})
	compare(t, "columns", names(t, out.Scores), []string{"id", "headgate_row", "raw_0", "pred_0", "raw_1", "pred_1", "raw_2", "pred_2"})
	compare(t, "scores", lines(t, out.Scores), []string{"1 0 1 10 2 20 3 30", "2 1 2 20 3 30 4 40"})
}

func TestRunWithoutAGoodRow(t *testing.T) {
	f := parquet(t, nil, record(t, peopleSchema, `[{"id": 1, "x": -1}, {"id": 2, "x": -2}]`))
	out := mustRun(t, pass.Input{File: f, Shard: everything(f), Contract: peopleContract(t), Scorer: linear(1)})
	if out.Scores != nil || out.Scored != 0 || out.Quarantined != 2 {
		t.Errorf("got %d bytes of scores, %d scored, %d quarantined; want none, 0, 2", len(out.Scores), out.Scored, out.Quarantined)
	}
}

func TestRunRefuses(t *testing.T) {
	whole := parquet(t, nil, record(t, peopleSchema, fivePeople))
	noX := parquet(t, nil, record(t, arrow.NewSchema(peopleSchema.Fields()[:1], nil), `[{"id": 1}]`))
	for _, tc := range []struct {
		name  string
		file  *columnar.File
		shard run.Shard
		keep  []string
		want  string
	}{
		{name: "fewer rows than the plan says", file: whole, shard: run.Shard{Groups: 1, Rows: 6}, want: "people: 5 rows decoded, the plan says 6"},
		{name: "a file without the model's input", file: noX, shard: everything(noX), want: `column "x", which the model needs, is missing`},
		{name: "a file without a kept column", file: whole, shard: everything(whole), keep: []string{"street"},
			want: `column "street", which scores.keep needs, is missing`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := pass.Run(t.Context(), pass.Input{File: tc.file, Name: "people", Shard: tc.shard,
				Contract: peopleContract(t), Scorer: linear(1), Keep: tc.keep})
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestRunStopsBetweenTwoRecords(t *testing.T) {
	rows := make([]arrow.Record, 40)
	for i := range rows {
		rows[i] = record(t, peopleSchema, "["+strings.Repeat(`{"id": 1, "x": 1},`, 999)+`{"id": 1, "x": 1}]`)
	}
	f := parquet(t, nil, rows...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var reports []int64
	_, err := pass.Run(ctx, pass.Input{File: f, Shard: everything(f), Contract: peopleContract(t), Scorer: linear(1),
		Progress: func(rows int64) { reports = append(reports, rows); cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if len(reports) != 1 || reports[0] >= 40_000 {
		t.Errorf("got progress %v, want one report before the end", reports)
	}
}

func TestTimesComeFromTheClock(t *testing.T) {
	f := parquet(t, nil, record(t, peopleSchema, fivePeople))
	in := pass.Input{File: f, Shard: everything(f), Contract: peopleContract(t), Scorer: linear(1)}
	if got := mustRun(t, in).Times; got.Decode <= 0 || got.Write <= 0 {
		t.Errorf("got %+v by the default clock, want more than nothing for each stage", got)
	}
}

// compare reports lists that differ.
func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestCheckNames(t *testing.T) {
	keyless := strings.NewReplacer("primaryKey: true", "primaryKey: false", "primaryKeyPosition: 1", "primaryKeyPosition: -1",
		"customProperties: [{ property: mlRole, value: entityKey }]", "").Replace(people)
	for _, tc := range []struct {
		name, contract string
		keep           []string
		outputs        int
		want           string
	}{
		{name: "key and kept columns", contract: people, keep: []string{"town"}, outputs: 1},
		{name: "no key", contract: keyless, outputs: 1,
			want: "contract people names no entity key; give one column the mlRole entityKey, or a primary key"},
		{name: "a kept column named like a score", contract: strings.Replace(people, "name: town", "name: score", 1), keep: []string{"score"}, outputs: 1,
			want: `column "score" cannot be published: the table has a column of that name of its own`},
		{name: "such a name is free with several outputs", contract: strings.Replace(people, "name: town", "name: score", 1), keep: []string{"score"}, outputs: 2},
		{name: "a kept column named like the partition", contract: strings.Replace(people, "name: town", "name: batch", 1), keep: []string{"batch"}, outputs: 1,
			want: `column "batch" cannot be published: the table has a column of that name of its own`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := contract.Parse("people.yaml", []byte(tc.contract))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := pass.CheckNames(c, tc.keep, tc.outputs); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTableColumnsNameEachOnce(t *testing.T) {
	got := pass.TableColumns(peopleContract(t), []string{"town", "id", "town"})
	compare(t, "columns", got, []string{"id", "town"})
	if got := fmt.Sprint(pass.ScoreColumns(0, 1), pass.ScoreColumns(1, 2)); got != "[{score pred_0} {raw_score raw_0}] [{score_1 pred_1} {raw_score_1 raw_1}]" {
		t.Errorf("got score columns %s", got)
	}
}
