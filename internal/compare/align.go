package compare

import "slices"

// An Alignment says which rows of two sides have the same key.
type Alignment struct {
	// A and B are the places of the common keys on both sides, in the order of A.
	A, B []int32 `json:"-"`

	Common int64     `json:"common"`
	OnlyA  Unmatched `json:"onlyA"`
	OnlyB  Unmatched `json:"onlyB"`
	// TwiceA and TwiceB are keys that a side has more than once. Nobody knows which of
	// the rows is meant, so none is compared.
	TwiceA Unmatched `json:"twiceA"`
	TwiceB Unmatched `json:"twiceB"`
}

// Unmatched are keys that cannot be compared.
type Unmatched struct {
	Count int64    `json:"count"`          // different keys
	Keys  []string `json:"keys,omitempty"` // the first five, sorted
}

// Align lines up two sides by key.
func Align(a, b []string) Alignment {
	var out Alignment
	atA, twiceA := places(a)
	atB, twiceB := places(b)
	for i, key := range a {
		if atA[key] != int32(i) || twiceA[key] || twiceB[key] {
			continue
		}
		if j, ok := atB[key]; ok {
			out.A, out.B = append(out.A, int32(i)), append(out.B, j)
		}
	}
	out.Common = int64(len(out.A))
	out.OnlyA, out.OnlyB = only(atA, atB), only(atB, atA)
	out.TwiceA, out.TwiceB = unmatched(twiceA), unmatched(twiceB)
	return out
}

// places returns where each key is first, and which are there again.
func places(keys []string) (at map[string]int32, twice map[string]bool) {
	at, twice = make(map[string]int32, len(keys)), map[string]bool{}
	for i, key := range keys {
		if _, seen := at[key]; seen {
			twice[key] = true
			continue
		}
		at[key] = int32(i)
	}
	return at, twice
}

func only(keys, others map[string]int32) Unmatched {
	found := map[string]bool{}
	for key := range keys {
		if _, ok := others[key]; !ok {
			found[key] = true
		}
	}
	return unmatched(found)
}

func unmatched(keys map[string]bool) Unmatched {
	u := Unmatched{Count: int64(len(keys))}
	for key := range keys {
		u.Keys = append(u.Keys, key)
	}
	slices.Sort(u.Keys)
	u.Keys = slices.Clone(u.Keys[:min(5, len(u.Keys))])
	return u
}
