package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"headgate/internal/delta"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// PublishInput names what is published and what was published before.
type PublishInput struct {
	Run
	Model     store.Digest `json:"model"`
	Contract  store.Digest `json:"contract"`
	Head      int64        `json:"head"`
	Expect    int64        `json:"expect"`             // publications of the batch when the run was planned
	Data      run.Object   `json:"data"`               // the verdict
	Table     Papers       `json:"table"`              // run.TableFile of every shard
	Fallback  *run.Object  `json:"fallback,omitempty"` // run.TableFile of customers without a score
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
	By        string       `json:"by"`

	Serving store.Digest `json:"serving,omitempty"` // blob of a run.Serving; "": the champion serves all
	Reason  string       `json:"reason,omitempty"`  // why the batch is published again

	Backfill *Backfill `json:"backfill,omitempty"` // nil unless a past batch is scored again
}

// PublishOutput says where the batch is now.
type PublishOutput struct {
	Publication  int64        `json:"publication"` // of this batch, from 1
	TableVersion int64        `json:"table_version"`
	Unchanged    bool         `json:"unchanged"` // the same bytes were published already
	Rows         int64        `json:"rows"`
	Fallback     int64        `json:"fallback,omitempty"` // of Rows, with a score that is not the model's
	Values       store.Digest `json:"values"`             // over the values digests of all files
	Anchor       string       `json:"anchor"`             // registry entry and hash, for outside witnesses

	Restated bool            `json:"restated,omitempty"`  // of a backfill: its input is not what the batch was first published from
	Changed  *int64          `json:"changed,omitempty"`   // keys whose rows are not what the publication before says; nil for the first, or if they were not counted
	Models   []run.ModelRows `json:"models,omitempty"`    // rows by the model whose score they have, if there is a Serving
	CaughtUp bool            `json:"caught_up,omitempty"` // the batch was named as missing, and no other one is any more
}

// Publish commits a batch's files to the table: the one moment when readers see the
// month. Then it enters the publication in the registry. A repeated Publish finds
// its own commit; one that comes too late changes nothing and fails with a conflict.
// Publishing what is already there is no new publication.
func (a *Activities) Publish(ctx context.Context, in PublishInput) (PublishOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (PublishOutput, error) {
		commit, out, err := a.commit(ctx, in)
		if err != nil {
			return PublishOutput{}, err
		}
		for _, f := range commit.Files {
			out.Rows += f.Rows
		}
		table := delta.Open(a.store, run.TablePrefix(in.Pipeline))
		snapshot, err := table.Snapshot(ctx)
		if err != nil {
			return PublishOutput{}, err
		}
		current, ok := snapshot.Current(in.Batch)
		if ok && current.Number == in.Expect && sameFiles(current.Files, commit.Files) && snapshot.Intact(in.Batch) == nil {
			out.Unchanged, out.Publication, out.TableVersion = true, current.Number, current.Version
		} else {
			if err := a.replace(ctx, in, snapshot, &commit, &out); err != nil {
				return PublishOutput{}, err
			}
			published, err := table.Publish(ctx, commit)
			if err != nil {
				return PublishOutput{}, err
			}
			out.Publication, out.TableVersion = published.Publication, published.Version
		}
		log, err := a.recordPublications(ctx, in.Pipeline)
		if err != nil {
			return PublishOutput{}, err
		}
		out.Anchor = log.Anchor()
		out.CaughtUp = a.caughtUp(ctx, log, in.Batch, in.At)
		return out, nil
	})
}

// commit gathers the table files of all shards. out counts their rows: those of a
// fallback, and those of each model.
func (a *Activities) commit(ctx context.Context, in PublishInput) (c delta.Commit, out PublishOutput, err error) {
	c = delta.Commit{Pipeline: in.Pipeline, Batch: in.Batch, Expect: in.Expect, Operation: in.Operation, At: in.At}
	verdict, err := a.passed(ctx, in.Run, in.Data)
	if err != nil {
		return c, out, err
	}
	items, err := a.whole(ctx, in, verdict)
	if err != nil {
		return c, out, err
	}
	var values []store.Digest
	for i, o := range items {
		var f run.TableFile
		if err := run.LoadJSON(ctx, a.store, o, &f); err != nil {
			return c, out, err
		}
		fallback := in.Fallback != nil && o == *in.Fallback
		switch {
		case f.Shard != i:
			return c, out, fail(KindCorrupt, "table file of shard %d stands in the place of shard %d", f.Shard, i)
		case fallback:
			out.Fallback = f.Rows
		case f.Rows > 0 && f.Serving != in.Serving:
			return c, out, fail(KindCorrupt, "table file of shard %d was assembled by serving %q, not by %q", f.Shard, f.Serving, in.Serving)
		}
		if f.Rows == 0 {
			continue
		}
		c.Files = append(c.Files, delta.File{Path: f.Path, Size: f.Size, Rows: f.Rows, Stats: f.Stats})
		c.Fields = union(c.Fields, f.Fields)
		values = append(values, f.Values)
		out.Models = addRows(out.Models, f.Models)
	}
	if out.Values, err = valuesDigest(values); err != nil {
		return c, out, err
	}
	c.Info = map[string]string{
		"run": string(in.Run.Run), "model": string(in.Model), "contract": string(in.Contract),
		"decision": string(in.Data.Digest), "head": strconv.FormatInt(in.Head, 10),
		"values": string(out.Values), "by": in.By,
	}
	if left := sentences(verdict.Skipped); len(left) > 0 {
		c.Info["skipped"] = strings.Join(left, "; ")
	}
	return c, out, served(c.Info, in, out.Models)
}

// whole returns the table files of a batch, that of the fallback last, if it is all of
// them.
func (a *Activities) whole(ctx context.Context, in PublishInput, verdict *run.Data) ([]run.Object, error) {
	plan, err := run.LoadPlan(ctx, a.store, in.Pipeline, in.Batch, in.Run.Run)
	if err != nil {
		return nil, err
	}
	items, err := a.papers(ctx, in.Table)
	switch {
	case err != nil:
		return nil, err
	case len(items) != len(plan.Shards):
		return nil, fail(KindCorrupt, "%d table files for %d shards", len(items), len(plan.Shards))
	case verdict.Fallback != nil && in.Fallback == nil:
		return nil, fail(KindCorrupt, "the verdict wants fallback scores, and there are none")
	case verdict.Fallback == nil && in.Fallback != nil:
		return nil, fail(KindCorrupt, "the verdict wants no fallback scores, and there are some")
	case in.Fallback != nil:
		items = append(items, *in.Fallback)
	}
	return items, nil
}

// union adds the columns that only the second list has.
func union(fields, more []delta.Field) []delta.Field {
	for _, f := range more {
		if !slices.ContainsFunc(fields, func(have delta.Field) bool { return have.Name == f.Name }) {
			fields = append(fields, f)
		}
	}
	return fields
}

// valuesDigest is the digest over the values digests of a batch's files, in order.
func valuesDigest(values []store.Digest) (store.Digest, error) {
	b, err := json.Marshal(values)
	return store.DigestOf(b), err
}

func sameFiles(a, b []delta.File) bool {
	if len(a) != len(b) {
		return false
	}
	paths := map[string]bool{}
	for _, f := range a {
		paths[f.Path] = true
	}
	for _, f := range b {
		if !paths[f.Path] {
			return false
		}
	}
	return true
}

// recordPublications enters every publication of the table that the registry does
// not name yet: this one, and any whose writer died between commit and entry.
func (a *Activities) recordPublications(ctx context.Context, name string) (*registry.Log, error) {
	log, err := registry.Load(ctx, a.store, name)
	if err != nil {
		return nil, err
	}
	snapshot, err := delta.Open(a.store, run.TablePrefix(name)).Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var all []delta.Publication
	for _, batch := range snapshot.Batches() {
		all = append(all, snapshot.History(batch)...)
	}
	slices.SortFunc(all, func(a, b delta.Publication) int { return cmp.Compare(a.Version, b.Version) })
	for _, p := range all {
		entry, err := publicationEntry(p)
		if err != nil {
			return nil, err
		}
		if _, found := log.Find(entry.ID); found {
			continue
		}
		if _, err := log.Append(ctx, entry); err != nil {
			return nil, err
		}
	}
	return log, nil
}

// publicationEntry makes the registry entry of a publication from the table alone,
// so that whoever writes it writes the same.
func publicationEntry(p delta.Publication) (registry.Entry, error) {
	kind, reason := registry.KindPublished, p.Info["reason"]
	if p.RestoredFrom > 0 {
		kind, reason = registry.KindRestored, fmt.Sprintf("publication %d restored: %s", p.RestoredFrom, p.Info["reason"])
	}
	files, err := run.FilesDigest(p.Files)
	return registry.Entry{
		Kind: kind, ID: fmt.Sprintf("published/%s/%d", p.Batch, p.Number), At: p.At, Batch: p.Batch,
		Publication: p.Number, TableVersion: &p.Version, Files: files, Commit: p.Commit, Verdict: string(run.Pass), Reason: reason,
		Run: store.Digest(p.Info["run"]), Model: store.Digest(p.Info["model"]),
		Contract: store.Digest(p.Info["contract"]), Decision: store.Digest(p.Info["decision"]),
		Paper: store.Digest(p.Info["serving"]), Restated: p.Info["restated"] == "true", Changed: keysChanged(p.Info),
		By: p.Info["by"], Cause: p.Operation, Reasons: leftOut(p.Info),
	}, err
}

// RecordInput is a verdict that published nothing.
type RecordInput struct {
	Run
	Model     store.Digest `json:"model"`
	Contract  store.Digest `json:"contract"`
	Paper     run.Object   `json:"paper"`
	Verdict   run.Verdict  `json:"verdict"`
	Reasons   []string     `json:"reasons"`
	Operation string       `json:"operation"`
	At        time.Time    `json:"at"`
	By        string       `json:"by"`
}

// RecordOutput is the entry's place.
type RecordOutput struct {
	Seq    int64  `json:"seq"`
	Anchor string `json:"anchor"`
}

// Record enters a verdict in the registry.
func (a *Activities) Record(ctx context.Context, in RecordInput) (RecordOutput, error) {
	return stage(ctx, func(ctx context.Context, _ func(Progress)) (RecordOutput, error) {
		log, err := registry.Load(ctx, a.store, in.Pipeline)
		if err != nil {
			return RecordOutput{}, err
		}
		e, err := log.Append(ctx, registry.Entry{
			Kind: registry.KindVerdict, ID: "verdict/" + in.Operation, At: in.At, By: in.By, Cause: in.Operation, Batch: in.Batch,
			Run: in.Run.Run, Model: in.Model, Contract: in.Contract, Decision: in.Paper.Digest,
			Verdict: string(in.Verdict), Reasons: in.Reasons,
		})
		return RecordOutput{Seq: e.Seq, Anchor: log.Anchor()}, err
	})
}
