package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"headgate/internal/store"
)

// Kinds of entries.
const (
	KindPipeline  = "pipeline"  // from here on, batches follow these pipeline and contract files
	KindRegister  = "register"  // a model bundle exists
	KindPromote   = "promote"   // an alias names another model
	KindVerdict   = "verdict"   // a batch may be published, or not
	KindPublished = "published" // a batch was published; follows the commit of the table
	KindRestored  = "restored"  // a batch was taken back to an earlier publication

	KindShadow    = "shadow"    // a model that did not serve a batch has scored all its rows
	KindEvaluated = "evaluated" // labels of a batch were held against its scores
	KindTraining  = "training"  // a training ended: with model versions, or with why there are none
	KindCandidate = "candidate" // a model version asks to be released
	KindAdvance   = "advance"   // a candidate may take its next step, or not
	KindApproval  = "approval"  // a person approved or rejected a step, or was refused
	KindRouting   = "routing"   // from here on, these models score these shares of the entities
	KindRejected  = "rejected"  // a model version may not serve, or no longer
	KindControl   = "control"   // a person holds, resumes or rolls back a release
	KindWaiver    = "waiver"    // a person lets a rule of a gate go, until a day
	KindProposal  = "proposal"  // pipeline and contract files that wait for an approval

	KindSchedule = "schedule" // from here on, batches are expected by this calendar
	KindMissed   = "missed"   // a batch was not published in time
	KindSkipped  = "skipped"  // a person leaves a shard of a run out
)

// Verdicts of a gate.
const (
	VerdictPass         = "pass"
	VerdictBlock        = "block"
	VerdictInconclusive = "inconclusive" // wait for more evidence
	VerdictAsk          = "ask"          // a person decides
)

// An Entry is one line of the audit trail. [Log.Append] fills in Seq and Prev;
// ID, Kind, At and By are always needed, and by kind:
//
//	pipeline   Pipeline, Contract
//	register   Model
//	promote    Alias, Model
//	verdict    Batch, Run, Verdict
//	published  Batch, Run, Publication, TableVersion
//	restored   Batch, Publication, TableVersion
//	shadow     Batch, Run, Model, Paper (a run.Scored)
//	evaluated  Batch, Run, Model, Labels, Paper (an evidence.Evaluation)
//	training   Batch (the last one that was learned from), Verdict, Paper
//	candidate  Release, Model
//	advance    Release, Step, Model, Verdict, Paper (a gate.Decision)
//	approval   Release, Step, Answer, Paper (a release.Approval)
//	routing    Release, Step, Paper (a release.Routing)
//	rejected   Model, Reason
//	control    Control, Reason
//	waiver     Rule, Until, Reason
//	proposal   Pipeline, Contract, Paper (the difference)
//	schedule   Paper (a calendar.Calendar); with Until it ends
//	missed     Batch, Slot, Reason, Paper (the calendar that expects it)
//	skipped    Batch, Run, Reason, Paper (a run.Skip)
//
// A Paper is always a blob.
//
// The order of the fields is the order of the bytes that are kept.
type Entry struct {
	Seq  int64        `json:"seq"`  // position in the log, from 1
	Prev store.Digest `json:"prev"` // of the bytes of the entry before; see [Genesis]
	Kind string       `json:"kind"`

	// ID names what the entry records, by workflow, first run and step, so that
	// whoever tries again finds the entry and does not append a second one.
	ID string `json:"id"`

	At    time.Time `json:"at"`              // UTC, given by the workflow
	By    string    `json:"by"`              // who or what appends
	Cause string    `json:"cause,omitempty"` // why: "release:retailer:…"

	// Basis is what the decision behind the entry rests on, by [Log.Basis]. If it
	// is set, the entry can only follow a state with that basis.
	Basis store.Digest `json:"basis,omitempty"`

	Pipeline store.Digest `json:"pipeline,omitempty"` // of the pipeline file
	Contract store.Digest `json:"contract,omitempty"` // of the contract file
	Output   store.Digest `json:"output,omitempty"`   // of the contract file of the scores
	// LabelsContract is of the contract file of the labels.
	LabelsContract store.Digest `json:"labelsContract,omitempty"`
	Alias          string       `json:"alias,omitempty"`    // "champion"
	Model          store.Digest `json:"model,omitempty"`    // of the model's bundle
	Decision       store.Digest `json:"decision,omitempty"` // of the gate's decision

	Batch        string       `json:"batch,omitempty"`
	Run          store.Digest `json:"run,omitempty"`
	Publication  int64        `json:"publication,omitempty"`  // of the batch, from 1
	TableVersion *int64       `json:"tableVersion,omitempty"` // of the Delta table, from 0
	Files        store.Digest `json:"files,omitempty"`        // of what the publication consists of
	Commit       store.Digest `json:"commit,omitempty"`       // of the bytes of the commit in the table's log
	// Restated says of a publication that its scores were made from other input than the
	// batch was first published from: they are no evidence.
	Restated bool `json:"restated,omitempty"`
	// Changed counts the keys whose rows are not what the publication before says.
	Changed *int64 `json:"changed,omitempty"`
	Verdict string `json:"verdict,omitempty"`

	Release string       `json:"release,omitempty"` // names a release among all of the pipeline
	Step    string       `json:"step,omitempty"`    // of the release: "shadow", "10%", "100%"
	Labels  store.Digest `json:"labels,omitempty"`  // of the blob that names the label files
	Paper   store.Digest `json:"paper,omitempty"`   // of the blob that the entry rests on
	Answer  string       `json:"answer,omitempty"`  // of an approval: approve, reject or refused
	Control string       `json:"control,omitempty"` // hold, resume or rollback
	Rule    string       `json:"rule,omitempty"`    // id of a gate's rule
	Until   *time.Time   `json:"until,omitempty"`   // UTC
	// Proposal is the number of the proposal that a pipeline entry carries out. It must
	// wait, be about the same files, and be somebody else's.
	Proposal int64 `json:"proposal,omitempty"`
	// Slot is when a batch was due that was missed, UTC.
	Slot *time.Time `json:"slot,omitempty"`

	Reason  string   `json:"reason,omitempty"`  // one sentence, for people
	Reasons []string `json:"reasons,omitempty"` // one for each rule that spoke
}

// ErrEntry means that some bytes are no entry.
var ErrEntry = errors.New("registry: not an entry")

// maxEntry bounds an entry, in bytes. Evidence goes into blobs.
const maxEntry = 1 << 20

// ParseEntry returns the entry that data encodes, or an error that wraps
// [ErrEntry]. It accepts exactly what [Entry.Bytes] makes: any other spelling of
// the same entry would have another digest. Unknown fields and kinds are errors,
// because nobody can say what the log means without them.
func ParseEntry(data []byte) (Entry, error) {
	if len(data) > maxEntry {
		return Entry{}, fmt.Errorf("%w: %d bytes are over %d", ErrEntry, len(data), maxEntry)
	}
	var e Entry
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("%w: %s", ErrEntry, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Entry{}, fmt.Errorf("%w: something follows it", ErrEntry)
	}
	if err := e.check(); err != nil {
		return Entry{}, err
	}
	again, err := e.Bytes()
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(again, data) {
		return Entry{}, fmt.Errorf("%w: its bytes are not the canonical ones (field order, spaces, time zone, final newline)", ErrEntry)
	}
	return e, nil
}

// Bytes returns the entry as it is kept: JSON on one line, fields in the order of
// [Entry], empty ones left out, <, > and & as they are, the time in UTC as
// RFC 3339, and a newline at the end.
func (e Entry) Bytes() ([]byte, error) {
	e.At = e.At.UTC()
	if e.Until != nil {
		until := e.Until.UTC()
		e.Until = &until
	}
	if e.Slot != nil {
		slot := e.Slot.UTC()
		e.Slot = &slot
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return out.Bytes(), nil
}

// check returns an error that names all that is wrong with an entry by itself.
func (e *Entry) check() error {
	var problems []string
	need := func(ok bool, what string) {
		if !ok {
			problems = append(problems, what)
		}
	}
	need(e.Seq >= 1, "seq counts from 1")
	need(e.Prev.Valid(), "prev must be a digest")
	need(e.ID != "", "id is needed")
	need(!e.At.IsZero(), "at is needed")
	need(e.By != "", "by is needed")
	need(e.Publication >= 0, "publication counts from 1")
	need(e.TableVersion == nil || *e.TableVersion >= 0, "tableVersion counts from 0")
	need(e.Changed == nil || *e.Changed >= 0, "changed is a count")
	need(e.Proposal >= 0, "proposal is the number of an entry")
	need(e.Reasons == nil || len(e.Reasons) > 0, "reasons must not be empty")
	for _, d := range e.digests() {
		need(d.value == "" || d.value.Valid(), d.name+" must be a digest")
	}
	needs, ok := kinds[e.Kind]
	need(ok, fmt.Sprintf("kind %q is unknown", e.Kind))
	for _, name := range needs {
		need(e.has(name), fmt.Sprintf("kind %s needs %s", e.Kind, name))
	}
	need(e.Answer == "" || slices.Contains(answers, e.Answer), fmt.Sprintf("answer %q is unknown", e.Answer))
	need(e.Control == "" || slices.Contains(controls, e.Control), fmt.Sprintf("control %q is unknown", e.Control))
	need(e.Verdict == "" || slices.Contains(verdicts, e.Verdict), fmt.Sprintf("verdict %q is unknown", e.Verdict))
	if len(problems) > 0 {
		return fmt.Errorf("%w: %s", ErrEntry, strings.Join(problems, "; "))
	}
	return nil
}

// kinds lists the fields that each kind cannot do without.
var kinds = map[string][]string{
	KindPipeline:  {"pipeline", "contract"},
	KindRegister:  {"model"},
	KindPromote:   {"alias", "model"},
	KindVerdict:   {"batch", "run", "verdict"},
	KindPublished: {"batch", "run", "publication", "tableVersion"},
	KindRestored:  {"batch", "publication", "tableVersion"},
	KindShadow:    {"batch", "run", "model", "paper"},
	KindEvaluated: {"batch", "run", "model", "labels", "paper"},
	KindTraining:  {"batch", "verdict", "paper"},
	KindCandidate: {"release", "model"},
	KindAdvance:   {"release", "step", "model", "verdict", "paper"},
	KindApproval:  {"release", "step", "answer", "paper"},
	KindRouting:   {"release", "step", "paper"},
	KindRejected:  {"model", "reason"},
	KindControl:   {"control", "reason"},
	KindWaiver:    {"rule", "until", "reason"},
	KindProposal:  {"pipeline", "contract", "paper"},
	KindSchedule:  {"paper"},
	KindMissed:    {"batch", "slot", "reason", "paper"},
	KindSkipped:   {"batch", "run", "reason", "paper"},
}

// Answers of a person to a release that asks. A refused one came too late, twice, or
// from somebody who may not.
const (
	AnswerApprove = "approve"
	AnswerReject  = "reject"
	AnswerRefused = "refused"
)

// Controls of a release.
const (
	ControlHold     = "hold"
	ControlResume   = "resume"
	ControlRollback = "rollback"
)

var (
	answers  = []string{AnswerApprove, AnswerReject, AnswerRefused}
	controls = []string{ControlHold, ControlResume, ControlRollback}
)

var verdicts = []string{VerdictPass, VerdictBlock, VerdictInconclusive, VerdictAsk}

type namedDigest struct {
	name  string
	value store.Digest
}

// digests returns the optional digests by their names in JSON.
func (e *Entry) digests() []namedDigest {
	return []namedDigest{
		{"basis", e.Basis}, {"pipeline", e.Pipeline}, {"contract", e.Contract}, {"output", e.Output},
		{"labelsContract", e.LabelsContract},
		{"model", e.Model}, {"decision", e.Decision}, {"run", e.Run}, {"files", e.Files}, {"commit", e.Commit},
		{"labels", e.Labels}, {"paper", e.Paper},
	}
}

// has reports whether the field of that name in JSON is set.
func (e *Entry) has(name string) bool {
	for _, d := range e.digests() {
		if d.name == name {
			return d.value != ""
		}
	}
	switch name {
	case "alias":
		return e.Alias != ""
	case "batch":
		return e.Batch != ""
	case "verdict":
		return e.Verdict != ""
	case "publication":
		return e.Publication > 0
	case "tableVersion":
		return e.TableVersion != nil
	case "release":
		return e.Release != ""
	case "step":
		return e.Step != ""
	case "answer":
		return e.Answer != ""
	case "control":
		return e.Control != ""
	case "rule":
		return e.Rule != ""
	case "until":
		return e.Until != nil
	case "slot":
		return e.Slot != nil
	case "reason":
		return e.Reason != ""
	}
	return false
}

// facts returns what two entries of one ID must agree on: all but the place in
// the log, the circumstances and the wording.
func (e Entry) facts() Entry {
	e.Seq, e.Prev, e.Basis = 0, "", ""
	e.At, e.By, e.Cause = time.Time{}, "", ""
	e.Reason, e.Reasons = "", nil
	return e
}

// sameFacts reports whether a and b record the same thing.
func sameFacts(a, b Entry) bool {
	return bytes.Equal(canonical(a.facts()), canonical(b.facts()))
}
