package train

import (
	"maps"
	"math"
	"slices"
)

// Quota returns the share with which [Entities] holds exactly as many of the different
// keys of rows as a share of them is, rounded, and at least so many, but not all. Where
// keys are few, as days are, what a share holds is chance: of thirty, a tenth is none at all
// one time in twenty. Only the columns of the key are read, and 8 bytes are kept for each
// key.
func Quota(rows Rows, key []string, seed int64, share float64, least int) (float64, error) {
	seen := map[uint64]bool{}
	for rec, err := range rows {
		if err != nil {
			return 0, err
		}
		hash, err := entities(rec, key, seed)
		if err != nil {
			return 0, err
		}
		for i := range int(rec.NumRows()) {
			seen[hash(i)] = true
		}
	}
	hashes := slices.Sorted(maps.Keys(seen))
	n := min(max(least, int(math.Round(share*float64(len(hashes))))), len(hashes)-1)
	if n < 1 {
		return share, nil
	}
	return fraction(hashes[n]), nil
}
