package pipeline_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headgate/internal/gate"
	"headgate/internal/pipeline"
	"headgate/schemas"
)

// loopText is a file with every part of the closed loop, as little as each needs.
const loopText = "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\n" +
	"labels: { files: 'l/{batch}', contract: l.yaml }\ntraining: {}\nretrain: {}\nschedule: { day: 1 }\n" +
	"alerts: { receivers: { team: { slack: { url: env:TEAM } } } }\n"

// The schema and the types agree on the keys of the closed loop, and the schema's
// defaults are those of a file that writes nothing.
func TestSchemaAgreesOnTheLoop(t *testing.T) {
	var root node
	if err := json.Unmarshal(schemas.Pipeline, &root); err != nil {
		t.Fatal(err)
	}
	var have map[string]any
	if err := json.Unmarshal(parse(t, loopText).JSON(), &have); err != nil {
		t.Fatal(err)
	}
	for section, of := range map[string]reflect.Type{
		"labels": reflect.TypeFor[pipeline.Labels](), "training": reflect.TypeFor[pipeline.Training](), "retrain": reflect.TypeFor[pipeline.Retrain](),
		"release": reflect.TypeFor[pipeline.Release](), "gates": reflect.TypeFor[gate.Policy](), "alerts": reflect.TypeFor[pipeline.Alerts](),
		"schedule": reflect.TypeFor[pipeline.Schedule](),
	} {
		agree(t, section, root.Properties[section], of)
		defaults(t, section, root.Properties[section], have[section])
	}
}

// agree compares the keys of a schema with the fields of a type, and goes on inside.
func agree(t *testing.T, path string, n node, of reflect.Type) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if n.Items != nil {
		n = *n.Items
	}
	if len(n.Properties) == 0 {
		return
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && !slices.Contains([]string{"relative"}, name) {
			fields[name] = f.Type
		}
	}
	if keys, want := slices.Sorted(maps.Keys(n.Properties)), slices.Sorted(maps.Keys(fields)); !slices.Equal(keys, want) {
		t.Errorf("%s: the schema has the keys %v, the type %v", path, keys, want)
	}
	for key, inner := range n.Properties {
		if fields[key] != nil {
			agree(t, path+"."+key, inner, fields[key])
		}
	}
}

// defaults compares the defaults of a schema with the printed configuration.
func defaults(t *testing.T, path string, n node, have any) {
	values, _ := have.(map[string]any)
	for key, inner := range n.Properties {
		if d := inner.Default; d != nil && path+"."+key != "gates.advance.guardrails" && fmt.Sprint(d) != fmt.Sprint(values[key]) {
			if _, written := values[key]; written || d != false { // what is false may be left out
				t.Errorf("%s.%s: the schema's default is %v, the parser's %v", path, key, d, values[key])
			}
		}
		defaults(t, path+"."+key, inner, values[key])
	}
}

// Every key of the schema is known to the parser, and a choice that it names is one.
func TestTheParserKnowsTheSchema(t *testing.T) {
	var root node
	if err := json.Unmarshal(schemas.Pipeline, &root); err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"labels", "training", "retrain", "release", "gates", "schedule", "alerts"} {
		tryAll(t, section+": { %s }", root.Properties[section])
	}
}

// tryAll writes every key of a schema, and every choice, into a file of its own. around
// is the place of the map.
func tryAll(t *testing.T, around string, n node) {
	for key, inner := range n.Properties {
		write := func(value string) {
			text := "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\n" + fmt.Sprintf(around, key+": "+value) + "\n"
			_, err := pipeline.Parse("p.yaml", []byte(text))
			if err != nil && (strings.Contains(err.Error(), "has no key") || strings.Contains(err.Error(), "is not known") || strings.Contains(err.Error(), "is not one of")) {
				t.Errorf("%s: %v", text, err)
			}
		}
		write("")
		for _, choice := range inner.Enum {
			write(choice)
		}
		switch {
		case inner.Items != nil && len(inner.Items.Properties) > 0:
			tryAll(t, fmt.Sprintf(around, key+": [{ %s }]"), *inner.Items)
		case len(inner.Properties) > 0:
			tryAll(t, fmt.Sprintf(around, key+": { %s }"), inner)
		}
	}
}
