package standing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/drift"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/metric"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/standing"
	"headgate/internal/store"
)

// begin is when the story of a test begins.
var begin = time.Date(2024, 2, 1, 9, 0, 0, 0, time.UTC)

// A scene is a store with the shipped retailer, whose registry a test goes on writing.
type scene struct {
	*testing.T
	bucket   *store.Bucket
	log      *registry.Log
	champion store.Digest
	runs     bool // the batch that asks is being scored
	expects  standing.Expects
	reader   *standing.Reader
	now      time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	ctx := t.Context()
	b, err := store.Open(ctx, "mem://")
	if err != nil {
		t.Fatal(err)
	}
	shipped := "../../testdata/retailer/"
	out, err := registration.Request{Pipeline: shipped + "loop.yaml", Model: shipped + "champion.txt", Golden: shipped + "golden.csv",
		Expected: shipped + "golden_expected.csv", Champion: true, By: "test", At: begin}.Do(ctx, b, model.Formats{"lightgbm": lightgbm.Format})
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, bucket: b, champion: out.Version.Digest, runs: true, now: begin}
	if s.log, err = registry.Load(ctx, b, "retailer"); err != nil {
		t.Fatal(err)
	}
	s.expects = func(context.Context, string, string) (standing.Expectation, error) {
		return standing.Expectation{Pending: true}, nil
	}
	s.reader = standing.New(b, func(context.Context, string, string) (bool, error) { return s.runs, nil }, s.expected)
	return s
}

// expected asks whoever says by now what is expected.
func (s *scene) expected(ctx context.Context, pipeline, batch string) (standing.Expectation, error) {
	return s.expects(ctx, pipeline, batch)
}

// enter appends an entry at the present moment.
func (s *scene) enter(e registry.Entry) registry.Entry {
	s.Helper()
	e.ID, e.At, e.By = fmt.Sprintf("%s/%d", e.Kind, s.log.Head()), s.now, "test"
	e, err := s.log.Append(s.Context(), e)
	if err != nil {
		s.Fatal(err)
	}
	return e
}

// blob keeps a paper and returns its digest.
func (s *scene) blob(v any) store.Digest {
	s.Helper()
	data, err := run.Encode(v)
	if err != nil {
		s.Fatal(err)
	}
	ref, err := s.bucket.PutBlob(s.Context(), data)
	if err != nil {
		s.Fatal(err)
	}
	return ref.Digest
}

// verdict keeps the verdict over a batch and returns the entry that names it.
func (s *scene) verdict(kind, batch string, d run.Data) registry.Entry {
	s.Helper()
	d.Format, d.Run, d.Stage = run.Format, store.DigestOf([]byte("run of "+batch)), "rows"
	o, err := run.SaveJSON(s.Context(), s.bucket, run.Dir("retailer", batch, d.Run), "data.json", d)
	if err != nil {
		s.Fatal(err)
	}
	version := int64(0)
	e := registry.Entry{Kind: kind, Batch: batch, Run: d.Run, Model: s.champion, Decision: o.Digest, Verdict: string(d.Verdict)}
	if kind == registry.KindPublished {
		e.Publication, e.TableVersion = 1, &version
	}
	return s.enter(e)
}

// evaluated enters what labels said of the champion.
func (s *scene) evaluated(batch string, auc, forecast evaluate.Estimate) {
	s.Helper()
	of := func(e evaluate.Estimate) []evaluate.Measured {
		return []evaluate.Measured{{Metric: evaluate.AUC, Estimate: e}, {Metric: evaluate.Prevalence, Estimate: e}}
	}
	paper := evidence.Evaluation{Format: run.Format, Pipeline: "retailer", Batch: batch, Verdict: registry.VerdictPass,
		Models: []evidence.Model{{Model: s.champion, Role: evidence.RoleChampion, Report: &evaluate.Report{Metrics: of(auc)}}},
		CBPE:   &evidence.Guess{Forecast: of(forecast), Trusted: forecast == auc}}
	s.enter(registry.Entry{Kind: registry.KindEvaluated, Batch: batch, Run: store.DigestOf([]byte(batch)), Model: s.champion,
		Labels: store.DigestOf(nil), Paper: s.blob(paper), Verdict: registry.VerdictPass})
}

// samples returns how the store stands, by name and labels.
func (s *scene) samples() map[string]float64 {
	s.Helper()
	samples, err := s.reader.Samples(s.Context(), s.now)
	if err != nil {
		s.Fatal(err)
	}
	found := map[string]float64{}
	for _, sample := range samples {
		found[strings.Join(append([]string{sample.Name}, sample.Values...), " ")] = sample.Value
	}
	return found
}

// wants compares some samples; none must be absent.
func (s *scene) wants(want map[string]float64) {
	s.Helper()
	got := s.samples()
	for name, value := range want {
		if found, ok := got[name]; !ok || found != value {
			s.Errorf("%s is %v (%v), want %v", name, found, ok, value)
		}
	}
}

// lacks checks that no sample of a name is there.
func (s *scene) lacks(names ...string) {
	s.Helper()
	for sample := range s.samples() {
		for _, name := range names {
			if strings.HasPrefix(sample, name) {
				s.Errorf("%s is there", sample)
			}
		}
	}
}

func unix(at time.Time) float64 { return float64(at.Unix()) }

func TestAPipelineThatHasDoneNothing(t *testing.T) {
	s := newScene(t)
	s.wants(map[string]float64{"headgate_published_batches retailer": 0, "headgate_publications_total retailer": 0,
		"headgate_verdicts_total retailer publish block": 0, "headgate_release_open retailer": 0, "headgate_release_share retailer": 0,
		"headgate_missed_slots_total retailer": 0, "headgate_standing_timestamp_seconds": unix(begin)})
	s.lacks("headgate_waiting_since", "headgate_waiting_until", "headgate_last_published", "headgate_model_quality", "headgate_drift_level", "headgate_release_step")
}

func TestABatchWaitsWhileSomebodyCanAnswer(t *testing.T) {
	const since, until = "headgate_waiting_since_timestamp_seconds retailer batch", "headgate_waiting_until_timestamp_seconds retailer batch"
	ask := func(s *scene) { s.verdict(registry.KindVerdict, "2024-01", run.Data{Verdict: run.Ask, Rows: 100}) }
	for _, test := range []struct {
		name  string
		then  func(*scene)
		waits bool
	}{
		{name: "an hour later", then: func(s *scene) { s.now = s.now.Add(time.Hour) }, waits: true},
		{name: "after the time for an answer", then: func(s *scene) { s.now = s.now.Add(72 * time.Hour) }},
		{name: "the run was cancelled", then: func(s *scene) { s.runs = false }},
		{name: "it was answered", then: func(s *scene) {
			s.verdict(registry.KindVerdict, "2024-01", run.Data{Verdict: run.Block, Rows: 100, Reasons: []string{"no"}})
		}},
		{name: "a worker that begins afterwards", then: func(s *scene) {
			s.reader = standing.New(s.bucket, func(context.Context, string, string) (bool, error) { return true, nil }, s.expected)
		}, waits: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			ask(s)
			s.wants(map[string]float64{since: unix(begin), until: unix(begin.Add(72 * time.Hour))})
			test.then(s)
			if test.waits {
				s.wants(map[string]float64{since: unix(begin), until: unix(begin.Add(72 * time.Hour))})
				return
			}
			s.lacks(since, until)
		})
	}
}

func TestWhatAPublishedBatchIsLike(t *testing.T) {
	s := newScene(t)
	report := drift.Report{Level: drift.Warn, Columns: []drift.Column{{Name: "age", Level: drift.Warn}, {Name: "tenure", Level: drift.None},
		{Name: "score", Score: true, Level: drift.Warn}}}
	paper, err := run.SaveJSON(t.Context(), s.bucket, "papers", "drift.json", report)
	if err != nil {
		t.Fatal(err)
	}
	s.verdict(registry.KindVerdict, "2024-01", run.Data{Verdict: run.Block, Rows: 1000, Quarantined: 500, Budget: 10})
	s.now = s.now.Add(time.Hour)
	s.verdict(registry.KindPublished, "2024-01", run.Data{Verdict: run.Pass, Rows: 1000, Quarantined: 8, Replaced: 3, Budget: 10,
		Drift: &run.Drift{Level: "trigger", Paper: paper}})
	s.wants(map[string]float64{
		"headgate_published_batches retailer": 1, "headgate_publications_total retailer": 1,
		"headgate_last_published_timestamp_seconds retailer":       unix(s.now),
		"headgate_last_published_batch_timestamp_seconds retailer": unix(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)),
		"headgate_quarantined_share retailer":                      0.005,
		"headgate_quarantine_budget_share retailer":                0.01,
		"headgate_drift_level retailer trigger":                    1,
		"headgate_drift_level retailer warn":                       0,
		"headgate_drifted_columns_share retailer":                  0.5,
		"headgate_verdicts_total retailer publish block":           1,
		"headgate_verdicts_total retailer publish pass":            1,
	})
}

func TestABatchThatWasBlockedBeforeItsRowsIsNotTheLastJudged(t *testing.T) {
	s := newScene(t)
	s.verdict(registry.KindPublished, "2024-01", run.Data{Verdict: run.Pass, Rows: 1000, Quarantined: 5, Budget: 10})
	s.enter(registry.Entry{Kind: registry.KindVerdict, Batch: "2024-02", Run: store.DigestOf([]byte("2")), Decision: store.DigestOf([]byte("footers")),
		Verdict: registry.VerdictBlock, Reasons: []string{"a column is missing"}})
	s.wants(map[string]float64{"headgate_quarantined_share retailer": 0.005, "headgate_verdicts_total retailer publish block": 1})
}

func TestTheChampionIsShownAgainstItsFirstBatch(t *testing.T) {
	s := newScene(t)
	first := evaluate.Estimate{Value: 0.75, Low: 0.74, High: 0.76, Level: 0.95, N: 1000}
	last := evaluate.Estimate{Value: 0.70, Low: 0.69, High: 0.71, Level: 0.95, N: 1000}
	s.evaluated("2024-01", first, first)
	s.wants(map[string]float64{"headgate_model_quality retailer auc low": 0.74, "headgate_forecast_trusted retailer": 1})
	s.evaluated("2024-03", last, first)
	s.evaluated("2024-02", first, first) // labels that come late are not of the latest batch
	s.wants(map[string]float64{
		"headgate_model_quality retailer auc value": 0.70, "headgate_model_quality retailer auc high": 0.71,
		"headgate_model_quality_at_first retailer auc low": 0.74, "headgate_model_quality_forecast retailer auc value": 0.75,
		"headgate_forecast_trusted retailer":                       0,
		"headgate_last_evaluated_batch_timestamp_seconds retailer": unix(time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)),
		"headgate_verdicts_total retailer labels pass":             3,
	})
	s.lacks("headgate_model_quality retailer prevalence")
}

func TestAReleaseShowsItsStepAndShare(t *testing.T) {
	s := newScene(t)
	challenger := store.DigestOf([]byte("challenger"))
	s.enter(registry.Entry{Kind: registry.KindRegister, Model: challenger})
	s.enter(registry.Entry{Kind: registry.KindCandidate, Release: "r1", Model: challenger})
	s.wants(map[string]float64{"headgate_release_open retailer": 1, "headgate_release_share retailer": 0, "headgate_challengers_total retailer": 1})
	s.enter(registry.Entry{Kind: registry.KindRouting, Release: "r1", Step: "10%", Paper: s.blob(release.Routing{Format: release.Format, Release: "r1", Step: "10%",
		Salt: "r1", Arms: []release.Arm{{Model: string(s.champion), Share: 9000}, {Model: string(challenger), Share: 1000}}})})
	s.wants(map[string]float64{"headgate_release_step retailer 10%": 1, "headgate_release_share retailer": 0.1})
	s.enter(registry.Entry{Kind: registry.KindRejected, Model: challenger, Reason: "worse"})
	s.enter(registry.Entry{Kind: registry.KindRouting, Release: "r1", Step: release.StepDone, Paper: s.blob(release.Routing{Format: release.Format, Release: "r1",
		Step: release.StepDone, Arms: []release.Arm{{Model: string(s.champion), Share: 10000}}})})
	s.wants(map[string]float64{"headgate_release_open retailer": 0, "headgate_release_share retailer": 0})
	s.lacks("headgate_release_step")
}

func TestAProposalWaitsForASecondPerson(t *testing.T) {
	s := newScene(t)
	state := s.log.State()
	s.enter(registry.Entry{Kind: registry.KindProposal, Pipeline: state.Pipeline, Contract: store.DigestOf([]byte("another")), Paper: s.blob("difference")})
	s.wants(map[string]float64{"headgate_waiting_since_timestamp_seconds retailer proposal": unix(begin)})
	s.lacks("headgate_waiting_until")
}

// One pipeline that cannot be read hides no other, and makes the reading old.
func TestAPipelineThatCannotBeReadIsNamed(t *testing.T) {
	s := newScene(t)
	s.wants(map[string]float64{"headgate_standing_timestamp_seconds": unix(begin)})
	if err := s.bucket.Put(t.Context(), registry.Key("broken", 1), []byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	samples, err := s.reader.Samples(t.Context(), begin.Add(time.Hour))
	var broken *registry.EntryError
	if !errors.As(err, &broken) || !strings.Contains(err.Error(), "how pipeline broken stands") {
		t.Errorf("got %v", err)
	}
	if last := samples[len(samples)-1]; last.Name != metric.StandingTime.Name || last.Value != unix(begin) ||
		!slices.ContainsFunc(samples, func(m metric.Sample) bool { return m.Name == metric.PublishedBatches.Name }) {
		t.Errorf("got %d samples, the last %+v", len(samples), last)
	}
}

func TestAStoreThatIsGoneIsShownAsItWas(t *testing.T) {
	s := newScene(t)
	before := s.samples()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	samples, err := s.reader.Samples(gone, begin.Add(time.Hour))
	if err == nil || len(samples) != len(before) || samples[len(samples)-1].Value != unix(begin) {
		t.Errorf("got %d samples of %d, %v", len(samples), len(before), err)
	}
	fresh, err := standing.New(s.bucket, nil, nil).Samples(gone, begin)
	if err == nil || len(fresh) != 1 || fresh[0].Value != 0 {
		t.Errorf("a new reader says %v, %v", fresh, err)
	}
}

func TestThatTemporalDoesNotAnswerIsAnError(t *testing.T) {
	s := newScene(t)
	s.verdict(registry.KindVerdict, "2024-01", run.Data{Verdict: run.Ask, Rows: 100})
	s.reader = standing.New(s.bucket, func(context.Context, string, string) (bool, error) { return false, errors.New("no answer") }, s.expected)
	if _, err := s.reader.Samples(t.Context(), begin); err == nil || !strings.Contains(err.Error(), "whether batch 2024-01 still waits: no answer") {
		t.Errorf("got %v", err)
	}
}
