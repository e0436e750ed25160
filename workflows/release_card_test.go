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
			Candidates: []activities.CandidateFact{{Model: digestB, Learned: "2024-06", Stands: "candidate"}}, Queue: []string{"2024-08/drift"}, Who: "ann or bob (two of them, and not who asked for the release)", Findings: []string{"superior: auc is better"},
			Trail: []activities.TrailFact{{Seq: 17, At: at, Text: "shadow: pass for bbbbbbbbbbbbbbbb"}}},
		Next: release.Action{Kind: release.DoAsk, Release: "2024-07/retrain", Step: "10%", Model: digestB, Decision: digestD, Nonce: "0123456789abcdef",
			Need: 2, Approved: []string{"ann"}, Until: at.Add(72 * time.Hour), Reason: "it passed in shadow"}}
	held := workflows.ReleaseCard{Pipeline: "retailer", Stage: "Wait",
		ReleaseFacts: activities.ReleaseFacts{Champion: digestA, Open: true, Release: "r", Held: "ann: a | sale"},
		Next:         release.Action{Kind: release.DoNothing, WaitsFor: "resume"}}
	signed := workflows.ReleaseCard{Pipeline: "retailer", Stage: "WaitForAnswer",
		ReleaseFacts: activities.ReleaseFacts{Champion: digestA, Open: true, Release: "2024-07/retrain", Who: "ann", Signed: true},
		Next:         release.Action{Kind: release.DoAsk, Step: "10%", Model: digestB, Decision: digestD, Need: 1, Reason: "it passed in shadow"}}
	serving := workflows.ReleaseCard{Pipeline: "retailer", Stage: "Wait",
		ReleaseFacts: activities.ReleaseFacts{Champion: digestA, Open: true, Release: "r", Candidates: []activities.CandidateFact{{Model: digestB, Stands: "candidate"}},
			Arms: []release.Arm{{Model: digestA, Share: 9000}, {Model: digestB, Share: 1000}}},
		Next: release.Action{Kind: release.DoNothing, WaitsFor: "a batch after 2024-07"}}
	for _, tt := range []struct {
		name string
		card workflows.ReleaseCard
		want string
	}{
		{"nothing was ever released", workflows.ReleaseCard{Pipeline: "retailer", Stage: "Done"},
			"### retailer: nothing to release\n\n| Stage | Done |\n|---|---|\n| Waits for | nothing |\n"},
		{"a question says how to answer it", asking, `### retailer release 2024-07/retrain: **waits for an answer**

**Asks**: may ~bbbbbbbbbbbbbbbb~ enter step 10%? it passed in shadow

2 persons must say yes; so far: ann

**ann or bob (two of them, and not who asked for the release) may answer.** Choose *More Actions*, *Send an Update*, the name ~approve~ or ~reject~, and paste as its data

    {"by": "your name", "reason": "why",
     "decision": "dddddddddddddddd",
     "nonce": "0123456789abcdef"}

or run ~starter approve retailer --release --reason …~, or ~starter reject retailer --release --reason …~.

If nobody has answered by 2024-08-04T09:00:00Z, it stays where it is until somebody resumes.

| Stage | WaitForAnswer |
|---|---|
| Champion | ~aaaaaaaaaaaaaaaa~ |
| Candidate | ~bbbbbbbbbbbbbbbb~, learned up to 2024-06: candidate |
| Strategy | canary: **shadow** → 10% → 100% → watch |
| Routing | ~aaaaaaaaaaaaaaaa~ 100%, ~bbbbbbbbbbbbbbbb~ in shadow |
| Waits for | an answer for step 10% |
| Queue | 2024-08/drift |
| Registry | entry 17, ~cc~ |

**What the gate found**

- superior: auc is better

**Orders**, by *More Actions*, *Send an Update*, at any time:

| Name | Data | What it does |
|---|---|---|
| ~hold~ | ~{"by": "your name", "reason": "why"}~ | stops the release where it is, until somebody resumes |

**What happened**

- 17, 2024-08-01 09:00:00: shadow: pass for bbbbbbbbbbbbbbbb
`},
		{"an answer that must be signed is not pasted", signed, `### retailer release 2024-07/retrain: **waits for an answer**

**Asks**: may ~bbbbbbbbbbbbbbbb~ enter step 10%? it passed in shadow

**ann may answer.** Sign the answer: ~starter approve retailer --release --key ~/.ssh/id_ed25519 --reason …~, or ~starter reject~ with the same.

| Stage | WaitForAnswer |
|---|---|
| Champion | ~aaaaaaaaaaaaaaaa~ |
| Waits for | an answer for step 10% |

**Orders**, by *More Actions*, *Send an Update*, at any time:

| Name | Data | What it does |
|---|---|---|
| ~hold~ | ~{"by": "your name", "reason": "why"}~ | stops the release where it is, until somebody resumes |
| ~rollback~ | ~{"by": "your name", "reason": "why"}~ | brings the champion before back |
`},
		{"a candidate that serves can be taken back", serving, `### retailer release r: running

| Stage | Wait |
|---|---|
| Champion | ~aaaaaaaaaaaaaaaa~ |
| Candidate | ~bbbbbbbbbbbbbbbb~: candidate |
| Routing | ~aaaaaaaaaaaaaaaa~ 90%, ~bbbbbbbbbbbbbbbb~ 10% |
| Waits for | a batch after 2024-07 |
| Who acts | nobody: it goes on by itself |

**Orders**, by *More Actions*, *Send an Update*, at any time:

| Name | Data | What it does |
|---|---|---|
| ~hold~ | ~{"by": "your name", "reason": "why"}~ | stops the release where it is, until somebody resumes |
| ~reject~ | ~{"by": "your name", "reason": "why"}~ | rejects the candidate for ever |
| ~rollback~ | ~{"by": "your name", "reason": "why"}~ | takes the candidate back: it is rejected, and the champion's scores are published for its rows |
`},
		{"what was released can be taken back", workflows.ReleaseCard{Pipeline: "retailer", Stage: "Done",
			ReleaseFacts: activities.ReleaseFacts{Champion: digestB, Release: "r", Outcome: "released"}}, `### retailer release r: released

| Stage | Done |
|---|---|
| Champion | ~bbbbbbbbbbbbbbbb~ |
| Waits for | nothing |

Nobody hears an Update any more. ~starter rollback retailer --reason …~ brings the champion before back.
`},
		{"a person's words do not end a cell", held, `### retailer release r: **held**

| Stage | Wait |
|---|---|
| Champion | ~aaaaaaaaaaaaaaaa~ |
| Waits for | resume |
| Who acts | whoever resumes it |
| Held | ann: a \| sale |

**Orders**, by *More Actions*, *Send an Update*, at any time:

| Name | Data | What it does |
|---|---|---|
| ~resume~ | ~{"by": "your name", "reason": "why"}~ | lets the release go on |
| ~rollback~ | ~{"by": "your name", "reason": "why"}~ | brings the champion before back |
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := tt.card.Markdown(), strings.NewReplacer("~/", "~/", "~", "`").Replace(tt.want); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
