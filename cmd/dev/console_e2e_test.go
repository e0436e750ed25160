//go:build e2e

package main

import (
	"encoding/binary"
	"image"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"

	"headgate/internal/registry"
	"headgate/internal/retailer"
	papers "headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
)

// promotedFromTheList finds the release that waits in the list view of what waits for a
// person, opens it, reads its scorecard, approves it there, and sees the candidate become
// the champion when it has served its months.
func (p *releasePage) promotedFromTheList(candidate store.Digest) {
	t, id := p.t, workflows.ReleaseID("retailer")
	p.find(t, p.server.UI(), viewNamed(t, "person"), id, "an answer for step 10%", "ann", "bob")
	if scored := workflows.ScoreID("retailer", "2024-02"); p.shows(t, scored) {
		t.Errorf("the list of what waits for a person shows %s", scored)
	}
	p.do(t, "lower", chromedp.EmulateViewport(1280, 560))
	p.cut(t, pictureFile(t, "console-list.png"), image.Rect(256, 60, 1280, 400))
	p.do(t, "higher", chromedp.EmulateViewport(1280, 1200))
	p.click(t, id)
	p.click(t, "User Metadata")
	p.reads(t, "waits for an answer", "ann or bob may answer", "may "+papers.Short(candidate)+" enter step 10%", "What the gate found")
	p.cut(t, pictureFile(t, "console-scorecard.png"), besideTheMenu)
	p.fillIn(workflows.UpdateApprove, fill(p.paste("nonce"), "ann", "better in all regions"))
	p.confirm("")
	p.until("routing of the third", func(e registry.Entry) bool {
		return e.Kind == registry.KindRouting && e.Step == "10%" && e.Release == p.releaseOf(candidate)
	})
	p.month("2024-03")
	p.month("2024-04")
	p.until("promotion", func(e registry.Entry) bool { return e.Kind == registry.KindPromote && e.Model == candidate })
	p.visit("100%", "watch", "brings the champion before back")
	p.cut(t, pictureFile(t, "console-promoted.png"), image.Rect(256, 60, 1280, 1000))
	p.find(t, p.server.UI(), viewNamed(t, "release"), id, papers.Short(candidate)+" 100%")
	if champion := p.champion(); champion != candidate {
		t.Errorf("the champion is %s, want %s", champion, candidate)
	}
}

// skippedFromTheList delivers a month of which a file is damaged, finds it in the list of
// what waits for a person, and leaves the file out.
func (p *releasePage) skippedFromTheList() {
	const batch = "2024-05"
	t, id := p.t, workflows.ScoreID("retailer", batch)
	p.damaged(batch)
	if _, err := workflows.StartScore(t.Context(), p.client, "", workflows.ScoreBatchInput{Pipeline: "retailer", Batch: batch, By: "test"}); err != nil {
		t.Fatal(err)
	}
	p.visitWorkflow(id, "waits for a person", "Fails", "part-0001.parquet")
	p.find(t, p.server.UI(), viewNamed(t, "person"), id, "skipShard or retryNow of shard 1", "anybody")
	p.click(t, id)
	p.click(t, "User Metadata")
	p.reads(t, "a person decides", "Anybody may act")
	p.cut(t, pictureFile(t, "console-shard.png"), besideTheMenu)
	p.send(workflows.UpdateSkipShard, `{"shard": 0, "by": "ann", "reason": "a slip"}`, "shard 0 has its result already")
	p.visitWorkflow(id, "waits for a person")
	p.send(workflows.UpdateSkipShard, p.filled(workflows.UpdateSkipShard, "ann", "the supplier has no other copy"), "")
	p.until("skip", func(e registry.Entry) bool {
		return e.Kind == registry.KindSkipped && e.Batch == batch && e.By == "ann" && e.Reason == "the supplier has no other copy"
	})
	p.until("publication with a gap", func(e registry.Entry) bool { return e.Kind == registry.KindPublished && e.Batch == batch })
	p.visitWorkflow(id, "published", "Left out", "shard 1 was left out by ann")
	p.cut(t, pictureFile(t, "console-skipped.png"), besideTheMenu)
}

// damaged delivers a month in two files, of which the second has other bytes in its last
// column than were written.
func (r *releaseSite) damaged(batch string) {
	r.t.Helper()
	dir := filepath.Join(r.root(), "incoming", "retailer", batch)
	paths, err := r.shop.WriteDir(r.t.Context(), dir, batch, &retailer.Options{Parts: 2})
	if err == nil {
		err = damage(paths[1])
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// damage gives a Parquet file other bytes in its last column than were written; its footer
// stays as it is.
func damage(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	footer := int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	data[len(data)-8-footer-100] ^= 0xff
	return os.WriteFile(file, data, 0o666)
}

// releaseOf names the release that a candidate asks for.
func (r *releaseSite) releaseOf(candidate store.Digest) string {
	for _, e := range r.entries() {
		if e.Kind == registry.KindCandidate && e.Model == candidate {
			return e.Release
		}
	}
	return ""
}
