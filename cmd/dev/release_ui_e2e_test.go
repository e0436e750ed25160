//go:build e2e

package main

import (
	"image"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"headgate/cmd/dev/devserver"
	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/workflows"
)

// Whatever an operator says to a release can be said from the Web UI, with what the
// scorecard gives to paste: hold, resume, approve, roll back, reject. The list view finds
// what waits for a person; a batch with a damaged file is among that.
func TestReleaseFromTheWebUI(t *testing.T) {
	withReleases(t, shortWay+"  approve: { steps: [10%], people: [{ name: ann, roles: [owner] }, { name: bob }] }\n", func(r *releaseSite) {
		champion := r.champion()
		first, second := r.register(r.pipeline(), 0, false), r.register(r.pipeline(), 0.01, false)
		b := openBrowser(t)
		b.do(t, "narrow", chromedp.EmulateViewport(1280, 1200))
		p := &releasePage{browser: b, releaseSite: r}

		r.candidate(first)
		r.asks("10%", first)
		p.visit("waits for an answer", "ann or bob may answer", "What the gate found", "Orders")
		p.cut(t, pictureFile(t, "release-asks.png"), besideTheMenu)
		stale := p.paste("nonce")
		p.held()
		p.approved(stale, first)
		p.rolledBack(champion, first)

		r.candidate(second)
		r.asks("10%", second)
		p.visit("waits for an answer")
		p.rejected(second)

		third := r.register(r.pipeline(), 0.02, false)
		r.candidate(third)
		r.asks("10%", third)
		p.promotedFromTheList(third)
		p.skippedFromTheList()
	}, "budget: 1%", "budget: 60%", "parallel: 4", "parallel: 4\n  onFail: ask")
}

// champion is the one in force.
func (r *releaseSite) champion() store.Digest {
	r.t.Helper()
	log, err := registry.Load(r.t.Context(), r.bucket, "retailer")
	if err != nil {
		r.t.Fatal(err)
	}
	state := log.State()
	return state.Champion()
}

// held holds the release and resumes it.
func (p *releasePage) held() {
	t := p.t
	p.send(workflows.UpdateHold, `{"by": "ann", "reason": "the shop has its sale"}`, "")
	p.until("hold", func(e registry.Entry) bool {
		return e.Kind == registry.KindControl && e.Control == registry.ControlHold && e.By == "ann" && e.Reason == "the shop has its sale"
	})
	p.visit("held", "whoever resumes it", "ann: the shop has its sale")
	p.cut(t, pictureFile(t, "release-held.png"), besideTheMenu)
	p.send(workflows.UpdateResume, p.filled("resume", "ann", "the sale is over"), "")
	p.until("resume", func(e registry.Entry) bool {
		return e.Kind == registry.KindControl && e.Control == registry.ControlResume && e.By == "ann" && e.Reason == "the sale is over"
	})
}

// approved answers the question that was open before, which is refused, and then the one
// that is open.
func (p *releasePage) approved(stale string, candidate store.Digest) {
	t := p.t
	p.visit("waits for an answer")
	p.send(workflows.UpdateApprove, fill(stale, "ann", "late"), "the answer is to another question")
	p.until("refusal", func(e registry.Entry) bool {
		return e.Kind == registry.KindApproval && e.Answer == registry.AnswerRefused && e.By == "ann" && e.Reason != ""
	})
	p.visit("waits for an answer")
	p.send(workflows.UpdateApprove, fill(p.paste("nonce"), "eve", "mine"), "eve is not among the people who may answer")
	p.visit("waits for an answer")
	p.fillIn(workflows.UpdateApprove, fill(p.paste("nonce"), "ann", "better in all regions"))
	p.cut(t, pictureFile(t, "release-approve.png"), image.Rect(240, 320, 1040, 880))
	p.confirm("")
	p.until("approval", func(e registry.Entry) bool {
		return e.Kind == registry.KindApproval && e.Answer == "approve" && e.By == "ann" && e.Reason != "late"
	})
	p.until("routing of step 10%", func(e registry.Entry) bool { return e.Kind == registry.KindRouting && e.Step == "10%" })
	p.card("candidate that serves 10%", func(c workflows.ReleaseCard) bool {
		return len(c.Arms) == 2 && c.Arms[1].Model == string(candidate) && c.Arms[1].Share == 1000
	})
}

// rolledBack lets the candidate serve a month in part, and takes it back.
func (p *releasePage) rolledBack(champion, candidate store.Digest) {
	t := p.t
	p.month("2024-02")
	if models := p.served("2024-02"); !slices.Contains(models, candidate) {
		t.Errorf("February was served by %v, without the candidate %s", models, candidate)
	}
	p.visit("10%", "rollback")
	p.send(workflows.UpdateRollback, p.filled("rollback", "bob", "odd scores"), "")
	p.until("rollback", func(e registry.Entry) bool {
		return e.Kind == registry.KindControl && e.Control == registry.ControlRollback && e.By == "bob" && e.Reason == "odd scores"
	})
	p.until("rejection", func(e registry.Entry) bool { return e.Kind == registry.KindRejected && e.Model == candidate })
	eventually(p.releaseSite, "publication of February from the champion", func() (bool, bool) {
		return true, slices.Equal(p.served("2024-02"), []store.Digest{champion})
	})
	p.visit("rejected", "odd scores")
	p.cut(t, pictureFile(t, "release-rolled-back.png"), besideTheMenu)
}

// rejected rejects the candidate that asks.
func (p *releasePage) rejected(candidate store.Digest) {
	p.send(workflows.UpdateReject, fill(p.paste("nonce"), "bob", "it knows too much"), "")
	p.until("rejection of the second", func(e registry.Entry) bool { return e.Kind == registry.KindRejected && e.Model == candidate })
	p.visit("rejected", "it knows too much")
	if champion := p.champion(); champion == candidate {
		p.t.Errorf("the rejected candidate %s is the champion", candidate)
	}
}

// besideTheMenu is what a window of 1280 × 1200 shows of the Web UI beside its menu.
var besideTheMenu = image.Rect(256, 60, 1280, 1200)

// A releasePage is the page of the release's workflow.
type releasePage struct {
	*browser
	*releaseSite
}

// visit opens the scorecard of the release, and waits until it says each of the texts.
func (p *releasePage) visit(texts ...string) {
	p.t.Helper()
	p.visitWorkflow(workflows.ReleaseID("retailer"), texts...)
}

// visitWorkflow opens the scorecard of a workflow, and waits until it says each of the
// texts.
func (p *releasePage) visitWorkflow(id string, texts ...string) {
	p.t.Helper()
	page := p.server.UI() + "/namespaces/" + devserver.Namespace + "/workflows/" + url.PathEscape(id)
	for end := time.Now().Add(patience); ; {
		p.open(p.t, page, "Timeline")
		p.click(p.t, "User Metadata")
		p.reads(p.t, "Current Details")
		missing := ""
		for tries := 0; tries < 20; tries++ {
			if missing = p.missing(texts); missing == "" {
				return
			}
			p.do(p.t, "wait", chromedp.Sleep(100*time.Millisecond))
		}
		if time.Now().After(end) {
			p.picture(p.t, pictureFile(p.t, "seen.png"))
			p.t.Fatalf("the scorecard does not say %q; see seen.png", missing)
		}
	}
}

// missing returns the first of the texts that the page does not show.
func (p *releasePage) missing(texts []string) string {
	for _, text := range texts {
		if !p.shows(p.t, text) {
			return text
		}
	}
	return ""
}

// pasted finds the JSON that the scorecard gives to paste: the block or the cell of the
// row that has a word.
const pasted = `(word) => {
	for (const frame of document.querySelectorAll('iframe')) {
		for (const code of frame.contentDocument?.querySelectorAll('code') ?? []) {
			const about = (code.closest('tr') ?? code).innerText;
			if (code.innerText.startsWith('{') && about.includes(word)) return code.innerText;
		}
	}
	return '';
}`

// paste returns the JSON that the scorecard gives to paste for something.
func (p *releasePage) paste(word string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("("+pasted+")("+strconv.Quote(word)+")"))
	if err != nil || text == "" {
		p.t.Fatalf("the scorecard has nothing to paste for %s (%v)", word, err)
	}
	return text
}

// filled is what there is to paste, with a name and a reason.
func (p *releasePage) filled(word, by, reason string) string {
	p.t.Helper()
	return fill(p.paste(word), by, reason)
}

func fill(text, by, reason string) string {
	return strings.NewReplacer("your name", by, "why", reason).Replace(text)
}

// visible finds what is shown and begins with a line: the page has some things twice, for
// wide and narrow windows.
const visible = `(selector, text) => [...document.querySelectorAll(selector)].find(e => e.checkVisibility() && e.getClientRects().length && (!text || e.innerText.trim().split('\n')[0] == text))`

// press clicks what is shown, when it is.
func (p *releasePage) press(selector, text string) {
	p.t.Helper()
	what := "(" + visible + ")(" + strconv.Quote(selector) + ", " + strconv.Quote(text) + ")"
	p.do(p.t, "press "+selector+" "+text,
		chromedp.Poll[chromedp.Void]("(() => { const e = "+what+"; if (!e || e.disabled) return false; e.click(); return true; })()",
			chromedp.WithPollingInterval(50*time.Millisecond)))
}

// fillIn opens the form of an Update and fills it in.
func (p *releasePage) fillIn(update, data string) {
	p.t.Helper()
	p.press("button[aria-controls=workflow-actions]", "")
	p.press("[data-testid=update-button]", "")
	p.press("[data-testid=update-select-button]", "")
	p.press("#update-confirmation-modal [role=option]", update)
	editor := "(" + visible + ")('#update-confirmation-modal .cm-content', '')"
	p.do(p.t, "type", chromedp.Poll[chromedp.Void]("(() => { const e = "+editor+"; if (!e) return false; e.focus(); return document.execCommand('insertText', false, "+strconv.Quote(data)+"); })()",
		chromedp.WithPollingInterval(50*time.Millisecond)))
}

// confirm sends what is filled in. The UI says refused if it was not taken.
func (p *releasePage) confirm(refused string) {
	p.t.Helper()
	p.press("#update-confirmation-modal [data-testid=confirm-modal-button]", "")
	if refused != "" {
		p.reads(p.t, refused)
	}
}

// send sends an Update with data, and reads why it was refused if it is to be.
func (p *releasePage) send(update, data, refused string) {
	p.t.Helper()
	p.fillIn(update, data)
	p.confirm(refused)
}
