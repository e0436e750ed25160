// Package release decides how a candidate becomes what production uses: which models
// score whom, which step comes next, and what takes a step back.
//
// It is pure: a release's state is a fold over the events that the registry holds
// ([Fold]), and what to do next follows from that state alone ([Next]). Nothing here
// reads a clock or knows storage; moments and digests come in as values.
//
// Four rules hold in every state. A step forward needs a verdict against the champion of
// that moment, on batches later than what the candidate was learned from, and the
// approvals that its step asks for; if the champion changes, the verdicts are void. A step
// back needs neither, and nothing holds it up. A question that nobody answers leaves
// things as they are. A rejected model never serves again.
package release

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// Whole is the share of all entities, in basis points.
const Whole = 10_000

// Format is the version of routings and approvals.
const Format = 1

// A Routing says which model scores whom. It is kept as a blob; the registry names the
// one in force. It counts only while its first arm is the champion: otherwise all
// entities get the champion's score.
type Routing struct {
	Format  int      `json:"format"`
	Release string   `json:"release"`
	Step    string   `json:"step"`
	Salt    string   `json:"salt"`             // of the hash that draws entities; one for each release
	Arms    []Arm    `json:"arms"`             // at least one: the champion, who gets what the others leave
	Shadow  []string `json:"shadow,omitempty"` // models that score every row and publish none
}

// An Arm is a model and the share of the entities that get its score. While a blue-green
// release is checked, the champion's arm has no share: if the gate blocks a batch, it
// serves all of it nevertheless, as in every routing.
type Arm struct {
	Model string `json:"model"` // digest of the bundle
	Share int    `json:"share"` // basis points, 0 to [Whole]; all arms together are [Whole]
}

// Assign returns the index of the arm that scores an entity, by its key. It is the same
// on every machine and in every batch.
//
// The first 64 bits of SHA-256 of salt, a zero byte and the key are a point in [0, 1);
// the arms but the first lie side by side from 0 on, and the first has the rest. So an
// entity that has left the first arm does not come back while shares grow, and keeps
// its arm if only the last of them grows.
//
// A routing without arms assigns everybody to 0.
func (r *Routing) Assign(entity []byte) int {
	if len(r.Arms) < 2 {
		return 0
	}
	var room [128]byte
	buf := append(room[:0], r.Salt...)
	buf = append(buf, 0)
	buf = append(buf, entity...)
	sum := sha256.Sum256(buf)
	point, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), Whole)
	end := 0
	for i, arm := range r.Arms[1:] {
		end += arm.Share
		if int(point) < end {
			return i + 1
		}
	}
	return 0
}

// Check returns the first thing that is wrong with a routing, or nil.
func (r *Routing) Check() error {
	if r.Format != Format {
		return fmt.Errorf("release: routing has format %d, and this version reads %d", r.Format, Format)
	}
	if len(r.Arms) == 0 {
		return fmt.Errorf("release: routing of %s has no arm", r.Release)
	}
	if len(r.Arms) > 1 && r.Salt == "" {
		return fmt.Errorf("release: routing of %s has no salt to draw entities with", r.Release)
	}
	sum := 0
	var models []string
	for _, arm := range r.Arms {
		if arm.Share < 0 || arm.Share > Whole {
			return fmt.Errorf("release: share %d of %s is not within 0 and %d", arm.Share, arm.Model, Whole)
		}
		sum += arm.Share
		models = append(models, arm.Model)
	}
	if sum != Whole {
		return fmt.Errorf("release: the shares of %s add up to %d, not %d", r.Release, sum, Whole)
	}
	models = append(models, r.Shadow...)
	for i, model := range models {
		if model == "" {
			return fmt.Errorf("release: routing of %s names an empty model", r.Release)
		}
		if slices.Contains(models[:i], model) {
			return fmt.Errorf("release: routing of %s names %s twice", r.Release, model)
		}
	}
	return nil
}

// share returns the share of the entities that get the model's score.
func (r *Routing) share(model string) int {
	for _, arm := range r.Arms {
		if arm.Model == model {
			return arm.Share
		}
	}
	return 0
}

// same reports whether two routings do the same: who serves whom, who is in shadow, and
// in which step.
func (r *Routing) same(o *Routing) bool {
	return r.Release == o.Release && r.Step == o.Step && r.Salt == o.Salt &&
		slices.Equal(r.Arms, o.Arms) && slices.Equal(r.Shadow, o.Shadow)
}
