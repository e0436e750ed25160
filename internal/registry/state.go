package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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

	// ErrRejected means that a promotion names a model that was rejected. A rejection
	// is for ever: register another version.
	ErrRejected = errors.New("registry: the model was rejected")

	// ErrProposal means that a pipeline entry carries out a proposal that does not wait,
	// or that is about other files, or that its own author approves.
	ErrProposal = errors.New("registry: the proposal cannot be carried out")

	// ErrNotMissed means that an entry names a batch as missing which is published.
	ErrNotMissed = errors.New("registry: the batch is published, and not missed")
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

	Waivers   []Entry // all of them, also those that have run out
	Proposals []Entry // that wait; a change of the files settles all of them

	Schedule store.Digest // calendar by which batches are expected; "" if none is
}

// Champion returns the model whose scores are published, "" before the first.
func (s *State) Champion() store.Digest { return s.Aliases[AliasChampion] }

// WaiversAt returns the waivers that hold at a moment, in the order of the log.
func (s *State) WaiversAt(at time.Time) []Entry {
	var all []Entry
	for _, w := range s.Waivers {
		if !at.Before(w.At) && at.Before(*w.Until) {
			all = append(all, w)
		}
	}
	return all
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

	Missed string // why the batch was not published in time; "" if it was, or is by now

	Seq int64 // of the last entry about the batch
}

// add applies one entry. An entry that breaks a rule changes nothing.
func (s *State) add(e Entry) error {
	switch e.Kind {
	case KindPipeline:
		if err := s.carriesOut(e); err != nil {
			return err
		}
		s.Pipeline, s.Contract, s.Output, s.LabelsContract, s.Proposals = e.Pipeline, e.Contract, e.Output, e.LabelsContract, nil
	case KindProposal:
		s.Proposals = append(s.Proposals, e)
	case KindWaiver:
		s.Waivers = append(s.Waivers, e)
	case KindCandidate:
		if !slices.Contains(s.Models, e.Model) {
			return fmt.Errorf("candidate %s: %w", e.Model, ErrUnknownModel)
		}
	case KindRegister:
		if !slices.Contains(s.Models, e.Model) {
			s.Models = append(s.Models, e.Model)
		}
	case KindPromote:
		if !slices.Contains(s.Models, e.Model) {
			return fmt.Errorf("promote %s to %s: %w", e.Model, e.Alias, ErrUnknownModel)
		}
		if why, ok := s.Rejected[e.Model]; ok {
			return fmt.Errorf("promote %s to %s: %w: %s", e.Model, e.Alias, ErrRejected, why)
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
	case KindSchedule:
		if s.Schedule = e.Paper; e.Until != nil {
			s.Schedule = ""
		}
	case KindVerdict, KindPublished, KindRestored, KindMissed:
		if e.Kind == KindMissed && s.Batches[e.Batch].Publication > 0 {
			return fmt.Errorf("name %s as missing: %w as publication %d", e.Batch, ErrNotMissed, s.Batches[e.Batch].Publication)
		}
		if s.Batches == nil {
			s.Batches = make(map[string]BatchState)
		}
		s.Batches[e.Batch] = s.Batches[e.Batch].with(e)
	}
	return nil
}

// Follows reports whether the files of a pipeline entry or of a proposal are those in
// force.
func (s *State) Follows(e Entry) bool {
	return sameFiles(e, Entry{Pipeline: s.Pipeline, Contract: s.Contract, Output: s.Output, LabelsContract: s.LabelsContract})
}

// sameFiles reports whether two entries are about the same files.
func sameFiles(a, b Entry) bool {
	return a.Pipeline == b.Pipeline && a.Contract == b.Contract && a.Output == b.Output && a.LabelsContract == b.LabelsContract
}

// carriesOut checks the proposal that a pipeline entry names, if it names one.
func (s *State) carriesOut(e Entry) error {
	if e.Proposal == 0 {
		return nil
	}
	refuse := func(why string) error {
		return fmt.Errorf("carry out proposal %d: %w: %s", e.Proposal, ErrProposal, why)
	}
	at := slices.IndexFunc(s.Proposals, func(p Entry) bool { return p.Seq == e.Proposal })
	if at < 0 {
		return refuse("no such proposal waits; it was carried out, or the files have changed since")
	}
	switch p := s.Proposals[at]; {
	case !sameFiles(p, e) || p.Paper != e.Paper:
		return refuse("it is about other files")
	case p.By == e.By:
		return refuse(fmt.Sprintf("%s made it, and somebody else has to approve it", p.By))
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
	if e.Kind == KindMissed {
		b.Missed = e.Reason
		return b
	}
	b.Missed = ""
	// A publication's entry may be filled in after a later one's.
	if e.Publication > b.Publication {
		b.Publication, b.TableVersion = e.Publication, *e.TableVersion
		b.Restored, b.Run, b.Model = e.Kind == KindRestored, e.Run, e.Model
	}
	return b
}

// basis returns the digest of what decisions about routing rest on. It is what it was
// before there were routings and rejections for as long as there are none.
func (s *State) basis() store.Digest {
	aliases := s.Aliases
	if aliases == nil {
		aliases = map[string]store.Digest{}
	}
	return store.DigestOf(canonical(struct {
		Aliases  map[string]store.Digest `json:"aliases"`
		Routing  store.Digest            `json:"routing,omitempty"`
		Rejected []store.Digest          `json:"rejected,omitempty"`
	}{aliases, s.Routing, slices.Sorted(maps.Keys(s.Rejected))}))
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
