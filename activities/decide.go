package activities

import (
	"context"
	"fmt"
	"time"

	"headgate/internal/gate"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// CompareScoresInput names a judged run whose plan has models beside the champion.
type CompareScoresInput struct {
	Run
	Data run.Object `json:"data"` // the verdict that lets the month out
}

// CompareScoresOutput says how the models differ from the champion.
type CompareScoresOutput struct {
	Paper  run.Object      `json:"paper"` // a serving.Comparison
	Models []ComparedModel `json:"models"`
}

// A ComparedModel is what the scorecard shows of a model.
type ComparedModel struct {
	Model  store.Digest `json:"model"`
	Failed string       `json:"failed,omitempty"`
	Rows   int64        `json:"rows"` // compared
	PSI    *float64     `json:"psi,omitempty"`
	Shift  *float64     `json:"shift,omitempty"`
	Flips  *float64     `json:"flips,omitempty"`
	Moved  *float64     `json:"moved,omitempty"` // index of its scores against its shadow's
}

// CompareScores holds what all models of the plan said of the month against the
// champion's scores, and ranks them if the routing mixes models.
func (a *Activities) CompareScores(ctx context.Context, in CompareScoresInput) (CompareScoresOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (CompareScoresOutput, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return CompareScoresOutput{}, err
		}
		d, err := a.passed(ctx, in.Run, in.Data)
		if err != nil {
			return CompareScoresOutput{}, err
		}
		v, err := a.version(ctx, plan.Champion)
		if err != nil {
			return CompareScoresOutput{}, err
		}
		want := serving.Input{Plan: plan, Data: d, Contract: f.contract, Outputs: v.Scorer.Outputs(),
			Progress: func(done, total int64) { report(Progress{Done: done, Total: total}) }}
		if want.Results, err = run.Results(ctx, a.store, plan, d); err != nil {
			return CompareScoresOutput{}, err
		}
		if want.Unfit, err = a.unfit(ctx, plan, want.Results, v); err != nil {
			return CompareScoresOutput{}, err
		}
		if want.Shadows, err = a.shadows(ctx, plan); err != nil {
			return CompareScoresOutput{}, err
		}
		if f.pipeline.Labels != nil {
			want.Threshold = &f.pipeline.Labels.Threshold
		}
		found, ranks, err := serving.Compare(ctx, a.store, want)
		if err != nil {
			return CompareScoresOutput{}, err
		}
		found.Data = in.Data.Digest
		if ranks != nil {
			data, err := ranks.MarshalBinary()
			if err != nil {
				return CompareScoresOutput{}, err
			}
			o, err := run.Save(ctx, a.store, in.dir(), "ranks.bin", data)
			if err != nil {
				return CompareScoresOutput{}, err
			}
			found.Ranks = &o
		}
		out := CompareScoresOutput{Models: compared(found.Models)}
		out.Paper, err = run.SaveJSON(ctx, a.store, in.dir(), "compare.json", found)
		return out, err
	})
}

func compared(models []serving.Model) []ComparedModel {
	var out []ComparedModel
	for _, m := range models {
		c := ComparedModel{Model: m.Model, Failed: m.Evidence.Failed, Rows: m.Evidence.Rows}
		if e := m.Evidence.PSI; e != nil {
			c.PSI = &e.Value
		}
		if e := m.Evidence.Shift; e != nil {
			c.Shift = &e.Value
		}
		if e := m.Evidence.Flips; e != nil {
			c.Flips = &e.Value
		}
		if m := m.Evidence.Moved; m != nil && m.PSI != nil {
			c.Moved = &m.PSI.Value
		}
		out = append(out, c)
	}
	return out
}

// DecideGateInput names a compared run whose routing gives rows to candidates.
type DecideGateInput struct {
	Run
	Data      run.Object `json:"data"`
	Compare   run.Object `json:"compare"` // a serving.Comparison
	Operation string     `json:"operation"`
	At        time.Time  `json:"at"`
	By        string     `json:"by"`
}

// DecideGateOutput says whose scores are published.
type DecideGateOutput struct {
	Serving store.Digest `json:"serving"`          // blob of a run.Serving
	Advance []Advance    `json:"advance"`          // one for each candidate
	Reason  string       `json:"reason,omitempty"` // why the champion serves all after all
	Anchor  string       `json:"anchor"`
}

// Advance is the gate's verdict about one candidate.
type Advance struct {
	Model    store.Digest `json:"model"`
	Verdict  gate.Verdict `json:"verdict"`
	Reasons  []string     `json:"reasons,omitempty"`
	Decision store.Digest `json:"decision"` // blob of a gate.Decision
}

// DecideGate asks the gate about every candidate with an arm, and enters its verdicts.
// If one of them is no pass, the champion serves all rows of this month: a candidate must
// not serve, and arms that others leave would move entities from model to model.
func (a *Activities) DecideGate(ctx context.Context, in DecideGateInput) (DecideGateOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (DecideGateOutput, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return DecideGateOutput{}, err
		}
		d, err := a.passed(ctx, in.Run, in.Data)
		if err != nil {
			return DecideGateOutput{}, err
		}
		var found serving.Comparison
		if err := run.LoadJSON(ctx, a.store, in.Compare, &found); err != nil {
			return DecideGateOutput{}, err
		}
		if plan.Routing == nil || found.Run != in.Run.Run || found.Data != in.Data.Digest {
			return DecideGateOutput{}, fail(KindCorrupt, "compare.json of run %s and verdict %s decides nothing here", run.Short(found.Run), run.Short(found.Data))
		}
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return DecideGateOutput{}, err
		}
		served := run.Serving{Format: run.Format, Run: in.Run.Run, Data: in.Data.Digest, Model: plan.Champion, Champion: plan.Champion,
			Routing: plan.Routing, Compare: &in.Compare}
		if run.Mixed(plan.Routing) {
			served.Ranks = found.Ranks
		}
		var out DecideGateOutput
		for _, arm := range plan.Routing.Arms[1:] {
			advance, err := a.advance(ctx, in, plan, f.pipeline, d, &found, store.Digest(arm.Model), log)
			if err != nil {
				return DecideGateOutput{}, err
			}
			out.Advance = append(out.Advance, advance)
			served.Gates = append(served.Gates, advance.Decision)
			if advance.Verdict != gate.Pass && served.Reason == "" {
				served.Reason = fmt.Sprintf("the verdict about candidate %s is %s: %s", run.Short(advance.Model), advance.Verdict, first(advance.Reasons))
			}
		}
		if served.Reason != "" || len(run.Serves(plan.Routing)) == 1 && run.Serves(plan.Routing)[0] == plan.Champion {
			served.Routing, served.Ranks = nil, nil
		}
		out.Reason, out.Anchor = served.Reason, log.Anchor()
		out.Serving, err = run.SaveBlob(ctx, a.store, served)
		return out, err
	})
}

// first returns the first reason.
func first(reasons []string) string {
	if len(reasons) == 0 {
		return "no reason was given"
	}
	return reasons[0]
}

// advance asks the gate about one candidate, and enters what it said.
func (a *Activities) advance(ctx context.Context, in DecideGateInput, plan *run.Plan, c *pipeline.Config, d *run.Data, found *serving.Comparison, model store.Digest, log *registry.Log) (Advance, error) {
	evidence := gate.Evidence{Release: gateCase(in.Run, in.At, plan), Data: dataEvidence(d),
		Sources: []gate.Source{{Batch: in.Batch, Run: string(in.Run.Run)}}}
	evidence.Release.Release, evidence.Release.Step, evidence.Release.Model = plan.Routing.Release, plan.Routing.Step, string(model)
	for i := range found.Models {
		if found.Models[i].Model == model {
			evidence.Compare = &found.Models[i].Evidence
		}
	}
	decision, err := gate.Judge(policy(c), gate.Canary, evidence, waivers(log))
	if err != nil {
		return Advance{}, &kindError{KindConfig, err}
	}
	out := Advance{Model: model, Verdict: decision.Verdict, Reasons: few(decision.Reasons)}
	if out.Decision, err = run.SaveBlob(ctx, a.store, decision); err != nil {
		return out, err
	}
	_, err = log.Append(ctx, registry.Entry{
		Kind: registry.KindAdvance, ID: fmt.Sprintf("advance/%s/%s", in.Operation, run.Short(model)), At: in.At, By: in.By, Cause: in.Operation,
		Release: plan.Routing.Release, Step: plan.Routing.Step, Model: model, Batch: in.Batch, Run: in.Run.Run,
		Verdict: string(decision.Verdict), Paper: out.Decision, Reasons: out.Reasons,
	})
	return out, err
}

// policy returns the gates of a pipeline.
func policy(c *pipeline.Config) *gate.Policy {
	if c.Gates == nil {
		return gate.Default()
	}
	return c.Gates
}

// waivers returns those that were ever given, also those that have run out: the gate
// keeps them all with its decision.
func waivers(log *registry.Log) []gate.Waiver {
	var out []gate.Waiver
	state := log.State()
	for _, w := range state.Waivers {
		out = append(out, gate.Waiver{Rule: w.Rule, By: w.By, Reason: w.Reason, Until: *w.Until, Entry: w.Seq})
	}
	return out
}

func gateCase(r Run, at time.Time, plan *run.Plan) gate.Case {
	return gate.Case{At: at, Pipeline: r.Pipeline, Batch: r.Batch, Champion: string(plan.Champion)}
}

// dataEvidence is what a gate is told of a month's data.
func dataEvidence(d *run.Data) *gate.Data {
	out := &gate.Data{Verdict: gate.Verdict(d.Verdict), Rows: d.Rows, Quarantined: d.Quarantined,
		Warnings: int64(len(warnings(d.Violations))), Reasons: d.Reasons}
	if d.Rows > 0 {
		out.Share = float64(d.Quarantined) / float64(d.Rows)
	}
	if d.Drift != nil {
		out.Drift = gate.Drift{Level: d.Drift.Level, Columns: d.Drift.Columns}
	}
	return out
}

// judgePublish asks the publish rules of the pipeline's policy about a month that nothing
// else blocks. What they do not know, a person decides.
func (a *Activities) judgePublish(ctx context.Context, in JudgeDataInput, plan *run.Plan, c *pipeline.Config, d *run.Data) error {
	if c.Gates == nil || len(c.Gates.Publish.Rules) == 0 || d.Verdict == run.Block {
		return nil
	}
	log, err := registry.Load(ctx, a.store, in.Pipeline)
	if err != nil {
		return err
	}
	evidence := dataEvidence(d)
	evidence.Verdict = gate.Pass // what asks already is asked once
	decision, err := gate.Judge(c.Gates, gate.Publish, gate.Evidence{Release: gateCase(in.Run, in.At, plan), Data: evidence,
		Sources: []gate.Source{{Batch: in.Batch, Run: string(in.Run.Run)}}}, waivers(log))
	if err != nil {
		return &kindError{KindConfig, err}
	}
	if d.Gate, err = run.SaveBlob(ctx, a.store, decision); err != nil {
		return err
	}
	switch decision.Verdict {
	case gate.Pass:
	case gate.Block:
		d.Reasons = append(d.Reasons, decision.Reasons...)
	default:
		d.Asks = append(d.Asks, decision.Reasons...)
	}
	settle(d)
	return nil
}
