// Package release decides how a candidate becomes what production uses: which models
// score whom, which step comes next, and what takes a step back.
//
// It is pure: a release's state is a fold over the events that the registry holds
// ([Fold]), and what to do next follows from that state alone ([Next]). Nothing here
// reads a clock or knows storage; moments and digests come in as values.
package release

// Whole is the share of all entities, in basis points.
const Whole = 10_000

// A Routing says which model scores whom. It is kept as a blob; the registry names the
// one in force.
type Routing struct {
	Format  int      `json:"format"`
	Release string   `json:"release"`
	Step    string   `json:"step"`
	Salt    string   `json:"salt"`             // of the hash that draws entities; one for each release
	Arms    []Arm    `json:"arms"`             // at least one: the champion, who gets what the others leave
	Shadow  []string `json:"shadow,omitempty"` // models that score every row and publish none
}

// An Arm is a model and the share of the entities that get its score.
type Arm struct {
	Model string `json:"model"` // digest of the bundle
	Share int    `json:"share"` // basis points, 0 to [Whole]; all arms together are [Whole]
}

// Assign returns the index of the arm that an entity belongs to.
func (r *Routing) Assign(entity []byte) int { return 0 }

// Check returns what is wrong with a routing: the first thing, or nil.
func (r *Routing) Check() error { return nil }
