package alert

import (
	"fmt"
	"time"
)

// begin returns an alert with what follows from its kind.
func begin(kind Kind, pipeline, subject string) Alert {
	return Alert{Kind: kind, Severity: kind.Severity(), Pipeline: pipeline, Subject: subject}
}

// NewBatchBlocked says that a batch may not be published, for reasons that its contract
// or a person gave.
func NewBatchBlocked(pipeline, batch string, reasons []string) Alert {
	a := begin(BatchBlocked, pipeline, batch)
	a.Title = fmt.Sprintf("%s %s is blocked", pipeline, batch)
	a.Text = fmt.Sprintf("Batch %s of pipeline %s was read and may not be published. What was published before stays as it is.", batch, pipeline)
	a.Reasons = reasons
	a.Who = "whoever delivers the data, or the owner of its contract"
	a.Steps = []Step{
		{Text: "See which rows and rules", Command: fmt.Sprintf("starter quarantine show %s --batch %s", pipeline, batch)},
		{Text: "Have it delivered again, then", Command: fmt.Sprintf("starter score %s --batch %s", pipeline, batch)},
	}
	return a
}

// NewBatchAsks says that a batch waits for a person until a moment. decision is the first
// digits of the verdict's digest, workflow the id of the run that asks.
func NewBatchAsks(pipeline, batch, workflow, decision string, asks []string, until time.Time) Alert {
	a := begin(BatchAsks, pipeline, batch)
	a.Title = fmt.Sprintf("%s %s waits for an answer", pipeline, batch)
	a.Text = fmt.Sprintf("May batch %s of pipeline %s be published? If nobody has answered by %s, it is blocked.", batch, pipeline, until.UTC().Format(time.RFC3339))
	a.Reasons = asks
	a.Who = "the owner of the pipeline"
	answer := fmt.Sprintf(`{"approve":true,"by":"your name","decision":%q,"reason":"why"}`, decision)
	a.Steps = []Step{
		{Text: "Let it out", Command: fmt.Sprintf("starter approve %s --batch %s --reason TEXT", pipeline, batch)},
		{Text: "Or not", Command: fmt.Sprintf("starter reject %s --batch %s --reason TEXT", pipeline, batch)},
		{Text: "Or in the Web UI, with approve true or false", Update: &Update{Workflow: workflow, Name: "answer", Input: answer}},
	}
	return a
}

// ShardsOf is the subject of alerts about shards of a batch, beside those about the batch.
func ShardsOf(batch string) string { return "shards of " + batch }

// NewShardAsks says that a shard of a batch cannot be scored, why not, and that the batch
// waits for a person until a moment. workflow is the id of the run that asks.
func NewShardAsks(pipeline, batch, workflow string, shard int, why string, until time.Time) Alert {
	a := begin(BatchAsks, pipeline, ShardsOf(batch))
	a.Title = fmt.Sprintf("%s %s: shard %d waits for a decision", pipeline, batch, shard)
	a.Text = fmt.Sprintf("Shard %d of batch %s of pipeline %s cannot be scored. If nobody has left it out or had it tried again by %s, the batch fails.",
		shard, batch, pipeline, until.UTC().Format(time.RFC3339))
	a.Reasons = []string{why}
	a.Who = "the owner of the pipeline"
	which := fmt.Sprintf("%s --batch %s --shard %d --reason TEXT", pipeline, batch, shard)
	answer := fmt.Sprintf(`{"by":"your name","reason":"why","shard":%d}`, shard)
	a.Steps = []Step{
		{Text: "Remove the cause, then", Command: "starter retry " + which},
		{Text: "Or leave it out: its rows count as quarantined", Command: "starter skip " + which},
		{Text: "Or leave it out in the Web UI", Update: &Update{Workflow: workflow, Name: "skipShard", Input: answer}},
	}
	return a
}

// NewBatchMissed says that a batch was due and that nothing was published of it; why says
// what is missing.
func NewBatchMissed(pipeline, batch, why string) Alert {
	a := begin(BatchMissed, pipeline, batch)
	a.Title = fmt.Sprintf("%s %s is missing", pipeline, batch)
	a.Text = fmt.Sprintf("Batch %s of pipeline %s was due, and nothing of it is published.", batch, pipeline)
	if why != "" {
		a.Reasons = []string{why}
	}
	a.Who = "whoever delivers the data, or operates the pipeline"
	a.Steps = []Step{
		{Text: "See what there is", Command: "starter status " + pipeline},
		{Text: "Once the data is there", Command: fmt.Sprintf("starter score %s --batch %s", pipeline, batch)},
	}
	return a
}

// SubjectSchedule is the subject of alerts that are about no batch but about all slots.
const SubjectSchedule = "schedule"

// NewBatchesMissed says that several batches were due and that nothing was published of
// them. first and last are those of n; why has a line for each group of them.
func NewBatchesMissed(pipeline, first, last string, n int, why []string) Alert {
	a := begin(BatchMissed, pipeline, SubjectSchedule)
	a.Title = fmt.Sprintf("%s %s to %s: %d batches are missing", pipeline, first, last, n)
	a.Text = fmt.Sprintf("%d batches of pipeline %s from %s to %s were due, and nothing of them is published. It is over when no batch is missing any more.", n, pipeline, first, last)
	a.Reasons = why
	a.Who = "whoever delivers the data, or operates the pipeline"
	a.Steps = []Step{
		{Text: "See what there is", Command: "starter schedule list " + pipeline},
		{Text: "Once the data is there", Command: fmt.Sprintf("starter schedule backfill %s --from %s --to %s", pipeline, first, last)},
		{Text: "If nobody wants them, set first of the schedule to a later batch, register the file, apply it, and resolve this alert"},
	}
	return a
}

// NewRunFailed says that a run broke off or does not go on. subject is what it was about,
// as "2024-01" or "release"; again is the command that starts it again.
func NewRunFailed(pipeline, subject, doing, why, again string) Alert {
	a := begin(RunFailed, pipeline, subject)
	a.Title = fmt.Sprintf("%s %s: %s failed", pipeline, subject, doing)
	a.Text = fmt.Sprintf("The run about %s of pipeline %s broke off. Nothing is half done, and it may be started again.", subject, pipeline)
	a.Reasons = []string{why}
	a.Who = "whoever operates the pipeline"
	a.Steps = []Step{
		{Text: "Read why on the run's page, and remove the cause"},
		{Text: "Then", Command: again},
	}
	return a
}

// NewDriftPersists says that batches have drifted for longer than one, up to a batch.
func NewDriftPersists(pipeline, batch string, columns []string) Alert {
	a := begin(DriftPersists, pipeline, "")
	a.Title = fmt.Sprintf("%s has drifted, up to %s", pipeline, batch)
	a.Text = fmt.Sprintf("The batches of pipeline %s look different from what its champion was trained on, and it is not one batch only. Drift alone does not say that scores are wrong; labels will.", pipeline)
	a.Reasons = columns
	a.Who = "the data scientist who owns the model"
	a.Steps = []Step{
		{Text: "See since when", Command: "starter status " + pipeline},
		{Text: "Train a challenger, if it does not start by itself", Command: fmt.Sprintf("starter retrain %s --reason TEXT", pipeline)},
	}
	return a
}

// NewMetricFell says that a metric of the champion is worse than when it came.
func NewMetricFell(pipeline, why string) Alert {
	a := begin(MetricFell, pipeline, "")
	a.Title = fmt.Sprintf("%s: the champion has become worse", pipeline)
	a.Text = fmt.Sprintf("Labels show that the champion of pipeline %s ranks or estimates worse than when it came, beyond doubt.", pipeline)
	return a.retrain(why)
}

// NewCalibrationLost says that the champion's probabilities no longer mean what they say.
func NewCalibrationLost(pipeline, why string) Alert {
	a := begin(CalibrationLost, pipeline, "")
	a.Title = fmt.Sprintf("%s: the champion is no longer calibrated", pipeline)
	a.Text = fmt.Sprintf("Labels show that the probabilities of the champion of pipeline %s are too high or too low, beyond doubt. Who is ranked before whom may still be right.", pipeline)
	return a.retrain(why)
}

// retrain adds what to do about a champion that is no longer good.
func (a Alert) retrain(why string) Alert {
	a.Reasons = []string{why}
	a.Who = "the data scientist who owns the model"
	a.Steps = []Step{
		{Text: "See whether a training has started, or why not, under Current Details of the run"},
		{Text: "Train a challenger", Command: fmt.Sprintf("starter retrain %s --reason TEXT", a.Pipeline)},
		{Text: "Or go back to the champion before", Command: fmt.Sprintf("starter rollback %s --reason TEXT", a.Pipeline)},
	}
	return a
}

// NewLabelsMissing says that it was not written down in time what came true of a batch.
func NewLabelsMissing(pipeline, batch, why string) Alert {
	a := begin(LabelsMissing, pipeline, batch)
	a.Title = fmt.Sprintf("%s %s has no labels", pipeline, batch)
	a.Text = fmt.Sprintf("The labels of batch %s of pipeline %s did not come in time. Until they do, nobody knows how good the champion was, and no release goes on because of this batch.", batch, pipeline)
	a.Reasons = []string{why}
	a.Who = "whoever delivers the labels"
	a.Steps = []Step{
		{Text: "Find out where they are. Files are looked for as labels.files of the pipeline file says"},
		{Text: "Once they are there", Command: fmt.Sprintf("starter judge %s --batch %s", pipeline, batch)},
	}
	return a
}

// NewTrainingFailed says that a training broke off.
func NewTrainingFailed(pipeline, why string) Alert {
	a := begin(TrainingFailed, pipeline, "")
	a.Title = fmt.Sprintf("%s: the training failed", pipeline)
	a.Text = fmt.Sprintf("A training of pipeline %s broke off. The champion goes on as before.", pipeline)
	a.Reasons = []string{why}
	a.Who = "the data scientist who owns the model"
	a.Steps = []Step{{Text: "Remove the cause, then", Command: fmt.Sprintf("starter retrain %s --reason TEXT", pipeline)}}
	return a
}

// NewTrainingBlocked says that a training made no model that may compete.
func NewTrainingBlocked(pipeline string, reasons []string) Alert {
	a := begin(TrainingBlocked, pipeline, "")
	a.Title = fmt.Sprintf("%s: the training made no candidate", pipeline)
	a.Text = fmt.Sprintf("A training of pipeline %s ended, and none of its models may compete with the champion, which goes on as before.", pipeline)
	a.Reasons = reasons
	a.Who = "the data scientist who owns the model"
	a.Steps = []Step{{Text: "See what it was trained on and why it was refused", Command: "starter log " + pipeline}}
	return a
}
