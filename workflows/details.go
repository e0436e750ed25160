package workflows

import (
	"fmt"

	"headgate/internal/figure"
)

// Whoever opens a run's page reads what the run does and what to do next.

// scoreDetails tells whoever opens the run's page what it does and what to do next.
func scoreDetails(in ScoreBatchInput) string {
	return fmt.Sprintf(`Checks batch **%[2]s** of pipeline **%[1]s** against its contract, scores every row with the champion, and publishes all of it in one commit, or nothing.

- **Blocked?** The reasons are under Current Details. Have the data delivered again, then: `+"`starter score %[1]s --batch %[2]s`"+`
- **A shard fails?** Current Details say why, and how to try it again now or to leave it out; so do `+"`starter retry --help` and `starter skip --help`"+`
- **Waits for an answer?** Current Details say what is asked and how to answer; so does `+"`starter approve %[1]s --batch %[2]s --help`"+`
- **Rows in quarantine:** `+"`starter quarantine show %[1]s --batch %[2]s`"+`; corrected ones come back with `+"`starter quarantine replay`"+`
- **Cancel** stops it before the commit, and publishes nothing.
- **One customer's score:** `+"`starter why %[1]s %[2]s KEY`"+`

Asked for by %[3]s (claimed).`, in.Pipeline, in.Batch, plain(in.By))
}

// evaluateDetails tells whoever opens the run's page what it does and what to do next.
func evaluateDetails(in EvaluateBatchInput) string {
	return fmt.Sprintf(`Waits until the outcomes of batch **%[2]s** of pipeline **%[1]s** are known, and holds them against what every model said.

- **Labels are there earlier?** Send the Update `+"`retryNow`"+`, or `+"`starter retry %[1]s --batch %[2]s --labels`"+`: it looks at once. If a marker of completeness says that all are there, it does not wait for the date.
- **Labels were revised?** Write the revision as one more file, with a later name, and start this workflow again.
- **Refused, or no evidence?** The reasons are under Current Details.
- **Cancel** stops the waiting. Nothing is lost: it can be started again at any time.

Asked for by %[3]s (claimed).`, in.Pipeline, in.Batch, plain(in.By))
}

// retrainDetails tells whoever opens the run's page what it does and what to do next.
func retrainDetails(in RetrainInput) string {
	return fmt.Sprintf(`Trains challengers of pipeline **%[1]s** from published batches whose labels are complete, and ends with candidates for a release. It promotes none.

- **What came of it** is under Current Details, and in the registry: `+"`starter log %[1]s`"+`
- **What becomes of the candidates:** `+"`starter release status %[1]s`"+`
- **Cancel** stops it within a round and registers no model.

Asked for by %[2]s (claimed): %[3]s`, in.Pipeline, plain(in.By), plain(in.Reason))
}

// releaseDetails tells whoever opens the run's page what it does and what to do next.
func releaseDetails(pipeline string) string {
	return fmt.Sprintf(`Carries out the releases of pipeline **%[1]s**, one after the other: the only workflow that moves what production uses. It waits for verdicts, labels and persons, and ends when no release is left.

- **Waits for an answer?** Current Details say what is asked and how to answer; so does `+"`starter approve %[1]s --release --help`"+`
- **Hold** it, **resume** it or **roll back** with the Updates of that name, or with `+"`starter hold`, `starter resume` and `starter rollback`"+`
- **Cancel** takes back what a candidate serves: its rows are published again with the champion's scores, and the candidate is rejected.
- **What it waits for:** `+"`starter release status %[1]s`"+`; the earliest dates: `+"`starter release plan %[1]s`"+``, pipeline)
}

// restoreDetails tells whoever opens the run's page what it does and what to do next.
func restoreDetails(in RestoreBatchInput) string {
	return fmt.Sprintf(`Publishes publication **%[3]d** of batch **%[2]s** of pipeline **%[1]s** again, in one commit. Nothing is scored.

- **What was published when, and why:** `+"`starter log %[1]s`"+`
- **Back again:** `+"`starter restore %[1]s --batch %[2]s --publication N`"+`

Asked for by %[4]s (claimed): %[5]s`, in.Pipeline, in.Batch, in.Publication, plain(in.By), plain(in.Reason))
}

// backfillDetails tells whoever opens the run's page what it does and what to do next.
func backfillDetails(in BackfillInput) string {
	replace := "Batches that are published stay as they are."
	if in.Replace {
		replace = "Batches that are published are published again; if one is acted on already, it waits for a person."
	}
	return fmt.Sprintf(`Scores the batches from **%[2]s** to **%[3]s** of pipeline **%[1]s** again, %[4]s, one after the other. %[5]s

- **Each batch** is a workflow of its own, `+"`score/%[1]s/…`"+`, with its own scorecard.
- **Cancel** stops it after the batch that is under way, which publishes nothing.

Asked for by %[6]s (claimed): %[7]s`, in.Pipeline, in.From, in.To, in.Mode, replace, plain(in.By), plain(in.Reason))
}

// shadowDetails tells whoever opens the run's page what it does and what to do next.
func shadowDetails(in ShadowBatchInput) string {
	return fmt.Sprintf(`Lets %[3]s score batch **%[2]s** of pipeline **%[1]s**, which is published, after the fact. Nobody is served by it and nothing is published: it is evidence for a release.

- **What becomes of it:** `+"`starter release status %[1]s`"+`

Asked for by %[4]s (claimed).`, in.Pipeline, in.Batch, figure.Things(len(in.Models), "model"), plain(in.By))
}

// republishDetails tells whoever opens the run's page what it does and what to do next.
func republishDetails(in RepublishBatchInput) string {
	return fmt.Sprintf(`Publishes batch **%[2]s** of pipeline **%[1]s** again with one model's stored scores in every row, in one commit.

- **What was published when, and why:** `+"`starter log %[1]s`"+`
- **Back again:** `+"`starter restore %[1]s --batch %[2]s --publication N`"+`

Asked for by %[3]s (claimed): %[4]s`, in.Pipeline, in.Batch, plain(in.By), plain(in.Reason))
}
