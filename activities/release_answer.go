package activities

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"headgate/internal/registry"
	"headgate/internal/release"
	"headgate/internal/run"
	"headgate/internal/store"
)

// KindRefused is the kind of an error that refuses what a person asked for.
const KindRefused = "Refused"

// CheckApprovalInput is what a person said to a release. What is empty in the approval is
// taken from the question that is open: whoever answers from the Web UI gives the digest
// and the nonce that the page shows.
type CheckApprovalInput struct {
	Pipeline  string           `json:"pipeline"`
	Approval  release.Approval `json:"approval"`
	ID        string           `json:"id"` // of the Update, for the entry
	Operation string           `json:"operation"`
	At        time.Time        `json:"at"`
}

// CheckApprovalOutput says whether an answer counts. If not, Refused says why.
type CheckApprovalOutput struct {
	Release string `json:"release"`
	Step    string `json:"step"`
	Answer  string `json:"answer"` // approve, reject or refused
	Refused string `json:"refused,omitempty"`
	AppendOutput
}

// CheckApproval holds an answer against the question that is open and against who may
// answer by the pipeline file in force, verifies its signature if one is asked for, and
// enters the answer, or its refusal, in the registry.
func (a *Activities) CheckApproval(ctx context.Context, in CheckApprovalInput) (CheckApprovalOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (CheckApprovalOutput, error) {
		r, err := OpenReleases(ctx, a.store, in.Pipeline)
		if err != nil {
			return CheckApprovalOutput{}, err
		}
		id := "approval/" + in.ID
		if e, found := r.Log.Find(id); found { // the answer to an earlier attempt got lost
			return answered(e, r.Log), nil
		}
		said := r.complete(in)
		e := registry.Entry{Kind: registry.KindApproval, ID: id, At: in.At, By: said.By, Cause: in.Operation, Release: said.Release,
			Step: said.Step, Model: store.Digest(said.Model), Answer: said.Answer, Reason: said.Reason}
		if !e.Model.Valid() {
			e.Model = ""
		}
		switch err := release.CheckApproval(r.State, r.Settings, said, in.At); {
		case err != nil:
			e.Answer, e.Reasons = registry.AnswerRefused, []string{refused(err).Error()}
		case said.Signature != "":
			e.Reasons = []string{signedAnswer}
		}
		e.Release, e.Step = orElse(e.Release, "none"), orElse(e.Step, "none")
		if e.Paper, err = run.SaveBlob(ctx, a.store, said); err != nil {
			return CheckApprovalOutput{}, err
		}
		kept, err := r.Log.Append(ctx, e)
		return answered(kept, r.Log), err
	})
}

// signedAnswer is why an answer is known to be the person's who is named.
const signedAnswer = "the signature fits"

// complete fills in what a person left out: the rest of the question that the nonce is
// of, or without such a one of the first that is open. Where nothing is asked, the answer
// is about the release that is under way, or the last one.
func (r *Releases) complete(in CheckApprovalInput) release.Approval {
	said := in.Approval
	said.Format, said.Pipeline = release.Format, in.Pipeline
	open := release.Questions(r.State, r.Settings, in.At)
	if len(open) == 0 {
		if rel := r.shown(release.Action{}); rel != nil {
			said.Release = orElse(said.Release, rel.Name)
		}
		return said
	}
	q := open[max(0, slices.IndexFunc(open, func(a release.Action) bool { return a.Nonce == said.Nonce }))]
	said.Release, said.Step, said.Model = orElse(said.Release, q.Release), orElse(said.Step, q.Step), orElse(said.Model, q.Model)
	if said.Expires.IsZero() {
		said.Expires = q.Until
	}
	if digits := strings.TrimPrefix(said.Decision, "sha256:"); len(digits) >= 8 && strings.HasPrefix(q.Decision, "sha256:"+digits) {
		said.Decision = q.Decision
	}
	return said
}

// refused is an error that refuses what a person asked for, without the package's name.
func refused(err error) error {
	return fail(KindRefused, "%s", strings.TrimPrefix(err.Error(), "release: "))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// answered says what an approval's entry says.
func answered(e registry.Entry, log *registry.Log) CheckApprovalOutput {
	out := CheckApprovalOutput{Release: e.Release, Step: e.Step, Answer: e.Answer, AppendOutput: AppendOutput{Seq: e.Seq, Anchor: log.Anchor()}}
	if e.Answer == registry.AnswerRefused {
		out.Refused = strings.Join(e.Reasons, "; ")
	}
	return out
}

// A Control is what a person ordered. It is the paper of the registry's entry.
type Control struct {
	Format  int          `json:"format"`
	Control string       `json:"control"`         // hold, resume or rollback
	To      store.Digest `json:"to,omitempty"`    // rollback: the model that becomes the champion again; empty: the one before
	Batch   string       `json:"batch,omitempty"` // rollback: also published again, from that model's scores
	By      string       `json:"by"`
	Reason  string       `json:"reason"`
}

// ControlInput is what a person orders.
type ControlInput struct {
	Pipeline string `json:"pipeline"`
	Control  string `json:"control"`
	// To says to which champion a rollback goes: the number of a registry entry, for the
	// champion at that time, or the first digits of a model's digest; empty: the one
	// before.
	To        string    `json:"to,omitempty"`
	Batch     string    `json:"batch,omitempty"`
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
	ID        string    `json:"id"` // of the Update, for the entry
	Operation string    `json:"operation"`
	At        time.Time `json:"at"`
}

// ControlOutput says what was ordered.
type ControlOutput struct {
	Control string       `json:"control"`
	Model   store.Digest `json:"model,omitempty"` // rollback: that becomes the champion
	AppendOutput
}

// Control enters in the registry what a person ordered, or fails with kind [KindRefused]
// if it cannot be obeyed. A rollback is entered only after the old bundle has loaded and
// given its golden scores.
func (a *Activities) Control(ctx context.Context, in ControlInput) (ControlOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (ControlOutput, error) {
		r, err := OpenReleases(ctx, a.store, in.Pipeline)
		if err != nil {
			return ControlOutput{}, err
		}
		id := "control/" + in.ID
		if e, found := r.Log.Find(id); found {
			return ControlOutput{e.Control, e.Model, AppendOutput{e.Seq, r.Log.Anchor()}}, nil
		}
		paper := Control{Format: release.Format, Control: in.Control, Batch: in.Batch, By: in.By, Reason: in.Reason}
		if paper.To, err = formerChampion(r.Log, in.To); err != nil {
			return ControlOutput{}, err
		}
		if err := release.CheckControl(r.State, r.Settings, in.Control, string(paper.To), in.Batch, in.At); err != nil {
			return ControlOutput{}, refused(err)
		}
		if paper.To != "" {
			if err := a.loads(ctx, paper.To); err != nil {
				return ControlOutput{}, fmt.Errorf("roll back to %s: %w", run.Short(paper.To), err)
			}
		}
		e := registry.Entry{Kind: registry.KindControl, ID: id, At: in.At, By: in.By, Cause: in.Operation, Control: in.Control,
			Model: paper.To, Batch: in.Batch, Reason: in.Reason}
		if e.Paper, err = run.SaveBlob(ctx, a.store, paper); err != nil {
			return ControlOutput{}, err
		}
		kept, err := r.Log.Append(ctx, e)
		return ControlOutput{in.Control, kept.Model, AppendOutput{kept.Seq, r.Log.Anchor()}}, err
	})
}

// entryNumber is what a registry's entry is called by; longer digits begin a digest.
var entryNumber = regexp.MustCompile(`^[0-9]{1,7}$`)

// formerChampion returns the model that a person means by the number of an entry, or by
// the first digits of a digest.
func formerChampion(log *registry.Log, to string) (store.Digest, error) {
	switch {
	case to == "":
		return "", nil
	case !entryNumber.MatchString(to):
		return registered(log, to)
	}
	seq, err := strconv.ParseInt(to, 10, 64)
	if err != nil || seq < 1 || seq > log.Head() {
		return "", fail(KindRefused, "the registry has no entry %s; it ends with %d", to, log.Head())
	}
	var champion store.Digest
	for _, e := range log.Entries()[:seq] {
		if e.Kind == registry.KindPromote && e.Alias == registry.AliasChampion {
			champion = e.Model
		}
	}
	if champion == "" {
		return "", fail(KindRefused, "there was no champion yet at entry %s", to)
	}
	return champion, nil
}

// registered returns the one registered model whose digest begins with some digits.
func registered(log *registry.Log, digits string) (store.Digest, error) {
	digits = strings.TrimPrefix(digits, "sha256:")
	if len(digits) < 8 {
		return "", fail(KindRefused, "%q is too short for a model's digest; give eight digits or more", digits)
	}
	var found []store.Digest
	for _, m := range log.State().Models {
		if strings.HasPrefix(string(m), "sha256:"+digits) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		return "", fail(KindRefused, "%d registered models have a digest that begins with %s", len(found), digits)
	}
	return found[0], nil
}

// AddCandidateInput is a model that somebody wants to be released.
type AddCandidateInput struct {
	Pipeline  string    `json:"pipeline"`
	Model     string    `json:"model"`           // its digest, or the first digits
	Batch     string    `json:"batch,omitempty"` // the last one that it has learned from; empty: unknown
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
	ID        string    `json:"id"` // of the Update, for the entry
	Operation string    `json:"operation"`
	At        time.Time `json:"at"`
}

// AddCandidateOutput names the release that the candidate begins.
type AddCandidateOutput struct {
	Release string       `json:"release"`
	Model   store.Digest `json:"model"`
	AppendOutput
}

// AddCandidate enters that a registered model asks to be released, or fails with kind
// [KindRefused].
func (a *Activities) AddCandidate(ctx context.Context, in AddCandidateInput) (AddCandidateOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (AddCandidateOutput, error) {
		r, err := OpenReleases(ctx, a.store, in.Pipeline)
		if err != nil {
			return AddCandidateOutput{}, err
		}
		id := "candidate/" + in.ID
		if e, found := r.Log.Find(id); found {
			return AddCandidateOutput{e.Release, e.Model, AppendOutput{e.Seq, r.Log.Anchor()}}, nil
		}
		model, err := registered(r.Log, in.Model)
		if err != nil {
			return AddCandidateOutput{}, err
		}
		if err := release.CheckCandidate(r.State, string(model)); err != nil {
			return AddCandidateOutput{}, refused(err)
		}
		e, err := r.Log.Append(ctx, registry.Entry{Kind: registry.KindCandidate, ID: id, At: in.At, By: in.By, Cause: in.Operation,
			Release: nameRelease(r.Log.Of(registry.KindCandidate), in.Batch, "start", model), Model: model, Batch: in.Batch, Reason: in.Reason})
		return AddCandidateOutput{e.Release, e.Model, AppendOutput{e.Seq, r.Log.Anchor()}}, err
	})
}
