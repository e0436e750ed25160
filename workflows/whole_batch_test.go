package workflows_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"headgate/internal/audit"
	"headgate/internal/columnar"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/internal/worker"
	"headgate/workflows"
)

// configured returns a world whose pipeline file has more lines, beside the shipped
// contract with some of its words replaced, and other files.
func configured(t *testing.T, customers int, more string, contract *strings.Replacer, files map[string]string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: customers}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	w.register(w.pipelineFile(more, contract, files))
	return w
}

// pipelineFile writes a pipeline file and what lies beside it.
func (w *world) pipelineFile(more string, contract *strings.Replacer, files map[string]string) string {
	w.t.Helper()
	dir := w.t.TempDir()
	shipped := func(name string) string {
		b, err := os.ReadFile("../testdata/retailer/" + name)
		if err != nil {
			w.t.Fatal(err)
		}
		return string(b)
	}
	all := map[string]string{"pipeline.yaml": shipped("pipeline.yaml") + more, "contract.yaml": shipped("contract.yaml")}
	if contract != nil {
		all["contract.yaml"] = contract.Replace(all["contract.yaml"])
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pipeline.yaml")
}

// remember registers the champion with the months of 2023 as its reference.
func (w *world) remember(pipeline string) *registration.Result {
	w.t.Helper()
	dir := w.t.TempDir()
	var months []registration.Batch
	for m := 1; m <= 12; m++ {
		month := fmt.Sprintf("2023-%02d", m)
		files, err := w.shop.WriteDir(w.t.Context(), filepath.Join(dir, month), month, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range files {
			months = append(months, registration.Batch{Name: month, File: f})
		}
	}
	shipped := "../testdata/retailer/"
	out, err := registration.Request{Pipeline: pipeline, Model: shipped + "champion.txt", Reference: months,
		Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv", Champion: true,
		By: "test", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}.Do(w.t.Context(), w.bucket, worker.Formats())
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// audited checks that an auditor finds nothing, and computes a batch again.
func (w *world) audited(batch string) *audit.Recomputed {
	w.t.Helper()
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(context.Background())
	if err == nil { // world.route puts a routing in force that no verdict let
		report.Findings = slices.DeleteFunc(report.Findings, func(f audit.Finding) bool { return strings.Contains(f.What, "no verdict of release test lets it") })
	}
	if err != nil || len(report.Findings) > 0 {
		w.t.Errorf("verify: %v %+v", err, report)
	}
	again, err := a.Recompute(context.Background(), batch)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(again.Findings) > 0 || !again.SameBytes {
		w.t.Errorf("recompute %s: %+v", batch, again)
	}
	return again
}

func TestTheCampaignDriftsAndAnOrdinaryMonthDoesNot(t *testing.T) {
	w := &world{t: t, dir: t.TempDir(), shop: retailer.World{Seed: 1, Customers: 4000}}
	var err error
	if w.bucket, err = store.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	w.remember("../testdata/retailer/pipeline.yaml")
	want := map[string]string{"2024-01": "none", "2024-02": "none", "2024-03": "warn", "2024-04": "warn", "2024-05": "trigger"}
	for _, month := range []string{"2024-01", "2024-02", "2024-03", "2024-04", "2024-05"} {
		w.deliver(month, retailer.Options{})
		out := w.mustScore(month)
		if out.Drift == nil || out.Drift.Level != want[month] || out.Verdict != "pass" {
			t.Fatalf("%s: %+v, drift %+v\n%s", month, out, out.Drift, w.paper(out.Drift))
		}
		if month >= "2024-03" && !slices.Contains(out.Drift.Columns, "tenure") {
			t.Errorf("%s: drifted %v, and not tenure", month, out.Drift.Columns)
		}
		if slices.Contains(out.Drift.Columns, "customer_id") || slices.Contains(out.Drift.Columns, "as_of") {
			t.Errorf("%s: keys and dates have drifted: %v", month, out.Drift.Columns)
		}
	}
}

// paper returns the drift paper of a batch.
func (w *world) paper(d *run.Drift) string {
	if d == nil {
		return "no drift"
	}
	data, err := run.Load(context.Background(), w.bucket, d.Paper)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func TestKeysAreCountedAgainstTheMonthBefore(t *testing.T) {
	w := newWorld(t, 2000)
	w.deliver("2024-01", retailer.Options{})
	if k := w.mustScore("2024-01").Keys; k == nil || k.Before != "" || k.Delivered != 2000 || k.Scored != 2000 || k.New != 2000 {
		t.Errorf("the first month: %+v", k)
	}
	w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
	out := w.mustScore("2024-02")
	k := out.Keys
	if k.Before != "2024-01" || k.Expected != 2000 || k.Scored+k.Unscored != k.Delivered || k.Unscored == 0 ||
		k.Unscored > out.Quarantined || k.New == 0 || k.Expected-k.Vanished != k.Delivered-k.New {
		t.Errorf("the second month: %+v", k)
	}
}

func TestFallbackScores(t *testing.T) {
	for _, tt := range []struct {
		name, policy string
		january      retailer.Fault
		check        func(t *testing.T, out workflows.ScoreBatchOutput) int64 // the fallback rows that are expected
	}{
		{"the last score, for those in quarantine", "fallback: { score: last }\n", retailer.NoFault, func(t *testing.T, out workflows.ScoreBatchOutput) int64 {
			return out.Fallback // one who is new this month has no last score
		}},
		{"a constant for everybody without a score", "fallback: { score: 0.125, for: [quarantined, vanished] }\n", retailer.NoFault, func(t *testing.T, out workflows.ScoreBatchOutput) int64 {
			return out.Keys.Unscored + out.Keys.Vanished
		}},
		{"the last score, for those who vanished", "fallback: { score: last, for: [vanished] }\n", retailer.NoFault, func(t *testing.T, out workflows.ScoreBatchOutput) int64 {
			return out.Keys.Vanished
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := configured(t, 2000, tt.policy, nil, nil)
			w.deliver("2024-01", retailer.Options{})
			if out := w.mustScore("2024-01"); out.Fallback != 0 || out.Published != 2000 {
				t.Errorf("the first month has nobody to fall back for: %+v", out)
			}
			w.deliver("2024-02", retailer.Options{Fault: retailer.BadRows})
			out := w.mustScore("2024-02")
			if want := tt.check(t, out); out.Fallback == 0 || out.Fallback != want || out.Published != out.Rows-out.Quarantined+want {
				t.Errorf("want %d fallback rows: %+v, keys %+v", want, out, out.Keys)
			}
			if again := w.audited("2024-02"); again.Rows != out.Published {
				t.Errorf("%d rows recomputed of %d", again.Rows, out.Published)
			}
		})
	}
}

func TestScoresThatBreakTheirContractAreNotPublished(t *testing.T) {
	const scores = `apiVersion: v3.1.0
kind: DataContract
id: scores
version: 1.0.0
status: active
schema:
  - name: scores
    properties:
      - { name: customer_id, logicalType: string, required: true }
      - { name: score, logicalType: number, logicalTypeOptions: { maximum: 0.6 }, required: true }
`
	w := configured(t, 2000, "", nil, map[string]string{"scores.yaml": scores})
	w.register(w.pipelineFile("", nil, map[string]string{"scores.yaml": scores, "pipeline.yaml": w.shippedPipeline(t, "scores:\n", "scores:\n  contract: scores.yaml\n")}))
	w.deliver("2024-01", retailer.Options{})
	out := w.mustScore("2024-01")
	if out.Quarantined == 0 || out.Published+out.Quarantined != out.Rows {
		t.Fatalf("%+v", out)
	}
	again := w.audited("2024-01")
	if again.Rows != out.Published {
		t.Errorf("%d rows recomputed of %d", again.Rows, out.Published)
	}
}

// shippedPipeline returns the shipped pipeline file with some words replaced, and a
// budget that stands much.
func (w *world) shippedPipeline(t *testing.T, replace ...string) string {
	t.Helper()
	b, err := os.ReadFile("../testdata/retailer/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(append(replace, "budget: 1%", "budget: 50%")...).Replace(string(b))
}

// regions writes the set of regions that the contract's relationship points to.
func (w *world) regions(known ...string) {
	w.t.Helper()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(known, nil)
	schema := arrow.NewSchema([]arrow.Field{{Name: "code", Type: arrow.BinaryTypes.String}}, nil)
	rec := array.NewRecord(schema, []arrow.Array{b.NewArray()}, int64(len(known)))
	var buf bytes.Buffer
	out, err := columnar.Create(&buf, schema, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := errors.Join(out.Write(rec), out.Close()); err != nil {
		w.t.Fatal(err)
	}
	dir := filepath.Join(w.dir, "reference", "regions")
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "all.parquet"), buf.Bytes(), 0o644)); err != nil {
		w.t.Fatal(err)
	}
}

func TestRowsWithoutAPartnerAreQuarantinedLate(t *testing.T) {
	const more = "references: { regions: \"reference/regions/*.parquet\" }\n"
	related := strings.NewReplacer("      - name: region\n", "      - name: region\n        relationships: [{ to: regions.code }]\n")
	w := configured(t, 2000, more, related, map[string]string{})
	w.register(w.pipelineFile(more, related, map[string]string{"pipeline.yaml": w.shippedPipeline(t) + more}))
	w.deliver("2024-01", retailer.Options{})
	if _, err := w.score("2024-01"); err == nil || !strings.Contains(err.Error(), "reference/regions/*.parquet") {
		t.Errorf("without the set: %v", err)
	}
	var all []string
	for i := 1; i <= 20; i++ {
		all = append(all, fmt.Sprintf("R%02d", i))
	}
	w.regions(all...)
	whole := w.mustScore("2024-01")
	if whole.Quarantined != 0 || whole.Published != 2000 {
		t.Errorf("every region is known: %+v", whole)
	}
	w.regions(all[1:]...)
	out := w.mustScore("2024-01")
	if out.Quarantined == 0 || out.Published+out.Quarantined != 2000 || out.Run == whole.Run {
		t.Errorf("one region is not known: %+v", out)
	}
	w.audited("2024-01")
}

// No profile keeps the times of classified columns, so what is promised about them is
// not judged, and not broken either.
func TestServiceLevelsOfClassifiedColumnsAreNotJudged(t *testing.T) {
	w := configured(t, 200, "", strings.NewReplacer("schema:\n  - name: customers",
		"slaProperties: [{ property: retention, value: 100, unit: y, element: customers.birthday }]\nschema:\n  - name: customers"), nil)
	w.deliver("2024-01", retailer.Options{})
	out := w.mustScore("2024-01")
	if out.Verdict != run.Pass || !slices.Contains(out.Notes, "service levels of birthday were not judged: its values are classified") {
		t.Errorf("got %+v", out)
	}
}
