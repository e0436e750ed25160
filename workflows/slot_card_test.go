package workflows_test

import (
	"os"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"headgate/activities"
	"headgate/workflows"
)

// What the cards of slots say, word by word: go test -run TestSlotCards -update rewrites it.
func TestSlotCards(t *testing.T) {
	march := workflows.SlotCard{Pipeline: "retailer", Batch: "2024-03", Stage: "WaitForData", Due: "Wed 2024-04-03 06:30 CEST",
		Data: "2024-04-05T04:30:00Z", Publish: "2024-04-06T04:30:00Z", Left: 57}
	with := func(change func(c *workflows.SlotCard)) workflows.SlotCard {
		c := march
		change(&c)
		return c
	}
	missing := activities.Missing{Batch: "2024-03", Due: time.Unix(0, 0), Reason: "no data came by 2024-04-05T04:30:00Z"}
	const path = "testdata/slot_cards.txtar"
	have, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range have.Files {
		want[f.Name] = string(f.Data)
	}
	have.Files = nil
	for _, tt := range []struct {
		name string
		card workflows.SlotCard
	}{
		{"waits for its data", march},
		{"cannot look", with(func(c *workflows.SlotCard) { c.Blind = "s3://lake: access denied" })},
		{"moved, and being scored", with(func(c *workflows.SlotCard) {
			c.Moved, c.Stage, c.Files, c.Bytes = "2024-04-01 is a holiday", "WaitForPublication", 3, 12_345_678
		})},
		{"asks", with(func(c *workflows.SlotCard) {
			c.Stage, c.Files, c.Bytes, c.Verdict, c.Reasons = "WaitForPublication", 1, 12_345, "ask", []string{"age has drifted"}
		})},
		{"blocked", with(func(c *workflows.SlotCard) {
			c.Stage, c.Files, c.Bytes, c.Verdict, c.Reasons = "WaitForPublication", 1, 12_345, "block", []string{"column visits_30d is missing"}
		})},
		{"published, and the entries run out", with(func(c *workflows.SlotCard) {
			c.Stage, c.Files, c.Bytes, c.Verdict, c.Outcome, c.Publication, c.Left = "Done", 1, 12_345, "pass", workflows.SlotPublished, 1, 2
		})},
		{"missing", with(func(c *workflows.SlotCard) {
			c.Stage, c.Outcome, c.Missed = "Done", workflows.SlotMissed, []activities.Missing{missing}
		})},
		{"published, and waits for an earlier one", with(func(c *workflows.SlotCard) {
			c.Stage, c.Files, c.Outcome, c.Publication = "WaitForEarlier", 1, workflows.SlotPublished, 1
			c.Earlier = []activities.Missing{{Batch: "2024-02", Reason: "it was never scored"}}
		})},
	} {
		got := tt.card.Markdown()
		have.Files = append(have.Files, txtar.File{Name: tt.name, Data: []byte(got)})
		if !*update && got != want[tt.name] {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want[tt.name])
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
