package metric

// Labels and their values.
const (
	pipeline = "pipeline" // name of the pipeline
	stage    = "stage"    // activity, as the Web UI shows it: ScoreShard, JudgeData, Publish, …
	verdict  = "verdict"  // pass, block, inconclusive, ask
	quality  = "metric"   // auc, logLoss, brier, calibrationSlope, rmse, mae
	bound    = "bound"    // value, low, high
)

// Values of the label question.
const (
	QuestionBatch    = "batch"    // may this batch be published?
	QuestionRelease  = "release"  // may this candidate take its next step?
	QuestionProposal = "proposal" // may the pipeline's files change?
)

// Values of the label gate.
const (
	GatePublish  = "publish"  // may this batch be published? An answer pass is a publication
	GateAdvance  = "advance"  // may this candidate take its next step?
	GateLabels   = "labels"   // are the outcomes of this batch evidence?
	GateTraining = "training" // is what was trained a candidate?
)

// Values of the label bound.
const (
	BoundValue = "value"
	BoundLow   = "low"
	BoundHigh  = "high"
)

// Flows are recorded where things happen, through the metrics handler of the Temporal
// SDK, by the worker that did them: sum them over workers.
var Flows = []Metric{RowsScored, RowsQuarantined, StageDuration, StageWait, StageFailures, MissedSlots}

// States are folded from the registry by every worker, so that they survive restarts and
// are the same everywhere: take their max over workers.
var States = []Metric{
	PublishedBatches, Publications, LastPublished, LastPublishedBatch,
	WaitingSince, WaitingUntil, Verdicts,
	QuarantinedShare, QuarantineBudget, DriftLevel, DriftedShare,
	Quality, QualityAtFirst, Expected, Forecast, ForecastTrusted, LastEvaluatedBatch,
	ReleaseOpen, ReleaseShare, ReleaseStep, Challengers, StandingTime,
}

// Metrics of [Flows].
var (
	RowsScored = Metric{"headgate_rows_scored_total", Counter, "rows", []string{pipeline},
		"Rows that a shard's pass has read, checked and scored, quarantined ones included."}
	RowsQuarantined = Metric{"headgate_rows_quarantined_total", Counter, "rows", []string{pipeline},
		"Rows that a shard's pass has sent to quarantine."}
	StageDuration = Metric{"headgate_stage_duration_seconds", Histogram, "seconds", []string{pipeline, stage},
		"How long one attempt of a stage took that ended well. Stage `ScoreShard` is the latency of a shard."}
	StageWait = Metric{"headgate_stage_wait_seconds", Histogram, "seconds", []string{pipeline},
		"How long the first attempt of a stage waited for a worker. The SDK's own metric of it leaves out those that did not have to wait at all."}
	StageFailures = Metric{"headgate_stage_failures_total", Counter, "attempts", []string{pipeline, stage, "kind"},
		"Attempts of a stage that failed. Kind is `retried`, or why no retry helps: `Corrupt`, `InputChanged`, `NoData`, …"}
	MissedSlots = Metric{"headgate_missed_slots_total", Counter, "slots", []string{pipeline},
		"Slots of the schedule without a published batch when its time was over."}
)

// Metrics of [States].
var (
	PublishedBatches = Metric{"headgate_published_batches", Gauge, "batches", []string{pipeline},
		"Batches that are published: months on the shelf."}
	Publications = Metric{"headgate_publications_total", Counter, "publications", []string{pipeline},
		"Publications ever committed, replaced and restored ones included."}
	LastPublished = Metric{"headgate_last_published_timestamp_seconds", Gauge, "seconds", []string{pipeline},
		"When a batch was last published, Unix time."}
	LastPublishedBatch = Metric{"headgate_last_published_batch_timestamp_seconds", Gauge, "seconds", []string{pipeline},
		"When the latest published batch begins by its name, Unix time. Absent if names are no dates."}
	WaitingSince = Metric{"headgate_waiting_since_timestamp_seconds", Gauge, "seconds", []string{pipeline, "question"},
		"Since when a person is asked, Unix time; of several the oldest. Absent while nobody is. Question is `batch`, `release` or `proposal`."}
	WaitingUntil = Metric{"headgate_waiting_until_timestamp_seconds", Gauge, "seconds", []string{pipeline, "question"},
		"Until when an answer counts, Unix time; of several the earliest. Absent while nobody is asked or there is no such time."}
	Verdicts = Metric{"headgate_verdicts_total", Counter, "verdicts", []string{pipeline, "gate", verdict},
		"Verdicts in the registry. Gate is `publish`, `advance`, `labels` or `training`; verdict `pass`, `block`, `inconclusive` or `ask`."}
	QuarantinedShare = Metric{"headgate_quarantined_share", Gauge, "share", []string{pipeline},
		"Share of the rows of the last judged batch that are in quarantine, corrected ones left out."}
	QuarantineBudget = Metric{"headgate_quarantine_budget_share", Gauge, "share", []string{pipeline},
		"Share of the rows of the last judged batch that may be in quarantine; above it nothing is published."}
	DriftLevel = Metric{"headgate_drift_level", Gauge, "", []string{pipeline, "level"},
		"1 for the level of drift of the last judged batch, 0 for the others: `none`, `warn`, `trigger` (it has persisted), `inconclusive`."}
	DriftedShare = Metric{"headgate_drifted_columns_share", Gauge, "share", []string{pipeline},
		"Share of the columns of the last judged batch that have drifted."}
	Quality = Metric{"headgate_model_quality", Gauge, "", []string{pipeline, quality, bound},
		"What the champion was worth on the latest batch whose labels are complete: value, and ends of its interval."}
	QualityAtFirst = Metric{"headgate_model_quality_at_first", Gauge, "", []string{pipeline, quality, bound},
		"The same of the first batch that the same model scored as champion."}
	Expected = Metric{"headgate_model_quality_expected", Gauge, "", []string{pipeline, quality, bound},
		"What scores alone say of the latest published batch until its labels do (CBPE). It is as good as the scores are calibrated, and absent if they are no probabilities."}
	Forecast = Metric{"headgate_model_quality_forecast", Gauge, "", []string{pipeline, quality, bound},
		"What scores alone had said of the latest evaluated batch before its labels came (CBPE)."}
	ForecastTrusted = Metric{"headgate_forecast_trusted", Gauge, "", []string{pipeline},
		"1 if labels have borne the last forecast out, 0 if it was off."}
	LastEvaluatedBatch = Metric{"headgate_last_evaluated_batch_timestamp_seconds", Gauge, "seconds", []string{pipeline},
		"When the latest evaluated batch begins by its name, Unix time. Absent if names are no dates."}
	ReleaseOpen = Metric{"headgate_release_open", Gauge, "", []string{pipeline},
		"1 while a release is under way, else 0."}
	ReleaseShare = Metric{"headgate_release_share", Gauge, "share", []string{pipeline},
		"Share of the entities that others than the champion score."}
	ReleaseStep = Metric{"headgate_release_step", Gauge, "", []string{pipeline, "step"},
		"1 for the step whose routing is in force. Absent while the champion scores alone."}
	Challengers = Metric{"headgate_challengers_total", Counter, "models", []string{pipeline},
		"Challengers that have asked to be released."}
	StandingTime = Metric{"headgate_standing_timestamp_seconds", Gauge, "seconds", nil,
		"When this worker last read the registries, Unix time. Old: the metrics of the registry are as old."}
)
