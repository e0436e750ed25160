//go:build e2e

package main

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// An observer watches a demo from outside: it scrapes its metrics as Prometheus would, and
// receives its traces as Tempo would.
type observer struct {
	t        *testing.T
	receiver *httptest.Server

	mu     sync.Mutex
	spans  map[string]*otlp.Span // by id; of a workflow that was taken up again the last one
	names  map[string]bool       // of metrics
	output bytes.Buffer
	stop   chan struct{}
	done   sync.WaitGroup
}

// observe makes whatever this test runs send its traces here.
func observe(t *testing.T) *observer {
	o := &observer{t: t, spans: map[string]*otlp.Span{}, names: map[string]bool{}, stop: make(chan struct{})}
	o.receiver = httptest.NewServer(http.HandlerFunc(o.receive))
	t.Cleanup(o.receiver.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", o.receiver.URL)
	return o
}

func (o *observer) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &request)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		o.t.Errorf("%s: %v", r.URL.Path, err)
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				o.spans[string(span.SpanId)] = span
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// await returns once a span of a name was received.
func (o *observer) await(name string) {
	o.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		o.mu.Lock()
		found := slices.ContainsFunc(slices.Collect(maps.Values(o.spans)), func(s *otlp.Span) bool { return s.Name == name })
		o.mu.Unlock()
		if found {
			return
		}
		select {
		case <-tick.C:
		case <-o.t.Context().Done():
			o.t.Fatalf("no span %s was received", name)
		}
	}
}

var metricsLine = regexp.MustCompile(`(?m)^metrics +(http://\S+)$`)

// Write takes what the demo prints, and begins to scrape when it says where.
func (o *observer) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := metricsLine.Match(o.output.Bytes())
	o.output.Write(p)
	if m := metricsLine.FindSubmatch(o.output.Bytes()); m != nil && !before {
		url := string(m[1])
		o.done.Go(func() { o.scrape(url) })
	}
	return len(p), nil
}

// scrape notes which metrics there are, often enough to see a question that is answered at once.
func (o *observer) scrape(url string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			return
		case <-tick.C:
		}
		answer, err := http.Get(url)
		if err != nil {
			continue // it stops
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			continue
		}
		o.mu.Lock()
		for _, m := range sampleName.FindAllSubmatch(text, -1) {
			o.names[string(m[1])] = true
		}
		o.mu.Unlock()
	}
}

var (
	sampleName = regexp.MustCompile(`(?m)^([a-z_]+)[{ ]`)
	usedName   = regexp.MustCompile(`\b(?:headgate|temporal)_[a-z_]+`)
)

// checkMetrics holds what dashboards and rules name against what was scraped.
func (o *observer) checkMetrics() {
	o.t.Helper()
	close(o.stop)
	o.done.Wait()
	files, err := filepath.Glob("../../deploy/grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		o.t.Fatalf("no dashboards (%v)", err)
	}
	for _, file := range append(files, "../../deploy/prometheus/alerts.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			o.t.Fatal(err)
		}
		used := usedName.FindAllString(string(text), -1)
		if len(used) == 0 {
			o.t.Errorf("%s names no metric", file)
		}
		slices.Sort(used)
		for _, name := range slices.Compact(used) {
			if !o.names[name] {
				o.t.Errorf("%s names %s, which no scrape of the demo has", file, name)
			}
		}
	}
}

// checkTrace holds the trace that begins with the start of a workflow against what came of
// it: one tree, and in it every step.
func (o *observer) checkTrace(start, workflow string, steps ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var trace []byte
	for _, s := range o.spans {
		if s.Name == start && attribute(s, "temporalWorkflowID") == workflow {
			trace = s.TraceId
		}
	}
	if trace == nil {
		o.t.Fatalf("no trace of %s among %d spans", workflow, len(o.spans))
	}
	tree := maps.Clone(o.spans)
	maps.DeleteFunc(tree, func(_ string, s *otlp.Span) bool { return !bytes.Equal(s.TraceId, trace) })
	var roots, orphans []string
	for _, s := range tree {
		switch {
		case len(s.ParentSpanId) == 0:
			roots = append(roots, s.Name)
		case tree[string(s.ParentSpanId)] == nil:
			orphans = append(orphans, s.Name+" of "+attribute(s, "temporalWorkflowID"))
		}
	}
	if len(roots) != 1 || len(orphans) > 0 {
		o.t.Errorf("%s: roots %v, orphans %v among %d spans", workflow, roots, orphans, len(tree))
	}
	for _, step := range steps {
		if !slices.ContainsFunc(slices.Collect(maps.Values(tree)), func(s *otlp.Span) bool { return s.Name == step }) {
			o.t.Errorf("%s: no span %s in the trace", workflow, step)
		}
	}
	o.t.Logf("%s: %d spans", workflow, len(tree))
}

func attribute(s *otlp.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// checkLogs holds the worker's log against the traces: a line of an activity says which
// span it belongs to, and which pipeline and batch.
func (o *observer) checkLogs(file string) {
	o.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		o.t.Fatal(err)
	}
	line := ""
	for l := range strings.Lines(string(text)) {
		if strings.Contains(l, `"stage":"ScoreShard"`) && strings.Contains(l, "stage done") {
			line = l
		}
	}
	for _, want := range []string{`"trace_id":"`, `"span_id":"`, `"workflow_id":"score/retailer/`, `"run_id":"`, `"pipeline":"retailer"`, `"batch":"2024-`, `"attempt":1`} {
		if !strings.Contains(line, want) {
			o.t.Errorf("the last line of a shard, %q, has no %s", line, want)
		}
	}
}
