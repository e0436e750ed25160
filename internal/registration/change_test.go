package registration_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"headgate/internal/change"
	"headgate/internal/registration"
	"headgate/internal/registry"
)

// approved is what makes the shipped pipeline one whose changes people approve.
const approved = `labels:
  files: labels/retailer/{batch}/*.parquet
  contract: labels.yaml
release:
  approve:
    role: risk
    people:
      - { name: ada, roles: [risk] }
      - { name: bob, roles: [risk] }
      - { name: cleo, roles: [shop] }
`

// newOffice returns a desk whose pipeline asks people.
func newOffice(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	labels, err := os.ReadFile("../../testdata/retailer/labels.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.file("labels.yaml"), labels, 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(d.file("pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.file("pipeline.yaml"), append(text, approved...), 0o644); err != nil {
		t.Fatal(err)
	}
	d.must(d.request())
	d.wantKinds("pipeline", "register", "promote")
	return d
}

// files requests a registration without a model.
func (d *desk) files(by, reason string) registration.Request {
	return registration.Request{Pipeline: d.file("pipeline.yaml"), By: by, Reason: reason, At: time.Unix(1e9, 0).UTC()}
}

func (d *desk) approve(proposal int64, by string) (*registration.Result, error) {
	return registration.Approval{Pipeline: "retailer", Proposal: proposal, By: by, Reason: "agreed", At: time.Unix(2e9, 0).UTC()}.Do(d.t.Context(), d.bucket)
}

func (d *desk) log() *registry.Log {
	d.t.Helper()
	log, err := registry.Load(d.t.Context(), d.bucket, "retailer")
	if err != nil {
		d.t.Fatal(err)
	}
	return log
}

// paper reads the difference that an entry names.
func (d *desk) paper(e registry.Entry) *change.Change {
	d.t.Helper()
	data, err := d.bucket.GetBlob(d.t.Context(), e.Paper)
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := change.Parse(data)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func TestAChangeNeedsAReasonAndKeepsTheDifference(t *testing.T) {
	d := newDesk(t)
	d.must(d.request())
	d.edit("pipeline.yaml", "budget: 1%", "budget: 2%")
	d.edit("contract.yaml", "maximum: 1200", "maximum: 900")
	if _, err := d.files("ada", " ").Do(t.Context(), d.bucket, formats); !errors.Is(err, registration.ErrReason) {
		t.Errorf("without a reason: %v", err)
	}
	d.wantKinds("pipeline", "register", "promote")
	out := d.must(d.files("ada", "the supplier says so"))
	d.wantKinds("pipeline", "register", "promote", "pipeline")
	e := d.log().Entries()[3]
	c := d.paper(e)
	if out.Proposal != 0 || out.Change == nil || e.Reason != "the supplier says so" || e.Proposal != 0 {
		t.Errorf("%+v of %+v", e, out)
	}
	if c.Pipeline == nil || !strings.Contains(c.Pipeline.Text, "-  budget: 1%\n+  budget: 2%\n") || c.Output != nil || c.Labels != nil ||
		c.Contract == nil || len(c.Contract.Changes) != 1 || !c.Contract.Changes[0].Breaks() {
		t.Errorf("the difference is %+v", c)
	}
}

func TestAChangeWaitsForASecondPerson(t *testing.T) {
	d := newOffice(t)
	before := d.log().State()
	d.edit("pipeline.yaml", "budget: 1%", "budget: 2%")
	out := d.must(d.files("ada", "fewer blocks"))
	d.wantKinds("pipeline", "register", "promote", "proposal")
	if s := d.log().State(); out.Proposal != 4 || s.Pipeline != before.Pipeline || len(s.Proposals) != 1 {
		t.Errorf("%+v; in force is %s, was %s", out, s.Pipeline, before.Pipeline)
	}
	if again := d.must(d.files("cleo", "the same")); again.Proposal != 4 {
		t.Errorf("proposed again: %+v", again)
	}
	for _, tt := range []struct{ by, want string }{
		{"ada", "ada made it, so somebody else decides: bob"},
		{"cleo", `"cleo" is none of bob`}, // not in the role
		{"mallory", `"mallory" is none of bob`},
		{"", `"" is none of bob`},
	} {
		if _, err := d.approve(4, tt.by); !errors.Is(err, registration.ErrApprover) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s approves: %v, want %s", tt.by, err, tt.want)
		}
	}
	d.wantKinds("pipeline", "register", "promote", "proposal")
	if _, err := d.approve(3, "bob"); err == nil || !strings.Contains(err.Error(), "no proposal 3 of retailer waits") {
		t.Errorf("another entry: %v", err)
	}
	for range 2 { // whoever lost the answer asks again
		got, err := d.approve(4, "bob")
		if err != nil || got.Pipeline != out.Pipeline {
			t.Fatalf("%+v, %v", got, err)
		}
		d.wantKinds("pipeline", "register", "promote", "proposal", "pipeline")
	}
	e := d.log().Entries()[4]
	if e.By != "bob" || e.Proposal != 4 || e.Reason != "agreed" || d.paper(e).Pipeline == nil {
		t.Errorf("%+v", e)
	}
	if s := d.log().State(); s.Pipeline != out.Pipeline || s.LabelsContract != out.LabelsContract || len(s.Proposals) != 0 {
		t.Errorf("state %+v", s)
	}
}

func TestAProposalThatWasOvertakenIsRefused(t *testing.T) {
	d := newOffice(t)
	d.edit("pipeline.yaml", "budget: 1%", "budget: 2%")
	d.must(d.files("ada", "fewer blocks"))
	d.edit("pipeline.yaml", "budget: 2%", "budget: 3%")
	d.must(d.files("ada", "fewer still"))
	if _, err := d.approve(5, "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.approve(4, "bob"); err == nil || !strings.Contains(err.Error(), "the files have changed since") {
		t.Errorf("an overtaken proposal: %v", err)
	}
}

func TestAModelIsRegisteredWhileTheFilesWait(t *testing.T) {
	d := newOffice(t)
	d.edit("pipeline.yaml", "budget: 1%", "budget: 2%")
	d.otherModel()
	r := d.request()
	r.Champion = false
	if out := d.must(r); out.Proposal != 4 || out.Version == nil {
		t.Errorf("%+v", out)
	}
	d.wantKinds("pipeline", "register", "promote", "proposal", "register")
}

func TestAWaiverHasAPersonAReasonAndAnEnd(t *testing.T) {
	d := newOffice(t)
	at := time.Unix(2e9, 0).UTC()
	good := registration.Waiver{Pipeline: "retailer", Rule: "guardrail/auc", By: "ada", Reason: "known", At: at, Until: at.AddDate(0, 1, 0)}
	for _, tt := range []struct {
		name, want string
		edit       func(w *registration.Waiver)
	}{
		{"no rule", "needs the id of a rule", func(w *registration.Waiver) { w.Rule = "" }},
		{"no reason", "needs the id of a rule and a reason", func(w *registration.Waiver) { w.Reason = " " }},
		{"an end in the past", "would be over", func(w *registration.Waiver) { w.Until = at }},
		{"somebody who may not", `"cleo" is none of ada, bob`, func(w *registration.Waiver) { w.By = "cleo" }},
		{"another pipeline", "is not registered", func(w *registration.Waiver) { w.Pipeline = "toys" }},
	} {
		w := good
		tt.edit(&w)
		if _, _, err := w.Do(t.Context(), d.bucket); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	for range 2 {
		e, anchor, err := good.Do(t.Context(), d.bucket)
		if err != nil || e.Seq != 4 || !strings.HasPrefix(anchor, "4:") {
			t.Fatalf("%+v, %s, %v", e, anchor, err)
		}
		good.At = good.At.Add(time.Hour)
	}
	s := d.log().State()
	if len(s.WaiversAt(at)) != 1 || len(s.WaiversAt(at.AddDate(0, 1, 0))) != 0 {
		t.Errorf("waivers %+v", s.Waivers)
	}
}

func TestWhereNobodyIsNamedEverybodyWaives(t *testing.T) {
	d := newDesk(t)
	d.must(d.request())
	w := registration.Waiver{Pipeline: "retailer", Rule: "superior", By: "anybody", Reason: "known", At: time.Unix(1, 0), Until: time.Unix(2, 0)}
	if _, _, err := w.Do(t.Context(), d.bucket); err != nil {
		t.Error(err)
	}
}
