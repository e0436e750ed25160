package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/audit"
	papers "headgate/internal/run"
	"headgate/internal/worker"
	"headgate/workflows"
)

var yes = &workflows.Answer{Approve: true, By: "test", Reason: "to see what is published"}

// A privateMonth is a month that makes a run talk about classified values.
type privateMonth struct {
	batch   string
	what    string
	file    func(t *testing.T) []byte
	answer  *workflows.Answer
	verdict papers.Verdict // "" if the run fails
	says    string         // in its error or its reasons
}

var privateMonths = []privateMonth{
	{batch: "2024-01", what: "an ordinary month", verdict: papers.Pass,
		file: func(t *testing.T) []byte { return parquet(t, peopleSchema, crowd(), "") }},
	{batch: "2024-02", what: "some rows break rules, in every classified column; one has no email, which asks", verdict: papers.Pass, answer: yes,
		file: func(t *testing.T) []byte { return parquet(t, peopleSchema, badCrowd(1), "") }},
	{batch: "2024-03", what: "too many rows break rules", verdict: papers.Block, says: "more than the error budget",
		file: func(t *testing.T) []byte { return parquet(t, peopleSchema, badCrowd(9), "") }},
	{batch: "2024-04", what: "a restricted column has another type", verdict: papers.Block, says: "debt is string",
		file: func(t *testing.T) []byte {
			return parquet(t, retyped("debt", arrow.BinaryTypes.String), crowd(), "")
		}},
	{batch: "2024-05", what: "a restricted column has a type that only the model minds", says: "the model's categories are text",
		file: func(t *testing.T) []byte {
			return parquet(t, retyped("diagnosis", arrow.PrimitiveTypes.Float64), numberedCrowd(), "")
		}},
	{batch: "2024-06", what: "a value is damaged", says: "corrupt", file: damaged},
	{batch: "2024-07", what: "the file ends within a value", says: "corrupt", file: cutShort},
	{batch: "2024-08", what: "classified columns drift, and somebody lets them", verdict: papers.Pass, answer: yes,
		file: func(t *testing.T) []byte { return parquet(t, peopleSchema, changedCrowd(), "") }},
	{batch: "2024-09", what: "they drift again, and somebody does not", verdict: papers.Block, says: "rejected by test",
		answer: &workflows.Answer{By: "test", Reason: "not twice"},
		file:   func(t *testing.T) []byte { return parquet(t, peopleSchema, changedCrowd(), "") }},
	{batch: "2024-10", what: "people are missing", verdict: papers.Pass,
		file: func(t *testing.T) []byte { return parquet(t, peopleSchema, crowd()[:people-3], "") }},
	{batch: "2024-12", what: "texts are no UTF-8", says: "is not UTF-8; write the file again",
		file: func(t *testing.T) []byte { return parquet(t, peopleSchema, brokenTexts(), "") }},
}

// badCrowd has rows that break the rules of every classified column, n of each kind.
func badCrowd(n int) []person {
	rows := crowd()
	for i := range n {
		row := func(kind int) person { return rows[20*kind+i] }
		row(0)["person"] = "no key " + marks["person"]
		row(1)["email"] = "nobody's " + marks["email"]
		row(2)["email"] = strings.Repeat("x", 60) + "@" + marks["email"]
		row(3)["email"] = nil
		row(4)["national_id"] = "no number " + marks["national_id"]
		row(5)["national_id"] = rows[399-i]["national_id"]
		row(6)["nickname"] = "x"
		row(7)["income"] = badIncome
		row(8)["income"] = -incomes[0]
		row(9)["debt"] = badDebt
		row(10)["born"] = badBirth
		row(11)["person"] = rows[398-20*i]["person"]
		row(12)["email"] = "@" + marks["email"] // too short for the contract of the scores
		row(13)["diagnosis"] = nil
	}
	return rows
}

// numberedCrowd has numbers where the model wants texts.
func numberedCrowd() []person {
	rows := crowd()
	for i := range rows {
		rows[i]["diagnosis"] = incomes[i%len(incomes)]
	}
	return rows
}

// changedCrowd has other incomes, debts and diagnoses, and the scores that follow.
func changedCrowd() []person {
	rows := crowd()
	for i, row := range rows {
		row["income"], row["debt"], row["diagnosis"] = newIncomes[i%len(newIncomes)], debts[7], "new"+marks["diagnosis"]
		row["nickname"], row["visits"] = marks["nickname"], int64(30+i%10)
	}
	return rows
}

// brokenTexts has texts that are no UTF-8, in every kind of classified column.
func brokenTexts() []person {
	rows := crowd()
	rows[7]["nickname"] = marks["nickname"] + "\xff"
	rows[8]["national_id"] = "no number " + marks["national_id"] + "\xff"
	rows[9]["diagnosis"] = marks["diagnosis"] + "\xff"
	return rows
}

// damaged is a file in which one byte within a value has another bit.
func damaged(t *testing.T) []byte {
	file := parquet(t, peopleSchema, crowd(), "none")
	at := bytes.Index(file, []byte(marks["national_id"]))
	if at < 0 {
		t.Fatal("the file does not show its values")
	}
	file[at] ^= 1
	return file
}

// cutShort is a file that ends within a value.
func cutShort(t *testing.T) []byte {
	file := parquet(t, peopleSchema, crowd(), "none")
	at := bytes.Index(file, []byte(marks["national_id"]))
	if at < 0 {
		t.Fatal("the file does not show its values")
	}
	return file[:at+len(marks["national_id"])]
}

// privateYear delivers and scores all months, corrects rows of one, restores another,
// and asks the audit about them.
func (w *watch) privateYear(t *testing.T, pipeline string) {
	w.register(t, pipeline, false)
	for _, m := range privateMonths {
		w.deliver(t, m.batch, m.file(t))
		out, err := w.score(t, pipeline, m.batch, m.answer)
		said := strings.Join(out.Reasons, "\n")
		if err != nil {
			said = err.Error()
		}
		if out.Verdict != m.verdict || (err != nil) != (m.verdict == "") || !strings.Contains(said, m.says) {
			t.Errorf("%s, %s: got %+v, %v, want %q and %q", m.batch, m.what, out, err, m.verdict, m.says)
		}
	}
	w.correct(t, pipeline, "2024-02")
	restore, err := workflows.StartRestore(t.Context(), w.client, "", workflows.RestoreBatchInput{Pipeline: pipeline, Batch: "2024-02",
		Publication: 1, By: "test", Reason: "to see what is said"})
	if err != nil {
		t.Fatal(err)
	}
	if err := restore.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.audit(t, pipeline)
	w.said = append(w.said, w.reports(t, pipeline)...)
}

// correct hands corrected rows of a month in, and scores it again.
func (w *watch) correct(t *testing.T, pipeline, batch string) {
	keys, err := filepath.Glob(filepath.Join(w.dir, "store", "runs", pipeline, batch, "*"))
	if err != nil || len(keys) != 1 {
		t.Fatalf("runs of %s: %v, %v", batch, keys, err)
	}
	rows := []person{crowd()[140], crowd()[160]}
	rows[0]["diagnosis"] = marks["diagnosis"]
	save(t, filepath.Join(keys[0], "replay", "rows.parquet"), parquet(t, peopleSchema, rows, ""))
	out, err := w.score(t, pipeline, batch, yes)
	if err != nil || out.Verdict != papers.Pass || out.Replaced == 0 {
		t.Errorf("%s with corrected rows: %+v, %v", batch, out, err)
	}
}

// audit asks all that the audit can be asked.
func (w *watch) audit(t *testing.T, pipeline string) {
	a := &audit.Auditor{Store: w.bucket, Formats: worker.Formats(), Pipeline: pipeline,
		Progress: func(what string) { w.hear("progress", what) }}
	report, err := a.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
	w.hear("verify", report)
	for _, batch := range []string{"2024-01", "2024-02", "2024-10"} {
		again, err := a.Recompute(t.Context(), batch)
		if err != nil || len(again.Findings) > 0 {
			t.Errorf("%s again: %+v, %v", batch, again, err)
		}
		w.hear("recompute", again)
	}
	key := crowd()[2]["person"].(string)
	why, err := a.Why(t.Context(), "2024-01", key)
	if err != nil {
		t.Fatal(err)
	}
	w.hear("why", why)
	for _, asked := range [][2]string{{"2024-01", "KEY9999999" + marks["person"]}, {"2024-01", key + "," + key}, {"2023-01", key}} {
		if _, err := a.Why(t.Context(), asked[0], asked[1]); err == nil {
			t.Errorf("why %v: no error", asked)
		} else {
			w.hear("why not", err)
		}
	}
}

// nothingLeaks searches all that the months have left.
func (w *watch) nothingLeaks(t *testing.T) {
	places := append(gather(t, w.site, w.dir), w.said...)
	pardons := pardons()
	if left := leaks(scan(places), pardons); len(left) > 0 {
		t.Errorf("found:%s", lines(left))
	}
	if wrong := tooMuch(t, places); len(wrong) > 0 {
		t.Errorf("found:%s", lines(wrong))
	}
	// A search that found nothing where values are would find nothing anywhere.
	for _, p := range pardons {
		for _, column := range p.columns {
			if !p.used[column] {
				t.Errorf("no value of %s was found in %s, where it is", column, p.place)
			}
		}
	}
}

// plantedIsFound plants a value in each kind of place, as a careless message would.
func (w *watch) plantedIsFound(t *testing.T) {
	secret := marks[planted]
	if err := w.bucket.Put(t.Context(), "runs/privacy/2024-01/planted.json", []byte(`{"reasons":["`+secret+` is no number"]}`)); err != nil {
		t.Fatal(err)
	}
	// The error of an unknown batch goes through the worker's log, the history and
	// the database.
	if _, err := w.score(t, "privacy", secret, nil); err == nil {
		t.Errorf("batch %s was scored", secret)
	}
	wantFound(t, leaks(scan(append(gather(t, w.site, w.dir), w.said...)), pardons()), []finding{
		{place: `^store/runs/privacy/2024-01/planted.json`, column: planted},
		{place: `^worker.log`, column: planted},
		{place: `^server.log`, column: planted},
		{place: `^temporal-.*\.db`, column: planted},
		{place: `^database:history_node`, column: planted},
		{place: `^database:executions_visibility`, column: planted},
		{place: `^history:`, column: planted},
		{place: `^said:`, column: planted},
	})
}

// unclassifiedShows scores the same months by a contract that classifies nothing. What
// then appears is what the classifications keep back, and that the search sees it.
func (w *watch) unclassifiedShows(t *testing.T) {
	before := files(t, w.dir)
	w.register(t, "open", true)
	for _, m := range privateMonths {
		if m.verdict == papers.Pass {
			if _, err := w.score(t, "open", m.batch, m.answer); err != nil {
				t.Fatal(err)
			}
		}
	}
	places := slices.DeleteFunc(files(t, w.dir), func(p place) bool {
		return slices.ContainsFunc(before, func(b place) bool { return b.name == p.name })
	})
	places = append(places, w.reports(t, "open")...)
	wantFound(t, leaks(scan(places), pardons()), []finding{
		{place: `^said:report`, column: "diagnosis"},
		{place: `^store/scores/open/_delta_log/`, column: "person"},
		{place: `^store/scores/open/_delta_log/`, column: "email"},
		{place: `/profile/.*bin`, column: "email"},
		{place: `/profile/.*bin`, column: "income", form: "little-endian"},
		{place: `/profile/.*bin`, column: "seen"},
		{place: `/drift\..*json`, column: "diagnosis"},
		{place: `/drift\..*json`, column: "income"},
		{place: `/quarantine/.*parquet`, column: "national_id"},
		{place: `/quarantine/.*parquet#debt`, column: "debt", form: "text"},
		{place: `^store/blobs/.*#income`, column: "income"},
		{place: `^store/blobs/.*#debt`, column: "debt"},
	})
	if len(tooMuch(t, places)) == 0 {
		t.Error("profiles have no single values")
	}
}

// wantFound reports what is not among the findings. A place is a pattern, and a form
// may be left out.
func wantFound(t *testing.T, found, want []finding) {
	t.Helper()
	for _, want := range want {
		place := regexp.MustCompile(want.place)
		if !slices.ContainsFunc(found, func(f finding) bool {
			return place.MatchString(f.place) && f.column == want.column && (want.form == "" || f.form == want.form)
		}) {
			t.Errorf("not found: %s; found:%s", want, lines(found))
		}
	}
}
