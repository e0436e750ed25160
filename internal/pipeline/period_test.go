package pipeline_test

import (
	"slices"
	"strings"
	"testing"
)

func TestRange(t *testing.T) {
	for _, tt := range []struct {
		name, kind, from, to string
		want                 []string
		err                  string
	}{
		{"months over a year's end", "month", "2023-11", "2024-02", []string{"2023-11", "2023-12", "2024-01", "2024-02"}, ""},
		{"days over a leap day", "day", "2024-02-28", "2024-03-01", []string{"2024-02-28", "2024-02-29", "2024-03-01"}, ""},
		{"one batch", "month", "2024-01", "2024-01", []string{"2024-01"}, ""},
		{"the wrong way round", "month", "2024-02", "2024-01", nil, "2024-02 is after 2024-01"},
		{"too many", "month", "2020-01", "2024-01", nil, "more than 4 batches"},
		{"a day where there are months", "month", "2024-01-01", "2024-02", nil, `has no batch "2024-01-01"`},
		{"an end that is no batch", "month", "2024-01", "soon", nil, `has no batch "soon"`},
		{"names that are no dates", "any", "a", "b", nil, `has no batch "a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nbatch: "+tt.kind+"\n")
			got, err := c.Range(tt.from, tt.to, 4)
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Range = %v, %v", got, err)
			}
		})
	}
}

func TestEndOfABatch(t *testing.T) {
	for kind, batch := range map[string]string{"month": "2024-02", "day": "2024-02-29"} {
		c := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nbatch: "+kind+"\n")
		end, ok := c.End(batch)
		if !ok || end.Format("2006-01-02") != "2024-03-01" {
			t.Errorf("%s ends at %s, want 2024-03-01", batch, end)
		}
		if _, ok := c.End("soon"); ok {
			t.Error("a name that is no date ends")
		}
	}
}
