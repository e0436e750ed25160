package pipeline_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"headgate/internal/pipeline"
	"headgate/schemas"
)

// node is as much of a JSON Schema as the parser can be held to.
type node struct {
	Properties map[string]node `json:"properties"`
	Required   []string        `json:"required"`
	Enum       []string        `json:"enum"`
	Default    any             `json:"default"`
	Items      *node           `json:"items"`
}

// The schema that editors read and the parser agree: on every key, on what is
// required, on choices and on defaults.
func TestSchemaAgrees(t *testing.T) {
	var root node
	if err := json.Unmarshal(schemas.Pipeline, &root); err != nil {
		t.Fatal(err)
	}
	if keys := slices.Sorted(maps.Keys(root.Properties)); !slices.Equal(keys, slices.Sorted(slices.Values(pipeline.TopKeys))) {
		t.Errorf("the schema has the keys %v, the parser %v", keys, pipeline.TopKeys)
	}
	_, err := pipeline.Parse("p", []byte("{}"))
	for _, key := range root.Required {
		if err == nil || !strings.Contains(err.Error(), "needs "+key) {
			t.Errorf("the schema requires %s, the parser says %v", key, err)
		}
	}
	minimal := "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\n"
	for _, kind := range root.Properties["batch"].Enum {
		parse(t, minimal+"batch: "+kind+"\n")
	}
	for _, c := range root.Properties["scores"].Properties["compression"].Enum {
		parse(t, minimal+"scores: { compression: "+c+" }\n")
	}
	c := parse(t, minimal)
	for _, tt := range []struct {
		path string
		have any
	}{
		{"batch", c.Batch}, {"scores.compression", c.Scores.Compression}, {"quarantine.budget", c.Quarantine.Budget.Share},
		{"shards.rows", c.Shards.Rows}, {"shards.parallel", c.Shards.Parallel}, {"fallback.score", c.Fallback.Score},
		{"warnings", c.Warnings}, {"ask.wait", c.Ask.Wait}, {"drift.reference", c.Drift.Reference}, {"drift.moderate", c.Drift.Moderate},
		{"drift.major", c.Drift.Major}, {"drift.alpha", c.Drift.Alpha}, {"drift.minRows", c.Drift.MinRows},
		{"drift.batches", c.Drift.Batches}, {"drift.of", c.Drift.Of}, {"drift.action", c.Drift.Action},
	} {
		n := root
		for key := range strings.SplitSeq(tt.path, ".") {
			n = n.Properties[key]
		}
		if f, ok := n.Default.(float64); ok && f == math.Trunc(f) {
			n.Default = int64(f)
		}
		if fmt.Sprint(n.Default) != fmt.Sprint(tt.have) {
			t.Errorf("%s: the schema's default is %v, the parser's %v", tt.path, n.Default, tt.have)
		}
	}
}
