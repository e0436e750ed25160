package registry

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"headgate/schemas"
)

// entrySchema is as much of the schema as the code can be held to.
type entrySchema struct {
	Required   []string
	Properties map[string]struct{ Enum []string }
	AllOf      []struct {
		If struct {
			Properties map[string]struct{ Const string }
		}
		Then struct{ Required []string }
	}
}

// The schema that other programs read and the code agree: on every field, on what is
// always there, on what each kind needs, and on choices.
func TestSchemaAgreesWithEntries(t *testing.T) {
	var schema entrySchema
	if err := json.Unmarshal(schemas.Entry, &schema); err != nil {
		t.Fatal(err)
	}
	var always []string
	of := reflect.TypeFor[Entry]()
	for i := range of.NumField() {
		name, optional, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if _, ok := schema.Properties[name]; !ok {
			t.Errorf("the schema has no %s", name)
		}
		if optional == "" {
			always = append(always, name)
		}
	}
	if len(schema.Properties) != of.NumField() || !slices.Equal(schema.Required, always) {
		t.Errorf("%d fields in the schema, %d here; %v are always there, %v here", len(schema.Properties), of.NumField(), schema.Required, always)
	}
	for _, rule := range schema.AllOf {
		kind := rule.If.Properties["kind"].Const
		if !slices.Equal(rule.Then.Required, kinds[kind]) || !slices.Contains(schema.Properties["kind"].Enum, kind) {
			t.Errorf("%s needs %v in the schema and %v here", kind, rule.Then.Required, kinds[kind])
		}
	}
	if len(schema.AllOf) != len(kinds) || len(schema.Properties["kind"].Enum) != len(kinds) {
		t.Errorf("%d kinds in the schema, %d here", len(schema.AllOf), len(kinds))
	}
	for name, want := range map[string][]string{"verdict": verdicts, "answer": answers, "control": controls} {
		if got := schema.Properties[name].Enum; !slices.Equal(got, want) {
			t.Errorf("%s is one of %v in the schema and of %v here", name, got, want)
		}
	}
}

func TestEntriesKeepTheSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Entry))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("entry.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("entry.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(e Entry) error {
		data, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	for _, e := range everything() {
		e.Seq, e.Prev = 1, digest("0")
		if err := validate(e); err != nil {
			t.Errorf("%s: %v", e.Kind, err)
		}
		bare := Entry{Seq: 1, Prev: digest("0"), Kind: e.Kind, ID: "i", At: noon, By: "b"}
		if err := validate(bare); err == nil {
			t.Errorf("the schema takes a bare %s", e.Kind)
		}
	}
}
