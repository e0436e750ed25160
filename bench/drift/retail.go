package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"headgate/internal/drift"
	"headgate/internal/profile"
	"headgate/internal/retailer"
)

// months of 2024, the year of the story.
const months = 12

// A reference is what a month of 2024 is compared with.
type reference int

const (
	lastYear reference = iota // the same month of 2023
	pooled                    // all of 2023
	previous                  // the month before
	references
)

var referenceNames = [references]string{"same month of 2023", "all of 2023", "month before"}

// A verdict is what the combined rule made of a batch.
type verdict struct {
	level   drift.Level
	columns []string // that warn
}

// A tale is what happened in the worlds of one kind, over all seeds.
type tale struct {
	months   [references][months]tally
	triggers [references][months]int // of the combined rule: 3 of the last 4
	first    [references][months]int // worlds whose first trigger that is
	extra    int                     // worlds in which May warns of a column that April does not, against the same month of 2023
}

// retail judges the retailer and writes what comes out.
func retail(ctx context.Context, s settings, out io.Writer) error {
	steady, story, err := judgeRetail(ctx, s)
	if err != nil {
		return err
	}
	return writeRetail(out, s, steady, story)
}

// judgeRetail compares the months of all worlds.
func judgeRetail(ctx context.Context, s settings) (steady, story *tale, err error) {
	steady, story = new(tale), new(tale)
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel)
	for seed := range s.seeds {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			history, err := year(retailer.World{Seed: uint64(seed), Customers: s.customers, Steady: true}, 2023)
			if err != nil {
				return err
			}
			for _, to := range []struct {
				*tale
				steady bool
			}{{steady, true}, {story, false}} {
				w := retailer.World{Seed: uint64(seed), Customers: s.customers, Steady: to.steady}
				current, err := year(w, 2024)
				if err != nil {
					return err
				}
				if err := to.live(&mu, history, current); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return steady, story, g.Wait()
}

// year returns the profiles of the months of a year.
func year(w retailer.World, y int) ([months]*profile.Profile, error) {
	var out [months]*profile.Profile
	for m := range out {
		b := profile.NewBuilder(&profile.Options{Restricted: []string{"birthday"}})
		for rec, err := range w.Month(fmt.Sprintf("%d-%02d", y, m+1)) {
			if err != nil {
				return out, err
			}
			if err := b.Add(rec); err != nil {
				return out, err
			}
		}
		out[m] = b.Profile()
	}
	return out, nil
}

// ignored are the columns that move by themselves.
var ignored = map[string]drift.Policy{"customer_id": {Ignore: true}, "as_of": {Ignore: true}}

// live compares the months of one world and adds what comes out.
func (t *tale) live(mu *sync.Mutex, history, current [months]*profile.Profile) error {
	all := history[0]
	var err error
	for _, p := range history[1:] {
		if all, err = profile.Merge(all, p); err != nil {
			return err
		}
	}
	for r := range references {
		var verdicts []verdict
		var tallies [months]tally
		for m, p := range current {
			ref := all
			switch {
			case r == lastYear:
				ref = history[m]
			case r == previous && m == 0:
				ref = history[months-1]
			case r == previous:
				ref = current[m-1]
			}
			report, err := drift.Compare(ref, p, &drift.Options{Policies: ignored})
			if err != nil {
				return err
			}
			tallies[m].add(report, report)
			v := verdict{level: report.Level}
			for _, c := range report.Columns {
				if c.Level == drift.Warn {
					v.columns = append(v.columns, c.Name)
				}
			}
			verdicts = append(verdicts, v)
		}
		mu.Lock()
		t.add(r, tallies, verdicts)
		mu.Unlock()
	}
	return nil
}

// add adds the months of one world.
func (t *tale) add(r reference, tallies [months]tally, verdicts []verdict) {
	var levels []drift.Level
	triggered := false
	for m, v := range verdicts {
		t.months[r][m].merge(&tallies[m])
		levels = append(levels, v.level)
		if !drift.Trigger(levels, 3, 4) {
			continue
		}
		t.triggers[r][m]++
		if !triggered {
			t.first[r][m]++
			triggered = true
		}
	}
	const april, may = 3, 4
	if r == lastYear && slices.ContainsFunc(verdicts[may].columns, func(name string) bool {
		return !slices.Contains(verdicts[april].columns, name)
	}) {
		t.extra++
	}
}

// writeRetail writes the tables.
func writeRetail(out io.Writer, s settings, steady, story *tale) error {
	fmt.Fprintf(out, "### Retailer, %d seeds, %d customers a month\n\nFalse alarms in the steady world, all months of 2024:\n\n", s.seeds, s.customers)
	if err := writeSteady(out, steady); err != nil {
		return err
	}
	fmt.Fprint(out, "The story: batches with an alarm. The campaign runs from March, prices change in May. The rules compare with the same month of 2023, the last two columns with all of 2023.\n\n")
	t := table{head: append(append([]string{"month"}, ruleNames[:]...), "trigger, 3 of 4", "columns that warn", "combined", "trigger")}
	for m := range months {
		all, other := &story.months[lastYear][m], &story.months[pooled][m]
		row := append([]string{fmt.Sprintf("2024-%02d", m+1)}, shares(all.batch, all.batches)...)
		t.add(append(row, share(story.triggers[lastYear][m], all.batches), often(all.names[combined], all.batches),
			share(other.batch[combined], other.batches), share(story.triggers[pooled][m], other.batches))...)
	}
	if err := t.write(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "First trigger: %s. May warns of a column that April did not in %s of the worlds.\n\n", firsts(story.first[lastYear]), share(story.extra, s.seeds))
	if err := writeCampaign(out, story); err != nil {
		return err
	}
	fmt.Fprintf(out, "The story against the month before:\n\n")
	t = table{head: append(append([]string{"month"}, ruleNames[:]...), "columns that warn")}
	for _, m := range []int{1, 2, 3, 4, 5} {
		all := &story.months[previous][m]
		t.add(append(append([]string{fmt.Sprintf("2024-%02d", m+1)}, shares(all.batch, all.batches)...), often(all.names[combined], all.batches))...)
	}
	return t.write(out)
}

// writeSteady writes the false alarms.
func writeSteady(out io.Writer, steady *tale) error {
	t := table{head: append(append([]string{"reference", "counted"}, ruleNames[:]...), "triggers")}
	suspects := ""
	for r := range references {
		var all tally
		triggers := 0
		for m := range months {
			all.merge(&steady.months[r][m])
			triggers += steady.triggers[r][m]
		}
		t.add(append(append([]string{referenceNames[r], "columns"}, shares(all.column, all.columns)...), "")...)
		t.add(append(append([]string{"", "batches"}, shares(all.batch, all.batches)...), share(triggers, all.batches))...)
		suspects += fmt.Sprintf("Significant most often, reference %s: %s.\n", referenceNames[r], often(top(all.names[corrected], 3), all.batches))
	}
	december := &steady.months[lastYear][months-1]
	t.add(append(append([]string{"December against December", "batches"}, shares(december.batch, december.batches)...), share(steady.triggers[lastYear][months-1], december.batches))...)
	if err := t.write(out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, suspects)
	return err
}

// top keeps the n names that stand for most.
func top(names map[string]int, n int) map[string]int {
	sorted := slices.Sorted(maps.Keys(names))
	slices.SortStableFunc(sorted, func(a, b string) int { return names[b] - names[a] })
	out := map[string]int{}
	for _, name := range sorted[:min(n, len(sorted))] {
		out[name] = names[name]
	}
	return out
}

// writeCampaign writes what the first month of the campaign does to each column.
func writeCampaign(out io.Writer, story *tale) error {
	const march = 2
	all := &story.months[lastYear][march]
	fmt.Fprintf(out, "March against March, columns that are significant in at least half of the worlds:\n\n")
	t := table{head: []string{"column", "mean effect", "significant", "combined"}}
	for _, name := range slices.Sorted(maps.Keys(all.names[corrected])) {
		if n := all.names[corrected][name]; 2*n >= all.batches {
			t.add(name, fmt.Sprintf("%.3f", all.effects[name]/float64(all.batches)), share(n, all.batches), share(all.names[combined][name], all.batches))
		}
	}
	return t.write(out)
}

// often lists names with the share of batches in which they stand.
func often(names map[string]int, batches int) string {
	var out string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if out != "" {
			out += ", "
		}
		out += name + " " + share(names[name], batches)
	}
	return out
}

// firsts lists the months with the number of worlds whose first trigger that is.
func firsts(counts [months]int) string {
	out := ""
	for m, n := range counts {
		if n > 0 {
			if out != "" {
				out += ", "
			}
			out += fmt.Sprintf("2024-%02d in %d worlds", m+1, n)
		}
	}
	if out == "" {
		return "never"
	}
	return out
}
