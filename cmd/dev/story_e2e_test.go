//go:build e2e

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"headgate/internal/gate"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/worker"
)

// A life is a year of the story, without Temporal: the champion serves to July, a challenger that
// learned May alone is judged on June by the shipped gate, has a share in August and
// serves from September on. Coupons follow from what is served.
type life struct {
	shop   retailer.World
	first  model.Scorer
	second model.Scorer
	served map[string]map[string]row
}

// TestThePathsOfTheStory holds twenty worlds against the areas of the story: every one
// in every stretch of months, and their mean in every month, within the tolerance. In a
// stretch of one month, by what the true probabilities do better or worse than told.
func TestThePathsOfTheStory(t *testing.T) {
	const seeds = 20
	var served, frozen, truth [13]float64
	for seed := uint64(1); seed <= seeds; seed++ {
		y := &life{shop: retailer.World{Seed: seed, Customers: 20_000}, served: map[string]map[string]row{}}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			for m, r := range y.live(t) {
				served[m+1] += r.auc / seeds
				frozen[m+1] += r.frozen / seeds
				truth[m+1] += r.truth / seeds
			}
		})
	}
	for _, p := range stretches {
		for m := p.from; m <= p.to; m++ {
			t.Logf("2024-%02d: served %.3f, never retrained %.3f, truth %.3f", m, served[m], frozen[m], truth[m])
			near(t, fmt.Sprintf("2024-%02d: served", m), served[m], p.served, tolerance)
			near(t, fmt.Sprintf("2024-%02d: never retrained", m), frozen[m], p.frozen, tolerance)
			near(t, fmt.Sprintf("2024-%02d: truth", m), truth[m], p.truth, tolerance)
		}
	}
}

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s: AUC %.3f, want %.3f ± %.3f", what, got, want, by)
	}
}

// live returns the year month by month.
func (y *life) live(t *testing.T) []reckoning {
	text, err := os.ReadFile(shipped("champion.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if y.first, err = lightgbm.Parse(text, model.Options{}); err != nil {
		t.Fatal(err)
	}
	var all []reckoning
	for m := 1; m <= 12; m++ {
		if m == 7 {
			y.learn(t)
		}
		if m == 8 {
			y.judge(t)
		}
		all = append(all, y.month(t, m))
	}
	for _, p := range stretches {
		mean := 0.0
		for _, r := range all[p.from-1 : p.to] {
			chance := 0.0
			if p.from == p.to { // the labels of one month, whose luck the truth shares
				chance = r.truth - p.truth
			}
			mean += (r.auc - chance) / float64(p.to-p.from+1)
		}
		near(t, fmt.Sprintf("months %d to %d: served", p.from, p.to), mean, p.served, tolerance)
	}
	return all
}

// learn trains on May with the parameters of the shipped pipeline, and like it without
// three customers in ten: to stop, to calibrate and to judge.
func (y *life) learn(t *testing.T) {
	files, err := registration.Read(shipped("loop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k := &maker{shop: y.shop, contract: files.Contract, digest: store.DigestOf(files.ContractText), coupons: func(_ context.Context, month string) (retailer.Campaign, error) {
		return coupons(y.served[month]), nil
	}}
	result, err := k.train(t.Context(), recipe{months: []string{"2024-05"}, parameters: files.Config.Training.Parameters, kept: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	if y.second, err = result.Scorer(worker.Formats()); err != nil {
		t.Fatal(err)
	}
}

// judge lets the shipped gate decide about the challenger on June.
func (y *life) judge(t *testing.T) {
	known, err := outcomes(y.shop, "2024-06", coupons(y.served["2024-06"]))
	if err != nil {
		t.Fatal(err)
	}
	candidate, err := scores(y.shop, "2024-06", retailer.NoFault, y.second)
	if err != nil {
		t.Fatal(err)
	}
	champion := map[string]float64{}
	for id, r := range y.served["2024-06"] {
		champion[id] = r.score
	}
	in := gate.Paired{Batches: []string{"2024-06"}}
	in.Data, in.Champion = known.data(champion, candidate)
	_, in.Candidate = known.data(candidate, champion)
	policy := gate.Default()
	outcome, err := gate.Measure(policy, gate.Advance, in)
	if err != nil {
		t.Fatal(err)
	}
	d, err := gate.Judge(policy, gate.Advance, gate.Evidence{Release: gate.Case{Learned: "2024-05"}, Outcome: outcome}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.Verdict != gate.Pass {
		t.Errorf("the challenger on June: %s %v", d.Verdict, d.Reasons)
	}
}

// month is served, and judged in hindsight.
func (y *life) month(t *testing.T, m int) reckoning {
	name := fmt.Sprintf("2024-%02d", m)
	fault := faults[name]
	frozen, err := scores(y.shop, name, fault, y.first)
	if err != nil {
		t.Fatal(err)
	}
	second := frozen
	if m >= 8 {
		if second, err = scores(y.shop, name, fault, y.second); err != nil {
			t.Fatal(err)
		}
	}
	rows := map[string]row{}
	for id, score := range frozen {
		r := row{score, "first"}
		if m >= 9 || m == 8 && share(id) {
			r = row{second[id], "second"}
		}
		rows[id] = r
	}
	y.served[name] = rows
	r, err := reckonRows(y.shop, name, rows, frozen)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// share is true of one customer in ten.
func share(id string) bool { return id[len(id)-4] == '7' }
