package workflows_test

import (
	"strings"
	"testing"
	"time"

	"headgate/activities"
	"headgate/internal/release"
	"headgate/workflows"
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	digestD = "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
)

func TestReleaseCardMarkdown(t *testing.T) {
	at := time.Date(2024, 8, 1, 9, 0, 0, 0, time.UTC)
	asking := workflows.ReleaseCard{Pipeline: "retailer", Stage: "WaitForAnswer", Anchor: "17:sha256:cc",
		ReleaseFacts: activities.ReleaseFacts{Champion: digestA, Open: true, Release: "2024-07/retrain", Strategy: "canary", Step: "shadow",
			Steps: []string{"shadow", "10%", "100%", "watch"}, Arms: []release.Arm{{Model: digestA, Share: 10000}}, Shadow: []string{digestB},
			Candidates: []activities.CandidateFact{{Model: digestB, Learned: "2024-06", Stands: "candidate"}}, Queue: []string{"2024-08/drift"},
			Trail: []activities.TrailFact{{Seq: 17, At: at, Text: "shadow: pass for bbbbbbbbbbbbbbbb"}}},
		Next: release.Action{Kind: release.DoAsk, Release: "2024-07/retrain", Step: "10%", Model: digestB, Decision: digestD, Nonce: "0123456789abcdef",
			Need: 2, Approved: []string{"ann"}, Until: at.Add(72 * time.Hour), Reason: "it passed in shadow"}}
	held := workflows.ReleaseCard{Pipeline: "retailer", Stage: "Wait",
		ReleaseFacts: activities.ReleaseFacts{Champion: digestA, Open: true, Release: "r", Held: "ann: a | sale"},
		Next:         release.Action{Kind: release.DoNothing, WaitsFor: "resume"}}
	for _, tt := range []struct {
		name string
		card workflows.ReleaseCard
		want string
	}{
		{"nothing was ever released", workflows.ReleaseCard{Pipeline: "retailer", Stage: "Done"},
			"### retailer: nothing to release\n\n| Stage | Done |\n|---|---|\n| Waits for | nothing |\n"},
		{"a question says how to answer it", asking, `### retailer release 2024-07/retrain: **waits for an answer**

| Stage | WaitForAnswer |
|---|---|
| Champion | ~aaaaaaaaaaaaaaaa~ |
| Candidate | ~bbbbbbbbbbbbbbbb~, learned up to 2024-06: candidate |
| Strategy | canary: **shadow** → 10% → 100% → watch |
| Routing | ~aaaaaaaaaaaaaaaa~ 100%, ~bbbbbbbbbbbbbbbb~ in shadow |
| Waits for | an answer for step 10% |
| Queue | 2024-08/drift |
| Registry | entry 17, ~cc~ |

**Asks**: may ~bbbbbbbbbbbbbbbb~ enter step 10%? it passed in shadow

2 persons must say yes; so far: ann

Until 2024-08-04T09:00:00Z somebody may answer: press *Update* above, choose ~approve~ or ~reject~ and paste

    {"by": "your name", "reason": "why", "decision": "dddddddddddddddd", "nonce": "0123456789abcdef"}

or run ~starter approve retailer --release --reason …~, or ~starter reject retailer --release --reason …~.

**What happened**

- 17, 2024-08-01 09:00:00: shadow: pass for bbbbbbbbbbbbbbbb
`},
		{"a person's words do not end a cell", held, `### retailer release r: **held**

| Stage | Wait |
|---|---|
| Champion | ~aaaaaaaaaaaaaaaa~ |
| Waits for | resume |
| Held | ann: a \| sale |
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := tt.card.Markdown(), strings.ReplaceAll(tt.want, "~", "`"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
