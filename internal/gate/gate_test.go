package gate_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
)

// world returns rows of so many batches: customers whose log odds both models know with
// an error, the champion with one of size champion, and the candidate with candidate.
func world(seed uint64, customers, batches int, champion, candidate float64) gate.Paired {
	random := rand.New(rand.NewPCG(seed, 7))
	in := gate.Paired{Slices: []evaluate.Dimension{{Name: "region"}}}
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for b := range batches {
		in.Batches = append(in.Batches, []string{"2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06", "2024-07"}[b])
		for i := range customers {
			odds := -1.2 + 1.3*random.NormFloat64()
			label := 0.0
			if random.Float64() < logistic(odds) {
				label = 1
			}
			score := func(noise float64) float64 {
				shrink := 1.3 * 1.3 / (1.3*1.3 + noise*noise)
				return logistic(-1.2 + shrink*(odds+1.2+noise*random.NormFloat64()))
			}
			in.Data.Labels, in.Data.Clusters = append(in.Data.Labels, label), append(in.Data.Clusters, uint64(i))
			in.Champion, in.Candidate = append(in.Champion, score(champion)), append(in.Candidate, score(candidate))
			in.Slices[0].Values = append(in.Slices[0].Values, []string{"north", "south", "isle"}[min(i%12, 11)/5%3])
		}
	}
	return in
}

func measure(t *testing.T, p *gate.Policy, subject gate.Subject, in gate.Paired) *gate.Outcome {
	t.Helper()
	o, err := gate.Measure(p, subject, in)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func judge(t *testing.T, p *gate.Policy, subject gate.Subject, e gate.Evidence, waivers ...gate.Waiver) *gate.Decision {
	t.Helper()
	d, err := gate.Judge(p, subject, e, waivers)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// policy reads what stands under gates.
func policy(t *testing.T, text string) *gate.Policy {
	t.Helper()
	p, err := read("gates: " + text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAdvanceByTheDefaultPolicy(t *testing.T) {
	for _, tt := range []struct {
		name                string
		champion, candidate float64 // how much both err
		batches             int
		want                gate.Verdict
		reason              string
	}{
		{"a better candidate passes", 1.2, 0.2, 1, gate.Pass, "superior: the candidate is better in auc, logLoss"},
		{"an equal one waits", 0.5, 0.5, 1, gate.Inconclusive, "superior: after 1 of 3 batches the candidate is not better beyond doubt"},
		{"and is blocked in the end", 0.5, 0.5, 3, gate.Block, "superior: after all 3 batches the candidate is not better beyond doubt"},
		{"a worse one is blocked at once", 0.2, 1.2, 1, gate.Block, "guardrail/auc: auc is worse by more than the margin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := measure(t, gate.Default(), gate.Advance, world(1, 4000, tt.batches, tt.champion, tt.candidate))
			d := judge(t, gate.Default(), gate.Advance, gate.Evidence{Outcome: o})
			if d.Verdict != tt.want || !strings.Contains(strings.Join(d.Reasons, "\n"), tt.reason) {
				t.Errorf("%s, want %s with %q; the reasons are\n%s", d.Verdict, tt.want, tt.reason, strings.Join(d.Reasons, "\n"))
			}
		})
	}
}

func TestADecisionIsTheSameBytesWhenRecomputed(t *testing.T) {
	p := policy(t, "{advance: {slices: [{by: region}], rules: [{id: b, rule: 'outcome.metrics[\"brier\"].difference.high < 0.0'}]}}")
	waiver := gate.Waiver{Rule: "b", By: "ann", Reason: "known", Until: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	once := func() []byte {
		o := measure(t, p, gate.Advance, world(2, 2000, 2, 0.8, 0.4))
		d := judge(t, p, gate.Advance, gate.Evidence{Release: gate.Case{At: time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC)}, Outcome: o}, waiver)
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := once()
	if again := once(); !bytes.Equal(first, again) {
		t.Errorf("%s\nand then\n%s", first, again)
	}
	// The stored decision has all that judging takes.
	var stored gate.Decision
	if err := json.Unmarshal(first, &stored); err != nil {
		t.Fatal(err)
	}
	d := judge(t, p, stored.Subject, stored.Evidence, stored.Waivers...)
	if b, err := json.Marshal(d); err != nil || !bytes.Equal(b, first) {
		t.Errorf("what was stored as\n%s\nis judged to be\n%s (%v)", first, b, err)
	}
}

func TestWhatIsNotKnownIsNeverAPass(t *testing.T) {
	all := policy(t, "{advance: {slices: [{by: city}], rules: [{id: gone, rule: 'outcome.metrics[\"auc\"].relative.low > 0.0'}]}}")
	empty := &gate.Policy{Kind: gate.Binary, Alpha: 0.05, Challengers: 12, Looks: 3}
	oneClass := world(3, 100, 3, 0.2, 0.2)
	for i := range oneClass.Data.Labels {
		oneClass.Data.Labels[i] = 0
	}
	unknown := world(3, 100, 3, 0.2, 0.2)
	for i := range unknown.Data.Labels {
		unknown.Data.Labels[i] = math.NaN()
	}
	for _, tt := range []struct {
		name    string
		p       *gate.Policy
		subject gate.Subject
		e       gate.Evidence
		want    gate.Verdict
	}{
		{"no labels yet", all, gate.Advance, gate.Evidence{}, gate.Inconclusive},
		{"nothing to reverse by", all, gate.Reverse, gate.Evidence{}, gate.Inconclusive},
		{"no verdict over the data", all, gate.Publish, gate.Evidence{}, gate.Ask},
		{"a verdict over the data that is empty", all, gate.Publish, gate.Evidence{Data: &gate.Data{}}, gate.Ask},
		{"no comparison", all, gate.Canary, gate.Evidence{Data: &gate.Data{Verdict: gate.Pass}}, gate.Ask},
		{"a comparison without numbers", all, gate.Canary, gate.Evidence{Data: &gate.Data{Verdict: gate.Pass}, Compare: &gate.Compare{Rows: 10}}, gate.Ask},
		{"a policy that asks for nothing", empty, gate.Advance, gate.Evidence{Outcome: measure(t, empty, gate.Advance, world(3, 500, 1, 1, 0.2))}, gate.Ask},
		{"labels of one class", all, gate.Advance, gate.Evidence{Outcome: measure(t, all, gate.Advance, oneClass)}, gate.Ask},
		{"labels that are missing", all, gate.Advance, gate.Evidence{Outcome: measure(t, all, gate.Advance, unknown)}, gate.Ask},
		{"an outcome that is empty", all, gate.Advance, gate.Evidence{Outcome: &gate.Outcome{Budget: 12}}, gate.Block},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := judge(t, tt.p, tt.subject, tt.e); d.Verdict != tt.want {
				t.Errorf("%s, want %s; the reasons are\n%s", d.Verdict, tt.want, strings.Join(d.Reasons, "\n"))
			}
		})
	}
}

func TestEvidenceMustBeLaterThanWhatWasLearned(t *testing.T) {
	o := measure(t, gate.Default(), gate.Advance, world(1, 4000, 2, 1.2, 0.2))
	for learned, want := range map[string]gate.Verdict{"": gate.Pass, "2023-12": gate.Pass, "2024-01": gate.Block, "2024-02": gate.Block} {
		if d := judge(t, gate.Default(), gate.Advance, gate.Evidence{Release: gate.Case{Learned: learned}, Outcome: o}); d.Verdict != want {
			t.Errorf("learned up to %q: %s, want %s", learned, d.Verdict, want)
		}
	}
}

func TestTheYearsBudgetOfChallengersIsAskedAbout(t *testing.T) {
	in := world(1, 4000, 1, 1.2, 0.2)
	for tried, want := range map[int]gate.Verdict{0: gate.Pass, 11: gate.Pass, 12: gate.Ask, 40: gate.Ask} {
		in.Tried = tried
		o := measure(t, gate.Default(), gate.Advance, in)
		if d := judge(t, gate.Default(), gate.Advance, gate.Evidence{Outcome: o}); d.Verdict != want {
			t.Errorf("after %d challengers: %s, want %s (%v)", tried, d.Verdict, want, d.Reasons)
		}
	}
}

// Slices that are too small wait for batches, up to the pool, and are asked about then.
func TestSmallSlicesPoolAndThenAsk(t *testing.T) {
	p := policy(t, "{advance: {slices: [{by: region, values: [isle], minRows: 600, margin: 0.1, pool: 4}]}}")
	in := func(batches int) gate.Paired {
		w := world(1, 1000, batches, 3, 0.1)
		w.Past = []gate.Look{{Batches: 1, Rows: 1000, Superior: []evaluate.Metric{evaluate.AUC}}}
		return w
	}
	for _, tt := range []struct {
		name    string
		batches int
		p       *gate.Policy
		want    gate.Verdict
	}{
		{"too small, and more may come", 2, p, gate.Inconclusive},
		{"large enough", 4, p, gate.Pass},
		{"still too small", 4, policy(t, "{advance: {slices: [{by: region, values: [isle], minRows: 6000, margin: 0.1, pool: 4}]}}"), gate.Ask},
		{"a value that no row has", 4, policy(t, "{advance: {slices: [{by: region, values: [moon], pool: 4}]}}"), gate.Ask},
		{"a column that nobody gave", 4, policy(t, "{advance: {slices: [{by: city, pool: 4}]}}"), gate.Ask},
		{"a report never gates", 2, policy(t, "{advance: {slices: [{by: region, minRows: 6000, reportOnly: true}]}}"), gate.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := judge(t, tt.p, gate.Advance, gate.Evidence{Outcome: measure(t, tt.p, gate.Advance, in(tt.batches))})
			if d.Verdict != tt.want {
				t.Errorf("%s, want %s; the reasons are\n%s", d.Verdict, tt.want, strings.Join(d.Reasons, "\n"))
			}
		})
	}
}

func TestASliceThatIsWorseBlocks(t *testing.T) {
	p := policy(t, "{advance: {slices: [{by: region}]}}")
	in := world(4, 6000, 1, 1.2, 0.2)
	for i, region := range in.Slices[0].Values {
		if region == "isle" {
			in.Candidate[i] = 1 - in.Candidate[i]
		}
	}
	d := judge(t, p, gate.Advance, gate.Evidence{Outcome: measure(t, p, gate.Advance, in)})
	want := "slice/region/isle/auc: auc is worse by more than the margin in 1000 rows"
	if d.Verdict != gate.Block || !strings.Contains(strings.Join(d.Reasons, "\n"), want) {
		t.Errorf("%s, want a block with %q; the reasons are\n%s", d.Verdict, want, strings.Join(d.Reasons, "\n"))
	}
}

// What was shown at an earlier look stays shown; a look at as many batches as an earlier
// one takes its place.
func TestLooksAddUp(t *testing.T) {
	p := gate.Default()
	first := measure(t, p, gate.Advance, world(5, 1500, 1, 0.5, 0.5))
	in := world(5, 1500, 2, 0.5, 0.5)
	in.Past = first.Past
	second := measure(t, p, gate.Advance, in)
	if len(second.Past) != 2 || second.Past[1].Batches != 2 || second.Past[1].Rows != 3000 {
		t.Errorf("the looks are %+v", second.Past)
	}
	if second.Alpha.Success <= first.Alpha.Success || second.Alpha.Guard <= first.Alpha.Guard {
		t.Errorf("the second look may err by %+v, the first by %+v", second.Alpha, first.Alpha)
	}
	in.Past = second.Past
	if revised := measure(t, p, gate.Advance, in); len(revised.Past) != 2 || revised.Alpha != second.Alpha {
		t.Errorf("revised labels may err by %+v after looks %+v", revised.Alpha, revised.Past)
	}
	beyond := world(5, 1500, 5, 0.5, 0.5)
	beyond.Past = []gate.Look{{Batches: 1, Rows: 1500}, {Batches: 3, Rows: 4500}}
	if o := measure(t, p, gate.Advance, beyond); o.Alpha.Success != 0 || o.Alpha.Guard == 0 {
		t.Errorf("beyond the plan a look may err by %+v", o.Alpha)
	}
}

func TestACandidateThatOnlyRanksAsBeforeButIsCalibratedPasses(t *testing.T) {
	in := world(6, 5000, 1, 0.3, 0.3)
	for i, s := range in.Candidate {
		in.Champion[i] = s * s // the same order
	}
	d := judge(t, gate.Default(), gate.Advance, gate.Evidence{Outcome: measure(t, gate.Default(), gate.Advance, in)})
	if d.Verdict != gate.Pass {
		t.Errorf("%s; the reasons are\n%s", d.Verdict, strings.Join(d.Reasons, "\n"))
	}
}

func TestCalibrationOutsideBlocksUnlessTheChampionsIsFarther(t *testing.T) {
	shifted := func(scores []float64, by float64) []float64 {
		out := make([]float64, len(scores))
		for i, s := range scores {
			out[i] = 1 / (1 + math.Exp(-by)*(1-s)/s)
		}
		return out
	}
	for _, tt := range []struct {
		name                string
		champion, candidate float64 // log odds by which both are too high
		want                gate.Verdict
	}{
		{"inside", 0, 0.02, gate.Pass},
		{"outside", 0, 0.6, gate.Block},
		{"outside, and nearer than the champion's", 0.9, 0.5, gate.Pass},
		{"as far out on the other side", 0.6, -0.7, gate.Block},
		{"at the bound, and so is the champion's", 0.31, 0.2, gate.Pass},
		{"at the bound, and the champion's is inside", 0, 0.2, gate.Ask},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := world(7, 5000, 3, 1.2, 0.2)
			in.Champion, in.Candidate = shifted(in.Champion, tt.champion), shifted(in.Candidate, tt.candidate)
			p := policy(t, "{advance: {success: [auc], guardrails: {auc: 0.005}}}")
			d := judge(t, p, gate.Advance, gate.Evidence{Outcome: measure(t, p, gate.Advance, in)})
			if d.Verdict != tt.want {
				t.Errorf("%s, want %s; the reasons are\n%s", d.Verdict, tt.want, strings.Join(d.Reasons, "\n"))
			}
		})
	}
}
