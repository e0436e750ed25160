package train_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"headgate/internal/model"
	"headgate/internal/train"
	"headgate/schemas"
)

// node is as much of a JSON Schema as a Go type can be held to.
type node struct {
	Ref        string          `json:"$ref"`
	Type       string          `json:"type"`
	Enum       []string        `json:"enum"`
	Required   []string        `json:"required"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
	Additional json.RawMessage `json:"additionalProperties"`
	Defs       map[string]node `json:"$defs"`
}

// The schema that other programs read and the Go types agree: on every field, its type,
// and whether it is always there.
func TestSchemaAgreesWithTheTypes(t *testing.T) {
	var root node
	if err := json.Unmarshal(schemas.Manifest, &root); err != nil {
		t.Fatal(err)
	}
	agree(t, "manifest", reflect.TypeFor[train.Manifest](), root, root.Defs)
}

func agree(t *testing.T, path string, of reflect.Type, n node, defs map[string]node) {
	t.Helper()
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		n = defs[name]
	}
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	want := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
		reflect.Slice: "array", reflect.Map: "object", reflect.Struct: "object"}[of.Kind()]
	if n.Type != want {
		t.Errorf("%s is %q in the schema and %s here", path, n.Type, of)
		return
	}
	switch of.Kind() {
	case reflect.Slice:
		agree(t, path+"[]", of.Elem(), *n.Items, defs)
	case reflect.Map:
		var values node
		if err := json.Unmarshal(n.Additional, &values); err != nil {
			t.Fatal(err)
		}
		agree(t, path+".*", of.Elem(), values, defs)
	case reflect.Struct:
		agreeFields(t, path, of, n, defs)
	}
}

func agreeFields(t *testing.T, path string, of reflect.Type, n node, defs map[string]node) {
	t.Helper()
	var fields, required []string
	for _, f := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, name)
		if options == "" {
			required = append(required, name)
		}
		agree(t, path+"."+name, f.Type, n.Properties[name], defs)
	}
	slices.Sort(fields)
	if keys := slices.Sorted(maps.Keys(n.Properties)); !slices.Equal(keys, fields) {
		t.Errorf("%s has %v in the schema and %v here", path, keys, fields)
	}
	slices.Sort(required)
	slices.Sort(n.Required)
	if !slices.Equal(n.Required, required) {
		t.Errorf("%s requires %v in the schema and %v here", path, n.Required, required)
	}
	if string(n.Additional) != "false" {
		t.Errorf("%s may have other fields by the schema; the parser refuses them", path)
	}
}

// What the schema lets one choose from is what the parser takes.
func TestSchemaAgreesOnChoices(t *testing.T) {
	var root node
	if err := json.Unmarshal(schemas.Manifest, &root); err != nil {
		t.Fatal(err)
	}
	for _, choice := range append(root.Properties["task"].Enum, "") {
		m := shopManifest()
		if m.Task = train.Task(choice); m.Check() != nil {
			t.Errorf("task %q: %v", choice, m.Check())
		}
	}
	for _, choice := range append(root.Properties["calibrate"].Enum, "") {
		m := shopManifest()
		if m.Calibrate = model.CalibrationKind(choice); m.Check() != nil {
			t.Errorf("calibrate %q: %v", choice, m.Check())
		}
	}
	for _, choice := range root.Properties["features"].Items.Properties["kind"].Enum {
		m := shopManifest()
		if m.Features[0].Kind = choice; m.Check() != nil {
			t.Errorf("kind %q: %v", choice, m.Check())
		}
	}
}

func TestAManifestIsReadAsItWasWritten(t *testing.T) {
	j := shopJob()
	j.Manifest.Calibrate = model.Platt
	digest := "sha256:" + strings.Repeat("0", 64)
	j.Manifest.Data = train.Data{Train: []train.File{{Batch: "2024-01", Digest: digest, Rows: 4000}}}
	r := done(t, train.GBDT{}, j)
	text, err := r.Manifest.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	m, err := train.ParseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	checkSchema(t, text)
	if again, err := m.Marshal(); err != nil || !bytes.Equal(again, text) {
		t.Errorf("%v; got\n%s\nwant\n%s", err, again, text)
	}
}

// checkSchema fails if a manifest does not keep the schema.
func checkSchema(t *testing.T, manifest []byte) {
	t.Helper()
	c := jsonschema.NewCompiler()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Manifest))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("manifest.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(manifest))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(doc); err != nil {
		t.Errorf("%v in\n%s", err, manifest)
	}
}

func TestWhatIsWrongWithAManifestIsSaid(t *testing.T) {
	const good = `{"manifest":1,"seed":1,"features":[{"name":"a","kind":"numeric"}],"label":"y","data":{"train":[]}}`
	if _, err := train.ParseManifest([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"another format", `"manifest":1`, `"manifest":2`, "its format is 2; this program reads 1"},
		{"an unknown field", `"seed":1`, `"seeds":1`, `unknown field "seeds"`},
		{"something after the end", `[]}}`, `[]}} {}`, "there is something after its end"},
		{"no features", `{"name":"a","kind":"numeric"}`, ``, "no features"},
		{"no label", `"label":"y"`, `"label":""`, "no column is named as the label"},
		{"a feature twice", `{"name":"a","kind":"numeric"}`, `{"name":"a","kind":"numeric"},{"name":"a","kind":"numeric"}`, `feature "a" is named twice`},
		{"a feature without a name", `"name":"a"`, `"name":""`, "has no name"},
		{"a kind that is none", `"numeric"`, `"number"`, `has the kind "number"`},
		{"the label as a weight", `"seed":1`, `"seed":1,"weight":"y"`, "both the label and the weight"},
		{"the weight as a feature", `"seed":1`, `"seed":1,"weight":"a"`, `feature "a" is the weight`},
		{"the entity as a feature", `"seed":1`, `"seed":1,"entity":["a"]`, "learn names by heart"},
		{"a date that is none", `"seed":1`, `"seed":1,"asOf":"March"`, `asOf "March" is no date`},
		{"a task that is none", `"seed":1`, `"seed":1,"task":"rank"`, `task "rank"`},
		{"a calibration that is none", `"seed":1`, `"seed":1,"calibrate":"beta"`, `calibrate "beta"`},
		{"a threshold that is none", `"seed":1`, `"seed":1,"leak":{"threshold":2}`, "leak.threshold 2"},
		{"an allowance for nobody", `"seed":1`, `"seed":1,"leak":{"allow":["b"]}`, `leak.allow names "b"`},
		{"entities without a key", `"seed":1`, `"seed":1,"split":{"entities":0.5}`, "split.entities needs columns"},
		{"a split that is none", `"seed":1`, `"seed":1,"split":{"valid":-1}`, "cannot be negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := train.ParseManifest([]byte(strings.Replace(good, tt.from, tt.to, 1))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"manifest":1,"seed":1,"features":[{"name":"a","kind":"numeric"}],"label":"y","data":{"train":[]}}`))
	f.Add([]byte(`{"manifest":1,"asOf":"2024-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := train.ParseManifest(data)
		if err != nil {
			return
		}
		text, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := train.ParseManifest(text)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("%v: written as\n%s\nand then as\n%s", err, text, twice)
		}
	})
}
