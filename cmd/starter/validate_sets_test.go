package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
)

const ordersContract = `apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
slaProperties:
  - { property: latency, value: 2, unit: d, element: orders.seen }
schema:
  - name: orders
    properties:
      - { name: order_id, logicalType: string, primaryKey: true }
      - { name: customer, logicalType: string, relationships: [{ to: customers.id }] }
      - { name: parent, logicalType: string, relationships: [{ to: orders.order_id }] }
      - name: seen
        logicalType: date
        customProperties: [{ property: mlRole, value: eventTime }]
  - name: customers
    properties:
      - { name: id, logicalType: string }
`

const scoresContract = `apiVersion: v3.1.0
kind: DataContract
id: scores
version: 1.0.0
status: active
schema:
  - name: scores
    properties:
      - { name: COLUMN, logicalType: number, logicalTypeOptions: { minimum: 0 } }
`

var orderFields = []arrow.Field{
	{Name: "order_id", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "customer", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "parent", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "seen", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
}

// Order 3 has a customer whom the set does not have, order 4 a parent that the batch
// does not have, and order 5 both; order 1 has neither.
const orderRows = `[
	{"order_id": "1", "seen": "2024-01-30"},
	{"order_id": "2", "customer": "a", "parent": "1", "seen": "2024-01-29"},
	{"order_id": "3", "customer": "z", "parent": "3"},
	{"order_id": "4", "customer": "b", "parent": "9"},
	{"order_id": "5", "customer": "z", "parent": "9"}]`

// ordersDir writes a pipeline of orders with contracts of its rows and of its scores.
func ordersDir(t *testing.T, column string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"contract.yaml": ordersContract,
		"scores.yaml":   strings.Replace(scoresContract, "COLUMN", column, 1),
		"pipeline.yaml": `pipeline: orders
contract: contract.yaml
table: orders
input: { files: 'in/{batch}/*.parquet' }
references: { customers: 'customers/*.parquet' }
scores: { contract: scores.yaml, keep: [customer] }
quarantine: { budget: 80% }
history: [{ metric: rowCount, against: previous, mustBeWithin: 20% }]
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestValidateSaysWhatItDidNotJudge(t *testing.T) {
	dir := ordersDir(t, "score")
	orders := batch(t, orderRows, orderFields...)
	known := batch(t, `[{"id": "a"}, {"id": "b"}, {"id": "c"}]`, arrow.Field{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true})
	more := batch(t, `[{"id": "z"}]`, arrow.Field{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true})
	const (
		history = "not judged: 1 rule about earlier batches: a run judges them\n"
		scores  = "not judged: 1 rule of the scores: a run judges them\n"
		far     = "the batch keeps its contract as far as it was judged\n"
	)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want []string
		not  []string
	}{
		{"with nothing but the batch", nil, 0,
			[]string{"scores.yaml: contract scores 1.0.0, 1 columns, 1 rules\n", "parent.relationship  2     40.0 %", "2 of 4 rules are kept, 1 not checked\n", "2 rows of 5 would go to quarantine (40.0 %)",
				"not judged: customer.relationship: give --reference-set customers=FILE\n",
				"not judged: seen.latency: give --batch, as in --batch 2024-01\n", history, scores, far}, []string{"customer.relationship  "}},
		{"with customers and a batch", []string{"--reference-set", "customers=" + known, "--batch", "2024-02"}, 0,
			[]string{"customer.relationship  2     40.0 %", "2 of 4 rules are kept\n", "3 rows of 5 would go to quarantine (60.0 %)", history, scores, far}, []string{"give --"}},
		{"with customers in two files", []string{"--reference-set", "customers=" + known, "--reference-set", "customers=" + more, "--batch", "2024-02"}, 0,
			[]string{"2 rows of 5 would go to quarantine (40.0 %)", "3 of 4 rules are kept\n"}, nil},
		{"with a batch for which the data are late", []string{"--batch", "2024-03"}, 3,
			[]string{"no value of seen is within 2 d of 2024-03-01T00:00:00Z"}, nil},
		{"with a set to which nothing points", []string{"--reference-set", "shops=" + known}, 2,
			[]string{"--reference-set shops: no relationship of the contract points to shops; they point to customers"}, nil},
		{"with the set that the batch is", []string{"--reference-set", "orders=" + known}, 2, []string{"no relationship of the contract points to orders"}, nil},
		{"with a set without a name", []string{"--reference-set", known}, 2, []string{"give NAME=FILE, as in customers=customers.parquet"}, nil},
		{"with a set without the column", []string{"--reference-set", "customers=" + orders}, 1, []string{"has no flat column id, which the relationship customer.relationship points to"}, nil},
		{"with a batch that is no month", []string{"--batch", "january"}, 2, []string{"january"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := starter(t, append([]string{"validate", filepath.Join(dir, "pipeline.yaml"), "--data", orders}, tt.args...)...)
			if code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("no %q", want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(stdout+stderr, not) {
					t.Errorf("has %q", not)
				}
			}
			if t.Failed() {
				t.Logf("%s%s", stdout, stderr)
			}
		})
	}
}

func TestValidateComparesOnlyWhatCanBeEqual(t *testing.T) {
	dir := ordersDir(t, "score")
	numbers := batch(t, `[{"id": 1}]`, arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	code, _, stderr := starter(t, "validate", filepath.Join(dir, "contract.yaml"), "--data", batch(t, orderRows, orderFields...), "--reference-set", "customers="+numbers)
	if code != 1 || !strings.Contains(stderr, "compares customer, which is utf8, with id of "+numbers+", which is int64: no key can be in the other set") {
		t.Errorf("got %d, %s", code, stderr)
	}
}

func TestValidateChecksTheContractOfTheScores(t *testing.T) {
	for column, want := range map[string]string{"score": "", "customer": "", "score_1": "", "margin": "column margin is not published"} {
		code, _, stderr := starter(t, "validate", filepath.Join(ordersDir(t, column), "pipeline.yaml"))
		if (code != 0) != (want != "") || !strings.Contains(stderr, want) {
			t.Errorf("%s: got %d, %q", column, code, stderr)
		}
	}
	dir := ordersDir(t, "score")
	if err := os.Remove(filepath.Join(dir, "scores.yaml")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := starter(t, "validate", filepath.Join(dir, "pipeline.yaml")); code != 1 || !strings.Contains(stderr, "contract of the scores") {
		t.Errorf("without the file: got %d, %q", code, stderr)
	}
}
