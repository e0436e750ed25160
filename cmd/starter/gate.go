package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"headgate/activities"
	"headgate/internal/evidence"
	"headgate/internal/figure"
	"headgate/internal/gate"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

func newGateCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "gate",
		Short: "Try a gate on evidence of the past",
		Long: `gate is about the policy that decides whether a candidate may take its next step: gates in
the pipeline file.`,
		Example: `  starter gate simulate retailer
  starter gate simulate retailer --pipeline stricter.yaml --batches 3`,
		Args:                       knownCommand,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newGateSimulateCommand(e))
	return c
}

// A simulation is what gate simulate is asked.
type simulation struct {
	file, model, against string
	batches              int
	options              gate.SimulateOptions
	asJSON               bool
}

// simulated is what comes of a simulation.
type simulated struct {
	Policy    string           `json:"policy"` // digest
	Champion  store.Digest     `json:"champion"`
	Candidate store.Digest     `json:"candidate"`
	Batches   []string         `json:"batches"`
	Rows      int              `json:"rows"` // with a known outcome
	Decisions []*gate.Decision `json:"decisions"`
	*gate.Simulation
}

func newGateSimulateCommand(e *env) *cobra.Command {
	var s simulation
	var url string
	c := &cobra.Command{
		Use:   "simulate PIPELINE",
		Short: "Tell what a gate would have decided on past evidence, and how often it errs",
		Long: `simulate holds a candidate against the champion on published batches whose labels are
known and that both have scored, and says what the gate would have decided, batch by
batch. Then it draws customers of these batches with replacement, many times, and
counts how often the gate errs: how often it lets a candidate pass that is as good as the
champion and no better, and how often it holds back one that is better as this one was.

--pipeline tries the gates of another pipeline file than the one in force. It reads the
store only, and decides nothing. Rules about data or comparisons have no evidence here.`,
		Example: `  starter gate simulate retailer
  starter gate simulate retailer --pipeline stricter.yaml --batches 3 --samples 1000
  starter gate simulate retailer --model 9f2c41d0 --against 41b7aa01 --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if s.batches < 0 || s.options.Samples < 1 {
				return usageError{errors.New("--batches must be 0 or more, and --samples 1 or more")}
			}
			return withReleases(c.Context(), e, url, args[0], func(b *store.Bucket, r *activities.Releases) error {
				out, err := s.run(c.Context(), b, r)
				if err != nil {
					return plain(err)
				}
				if s.asJSON {
					return printJSON(e, out)
				}
				out.print(e.stdout)
				return nil
			})
		},
	}
	storeFlag(c, &url)
	f := c.Flags()
	f.StringVar(&s.file, "pipeline", "", "pipeline `file` whose gates are tried (default the one in force)")
	f.StringVar(&s.model, "model", "", "`digest` of the candidate (default the last one that asked to be released)")
	f.StringVar(&s.against, "against", "", "`digest` of the champion (default the one when the candidate asked)")
	f.IntVar(&s.batches, "batches", 0, "`number` of the last batches to judge by; 0 means all")
	f.IntVar(&s.options.Samples, "samples", 200, "`number` of releases to draw")
	f.Uint64Var(&s.options.Seed, "seed", 1, "`number` that the draws follow from")
	f.BoolVar(&s.asJSON, "json", false, "print all decisions and rates as JSON")
	return c
}

// run judges and draws.
func (s *simulation) run(ctx context.Context, b *store.Bucket, r *activities.Releases) (*simulated, error) {
	policy, err := s.policy(r)
	if err != nil {
		return nil, err
	}
	asked, err := s.asked(r)
	if err != nil {
		return nil, err
	}
	champion, err := s.champion(r, asked)
	if err != nil {
		return nil, err
	}
	out := &simulated{Policy: policy.Digest(), Champion: champion, Candidate: asked.Model}
	past, err := s.past(ctx, b, r, out, asked)
	if err != nil {
		return nil, err
	}
	for i := range past {
		past[i].Tried = r.Tried(asked.Release, asked.Model)
		out.Batches, out.Rows = append(out.Batches, past[i].Batches...), out.Rows+len(past[i].Champion)
	}
	if out.Decisions, err = gate.Replay(policy, past, gate.Evidence{}); err != nil {
		return nil, err
	}
	out.Simulation, err = gate.Simulate(policy, past, &s.options)
	return out, err
}

// policy returns the gates that are tried.
func (s *simulation) policy(r *activities.Releases) (*gate.Policy, error) {
	conf := r.Config
	if s.file != "" {
		text, err := os.ReadFile(s.file)
		if err != nil {
			return nil, err
		}
		if conf, err = pipeline.Parse(s.file, text); err != nil {
			return nil, err
		}
	}
	if conf.Gates == nil {
		return gate.Default(), nil
	}
	return conf.Gates, nil
}

// asked returns the entry by which the candidate asked to be released; one that never
// did has an entry with nothing but its digest.
func (s *simulation) asked(r *activities.Releases) (registry.Entry, error) {
	all := r.Log.Of(registry.KindCandidate)
	if s.model == "" {
		if len(all) == 0 {
			return registry.Entry{}, errors.New("no candidate ever asked to be released; name a model version with --model")
		}
		return all[len(all)-1], nil
	}
	model, err := findVersion(r.Log.State(), s.model)
	if err != nil {
		return registry.Entry{}, err
	}
	for _, e := range slices.Backward(all) {
		if e.Model == model {
			return e, nil
		}
	}
	return registry.Entry{Model: model}, nil
}

// champion returns whom the candidate is held against.
func (s *simulation) champion(r *activities.Releases, asked registry.Entry) (store.Digest, error) {
	if s.against != "" {
		return findVersion(r.Log.State(), s.against)
	}
	var champion store.Digest
	for _, e := range r.Log.Of(registry.KindPromote) {
		if e.Alias == registry.AliasChampion && e.Model != asked.Model && (asked.Seq == 0 || e.Seq < asked.Seq) {
			champion = e.Model
		}
	}
	if champion == "" {
		return "", fmt.Errorf("%s was no candidate beside another champion; name one with --against", papers.Short(asked.Model))
	}
	return champion, nil
}

// past loads the batches that both models have scored, whose labels are known, and that
// the candidate has not learned from.
func (s *simulation) past(ctx context.Context, b *store.Bucket, r *activities.Releases, out *simulated, asked registry.Entry) ([]gate.Paired, error) {
	entries := r.Log.Entries()
	models := []store.Digest{out.Champion, out.Candidate}
	cluster := ""
	if r.Config.Labels != nil {
		cluster = r.Config.Labels.Cluster
	}
	var past []gate.Paired
	for _, name := range judgedBatches(entries) {
		batch, _, found := evidence.Of(entries, name)
		if !found || batch.Labels == "" || batch.Run == "" || name <= asked.Batch {
			continue
		}
		without, err := evidence.LeftOut(ctx, b, entries, batch)
		if err != nil {
			return nil, err
		}
		batch = batch.For(models)
		batch.Without = without
		rows, err := evidence.Load(ctx, b, evidence.Request{Pipeline: r.Log.Pipeline(), Models: models, Batches: []evidence.Batch{batch}, Cluster: cluster}, nil)
		if err != nil {
			return nil, err
		}
		judged := rows.Judged()
		if len(judged.Labels) == 0 {
			continue // one of them has not scored it
		}
		data := judged.Data(0)
		// Alike in all batches: a customer is drawn with all of hers.
		data.Weights, data.Clusters = judged.Weights, judged.Cluster
		past = append(past, gate.Paired{Data: data, Champion: judged.Scores[0], Candidate: judged.Scores[1], Slices: judged.Dimensions(), Batches: []string{name}})
	}
	if len(past) == 0 {
		return nil, fmt.Errorf("no batch with labels was scored by both %s and %s, so there is no evidence; see starter log %s",
			papers.Short(out.Champion), papers.Short(out.Candidate), r.Log.Pipeline())
	}
	if s.batches > 0 {
		past = past[max(0, len(past)-s.batches):]
	}
	return past, nil
}

// judgedBatches lists the batches that have evaluations which are evidence, sorted.
func judgedBatches(entries []registry.Entry) []string {
	var names []string
	for _, e := range entries {
		if e.Kind == registry.KindEvaluated && e.Verdict == registry.VerdictPass && !slices.Contains(names, e.Batch) {
			names = append(names, e.Batch)
		}
	}
	slices.Sort(names)
	return names
}

// better reports whether the candidate of the past came out better than the champion at
// the last look (1), worse (−1), or neither (0).
func (s *simulated) better() int {
	looks := s.Decisions[len(s.Decisions)-1].Evidence.Outcome.Past
	last := looks[len(looks)-1]
	switch {
	case len(last.Superior) > 0:
		return 1
	case len(last.Worse) > 0:
		return -1
	}
	return 0
}

// wrong says which answer errs for a candidate that is better beyond doubt, worse or
// neither.
func wrong(better int) string {
	switch better {
	case 1:
		return "better beyond doubt, so what does not pass is held back falsely"
	case -1:
		return "worse beyond doubt, so a pass is false"
	}
	return "neither better nor worse beyond doubt"
}

// print says it to people.
func (s *simulated) print(w io.Writer) {
	fmt.Fprintf(w, "policy     %s\nchampion   %s\ncandidate  %s\nbatches    %s: %s with a known outcome that both have scored\n\n",
		papers.Short(store.Digest(s.Policy)), papers.Short(s.Champion), papers.Short(s.Candidate), strings.Join(s.Batches, " "), figure.Things(s.Rows, "row"))
	for i, d := range s.Decisions {
		fmt.Fprintf(w, "%-10s %s\n", s.Batches[i], d.Verdict)
		for _, reason := range d.Reasons {
			fmt.Fprintf(w, "           %s\n", reason)
		}
	}
	fmt.Fprintf(w, "\nOf %s releases with customers drawn from these batches:\n", figure.Count(s.Samples))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PASS\tBLOCK\tASK\tUNDECIDED\tBATCHES\tIF THE CANDIDATE IS")
	for _, line := range []struct {
		rates gate.Rates
		is    string
	}{{s.Equal, "as good as the champion: a pass is false"}, {s.Observed, "as this one was: " + wrong(s.better())}, {s.Opposite, "what the champion was, and the other way round: " + wrong(-s.better())}} {
		r := line.rates
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.1f\t%s\n", figure.Percent(r.Pass), figure.Percent(r.Block), figure.Percent(r.Ask), figure.Percent(r.Inconclusive), r.Batches, line.is)
	}
	t.Flush()
}
