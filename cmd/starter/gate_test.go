package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headgate/internal/model"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/store"
	"headgate/internal/train"
	"headgate/workflows"
)

// judgingShop has a January with labels, which its champion, who says too much, and the
// shipped model have scored. It returns the digest of the second.
func judgingShop(t *testing.T) (*shop, store.Digest) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"contract.yaml", "labels.yaml", "pipeline.yaml"} {
		text := readFile(t, shipped+name)
		if name == "pipeline.yaml" {
			text = append(text, `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml, due: 1s }
release: { shadow: 1 }
gates: { looks: 1, advance: { success: [logLoss], guardrails: { auc: 0.05 }, calibration: none } }
`...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &shop{t: t, dir: t.TempDir()}
	s.deliver("2024-01", "")
	pipeline := filepath.Join(dir, "pipeline.yaml")
	s.version(pipeline, 1.5)
	second := s.version(pipeline, 0)
	s.again("2024-01")
	s.labels("2024-01")
	s.with(func(b *store.Bucket) {
		env := s.temporal(b)
		env.ExecuteWorkflow(workflows.ShadowBatch, workflows.ShadowBatchInput{Pipeline: "retailer", Batch: "2024-01", Models: []store.Digest{second}, By: "ada"})
		if err := env.GetWorkflowError(); err != nil {
			t.Fatal(err)
		}
	})
	s.judged("2024-01")
	return s, second
}

// version registers the shipped model with its log odds moved by intercept. The first is
// the champion.
func (s *shop) version(pipeline string, intercept float64) (digest store.Digest) {
	s.t.Helper()
	text := readFile(s.t, shipped+"champion.txt")
	m := train.Manifest{Format: train.ManifestFormat, Label: "bought", Features: []train.Feature{{Name: "tenure", Kind: "numeric"}},
		Results: &train.Results{Model: string(store.DigestOf(text)), Calibration: &model.Calibration{Kind: model.Platt, Intercept: intercept, Slope: 1}}}
	manifest, err := m.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	training := filepath.Join(s.t.TempDir(), "training.json")
	if err := os.WriteFile(training, manifest, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.with(func(b *store.Bucket) {
		out, err := registration.Request{Pipeline: pipeline, Model: shipped + "champion.txt", Training: training,
			Sample:   filepath.Join(s.dir, "incoming", "retailer", "2024-01", "part-0000.parquet"),
			Champion: intercept != 0, By: "test", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(s.t.Context(), b, formats)
		if err != nil {
			s.t.Fatal(err)
		}
		digest = out.Version.Digest
	})
	return digest
}

// labels delivers the labels of a month.
func (s *shop) labels(month string) {
	s.t.Helper()
	customers := retailer.World{Seed: 1, Customers: 1000}
	dir := filepath.Join(s.dir, "labels", "retailer", month)
	var file bytes.Buffer
	err := errors.Join(customers.WriteLabels(s.t.Context(), &file, month, nil), os.MkdirAll(dir, 0o777),
		os.WriteFile(filepath.Join(dir, "labels.parquet"), file.Bytes(), 0o666), os.WriteFile(filepath.Join(dir, "_COMPLETE"), nil, 0o666))
	if err != nil {
		s.t.Fatal(err)
	}
}

// judged holds a month's labels against its scores.
func (s *shop) judged(month string) {
	s.t.Helper()
	s.with(func(b *store.Bucket) {
		suite := s.temporal(b)
		suite.ExecuteWorkflow(workflows.EvaluateBatch, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: month, By: "ada"})
		var out workflows.EvaluateBatchOutput
		if err := suite.GetWorkflowResult(&out); err != nil || out.Verdict != "pass" {
			s.t.Fatalf("%+v (%v)", out, err)
		}
		var stdout bytes.Buffer
		if err := printJudged(&env{stdout: &stdout}, workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: month}, out); err != nil {
			s.t.Error(err)
		}
		for _, want := range []string{"outcomes of 100 % of the rows are known\n", "  champion  1,000  ", "  shadow    1,000  ", "\nevaluation  ", "\nregistry    "} {
			if !strings.Contains(stdout.String(), want) {
				s.t.Errorf("no %q in\n%s", want, stdout.String())
			}
		}
	})
}

func TestAGateIsTriedOnThePast(t *testing.T) {
	s, second := judgingShop(t)
	simulate := []string{"gate", "simulate", "retailer", "--samples", "10", "--model", string(second), "--against", "champion"}
	s.ask(0, `policy     DIGEST
champion   DIGEST
candidate  DIGEST
batches    2024-01: 1,000 rows with a known outcome that both have scored

2024-01    pass
           superior: the candidate is better in logLoss
           guardrail/auc: auc is not worse by more than the margin

Of 10 releases with customers drawn from these batches:
PASS   BLOCK  ASK  UNDECIDED  BATCHES  IF THE CANDIDATE IS
0 %    100 %  0 %  0 %        1.0      as good as the champion: a pass is false
100 %  0 %    0 %  0 %        1.0      as this one was: better beyond doubt, so what does not pass is held back falsely
0 %    100 %  0 %  0 %        1.0      what the champion was, and the other way round: worse beyond doubt, so a pass is false
`, simulate...)

	// Gates that are not in force, as JSON.
	strict := filepath.Join(t.TempDir(), "strict.yaml")
	text := string(readFile(t, shipped+"pipeline.yaml")) + `labels: { files: "labels/retailer/{batch}/*.parquet", contract: labels.yaml }
release: { shadow: 1 }
gates: { looks: 1, advance: { success: [auc] } }
`
	if err := os.WriteFile(strict, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out simulated
	if err := json.Unmarshal([]byte(s.ask(0, "", append(simulate, "--pipeline", strict, "--json")...)), &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Decisions) != 1 || out.Decisions[0].Verdict == "pass" || out.Observed.Pass != 0 || out.Samples != 10 {
		t.Errorf("got %+v", out)
	}
	s.ask(1, "starter: open "+filepath.Join(filepath.Dir(strict), "no.yaml")+": no such file or directory\n",
		append(simulate, "--pipeline", filepath.Join(filepath.Dir(strict), "no.yaml"))...)
}

func TestWhatLabelsSayIsPrinted(t *testing.T) {
	in := workflows.EvaluateBatchInput{Pipeline: "retailer", Batch: "2024-01"}
	refused := workflows.EvaluateBatchOutput{}
	refused.Verdict, refused.Reasons, refused.Paper = "inconclusive", []string{"half of the labels are missing"}, "sha256:p"
	for _, tt := range []struct {
		name    string
		out     workflows.EvaluateBatchOutput
		want    string
		blocked string
	}{
		{"they never came", workflows.EvaluateBatchOutput{Looks: 3}, "", "the labels of retailer 2024-01 never came: looked 3 times"},
		{"they do not count", refused, "refused     half of the labels are missing\n", "the labels of retailer 2024-01 are no evidence"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			err := printJudged(&env{stdout: &stdout}, in, tt.out)
			var blocked blockedError
			if !errors.As(err, &blocked) || err.Error() != tt.blocked || stdout.String() != tt.want {
				t.Errorf("got %v and %q, want %q and %q", err, stdout.String(), tt.blocked, tt.want)
			}
		})
	}
}
