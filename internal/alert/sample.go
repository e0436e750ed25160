package alert

import "time"

// Sample returns an alert of a kind as it could be, to look at or to try a receiver with.
// ok is false if there is no such kind.
func Sample(kind Kind, pipeline string, at time.Time) (a Alert, ok bool) {
	const batch, release, model = "2024-03", "2024-03-gbdt", "9c1185a5c5e9"
	reasons := []string{"412 of 10 000 rows are in quarantine, and the budget lets 100 go", "rule age: 380 rows"}
	question := Question{Pipeline: pipeline, Release: release, Step: "10%", Model: model, Decision: "5d41402abc4b", Nonce: "1f40fc92da241694",
		Why: "The gate passed on 3 labelled batches.", Findings: []string{"auc is better by 0.012, from 0.006 to 0.018"}, Who: "ann or bob", Need: 1,
		Until: at.Add(24 * time.Hour), Workflow: "release/" + pipeline}
	switch kind {
	case BatchBlocked:
		a = NewBatchBlocked(pipeline, batch, reasons)
	case BatchAsks:
		a = NewBatchAsks(pipeline, batch, "score/"+pipeline+"/"+batch, "5d41402abc4b", []string{"the row count fell by 22% against 2024-02"}, at.Add(72*time.Hour))
	case BatchMissed:
		a = NewBatchMissed(pipeline, batch, "no file matches incoming/"+pipeline+"/"+batch+"/*.parquet")
	case RunFailed:
		a = NewRunFailed(pipeline, batch, "CheckFooters", "customers-0.parquet has no footer: it was cut off", "starter score "+pipeline+" --batch "+batch)
	case DriftPersists:
		a = NewDriftPersists(pipeline, batch, []string{"channel: 0.31, major", "basket: 0.14, moderate"})
	case MetricFell:
		a = NewMetricFell(pipeline, "auc of the champion is 0.6300 on 2024-03 and was 0.7500 on 2023-06: worse by 0.1200, and by more than 0.02 beyond doubt")
	case CalibrationLost:
		a = NewCalibrationLost(pipeline, "calibrationInTheLarge of the champion is 0.4000 on 2024-03, from 0.3500 to 0.4500, and must be from -0.2 to 0.2")
	case LabelsMissing:
		a = NewLabelsMissing(pipeline, batch, "no labels have come until 2024-05-28T00:00:00Z: no file matches labels/"+pipeline+"/"+batch+"/*.parquet")
	case TrainingFailed:
		a = NewTrainingFailed(pipeline, "the training broke off: the trainer was killed")
	case TrainingBlocked:
		a = NewTrainingBlocked(pipeline, []string{"window all: feature last_bill knows the answer: its AUC alone is 0.997"})
	case ReleaseAsks:
		a = NewReleaseAsks(question)
	case ApprovalExpires:
		a = NewApprovalExpires(question)
	case ReleaseStopped:
		a = NewReleaseStopped(pipeline, release, "resume; the question for step 10% of release "+release+" went unanswered until 2024-03-09T00:00:00Z")
	case ReleaseBlocked:
		a = NewReleaseBlocked(pipeline, release, model, "logLoss is worse by 0.004, and the guardrail is 0.002")
	case RolledBack:
		a = NewRolledBack(pipeline, release, model, "logLoss is worse by 0.004, and the guardrail is 0.002")
	case Reversed:
		a = NewReversed(pipeline, release, model, "the former champion is better by 0.02 on 2 matured batches")
	default:
		return Alert{}, false
	}
	a.At = at
	a.Workflow = Execution{Namespace: "default", ID: "score/" + pipeline + "/" + batch, Run: "018f5b2e-0000-7000-8000-000000000000"}
	return a.Fit(), true
}
