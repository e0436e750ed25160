// Package metric is the list of what Headgate measures of itself: names, kinds, units,
// labels and meaning, in one place. Activities and workflows record by it, telemetry
// describes by it, and docs/metrics.md is made from it.
//
// Labels have few values: pipelines, stages, verdicts. No customer, run, batch or model
// is ever a label; those are in logs, traces and the registry.
package metric

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds of metrics, as Prometheus has them.
const (
	Counter   = "counter"   // goes up only
	Gauge     = "gauge"     // goes up and down
	Histogram = "histogram" // of durations
)

// A Metric is one line of the list.
type Metric struct {
	Name   string   // as Prometheus shows it
	Kind   string   // [Counter], [Gauge] or [Histogram]
	Unit   string   // base unit: seconds, rows, share; "" for a plain number
	Labels []string // in the order in which values are given
	Help   string   // one sentence
}

// A Sample is the value of a metric with its labels.
type Sample struct {
	Metric
	Values []string // of the labels
	Value  float64
}

// At returns a sample of m. labels are the values of its labels, one for each.
func (m Metric) At(value float64, labels ...string) Sample {
	m.mustFit(labels)
	return Sample{Metric: m, Values: labels, Value: value}
}

// Tags returns labels by name, as the metrics handlers of the Temporal SDK want them.
func (m Metric) Tags(labels ...string) map[string]string {
	m.mustFit(labels)
	tags := make(map[string]string, len(labels))
	for i, name := range m.Labels {
		tags[name] = labels[i]
	}
	return tags
}

// mustFit panics if a caller and the list do not agree, which any test of it shows.
func (m Metric) mustFit(labels []string) {
	if len(labels) != len(m.Labels) {
		panic(fmt.Sprintf("metric %s has the labels %v, and got the values %q", m.Name, m.Labels, labels))
	}
}

// Table returns metrics as the Markdown table of docs/metrics.md.
func Table(list []Metric) string {
	var b strings.Builder
	b.WriteString("| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n")
	for _, m := range list {
		labels := "–"
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "` `") + "`"
		}
		unit := m.Unit
		if unit == "" {
			unit = "–"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, unit, labels, m.Help)
	}
	return b.String()
}

// All returns every metric: [Flows], then [States].
func All() []Metric { return slices.Concat(Flows, States) }
