package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// republishing begins the steps of questions whether a batch that was acted on may be
// published again. The batch follows.
const republishing = "republish "

func isRepublish(step string) bool { return strings.HasPrefix(step, republishing) }

// question returns the action that asks a person whether the candidate may go on to a
// step, or on with it, by a decision. After a question's time things stay as they are
// until a person resumes, which opens it again.
func (v *view) question(r *Release, step, model string, d *Verdict, why string) Action {
	a := Action{Kind: DoAsk, Release: r.Name, Step: step, Model: model, Champion: v.Champion, Decision: d.Decision, Reason: why,
		Need: v.set.need(), Approved: v.yes(r, model, step, d.Decision)}
	seq, at := v.opened(r, d)
	a.Nonce = nonce(r.Name, step, model, d.Decision, seq)
	a.WaitsFor = fmt.Sprintf("%d of %d approvals of step %s of release %s", a.Need-len(a.Approved), a.Need, step, r.Name)
	if v.set.Expire > 0 {
		a.Until = at.Add(v.set.Expire)
		if !v.now.Before(a.Until) {
			return stopped(fmt.Sprintf("resume; the question for step %s of release %s went unanswered until %s", step, r.Name, a.Until.UTC().Format(time.RFC3339)))
		}
	}
	return a
}

// opened returns the entry since which a question about a verdict could be asked, and its
// time: the verdict's, or that of what kept it from being asked.
func (v *view) opened(r *Release, d *Verdict) (int64, time.Time) {
	seq, at := d.Seq, d.At
	later := func(s int64, t time.Time) {
		seq = max(seq, s)
		if t.After(at) {
			at = t
		}
	}
	if v.Resumed != nil {
		later(v.Resumed.Seq, v.Resumed.At)
	}
	if b := v.batches[d.Batch]; b != nil {
		later(0, b.firstAt)
	}
	for _, other := range v.Releases {
		if other != r && other.Done && other.Seq < r.Seq {
			later(0, other.DoneAt)
		}
	}
	if len(v.Champions) > 0 {
		last := v.Champions[len(v.Champions)-1]
		later(last.Seq, last.At)
	}
	return seq, at
}

func nonce(release, step, model, decision string, seq int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "headgate question\n%q\n%q\n%q\n%q\n%d\n", release, step, model, decision, seq))
	return hex.EncodeToString(sum[:8])
}

// yes returns who approved a step of a candidate by a decision, in their order.
func (v *view) yes(r *Release, model, step, decision string) []string {
	var who []string
	for _, a := range r.Answers {
		if a.Answer == Approve && a.Model == model && a.Step == step && a.Decision == decision && !has(who, a.By) &&
			!(v.set.FourEyes && r.asked(a.By)) {
			who = append(who, a.By)
		}
	}
	return who
}

// asked reports whether the person asked for one of the release's candidates.
func (r *Release) asked(who string) bool {
	return slices.ContainsFunc(r.Candidates, func(c *Candidate) bool { return c.By == who })
}

// approved reports whether enough persons approved.
func (v *view) approved(r *Release, model, step, decision string) bool {
	return decision != "" && len(v.yes(r, model, step, decision)) >= v.set.need()
}
