package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
	"headgate/internal/gate"
	"headgate/internal/registration"
)

var labelFields = []arrow.Field{
	{Name: "customer_id", Type: arrow.BinaryTypes.String}, {Name: "as_of", Type: arrow.FixedWidthTypes.Date32},
	{Name: "bought", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "age", Type: arrow.PrimitiveTypes.Int64},
}

const labelRows = `[{"customer_id": "a", "as_of": "2024-01-01", "bought": 0, "age": 3}, {"customer_id": "b", "as_of": "2024-01-01", "bought": 1, "age": 4},
	{"customer_id": "c", "as_of": "2024-01-01", "bought": null, "age": 5}]`

func TestInitClosesTheLoop(t *testing.T) {
	dir, data, labels := filepath.Join(t.TempDir(), "shop"), batch(t, goodRows, batchFields...), batch(t, labelRows, labelFields...)
	out := answer(t, "init", dir, "--data", data, "--model", batchModel, "--labels", labels)
	for _, want := range []string{"wrote " + dir + "/labels.yaml: say there when labels are known", "note: age of the labels is a feature of the batch, and left out"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	f, err := registration.Read(filepath.Join(dir, "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Labels.Entity(), " ") + " " + strings.Join(f.Labels.WithRole(contract.RoleLabel), " "); got != "customer_id bought" || f.Labels.Labels == nil {
		t.Errorf("the labels have %s and %+v", got, f.Labels.Labels)
	}
	if c := f.Config; c.Retrain.Metric != "auc" || c.Training.Calibrate != "platt" || c.Gates.Kind != gate.Binary || !c.Release.Approve.Asks("10%") {
		t.Errorf("got\n%s", c.JSON())
	}
	answer(t, "validate", filepath.Join(dir, "pipeline.yaml"), "--data", data)
}

func TestInitKnowsAmounts(t *testing.T) {
	dir, data := filepath.Join(t.TempDir(), "shop"), batch(t, goodRows, batchFields...)
	labels := batch(t, `[{"customer_id": "a", "spent": 0, "items": 1}, {"customer_id": "a", "spent": 17.5, "items": 2}]`,
		labelFields[0], arrow.Field{Name: "spent", Type: arrow.PrimitiveTypes.Float64}, arrow.Field{Name: "items", Type: arrow.PrimitiveTypes.Int32})
	answer(t, "init", dir, "--data", data, "--model", batchModel, "--labels", labels, "--label", "spent")
	f, err := registration.Read(filepath.Join(dir, "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Config; c.Gates.Kind != gate.Regression || c.Training.Calibrate != "" || c.Retrain.Metric != "" || len(f.Labels.Keys) != 0 {
		t.Errorf("got\n%s", c.JSON())
	}
}

func TestInitExplainsWhatIsWrongWithLabels(t *testing.T) {
	data := batch(t, goodRows, batchFields...)
	text := arrow.Field{Name: "word", Type: arrow.BinaryTypes.String}
	for _, tt := range []struct {
		name, rows string
		fields     []arrow.Field
		label      string
		want       string
	}{
		{"no key", `[{"bought": 1}]`, labelFields[2:3], "", "there is no flat column customer_id, which is of the key of batch.parquet"},
		{"no rows", `[]`, labelFields, "", "it has no rows to learn from"},
		{"no label", `[{"customer_id": "a"}]`, labelFields[:1], "", "no column could be the label; name it with --label"},
		{"two labels", `[{"customer_id": "a", "bought": 1, "spent": 2}]`, []arrow.Field{labelFields[0], labelFields[2], {Name: "spent", Type: arrow.PrimitiveTypes.Float64}}, "", "bought, spent could be the label; name it with --label"},
		{"a label that is not there", labelRows, labelFields, "bougt", "there is no flat column bougt; did you mean bought?"},
		{"a label in words", `[{"customer_id": "a", "word": "x"}]`, []arrow.Field{labelFields[0], text}, "word", "word cannot be the label: that is a boolean or a number, and no key"},
		{"a key of another type", `[{"customer_id": 1, "bought": 1}]`, []arrow.Field{{Name: "customer_id", Type: arrow.PrimitiveTypes.Int64}, labelFields[2]}, "", "customer_id is string in the batch and integer in the labels: no key would be found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"init", filepath.Join(t.TempDir(), "new"), "--data", data, "--model", batchModel, "--labels", batch(t, tt.rows, tt.fields...)}
			if tt.label != "" {
				args = append(args, "--label", tt.label)
			}
			if code, _, stderr := starter(t, args...); code != 1 || !strings.Contains(stderr, tt.want) {
				t.Errorf("got %d, %q; want %q", code, stderr, tt.want)
			}
		})
	}
}
