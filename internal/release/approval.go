package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/figure"
)

// An Approval is a person's answer to a question of a release. It is kept as a blob.
type Approval struct {
	Format    int       `json:"format"`
	Pipeline  string    `json:"pipeline"`
	Release   string    `json:"release"`
	Step      string    `json:"step"`
	Model     string    `json:"model"`
	Decision  string    `json:"decision"` // digest of the evidence that was looked at
	Answer    string    `json:"answer"`   // approve or reject
	By        string    `json:"by"`
	Role      string    `json:"role"`
	Reason    string    `json:"reason"`
	Nonce     string    `json:"nonce"`   // of the question
	Expires   time.Time `json:"expires"` // from when on the answer does not count
	Signature string    `json:"signature,omitempty"`
}

// Payload returns the bytes that are signed: the answer without its signature as JSON on
// one line, all fields in the order of [Approval], <, > and & as they are, the time in
// UTC as RFC 3339 without fractions, and a newline at the end. ssh-keygen -Y sign -n
// headgate signs them.
func (a Approval) Payload() []byte {
	a.Signature = ""
	a.Expires = a.Expires.UTC().Truncate(time.Second)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(a); err != nil {
		return nil // a year past 9999: such an answer has no bytes, and no signature fits
	}
	return out.Bytes()
}

// CheckApproval returns nil if the answer counts, or why it is refused, in one sentence.
//
// An approval must fit a question that is open: release, step, model, decision and nonce.
// A rejection of a candidate may come at any time before it is the champion, and needs no
// nonce. If no people are named, anybody may answer, by a name that is only claimed.
func CheckApproval(s *State, set Settings, a Approval, now time.Time) error {
	r := s.Release(a.Release)
	switch {
	case a.Format != Format:
		return fmt.Errorf("release: the answer has format %d, and this version reads %d", a.Format, Format)
	case a.Answer != Approve && a.Answer != Reject:
		return fmt.Errorf("release: answer %q is neither approve nor reject", a.Answer)
	case a.By == "" || a.Reason == "":
		return fmt.Errorf("release: an answer needs a name and a reason")
	case r == nil:
		return fmt.Errorf("release: there is no release %q", a.Release)
	case !a.Expires.IsZero() && !now.Before(a.Expires):
		return fmt.Errorf("release: the answer counted until %s, and now it is %s", a.Expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if err := set.may(a); err != nil {
		return err
	}
	if a.Answer == Reject && !isRepublish(a.Step) {
		return s.checkReject(r, a)
	}
	return s.checkOpen(r, set, a, now)
}

// may returns why the person may not answer, or nil.
func (set *Settings) may(a Approval) error {
	i := slices.IndexFunc(set.People, func(p Person) bool { return p.Name == a.By })
	if i < 0 {
		if len(set.People) == 0 && set.Role == "" && !set.Signed {
			return nil
		}
		return fmt.Errorf("release: %s is not among the people who may answer", a.By)
	}
	p := set.People[i]
	if set.Role != "" && !slices.Contains(p.Roles, set.Role) {
		return fmt.Errorf("release: %s does not have the role %s", a.By, set.Role)
	}
	if a.Role != "" && !slices.Contains(p.Roles, a.Role) {
		return fmt.Errorf("release: %s answers as %s, and does not have that role", a.By, a.Role)
	}
	switch {
	case a.Signature == "" && set.Signed:
		return fmt.Errorf("release: the answer of %s is not signed", a.By)
	case a.Signature == "":
		return nil
	case p.Key == "":
		return fmt.Errorf("release: the answer is signed, and no key of %s is known", a.By)
	}
	if err := VerifySignature(p.Key, a.Signature, a.Payload()); err != nil {
		return fmt.Errorf("release: the signature does not fit %s: %w", a.By, err)
	}
	return nil
}

// checkReject returns why a candidate cannot be rejected any more, or nil.
func (s *State) checkReject(r *Release, a Approval) error {
	c := r.candidate(a.Model)
	rejected, gone := s.Rejected[a.Model]
	switch {
	case a.Model == "" && len(s.live(r)) > 0 && r.Promotion == nil:
		return nil
	case a.Model == "":
		return fmt.Errorf("release: %s has no candidate left that could be rejected", r.Name)
	case c == nil:
		return fmt.Errorf("release: %s is no candidate of %s", figure.Short(a.Model), r.Name)
	case gone:
		return fmt.Errorf("release: %s was rejected already: %s", figure.Short(a.Model), rejected.Reason)
	case s.Champion == a.Model || r.Promotion != nil || r.Done:
		return fmt.Errorf("release: %s is past its release; roll it back instead", figure.Short(a.Model))
	case c.Refused != nil:
		return fmt.Errorf("release: %s rejected %s already", c.Refused.By, figure.Short(a.Model))
	}
	return nil
}

// checkOpen returns why an answer fits no open question, or nil.
func (s *State) checkOpen(r *Release, set Settings, a Approval, now time.Time) error {
	if s.Held != nil {
		return fmt.Errorf("release: %s holds all releases: %s", s.Held.By, s.Held.Reason)
	}
	var steps []string
	for _, q := range Questions(s, set, now) {
		if q.Release != a.Release || q.Step != a.Step {
			steps = append(steps, fmt.Sprintf("step %s of %s", q.Step, q.Release))
			continue
		}
		switch {
		case q.Model != a.Model:
			return fmt.Errorf("release: step %s is asked about %s, not about %s", q.Step, figure.Short(q.Model), figure.Short(a.Model))
		case q.Decision != a.Decision:
			return fmt.Errorf("release: the answer is about decision %s, and the latest is %s", figure.Short(a.Decision), figure.Short(q.Decision))
		case q.Nonce != a.Nonce:
			return fmt.Errorf("release: the answer is to another question; this one's nonce is %s", q.Nonce)
		case has(q.Approved, a.By):
			return fmt.Errorf("release: %s has approved this already", a.By)
		case set.FourEyes && r.asked(a.By) && a.Answer == Approve:
			return fmt.Errorf("release: %s asked for the release, and four eyes are needed besides", a.By)
		}
		return nil
	}
	if len(steps) > 0 {
		return fmt.Errorf("release: step %s of %s is not asked about now, but %s is", a.Step, a.Release, strings.Join(steps, " and "))
	}
	return fmt.Errorf("release: nothing is asked about release %s now", a.Release)
}

// CheckControl returns nil if a hold, a resume or a rollback can be obeyed, or why not.
// model and batch are a rollback's: the champion to come and a batch to be published
// again from its scores. Both may be empty: then the candidate that serves a share goes,
// or if there is none the champion, in favour of the one before it.
func CheckControl(s *State, set Settings, control, model, batch string, now time.Time) error {
	switch control {
	case Hold:
		if s.Held != nil {
			return fmt.Errorf("release: %s holds already: %s", s.Held.By, s.Held.Reason)
		}
		return nil
	case Resume:
		if s.Held == nil && !Next(s, set, now).Stopped {
			return fmt.Errorf("release: nothing waits for a resume")
		}
		return nil
	case Rollback:
		return s.aim(&Control{Batch: batch}, model)
	}
	return fmt.Errorf("release: control %q is none of hold, resume, rollback", control)
}

// CheckCandidate returns nil if a model may become a candidate, or why not.
func CheckCandidate(s *State, model string) error {
	if r, gone := s.Rejected[model]; gone {
		return fmt.Errorf("release: %s was rejected with entry %d: %s", figure.Short(model), r.Seq, r.Reason)
	}
	if model == s.Champion {
		return fmt.Errorf("release: %s is the champion already", figure.Short(model))
	}
	for _, r := range s.Releases {
		if !s.over(r) && r.candidate(model) != nil {
			return fmt.Errorf("release: %s is a candidate of release %s already", figure.Short(model), r.Name)
		}
		if s.watching(r) && r.Former == model {
			return fmt.Errorf("release: %s is still watched as the former champion of release %s", figure.Short(model), r.Name)
		}
	}
	return nil
}
