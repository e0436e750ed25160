package telemetry

import (
	"context"
	"fmt"
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

// views say how each metric of the list is shown: with its help, and with its labels and
// none of those that the SDK adds.
func views() []metric.View {
	views := []metric.View{metric.NewView(metric.Instrument{Name: "temporal_*", Kind: metric.InstrumentKindHistogram},
		metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{Boundaries: sdkBounds}})}
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

// How [Telemetry.Observe] looks: at most every so often, and not for longer than a
// scrape waits.
const (
	lookEvery   = 15 * time.Second
	lookTimeout = 8 * time.Second
)

// Observe shows in every scrape what look returns: samples of metrics of [list.States],
// and of no others. It looks at most every 15 seconds. While looking fails, the last
// samples are shown.
func (t *Telemetry) Observe(look func(ctx context.Context, now time.Time) ([]list.Sample, error)) error {
	meter := t.metrics.Meter(scope)
	var all []api.Observable
	byName := map[string]api.Float64Observable{}
	for _, m := range list.States {
		var o api.Float64Observable
		var err error
		if m.Kind == list.Counter {
			o, err = meter.Float64ObservableCounter(m.Name)
		} else {
			o, err = meter.Float64ObservableGauge(m.Name)
		}
		if err != nil {
			return fmt.Errorf("metric %s: %w", m.Name, err)
		}
		all, byName[m.Name] = append(all, o), o
	}
	s := &sight{look: look}
	_, err := meter.RegisterCallback(func(_ context.Context, o api.Observer) error {
		for _, sample := range s.samples(time.Now()) {
			var labels []attribute.KeyValue
			for i, name := range sample.Labels {
				labels = append(labels, attribute.String(name, sample.Values[i]))
			}
			o.ObserveFloat64(byName[sample.Name], sample.Value, api.WithAttributes(labels...))
		}
		return nil
	}, all...)
	return err
}

// A sight keeps what was seen last.
type sight struct {
	look func(context.Context, time.Time) ([]list.Sample, error)

	mu   sync.Mutex
	at   time.Time
	last []list.Sample
}

// samples looks again if the last look is too old.
func (s *sight) samples(now time.Time) []list.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.at) < lookEvery {
		return s.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	seen, err := s.look(ctx, now)
	s.at = now
	if err != nil {
		otel.Handle(err)
		return s.last
	}
	s.last = seen
	return s.last
}
