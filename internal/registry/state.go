package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"headgate/internal/store"
)

// AliasChampion is the alias of the model whose scores are published.
const AliasChampion = "champion"

// Errors of entries that a log does not accept in its present state. No retry
// helps.
var (
	// ErrAliasTaken means that a promotion rests on no decision, although its
	// alias names a model already. Only the first model of an alias comes in that
	// way.
	ErrAliasTaken = errors.New("registry: the alias is taken, and there is no decision to move it")

	// ErrUnknownModel means that an entry names a model that was never registered.
	ErrUnknownModel = errors.New("registry: the model is not registered")
)

// A State is what the entries of a log add up to.
type State struct {
	Pipeline store.Digest // file in force; "" before the first
	Contract store.Digest
	Output   store.Digest // contract of the scores; "" if there is none

	LabelsContract store.Digest // contract of the labels; "" if there is none

	Aliases map[string]store.Digest // alias → model
	Models  []store.Digest          // registered, in the order of their first entries
	Batches map[string]BatchState

	Routing  store.Digest            // blob in force; "" if the champion scores alone
	Rejected map[store.Digest]string // models that may not serve, and why
}

// A BatchState is what the log says about one batch.
type BatchState struct {
	Verdict string       // latest; "" if nobody judged the batch yet
	Reason  string       // of the verdict
	Reasons []string     // of the verdict
	Judged  store.Digest // run that the verdict is about

	Publication  int64        // highest number, from 1; 0 if the batch was never published
	TableVersion int64        // of the Delta table that made it
	Restored     bool         // the publication takes the batch back to an earlier one
	Run          store.Digest // published; "" if a restore does not say
	Model        store.Digest // champion of the publication, if its entry says

	Seq int64 // of the last entry about the batch
}

// add applies one entry. An entry that breaks a rule changes nothing.
func (s *State) add(e Entry) error {
	switch e.Kind {
	case KindPipeline:
		s.Pipeline, s.Contract, s.Output, s.LabelsContract = e.Pipeline, e.Contract, e.Output, e.LabelsContract
	case KindRegister:
		if !slices.Contains(s.Models, e.Model) {
			s.Models = append(s.Models, e.Model)
		}
	case KindPromote:
		if !slices.Contains(s.Models, e.Model) {
			return fmt.Errorf("promote %s to %s: %w", e.Model, e.Alias, ErrUnknownModel)
		}
		if now := s.Aliases[e.Alias]; now != "" && e.Decision == "" {
			return fmt.Errorf("promote %s to %s, which is %s: %w", e.Model, e.Alias, now, ErrAliasTaken)
		}
		if s.Aliases == nil {
			s.Aliases = make(map[string]store.Digest)
		}
		s.Aliases[e.Alias] = e.Model
	case KindRouting:
		s.Routing = e.Paper
	case KindRejected:
		if s.Rejected == nil {
			s.Rejected = make(map[store.Digest]string)
		}
		s.Rejected[e.Model] = e.Reason
	case KindVerdict, KindPublished, KindRestored:
		if s.Batches == nil {
			s.Batches = make(map[string]BatchState)
		}
		s.Batches[e.Batch] = s.Batches[e.Batch].with(e)
	}
	return nil
}

// with returns the state of a batch after one more entry about it.
func (b BatchState) with(e Entry) BatchState {
	b.Seq = e.Seq
	if e.Kind == KindVerdict {
		b.Verdict, b.Reason, b.Reasons, b.Judged = e.Verdict, e.Reason, e.Reasons, e.Run
		return b
	}
	// A publication's entry may be filled in after a later one's.
	if e.Publication > b.Publication {
		b.Publication, b.TableVersion = e.Publication, *e.TableVersion
		b.Restored, b.Run, b.Model = e.Kind == KindRestored, e.Run, e.Model
	}
	return b
}

// basis returns the digest of what decisions about routing rest on.
func (s *State) basis() store.Digest {
	aliases := s.Aliases
	if aliases == nil {
		aliases = map[string]store.Digest{}
	}
	return store.DigestOf(canonical(struct {
		Aliases map[string]store.Digest `json:"aliases"`
	}{aliases}))
}

// canonical encodes a value that consists of strings, maps and structs only.
func canonical(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // such values always encode
	}
	return out.Bytes()
}
