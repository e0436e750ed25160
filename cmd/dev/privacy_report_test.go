package main

import (
	"testing"

	"headgate/internal/dossier"
	"headgate/internal/report/page"
	"headgate/internal/worker"
)

// reports makes the pages of all runs of a pipeline, in every format, as places to search.
func (w *watch) reports(t *testing.T, pipeline string) []place {
	t.Helper()
	r, err := dossier.Open(t.Context(), w.bucket, pipeline, worker.Formats())
	if err != nil {
		t.Fatal(err)
	}
	var places []place
	keep := func(data []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, place{"said:report", data})
	}
	for _, e := range r.Log.Entries() {
		if e.Run == "" {
			continue
		}
		facts, err := r.Batch(t.Context(), e.Batch, string(e.Run))
		if err != nil {
			t.Fatal(err)
		}
		keep(page.JSON(facts))
		keep(page.HTML(facts.Page()))
		keep(page.Markdown(facts.Page()), nil)
	}
	if len(places) == 0 {
		t.Fatal("there are no runs to report on")
	}
	return places
}
