package main

import (
	"strings"
	"testing"

	"headgate/internal/dossier"
	"headgate/internal/report/page"
	"headgate/internal/worker"
)

// reports makes the pages of a pipeline, in every format, as places to search: of all runs,
// months, releases and model versions, and its index.
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
	add := func(facts interface{ Page() *page.Page }, err error) {
		if err != nil {
			t.Fatal(err)
		}
		keep(page.JSON(facts))
		keep(page.HTML(facts.Page()))
		keep(page.Markdown(facts.Page()), nil)
	}
	for _, e := range r.Log.Entries() {
		if e.Run != "" {
			add(r.Batch(t.Context(), e.Batch, string(e.Run)))
		}
	}
	shelf, err := r.Shelf(t.Context())
	add(shelf, err)
	for _, name := range shelf.Names() {
		switch kind, name, _ := strings.Cut(name, "/"); kind {
		case "month":
			add(r.Month(t.Context(), name))
		case "release":
			add(r.Release(t.Context(), name))
		case "card":
			add(r.Card(t.Context(), name))
		}
	}
	if len(shelf.Months) == 0 || len(shelf.Runs) == 0 || len(shelf.Cards) == 0 {
		t.Fatal("there are no months, runs or model versions to report on")
	}
	return places
}
