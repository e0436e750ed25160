package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/columnar"
)

// batchFields are columns that the model of [batchModel] reads, and a key.
var batchFields = []arrow.Field{
	{Name: "customer_id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "age", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "city", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "floor", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "paid", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
}

var batchModel = filepath.Join(goldens, "lgb-pandas-categorical", "model.txt")

// batch writes rows, given as JSON, to a Parquet file and returns its path.
func batch(t *testing.T, rows string, fields ...arrow.Field) string {
	t.Helper()
	schema := arrow.NewSchema(fields, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "batch.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := columnar.Create(f, schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodRows = `[
	{"customer_id": "a", "age": 30, "city": "Oslo", "floor": 1, "paid": true},
	{"customer_id": "b", "age": 40, "city": "Rome", "floor": 2, "paid": false},
	{"customer_id": "c", "age": null, "city": "Oslo", "floor": 1, "paid": true}]`

const batchContract = `apiVersion: v3.1.0
kind: DataContract
id: people
version: 2.0.0
status: active
schema:
  - name: people
    quality: [{ metric: rowCount, mustBeGreaterThan: 2 }]
    properties:
      - { name: customer_id, logicalType: string, primaryKey: true, customProperties: [{ property: mlRole, value: entityKey }] }
      - { name: age, logicalType: integer, logicalTypeOptions: { minimum: 18 }, quality: [{ metric: nullValues, mustBeLessThan: 20, unit: percent, severity: warning }] }
      - { name: city, logicalType: string }
`

const batchPipeline = "pipeline: people\ncontract: contract.yaml\ninput: { files: 'in/{batch}/*.parquet' }\n"

// pipelineDir writes a pipeline with a budget, and its contract.
func pipelineDir(t *testing.T, budget string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"contract.yaml": batchContract,
		"pipeline.yaml": batchPipeline + "quarantine: { budget: " + budget + " }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestValidateABatch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		budget string
		rows   string
		code   int
		want   []string // in the answer
		stderr string
	}{
		{"a good batch, with a warning", "0", goodRows, 0,
			[]string{"age.nullValues  1     33.3 %  less than 20 percent  warning", "warning age.nullValues: 1 of 3 null values in age, must be less than 20 percent", "the batch keeps its contract"}, ""},
		{"bad rows within the budget", "25%", `[{"customer_id":"a","age":17},{"customer_id":"b","age":20},{"customer_id":"c","age":20},{"customer_id":"d","age":20}]`, 0,
			[]string{"age.minimum  1     25.0 %  0        quarantine", "1 row of 4 would go to quarantine (25.0 %)", "the batch keeps its contract"}, ""},
		{"bad rows over the budget", "24%", `[{"customer_id":"a","age":17},{"customer_id":"b","age":20},{"customer_id":"c","age":20},{"customer_id":"d","age":20}]`, 3,
			[]string{"age.minimum"}, "starter: the batch would be blocked: 1 of 4 rows are more than the error budget (24% of the rows)\n"},
		{"all rows with one key leave, but not the one that is left alone", "50%",
			`[{"customer_id":"a","age":20},{"customer_id":"a","age":21},{"customer_id":"b","age":17},{"customer_id":"b","age":20},{"customer_id":"c","age":20},{"customer_id":"d","age":20}]`, 0,
			[]string{"primaryKey   2     33.3 %  0        quarantine", "3 rows of 6 would go to quarantine (50.0 %)"}, ""},
		{"too few rows", "0", `[{"customer_id":"a","age":20}]`, 3,
			[]string{"error rowCount: 1 rows in the batch, must be greater than 2"}, "starter: the batch would be blocked by 1 rule\n"},
		{"no row is left", "100%", `[{"customer_id":"a","age":1},{"customer_id":"b","age":2},{"customer_id":"c","age":3}]`, 3,
			nil, "starter: the batch would be blocked: no row is left to publish\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := pipelineDir(t, tt.budget)
			code, stdout, stderr := starter(t, "validate", filepath.Join(dir, "pipeline.yaml"), "--data", batch(t, tt.rows, batchFields...))
			if code != tt.code || stderr != tt.stderr {
				t.Errorf("got %d and %q, want %d and %q\n%s", code, stderr, tt.code, tt.stderr, stdout)
			}
			for _, want := range tt.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
		})
	}
}

func TestValidateSaysBeforeARowIsReadThatColumnsAreWrong(t *testing.T) {
	file := batch(t, `[{"age": "old"}]`, arrow.Field{Name: "age", Type: arrow.BinaryTypes.String}, batchFields[2])
	code, stdout, stderr := starter(t, "validate", filepath.Join(pipelineDir(t, "0"), "contract.yaml"), "--data", file)
	if code != 3 || stderr != "starter: the batch would be blocked by 2 rules; no row was read\n" {
		t.Errorf("got %d, %q", code, stderr)
	}
	for _, want := range []string{"error customer_id.present: column customer_id is missing", "error age.type: age is string, the contract says integer"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestValidateCountsKeysOverAllFiles(t *testing.T) {
	one := batch(t, `[{"customer_id":"a","age":20},{"customer_id":"b","age":20}]`, batchFields...)
	two := batch(t, `[{"customer_id":"c","age":20},{"customer_id":"a","age":20}]`, batchFields...)
	code, stdout, _ := starter(t, "validate", filepath.Join(pipelineDir(t, "0"), "contract.yaml"), "--data", one, "--data", two)
	if code != 3 || !strings.Contains(stdout, "2 rows of 4 would go to quarantine") {
		t.Errorf("got %d\n%s", code, stdout)
	}
}

func TestValidateNamesEveryProblem(t *testing.T) {
	dir := pipelineDir(t, "5")
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte(strings.Replace(batchContract, "required", "requierd", 1)+"slaProps: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := starter(t, "validate", filepath.Join(dir, "pipeline.yaml"), bad)
	for _, want := range []string{"pipeline.yaml:4:23: budget is a share between 0 and 1, not 5; did you mean 5%?", `bad.yaml:13:1: the contract has no key "slaProps"`} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
	if code != 1 {
		t.Errorf("got %d, want 1", code)
	}
}

func TestValidateUsage(t *testing.T) {
	dir, other := pipelineDir(t, "0"), pipelineDir(t, "0")
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no file", nil, 2, "validate takes FILES…, got nothing"},
		{"a file that is not there", []string{filepath.Join(dir, "nowhere.yaml")}, 1, "no such file"},
		{"two contracts for one batch", []string{filepath.Join(dir, "contract.yaml"), filepath.Join(other, "contract.yaml"), "--data", "x.parquet"}, 2, "name one pipeline or contract file"},
		{"a batch that is not there", []string{filepath.Join(dir, "contract.yaml"), "--data", "nowhere.parquet"}, 1, "nowhere.parquet"},
		{"a batch that is no Parquet", []string{filepath.Join(dir, "contract.yaml"), "--data", filepath.Join(dir, "contract.yaml")}, 1, "contract.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := starter(t, append([]string{"validate"}, tt.args...)...)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("got %d, %q; want %d, %q", code, stderr, tt.code, tt.want)
			}
		})
	}
}
