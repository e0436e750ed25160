package retailer

import (
	"fmt"
	"sort"
)

// The categories, by code. The code after the last region, unknownRegion, appears
// only in bad rows.
var (
	regions  = numbered("R%02d", 20)
	brands   = numbered("B%03d", 400)
	segments = []string{"starter", "family", "student", "senior", "premium", "bargain", "business", "gift"}
	devices  = []string{"phone", "desktop", "tablet"}
	channels = []string{"direct", "search", "email", "social", "affiliate", "display"}
	payments = []string{"card", "wallet", "invoice", "transfer", "instalments"}
	loyalty  = []string{"none", "bronze", "silver", "gold"}

	unknownRegion = len(regions)
)

// segmentEffects is what each segment adds to the logit.
var segmentEffects = [...]float64{-.1, .1, .2, -.2, .3, 0, -.3, .15}

// Cumulative shares, by code.
var (
	brandShares   = zipf(len(brands))
	deviceShares  = []float64{0.6, 0.9, 1}
	channelShares = []float64{0.35, 0.6, 0.75, 0.87, 0.95, 1}
	paymentShares = []float64{0.4, 0.65, 0.85, 0.95, 1}
	loyaltyShares = []float64{0.5, 0.8, 0.95, 1}
)

// numbered returns n names, counted from 1.
func numbered(format string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i+1)
	}
	return names
}

// zipf returns the cumulative shares of n categories whose shares fall like 1/k.
func zipf(n int) []float64 {
	shares := make([]float64, n)
	total := 0.0
	for i := range shares {
		total += 1 / float64(i+1)
		shares[i] = total
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares
}

// pick returns the code whose stretch of the cumulative shares holds u.
func pick(cumulative []float64, u float64) int {
	return min(sort.SearchFloat64s(cumulative, u), len(cumulative)-1)
}
