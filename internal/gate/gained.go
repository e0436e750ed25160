package gate

import (
	"maps"
	"math"
	"slices"
)

// Gained returns by how much the candidate is better at least, in the first metric of
// success by name, at the level of the guardrails. Candidates of one release are compared
// by it. The level that an early look leaves for superiority is so near to 1 that its
// bound prefers whoever differs least from the champion. NaN if there is none.
func (o *Outcome) Gained() float64 {
	for _, m := range slices.Sorted(maps.Keys(o.Metrics)) {
		if v := o.Metrics[m]; v.Success != nil {
			return gain(m, v.Difference).Low
		}
	}
	return math.NaN()
}
