package activities

import (
	"fmt"
	"strings"

	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// nameRelease names a release after what it is of: the last batch that its candidates
// learned from, if it is known, how they came to be, and the candidates themselves. The
// salt that draws entities is the name: equal releases of two equal pipelines draw the
// same entities. A name that is among those of known candidates gets a number, from 2 on,
// and other entities are drawn.
func nameRelease(candidates []registry.Entry, batch, origin string, models ...store.Digest) string {
	of := models[0]
	if len(models) > 1 {
		var all strings.Builder
		for _, m := range models {
			fmt.Fprintln(&all, m)
		}
		of = store.DigestOf([]byte(all.String()))
	}
	name := origin + "-" + run.Short(of)[:8]
	if batch != "" {
		name = batch + "-" + name
	}
	taken := map[string]bool{}
	for _, e := range candidates {
		taken[e.Release] = true
	}
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// releaseOf returns the release that an operation has given candidates to, or "".
func releaseOf(candidates []registry.Entry, operation string) string {
	for _, e := range candidates {
		if e.Cause == operation {
			return e.Release
		}
	}
	return ""
}
