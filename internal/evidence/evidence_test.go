package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"headgate/internal/columnar"
	"headgate/internal/evaluate"
	"headgate/internal/evidence"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

func TestRowsAreLinedUp(t *testing.T) {
	s := newShop(t, untreated)
	all := people(40, 100, func(i int, _ float64) int { return i%3 - 1 })
	all[5].bad = true
	b := s.label(s.score("2024-01", all), all, true)
	rows := s.load(evidence.Request{Batches: []evidence.Batch{b}, Models: []store.Digest{champion, late, arm, store.DigestOf([]byte("never"))}})
	at := 0
	for i, p := range all {
		if p.bad {
			continue
		}
		want := evidence.Judged
		if p.outcome < 0 {
			want = evidence.Missing
		}
		if rows.State[at] != want || want == evidence.Judged && rows.Labels[at] != float64(p.outcome) || want == evidence.Missing && !math.IsNaN(rows.Labels[at]) {
			t.Errorf("row %d: state %d, label %g, want outcome %d", i, rows.State[at], rows.Labels[at], p.outcome)
		}
		for m, model := range []store.Digest{champion, late, arm} {
			if rows.Scores[m][at] != p.scores[model] {
				t.Errorf("row %d: model %d said %g, want %g", i, m, rows.Scores[m][at], p.scores[model])
			}
		}
		segment := rows.Slices[0].Values[rows.Slices[0].Of[at]]
		if segment != p.segment && !(p.segment == "" && segment == evidence.Null) || rows.Served[at] != 0 || !math.IsNaN(rows.Scores[3][at]) {
			t.Errorf("row %d: segment %q, served by %d, the last model said %g", i, segment, rows.Served[at], rows.Scores[3][at])
		}
		at++
	}
	if len(rows.Labels) != 39 || at != 39 || len(rows.Unscored) != 1 || !strings.Contains(rows.Unscored[0].Reason, "not scored") {
		t.Errorf("%d rows, unscored %+v", len(rows.Labels), rows.Unscored)
	}
	if n := len(rows.Judged().Labels); n != 0 {
		t.Errorf("%d rows count, and one model has scored none", n)
	}
}

func TestRowsOfOneEntityAreOneCluster(t *testing.T) {
	s := newShop(t, untreated)
	january := people(30, 0, func(i int, _ float64) int { return i % 2 })
	february := people(30, 20, func(i int, _ float64) int { return i % 2 })
	r := evidence.Request{Models: []store.Digest{champion, arm}, Batches: []evidence.Batch{
		s.label(s.score("2024-01", january), january, true), s.label(s.score("2024-02", february), february, true)}}
	rows := s.load(r).Judged()
	d := rows.Data(0)
	clusters := map[uint64]int{}
	for _, c := range d.Clusters {
		clusters[c]++
	}
	if len(d.Scores) != 60 || len(clusters) != 50 || d.Weights != nil {
		t.Errorf("%d rows in %d clusters, weights %v", len(d.Scores), len(clusters), d.Weights)
	}
	r.Batches = r.Batches[:1]
	if d := s.load(r).Judged().Data(0); d.Clusters != nil {
		t.Errorf("clusters %v of one row each", d.Clusters)
	}
	r.Cluster = "segment"
	rows = s.load(r).Judged()
	clear(clusters)
	for i, c := range rows.Data(0).Clusters {
		if rows.Slices[0].Values[rows.Slices[0].Of[i]] != evidence.Null {
			clusters[c]++
		}
	}
	if len(clusters) != 3 {
		t.Errorf("%d clusters, want one for each of 3 segments", len(clusters))
	}
}

func TestASampleIsOfWholeEntities(t *testing.T) {
	s := newShop(t, untreated)
	all := people(2000, 0, func(i int, _ float64) int { return i % 2 })
	r := evidence.Request{Models: []store.Digest{champion}, Limit: 1000, Batches: []evidence.Batch{
		s.label(s.score("2024-01", all), all, true), s.label(s.score("2024-02", all), all, true)}}
	rows := s.load(r)
	count := map[uint64]int{}
	for _, e := range rows.Entity {
		count[e]++
	}
	if rows.Share != 0.25 || len(rows.Labels) < 850 || len(rows.Labels) > 1150 || len(count)*2 != len(rows.Labels) {
		t.Errorf("a share of %g: %d rows of %d entities", rows.Share, len(rows.Labels), len(count))
	}
	if again := s.load(r); !slices.Equal(again.Entity, rows.Entity) || !slices.Equal(again.Scores[0], rows.Scores[0]) {
		t.Error("the same request gives other rows")
	}
}

// Whoever is treated buys. The untreated, weighted by 1/(1 − propensity), have on average
// the metrics of a world without treatment; without weights, or with the treated, not.
func TestWeightsAreUnbiased(t *testing.T) {
	const worlds, n = 60, 1000
	type sums struct{ weighted, plain, treated float64 }
	var prevalence, auc sums
	base := people(n, 0, func(int, float64) int { return 0 })
	var scores []float64
	for _, p := range base {
		scores = append(scores, p.scores[champion])
	}
	truth, err := evaluate.Expected(evaluate.Data{Scores: scores}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(worlds) {
		r := rand.New(rand.NewPCG(seed, 1))
		all := slices.Clone(base)
		for i := range all {
			p := all[i].scores[champion]
			all[i].outcome = 0
			if r.Float64() < p {
				all[i].outcome = 1
			}
			if p > 0.7 {
				all[i].p = 0.8
			}
			if all[i].treated = r.Float64() < all[i].p; all[i].treated {
				all[i].outcome = 1
			}
		}
		s := newShop(t, labelFile)
		rows := s.load(evidence.Request{Models: []store.Digest{champion}, Batches: []evidence.Batch{s.label(s.score("2024-01", all), all, true)}})
		judged := rows.Judged().Data(0)
		plain, with := judged, evaluate.Data{Scores: rows.Scores[0], Labels: rows.Labels}
		plain.Weights = nil
		for _, c := range []struct {
			d   evaluate.Data
			sum func(s *sums) *float64
		}{{judged, func(s *sums) *float64 { return &s.weighted }}, {plain, func(s *sums) *float64 { return &s.plain }}, {with, func(s *sums) *float64 { return &s.treated }}} {
			for m, to := range map[evaluate.Metric]*sums{evaluate.Prevalence: &prevalence, evaluate.AUC: &auc} {
				e, err := evaluate.Of(m, c.d, nil)
				if err != nil {
					t.Fatal(err)
				}
				*c.sum(to) += e.Value / worlds
			}
		}
	}
	for m, got := range map[evaluate.Metric]sums{evaluate.Prevalence: prevalence, evaluate.AUC: auc} {
		want, _ := truth.Get(m)
		if math.Abs(got.weighted-want.Value) > 0.006 {
			t.Errorf("%s: %.4f with weights, in truth %.4f", m, got.weighted, want.Value)
		}
		if math.Abs(got.plain-want.Value) < 0.02 || math.Abs(got.treated-want.Value) < 0.01 {
			t.Errorf("%s: %.4f without weights and %.4f with the treated, in truth %.4f: the test shows nothing", m, got.plain, got.treated, want.Value)
		}
	}
}

func TestOnlyWhoCouldBeUntreatedCounts(t *testing.T) {
	s := newShop(t, labelFile)
	all := people(200, 0, func(i int, _ float64) int { return i % 2 })
	all[0].p, all[1].p, all[1].treated, all[2].p = 1, 1, true, 0.5
	rows := s.load(evidence.Request{Models: []store.Digest{champion}, Batches: []evidence.Batch{s.label(s.score("2024-01", all), all, true)}})
	if rows.State[0] != evidence.Unusable || rows.State[1] != evidence.Treated || rows.State[2] != evidence.Judged || rows.Weights[2] != 2 || rows.Weights[0] != 0 || rows.Weights[3] != 1 {
		t.Errorf("states %v, weights %v", rows.State[:4], rows.Weights[:4])
	}
	e, err := evidence.Evaluate(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Rows.Unusable != 1 || e.Rows.Treated != 1 || e.Rows.Judged != 198 || !strings.Contains(strings.Join(e.Notes, " "), "propensity 1") {
		t.Errorf("rows %+v, notes %q", e.Rows, e.Notes)
	}
}

func TestArmsAreReadApart(t *testing.T) {
	s := newShop(t, untreated)
	all := people(4000, 0, func(i int, _ float64) int { return i % 2 })
	b := s.label(s.score("2024-01", all), all, true)
	routing := &release.Routing{Format: 1, Release: "r", Step: "10%", Salt: "salt", Arms: []release.Arm{{Model: string(champion), Share: 9000}, {Model: string(arm), Share: 1000}}}
	text, err := run.Encode(run.Serving{Format: run.Format, Run: b.Run, Data: b.Decision, Model: champion, Champion: champion, Routing: routing})
	if err != nil {
		t.Fatal(err)
	}
	b.Serving = s.blob(string(text))
	rows := s.load(evidence.Request{Models: []store.Digest{champion, arm, late}, Batches: []evidence.Batch{b}})
	e, err := evidence.Evaluate(rows, &evidence.EvaluateOptions{Threshold: 0.5, Evaluate: evaluate.Options{Replicates: 100}})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Models) != 3 || len(e.Arms) != 2 {
		t.Fatalf("%d models, arms %+v", len(e.Models), e.Arms)
	}
	for i, role := range []string{evidence.RoleChampion, evidence.RoleArm, evidence.RoleShadow} {
		if e.Models[i].Role != role || e.Models[i].Report == nil || e.Models[i].Rows != 4000 {
			t.Errorf("model %d: %+v", i, e.Models[i])
		}
	}
	served := e.Arms[1].Scored
	if e.Arms[0].Scored+served != 4000 || e.Arms[1].Share != 1000 || e.Arms[1].Known != served || e.Arms[1].Outcome == nil || e.Arms[1].Score.Value >= e.Arms[0].Score.Value {
		t.Errorf("arms %+v", e.Arms)
	}
	if served < 300 || served > 500 || e.SRM == nil || *e.SRM < 0.001 {
		t.Errorf("%d served, srm %v", served, e.SRM)
	}
}

func TestABatchThatIsDamagedIsAnError(t *testing.T) {
	s := newShop(t, untreated)
	all := people(40, 0, func(i int, _ float64) int { return i % 2 })
	b := s.label(s.score("2024-01", all), all, true)
	other := s.score("2024-02", people(40, 0, func(int, float64) int { return 0 }))
	r := evidence.Request{Pipeline: "shop", Models: []store.Digest{champion}, Batches: []evidence.Batch{b}}
	load := func(edit func(r *evidence.Request)) error {
		changed := r
		changed.Batches = slices.Clone(r.Batches)
		edit(&changed)
		_, err := evidence.Load(t.Context(), s.bucket, changed, nil)
		return err
	}
	for name, edit := range map[string]func(r *evidence.Request){
		"no batch":                func(r *evidence.Request) { r.Batches = nil },
		"no model":                func(r *evidence.Request) { r.Models = nil },
		"another run":             func(r *evidence.Request) { r.Batches[0].Run = other.Run },
		"the verdict of another":  func(r *evidence.Request) { r.Batches[0].Decision = other.Decision },
		"labels that are missing": func(r *evidence.Request) { r.Batches[0].Labels = other.Run },
		"a cluster that was not kept": func(r *evidence.Request) {
			r.Cluster = "x"
		},
		"shadow scores of another run": func(r *evidence.Request) {
			r.Models = []store.Digest{champion, late}
			r.Batches[0].Shadows = other.Shadows
		},
	} {
		if load(edit) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := load(func(*evidence.Request) {}); err != nil {
		t.Fatal(err)
	}
	for attrs, err := range s.bucket.List(t.Context(), "runs/shop/2024-01/") {
		if err != nil || !strings.Contains(attrs.Key, "/scores/") {
			continue
		}
		data, err := s.bucket.Get(context.Background(), attrs.Key)
		if err != nil {
			t.Fatal(err)
		}
		broken := bytes.Clone(data)
		broken[len(broken)/2] ^= 1
		if err := errors.Join(s.bucket.Delete(t.Context(), attrs.Key), s.bucket.Put(t.Context(), attrs.Key, broken)); err != nil {
			t.Fatal(err)
		}
		break
	}
	var digest *run.DigestError
	if err := load(func(r *evidence.Request) { r.Models = []store.Digest{champion, arm, late} }); !errors.As(err, &digest) && !errors.Is(err, columnar.ErrCorrupt) {
		t.Errorf("a damaged score file: %v", err)
	}
}

func TestWithoutLabelsNothingIsKnown(t *testing.T) {
	s := newShop(t, untreated)
	all := people(400, 0, func(int, float64) int { return 1 })
	rows := s.load(evidence.Request{Models: []store.Digest{champion}, Batches: []evidence.Batch{s.score("2024-01", all)}})
	guess, err := evidence.Forecast(rows, &evidence.EvaluateOptions{Threshold: 0.5})
	if err != nil || guess == nil || len(guess.Forecast) != 8 || rows.State[0] != evidence.Missing {
		t.Errorf("%v, %+v", err, guess)
	}
	e, err := evidence.Evaluate(rows, nil)
	if err != nil || e.Verdict != "inconclusive" || e.Rows.Missing != 400 || e.Models[0].Report != nil {
		t.Errorf("%v, %+v", err, e)
	}
}

// Scores that were calibrated say what labels say; when the world turns round, they do
// not, and are not trusted.
func TestAGuessIsHeldAgainstTheTruth(t *testing.T) {
	for _, tt := range []struct {
		name    string
		chance  func(p float64) float64
		trusted bool
	}{
		{"as the scores say", func(p float64) float64 { return p }, true},
		{"half as often as the scores say", func(p float64) float64 { return p / 2 }, false},
		{"the other way round", func(p float64) float64 { return 1 - p }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			s := newShop(t, untreated)
			all := people(3000, 0, func(_ int, p float64) int {
				if r.Float64() < tt.chance(p) {
					return 1
				}
				return 0
			})
			rows := s.load(evidence.Request{Models: []store.Digest{champion}, Batches: []evidence.Batch{s.label(s.score("2024-01", all), all, true)}})
			e, err := evidence.Evaluate(rows, &evidence.EvaluateOptions{Threshold: 0.5, Evaluate: evaluate.Options{Replicates: 100}})
			if err != nil {
				t.Fatal(err)
			}
			if e.CBPE == nil || e.CBPE.Trusted != tt.trusted || len(e.CBPE.Checks) != 8 || e.Verdict != "pass" {
				t.Errorf("%s %q, %+v", e.Verdict, e.Reasons, e.CBPE)
			}
		})
	}
}
