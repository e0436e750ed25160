package trail_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/trail"
)

const (
	name  = "2024-06/retrain"
	month = "2024-06"
)

var day = time.Date(2024, 7, 1, 8, 0, 0, 0, time.UTC)

// Digests of what the entries are about.
var (
	former = store.DigestOf([]byte("former champion"))
	next   = store.DigestOf([]byte("next"))
	scored = store.DigestOf([]byte("run"))
	paper  = store.DigestOf([]byte("a paper that nobody reads"))
)

// A book is a registry in memory with two models, of which the first is the champion.
type book struct {
	t   *testing.T
	b   *store.Bucket
	log *registry.Log
}

func newBook(t *testing.T) *book {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	log, err := registry.Load(t.Context(), b, "retailer")
	if err != nil {
		t.Fatal(err)
	}
	k := &book{t: t, b: b, log: log}
	k.append(registry.Entry{Kind: registry.KindRegister, Model: former})
	k.append(registry.Entry{Kind: registry.KindRegister, Model: next})
	k.append(registry.Entry{Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: former})
	return k
}

// append appends an entry by ada, an hour after the one before.
func (k *book) append(e registry.Entry) {
	k.t.Helper()
	e.ID, e.At, e.By = fmt.Sprint("entry ", k.log.Head()), day.Add(time.Duration(k.log.Head())*time.Hour), "ada"
	if _, err := k.log.Append(k.t.Context(), e); err != nil {
		k.t.Fatal(err)
	}
}

// keep stores a paper and returns its digest.
func (k *book) keep(paper any) store.Digest {
	k.t.Helper()
	d, err := run.SaveBlob(k.t.Context(), k.b, paper)
	if err != nil {
		k.t.Fatal(err)
	}
	return d
}

func (k *book) events() []release.Event {
	k.t.Helper()
	events, err := trail.Events(k.t.Context(), k.b, k.log)
	if err != nil {
		k.t.Fatal(err)
	}
	return events
}

// last returns the event of the last entry, without number, time and author.
func (k *book) last() release.Event {
	k.t.Helper()
	events := k.events()
	e := events[len(events)-1]
	if e.Seq != k.log.Head() || !e.At.Equal(day.Add(time.Duration(e.Seq-1)*time.Hour)) || e.By != "ada" {
		k.t.Fatalf("the last entry, %d, has no event: the last is %+v", k.log.Head(), e)
	}
	e.Seq, e.At, e.By = 0, time.Time{}, ""
	return e
}

func TestEntriesBecomeEvents(t *testing.T) {
	version := int64(0)
	routing := release.Routing{Format: release.Format, Release: name, Step: "10%", Salt: "s",
		Arms: []release.Arm{{Model: string(former), Share: 9000}, {Model: string(next), Share: 1000}}}
	published := registry.Entry{Kind: registry.KindPublished, Batch: month, Run: scored, Model: former, Publication: 2, TableVersion: &version}
	for _, tt := range []struct {
		name  string
		entry func(k *book) registry.Entry
		want  func(e registry.Entry) release.Event
	}{
		{"a publication without a paper has the champion's scores",
			func(*book) registry.Entry { return published },
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventPublished, Batch: month, Run: string(scored), Model: string(former), Publication: 2, Models: []string{string(former)}}
			}},
		{"a publication with a paper has the scores of its arms",
			func(k *book) registry.Entry {
				e := published
				e.Restated, e.Paper = true, k.keep(run.Serving{Format: run.Format, Run: scored, Model: former, Champion: former, Routing: &routing})
				return e
			},
			func(e registry.Entry) release.Event {
				return release.Event{Kind: release.EventPublished, Batch: month, Run: string(scored), Model: string(former), Publication: 2, Paper: string(e.Paper),
					Models: []string{string(former), string(next)}, Restated: true}
			}},
		{"a publication that was given to one model has its scores",
			func(k *book) registry.Entry {
				e := published
				e.Paper = k.keep(run.Serving{Format: run.Format, Run: scored, Model: next, Champion: former})
				return e
			},
			func(e registry.Entry) release.Event {
				return release.Event{Kind: release.EventPublished, Batch: month, Run: string(scored), Model: string(former), Publication: 2, Paper: string(e.Paper), Models: []string{string(next)}}
			}},
		{"a restore names what it takes the batch back to",
			func(*book) registry.Entry {
				return registry.Entry{Kind: registry.KindRestored, Batch: month, Run: scored, Publication: 3, TableVersion: &version}
			},
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventRestored, Batch: month, Run: string(scored), Publication: 3}
			}},
		{"a shadow is read without its paper",
			func(*book) registry.Entry {
				return registry.Entry{Kind: registry.KindShadow, Batch: month, Run: scored, Model: next, Paper: paper}
			},
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventShadow, Batch: month, Run: string(scored), Model: string(next), Paper: string(paper)}
			}},
		{"labels that are evidence",
			func(*book) registry.Entry {
				return registry.Entry{Kind: registry.KindEvaluated, Batch: month, Run: scored, Model: former, Labels: paper, Paper: paper, Verdict: registry.VerdictPass}
			},
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventEvaluated, Batch: month, Run: string(scored), Model: string(former), Verdict: release.Pass, Paper: string(paper)}
			}},
		{"a candidate names what it learned from",
			func(*book) registry.Entry {
				return registry.Entry{Kind: registry.KindCandidate, Release: name, Model: next, Batch: "2024-05", Reason: "the AUC fell"}
			},
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventCandidate, Release: name, Model: string(next), Batch: "2024-05", Reason: "the AUC fell"}
			}},
		{"an approval names the decision that was looked at, from its paper",
			func(k *book) registry.Entry {
				return registry.Entry{Kind: registry.KindApproval, Release: name, Step: "10%", Model: next, Answer: registry.AnswerApprove, Reason: "agreed",
					Paper: k.keep(release.Approval{Format: release.Format, Release: name, Step: "10%", Decision: string(paper), Answer: "approve"})}
			},
			func(e registry.Entry) release.Event {
				return release.Event{Kind: release.EventApproval, Release: name, Step: "10%", Model: string(next), Answer: release.Approve, Reason: "agreed",
					Paper: string(e.Paper), Decision: string(paper)}
			}},
		{"a routing is read whole",
			func(k *book) registry.Entry {
				return registry.Entry{Kind: registry.KindRouting, Release: name, Step: "10%", Paper: k.keep(routing)}
			},
			func(e registry.Entry) release.Event {
				return release.Event{Kind: release.EventRouting, Release: name, Step: "10%", Paper: string(e.Paper), Routing: &routing}
			}},
		{"a rejection",
			func(*book) registry.Entry {
				return registry.Entry{Kind: registry.KindRejected, Release: name, Model: next, Reason: "worse in auc"}
			},
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventRejected, Release: name, Model: string(next), Reason: "worse in auc"}
			}},
		{"what a person orders",
			func(*book) registry.Entry {
				return registry.Entry{Kind: registry.KindControl, Control: registry.ControlRollback, Model: former, Batch: month, Reason: "odd scores"}
			},
			func(registry.Entry) release.Event {
				return release.Event{Kind: release.EventControl, Control: release.Rollback, Model: string(former), Batch: month, Reason: "odd scores"}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newBook(t)
			e := tt.entry(k)
			k.append(e)
			if got, want := k.last(), tt.want(e); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestEntriesThatNoReleaseLooksAt(t *testing.T) {
	until := day.AddDate(1, 0, 0)
	for _, tt := range []struct {
		name  string
		entry registry.Entry
	}{
		{"a verdict over a batch", registry.Entry{Kind: registry.KindVerdict, Batch: month, Run: scored, Verdict: registry.VerdictBlock}},
		{"a waiver, which the decisions repeat", registry.Entry{Kind: registry.KindWaiver, Rule: "slice/app", Until: &until, Reason: "the app is new"}},
		{"labels that are no evidence", registry.Entry{Kind: registry.KindEvaluated, Batch: month, Run: scored, Model: former, Labels: paper, Paper: paper, Verdict: registry.VerdictInconclusive}},
		{"an alias that is not the champion's", registry.Entry{Kind: registry.KindPromote, Alias: "audited", Model: next}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newBook(t)
			before := len(k.events())
			k.append(tt.entry)
			if after := k.events(); len(after) != before {
				t.Errorf("it became %+v", after[before:])
			}
		})
	}
}

// A decision is about the model that asks. One that asks whether a new champion may stay is
// turned around: a release asks whether the former champion should come back.
func TestDecisionsBecomeVerdictsOfTheModelThatAsks(t *testing.T) {
	gained := &gate.Outcome{Batches: []string{month}, Metrics: map[evaluate.Metric]gate.Metric{
		evaluate.AUC: {Success: &evaluate.Estimate{}, Difference: evaluate.Estimate{Value: 0.02, Low: 0.01, High: 0.03}}}}
	for _, tt := range []struct {
		name            string
		subject         gate.Subject
		verdict         gate.Verdict
		model, champion store.Digest // of the decision's case
		want            string       // verdict on the model that asks
		asks, against   store.Digest
	}{
		{"a candidate that may advance", gate.Advance, gate.Pass, next, former, release.Pass, next, former},
		{"a candidate that a canary blocks", gate.Canary, gate.Block, next, former, release.Block, next, former},
		{"a new champion that may not stay brings the former one back", gate.Reverse, gate.Block, next, former, release.Pass, former, next},
		{"a new champion that may stay blocks the former one", gate.Reverse, gate.Pass, next, former, release.Block, former, next},
		{"a new champion of whom nobody knows leaves all as it is", gate.Reverse, gate.Inconclusive, next, former, release.Inconclusive, former, next},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newBook(t)
			d := gate.Decision{Format: gate.Format, Subject: tt.subject, Verdict: tt.verdict, Reasons: []string{"because"},
				Evidence: gate.Evidence{Release: gate.Case{Model: string(tt.model), Champion: string(tt.champion)}, Outcome: gained}}
			k.append(registry.Entry{Kind: registry.KindAdvance, Release: name, Step: "10%", Model: tt.model, Verdict: string(tt.verdict), Paper: k.keep(d)})
			e := k.last()
			if e.Verdict != tt.want || e.Model != string(tt.asks) || e.Champion != string(tt.against) || e.Reason != "because" || len(e.Batches) != 1 || e.Low != 0.01 {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestAnEventRepeatsTheFirstTenReasons(t *testing.T) {
	k := newBook(t)
	d := gate.Decision{Format: gate.Format, Subject: gate.Advance, Verdict: gate.Block}
	for i := range 12 {
		d.Reasons = append(d.Reasons, fmt.Sprint("reason ", i))
	}
	k.append(registry.Entry{Kind: registry.KindAdvance, Release: name, Step: "10%", Model: next, Verdict: registry.VerdictBlock, Paper: k.keep(d)})
	if got := k.last().Reason; !strings.HasPrefix(got, "reason 0; ") || !strings.HasSuffix(got, "reason 9; and 2 more") {
		t.Errorf("got %q", got)
	}
}

func TestAPaperThatCannotBeRead(t *testing.T) {
	noRouting := store.DigestOf([]byte("[]"))
	for _, tt := range []struct {
		name  string
		entry registry.Entry
		want  func(error) bool
	}{
		{"a decision that is gone", registry.Entry{Kind: registry.KindAdvance, Release: name, Step: "10%", Model: next, Verdict: registry.VerdictPass, Paper: paper},
			func(err error) bool { return errors.Is(err, store.ErrNotFound) }},
		{"an approval that is gone", registry.Entry{Kind: registry.KindApproval, Release: name, Step: "10%", Answer: registry.AnswerApprove, Paper: paper},
			func(err error) bool { return errors.Is(err, store.ErrNotFound) }},
		{"a routing that is none", registry.Entry{Kind: registry.KindRouting, Release: name, Step: "10%", Paper: noRouting},
			func(err error) bool { return strings.Contains(err.Error(), "cannot unmarshal array") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newBook(t)
			if _, err := k.b.PutBlob(t.Context(), []byte("[]")); err != nil {
				t.Fatal(err)
			}
			k.append(tt.entry)
			events, err := trail.Events(t.Context(), k.b, k.log)
			if err == nil || !strings.HasPrefix(err.Error(), "entry 4: ") || !tt.want(err) {
				t.Errorf("%d events, error %v", len(events), err)
			}
		})
	}
}
