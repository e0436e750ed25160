package activities

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/delta"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/serving"
	"headgate/internal/store"
)

// AssembleShardInput names a scored shard and the verdict that lets it out.
type AssembleShardInput struct {
	Run
	Shard  int        `json:"shard"`
	Result run.Object `json:"result"` // the shard's run.ShardResult
	Data   run.Object `json:"data"`   // the batch's run.Data

	Serving store.Digest `json:"serving,omitempty"` // blob of a run.Serving; "": the champion serves all
}

// AssembleShard writes the published rows of a shard into the table's root, where
// no reader sees them before a commit names them. Rows that were quarantined late
// stay out.
func (a *Activities) AssembleShard(ctx context.Context, in AssembleShardInput) (run.Object, error) {
	return stage(ctx, func(ctx context.Context, report func(Progress)) (run.Object, error) {
		plan, f, err := a.plan(ctx, in.Run)
		if err != nil {
			return run.Object{}, err
		}
		var result run.ShardResult
		if err := run.LoadJSON(ctx, a.store, in.Result, &result); err != nil {
			return run.Object{}, err
		}
		late, err := a.late(ctx, in)
		if err != nil {
			return run.Object{}, err
		}
		file := run.TableFile{Shard: in.Shard}
		if result.Scores != nil {
			if file, err = a.assemble(ctx, in, plan, f, &result, late); err != nil {
				return run.Object{}, err
			}
		}
		if file.Rows+int64(len(late)) != result.Scored {
			return run.Object{}, fail(KindCorrupt, "shard %d: %d rows published and %d quarantined late of %d scored",
				in.Shard, file.Rows, len(late), result.Scored)
		}
		return run.SaveJSON(ctx, a.store, in.dir()+"/table", fmt.Sprintf("%06d.json", in.Shard), file)
	})
}

// passed loads a verdict. One that is no pass lets nothing out.
func (a *Activities) passed(ctx context.Context, r Run, o run.Object) (*run.Data, error) {
	var data run.Data
	if err := run.LoadJSON(ctx, a.store, o, &data); err != nil {
		return nil, err
	}
	if data.Verdict != run.Pass || data.Run != r.Run {
		return nil, fail(KindCorrupt, "verdict %q of run %s lets nothing out", data.Verdict, data.Run)
	}
	return &data, nil
}

// late returns the rules by row ordinal of the shard's late rows.
func (a *Activities) late(ctx context.Context, in AssembleShardInput) (map[int64]string, error) {
	data, err := a.passed(ctx, in.Run, in.Data)
	if err != nil {
		return nil, err
	}
	return data.LateRows(in.Shard), nil
}

func (a *Activities) assemble(ctx context.Context, in AssembleShardInput, plan *run.Plan, f files, result *run.ShardResult, late map[int64]string) (run.TableFile, error) {
	out := run.TableFile{Shard: in.Shard}
	v, err := a.version(ctx, plan.Champion)
	if err != nil {
		return out, err
	}
	file, err := serving.Open(ctx, a.store, *result.Scores)
	if err != nil {
		return out, err
	}
	shard := plan.Shards[in.Shard]
	rows := pass.AssembleInput{
		Scores: file, Name: plan.Files[shard.File].Key, FirstRow: shard.FirstRow, Entity: f.contract.Entity(),
		Columns: pass.TableColumns(f.contract, f.pipeline.Scores.Keep), Outputs: v.Scorer.Outputs(), Late: late,
		Model: string(plan.Champion), Contract: string(plan.Contract), Run: string(in.Run.Run),
		Compression: f.pipeline.Scores.Compression, Hidden: pass.Hidden(f.contract),
	}
	if err := a.choose(ctx, in, result, &rows); err != nil {
		return out, err
	}
	got, err := pass.Assemble(ctx, rows)
	if err != nil {
		return out, err
	}
	if out.Serving = in.Serving; in.Serving != "" {
		out.Models = rowsByModel(rows, got)
	}
	if got.Quarantine != nil {
		o, err := run.Save(ctx, a.store, in.dir()+"/quarantine", fmt.Sprintf("%06d-late.parquet", in.Shard), got.Quarantine)
		if err != nil {
			return out, err
		}
		out.Quarantine = &o
	}
	if got.Data == nil {
		return out, nil
	}
	return out, a.saveTableFile(ctx, in.Run, fmt.Sprintf("%06d", in.Shard), got, &out)
}

// saveTableFile writes an assembled file into the table's root, and says in out what
// it is.
func (a *Activities) saveTableFile(ctx context.Context, r Run, name string, got *pass.Assembled, out *run.TableFile) (err error) {
	out.Digest = store.DigestOf(got.Data)
	out.Path = delta.FilePath(r.Batch, strings.TrimPrefix(string(out.Digest), "sha256:")+".parquet")
	out.Size, out.Rows, out.Stats, out.Values = int64(len(got.Data)), got.Rows, got.Stats, digest(got.Values)
	if out.Fields, err = tableFields(got.Schema); err != nil {
		return err
	}
	// The run keeps a copy of its own: a restore needs it when someone has vacuumed the table.
	if _, err := run.Save(ctx, a.store, r.dir()+"/table", name+".parquet", got.Data); err != nil {
		return err
	}
	return a.store.Put(ctx, run.TablePrefix(r.Pipeline)+"/"+out.Path, got.Data)
}

// tableFields returns the columns of an assembled file as Delta Lake names them.
func tableFields(schema *arrow.Schema) ([]delta.Field, error) {
	var fields []delta.Field
	for _, field := range schema.Fields() {
		t, err := deltaType(field.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", field.Name, err)
		}
		fields = append(fields, delta.Field{Name: field.Name, Type: t, Nullable: true})
	}
	return fields, nil
}

// deltaType returns the Delta Lake type of a column (protocol, "Primitive Types").
func deltaType(t arrow.DataType) (string, error) {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return deltaType(t.ValueType)
	case *arrow.TimestampType:
		if t.Unit == arrow.Microsecond && t.TimeZone != "" {
			return "timestamp", nil
		}
	case *arrow.Decimal128Type:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale), nil
	}
	names := map[arrow.Type]string{
		arrow.STRING: "string", arrow.BINARY: "binary", arrow.BOOL: "boolean", arrow.DATE32: "date",
		arrow.INT8: "byte", arrow.INT16: "short", arrow.INT32: "integer", arrow.INT64: "long",
		arrow.FLOAT32: "float", arrow.FLOAT64: "double",
	}
	if name, ok := names[t.ID()]; ok {
		return name, nil
	}
	return "", fmt.Errorf("%s has no type in Delta Lake", t)
}

// fieldsNamed returns the fields of that name, none or one.
func fieldsNamed(s *arrow.Schema, name string) []arrow.Field {
	fields, _ := s.FieldsByName(name)
	return fields
}
