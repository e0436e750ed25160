package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// An entry of each kind that a release makes, as log and status tell of it.
func TestLogAndStatusTellOfARelease(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	day := time.Date(2024, 7, 1, 8, 0, 0, 0, time.UTC)
	var champion store.Digest
	s.with(func(b *store.Bucket) {
		log, err := registry.Load(t.Context(), b, "retailer")
		if err != nil {
			t.Fatal(err)
		}
		state := log.State()
		champion = state.Champion()
		next, paper := store.DigestOf([]byte("next")), store.DigestOf([]byte("paper"))
		routing, err := papers.Encode(release.Routing{Format: 1, Release: "2024-06/retrain", Step: "10%", Salt: "s",
			Arms: []release.Arm{{Model: string(champion), Share: 9000}, {Model: string(next), Share: 1000}}, Shadow: []string{string(paper)}})
		if err != nil {
			t.Fatal(err)
		}
		ref, err := b.PutBlob(t.Context(), routing)
		if err != nil {
			t.Fatal(err)
		}
		ended, far := day.AddDate(0, 0, 1), time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
		step := registry.Entry{Release: "2024-06/retrain", Step: "10%"}
		for i, e := range []registry.Entry{
			{Kind: registry.KindTraining, Batch: "2024-05", Verdict: "pass", Paper: paper, Reasons: []string{"holdout AUC 0.71"}},
			{Kind: registry.KindRegister, Model: next},
			{Kind: registry.KindCandidate, Model: next, Release: step.Release, Reason: "the champion's AUC fell"},
			{Kind: registry.KindShadow, Batch: "2024-06", Run: paper, Model: next, Paper: paper},
			{Kind: registry.KindEvaluated, Batch: "2024-06", Run: paper, Model: champion, Labels: paper, Paper: paper},
			{Kind: registry.KindAdvance, Release: step.Release, Step: step.Step, Model: next, Verdict: "pass", Paper: paper, Reasons: []string{"auc is better beyond doubt"}},
			{Kind: registry.KindApproval, Release: step.Release, Step: step.Step, Answer: "approve", Paper: paper, Reason: "agreed"},
			{Kind: registry.KindRouting, Release: step.Release, Step: step.Step, Paper: ref.Digest},
			{Kind: registry.KindControl, Release: step.Release, Control: "hold", Reason: "a sale"},
			{Kind: registry.KindControl, Control: "resume", Reason: "the sale is over"},
			{Kind: registry.KindWaiver, Rule: "slice/app", Until: &ended, Reason: "the app is new"},
			{Kind: registry.KindWaiver, Rule: "slice/web", Until: &far, Reason: "so is the web"},
			{Kind: registry.KindRejected, Model: next, Reason: "it turned bad"},
			{Kind: registry.KindProposal, Pipeline: state.Pipeline, Contract: paper, LabelsContract: paper, Paper: paper, Reason: "a limit"},
			{Kind: registry.KindProposal, Pipeline: state.Pipeline, Contract: paper, Paper: next, Reason: "another limit"},
			{Kind: registry.KindPipeline, Pipeline: state.Pipeline, Contract: paper, Paper: next, Proposal: 18, By: "bob", Reason: "agreed"},
			{Kind: registry.KindProposal, Pipeline: state.Pipeline, Contract: paper, Output: paper, Paper: paper, Reason: "a third limit"},
		} {
			e.ID, e.At = fmt.Sprint("entry ", i), day.Add(time.Duration(i)*time.Minute)
			if e.By == "" {
				e.By = "ada"
			}
			if _, err := log.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	})
	s.ask(0, `pipeline  retailer
champion  DIGEST
versions  2, 1 rejected
registry  20:DIGEST
routing   2024-06/retrain, step 10%
          90% model version DIGEST
          10% model version DIGEST
          in shadow: model version DIGEST
waiver    rule slice/app, ran out on 2024-07-02, by ada (entry 14): the app is new
waiver    rule slice/web, until 9000-01-01, by ada (entry 15): so is the web
proposal  20 by ada waits for a second person: a third limit
          look: starter diff retailer --proposal 20; then: starter approve retailer --proposal 20 --reason TEXT

no batch was scored yet
`, "status", "retailer")
	s.ask(0, `SEQ  WHEN (UTC)           WHAT       BY    DETAILS
1    2024-01-01 00:00:00  pipeline   test  pipeline file DIGEST, contract DIGEST
2    2024-01-01 00:00:00  register   test  model version DIGEST
3    2024-01-01 00:00:00  promote    test  champion is model version DIGEST
4    2024-07-01 08:00:00  training   ada   2024-05 is the last batch it learned from: pass, evidence DIGEST; holdout AUC 0.71
5    2024-07-01 08:01:00  register   ada   model version DIGEST
6    2024-07-01 08:02:00  candidate  ada   2024-06/retrain: model version DIGEST asks to be released (the champion's AUC fell)
7    2024-07-01 08:03:00  shadow     ada   2024-06: model version DIGEST scored run DIGEST in shadow, scores DIGEST
8    2024-07-01 08:04:00  evaluated  ada   2024-06: labels DIGEST held against run DIGEST of model version DIGEST, evaluation DIGEST
9    2024-07-01 08:05:00  advance    ada   2024-06/retrain, step 10%: pass for model version DIGEST, decision DIGEST; auc is better beyond doubt
10   2024-07-01 08:06:00  approval   ada   2024-06/retrain, step 10%: approve, approval DIGEST (agreed)
11   2024-07-01 08:07:00  routing    ada   2024-06/retrain, step 10%: routing DIGEST
12   2024-07-01 08:08:00  control    ada   2024-06/retrain: hold (a sale)
13   2024-07-01 08:09:00  control    ada   resume (the sale is over)
14   2024-07-01 08:10:00  waiver     ada   rule slice/app is let go until 2024-07-02 08:00:00 (the app is new)
15   2024-07-01 08:11:00  waiver     ada   rule slice/web is let go until 9000-01-01 00:00:00 (so is the web)
16   2024-07-01 08:12:00  rejected   ada   model version DIGEST may not serve (it turned bad)
17   2024-07-01 08:13:00  proposal   ada   pipeline file DIGEST, contract DIGEST, contract of the labels DIGEST, change DIGEST wait for a second person (a limit)
18   2024-07-01 08:14:00  proposal   ada   pipeline file DIGEST, contract DIGEST, change DIGEST wait for a second person (another limit)
19   2024-07-01 08:15:00  pipeline   bob   pipeline file DIGEST, contract DIGEST, change DIGEST, as proposal 18 (agreed)
20   2024-07-01 08:16:00  proposal   ada   pipeline file DIGEST, contract DIGEST, contract of the scores DIGEST, change DIGEST wait for a second person (a third limit)

anchor 20:DIGEST
`, "log", "retailer")
}

// office is a pipeline whose changes ada, bob and cleo approve.
func office(t *testing.T) (s *shop, pipeline string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"contract.yaml", "labels.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), readFile(t, shipped+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pipeline = filepath.Join(dir, "pipeline.yaml")
	text := string(readFile(t, shipped+"pipeline.yaml")) + `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml }
release: { approve: { people: [{ name: ada }, { name: bob }] } }
`
	if err := os.WriteFile(pipeline, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return openShop(t, pipeline), pipeline
}

func TestAChangeIsProposedAndApproved(t *testing.T) {
	s, pipeline := office(t)
	text := strings.Replace(string(readFile(t, pipeline)), "budget: 1%", "budget: 2%", 1)
	if err := os.WriteFile(pipeline, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.ask(2, "starter: other files are in force: a change of them needs a reason; give --reason\n", "register", pipeline, "--by", "ada")
	out := s.ask(0, "", "register", pipeline, "--by", "ada", "--reason", "fewer blocks")
	if want := "proposal  4: the files come into force when another of the people says so: starter approve retailer --proposal 4 --reason TEXT\n"; !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
	const change = `diff in force/pipeline.yaml new/pipeline.yaml
--- in force/pipeline.yaml
+++ new/pipeline.yaml
@@ -9,7 +9,7 @@
 scores:
   keep: [segment, region]
 quarantine:
-  budget: 1%
+  budget: 2%
 shards:
   rows: 500000
   parallel: 4

`
	s.ask(0, "proposal 4 by ada: fewer blocks\n\n"+change, "diff", "retailer", "--proposal", "4")
	s.ask(1, "starter: entry 3 of retailer is no proposal\n", "diff", "retailer", "--proposal", "3")
	s.ask(2, "starter: approve --proposal needs --reason, and takes no --batch; see starter approve --help\n", "approve", "retailer", "--proposal", "4", "--by", "bob")
	s.ask(1, "starter: this person may not decide that: ada made it, so somebody else decides: bob\n",
		"approve", "retailer", "--proposal", "4", "--by", "ada", "--reason", "mine")
	s.ask(0, change+"approved by bob: the files are in force\nregistry  5:DIGEST\n", "approve", "retailer", "--proposal", "4", "--by", "bob", "--reason", "agreed")
	s.ask(1, "starter: no proposal 9 of retailer waits: it never did, or the files have changed since\n",
		"approve", "retailer", "--proposal", "9", "--by", "bob", "--reason", "agreed")
}

func TestWaive(t *testing.T) {
	s, _ := office(t)
	waive := func(by string) []string {
		return []string{"waive", "retailer", "--rule", "slice/app", "--until", "9000-01-01", "--reason", "the app is new", "--by", by}
	}
	s.ask(1, "starter: this person may not decide that: \"eve\" is none of ada, bob\n", waive("eve")...)
	s.ask(0, "waiver    entry 4: rule slice/app is let go until 9000-01-01 00:00:00 (the app is new)\nregistry  4:DIGEST\n", waive("ada")...)
	s.ask(2, "starter: waive needs --rule, --until and --reason; see starter waive --help\n", "waive", "retailer", "--rule", "slice/app")
	s.ask(2, "starter: --until \"soon\" is no day; write it as 2024-09-01\n", "waive", "retailer", "--rule", "r", "--until", "soon", "--reason", "r")
	s.ask(1, "starter: pipeline \"toys\" is not registered in file://STORE; run: starter register PIPELINE.yaml\n",
		"waive", "toys", "--rule", "r", "--until", "9000-01-01", "--reason", "r")
	if out := s.ask(0, "", "status", "retailer"); !strings.Contains(out, "\nwaiver    rule slice/app, until 9000-01-01, by ada (entry 4): the app is new\n") {
		t.Errorf("status\n%s", out)
	}
}

func TestDiffOfTwoVersions(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.deliver("2024-01", "")
	month := filepath.Join(s.dir, "incoming", "retailer", "2024-01", "part-0000.parquet")
	out := s.ask(0, "", "register", shipped+"pipeline.yaml", "--model", shipped+"champion.txt", "--sample", month, "--reference", "2024-01="+month, "--by", "ada")
	_, digest, found := strings.Cut(out, "model     sha256:")
	if !found {
		t.Fatalf("no model in\n%s", out)
	}
	s.ask(0, `PART         WHAT  DIGEST      DIGEST
golden rows  rows  40                    32
golden rows  by    the training library  headgate at registration
golden rows  file  DIGEST      DIGEST
reference          –                     2024-01 (DIGEST)
`, "diff", "retailer", "champion", digest[:8])
	if out := s.ask(0, "", "diff", "retailer", digest[:64], "champion", "--json"); !strings.Contains(out, `"what": "rows",
    "old": "32",
    "new": "40"`) {
		t.Errorf("as JSON: %s", out)
	}
	s.ask(0, "DIGEST and DIGEST differ in nothing that a bundle holds\n", "diff", "retailer", "champion", "champion")
	s.ask(1, "starter: no model version begins with \"xyz\"; starter log names them\n", "diff", "retailer", "champion", "xyz")
	s.ask(1, "starter: 2 model versions begin with \"sha256:\"; give more digits\n", "diff", "retailer", "champion", "sha256:")
	s.ask(2, "starter: diff takes PIPELINE VERSION VERSION, or PIPELINE with --proposal; see starter diff --help\n", "diff", "retailer", "champion")
}

func TestLogAndWhyTellOfAReplacedPublication(t *testing.T) {
	s := openShop(t, shipped+"pipeline.yaml")
	s.score("2024-01", "")
	s.score("2024-01", retailer.BadRows)
	out := s.ask(0, "", "log", "retailer")
	if want := "table version 1, supersedes 1 and changes 2 keys\n"; !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
	out = s.ask(0, "", "why", "retailer", "2024-01", "C000000007-13")
	if want := "registry  entry 5\nagain     it supersedes publication 1 and changes 2 of its keys\n"; !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
}

func TestBackfillTellsOfEachBatch(t *testing.T) {
	var out, log bytes.Buffer
	e := &env{stdout: &out, stderr: &log}
	changed := int64(12)
	all := []workflows.BackfilledBatch{
		{Batch: "2024-01", Outcome: "kept", Reason: "it is published as publication 1"},
		{Batch: "2024-02", Outcome: "published", Publication: 2, Rows: 200, Changed: &changed, Restated: true},
	}
	if err := printBackfill(e, workflows.BackfillOutput{Batches: all}); err != nil {
		t.Error(err)
	}
	if want := `BATCH    OUTCOME    PUBLICATION  ROWS  CHANGED KEYS  WHY
2024-01  kept       0            0     –             it is published as publication 1
2024-02  published  2            200   12            restated: no evidence
`; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	for outcome, want := range map[string]string{"failed": "1 of 3 batches failed", "block": "1 of 3 batches were blocked"} {
		err := printBackfill(e, workflows.BackfillOutput{Batches: append(slices.Clone(all), workflows.BackfilledBatch{Outcome: outcome})})
		if err == nil || err.Error() != want || errors.As(err, new(blockedError)) != (outcome == "block") {
			t.Errorf("%s: %v", outcome, err)
		}
	}
	for _, args := range [][]string{{"--as-was"}, {"--from", "a", "--to", "b", "--reason", "r"}, {"--from", "a", "--to", "b", "--reason", "r", "--as-was", "--as-now"}} {
		if code, _, stderr := starter(t, append([]string{"backfill", "retailer"}, args...)...); code != 2 || !strings.Contains(stderr, "and one of --as-was and --as-now") {
			t.Errorf("%q: exit %d, %s", args, code, stderr)
		}
	}
}
