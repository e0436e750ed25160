package gate

import (
	"maps"
	"math"
	"slices"
)

// Gained returns by how much the candidate is better at least, in the first metric of
// success by name. Candidates of one release are compared by it. NaN if there is none.
func (o *Outcome) Gained() float64 {
	for _, m := range slices.Sorted(maps.Keys(o.Metrics)) {
		if success := o.Metrics[m].Success; success != nil {
			return gain(m, *success).Low
		}
	}
	return math.NaN()
}
