package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/change"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// ErrReason means that files in force are changed and nobody says why.
var ErrReason = errors.New("other files are in force: a change of them needs a reason")

// putInForce makes the files the ones in force, or proposes that if those in force name
// people who approve.
func (r Request) putInForce(ctx context.Context, b *store.Bucket, log *registry.Log, e registry.Entry, f *Files, out *Result) error {
	s := log.State()
	e.Kind, e.ID = registry.KindPipeline, fmt.Sprintf("pipeline/%s/%d", out.Pipeline, log.Head())
	e.Pipeline, e.Contract, e.Output, e.LabelsContract = out.Pipeline, out.Contract, out.Output, out.LabelsContract
	if s.Follows(e) {
		return nil
	}
	if s.Pipeline == "" {
		_, err := log.Append(ctx, e)
		return err
	}
	if strings.TrimSpace(r.Reason) == "" {
		return ErrReason
	}
	was, err := inForce(ctx, b, s)
	if err != nil {
		return err
	}
	out.Change, err = change.Between(was, change.Files{Pipeline: f.Text, Contract: f.ContractText, Output: f.OutputText, Labels: f.LabelsText})
	if err != nil {
		return err
	}
	if e.Paper, err = save(ctx, b, out.Change); err != nil {
		return err
	}
	people, err := approvers(was.Pipeline)
	if err != nil {
		return err
	}
	if len(people) > 0 {
		return propose(ctx, log, e, out)
	}
	_, err = log.Append(ctx, e)
	return err
}

// propose appends the proposal, or finds the one that waits already.
func propose(ctx context.Context, log *registry.Log, e registry.Entry, out *Result) error {
	s := log.State()
	at := slices.IndexFunc(s.Proposals, func(p registry.Entry) bool {
		return p.Paper == e.Paper // which names the files before and after
	})
	if at >= 0 {
		out.Proposal = s.Proposals[at].Seq
		return nil
	}
	e.Kind, e.ID = registry.KindProposal, fmt.Sprintf("proposal/%s/%d", e.Paper, log.Head())
	e, err := log.Append(ctx, e)
	out.Proposal = e.Seq
	return err
}

// save stores a change and returns its digest.
func save(ctx context.Context, b *store.Bucket, c *change.Change) (store.Digest, error) {
	data, err := c.Bytes()
	if err != nil {
		return "", err
	}
	ref, err := b.PutBlob(ctx, data)
	return ref.Digest, err
}

// inForce reads the files that are in force.
func inForce(ctx context.Context, b *store.Bucket, s registry.State) (f change.Files, err error) {
	for _, blob := range []struct {
		d   store.Digest
		dst *[]byte
	}{{s.Pipeline, &f.Pipeline}, {s.Contract, &f.Contract}, {s.Output, &f.Output}, {s.LabelsContract, &f.Labels}} {
		if blob.d == "" {
			continue
		}
		if *blob.dst, err = b.GetBlob(ctx, blob.d); err != nil {
			return f, fmt.Errorf("the files in force: %w", err)
		}
	}
	return f, nil
}

// approvers returns who may approve a change of a pipeline file: the people of its
// releases in the role that it asks for. There are none if nobody has to.
func approvers(file []byte) ([]pipeline.Approver, error) {
	conf, err := pipeline.ParseKept("the pipeline file in force", file)
	if err != nil || conf.Release == nil {
		return nil, err
	}
	var all []pipeline.Approver
	for _, person := range conf.Release.Approve.People {
		if role := conf.Release.Approve.Role; role == "" || slices.Contains(person.Roles, role) {
			all = append(all, person)
		}
	}
	return all, nil
}

// An Approval lets a proposal come into force.
type Approval struct {
	Pipeline   string
	Proposal   int64 // number of its entry
	By, Reason string
	At         time.Time
}

// ErrApprover means that somebody decides who may not.
var ErrApprover = errors.New("this person may not decide that")

// Do puts the files of a proposal in force. The files in force now say who may: the
// people under release.approve, in the role that it asks for. Doing it again is a
// success and appends nothing.
func (a Approval) Do(ctx context.Context, b *store.Bucket) (*Result, error) {
	log, err := registry.Load(ctx, b, a.Pipeline)
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("proposal/%d/carried out", a.Proposal)
	if e, ok := log.Find(id); ok {
		return result(log, e, nil), nil
	}
	s := log.State()
	at := slices.IndexFunc(s.Proposals, func(p registry.Entry) bool { return p.Seq == a.Proposal })
	if at < 0 {
		return nil, fmt.Errorf("no proposal %d of %s waits: it never did, or the files have changed since", a.Proposal, a.Pipeline)
	}
	p := s.Proposals[at]
	was, err := inForce(ctx, b, s)
	if err != nil {
		return nil, err
	}
	people, err := approvers(was.Pipeline)
	if err != nil {
		return nil, err
	}
	if err := mayApprove(people, a.By, p); err != nil {
		return nil, err
	}
	_, c, err := Proposed(ctx, b, log, p.Seq)
	if err != nil {
		return nil, err
	}
	e, err := log.Append(ctx, registry.Entry{Kind: registry.KindPipeline, ID: id, At: a.At, By: a.By, Cause: "approve", Reason: a.Reason,
		Pipeline: p.Pipeline, Contract: p.Contract, Output: p.Output, LabelsContract: p.LabelsContract, Paper: p.Paper, Proposal: p.Seq})
	return result(log, e, c), err
}

func result(log *registry.Log, e registry.Entry, c *change.Change) *Result {
	return &Result{Name: log.Pipeline(), Pipeline: e.Pipeline, Contract: e.Contract, Output: e.Output, LabelsContract: e.LabelsContract,
		Change: c, Anchor: log.Anchor()}
}

// mayApprove says why somebody may not approve a proposal.
func mayApprove(people []pipeline.Approver, by string, p registry.Entry) error {
	others := slices.DeleteFunc(slices.Clone(people), func(person pipeline.Approver) bool { return person.Name == p.By })
	if by == p.By {
		return fmt.Errorf("%w: %s made it, so somebody else decides: %s", ErrApprover, by, names(others))
	}
	return among(others, by)
}

// among says why somebody is none of the people who may.
func among(people []pipeline.Approver, by string) error {
	if slices.ContainsFunc(people, func(person pipeline.Approver) bool { return person.Name == by }) {
		return nil
	}
	return fmt.Errorf("%w: %q is none of %s", ErrApprover, by, names(people))
}

func names(people []pipeline.Approver) string {
	var all []string
	for _, person := range people {
		all = append(all, person.Name)
	}
	return strings.Join(all, ", ")
}
