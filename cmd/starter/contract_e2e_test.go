//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

// standard compiles the JSON Schema of the Open Data Contract Standard.
func standard(t *testing.T) *jsonschema.Schema {
	t.Helper()
	shared := os.Getenv("HEADGATE_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(shared, "odcs", "odcs-json-schema-v3.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("odcs.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("odcs.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// plainYAML reads YAML as the standard means it: dates are texts. NaN, which JSON has
// not, is a text as well.
func plainYAML(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return plainYAML(t, n.Content[0])
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plainYAML(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, e := range n.Content {
			out = append(out, plainYAML(t, e))
		}
		return out
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

func checkStandard(t *testing.T, schema *jsonschema.Schema, name string, text []byte) {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := schema.Validate(plainYAML(t, &n)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// The schema is the one that we think: it refuses what the standard does not know.
func TestTheStandardsSchemaRefuses(t *testing.T) {
	schema := standard(t)
	for _, more := range []string{"surplus: 1\n", "schema: [{ name: t, properties: [{ name: a, surplus: 1 }] }]\n",
		"schema: [{ name: t, properties: [{ name: a, quality: [{ metric: nullValues, mustBe: 0, mustNotBe: 1 }] }] }]\n"} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte("apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\n"+more), &n); err != nil {
			t.Fatal(err)
		}
		var wrong *jsonschema.ValidationError
		if err := schema.Validate(plainYAML(t, &n)); !errors.As(err, &wrong) {
			t.Errorf("%q: got %v, want a refusal", more, err)
		}
	}
}

// Every contract that we ship is one of the standard.
func TestShippedContractsAreOfTheStandard(t *testing.T) {
	schema := standard(t)
	files := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".venv" || d.Name() == ".git" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.Name() != "contract.yaml":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		checkStandard(t, schema, path, text)
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d contracts: %v", files, err)
	}
	cases, err := filepath.Glob(filepath.Join("..", "..", "testdata", "odcs", "batches", "*.txtar"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			// The schema of 3.1 knows nothing of how 3.0 writes things.
			if strings.HasSuffix(f.Name, ".yaml") && bytes.Contains(f.Data, []byte("apiVersion: v3.1.0")) {
				checkStandard(t, schema, path, f.Data)
			}
		}
	}
}

// So is every contract that infer and init write.
func TestWrittenContractsAreOfTheStandard(t *testing.T) {
	schema := standard(t)
	for _, file := range suiteFiles(t) {
		checkStandard(t, schema, file, []byte(answer(t, "contract", "infer", file)))
	}
	dir := t.TempDir()
	answer(t, "init", filepath.Join(dir, "shop"), "--data", batch(t, goodRows, batchFields...), "--model", batchModel)
	checkStandard(t, schema, "init", readFile(t, filepath.Join(dir, "shop", "contract.yaml")))
}
