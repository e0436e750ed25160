package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
)

func TestInitWritesFilesThatRun(t *testing.T) {
	dir, data := filepath.Join(t.TempDir(), "My Shop"), batch(t, goodRows, batchFields...)
	out := answer(t, "init", dir, "--data", data, "--model", batchModel)
	for _, want := range []string{"5 columns, entity key customer_id, 4 features", "pipeline my-shop", "starter validate '" + dir + "/pipeline.yaml' --data ", "starter score my-shop --batch 2024-01 --wait"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out = answer(t, "validate", filepath.Join(dir, "pipeline.yaml"), "--data", data)
	if !strings.Contains(out, "the batch keeps its contract") {
		t.Errorf("the files do not fit the batch they were made from:\n%s", out)
	}
	text := string(readFile(t, filepath.Join(dir, "contract.yaml")))
	c, err := contract.Parse("contract.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		name     string
		typ      contract.Type
		required bool
		role     contract.Role
	}{
		{"customer_id", contract.String, true, contract.RoleEntityKey}, {"age", contract.Integer, false, contract.RoleFeature},
		{"city", contract.String, true, contract.RoleFeature}, {"paid", contract.Boolean, true, contract.RoleFeature},
	} {
		got, _ := c.Column(want.name)
		if got.Type != want.typ || got.Required != want.required || got.Role() != want.role {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if !strings.Contains(text, "# 1 of 3 rows are null.") {
		t.Errorf("no word about the nulls of age in\n%s", text)
	}
}

func TestInitReplacesNothing(t *testing.T) {
	dir, data := t.TempDir(), batch(t, goodRows, batchFields...)
	mine := filepath.Join(dir, "pipeline.yaml")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := starter(t, "init", dir, "--name", "shop", "--data", data, "--model", batchModel)
	if code != 1 || !strings.Contains(stderr, "pipeline.yaml exists, and init replaces nothing") {
		t.Errorf("got %d, %q", code, stderr)
	}
	if string(readFile(t, mine)) != "mine" {
		t.Error("the file was replaced")
	}
	if _, err := os.Stat(filepath.Join(dir, "contract.yaml")); err == nil {
		t.Error("half of the files were written")
	}
}

func TestInitKnowsOddColumns(t *testing.T) {
	fields := append([]arrow.Field{
		{Name: "yes", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "it's: #1", Type: arrow.FixedWidthTypes.Date32},
		{Name: "größe", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}}, {Name: "bought", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "shop", Type: arrow.PrimitiveTypes.Int64}, {Name: "raw", Type: arrow.BinaryTypes.Binary},
	}, batchFields...)
	row := `"yes": "2024-01-01 00:00:00", "it's: #1": "2024-01-01", "größe": "1.50", "shop": 1, "raw": "AA==", "city": "Oslo", "age": 1, "floor": 1, "paid": true`
	data := batch(t, `[{"customer_id": "a", `+row+`}, {"customer_id": "a", `+row+`}, {"customer_id": "b", `+row+`}]`, fields...)

	code, _, stderr := starter(t, "init", t.TempDir(), "--name", "x", "--data", data, "--model", batchModel)
	if code != 1 || !strings.Contains(stderr, "no column is different in every row; say with --key whom a row is about") {
		t.Errorf("got %d, %q", code, stderr)
	}
	dir := t.TempDir()
	answer(t, "init", dir, "--name", "x", "--data", data, "--model", batchModel, "--key", "shop,customer_id", "--label", "bought")
	c, err := contract.Parse("contract.yaml", readFile(t, filepath.Join(dir, "contract.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Entity(), " "); got != "shop customer_id" || len(c.Keys) != 0 {
		t.Errorf("the entity is %q with the primary key %v; a key that repeats is none", got, c.Keys)
	}
	if col, _ := c.Column("bought"); !col.Later() || col.Required {
		t.Errorf("bought is %+v", col)
	}
	if col, _ := c.Column("größe"); col.Type != contract.Number {
		t.Errorf("größe is %+v", col)
	}
	answer(t, "validate", filepath.Join(dir, "pipeline.yaml"), "--data", data)
}

func TestInitExplainsWhatIsWrong(t *testing.T) {
	data := batch(t, goodRows, batchFields...)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no directory", []string{"--data", data, "--model", batchModel}, 2, "init takes DIR, got nothing"},
		{"no model", []string{"new", "--data", data}, 2, "name them with --data and --model"},
		{"a name that is none", []string{"new", "--name", "My Shop", "--data", data, "--model", batchModel}, 2, `"My Shop" cannot be the name of a pipeline`},
		{"another format", []string{"new", "--format", "onnx", "--data", data, "--model", batchModel}, 2, "--format onnx is not known"},
		{"one column for both", []string{"new", "--key", "age", "--label", "age", "--data", data, "--model", batchModel}, 2, "age cannot be both --key and --label"},
		{"a key that is not there", []string{"new", "--key", "customer", "--data", data, "--model", batchModel}, 1, "there is no flat column customer; did you mean customer_id?"},
		{"a key that is a feature", []string{"new", "--key", "age", "--data", data, "--model", batchModel}, 1, "age is a feature of the model"},
		{"a column that the model needs", []string{"new", "--data", batch(t, `[{"customer_id": "a"}]`, batchFields[:2]...), "--model", batchModel}, 1, "the model reads city"},
		{"no rows", []string{"new", "--data", batch(t, `[]`, batchFields...), "--model", batchModel}, 1, "it has no rows to learn from"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := starter(t, append([]string{"init"}, tt.args...)...)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("got %d, %q; want %d, %q", code, stderr, tt.code, tt.want)
			}
			if _, err := os.Stat("new"); err == nil {
				t.Error("something was written")
			}
		})
	}
}
