package workflows_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"headgate/internal/calendar"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/store/storetest"
	"headgate/workflows"
)

// monthly expects a month of the retailer on the third of the next, from January 2024 on:
// its data within two days, and its publication a day later.
func (w *world) monthly(change func(c *calendar.Calendar)) store.Digest {
	w.t.Helper()
	c := &calendar.Calendar{Format: calendar.Format, Pipeline: "retailer", Kind: calendar.Month, Zone: "Europe/Berlin", Day: 3, At: "06:30",
		For: calendar.Previous, First: "2024-01", WaitSeconds: 48 * 3600, PublishSeconds: 72 * 3600, PollSeconds: 3600}
	change(c)
	d, err := run.SaveBlob(w.t.Context(), w.bucket, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

var asIs = func(*calendar.Calendar) {}

// due is when February 2024 is due: January's slot was a month before.
var due = time.Date(2024, 3, 3, 5, 30, 0, 0, time.UTC)

// slot lets a slot happen that is due at a moment and begins so much later. The calls
// happen so long after it began.
func (w *world) slot(schedule store.Digest, at time.Time, late time.Duration, calls map[time.Duration]func(env *testsuite.TestWorkflowEnvironment)) (workflows.SlotOutput, workflows.SlotCard, error) {
	w.t.Helper()
	env := w.env()
	env.SetStartTime(at.Add(late))
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "slot/" + at.Format(time.DateTime), WorkflowExecutionTimeout: 100 * 24 * time.Hour})
	if err := env.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime").ValueSet(at))); err != nil {
		w.t.Fatal(err)
	}
	for after, call := range calls {
		env.RegisterDelayedCallback(func() { call(env) }, after)
	}
	env.ExecuteWorkflow(workflows.Slot, workflows.SlotInput{Pipeline: "retailer", Schedule: schedule})
	var out workflows.SlotOutput
	err := env.GetWorkflowResult(&out)
	var card workflows.SlotCard
	value, queryErr := env.QueryWorkflow("slot")
	if queryErr == nil {
		queryErr = value.Get(&card)
	}
	if queryErr != nil {
		w.t.Fatal(queryErr)
	}
	return out, card, err
}

// named lists the batches that the registry names as missing, with why.
func (w *world) named() []string {
	var all []string
	for _, e := range w.registry().Of(registry.KindMissed) {
		all = append(all, e.Batch+": "+e.Reason)
	}
	return all
}

// published counts the publications of a batch.
func (w *world) published(batch string) int {
	n := 0
	for _, e := range w.registry().Of(registry.KindPublished) {
		if e.Batch == batch {
			n++
		}
	}
	return n
}

func TestSlotScoresTheMonthThatIsDue(t *testing.T) {
	for _, tt := range []struct {
		name string
		late time.Duration // the slot begins so much later
		data time.Duration // comes so long after that; 0: it is there
	}{
		{name: "the data is there"},
		{name: "the data comes within a day", data: 26 * time.Hour},
		{name: "the data comes in the last hour", data: 48*time.Hour - 30*time.Minute},
		{name: "the server was down for three weeks", late: 21 * 24 * time.Hour},
		{name: "somebody starts it between two slots", late: -10*time.Minute + 28*24*time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 200)
			calls := map[time.Duration]func(*testsuite.TestWorkflowEnvironment){}
			deliver := func(*testsuite.TestWorkflowEnvironment) { w.deliver("2024-02", retailer.Options{}) }
			if tt.data == 0 {
				deliver(nil)
			} else {
				calls[tt.data] = deliver
			}
			schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" })
			out, card, err := w.slot(schedule, due, tt.late, calls)
			if err != nil {
				t.Fatal(err)
			}
			if out.Batch != "2024-02" || !out.Due.Equal(due) || out.Outcome != workflows.SlotPublished || out.Publication != 1 || len(out.Missed) != 0 {
				t.Errorf("%+v", out)
			}
			if w.published("2024-02") != 1 || len(w.named()) != 0 {
				t.Errorf("%d publications, named %v", w.published("2024-02"), w.named())
			}
			if card.Stage != "Done" || card.Due != "Sun 2024-03-03 06:30 CET" || card.Files == 0 {
				t.Errorf("card %+v", card)
			}
		})
	}
}

func TestSlotNamesAMonthWithoutData(t *testing.T) {
	for _, tt := range []struct {
		name string
		late time.Duration
		want string
	}{
		{"it waits for the contract's time", 0, "2024-02: no data came by 2024-03-05T05:30:00Z"},
		{"one that begins too late does not wait", 96 * time.Hour, "2024-02: no data came by 2024-03-07T07:30:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 200)
			schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" })
			out, card, err := w.slot(schedule, due, tt.late, nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.Outcome != workflows.SlotMissed || len(out.Missed) != 1 || out.Missed[0].Batch != "2024-02" {
				t.Errorf("%+v", out)
			}
			if named := w.named(); !slices.Equal(named, []string{tt.want}) {
				t.Errorf("named %q, want %q", named, tt.want)
			}
			for _, text := range []string{"### retailer 2024-02: **missing**", "- **2024-02**: no data came by", "starter schedule trigger retailer --batch 2024-02"} {
				if !strings.Contains(card.Markdown(), text) {
					t.Errorf("the card does not say %q:\n%s", text, card.Markdown())
				}
			}
			w.deliver("2024-02", retailer.Options{})
			again, _, err := w.slot(schedule, due, 30*24*time.Hour, nil)
			if err != nil || again.Outcome != workflows.SlotPublished {
				t.Errorf("when the data came: %+v, %v", again, err)
			}
			if b := w.registry().State().Batches["2024-02"]; b.Missed != "" || b.Publication != 1 {
				t.Errorf("it is not closed: %+v", b)
			}
			w.audited("2024-02")
		})
	}
}

func TestSlotNamesAMonthThatIsBlocked(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-02", retailer.Options{Fault: retailer.MissingColumn})
	out, card, err := w.slot(w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" }), due, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if named := w.named(); len(named) != 1 || !strings.HasPrefix(named[0], "2024-02: its last verdict is block: ") || out.Outcome != workflows.SlotMissed {
		t.Errorf("named %q, %+v", named, out)
	}
	if e, _ := w.registry().Find("missed/2024-02"); !e.At.Equal(due.Add(72*time.Hour)) || !e.Slot.Equal(due) {
		t.Errorf("named at %s, slot %s: a blocked month has until its time is up", e.At, e.Slot)
	}
	if card.Verdict != "block" || len(card.Reasons) == 0 {
		t.Errorf("card %+v", card)
	}
}

// January's slot never ran: the one of February waits until no slot can be at it any more,
// and names it, once. March's finds nothing to name.
func TestSlotNamesEarlierMonthsThatNobodyHasNamed(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-02", retailer.Options{})
	w.deliver("2024-03", retailer.Options{})
	schedule := w.monthly(asIs)
	out, card, err := w.slot(schedule, due, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if out.Outcome != workflows.SlotPublished || len(out.Missed) != 1 || out.Missed[0].Batch != "2024-01" || card.Stage != "Done" || len(card.Earlier) != 0 {
		t.Errorf("%+v, card %+v", out, card)
	}
	if named := w.named(); len(named) != 1 || !strings.HasPrefix(named[0], "2024-01: it was never scored: its slot did not run") {
		t.Errorf("named %q", named)
	}
	out, _, err = w.slot(schedule, due.AddDate(0, 1, 0).Add(-time.Hour), 0, nil)
	if err != nil || out.Batch != "2024-03" || len(out.Missed) != 0 || len(w.named()) != 1 {
		t.Errorf("March: %+v, %v, named %q", out, err, w.named())
	}
	w.audited("2024-02")
}

// The server was down over two slots, and both begin at once: the later one does not name
// the earlier one, which is being scored.
func TestSlotGivesEarlierMonthsTheirTime(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-01", retailer.Options{})
	w.deliver("2024-02", retailer.Options{})
	scored := func(*testsuite.TestWorkflowEnvironment) { w.mustScore("2024-01") }
	out, _, err := w.slot(w.monthly(asIs), due, 0, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){5 * time.Hour: scored})
	if err != nil || out.Outcome != workflows.SlotPublished || len(out.Missed) != 0 || len(w.named()) != 0 {
		t.Errorf("%+v, %v, named %q", out, err, w.named())
	}
}

func TestSlotLeavesAPublishedMonthAlone(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-02", retailer.Options{})
	w.mustScore("2024-02")
	head := w.registry().Head()
	out, _, err := w.slot(w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" }), due, 0, nil)
	if err != nil || out.Outcome != workflows.SlotPublished || w.registry().Head() != head {
		t.Errorf("%+v, %v, %d new entries", out, err, w.registry().Head()-head)
	}
}

func TestSlotWaitsForFilesThatChange(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-02", retailer.Options{Parts: 2})
	var reads int
	calls := map[time.Duration]func(*testsuite.TestWorkflowEnvironment){}
	for i := range 3 {
		calls[time.Duration(i)*time.Hour+30*time.Minute] = func(*testsuite.TestWorkflowEnvironment) {
			if w.published("2024-02") > 0 {
				t.Error("published while files change")
			}
			w.deliver("2024-02", retailer.Options{Parts: 3 + i})
			reads++
		}
	}
	out, card, err := w.slot(w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" }), due, 0, calls)
	if err != nil || out.Outcome != workflows.SlotPublished || reads != 3 || card.Files != 5 {
		t.Errorf("%+v, %v, card %+v", out, err, card)
	}
}

// A slot that cannot look does not give up before its time, and says why it saw nothing.
func TestSlotThatCannotLook(t *testing.T) {
	w := newWorld(t, 200)
	if err := w.bucket.Delete(t.Context(), store.BlobKey(w.registry().State().Pipeline)); err != nil {
		t.Fatal(err)
	}
	out, card, err := w.slot(w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" }), due, 0, nil)
	if err != nil || out.Outcome != workflows.SlotMissed || !strings.Contains(strings.Join(w.named(), ""), "nobody could look for its data: ") || card.Blind == "" {
		t.Errorf("%+v, %v, named %q", out, err, w.named())
	}
}

// What is missing over many years is named by one slot, some at a time.
func TestSlotNamesAllMonthsOfManyYears(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-02", retailer.Options{})
	schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2018-01" })
	out, _, err := w.slot(schedule, due, 0, nil)
	if err != nil || out.Outcome != workflows.SlotPublished || len(out.Missed) != 73 || len(w.named()) != 73 {
		t.Errorf("%v, %s, named %d and %d", err, out.Outcome, len(out.Missed), len(w.named()))
	}
}

// A look that sees nothing is not one that sees the same files again.
func TestSlotThatCannotLookTwice(t *testing.T) {
	w := newWorld(t, 200)
	w.deliver("2024-02", retailer.Options{})
	var broken atomic.Bool
	w.bucket = w.bucket.Intercept(func(_ context.Context, c store.Call, do func() error) error {
		if broken.Load() {
			return storetest.ErrLost
		}
		return do()
	})
	schedule := w.monthly(func(c *calendar.Calendar) { c.First = "2024-02" })
	_, _, err := w.slot(schedule, due, 0, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		time.Minute: func(*testsuite.TestWorkflowEnvironment) { broken.Store(true) },
		100 * time.Minute: func(env *testsuite.TestWorkflowEnvironment) { // the second look has failed
			broken.Store(false)
			var card workflows.SlotCard
			value, err := env.QueryWorkflow("slot")
			if err == nil {
				err = value.Get(&card)
			}
			if err != nil || card.Blind == "" || card.Stage != "WaitForData" {
				t.Errorf("%v, %+v", err, card)
			}
		}})
	if err != nil || w.published("2024-02") != 1 {
		t.Errorf("%v, published %d times", err, w.published("2024-02"))
	}
}

func TestSlotOfNoBatch(t *testing.T) {
	w := newWorld(t, 200)
	_, _, err := w.slot(w.monthly(asIs), time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), 0, nil)
	if err == nil || !strings.Contains(err.Error(), "pipeline retailer has no slot at 2024-01-01T00:00:00Z: the first batch that its schedule expects is 2024-01") {
		t.Error(err)
	}
}

func TestSlotCancelled(t *testing.T) {
	w := newWorld(t, 200)
	_, _, err := w.slot(w.monthly(asIs), due, 0, map[time.Duration]func(*testsuite.TestWorkflowEnvironment){
		3 * time.Hour: func(env *testsuite.TestWorkflowEnvironment) { env.CancelWorkflow() }})
	if !temporal.IsCanceledError(err) || len(w.named()) != 0 {
		t.Errorf("%v, named %q", err, w.named())
	}
}
