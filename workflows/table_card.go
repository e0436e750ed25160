package workflows

import (
	"fmt"

	"headgate/activities"
	"headgate/internal/figure"
)

// A TableCard is what there is to see of a batch that is published again or taken back to
// an earlier publication.
type TableCard struct {
	Pipeline string                   `json:"pipeline"`
	Batch    string                   `json:"batch"`
	By       string                   `json:"by"` // as claimed
	Reason   string                   `json:"reason"`
	From     int64                    `json:"from,omitempty"` // publication that came back; 0 if one model's scores were published
	Done     activities.PublishOutput `json:"done"`
}

// Markdown returns the card for the page of the run.
func (c TableCard) Markdown() string {
	what := "published again, with one model's score in each row"
	switch {
	case c.From > 0:
		what = fmt.Sprintf("publication %d came back", c.From)
	case c.Done.Unchanged:
		what = "as it was: every row had that model's score already"
	}
	return fmt.Sprintf("### %s %s: %s\n\n| Publication | %d, table version %d |\n|---|---|\n| Rows | %s |\n| Why | %s (%s, claimed) |\n\n**More**\n\n- `starter log %[1]s`\n",
		c.Pipeline, c.Batch, what, c.Done.Publication, c.Done.TableVersion, figure.Count(c.Done.Rows), plain(c.Reason), plain(c.By))
}
