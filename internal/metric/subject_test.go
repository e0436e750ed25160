package metric_test

import (
	"testing"

	"headgate/internal/metric"
)

func TestSubject(t *testing.T) {
	for id, want := range map[string][2]string{
		"score/churn/2024-01":                    {"churn", "2024-01"},
		"score/churn/2024-01/0123/shards/000200": {"churn", "2024-01"},
		"release/churn":                          {"churn", ""},
		"slot/churn":                             {"churn", ""},
		"slot/churn-2026-11-30T01:00:23Z":        {"churn", ""},
		"slot/churn-2-2026-11-30T01:00:23Z":      {"churn-2", ""},
		"slot/churn-2026-11-30":                  {"churn-2026-11-30", ""},
		"slot/-2026-11-30T01:00:23Z":             {"-2026-11-30T01:00:23Z", ""},
		"alert/churn/1f40fc92da241694":           {"churn", ""},
		"release/":                               {"", ""},
		"somebody-else":                          {"", ""},
		"":                                       {"", ""},
	} {
		if pipeline, batch := metric.Subject(id); pipeline != want[0] || batch != want[1] {
			t.Errorf("%q: got %q and %q, want %q", id, pipeline, batch, want)
		}
	}
}
