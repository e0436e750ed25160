package workflows_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"headgate/workflows"
)

// Every card is Markdown that says what its page in the Web UI says, whatever people and
// data have written into it.
func TestCards(t *testing.T) {
	cases, err := filepath.Glob("testdata/cards/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil || len(ar.Files) != 2 {
				t.Fatalf("want a card and its Markdown: %v", err)
			}
			got := cardOf(t, ar.Files[0])
			if *update {
				ar.Files[1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(ar.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// cardOf returns the Markdown of the card that a file holds as JSON. Its name says which
// kind of card it is.
func cardOf(t *testing.T, file txtar.File) string {
	t.Helper()
	card, ok := map[string]interface{ Markdown() string }{
		"scorecard.json":  new(workflows.Scorecard),
		"release.json":    new(workflows.ReleaseCard),
		"evaluation.json": new(workflows.EvaluationCard),
		"training.json":   new(workflows.TrainingCard),
		"window.json":     new(workflows.WindowCard),
		"backfill.json":   new(workflows.BackfillCard),
		"shadow.json":     new(workflows.ShadowCard),
		"table.json":      new(workflows.TableCard),
	}[file.Name]
	if !ok {
		t.Fatalf("no kind of card is called %s", file.Name)
	}
	decoder := json.NewDecoder(bytes.NewReader(file.Data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(card); err != nil {
		t.Fatal(err)
	}
	return card.Markdown()
}
