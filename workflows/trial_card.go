package workflows

import (
	"fmt"
	"strings"
	"time"
)

// A Failing is a [trial] as scorecards show it.
type Failing struct {
	What   string `json:"what"`
	Shard  *int   `json:"shard,omitempty"`
	Failed string `json:"failed"`
	Asks   bool   `json:"asks,omitempty"` // a person must say what becomes of it
	Until  string `json:"until"`          // when it is tried again or, if a person is asked, when the batch fails
}

// cards returns what scorecards show, in the order of the failures.
func (t *trials) cards() []Failing {
	var all []Failing
	for _, f := range t.waiting {
		card := Failing{What: f.what, Failed: f.failed, Asks: f.final, Until: f.until.UTC().Format(time.RFC3339)}
		if f.shard >= 0 {
			card.Shard = &f.shard
		}
		all = append(all, card)
	}
	return all
}

// asked returns the shards about which a person is asked.
func (t *trials) asked() (shards []int) {
	for _, f := range t.waiting {
		if f.final {
			shards = append(shards, f.shard)
		}
	}
	return shards
}

// anotherTry is what the list says of a workflow in which something has failed and is
// tried again by itself.
const anotherTry = "another try"

// waits says for the list what is waited for and on whom.
func (t *trials) waits() (what string, who []string) {
	shards := t.asked()
	switch {
	case len(t.waiting) == 0:
		return "", nil
	case len(shards) == 0:
		return anotherTry, nil
	}
	var names []string
	for _, shard := range shards {
		names = append(names, fmt.Sprint(shard))
	}
	return "skipShard or retryNow of shard " + strings.Join(names, ", "), []string{anybody}
}

// failing lists what has failed, and what a person can do about it.
func failing(b *strings.Builder, all []Failing) {
	if len(all) == 0 {
		return
	}
	b.WriteString("**Fails**\n\n| What | Why | Then |\n|---|---|---|\n")
	var can []order
	for _, f := range all {
		then := "tried again at " + f.Until
		if f.Asks {
			then = "**a person decides**, or the batch fails at " + f.Until
		}
		b.WriteString(fmt.Sprintf("| %s | %s | %s |\n", plain(f.What), plain(f.Failed), then))
		if f.Shard != nil {
			can = append(can, order{UpdateSkipShard, fmt.Sprintf(`{"shard": %d, "by": "your name", "reason": "why"}`, *f.Shard),
				fmt.Sprintf("leaves shard %d out: its rows count as quarantined", *f.Shard)})
		}
	}
	orders(b, "Anybody may act", append([]order{{UpdateRetryNow, person, "tries what fails now"}}, can...))
	b.WriteString("\n")
}
