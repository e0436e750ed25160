package release_test

import (
	"fmt"
	"time"

	"headgate/internal/release"
)

// A candidate that has learned from May is judged on June as soon as June's labels are
// there; before that, its scores of June are needed.
func ExampleNext() {
	day := func(m time.Month) time.Time { return time.Date(2024, m, 1, 0, 0, 0, 0, time.UTC) }
	events := []release.Event{
		{Seq: 1, Kind: release.EventPromote, At: day(1), Model: "old"},
		{Seq: 2, Kind: release.EventPublished, At: day(6), Batch: "2024-06", Run: "run", Model: "old", Publication: 1},
		{Seq: 3, Kind: release.EventCandidate, At: day(7), Release: "2024-07", Model: "new", Batch: "2024-05"},
		{Seq: 4, Kind: release.EventEvaluated, At: day(8), Batch: "2024-06", Run: "run", Model: "old"},
	}
	set := release.Settings{Strategy: release.StrategyCanary, Shadow: 3, Steps: []int{1000, release.Whole}, Batches: 1, Watch: 2,
		OnFail: release.OnFailRollback}

	a := release.Next(release.Fold(events), set, day(8))
	fmt.Println(a.Kind, a.Routing.Shadow)

	events = append(events, release.Event{Seq: 5, Kind: release.EventRouting, At: day(8), Release: a.Release, Step: a.Step, Routing: a.Routing})
	a = release.Next(release.Fold(events), set, day(8))
	fmt.Println(a.Kind, a.Batch, a.Models)

	events = append(events, release.Event{Seq: 6, Kind: release.EventShadow, At: day(8), Batch: a.Batch, Run: a.Run, Model: "new"})
	a = release.Next(release.Fold(events), set, day(8))
	fmt.Println(a.Kind, a.Model, "against", a.Champion, "on", a.Batches)
	// Output:
	// route [new]
	// shadow 2024-06 [new]
	// judge new against old on [{2024-06 run}]
}

func ExampleRouting_Assign() {
	r := release.Routing{Salt: "2024-08", Arms: []release.Arm{{Model: "old", Share: 5000}, {Model: "new", Share: 5000}}}
	for _, customer := range []string{"C1", "C2", "C3", "C4"} {
		fmt.Println(customer, r.Arms[r.Assign([]byte(customer))].Model)
	}
	// Output:
	// C1 new
	// C2 old
	// C3 new
	// C4 new
}
