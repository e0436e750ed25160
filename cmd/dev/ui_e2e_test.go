//go:build e2e

package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"headgate/cmd/dev/devserver"
	"headgate/workflows"
)

// readScorecards brings up again what a demo has left, and finds its months in the Web UI
// by their search attributes, with their scorecards.
func readScorecards(t *testing.T, dir string) {
	err := runSite(t.Context(), siteOptions{dir: dir}, t.Output(), func(_ context.Context, s *site) error {
		b := openBrowser(t)
		visitWorkflow(t, b, s.server.UI(), visit{
			query:    `HeadgateBatch="2024-02"`,
			columns:  viewNamed(t, "months").Columns,
			workflow: "score/retailer/2024-02",
			absent:   "score/retailer/2024-01",
			reads:    []string{"retailer 2024-02: published", "Quarantine", "80 rows of 200 allowed", "63 were corrected", "In quarantine by rule"},
			pictures: [3]string{"list.png", "timeline.png", "scorecard.png"},
		})
		visitWorkflow(t, b, s.server.UI(), visit{
			query:    `HeadgateBatch="2024-03"`,
			columns:  viewNamed(t, "months").Columns,
			workflow: "score/retailer/2024-03",
			absent:   "score/retailer/2024-02",
			reads:    []string{"retailer 2024-03: published", "Drift", "warn", "tenure", "month 03", "5,681 new and"},
			pictures: [3]string{2: "drift.png"},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A visit is what somebody does who looks for a workflow in the UI.
type visit struct {
	query    string    // in the list's query language
	columns  []string  // search attributes that the list shows, besides status, id and times
	workflow string    // id of the workflow that the list must show
	absent   string    // id of one that it must not show
	reads    []string  // what the workflow's page must say
	pictures [3]string // of the list, the timeline and the scorecard; "" for none
}

// visitWorkflow finds a workflow in the list, opens it and reads its scorecard, and
// leaves pictures.
func visitWorkflow(t *testing.T, b *browser, ui string, v visit) {
	t.Helper()
	list := ui + "/namespaces/" + devserver.Namespace + "/workflows?query=" + url.QueryEscape(v.query)
	b.open(t, list, v.workflow)
	b.remember(t, "namespace-workflow-table-columns", listColumns(v.columns))
	b.open(t, list, append([]string{v.workflow}, v.columns...)...)
	if b.shows(t, v.absent) {
		t.Errorf("the list for %s shows %s", v.query, v.absent)
	}
	keep := func(i int) {
		if name := v.pictures[i]; name != "" {
			b.picture(t, pictureFile(t, name))
		}
	}
	keep(0)
	b.click(t, v.workflow)
	b.reads(t, "Timeline", "Event History")
	b.do(t, "scroll to the timeline", chromedp.Evaluate[chromedp.Void](
		`[...document.querySelectorAll('h1, h2, h3')].find(h => h.innerText.trim() === 'Timeline')?.scrollIntoView()`))
	keep(1)
	b.click(t, "User Metadata")
	b.reads(t, v.reads...)
	keep(2)
}

// viewNamed returns one of the list views over the retailer.
func viewNamed(t *testing.T, name string) workflows.View {
	t.Helper()
	for _, v := range workflows.Views("retailer") {
		if v.Name == name {
			return v
		}
	}
	t.Fatalf("no list view is called %s", name)
	return workflows.View{}
}

// find opens a list view and waits until it shows the texts.
func (b *browser) find(t *testing.T, ui string, v workflows.View, texts ...string) {
	t.Helper()
	list := v.URL(ui, devserver.Namespace)
	b.open(t, list)
	b.remember(t, "namespace-workflow-table-columns", listColumns(v.Columns))
	b.open(t, list, append(texts, v.Columns...)...)
}

// listColumns is how the UI remembers which columns its list shows.
func listColumns(attributes []string) any {
	type column struct {
		Label string `json:"label"`
	}
	columns := []column{{"Status"}, {"Workflow ID"}}
	for _, name := range attributes {
		columns = append(columns, column{name})
	}
	return map[string][]column{devserver.Namespace: append(columns, column{"Start"}, column{"End"})}
}

// pictureFile is where a picture of the docs goes: the directory that HEADGATE_PICTURES
// names, an absolute one, or the test's own.
func pictureFile(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("HEADGATE_PICTURES"); dir != "" {
		return filepath.Join(dir, name)
	}
	return filepath.Join(t.ArtifactDir(), name)
}
