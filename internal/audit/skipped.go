package audit

import (
	"context"

	"headgate/internal/registry"
	"headgate/internal/run"
	"headgate/internal/store"
)

// skipped checks the entry by which a person left a shard out.
func (t *trail) skipped(ctx context.Context, e registry.Entry) {
	s := new(run.Skip)
	if t.paper(ctx, e, s) == nil {
		return
	}
	t.same(e, "run", string(e.Run), string(s.Run))
	t.same(e, "by", e.By, s.By)
	t.same(e, "reason", e.Reason, s.Reason)
}

// leftOut checks that of every shard which a verdict leaves out an entry says so.
func (t *trail) leftOut(name string, d *run.Data) {
	entered := map[store.Digest]bool{}
	for _, e := range t.entries {
		if e.Kind == registry.KindSkipped {
			entered[e.Paper] = true
		}
	}
	for _, s := range d.Skipped {
		paper, err := run.Encode(s)
		if err != nil || !entered[store.DigestOf(paper)] {
			t.r.found(name, "leaves shard %d out, and no registry entry says who said so", s.Shard)
		}
	}
}
