package contract

import (
	"fmt"
	"strconv"
	"strings"
)

// A Bump is which part of a semantic version must rise. A higher one is greater.
//
// Source: Semantic Versioning 2.0.0.
type Bump int

// The bumps.
const (
	BumpNone  Bump = iota // nothing changed
	BumpPatch             // only documentation changed
	BumpMinor             // something changed that breaks nobody
	BumpMajor             // something breaks a producer or a consumer
)

func (b Bump) String() string { return [...]string{"none", "patch", "minor", "major"}[b] }

// NeedsBump returns how far the version must rise for the changes.
func NeedsBump(changes []Change) Bump {
	need := BumpNone
	for _, c := range changes {
		switch {
		case c.Breaks():
			return BumpMajor
		case c.Producer == Compatible || c.Consumer == Compatible:
			need = max(need, BumpMinor)
		default:
			need = max(need, BumpPatch)
		}
	}
	return need
}

// Bumped returns how far the version rises from a to b: [BumpNone] if it is the same
// or falls. Parts that are not written are 0, a leading v and what follows a dash or
// plus are left out. Versions of another form are an error.
func Bumped(a, b string) (Bump, error) {
	was, err := numbers(a)
	if err != nil {
		return BumpNone, err
	}
	is, err := numbers(b)
	if err != nil {
		return BumpNone, err
	}
	for i, bump := range []Bump{BumpMajor, BumpMinor, BumpPatch} {
		switch {
		case is[i] > was[i]:
			return bump, nil
		case is[i] < was[i]:
			return BumpNone, nil
		}
	}
	return BumpNone, nil
}

// numbers reads MAJOR.MINOR.PATCH.
func numbers(version string) ([3]uint64, error) {
	var out [3]uint64
	core := strings.TrimPrefix(version, "v")
	if i := strings.IndexAny(core, "-+"); i >= 0 {
		core = core[:i]
	}
	parts := strings.Split(core, ".")
	if len(parts) > len(out) {
		return out, fmt.Errorf("contract: version %q is not MAJOR.MINOR.PATCH", version)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return out, fmt.Errorf("contract: version %q is not MAJOR.MINOR.PATCH", version)
		}
		out[i] = n
	}
	return out, nil
}

// NextVersion returns the version after a that rises by a bump, "" if a has another
// form than MAJOR.MINOR.PATCH.
func NextVersion(a string, b Bump) string {
	v, err := numbers(a)
	if err != nil {
		return ""
	}
	switch b {
	case BumpMajor:
		v = [3]uint64{v[0] + 1}
	case BumpMinor:
		v = [3]uint64{v[0], v[1] + 1}
	case BumpPatch:
		v[2]++
	}
	return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2])
}
