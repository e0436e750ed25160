package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// descending returns the places of finite values, the highest value first, and equal
// ones in their order. Many values are sorted by their bits, which takes a time in
// proportion to their number.
func descending(values []float64) []int32 {
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	if len(values) < 1000 {
		slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(values[b], values[a]), cmp.Compare(a, b)) })
		return order
	}
	keys := make([]uint64, len(values))
	for i, x := range values {
		keys[i] = falling(x)
	}
	const digit = 11 // bits
	next, from := make([]int32, len(values)), make([]uint64, len(values))
	for shift := 0; shift < 64; shift += digit {
		var starts [1 << digit]int32
		for _, k := range keys {
			starts[k>>shift&(1<<digit-1)]++
		}
		if int(starts[keys[0]>>shift&(1<<digit-1)]) == len(keys) {
			continue // all have the same digit
		}
		sum := int32(0)
		for d, n := range starts {
			starts[d], sum = sum, sum+n
		}
		for i, k := range keys {
			at := &starts[k>>shift&(1<<digit-1)]
			next[*at], from[*at] = order[i], k
			*at++
		}
		order, next, keys, from = next, order, from, keys
	}
	return order
}

// falling turns a finite number into one that is smaller the larger it is.
func falling(x float64) uint64 {
	bits := math.Float64bits(x + 0) // −0 is 0
	if bits>>63 == 1 {
		return bits
	}
	return ^bits &^ (1 << 63)
}
