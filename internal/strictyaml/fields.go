package strictyaml

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Fields are the keys of one map.
type Fields struct {
	of     Value
	what   string
	values map[string]Value
	keys   map[string]Value
}

// Map reads a map whose keys must be among known. Unknown and repeated keys are
// problems; the rest of the map is still returned. what names the map in messages.
func (v Value) Map(what string, known ...string) (Fields, bool) {
	fs, ok := v.AnyMap(what)
	if !ok {
		return fs, false
	}
	for i := 0; i < len(v.n.Content); i += 2 {
		key := Value{f: v.f, n: v.n.Content[i]}
		if _, read := fs.keys[key.n.Value]; read && !slices.Contains(known, key.n.Value) {
			key.Problemf("%s has no key %q%s", what, key.n.Value, Hint(key.n.Value, known))
			delete(fs.keys, key.n.Value)
		}
	}
	return fs, true
}

// AnyMap reads a map with any keys.
func (v Value) AnyMap(what string) (Fields, bool) {
	fs := Fields{of: v, what: what, values: map[string]Value{}, keys: map[string]Value{}}
	if !v.plain() {
		return fs, false
	}
	if v.n.Kind != yaml.MappingNode {
		v.wrong(what, "a map")
		return fs, false
	}
	for i := 0; i+1 < len(v.n.Content); i += 2 {
		key, value := Value{f: v.f, n: v.n.Content[i]}, Value{f: v.f, n: v.n.Content[i+1]}
		name, ok := key.name()
		if !ok {
			continue
		}
		if first, twice := fs.keys[name]; twice {
			key.Problemf("%s has %q twice; the first is on line %d", what, name, first.n.Line)
			continue
		}
		fs.keys[name], fs.values[name] = key, value
	}
	return fs, true
}

// name returns a key's text, or adds a problem.
func (v Value) name() (string, bool) {
	if !v.plain() {
		return "", false
	}
	if v.n.Kind == yaml.ScalarNode && v.n.ShortTag() == "!!merge" {
		v.Problemf("merge keys are not read here; write the values out")
		return "", false
	}
	if v.n.Kind != yaml.ScalarNode {
		v.Problemf("a key must be a string, not %s", v.Kind())
		return "", false
	}
	return v.n.Value, true
}

// Get returns the value of a key and whether it is there.
func (fs Fields) Get(key string) (Value, bool) {
	v, ok := fs.values[key]
	return v, ok
}

// Has reports whether a key is there.
func (fs Fields) Has(key string) bool {
	_, ok := fs.values[key]
	return ok
}

// Need returns the value of a key, or adds a problem at the map.
func (fs Fields) Need(key string) (Value, bool) {
	v, ok := fs.values[key]
	if !ok {
		fs.of.Problemf("%s needs %s", fs.what, key)
	}
	return v, ok
}

// Key returns the key itself, as the place of a problem. The key must be there.
func (fs Fields) Key(key string) Value {
	if k, ok := fs.keys[key]; ok {
		return k
	}
	return fs.of
}

// Names returns the keys in alphabetical order.
func (fs Fields) Names() []string { return slices.Sorted(maps.Keys(fs.values)) }
