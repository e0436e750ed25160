package alert

import (
	"fmt"
	"time"
)

// A Question is what a release asks a person.
type Question struct {
	Pipeline string
	Release  string
	Step     string
	Model    string // first digits of the candidate
	Decision string // first digits of the verdict
	Nonce    string
	Why      string
	Findings []string // of the gate
	Who      string   // may answer
	Signed   bool     // an answer must be
	Need     int      // how many persons must say yes
	Until    time.Time
	Workflow string // id of the run that asks
}

// NewReleaseAsks says that a release waits for a person.
func NewReleaseAsks(q Question) Alert {
	a := begin(ReleaseAsks, q.Pipeline, q.Release+" "+q.Step)
	a.Title = fmt.Sprintf("%s release %s waits for an approval of step %s", q.Pipeline, q.Release, q.Step)
	a.Text = fmt.Sprintf("May %s enter step %s? %s", q.Model, q.Step, q.Why)
	if !q.Until.IsZero() {
		a.Text += fmt.Sprintf(" If nobody has answered by %s, the release stays where it is.", q.Until.UTC().Format(time.RFC3339))
	}
	return q.answer(a)
}

// NewApprovalExpires says that a release waits for a person, and not for long any more.
func NewApprovalExpires(q Question) Alert {
	a := begin(ApprovalExpires, q.Pipeline, q.Release+" "+q.Step)
	a.Title = fmt.Sprintf("%s release %s: the approval of step %s expires", q.Pipeline, q.Release, q.Step)
	a.Text = fmt.Sprintf("Nobody has answered whether %s may enter step %s. After %s the release stays where it is until somebody resumes it.",
		q.Model, q.Step, q.Until.UTC().Format(time.RFC3339))
	return q.answer(a)
}

// answer adds who may answer, and how.
func (q Question) answer(a Alert) Alert {
	a.Reasons = q.Findings
	a.Who = q.Who
	if q.Need > 1 {
		a.Who = fmt.Sprintf("%s (%d must say yes)", q.Who, q.Need)
	}
	key := ""
	if q.Signed {
		key = "--key ~/.ssh/id_ed25519 "
	}
	a.Steps = []Step{
		{Text: "Approve", Command: fmt.Sprintf("starter approve %s --release %s--reason TEXT", q.Pipeline, key)},
		{Text: "Or reject the candidate", Command: fmt.Sprintf("starter reject %s --release %s--reason TEXT", q.Pipeline, key)},
	}
	if !q.Signed {
		input := fmt.Sprintf(`{"by":"your name","decision":%q,"nonce":%q,"reason":"why"}`, q.Decision, q.Nonce)
		a.Steps = append(a.Steps, Step{Text: "Or in the Web UI, approve or reject", Update: &Update{Workflow: q.Workflow, Name: "approve", Input: input}})
	}
	return a
}

// NewReleaseStopped says that a release stands still until somebody resumes it.
func NewReleaseStopped(pipeline, release, why string) Alert {
	a := begin(ReleaseStopped, pipeline, release)
	a.Title = fmt.Sprintf("%s release %s stands still", pipeline, release)
	a.Text = fmt.Sprintf("Release %s of pipeline %s does not go on until a person says so. Months are scored and published as before.", release, pipeline)
	a.Reasons = []string{why}
	return a.look("Let it go on", fmt.Sprintf("starter resume %s --reason TEXT", pipeline))
}

// NewReleaseBlocked says that a candidate was rejected before it served anybody.
func NewReleaseBlocked(pipeline, release, model, why string) Alert {
	a := begin(ReleaseBlocked, pipeline, release+" "+model)
	a.Title = fmt.Sprintf("%s release %s: candidate %s is rejected", pipeline, release, model)
	a.Text = fmt.Sprintf("Candidate %s of pipeline %s was rejected. It served nobody, and the champion goes on as before.", model, pipeline)
	a.Reasons = []string{why}
	return a.look("See what was decided on which evidence", "starter log "+pipeline)
}

// NewRolledBack says that a candidate that served customers was taken back.
func NewRolledBack(pipeline, release, model, why string) Alert {
	a := begin(RolledBack, pipeline, release+" "+model)
	a.Title = fmt.Sprintf("%s release %s is rolled back", pipeline, release)
	a.Text = fmt.Sprintf("Candidate %s of pipeline %s served a share of the customers and was taken back. The champion serves all of them, and batches with the candidate's scores are published again with its own.", model, pipeline)
	a.Reasons = []string{why}
	return a.look("See which batches were published again", "starter log "+pipeline)
}

// NewReversed says that the former champion is the champion again.
func NewReversed(pipeline, release, model, why string) Alert {
	a := begin(Reversed, pipeline, release+" "+model)
	a.Title = fmt.Sprintf("%s: the former champion %s is back", pipeline, model)
	a.Text = fmt.Sprintf("Model %s is the champion of pipeline %s again: the one that had replaced it did not hold. What that one published stays unless somebody asks for a batch to be published again.", model, pipeline)
	a.Reasons = []string{why}
	return a.look("Publish a batch again with the champion's scores, if it is wrong", fmt.Sprintf("starter rollback %s --batch BATCH --reason TEXT", pipeline))
}

// look adds who looks at a release that took a turn, and what they do.
func (a Alert) look(text, command string) Alert {
	a.Who = "the data scientist who owns the model"
	a.Steps = []Step{
		{Text: "See how the release stands", Command: "starter release status " + a.Pipeline},
		{Text: text, Command: command},
	}
	return a
}
