package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"headgate/internal/contract"
	"headgate/internal/drift"
	"headgate/internal/pass"
	"headgate/internal/pipeline"
	"headgate/internal/profile"
	"headgate/internal/run"
	"headgate/internal/trigger"
)

// JudgeDataInput names the shard results of a run and what they are compared with.
type JudgeDataInput struct {
	Run
	Shards     Papers      `json:"shards"`
	References *run.Object `json:"references,omitempty"` // a run.Index, if the contract points to other sets
	History    *run.Object `json:"history,omitempty"`    // a run.History
	At         time.Time   `json:"at,omitzero"`          // of the judgement: waivers run out
	Acted      string      `json:"acted,omitempty"`      // why a person decides whether the publication is replaced
}

// JudgeDataOutput is the verdict over the batch's data.
type JudgeDataOutput struct {
	Verdict     run.Verdict `json:"verdict"`
	Reasons     []string    `json:"reasons,omitempty"`
	Warnings    []string    `json:"warnings,omitempty"`
	Rows        int64       `json:"rows"`
	Quarantined int64       `json:"quarantined"`
	Budget      int64       `json:"budget"`
	Rules       []RuleCount `json:"rules,omitempty"`
	Paper       run.Object  `json:"paper"` // a run.Data of [run.StageRows]

	Asks     []string   `json:"asks,omitempty"` // why a person decides
	Notes    []string   `json:"notes,omitempty"`
	Replaced int64      `json:"replaced,omitempty"`
	Keys     *run.Keys  `json:"keys,omitempty"`
	Drift    *run.Drift `json:"drift,omitempty"`
	Fallback bool       `json:"fallback,omitempty"` // customers without a score get the pipeline's fallback
	Skipped  []string   `json:"skipped,omitempty"`  // shards that a person left out
}

// JudgeData merges what the shards found, finds what only the whole batch shows, holds
// the batch against its reference and the batches before, and decides whether the
// month may be published: no rule of severity error is broken and the quarantine is
// within its budget. What the pipeline wants to be asked makes the verdict ask.
func (a *Activities) JudgeData(ctx context.Context, in JudgeDataInput) (JudgeDataOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (JudgeDataOutput, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return JudgeDataOutput{}, err
		}
		results, err := a.shardResults(ctx, in.Shards, plan)
		if err != nil {
			return JudgeDataOutput{}, err
		}
		d := &run.Data{Format: run.Format, Run: in.Run.Run, Stage: run.StageRows, Rows: plan.Rows,
			Budget: f.pipeline.Quarantine.Budget.Allowed(plan.Rows), Verdict: run.Pass, History: in.History, Skipped: skips(results)}
		if d.Shards, err = a.shardLists(ctx, in); err != nil {
			return JudgeDataOutput{}, err
		}
		listed, err := a.judgeRules(ctx, in, plan, f, results, d)
		if err != nil {
			return JudgeDataOutput{}, err
		}
		if err := a.judgeWorld(ctx, in, plan, f, results, d, report); err != nil {
			return JudgeDataOutput{}, err
		}
		if !listed { // some of them would be taken for all
			d.Late, d.Keys = nil, nil
			d.Notes = append(d.Notes, "keys were not counted: too many rows are in quarantine")
		}
		decide(f.pipeline, d)
		if in.Acted != "" {
			d.Asks = append(d.Asks, in.Acted)
			settle(d)
		}
		if err := a.judgePublish(ctx, in, plan, f.pipeline, d); err != nil {
			return JudgeDataOutput{}, err
		}
		paper, err := run.SaveJSON(ctx, a.store, in.dir(), "data.json", d)
		return JudgeDataOutput{Verdict: d.Verdict, Reasons: few(d.Reasons), Warnings: few(warnings(d.Violations)),
			Rows: d.Rows, Quarantined: d.Quarantined, Budget: d.Budget, Rules: fewRules(d.Rules), Paper: paper,
			Asks: few(d.Asks), Notes: few(d.Notes), Replaced: d.Replaced, Keys: d.Keys, Drift: fewColumns(d.Drift),
			Fallback: d.Fallback != nil, Skipped: few(sentences(d.Skipped))}, err
	})
}

// shardLists returns the lists of the shard results, by which later batches find them.
func (a *Activities) shardLists(ctx context.Context, in JudgeDataInput) ([]run.Object, error) {
	if len(in.Shards.Lists) > 0 {
		return in.Shards.Lists, nil
	}
	o, err := run.SaveJSON(ctx, a.store, in.dir()+"/lists", "shards.json", run.List{Format: run.Format, Items: in.Shards.Items})
	return []run.Object{o}, err
}

// judgeRules judges the contracts of the input and of the scores. listed says that all
// late rows are in d.
func (a *Activities) judgeRules(ctx context.Context, in JudgeDataInput, plan *run.Plan, f files, results []run.ShardResult, d *run.Data) (listed bool, err error) {
	check := contract.Result{Rules: map[string]int64{}}
	output := contract.Result{Rules: map[string]int64{}}
	for _, r := range results {
		d.Quarantined += r.Quarantined
		check = contract.Merge(check, r.Check)
		if r.Output != nil {
			output = contract.Merge(output, *r.Output)
		}
	}
	index := run.Index{}
	if in.References != nil {
		if err := run.LoadJSON(ctx, a.store, *in.References, &index); err != nil {
			return false, err
		}
	}
	late, err := a.checkLate(ctx, plan, f.contract, results, index, roomFor(d.Budget, plan), d)
	if err != nil {
		return false, err
	}
	d.Violations = f.contract.Judge(check, late.counts)
	d.Rules = quarantinedBy(f.contract, check, d.Late)
	if rows := unread(d.Skipped); rows > 0 {
		d.Rules[run.RuleSkipped] = rows
	}
	if f.output != nil {
		d.Output = output.Bad
		for rule, rows := range quarantinedBy(f.output, output, nil) {
			d.Rules[pass.OutputMark+rule] = rows
		}
		for _, v := range f.output.Judge(output, contract.Counts{}) {
			v.Rule, v.Message = pass.OutputMark+v.Rule, "scores: "+v.Message
			d.Violations = append(d.Violations, v)
		}
	}
	if late.beyond > 0 || f.pipeline.Quarantine.Budget.Exceeded(d.Quarantined-d.Replaced, d.Rows) {
		d.Reasons = append(d.Reasons, fmt.Sprintf("%d of %d rows are in quarantine, more than the error budget of %d rows",
			d.Quarantined-d.Replaced, d.Rows, d.Budget))
	}
	if d.Rows == d.Quarantined {
		d.Reasons = append(d.Reasons, "no row is left to publish")
	}
	return late.beyond == 0, nil
}

// judgeWorld compares the batch with its reference and with the batches before.
func (a *Activities) judgeWorld(ctx context.Context, in JudgeDataInput, plan *run.Plan, f files, results []run.ShardResult, d *run.Data, report func(Progress)) error {
	h, err := a.history(ctx, in.Pipeline, in.History)
	if err != nil {
		return err
	}
	d.Notes = append(d.Notes, h.notes...)
	described, err := a.mergeProfiles(ctx, in.Run, results, d, report)
	if err != nil || described == nil {
		return err
	}
	v, err := a.version(ctx, plan.Champion)
	if err != nil {
		return err
	}
	if err := a.judgeHistory(ctx, in.Run, f, h, described, d); err != nil {
		return err
	}
	if err := a.judgeDrift(ctx, in.Run, v, f, h, described, d); err != nil {
		return err
	}
	return a.judgeKeys(ctx, in.Run, f, results, h, d)
}

// decide makes the verdict of what was found.
func decide(c *pipeline.Config, d *run.Data) {
	d.Reasons = append(reasons(d.Violations), d.Reasons...)
	if c.Warnings == pipeline.Asks {
		d.Asks = warnings(d.Violations)
	}
	drifted := d.Drift != nil && (d.Drift.Level == string(drift.Warn) || d.Drift.Level == trigger.LevelTrigger)
	if drifted && c.Drift.Action == pipeline.Asks {
		d.Asks = append(d.Asks, driftReason(d.Drift))
	}
	settle(d)
}

// settle makes the verdict of reasons and questions.
func settle(d *run.Data) {
	switch {
	case len(d.Reasons) > 0:
		d.Verdict, d.Asks, d.Fallback = run.Block, nil, nil
	case len(d.Asks) > 0:
		d.Verdict = run.Ask
	}
}

// fewColumns cuts the lists of columns for a workflow's history; the paper has them all.
func fewColumns(d *run.Drift) *run.Drift {
	if d == nil {
		return nil
	}
	out := *d
	out.Columns, out.Causes = few(d.Columns), few(d.Causes)
	return &out
}

// A RuleCount is how many rows a rule sent to quarantine.
type RuleCount struct {
	Rule string `json:"rule"`
	Rows int64  `json:"rows"`
}

// quarantinedBy counts the rows in quarantine by rule.
func quarantinedBy(c *contract.Contract, check contract.Result, late []run.Late) map[string]int64 {
	rules := map[string]int64{}
	for _, r := range c.Rules {
		if n := check.Rules[r.ID]; r.Quarantine && n > 0 {
			rules[r.ID] = n
		}
	}
	for _, l := range late {
		rules[l.Rule]++
	}
	return rules
}

// fewRules returns the rules with most rows first, for the scorecard.
func fewRules(rules map[string]int64) []RuleCount {
	var all []RuleCount
	for rule, rows := range rules {
		all = append(all, RuleCount{rule, rows})
	}
	slices.SortFunc(all, func(a, b RuleCount) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Rule, b.Rule))
	})
	return all[:min(maxReasons, len(all))]
}

// shardResults loads the results of all shards and checks that none is missing.
func (a *Activities) shardResults(ctx context.Context, p Papers, plan *run.Plan) ([]run.ShardResult, error) {
	items, err := a.papers(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(items) != len(plan.Shards) {
		return nil, fail(KindCorrupt, "%d shard results for %d shards", len(items), len(plan.Shards))
	}
	results := make([]run.ShardResult, len(items))
	for i, o := range items {
		r := &results[i]
		if err := run.LoadJSON(ctx, a.store, o, r); err != nil {
			return nil, err
		}
		if r.Shard != i || r.Rows != plan.Shards[i].Rows || r.Rows != r.Scored+r.Quarantined {
			return nil, fail(KindCorrupt, "result of shard %d does not add up: shard %d, %d rows of %d, %d scored, %d quarantined",
				i, r.Shard, r.Rows, plan.Shards[i].Rows, r.Scored, r.Quarantined)
		}
	}
	return results, nil
}

// mergeProfiles merges the shards' profiles into the batch's. It returns nil if there
// are no shards.
func (a *Activities) mergeProfiles(ctx context.Context, r Run, results []run.ShardResult, d *run.Data, report func(Progress)) (*profile.Profile, error) {
	var merged *profile.Profile
	for i, result := range results {
		data, err := run.Load(ctx, a.store, *result.Profile)
		if err != nil {
			return nil, err
		}
		p := new(profile.Profile)
		if err := p.UnmarshalBinary(data); err != nil {
			return nil, err
		}
		if merged == nil {
			merged = p
		} else if merged, err = profile.Merge(merged, p); err != nil {
			return nil, err
		}
		report(Progress{Done: int64(i + 1), Total: int64(len(results))})
	}
	if merged == nil {
		return nil, nil
	}
	data, err := merged.MarshalBinary()
	if err != nil {
		return nil, err
	}
	o, err := run.Save(ctx, a.store, r.dir(), "profile.bin", data)
	d.Profile = &o
	return merged, err
}

// warnings are the messages of the violations that do not block.
func warnings(violations []contract.Violation) []string {
	var all []string
	for _, v := range violations {
		if v.Severity == contract.Warning {
			all = append(all, v.Message)
		}
	}
	return all
}
