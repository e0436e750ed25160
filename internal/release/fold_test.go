package release

import (
	"math"
	"slices"
	"testing"
	"time"
)

// fold numbers events and folds them after a champion m0 and a candidate m1 of release r
// that serves 10 %.
func fold(events ...Event) *State {
	all := append([]Event{
		{Kind: EventPromote, Model: "m0"},
		{Kind: EventCandidate, Release: "r", Model: "m1", Batch: "2024-05"},
	}, events...)
	for i := range all {
		all[i].Seq, all[i].At = int64(i+1), time.Unix(int64(i)*60, 0)
	}
	return Fold(all)
}

func TestWhoseRowsAPublicationHas(t *testing.T) {
	verdict := func(v string) Event {
		return Event{Kind: EventAdvance, Release: "r", Step: "10%", Model: "m1", Batch: "2024-06", Run: "x", Verdict: v}
	}
	published := func(number int64, run string) Event {
		return Event{Kind: EventPublished, Batch: "2024-06", Run: run, Model: "m0", Publication: number}
	}
	tests := []struct {
		name   string
		events []Event
		want   []string
	}{
		{"the champion's", []Event{published(1, "x")}, []string{"m0"}},
		{"the candidate's too, if it passed in the run", []Event{verdict(Pass), published(1, "x")}, []string{"m0", "m1"}},
		{"not if it did not pass", []Event{verdict(Ask), published(1, "x")}, []string{"m0"}},
		{"the last verdict counts", []Event{verdict(Pass), verdict(Block), published(1, "x")}, []string{"m0"}},
		{"a verdict in another run is not about it", []Event{verdict(Pass), published(1, "y")}, []string{"m0"}},
		{"published again, the champion's alone", []Event{verdict(Pass), published(1, "x"), published(2, "x")}, []string{"m0"}},
		{"an entry that comes late changes nothing", []Event{verdict(Pass), published(2, "y"), published(1, "x")}, []string{"m0"}},
		{"what the table says counts more", []Event{verdict(Pass), {Kind: EventPublished, Batch: "2024-06", Run: "x", Model: "m0", Models: []string{"m1"}, Publication: 1}}, []string{"m1"}},
		{"a restored batch is a person's choice", []Event{verdict(Pass), published(1, "x"), {Kind: EventRestored, Batch: "2024-06", Publication: 2}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fold(tt.events...).batches["2024-06"].models; !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestWhatIsEvidence(t *testing.T) {
	first := Event{Kind: EventPublished, Batch: "2024-06", Run: "x", Model: "m0", Publication: 1}
	labels := Event{Kind: EventEvaluated, Batch: "2024-06", Run: "x", Model: "m0"}
	again := Event{Kind: EventPublished, Batch: "2024-06", Run: "y", Model: "m0", Publication: 2}
	restated, same := again, first
	restated.Restated = true
	same.Restated, same.Publication = true, 2
	relabelled := labels
	relabelled.Run = "y"
	tests := []struct {
		name   string
		events []Event
		want   bool
	}{
		{"published and labelled", []Event{first, labels}, true},
		{"labelled and published: entries may come late", []Event{labels, first}, true},
		{"not labelled", []Event{first}, false},
		{"not published", []Event{labels}, false},
		{"published again from other rows, and not evaluated yet", []Event{first, labels, again}, false},
		{"and then evaluated", []Event{first, labels, again, relabelled}, true},
		{"restated", []Event{first, labels, restated, relabelled}, false},
		{"published again from its own scores", []Event{first, labels, same}, true},
		{"restored, and evaluated since", []Event{first, {Kind: EventRestored, Batch: "2024-06", Publication: 2}, labels}, true},
		{"the champion cannot score it", []Event{first, labels, {Kind: EventShadow, Batch: "2024-06", Run: "x", Model: "m0", Verdict: Block}}, false},
		{"it could not, and then it could", []Event{first, labels, {Kind: EventShadow, Batch: "2024-06", Run: "x", Model: "m0", Verdict: Block},
			{Kind: EventShadow, Batch: "2024-06", Run: "x", Model: "m0"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := len(fold(tt.events...).labelled("2024-05", time.Time{}, "m0")) == 1; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestARolledBackModelIsTheOneBefore(t *testing.T) {
	promote := func(m string) Event { return Event{Kind: EventPromote, Model: m} }
	back := Event{Kind: EventControl, Control: Rollback}
	tests := []struct {
		name   string
		events []Event
		to     string // "" if the order makes no sense
	}{
		{"there is none", []Event{back}, ""},
		{"the one before", []Event{promote("a"), back}, "m0"},
		{"not a rejected one", []Event{promote("a"), promote("b"), {Kind: EventRejected, Model: "a"}, back}, "m0"},
		{"the one that is named", []Event{promote("a"), promote("b"), {Kind: EventControl, Control: Rollback, Model: "m0"}}, "m0"},
		{"somebody else came first", []Event{promote("a"), back, promote("b")}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if b := fold(tt.events...).Back; b != nil {
				got = b.To
			}
			if got != tt.to {
				t.Errorf("got %q, want %q", got, tt.to)
			}
		})
	}
}

func TestSettingsThatMakeNoPlan(t *testing.T) {
	bad := with(func(s *Settings) { s.Steps = nil })
	routing := Event{Kind: EventRouting, Release: "r", Step: "10%", Routing: &Routing{Format: Format, Release: "r", Step: "10%", Salt: "r",
		Arms: []Arm{{"m0", 9000}, {"m1", 1000}}}}
	rejected := Event{Kind: EventRejected, Model: "m1"}
	served := []Event{
		{Kind: EventAdvance, Release: "r", Step: "10%", Model: "m1", Batch: "2024-06", Run: "x", Verdict: Pass},
		{Kind: EventPublished, Batch: "2024-06", Run: "x", Model: "m0", Publication: 1},
	}
	tests := []struct {
		name   string
		events []Event
		want   string
	}{
		{"nothing moves", []Event{routing}, "idle: settings that make a plan: release: strategy canary needs steps"},
		{"a rejected model goes", []Event{routing, rejected}, "route rollback: m0 100%"},
		{"its rows go", append(slices.Clone(served), rejected), "republish 2024-06 from m0"},
		{"a person's no counts", []Event{{Kind: EventApproval, Release: "r", Model: "m1", Answer: Reject, By: "ann", Reason: "no"}}, "reject m1: ann rejected it: no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tell(Next(fold(tt.events...), bad, time.Unix(1e6, 0))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheBestCandidate(t *testing.T) {
	low := func(model string, x float64) *Verdict { return &Verdict{Model: model, Low: x} }
	list := []*Verdict{low("e", math.NaN()), low("d", -1), low("c", 0.02), low("b", 0.02), low("a", math.NaN())}
	slices.SortFunc(list, better)
	got := ""
	for _, v := range list {
		got += v.Model
	}
	if got != "bcdae" {
		t.Errorf("got %s; want the highest lower bound first, then the smallest digest, and what has no bound last", got)
	}
}
