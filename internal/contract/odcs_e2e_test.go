//go:build e2e

package contract_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/contract"
)

// examples are the standard's own example contracts: "" if we can run them, or
// why not.
var examples = map[string]string{
	"all-data-types":                     "70:22: latest_txns is an array, which is nested",
	"all-schema-types":                   "78:5: schema has more than one table",
	"azure-server":                       "1:1: the contract needs schema",
	"basic-four-dpo":                     "8:9: schema is empty",
	"column-accuracy":                    "21:9: sql rules cannot be run",
	"column-completeness":                "",
	"column-custom":                      `27:17: rules of the engine "soda" cannot be run here`,
	"column-validity":                    "",
	"database-table-sla":                 "8:9: schema is empty",
	"full-example":                       "273:14: the element of latency is of tab1, and the table is tbl",
	"kafka-schema":                       "",
	"kafka-schemaregistry":               "8:3: the table needs properties",
	"kafka-server":                       "7:5: the table needs properties",
	"postgresql-adventureworks-contract": "26:20: name is an object, which is nested",
	"service-and-operational-roles":      "7:9: schema is empty",
	"table-column":                       "",
	"table-column-description":           "",
	"table-columns-with-partition":       "",
}

// Every example of the standard is run, or refused for a reason that we stand by.
func TestExamplesOfTheStandard(t *testing.T) {
	shared := os.Getenv("HEADGATE_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(shared, "odcs", "examples", "*.odcs.yaml"))
	if err != nil || len(files) != len(examples) {
		t.Fatalf("%d examples in %s, want %d (%v)", len(files), shared, len(examples), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".odcs.yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, known := examples[name]
			_, err = contract.Parse("c", data)
			switch {
			case !known:
				t.Errorf("a new example: %v", err)
			case want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case want != "" && (err == nil || !strings.HasPrefix(err.Error(), "c:"+want)):
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
