package audit_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"headgate/internal/audit"
	"headgate/internal/store/storetest"
)

// A vandal damages one object or swaps two, and can undo it.
type vandal struct {
	h       *house
	r       *rand.Rand
	objects map[string][]byte
	keys    map[string][]string // of each class, sorted
}

// classes are what verify answers for: entries of the registry, blobs, and the table with
// its log.
var classes = []string{"registry/retailer/log/", "blobs/", "scores/retailer/batch=", "scores/retailer/_delta_log/"}

func newVandal(h *house, seed uint64) *vandal {
	h.t.Helper()
	v := &vandal{h: h, r: rand.New(rand.NewPCG(seed, 0)), objects: map[string][]byte{}, keys: map[string][]string{}}
	for _, key := range storetest.Keys(h.t, h.b) {
		for _, class := range classes {
			if !strings.HasPrefix(key, class) {
				continue
			}
			data, err := h.b.Get(h.t.Context(), key)
			if err != nil {
				h.t.Fatal(err)
			}
			v.objects[key] = data
			v.keys[class] = append(v.keys[class], key)
		}
	}
	return v
}

// set replaces an object; nil deletes it.
func (v *vandal) set(key string, data []byte) {
	v.h.t.Helper()
	if err := v.h.b.Delete(v.h.t.Context(), key); err != nil {
		v.h.t.Fatal(err)
	}
	if data != nil {
		v.h.put(key, data)
	}
}

// strike does one damage and returns what it was and the keys that it was done to.
func (v *vandal) strike() (what string, hit []string) {
	class := classes[v.r.IntN(len(classes))]
	keys := v.keys[class]
	key := keys[v.r.IntN(len(keys))]
	data := v.objects[key]
	switch v.r.IntN(5) {
	case 0:
		v.set(key, nil)
		return "deleted", []string{key}
	case 1:
		v.set(key, data[:v.r.IntN(len(data))])
		return "truncated", []string{key}
	case 2:
		other := keys[v.r.IntN(len(keys))]
		if bytes.Equal(data, v.objects[other]) { // itself, or the same file published twice
			return v.strike()
		}
		v.set(key, v.objects[other])
		v.set(other, data)
		return "swapped", []string{key, other}
	case 3:
		if now := v.reword(data); now != nil {
			v.set(key, now)
			return "reworded", []string{key}
		}
	}
	now := bytes.Clone(data)
	now[v.r.IntN(len(now))] ^= byte(1 + v.r.IntN(255))
	v.set(key, now)
	return "edited", []string{key}
}

// reword changes a text as a forger would: what comes out is still JSON in the same form.
func (v *vandal) reword(data []byte) []byte {
	words := [][2]string{{`"by":"test"`, `"by":"mole"`}, {`"pass"`, `"ask"`}, {`"share":1000`, `"share":2000`}, {`"reason":"`, `"reason":"not `},
		{`"rows":`, `"rows":1`}, {"2024-01", "2024-02"}, {`"numRecords":`, `"numRecords":1`}}
	v.r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	for _, w := range words {
		if bytes.Contains(data, []byte(w[0])) {
			return bytes.Replace(data, []byte(w[0]), []byte(w[1]), 1)
		}
	}
	return nil
}

// undo puts objects back.
func (v *vandal) undo(keys []string) {
	for _, key := range keys {
		v.set(key, v.objects[key])
	}
}

// names reports whether a finding names an object: by its key, by the digest that the key
// holds, or by the number of the entry.
func names(findings []audit.Finding, key string) bool {
	base := strings.TrimSuffix(path.Base(key), path.Ext(key))
	word := regexp.QuoteMeta(base)
	if n, err := strconv.Atoi(base); err == nil && strings.HasPrefix(key, classes[0]) {
		word += fmt.Sprintf(`|entry %d\b`, n)
	}
	named := regexp.MustCompile(word)
	return slices.ContainsFunc(findings, func(f audit.Finding) bool { return named.MatchString(f.String()) })
}

// A thousand damages, each to a sound store: verify finds every one and names what was
// damaged.
func TestVerifyFindsAThousandDamages(t *testing.T) {
	original := newHouse(t)
	const parts, each = 4, 250
	for part := range parts {
		t.Run(fmt.Sprint("seed ", part), func(t *testing.T) {
			t.Parallel()
			h := original.copy(t)
			v := newVandal(h, uint64(part))
			done := map[string]int{}
			for i := range each {
				what, hit := v.strike()
				done[what]++
				findings := h.verify(h.anchor).Findings
				for _, key := range hit {
					if !names(findings, key) {
						t.Errorf("damage %d: %s was %s, and verify says %q", i, key, what, findings)
					}
				}
				v.undo(hit)
			}
			if findings := h.verify(h.anchor).Findings; len(findings) > 0 {
				t.Errorf("all is undone, and verify says %q", findings)
			}
			if len(done) != 5 {
				t.Errorf("it has only %v", done)
			}
		})
	}
}

// Every blob is somebody's: without it verify has a finding.
func TestVerifyMissesEveryBlob(t *testing.T) {
	h := newHouse(t)
	v := newVandal(h, 0)
	for _, key := range v.keys["blobs/"] {
		v.set(key, nil)
		if !names(h.verify(h.anchor).Findings, key) {
			t.Errorf("%s is gone, and verify does not say so", key)
		}
		v.undo([]string{key})
	}
}

// A registry that lost its end is still a chain. Commits of the table are anchors that
// nobody had to keep: they name how many entries there were.
func TestVerifyFindsALostEndByTheTable(t *testing.T) {
	h := newHouse(t)
	v := newVandal(h, 0)
	published, _ := h.log().Find("published/2024-02/1")
	keys := v.keys[classes[0]]
	for head := len(keys) - 1; head >= 0; head-- {
		v.set(keys[head], nil)
		by := h.verify().Findings
		with := h.verify(h.anchor).Findings
		if len(with) == 0 || !strings.Contains(fmt.Sprint(with), "its end was cut off") {
			t.Errorf("%d entries are left, and the anchor does not show it: %q", head, with)
		}
		if told := len(by) > 0; told != (int64(head) < published.Seq) {
			t.Errorf("%d entries are left, the table names %d: %q", head, published.Seq, by)
		}
	}
}
