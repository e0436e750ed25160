package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"headgate/internal/delta"
	"headgate/internal/gate"
	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// table checks the data files and compares publications with registry entries.
func (t *trail) table(ctx context.Context) error {
	table := delta.Open(t.a.Store, run.TablePrefix(t.a.Pipeline))
	t.commits(ctx, table)
	snapshot, err := table.Snapshot(ctx)
	if err != nil {
		t.r.found(run.TablePrefix(t.a.Pipeline), "%v", err)
		return nil
	}
	entries := map[string]registry.Entry{}
	for _, e := range t.entries {
		if e.Publication > 0 {
			entries[publicationName(e.Batch, e.Publication)] = e
		}
	}
	for _, batch := range snapshot.Batches() {
		for _, p := range snapshot.History(batch) {
			t.r.Publications++
			name := publicationName(batch, p.Number)
			t.a.say("%s", name)
			if e, ok := entries[name]; !ok {
				t.r.found(name, "is in the table and not in the registry; the next publication of the pipeline will enter it")
			} else if err := agree(t.r, name, e, p); err != nil {
				return err
			}
			delete(entries, name)
			t.head(p, name)
			t.evidence(ctx, p, name)
			if err := t.a.files(ctx, t.r, p, name); err != nil {
				return err
			}
		}
		if err := snapshot.Intact(batch); err != nil {
			t.r.found(batch, "%v", err)
		}
		if current, ok := snapshot.Current(batch); ok {
			t.served(ctx, current)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		t.r.found(name, "is registry entry %d and not in the table", entries[name].Seq)
	}
	return nil
}

func publicationName(batch string, number int64) string {
	return fmt.Sprintf("%s publication %d", batch, number)
}

// agree compares a publication with its registry entry, down to the files.
func agree(r *Report, name string, e registry.Entry, p delta.Publication) error {
	files, err := run.FilesDigest(p.Files)
	if err != nil {
		return err
	}
	for _, fact := range []struct{ what, entry, table string }{
		{"the version", fmt.Sprint(*e.TableVersion), fmt.Sprint(p.Version)},
		{"the files", string(e.Files), string(files)},
		{"the run", string(e.Run), p.Info["run"]},
		{"the model", string(e.Model), p.Info["model"]},
		{"the contract", string(e.Contract), p.Info["contract"]},
		{"the decision", string(e.Decision), p.Info["decision"]},
	} {
		if fact.entry != fact.table {
			r.found(name, "%s in registry entry %d and in table version %d do not agree", fact.what, e.Seq, p.Version)
		}
	}
	return nil
}

// commits checks the bytes of every commit that the registry names, also of a table that
// cannot be read any more. Entries of older programs name none.
func (t *trail) commits(ctx context.Context, table *delta.Table) {
	for _, e := range t.entries {
		if e.Commit == "" {
			continue
		}
		switch key, d, err := table.Commit(ctx, *e.TableVersion); {
		case err != nil:
			t.r.found(key, "%v (registry entry %d)", err, e.Seq)
		case d != e.Commit:
			t.r.found(key, "it is %s, but registry entry %d says %s: it was changed", d, e.Seq, e.Commit)
		}
	}
}

// head uses a commit as an anchor: it names how many entries the registry had when its
// run was planned.
func (t *trail) head(p delta.Publication, name string) {
	head, err := strconv.ParseInt(p.Info["head"], 10, 64)
	if err == nil && head > t.log.Head() {
		t.r.found(name, "was planned when the registry had %d entries, and it has %d: its end was cut off", head, t.log.Head())
	}
}

// evidence checks the plan and the verdict behind a publication, and the decision of the
// gate, if there was one.
func (t *trail) evidence(ctx context.Context, p delta.Publication, name string) {
	d := store.Digest(p.Info["run"])
	if _, err := run.LoadPlan(ctx, t.a.Store, t.a.Pipeline, p.Batch, d); err != nil {
		t.r.found(name, "%v", err)
	}
	verdict, err := t.a.verdict(ctx, p.Batch, d, store.Digest(p.Info["decision"]))
	switch {
	case err != nil:
		t.r.found(name, "%v", err)
	case verdict.Verdict != run.Pass || verdict.Run != d:
		t.r.found(name, "was published on verdict %q of run %s", verdict.Verdict, run.Short(verdict.Run))
	case verdict.Gate != "":
		t.publish(ctx, verdict, name)
	}
	if err == nil {
		t.leftOut(name, verdict)
	}
}

// publish judges again whether a month may go out.
func (t *trail) publish(ctx context.Context, verdict *run.Data, name string) {
	data, err := t.a.Store.GetBlob(ctx, verdict.Gate)
	if err != nil {
		t.r.found(name, "the decision of its gate: %v", err)
		return
	}
	d := new(gate.Decision)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		t.r.found(name, "the decision of its gate cannot be read: %v", err)
		return
	}
	for _, why := range t.again(d, data) {
		t.r.found(name, "%s", why)
	}
	approved := verdict.Answer != nil && verdict.Answer.Approved
	if d.Verdict != gate.Pass && !approved {
		t.r.found(name, "was published although its gate says %s and nobody has approved that", d.Verdict)
	}
}

// served finds rows of the table that have the score of a model which was rejected before
// they were published. A restore by a person is let be.
func (t *trail) served(ctx context.Context, p delta.Publication) {
	if p.RestoredFrom > 0 {
		return
	}
	name := publicationName(p.Batch, p.Number)
	models := []store.Digest{store.Digest(p.Info["model"])}
	if d := store.Digest(p.Info["serving"]); d.Valid() {
		s := new(run.Serving)
		if err := run.LoadBlob(ctx, t.a.Store, d, s); err != nil {
			t.r.found(name, "who served whom: %v", err)
			return
		}
		models = s.Models()
	}
	head, err := strconv.ParseInt(p.Info["head"], 10, 64)
	if err != nil {
		t.r.found(name, "its commit does not say how many entries the registry had")
	}
	for _, m := range models {
		if e, ok := t.rejected[m]; ok && (head >= e.Seq || p.At.After(e.At)) {
			t.r.found(name, "has scores of model version %s, which registry entry %d had rejected", run.Short(m), e.Seq)
		}
	}
}

// files checks the bytes of a publication's data files against their names.
func (a *Auditor) files(ctx context.Context, r *Report, p delta.Publication, name string) error {
	for _, f := range p.Files {
		r.Files++
		key := run.TablePrefix(a.Pipeline) + "/" + f.Path
		data, err := a.Store.Get(ctx, key)
		if err != nil {
			r.found(key, "%v (of %s)", err, name)
			continue
		}
		if want := strings.TrimSuffix(path.Base(f.Path), ".parquet"); strings.TrimPrefix(string(store.DigestOf(data)), "sha256:") != want {
			r.found(key, "its bytes were changed (of %s)", name)
		}
	}
	return ctx.Err()
}
