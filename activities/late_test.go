package activities

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

// A lateRow is a row of a small batch; a value of 0 is null.
type lateRow struct {
	place
	corrected, quarantined bool // by its own shard
	values                 map[string]int
}

// A lateBatch is a small batch as the late check meets it.
type lateBatch struct {
	contract *contract.Contract
	plan     *run.Plan
	rows     []*lateRow
	regions  map[int]bool // the other set
	budget   int64
}

// lateContract writes a contract with a primary key or with an entity key that may
// repeat, and with or without a rule about emails, about phones and about partners.
func lateContract(t *testing.T, rng *rand.Rand) *contract.Contract {
	t.Helper()
	pick := func(lines ...string) string { return lines[rng.IntN(len(lines))] }
	text := `apiVersion: v3.1.0
kind: DataContract
id: late
version: 1.0.0
status: active
schema:
  - name: people
    properties:
      - { name: id, logicalType: integer, ` +
		pick("primaryKey: true, primaryKeyPosition: 1", "required: true, customProperties: [{ property: mlRole, value: entityKey }]") +
		pick("", "", ", unique: true") + ` }
      - { name: email, logicalType: integer` + pick("", ", unique: true", ", unique: true") + ` }
      - name: phone
        logicalType: integer
` + pick("", "        quality: [{ id: phones, metric: duplicateValues, mustBeLessThan: 3 }]\n", "        quality: [{ id: phones, metric: duplicateValues, mustBe: 0 }]\n") +
		`      - { name: region, logicalType: integer` + pick("", ", relationships: [{ to: regions.code }]") + ` }
      - { name: friend, logicalType: integer` + pick("", "", ", relationships: [{ to: people.id }]") + ` }
`
	c, err := contract.Parse("late.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

// newLateBatch makes up a batch: few values, so that most rows meet others.
func newLateBatch(t *testing.T, rng *rand.Rand) *lateBatch {
	b := &lateBatch{contract: lateContract(t, rng), plan: new(run.Plan), regions: map[int]bool{}, budget: int64(rng.IntN(12))}
	for code := 1; code <= 4; code++ {
		b.regions[code] = rng.IntN(4) > 0
	}
	delivered, corrected := 1+rng.IntN(3), rng.IntN(3)
	for file := range delivered + corrected {
		f := run.File{Replay: file >= delivered}
		for range 1 + rng.IntN(2) {
			shard := run.Shard{File: file, FirstRow: f.Rows, Rows: int64(rng.IntN(7))}
			for row := range shard.Rows {
				few := func(n int) int { return rng.IntN(n+1) * min(1, rng.IntN(8)) }
				b.rows = append(b.rows, &lateRow{place: place{len(b.plan.Shards), row}, corrected: f.Replay, quarantined: rng.IntN(4) == 0,
					values: map[string]int{"id": few(12), "email": few(15), "phone": few(20), "region": few(4), "friend": few(12)}})
			}
			f.Rows += shard.Rows
			b.plan.Shards = append(b.plan.Shards, shard)
		}
		b.plan.Files = append(b.plan.Files, f)
		b.plan.Rows += f.Rows
	}
	return b
}

// key returns the values of a tuple; ok is false if one of them is null.
func (r *lateRow) key(tuple []string) (key string, ok bool) {
	for _, name := range tuple {
		if r.values[name] == 0 {
			return "", false
		}
		key += fmt.Sprintf("%d,", r.values[name])
	}
	return key, true
}

// entry returns one entry of a key list.
func entry(key string, row int64, quarantined bool) []byte {
	sum := sha256.Sum256([]byte(key))
	ordinal := uint32(row)
	if quarantined {
		ordinal |= 1 << 31
	}
	return binary.BigEndian.AppendUint32(sum[:16:16], ordinal)
}

// lists writes the key lists of the shards and of the other set.
func (b *lateBatch) lists(t *testing.T, s *store.Bucket) ([]run.ShardResult, run.Index) {
	t.Helper()
	save := func(entries [][]byte) run.Object {
		slices.SortFunc(entries, bytes.Compare)
		o, err := run.Save(t.Context(), s, "lists", "keys.bin", bytes.Join(entries, nil))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	var results []run.ShardResult
	for i, shard := range b.plan.Shards {
		r := run.ShardResult{Shard: i, Rows: shard.Rows}
		for _, tuple := range pass.KeyTuples(b.contract) {
			var entries [][]byte
			for _, row := range b.rows {
				if key, ok := row.key(tuple); ok && row.shard == i {
					entries = append(entries, entry(key, row.row, row.quarantined))
				}
			}
			r.Keys = append(r.Keys, save(entries))
		}
		for _, row := range b.rows {
			if row.shard == i && row.quarantined {
				r.Quarantined++
			}
		}
		r.Scored = r.Rows - r.Quarantined
		results = append(results, r)
	}
	index := run.Index{Lists: map[string][]run.Object{}}
	for _, rel := range b.contract.Relationships {
		if rel.Object == b.contract.Table {
			continue
		}
		var entries [][]byte
		for code := 1; code <= 4; code++ {
			if b.regions[code] {
				entries = append(entries, entry(fmt.Sprintf("%d,", code), int64(code), false))
			}
		}
		index.Lists[rel.Rule] = []run.Object{save(entries)}
	}
	return results, index
}

// A lateModel is what is right, found by looking at every row again and again.
type lateModel struct {
	*lateBatch
	late     map[*lateRow]string
	counts   contract.Counts
	replaced int64
}

// out reports whether a row is in quarantine.
func (m *lateModel) out(r *lateRow) bool { return r.quarantined || m.late[r] != "" }

// where returns the rows with that key of the tuple for which keep is true.
func (m *lateModel) where(tuple []string, key string, keep func(*lateRow) bool) (rows []*lateRow) {
	for _, r := range m.rows {
		if k, ok := r.key(tuple); ok && k == key && keep(r) {
			rows = append(rows, r)
		}
	}
	return rows
}

// send sends rows to quarantine that are not there.
func (m *lateModel) send(rows []*lateRow, rule string) {
	for _, r := range rows {
		if !m.out(r) {
			m.late[r] = rule
		}
	}
}

// keys returns the keys of a tuple that rows have, each once.
func (m *lateModel) keys(tuple []string) (keys []string) {
	for _, r := range m.rows {
		if key, ok := r.key(tuple); ok && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func delivered(r *lateRow) bool { return !r.corrected }

// model judges the batch: first what was delivered, as if nothing had been corrected;
// then what has no partner; then the corrected rows against what is left.
func (b *lateBatch) model() *lateModel {
	m := &lateModel{lateBatch: b, late: map[*lateRow]string{}, counts: contract.Counts{Duplicates: map[string]int64{}, Unmatched: map[string]int64{}}}
	for _, r := range b.rows {
		if r.corrected {
			m.counts.Corrected++
		}
	}
	for _, tuple := range b.contract.NeedsKeys() {
		name := contract.KeyName(tuple)
		m.counts.Duplicates[name] = 0
		rule, quarantine := quarantineRule(b.contract, tuple)
		for _, key := range m.keys(tuple) {
			same := m.where(tuple, key, delivered)
			m.counts.Duplicates[name] += max(0, int64(len(same))-1)
			good := m.where(tuple, key, func(r *lateRow) bool { return !r.corrected && !r.quarantined })
			if quarantine && len(good) > 1 {
				m.send(good, rule)
			}
		}
	}
	for _, rel := range b.contract.Relationships {
		m.counts.Unmatched[rel.Rule] = 0
		for _, r := range m.rows {
			if key, ok := r.key(rel.Columns); ok && !m.partner(rel, key, r) {
				m.counts.Unmatched[rel.Rule]++
				m.send([]*lateRow{r}, rel.Rule)
			}
		}
	}
	m.correct()
	return m
}

// partner reports whether there is a row for the key of a relationship.
func (m *lateModel) partner(rel contract.Relationship, key string, r *lateRow) bool {
	if rel.Object == m.contract.Table {
		return len(m.where(rel.To, key, func(*lateRow) bool { return true })) > 0
	}
	return m.regions[r.values["region"]]
}

// correct lets corrected rows take the place of those in quarantine.
func (m *lateModel) correct() {
	replay := pass.ReplayTuple(m.contract)
	left := func(r *lateRow) bool { return !m.out(r) }
	for _, tuple := range m.contract.NeedsKeys() {
		rule, quarantine := quarantineRule(m.contract, tuple)
		if !quarantine || slices.Equal(tuple, replay) {
			continue
		}
		for _, key := range m.keys(tuple) {
			if rows := m.where(tuple, key, left); len(rows) > 1 { // of delivered ones at most one is left
				m.send(slices.DeleteFunc(rows, delivered), rule)
			}
		}
	}
	_, unique := quarantineRule(m.contract, replay)
	for _, key := range m.keys(replay) {
		rows := m.where(replay, key, left)
		corrected := slices.DeleteFunc(slices.Clone(rows), delivered)
		bad := m.where(replay, key, func(r *lateRow) bool { return !r.corrected && m.out(r) })
		switch {
		case unique && len(rows) > 1:
			m.send(corrected, RuleReplay)
		case len(corrected) > 0:
			m.replaced += min(int64(len(bad)), 4*int64(len(corrected)))
		}
	}
}

// verdict returns what the model says as the verdict's paper has it.
func (m *lateModel) verdict() run.Data {
	d := run.Data{Budget: m.budget, Replaced: m.replaced}
	for _, r := range m.rows {
		if rule := m.late[r]; rule != "" {
			d.Late = append(d.Late, run.Late{Shard: r.shard, Row: r.row, Rule: rule})
		}
		if m.out(r) {
			d.Quarantined++
		}
	}
	slices.SortFunc(d.Late, func(a, b run.Late) int { return cmp.Or(a.Shard-b.Shard, cmp.Compare(a.Row, b.Row)) })
	return d
}

// mustBeClean checks what holds of every batch that goes out, whatever the rules of
// corrected rows are: no key that is to be unique is there twice.
func (m *lateModel) mustBeClean(t *testing.T) {
	t.Helper()
	for _, tuple := range m.contract.NeedsKeys() {
		if _, quarantine := quarantineRule(m.contract, tuple); !quarantine {
			continue
		}
		for _, key := range m.keys(tuple) {
			if rows := m.where(tuple, key, func(r *lateRow) bool { return !m.out(r) }); len(rows) > 1 {
				t.Fatalf("%d rows with %v %s are published", len(rows), tuple, key)
			}
		}
	}
}

// The late check finds in sorted key lists, with little memory, what a look at every
// row finds. If it runs out of memory, the batch had too many bad rows anyhow.
func TestTheLateCheckFindsWhatALookAtEveryRowFinds(t *testing.T) {
	ctx := t.Context()
	s, err := store.Open(ctx, "mem://")
	if err != nil {
		t.Fatal(err)
	}
	a := New(s, nil)
	var full, whole, replaced int
	for seed := range uint64(600) {
		b := newLateBatch(t, rand.New(rand.NewPCG(seed, 7)))
		m := b.model()
		want := m.verdict()
		m.mustBeClean(t)
		results, index := b.lists(t, s)
		got := run.Data{Budget: b.budget}
		for _, r := range results {
			got.Quarantined += r.Quarantined
		}
		l, err := a.checkLate(ctx, b.plan, b.contract, results, index, b.budget+1+rowsPerReplay*replayed(b.plan), &got)
		if err != nil {
			t.Fatal(err)
		}
		tooMany := want.Quarantined-want.Replaced > b.budget
		if says := got.Quarantined-got.Replaced > b.budget; says != tooMany || l.beyond > 0 && !tooMany {
			t.Fatalf("seed %d: %d rows beyond; got %s\nwant %s", seed, l.beyond, show(got), show(want))
		}
		if l.beyond > 0 {
			full++
			continue
		}
		if show(got) != show(want) || show(l.counts) != show(m.counts) {
			t.Fatalf("seed %d:\n got %s %s\nwant %s %s", seed, show(got), show(l.counts), show(want), show(m.counts))
		}
		whole++
		replaced += int(min(1, got.Replaced))
	}
	if full < 30 || whole < 150 || replaced < 30 {
		t.Errorf("%d batches beyond the budget, %d within, %d with replaced rows: too few of a kind", full, whole, replaced)
	}
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
