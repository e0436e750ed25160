package report

import (
	"fmt"
	"math"
	"strings"

	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// eventTable lists entries of the registry.
func eventTable(caption string, events []Event) *page.Table {
	t := &page.Table{Caption: caption, Columns: page.Columns("#Entry", "When", "What", "By", "Where", "Model", "Verdict", "In words")}
	for _, e := range events {
		model := page.Text("")
		if e.Model != nil {
			model = page.Digest(e.Model.Digest)
		}
		where := strings.TrimSpace(e.Batch + " " + e.Step)
		t.Rows = append(t.Rows, page.Row{{Text: page.Text(fmt.Sprint(e.Entry))}, {Text: page.Text(stamp(e.At))}, {Text: page.Text(e.Kind)}, {Text: page.Text(e.By)},
			{Text: page.Text(where)}, {Text: model}, {Text: page.Text(e.Verdict), Tone: eventTone(e.Verdict)}, {Text: page.Text(e.What)}})
	}
	return t
}

func eventTone(verdict string) page.Tone {
	switch verdict {
	case "pass", "approve", "resume":
		return page.Good
	case "block", "reject", "rollback":
		return page.Bad
	case "":
		return page.Plain
	}
	return page.Warn
}

// unknown is an interval of which only the value is known.
func unknown(v float64) chart.Interval {
	return chart.Interval{Low: math.NaN(), Value: v, High: math.NaN()}
}
