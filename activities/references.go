package activities

import (
	"context"
	"fmt"
	"slices"

	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// indexRows is how many keys of a reference set are sorted in memory at a time.
const indexRows = 1 << 20

// planReferences pins the files of the sets that relationships point to.
func (a *Activities) planReferences(ctx context.Context, f files, plan *run.Plan) error {
	for _, rel := range f.contract.Relationships {
		known := slices.ContainsFunc(plan.References, func(r run.Reference) bool { return r.Name == rel.Object })
		if rel.Object == f.contract.Table || known {
			continue
		}
		ref, err := a.planReference(ctx, f, rel.Object, plan.Batch)
		if err != nil {
			return err
		}
		plan.References = append(plan.References, ref)
	}
	return nil
}

func (a *Activities) planReference(ctx context.Context, f files, name, batch string) (run.Reference, error) {
	base, prefix, match := f.pipeline.ReferenceFiles(name, batch)
	ref := run.Reference{Name: name, Input: base}
	in, err := a.openInputs(ctx, base)
	if err != nil {
		return ref, err
	}
	defer in.close()
	keys, err := in.list(ctx, prefix, match)
	if err != nil {
		return ref, err
	}
	if len(keys) == 0 {
		return ref, fail(KindNoData, "no file matches %q, which has the %s that the contract points to, in %s",
			f.pipeline.References[name], name, in.bucket.URL())
	}
	for _, key := range keys {
		file, _, err := in.pin(ctx, key)
		if err != nil {
			return ref, err
		}
		ref.Files = append(ref.Files, file)
	}
	return ref, nil
}

// IndexReferencesInput names a run whose contract points to other sets.
type IndexReferencesInput struct{ Run }

// IndexReferencesOutput is where the keys of those sets are.
type IndexReferencesOutput struct {
	Paper run.Object `json:"paper"` // a run.Index
	Rows  int64      `json:"rows"`
}

// IndexReferences reads the key columns of the sets that relationships point to and
// writes them as sorted key lists, of a million keys each.
func (a *Activities) IndexReferences(ctx context.Context, in IndexReferencesInput) (IndexReferencesOutput, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (IndexReferencesOutput, error) {
		var out IndexReferencesOutput
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return out, err
		}
		index := run.Index{Format: run.Format, Lists: map[string][]run.Object{}}
		for _, rel := range f.contract.Relationships {
			at := slices.IndexFunc(plan.References, func(r run.Reference) bool { return r.Name == rel.Object })
			if at < 0 || index.Lists[rel.Rule] != nil {
				continue
			}
			lists, rows, err := a.indexReference(ctx, in.Run, plan, rel, plan.References[at], len(index.Lists), report)
			if err != nil {
				return out, err
			}
			index.Lists[rel.Rule] = lists
			out.Rows += rows
		}
		out.Paper, err = run.SaveJSON(ctx, a.store, in.dir(), "references.json", index)
		return out, err
	})
}

// indexReference writes the key lists of one relationship.
func (a *Activities) indexReference(ctx context.Context, r Run, plan *run.Plan, rel contract.Relationship, ref run.Reference, n int, report func(Progress)) ([]run.Object, int64, error) {
	src, err := a.openInputs(ctx, ref.Input)
	if err != nil {
		return nil, 0, err
	}
	defer src.close()
	lists := []run.Object{}
	var rows int64
	for _, file := range ref.Files {
		f, err := src.openPlanned(ctx, file)
		if err != nil {
			return nil, 0, err
		}
		err = a.sameKinds(ctx, plan, rel, f.File, file.Key)
		for _, part := range cutShards(0, f.RowGroups(), indexRows) {
			if err != nil {
				break
			}
			var o run.Object
			var keys []byte
			if keys, err = pass.IndexKeys(ctx, f.File, rel.To, part.FirstGroup, part.Groups); err != nil {
				break
			}
			o, err = run.Save(ctx, a.store, fmt.Sprintf("%s/references/%d", r.dir(), n), fmt.Sprintf("%06d.bin", len(lists)), keys)
			lists = append(lists, o)
			rows += part.Rows
			report(Progress{Done: rows})
		}
		f.close()
		if err != nil {
			return nil, 0, err
		}
	}
	return lists, rows, nil
}

// sameKinds refuses a relationship between columns whose values could never be equal,
// such as a number and its digits.
func (a *Activities) sameKinds(ctx context.Context, plan *run.Plan, rel contract.Relationship, set *columnar.File, key string) error {
	src, err := a.openFile(ctx, plan, plan.Files[0])
	if err != nil {
		return err
	}
	defer src.close()
	batch, err := src.openPlanned(ctx, plan.Files[0])
	if err != nil {
		return err
	}
	defer batch.close()
	for i, name := range rel.Columns {
		ours, theirs := fieldsNamed(batch.Schema(), name), fieldsNamed(set.Schema(), rel.To[i])
		if len(theirs) != 1 {
			return fail(KindConfig, "%s has no flat column %s, which the relationship %s points to", key, rel.To[i], rel.Rule)
		}
		if len(ours) == 1 && pass.KeyKind(ours[0].Type) != pass.KeyKind(theirs[0].Type) {
			return fail(KindConfig, "the relationship %s compares %s, which is %s, with %s of %s, which is %s: no key can be in the other set",
				rel.Rule, name, ours[0].Type, rel.To[i], key, theirs[0].Type)
		}
	}
	return nil
}
