package report

import (
	"fmt"
	"slices"

	"headgate/internal/compare"
	"headgate/internal/evaluate"
	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// champion returns the report on the champion; nil if there is none.
func (o *Outcome) champion() *evaluate.Report {
	if o == nil || len(o.Models) == 0 {
		return nil
	}
	return o.Models[0].Report
}

// fell says that the champion ranks worse than the scores alone had promised, beyond doubt.
func (b *Batch) fell() string {
	if b.Outcome == nil {
		return ""
	}
	for _, c := range b.Outcome.Checks {
		if c.Off && c.Metric == evaluate.AUC && c.Found.Value < c.Expected.Value {
			return fmt.Sprintf("The scores alone had promised an AUC of %s: what the columns mean has changed, or the population.", figure.Number(c.Expected.Value))
		}
	}
	return ""
}

// uncalibrated says in which way probabilities are off, beyond doubt.
func (b *Batch) uncalibrated() []string {
	r := b.Outcome.champion()
	if r == nil {
		return nil
	}
	var off []string
	if e, ok := r.Get(evaluate.InTheLarge); ok && (e.Low > 0.2 || e.High < -0.2) {
		word := "too low"
		if e.Value < 0 {
			word = "too high"
		}
		off = append(off, "the scores are "+word+" on the whole")
	}
	return off
}

// metricName is what people call a metric.
func metricName(m evaluate.Metric) string {
	name, argument, has := m.Argument()
	full, ok := metricNames[name]
	if !ok {
		full = string(name)
	}
	if has {
		return fmt.Sprintf("%s at %g", full, argument)
	}
	return full
}

var metricNames = map[evaluate.Metric]string{
	evaluate.AUC: "AUC", evaluate.PRAUC: "Average precision", evaluate.KS: "Kolmogorov–Smirnov", evaluate.LogLoss: "Log loss", evaluate.Brier: "Brier score",
	evaluate.ECE: "Expected calibration error", evaluate.Slope: "Calibration slope", evaluate.Intercept: "Calibration intercept", evaluate.InTheLarge: "Calibration in the large",
	evaluate.Prevalence: "Share that came true", evaluate.MeanScore: "Mean score", evaluate.Accuracy: "Accuracy", evaluate.Precision: "Precision", evaluate.Recall: "Recall",
	evaluate.Specificity: "Specificity", evaluate.SelectionRate: "Selected", evaluate.Lift: "Lift", evaluate.Capture: "Capture", evaluate.Gini: "Gini", evaluate.F1: "F1", evaluate.MCC: "Matthews' correlation",
	evaluate.RMSE: "Root mean squared error", evaluate.MAE: "Mean absolute error", evaluate.Bias: "Bias", evaluate.R2: "R²",
	evaluate.Reliability: "Brier: reliability", evaluate.Resolution: "Brier: resolution", evaluate.Uncertainty: "Brier: uncertainty", evaluate.WithinBins: "Brier: within bins",
}

func metricHow(m evaluate.Metric, e evaluate.Estimate) string {
	level := fmt.Sprintf("%g %% interval", 100*e.Level)
	switch m {
	case evaluate.AUC:
		return "Area under the ROC curve: how often a row that came true has the higher score of two. " + level + " by DeLong's method; rows of one entity, and weights of the untreated, count."
	case evaluate.InTheLarge:
		return "By how many log odds outcomes are above the scores on the whole; 0 is best. " + level + "."
	case evaluate.RMSE, evaluate.R2:
		return level + " from the influence that each row has."
	}
	return level + "."
}

func (b *Batch) outcomeBlocks() []page.Block {
	o := b.Outcome
	if o == nil {
		if b.Published == 0 {
			return nil
		}
		return []page.Block{&page.Paragraph{Text: page.Text("The outcomes of this batch are not known yet. Once labels are complete, this page has AUC, calibration and curves with their intervals.")}}
	}
	blocks := []page.Block{o.standing()}
	blocks = append(blocks, o.metricTables()...)
	blocks = append(blocks, o.figures())
	if o.Curves != "" {
		blocks = append(blocks, &page.Callout{Title: "No curves", Text: page.Text(o.Curves)})
	}
	if len(o.Arms) > 0 {
		blocks = append(blocks, o.arms())
	}
	if len(o.Checks) > 0 {
		blocks = append(blocks, o.checks())
	}
	return blocks
}

// standing says which labels these are and how far they carry.
func (o *Outcome) standing() page.Block {
	text := fmt.Sprintf("%s of %s count: ", figure.Count(o.Judged), figure.Things(o.Scored, "row"))
	text += fmt.Sprintf("%s have no known outcome, and of %s the outcome is what a treatment made of it.", figure.Count(o.Missing), figure.Count(o.Treated))
	if o.Unusable > 0 {
		text += fmt.Sprintf(" %s cannot be weighted.", figure.Things(o.Unusable, "row"))
	}
	c := &page.Callout{Tone: verdictTone(o.Verdict), Title: "The labels are evidence", Text: page.Text(text)}
	switch o.Verdict {
	case "block":
		c.Title, c.Text = "The labels break their contract", page.Text(list(o.Reasons, 5)+".")
	case "pass":
	default:
		c.Title, c.Text = "The labels are shown, and are no evidence", page.Text(list(o.Reasons, 5)+". "+text)
	}
	return c
}

// headline are the metrics that everybody asks for, in their order.
var headline = []evaluate.Metric{evaluate.AUC, evaluate.PRAUC, evaluate.KS, evaluate.LogLoss, evaluate.Brier, evaluate.ECE, evaluate.Slope, evaluate.InTheLarge, evaluate.Prevalence, evaluate.MeanScore,
	evaluate.RMSE, evaluate.MAE, evaluate.Bias, evaluate.R2}

func (o *Outcome) metricTables() []page.Block {
	var judged []Judged
	for _, m := range o.Models {
		if m.Report != nil {
			judged = append(judged, m)
		}
	}
	if len(judged) == 0 {
		return nil
	}
	columns := []page.Column{{Name: "Metric"}}
	for _, m := range judged {
		columns = append(columns, page.Column{Name: m.Role + " " + figure.Short(m.Model.Digest), Number: true})
	}
	table := func(caption string, metrics []evaluate.Metric) *page.Table {
		t := &page.Table{Caption: caption, Columns: columns, How: "On the rows whose outcome counts; those that were left untreated stand for the treated by inverse propensity. 95 % intervals: by DeLong's method for AUC, by Wilson's for shares, else from the influence of each row."}
		for _, m := range metrics {
			row, any := page.Row{{Text: page.Text(metricName(m))}}, false
			for _, model := range judged {
				e, ok := model.Report.Get(m)
				any = any || ok
				text := "–"
				if ok {
					text = figure.Estimate(&e)
				}
				row = append(row, page.Cell{Text: page.Text(text)})
			}
			if any {
				t.Rows = append(t.Rows, row)
			}
		}
		return t
	}
	blocks := []page.Block{table("How good the scores are", headline)}
	var others []evaluate.Metric
	for _, m := range judged[0].Report.Metrics {
		if !slices.Contains(headline, m.Metric) {
			others = append(others, m.Metric)
		}
	}
	if len(others) > 0 {
		blocks = append(blocks, &page.Details{Summary: figure.Things(len(others), "more metric"), Blocks: []page.Block{table("More metrics", others)}})
	}
	for _, m := range o.Models {
		if m.Problem != "" {
			blocks = append(blocks, &page.Callout{Tone: page.Warn, Title: figure.Short(m.Model.Digest) + " cannot be judged", Text: page.Text(m.Problem)})
		}
	}
	return blocks
}

// series are the colours of the models of a figure: the champion, and one challenger.
var series = []chart.Series{chart.Now, chart.Alt, chart.Old, chart.Ref}

func (o *Outcome) figures() page.Block {
	var tables []chart.Calibrated
	roc := chart.Square{Title: "ROC curve", XLabel: "false positive rate", YLabel: "true positive rate", Diagonal: true, Desc: "True positive rate against false positive rate at many thresholds, with bands."}
	pr := chart.Square{Title: "Precision and recall", XLabel: "recall", YLabel: "precision", Desc: "Precision against recall at many thresholds, with bands."}
	for i, m := range o.Models {
		if m.Report == nil || i >= len(series) {
			continue
		}
		name := m.Role
		if len(o.Models) > 1 {
			name += " " + figure.Short(m.Model.Digest)
		}
		if len(m.Report.Reliability) > 0 {
			tables = append(tables, calibrated(series[i], name, m.Report))
		}
		if len(m.Curve) > 0 {
			roc.Curves = append(roc.Curves, rocCurve(series[i], name, m.Curve))
			pr.Curves = append(pr.Curves, prCurve(series[i], name, m.Curve))
		}
	}
	if r := o.champion(); r != nil {
		if e, ok := r.Get(evaluate.Prevalence); ok {
			pr.Level = &e.Value
		}
	}
	f := &page.Figures{Charts: []chart.Chart{chart.Reliability("Reliability", tables), chart.Curves(roc), chart.Curves(pr)},
		How: "Reliability: groups of equal weight by score, with Wilson's 95 % interval of the share that came true. Curves: decisions at 40 thresholds, measured again from the stored scores and labels that the evaluation names; bands are 95 % intervals of the vertical value at each threshold by itself."}
	return f
}

func calibrated(s chart.Series, name string, r *evaluate.Report) chart.Calibrated {
	t := chart.Calibrated{Series: s, Name: name}
	for _, bin := range r.Reliability {
		t.Groups = append(t.Groups, chart.Predicted{Score: bin.Score, Rate: interval(bin.Label), Rows: bin.N})
	}
	return t
}

func rocCurve(s chart.Series, name string, points []Point) chart.Curve {
	c := chart.Curve{Series: s, Name: name, X: []float64{0}, Y: []float64{0}, Low: []float64{0}, High: []float64{0}}
	for _, p := range points {
		c.X, c.Y = append(c.X, 1-p.Specificity.Value), append(c.Y, p.Recall.Value)
		c.Low, c.High = append(c.Low, p.Recall.Low), append(c.High, p.Recall.High)
	}
	c.X, c.Y, c.Low, c.High = append(c.X, 1), append(c.Y, 1), append(c.Low, 1), append(c.High, 1)
	return c
}

func prCurve(s chart.Series, name string, points []Point) chart.Curve {
	c := chart.Curve{Series: s, Name: name}
	for _, p := range points {
		c.X, c.Y = append(c.X, p.Recall.Value), append(c.Y, p.Precision.Value)
		c.Low, c.High = append(c.Low, p.Precision.Low), append(c.High, p.Precision.High)
	}
	return c
}

func (o *Outcome) arms() page.Block {
	t := &page.Table{Caption: "What came of the rows that each model served", Columns: page.Columns("Model", "#Share of the entities", "#Rows", "#With an outcome", "#Came true", "#Mean score"),
		How: "All rows that a model served, with the treated: what was done because of the scores is part of what they did."}
	for _, a := range o.Arms {
		row := page.Row{{Text: page.Digest(a.Model.Digest)}, {Text: page.Text(figure.Percent(float64(a.Share) / 10_000))}, {Text: page.Text(figure.Count(a.Scored))}, {Text: page.Text(figure.Count(a.Known))}, {Text: page.Text("–")}, {Text: page.Text("–")}}
		if a.Outcome != nil {
			row[4].Text = page.Text(share(*a.Outcome))
		}
		if a.Score != nil {
			row[5].Text = page.Text(figure.Estimate(a.Score))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (o *Outcome) checks() page.Block {
	t := &page.Table{Caption: "What the scores alone had promised", Columns: page.Columns("Metric", "#Promised", "#Found", ""),
		How: "Confidence-based estimate: each score is taken for the probability that the row comes true. It is as good as the calibration, and cannot see that a column means something else now."}
	for _, c := range o.Checks {
		word, tone := "as promised", page.Plain
		if c.Off {
			word, tone = "off beyond chance", page.Warn
		}
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(metricName(c.Metric))}, {Text: page.Text(figure.Estimate(&c.Expected))}, {Text: page.Text(figure.Estimate(&c.Found))}, {Text: page.Text(word), Tone: tone}})
	}
	return t
}

func (b *Batch) comparisonBlocks() []page.Block {
	var blocks []page.Block
	for _, c := range b.Comparisons {
		title := fmt.Sprintf("%s, in shadow", figure.Short(c.Model.Digest))
		if c.Share > 0 {
			title = fmt.Sprintf("%s, which serves %s of the entities", figure.Short(c.Model.Digest), figure.Percent(float64(c.Share)/10_000))
		}
		blocks = append(blocks, &page.Heading{Text: title})
		if c.Model.Note != "" {
			blocks = append(blocks, &page.Paragraph{Text: page.Text(sentenceCase(c.Model.Note) + ".")})
		}
		if c.Changes == nil {
			blocks = append(blocks, &page.Callout{Tone: page.Warn, Title: "Not compared", Text: page.Text(c.Note)})
			continue
		}
		blocks = append(blocks, changes(c), migration(c))
	}
	return blocks
}

// changes lists what the model would change, and the swap set.
func changes(c Comparison) page.Block {
	x := c.Changes
	facts := []page.Fact{{Name: "Index of the scores", Value: page.Text(figure.Number(x.PSI.Value)), Note: "PSI " + figure.Interval(x.PSI), How: fmt.Sprintf("Over %s of %s, those of entities that a hash of their key draws; 95 %% intervals.", figure.Things(c.Sampled, "row"), figure.Count(c.Rows))},
		{Name: "Shift of the mean", Value: page.Text(figure.Signed(x.Shift.Value)), Note: figure.Interval(x.Shift)},
		{Name: "Mean distance", Value: page.Text(figure.Number(x.Distance.Value)), Note: figure.Interval(x.Distance)}}
	if x.Spearman != nil {
		facts = append(facts, page.Fact{Name: "Rank correlation", Value: page.Text(figure.Number(x.Spearman.Value)), Note: figure.Interval(*x.Spearman)})
	}
	if d := x.Decisions; d != nil {
		facts = append(facts, decisionFacts(d)...)
	}
	if v := c.Volume; v != nil {
		f := page.Fact{Name: "Rows served", Value: page.Text(figure.Count(v.Rows)), Note: fmt.Sprintf("of %s, planned %s; chance is as far off with p %s", figure.Count(v.Of), figure.Percent(v.Share), figure.Probability(v.P))}
		if v.P < 0.001 {
			f.Tone = page.Bad
		}
		facts = append(facts, f)
	}
	return &page.FactList{Facts: facts}
}

func decisionFacts(d *compare.Decisions) []page.Fact {
	return []page.Fact{
		{Name: "Decisions that flip", Value: page.Text(figure.Percent(d.Flips.Value)), Note: shareSpan(d.Flips)},
		{Name: "Swap in", Value: page.Text(figure.Count(d.SwapIn.Rows)), Note: swap(d.SwapIn, "only the challenger selects")},
		{Name: "Swap out", Value: page.Text(figure.Count(d.SwapOut.Rows)), Note: swap(d.SwapOut, "only the champion selects")},
		{Name: "Selected", Value: page.Text(figure.Percent(d.Champion.Value) + " → " + figure.Percent(d.Challenger.Value)), Note: "champion → challenger"},
	}
}

func swap(s compare.Swap, what string) string {
	text := what + "; " + share(s.Share)
	if s.Label != nil {
		text += "; came true " + share(*s.Label)
	}
	return text
}

func migration(c Comparison) page.Block {
	m := c.Changes.Migration
	counts := make([][]int64, len(m.Counts))
	for i := range m.Counts {
		counts[i] = m.Counts[i][:]
	}
	return &page.Figures{Charts: []chart.Chart{chart.Matrix(chart.Grid{Title: "Migration between tenths of the scores", RowLabel: "champion", ColumnLabel: "challenger", Counts: counts,
		Desc: fmt.Sprintf("Rows by the champion's tenth and the challenger's: %s are in another tenth, %s two or more away.", figure.Percent(m.Moved.Value), figure.Percent(m.Far.Value))})},
		How: "Each model's scores are cut into its own tenths, the lowest first; a cell is a share of the champion's tenth."}
}
