package train_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/contract"
	"headgate/internal/train"
)

const shopContract = `
apiVersion: v3.1.0
kind: DataContract
id: shop
name: shop
version: 1.0.0
status: active
schema:
  - name: customers
    properties:
      - { name: id, logicalType: string, primaryKey: true, customProperties: [{ property: mlRole, value: entityKey }] }
      - { name: as_of, logicalType: date, customProperties: [{ property: mlRole, value: eventTime }] }
      - { name: loaded at, physicalName: loaded_at, logicalType: timestamp }
      - { name: income, logicalType: number, customProperties: [{ property: mlRole, value: feature }, { property: availableAt, value: loaded at }] }
      - { name: city, logicalType: string, customProperties: [{ property: mlRole, value: feature }] }
      - { name: bought, logicalType: boolean, customProperties: [{ property: mlRole, value: label }] }
`

func TestAContractSaysWhenFeaturesAreKnown(t *testing.T) {
	c, err := contract.Parse("shop.yaml", []byte(shopContract))
	if err != nil {
		t.Fatal(err)
	}
	fields := []arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "as_of", Type: arrow.FixedWidthTypes.Date32}, {Name: "income", Type: arrow.PrimitiveTypes.Float64},
		{Name: "city", Type: arrow.BinaryTypes.String}, {Name: "bought", Type: arrow.FixedWidthTypes.Boolean}, {Name: "loaded_at", Type: arrow.FixedWidthTypes.Timestamp_us},
	}
	m, err := train.FromContract(c, "", arrow.NewSchema(fields, nil), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Features[0]; got.Name != "income" || got.Available != "loaded_at" || m.Features[1].Available != "" || m.EventTime != "as_of" {
		t.Errorf("got %+v, event time %q", m.Features, m.EventTime)
	}
	_, err = train.FromContract(c, "", arrow.NewSchema(fields[:5], nil), "", nil)
	if err == nil || !strings.Contains(err.Error(), "the data have no column loaded_at, which says when income was known") {
		t.Errorf("got %v", err)
	}
}

func TestWhenAFeatureWasKnownIsHeldAgainstSomething(t *testing.T) {
	m := train.Manifest{Format: train.ManifestFormat, Label: "y", Features: []train.Feature{{Name: "x", Kind: "numeric", Available: "known"}}}
	if err := m.Check(); err == nil || !strings.Contains(err.Error(), "feature \"x\" says when it was known, and neither an event time nor as-of says when it had to be") {
		t.Errorf("got %v", err)
	}
	m.AsOf = "2024-01-31"
	if err := m.Check(); err != nil {
		t.Error(err)
	}
}

func TestParametersAreCheckedBeforeAnyLabelIsKnown(t *testing.T) {
	for _, tt := range []struct {
		name       string
		parameters map[string]string
		want       string
	}{
		{"nothing", nil, ""},
		{"a metric of a binary label", map[string]string{"metric": "auc"}, ""},
		{"a metric of a number", map[string]string{"metric": "rmse"}, ""},
		{"a metric of classes", map[string]string{"metric": "multi_logloss"}, ""},
		{"an objective that has no such metric", map[string]string{"loss": "poisson", "metric": "auc"}, "parameter metric"},
		{"a name that is not known", map[string]string{"num_leafs": "3"}, "num_leafs"},
		{"a value out of range", map[string]string{"num_leaves": "0"}, "num_leaves"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := train.CheckParameters(tt.parameters)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
