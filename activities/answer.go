package activities

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// AnswerInput is what a person said to a verdict that asked, or that the time was up.
type AnswerInput struct {
	Run
	Model     store.Digest `json:"model"`
	Contract  store.Digest `json:"contract"`
	Data      run.Object   `json:"data"` // the run.Data that asked
	Approved  bool         `json:"approved"`
	By        string       `json:"by"` // as claimed
	Reason    string       `json:"reason"`
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
}

// AnswerOutput is the verdict that came of it.
type AnswerOutput struct {
	Verdict run.Verdict `json:"verdict"`
	Reasons []string    `json:"reasons,omitempty"`
	Paper   run.Object  `json:"paper"` // a run.Data
	Seq     int64       `json:"seq"`   // of the registry entry
	Anchor  string      `json:"anchor"`
}

// Answer turns a verdict that asked into a pass or a block, writes that down with who
// said so and why, and enters it in the registry.
func (a *Activities) Answer(ctx context.Context, in AnswerInput) (AnswerOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (AnswerOutput, error) {
		var d run.Data
		if err := run.LoadJSON(ctx, a.store, in.Data, &d); err != nil {
			return AnswerOutput{}, err
		}
		if d.Verdict != run.Ask || d.Run != in.Run.Run {
			return AnswerOutput{}, fail(KindCorrupt, "verdict %q of run %s asks nothing", d.Verdict, d.Run)
		}
		d.Answer = &run.Answer{Asked: in.Data.Digest, Approved: in.Approved, By: in.By, Reason: in.Reason}
		d.Verdict = run.Pass
		said := "approved by " + in.By
		if !in.Approved {
			said = "rejected by " + in.By
			d.Verdict, d.Fallback = run.Block, nil
			d.Reasons = append([]string{fmt.Sprintf("%s: %s", said, in.Reason)}, d.Asks...)
		}
		paper, err := run.SaveJSON(ctx, a.store, in.dir(), "data.json", d)
		if err != nil {
			return AnswerOutput{}, err
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return AnswerOutput{}, err
		}
		e, err := log.Append(ctx, registry.Entry{
			Kind: registry.KindVerdict, ID: "answer/" + in.Operation, At: in.At, By: in.By, Cause: in.Operation, Batch: in.Batch,
			Run: in.Run.Run, Model: in.Model, Contract: in.Contract, Decision: paper.Digest,
			Verdict: string(d.Verdict), Reason: said + ": " + in.Reason, Reasons: d.Asks,
		})
		return AnswerOutput{Verdict: d.Verdict, Reasons: few(d.Reasons), Paper: paper, Seq: e.Seq, Anchor: log.Anchor()}, err
	})
}
