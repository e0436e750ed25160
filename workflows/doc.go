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
// Start with [ScoreBatch]. A batch of many shards goes through windows of child
// workflows, so that no history grows with the batch ([ScoreShards]). [RestoreBatch]
// brings an earlier publication of a batch back.
//
// [Release] carries out the releases of a pipeline: it reads the registry, does what
// package release says comes next, and waits for verdicts, labels and persons. Nobody
// else moves what production uses.
package workflows
