package telemetry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"

	list "headgate/internal/metric"
)

// Bounds of the buckets of durations, in seconds: of what Headgate does, from a look at a
// file to a training; and of what the SDK measures, from an answer of the server to a
// queue that nobody serves.
var (
	stageBounds = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}
	sdkBounds   = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}
)

// measure makes what measures.
func (t *Telemetry) measure() error {
	reader, err := exporter.New(exporter.WithRegisterer(t.registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return fmt.Errorf("metrics for Prometheus: %w", err)
	}
	t.metrics = metric.NewMeterProvider(metric.WithReader(reader), metric.WithView(views()...))
	return nil
}

// repeated are parts of the names of metrics of the SDK that are not shown: calls attempt
// by attempt beside the calls, and the latency of activities, which headgate_stage_duration
// has.
var repeated = []string{"_attempt", "activity_execution_latency", "activity_succeed_endtoend_latency"}

// ofSDK shows the metrics of the Temporal SDK with the labels that say something. With
// all of them every call to the server would have a series for each pair of workflow and
// activity, in each of its buckets.
func ofSDK(i metric.Instrument) (metric.Stream, bool) {
	if !strings.HasPrefix(i.Name, "temporal_") {
		return metric.Stream{}, false
	}
	s := metric.Stream{Name: i.Name, Description: i.Description, Unit: i.Unit}
	dull := []attribute.Key{"client_name", "workflow_type"}
	switch {
	case slices.ContainsFunc(repeated, func(part string) bool { return strings.Contains(i.Name, part) }):
		s.Aggregation = metric.AggregationDrop{}
	case i.Kind == metric.InstrumentKindHistogram:
		s.Aggregation = metric.AggregationExplicitBucketHistogram{Boundaries: sdkBounds}
	}
	switch {
	case strings.HasPrefix(i.Name, "temporal_workflow_"):
		dull = []attribute.Key{"client_name", "activity_type", "worker_type"}
	case strings.Contains(i.Name, "request"):
		dull = append(dull, "activity_type", "worker_type", "task_queue")
	}
	s.AttributeFilter = attribute.NewDenyKeysFilter(dull...)
	return s, true
}

// views say how each metric of the list is shown: with its help, and with its labels and
// none of those that the SDK adds.
func views() []metric.View {
	views := []metric.View{ofSDK}
	for _, m := range list.All() {
		s := metric.Stream{Name: m.Name, Description: m.Help, AttributeFilter: attribute.NewAllowKeysFilter(keys(m)...)}
		if m.Kind == list.Histogram {
			s.Aggregation = metric.AggregationExplicitBucketHistogram{Boundaries: stageBounds}
		}
		views = append(views, metric.NewView(metric.Instrument{Name: m.Name}, s))
	}
	return views
}

func keys(m list.Metric) []attribute.Key {
	var keys []attribute.Key
	for _, l := range m.Labels {
		keys = append(keys, attribute.Key(l))
	}
	return keys
}

// lookTimeout is how long a look may take: less than a scrape waits.
const lookTimeout = 8 * time.Second

// A Look returns samples of the metrics of [list.States], and counters of [list.Flows]
// that begin at zero, so that their first event is seen as a rise. Beside an error it
// returns what it knows nevertheless.
type Look func(ctx context.Context, now time.Time) ([]list.Sample, error)

// Observe shows in every scrape what look returns. It looks if the last look is older
// than every.
func (t *Telemetry) Observe(every time.Duration, look Look) error {
	s := &sight{look: look, every: every, states: map[string]api.Float64Observable{}, flows: map[string]api.Int64Counter{}}
	all, err := s.instruments(t.metrics.Meter(scope))
	if err == nil {
		_, err = t.metrics.Meter(scope).RegisterCallback(s.observe, all...)
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sights = append(t.sights, s)
	return nil
}

// lookAround looks again at all that is observed. A callback must not do that: OpenTelemetry
// holds its lock meanwhile, and waits for ever for a look that measures something for the
// first time, as calls of the Temporal SDK do.
func (t *Telemetry) lookAround() {
	t.mu.Lock()
	sights := slices.Clone(t.sights)
	t.mu.Unlock()
	for _, s := range sights {
		s.lookAgain(time.Now())
	}
}

// A sight keeps what was seen last.
type sight struct {
	look   Look
	every  time.Duration
	states map[string]api.Float64Observable
	flows  map[string]api.Int64Counter

	looking sync.Mutex // for as long as a look takes
	at      time.Time

	mu   sync.Mutex
	last []list.Sample
}

// instruments makes the instruments by which samples are shown.
func (s *sight) instruments(meter api.Meter) (all []api.Observable, err error) {
	for _, m := range list.States {
		var o api.Float64Observable
		if m.Kind == list.Counter {
			o, err = meter.Float64ObservableCounter(m.Name)
		} else {
			o, err = meter.Float64ObservableGauge(m.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", m.Name, err)
		}
		s.states[m.Name], all = o, append(all, o)
	}
	for _, m := range list.Flows {
		if m.Kind != list.Counter {
			continue
		}
		if s.flows[m.Name], err = meter.Int64Counter(m.Name); err != nil {
			return nil, fmt.Errorf("metric %s: %w", m.Name, err)
		}
	}
	return all, nil
}

// observe shows what was seen last.
func (s *sight) observe(_ context.Context, o api.Observer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sample := range s.last {
		if state, ok := s.states[sample.Name]; ok {
			o.ObserveFloat64(state, sample.Value, labelled(sample))
		}
	}
	return nil
}

// labelled returns the labels of a sample.
func labelled(sample list.Sample) api.MeasurementOption {
	var labels []attribute.KeyValue
	for i, name := range sample.Labels {
		labels = append(labels, attribute.String(name, sample.Values[i]))
	}
	return api.WithAttributes(labels...)
}

// lookAgain looks again if the last look is too old.
func (s *sight) lookAgain(now time.Time) {
	s.looking.Lock()
	defer s.looking.Unlock()
	if now.Sub(s.at) < s.every {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	seen, err := s.look(ctx, now)
	if err != nil {
		otel.Handle(err)
	}
	for _, sample := range seen {
		if flow, ok := s.flows[sample.Name]; ok {
			flow.Add(ctx, 0, labelled(sample))
		}
	}
	s.at = now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = seen
}
