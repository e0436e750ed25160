package dossier

import (
	"cmp"
	"fmt"
	"strings"

	"headgate/internal/registry"
	"headgate/internal/report"
)

// event says in words what an entry says.
func (r *Reader) event(e registry.Entry) report.Event {
	out := report.Event{Entry: e.Seq, Kind: e.Kind, At: e.At, By: e.By, Step: e.Step, Batch: e.Batch, Verdict: cmp.Or(e.Verdict, e.Answer, e.Control),
		What: e.Reason, Paper: string(cmp.Or(e.Paper, e.Decision))}
	if e.Model != "" {
		v := r.Version(e.Model)
		out.Model = &v
	}
	if out.What == "" || e.Kind == registry.KindAdvance || e.Kind == registry.KindVerdict {
		out.What = few(e)
	}
	return out
}

// few joins the reasons of an entry; of many that passed the first ones.
func few(e registry.Entry) string {
	const most = 3
	if e.Verdict != registry.VerdictPass || len(e.Reasons) <= most {
		return strings.Join(e.Reasons, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(e.Reasons[:most], "; "), len(e.Reasons)-most)
}
