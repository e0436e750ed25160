package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"

	"headgate/internal/model"
	"headgate/internal/pass"
	"headgate/internal/run"
	"headgate/internal/store"
)

// patience is how many attempts of an activity a challenger that cannot be loaded may
// fail, if trying again may help. After that the champion goes on without it.
const patience = 3

// challengers loads the models that score beside the champion. One that cannot be loaded
// is nil and has a reason: it must not keep the champion.
func (a *Activities) challengers(ctx context.Context, models []store.Digest) (scorers []model.Scorer, reasons []string, err error) {
	scorers, reasons = make([]model.Scorer, len(models)), make([]string, len(models))
	for i, d := range models {
		v, err := a.challenger(ctx, d)
		switch {
		case err == nil:
			scorers[i] = v
		case ctx.Err() != nil:
			return nil, nil, err
		case kindOf(err) == "" && activity.GetInfo(ctx).Attempt < patience:
			return nil, nil, err
		default:
			reasons[i] = err.Error()
		}
	}
	return scorers, reasons, nil
}

// challenger loads a model. One that panics while it is read, or while it scores its
// golden rows, has an error.
func (a *Activities) challenger(ctx context.Context, d store.Digest) (s model.Scorer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fail(KindGoldenRows, "model %s broke off while it was loaded: %v", run.Short(d), p)
		}
	}()
	v, err := a.version(ctx, d)
	if err != nil {
		return nil, err
	}
	return v.Scorer, nil
}

// saveModels writes the score files of a shard by models that are not the champion.
// reasons say why models could not be loaded.
func (a *Activities) saveModels(ctx context.Context, r Run, shard int, models []store.Digest, reasons []string, outs []pass.ModelOutput) ([]run.ModelScores, error) {
	var all []run.ModelScores
	for i, out := range outs {
		m := run.ModelScores{Model: models[i], Failed: out.Failed}
		if reasons[i] != "" {
			m.Failed = reasons[i]
		}
		if out.Output != nil {
			m.Invalid = out.Output.Bad
		}
		if out.Scores != nil {
			o, err := run.Save(ctx, a.store, r.dir()+"/scores/"+run.Short(models[i]), fmt.Sprintf("%06d.parquet", shard), out.Scores)
			if err != nil {
				return nil, err
			}
			m.Scores = &o
		}
		all = append(all, m)
	}
	return all, nil
}
