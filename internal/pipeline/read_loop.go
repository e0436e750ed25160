package pipeline

import (
	"math/big"
	"strings"

	"headgate/internal/release"
	"headgate/internal/strictyaml"
)

// parseShare reads a share of the entities, above 0, in whole basis points: 10% or 0.1.
func parseShare(text string) (Share, bool) {
	digits, percent := strings.CutSuffix(text, "%")
	r, ok := strictyaml.ParseRat(strings.TrimSpace(digits))
	if !ok {
		return 0, false
	}
	factor := int64(release.Whole)
	if percent {
		factor /= 100
	}
	r.Mul(r, big.NewRat(factor, 1))
	if !r.IsInt() || r.Sign() <= 0 || r.Cmp(big.NewRat(release.Whole, 1)) > 0 {
		return 0, false
	}
	return Share(r.Num().Int64()), true
}
