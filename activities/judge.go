package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"headgate/internal/contract"
	"headgate/internal/profile"
	"headgate/internal/run"
)

// JudgeDataInput names the shard results of a run.
type JudgeDataInput struct {
	Run
	Shards Papers `json:"shards"`
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
	Paper       run.Object  `json:"paper"` // a run.Data of stage "rows"
}

// JudgeData merges what the shards found, finds keys that occur in more than one
// row of the batch, and decides whether the month may be published: no rule of
// severity error is broken and the quarantine is within its budget.
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
		d := run.Data{Format: run.Format, Run: in.Run.Run, Stage: "rows", Rows: plan.Rows,
			Budget: budgetRows(f, plan.Rows), Verdict: run.Pass}
		var check contract.Result
		for i, r := range results {
			d.Quarantined += r.Quarantined
			if i == 0 {
				check = r.Check
			} else {
				check = contract.Merge(check, r.Check)
			}
		}
		duplicates, err := a.duplicates(ctx, f.contract, results, &d)
		if err != nil {
			return JudgeDataOutput{}, err
		}
		if d.Profile, err = a.mergeProfiles(ctx, in.Run, results, report); err != nil {
			return JudgeDataOutput{}, err
		}
		d.Violations = f.contract.Judge(check, contract.Counts{Duplicates: duplicates})
		d.Reasons = reasons(d.Violations)
		if f.pipeline.Quarantine.Budget.Exceeded(d.Quarantined, d.Rows) {
			d.Reasons = append(d.Reasons, fmt.Sprintf("%d of %d rows are in quarantine, more than the error budget of %d rows",
				d.Quarantined, d.Rows, d.Budget))
		}
		d.Rules = quarantinedBy(f.contract, check, d.Late)
		if d.Rows == d.Quarantined {
			d.Reasons = append(d.Reasons, "no row is left to publish")
		}
		if len(d.Reasons) > 0 {
			d.Verdict, d.Late = run.Block, nil
		}
		paper, err := run.SaveJSON(ctx, a.store, in.dir(), "data.json", d)
		return JudgeDataOutput{Verdict: d.Verdict, Reasons: few(d.Reasons), Warnings: few(warnings(d.Violations)),
			Rows: d.Rows, Quarantined: d.Quarantined, Budget: d.Budget, Rules: fewRules(d.Rules), Paper: paper}, err
	})
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

// mergeProfiles merges the shards' profiles into the batch's.
func (a *Activities) mergeProfiles(ctx context.Context, r Run, results []run.ShardResult, report func(Progress)) (*run.Object, error) {
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
	return &o, err
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
