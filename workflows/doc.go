// Package workflows decides what runs, in which order, and what happens when it
// fails. It touches nothing: every fact comes from an activity.
//
//	starter score retailer --batch 2024-01
//	   │  ScoreBatch, workflow id score/retailer/2024-01
//	   ▼
//	Resolve ─▶ CheckFooters ─▶ ScoreShard ×n ─▶ JudgeData ─┬▶ AssembleShard ×n ─▶ Publish
//	   │            │               │                      │
//	 pins what   schema broken   one pass: rules,          └▶ block: Record, stop;
//	 is read     ▶ Record, stop  profile, scores,             nothing is published
//	                             quarantine
//
// If the plan has models beside the champion, CompareScores and DecideGate come before
// AssembleShard: they say whose scores are published. After the commit CheckRouting looks
// whether those models still serve; if not, the champion's scores take their place
// ([RepublishBatch]). [ShadowBatch] lets models score a published batch after the fact.
//
// [Slot] is one slot of a schedule: it waits for the data of the batch that is due, starts
// [ScoreBatch], and names the batch as missing if it is not published in time.
//
// Start with [ScoreBatch]. A batch of many shards goes through windows of child
// workflows, so that no history grows with the batch ([ScoreShards]). [RestoreBatch]
// brings an earlier publication of a batch back. [EvaluateBatch] waits for the labels of
// a published batch and holds them against what every model said.
//
// [Release] carries out the releases of a pipeline: it reads the registry, does what
// package release says comes next, and waits for verdicts, labels and persons. Nobody
// else moves what production uses.
//
// [Alert] tells people of what the others find, and goes on by itself until it is over.
package workflows
