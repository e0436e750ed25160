package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"headgate/internal/evaluate"
	"headgate/internal/figure"
)

// print writes the answer as tables.
func (out *evaluated) print(w io.Writer) {
	r := out.Report
	fmt.Fprintf(w, "%s: %s", out.Data, figure.Things(r.Rows, "row"))
	if r.Positives > 0 {
		fmt.Fprintf(w, ", %s of them with label 1", figure.Count(r.Positives))
	}
	if r.Clusters > 0 {
		fmt.Fprintf(w, ", in %s", figure.Things(r.Clusters, "cluster"))
	}
	fmt.Fprintln(w)
	if out.Unobserved > 0 {
		fmt.Fprintf(w, "%s without a label left out\n", figure.Things(out.Unobserved, "row"))
	}
	if out.Treated > 0 {
		fmt.Fprintf(w, "%s that an action changed left out\n", figure.Things(out.Treated, "row"))
	}
	fmt.Fprintln(w)
	measured(w, r.Metrics)
	absent(w, r.Missing)
	if len(out.Challenger) > 0 {
		fmt.Fprintln(w, "\nchallenger less score:")
		measured(w, out.Challenger)
	}
	reliability(w, r.Reliability)
	out.printSlices(w)
	for _, p := range out.Fairness {
		printParity(w, p)
	}
}

// measured writes metrics, one a line.
func measured(w io.Writer, metrics []evaluate.Measured) {
	if len(metrics) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "metric\tvalue\t%s interval\trows\n", level(metrics[0].Level))
	for _, m := range metrics {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Metric, figure.Number(m.Value), figure.Interval(m.Estimate), figure.Count(m.N))
	}
	t.Flush()
}

// level writes the level of an interval: 95 %.
func level(x float64) string { return strconv.FormatFloat(100*x, 'g', 4, 64) + " %" }

// absent writes which metrics do not exist, and why.
func absent(w io.Writer, missing []evaluate.Missing) {
	for _, m := range missing {
		fmt.Fprintf(w, "no %s: %s\n", m.Metric, m.Reason)
	}
}

// reliability writes the reliability table.
func reliability(w io.Writer, bins []evaluate.Bin) {
	if len(bins) == 0 {
		return
	}
	fmt.Fprintln(w, "\nreliability:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "scores\tmean score\tlabel 1\tinterval\trows")
	for _, b := range bins {
		fmt.Fprintf(t, "%s to %s\t%s\t%s\t%s\t%s\n", figure.Number(b.Low), figure.Number(b.High), figure.Number(b.Score), figure.Number(b.Label.Value), figure.Interval(b.Label), figure.Count(b.N))
	}
	t.Flush()
}

// printSlices writes the slices. Their intervals hold for all at once.
func (out *evaluated) printSlices(w io.Writer) {
	if len(out.Slices) == 0 {
		return
	}
	fmt.Fprintln(w, "\nslices (all intervals hold at once; p is corrected for the number of slices):")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "slice\trows\tmetric\tvalue\tinterval\tto the rest\tp")
	for _, s := range out.Slices {
		for _, m := range s.Metrics {
			gap, p := "–", "–"
			if m.Gap != nil {
				gap, p = figure.Signed(m.Gap.Value), figure.Probability(m.P)
			}
			if m.Significant {
				p += " *"
			}
			fmt.Fprintf(t, "%s=%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Dimension, s.Value, figure.Count(s.Rows), m.Metric, figure.Number(m.Value), figure.Interval(m.Estimate), gap, p)
		}
	}
	t.Flush()
	for _, s := range out.Slices {
		for _, m := range s.Missing {
			fmt.Fprintf(w, "no %s of %s=%s: %s\n", m.Metric, s.Dimension, s.Value, m.Reason)
		}
	}
}

// printParity writes how a decision treats groups.
func printParity(w io.Writer, p *evaluate.Parity) {
	fmt.Fprintf(w, "\n%s, selected from %s:\n", p.Dimension, figure.Bound(p.Threshold))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "group\trows\tselected\tof label 1\tof label 0")
	for _, g := range p.Groups {
		if g.TooFew {
			fmt.Fprintf(t, "%s\t%s\ttoo few rows to compare\t\t\n", g.Value, figure.Count(g.Rows))
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", g.Value, figure.Count(g.Rows), figure.Estimate(g.SelectionRate), figure.Estimate(g.TruePositive), figure.Estimate(g.FalsePositive))
	}
	t.Flush()
	fmt.Fprintf(w, "demographic parity: difference %s, ratio %s\n", figure.Estimate(p.DemographicParity), figure.Estimate(p.ParityRatio))
	fmt.Fprintf(w, "equalised odds: difference %s\n", figure.Estimate(p.EqualisedOdds))
	absent(w, p.Missing)
}
