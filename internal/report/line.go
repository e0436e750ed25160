package report

import (
	"cmp"
	"fmt"

	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// lineTable lists months in one row each. link leads from a batch to its page; nil leads
// nowhere.
func lineTable(caption string, lines func(func(int, Line) bool), link func(Line) page.Words) *page.Table {
	t := &page.Table{Caption: caption, How: "AUC, or R² of a regression, is of the scores that the month's champion gave all its rows, with a 95 % interval; it is empty until labels are there.",
		Columns: page.Columns("Month", "Verdict", "#Rows", "#Quarantined", "Drift", "#AUC", "Served by", "Decisions")}
	for _, l := range lines {
		name := page.Text(l.Batch)
		if link != nil {
			name = link(l)
		}
		word := l.State
		if l.Publication > 1 {
			word += fmt.Sprintf(", no. %d", l.Publication)
		}
		drift := page.Cell{Text: page.Text("–")}
		if l.Drift != "" {
			drift = page.Cell{Text: page.Text(l.Drift), Tone: page.Warn}
			if l.Drift == "none" {
				drift.Tone = page.Plain
			}
		}
		delivered, quarantined := figure.Count(l.Rows.Delivered), figure.Count(l.Rows.Quarantined)
		if l.Gone {
			delivered, quarantined = "–", "–"
		}
		quality := "–"
		if l.Quality != nil && l.Quality.Champion != nil {
			quality = figure.Estimate(l.Quality.Champion)
		}
		t.Rows = append(t.Rows, page.Row{{Text: name}, {Text: page.Text(word), Tone: stateTone(l.State)}, {Text: page.Text(delivered)}, {Text: page.Text(quarantined)}, drift,
			{Text: page.Text(quality)}, {Text: page.Text(cmp.Or(servedText(l.Served), "–"))}, {Text: page.Text(cmp.Or(list(l.Decisions, 3), "–"))}})
	}
	return t
}

// rowsSentence says what became of a published month's rows.
func (l *Line) rowsSentence() string {
	if l.Gone {
		return "Its scores are published; the papers of its run were deleted, so nobody knows how many rows were delivered and how many went to quarantine."
	}
	return fmt.Sprintf("%s of %s were scored and published, %s in quarantine.", figure.Count(l.Rows.Scored), figure.Things(l.Rows.Delivered, "row"), figure.Count(l.Rows.Quarantined))
}

func servedText(all []Served) string {
	total := int64(0)
	for _, s := range all {
		total += s.Rows
	}
	var parts []string
	for _, s := range all {
		parts = append(parts, fmt.Sprintf("%s %s", figure.Short(s.Model.Digest), figure.Percent(float64(s.Rows)/float64(max(total, 1)))))
	}
	return list(parts, 4)
}

// timelineOf draws which model served which months, and what share.
func timelineOf(months []Line) chart.Chart {
	var labels []string
	var lanes []chart.Lane
	lane := func(v Version) *chart.Lane {
		for i := range lanes {
			if lanes[i].Name == figure.Short(v.Digest) {
				return &lanes[i]
			}
		}
		lanes = append(lanes, chart.Lane{Name: figure.Short(v.Digest)})
		return &lanes[len(lanes)-1]
	}
	for i, l := range months {
		labels = append(labels, l.Batch)
		total := int64(0)
		for _, s := range l.Served {
			total += s.Rows
		}
		for _, s := range l.Served {
			share := float64(s.Rows) / float64(max(total, 1))
			on := lane(s.Model)
			series, text := chart.Now, "100 %"
			if share < 1 {
				text = figure.Percent(share)
			}
			if share < 0.5 {
				series = chart.Alt
			}
			if n := len(on.Spans); n > 0 && on.Spans[n-1].To == float64(i) && on.Spans[n-1].Text == text {
				on.Spans[n-1].To++
				continue
			}
			on.Spans = append(on.Spans, chart.Span{From: float64(i), To: float64(i + 1), Text: text, Series: series})
		}
	}
	return chart.Timeline(chart.Timed{Title: "Who served whom", Desc: "The share of the published rows that has the score of each model, by month.", Labels: labels, Lanes: lanes})
}
