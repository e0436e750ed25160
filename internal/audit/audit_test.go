package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headgate/internal/audit"
	"headgate/internal/columnar"
	"headgate/internal/delta"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/registration"
	"headgate/internal/retailer"
	"headgate/internal/run"
	"headgate/internal/store"
	"headgate/workflows"
	"headgate/workflows/workflowstest"
)

const month = "2024-01"

var formats = model.Formats{"lightgbm": lightgbm.Format}

// An archive is a store with one published month.
type archive struct {
	t   *testing.T
	dir string
	out workflows.ScoreBatchOutput
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{t: t, dir: t.TempDir()}
	bucket := a.open()
	shipped := "../../testdata/retailer/"
	_, err := registration.Request{Pipeline: shipped + "pipeline.yaml", Model: shipped + "champion.txt", Champion: true,
		Golden: shipped + "golden.csv", Expected: shipped + "golden_expected.csv", By: "test", At: time.Unix(1e9, 0).UTC()}.Do(t.Context(), bucket, formats)
	if err != nil {
		t.Fatal(err)
	}
	a.deliver(retailer.Options{Fault: retailer.BadRows, Parts: 2})
	env := workflowstest.Environment(bucket, formats, "score", time.Unix(1.1e9, 0).UTC())
	a.out = workflowstest.Score(t, env, workflows.ScoreBatchInput{Pipeline: "retailer", Batch: month, By: "test"})
	if a.out.Publication != 1 {
		t.Fatalf("%+v", a.out)
	}
	return a
}

func (a *archive) deliver(o retailer.Options) {
	a.t.Helper()
	dir := filepath.Join(a.dir, "incoming", "retailer", month)
	if _, err := (retailer.World{Seed: 1, Customers: 600}).WriteDir(a.t.Context(), dir, month, &o); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) open() *store.Bucket {
	a.t.Helper()
	b, err := store.Open(a.t.Context(), a.dir)
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

// copy returns an archive with the same files at the same times.
func (a *archive) copy(t *testing.T) *archive {
	t.Helper()
	to := &archive{t: t, dir: t.TempDir(), out: a.out}
	err := filepath.WalkDir(a.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to.dir, strings.TrimPrefix(name, a.dir))
		if d.IsDir() {
			return os.MkdirAll(target, 0o777)
		}
		return os.Link(name, target)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// key returns the one key that matches a pattern.
func (a *archive) key(pattern string) string {
	a.t.Helper()
	found, err := filepath.Glob(filepath.Join(a.dir, pattern))
	if err != nil || len(found) == 0 {
		a.t.Fatalf("%s: %v (%v)", pattern, found, err)
	}
	return strings.TrimPrefix(strings.TrimPrefix(found[0], a.dir), "/")
}

func (a *archive) read(key string) []byte {
	a.t.Helper()
	data, err := os.ReadFile(filepath.Join(a.dir, key))
	if err != nil {
		a.t.Fatal(err)
	}
	return data
}

func (a *archive) remove(key string) {
	a.t.Helper()
	if err := os.Remove(filepath.Join(a.dir, key)); err != nil {
		a.t.Fatal(err)
	}
}

// edit replaces a text in an object, as someone with access to the disk can.
func (a *archive) edit(key, old, now string) {
	a.t.Helper()
	data := a.read(key)
	if !bytes.Contains(data, []byte(old)) {
		a.t.Fatalf("%s holds no %q", key, old)
	}
	a.remove(key) // a copy shares it with the original
	if err := os.WriteFile(filepath.Join(a.dir, key), bytes.Replace(data, []byte(old), []byte(now), 1), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) auditor() *audit.Auditor {
	return &audit.Auditor{Store: a.open(), Formats: formats, Pipeline: "retailer"}
}

func (a *archive) runDir() string { return run.Dir("retailer", month, a.out.Run) }

func TestVerifyNamesWhatWasChanged(t *testing.T) {
	original := newArchive(t)
	report, err := original.auditor().Verify(t.Context(), original.out.Anchor)
	if err != nil || len(report.Findings) > 0 || report.Entries != 4 || report.Versions != 1 ||
		report.Publications != 1 || report.Files != 2 || report.Anchor != original.out.Anchor {
		t.Fatalf("untouched: %v %+v", err, report)
	}
	for _, tt := range []struct {
		name   string
		tamper func(a *archive) (where string)
		what   string
	}{
		{"a data file with one other byte", func(a *archive) string {
			key := a.key("scores/retailer/batch=2024-01/*.parquet")
			a.edit(key, "PAR1", "PAR2")
			return key
		}, "its bytes were changed (of 2024-01 publication 1)"},
		{"a data file that is gone", func(a *archive) string {
			key := a.key("scores/retailer/batch=2024-01/*.parquet")
			a.remove(key)
			return key
		}, "not found"},
		{"a registry entry with another author", func(a *archive) string {
			a.edit("registry/retailer/log/0000000002.json", `"by":"test"`, `"by":"mole"`)
			return "registry/retailer/log/0000000003.json"
		}, "but entry 2 is"},
		{"a last registry entry with another author, seen by the anchor", func(a *archive) string {
			a.edit("registry/retailer/log/0000000004.json", `"by":"test"`, `"by":"mole"`)
			return "registry/retailer/log/0000000004.json"
		}, "was replaced"},
		{"a registry without its end, seen by the anchor", func(a *archive) string {
			a.remove("registry/retailer/log/0000000004.json")
			return "registry/retailer/log/"
		}, "its end was cut off"},
		{"a registry without its end, seen by the table", func(a *archive) string {
			a.remove("registry/retailer/log/0000000004.json")
			return "2024-01 publication 1"
		}, "is in the table and not in the registry"},
		{"a registry with a hole", func(a *archive) string {
			a.remove("registry/retailer/log/0000000002.json")
			return "registry/retailer/log/0000000002.json"
		}, "the entry is missing"},
		{"a plan with another model", func(a *archive) string {
			a.edit(a.runDir()+"/plan.json", fmt.Sprintf(`"scoring":%d`, run.ScoringVersion), `"scoring":0`)
			return "2024-01 publication 1"
		}, "plan.json was changed"},
		{"a plan that is gone", func(a *archive) string {
			a.remove(a.runDir() + "/plan.json")
			return "2024-01 publication 1"
		}, "plan.json"},
		{"a verdict with fewer rows in quarantine", func(a *archive) string {
			a.edit(a.key(a.runDir()+"/data.*.json"), `"verdict":"pass"`, `"verdict":"fine"`)
			return "2024-01 publication 1"
		}, "was changed"},
		{"a model with another bit", func(a *archive) string {
			b, err := os.ReadFile("../../testdata/retailer/champion.txt")
			if err != nil {
				a.t.Fatal(err)
			}
			a.edit(store.BlobKey(store.DigestOf(b)), "leaf_value=", "leaf_valve=")
			return "model version " + string(a.out.Model)
		}, "is corrupt"},
		{"a contract with another limit", func(a *archive) string {
			b, err := os.ReadFile("../../testdata/retailer/contract.yaml")
			if err != nil {
				a.t.Fatal(err)
			}
			a.edit(store.BlobKey(store.DigestOf(b)), "maximum: 1200", "maximum: 9200")
			return "registry entry 1"
		}, "is corrupt"},
		{"a table without its commit", func(a *archive) string {
			a.remove("scores/retailer/_delta_log/00000000000000000000.json")
			return "2024-01 publication 1"
		}, "is registry entry 4 and not in the table"},
		{"a commit of another run", func(a *archive) string {
			a.edit("scores/retailer/_delta_log/00000000000000000000.json", string(a.out.Run), string(store.DigestOf(nil)))
			return "2024-01 publication 1"
		}, "the run in registry entry 4 and in table version 0 do not agree"},
		{"a commit that names another data file", func(a *archive) string {
			a.forge()
			return "2024-01 publication 1"
		}, "the files in registry entry 4 and in table version 0 do not agree"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := original.copy(t)
			where := tt.tamper(a)
			report, err := a.auditor().Verify(t.Context(), a.out.Anchor)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if f.Where == where && strings.Contains(f.What, tt.what) {
					return
				}
			}
			t.Errorf("no finding at %s that says %q:\n%v", where, tt.what, report.Findings)
		})
	}
}

func TestRecompute(t *testing.T) {
	original := newArchive(t)
	got, err := original.auditor().Recompute(t.Context(), month)
	if err != nil || len(got.Findings) > 0 || !got.SameBytes || got.Rows != original.out.Published || got.Run != original.out.Run {
		t.Fatalf("untouched: %v %+v", err, got)
	}
	t.Run("the input was replaced", func(t *testing.T) {
		a := original.copy(t)
		a.deliver(retailer.Options{Parts: 2})
		_, err := a.auditor().Recompute(t.Context(), month)
		want := "part-0001.parquet is not the file that was scored: it was replaced since, so the batch cannot be recomputed"
		if err == nil || !strings.HasSuffix(err.Error(), strings.TrimPrefix(want, "part-0001")) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("the input is gone", func(t *testing.T) {
		a := original.copy(t)
		a.remove("incoming/retailer/2024-01/part-0001.parquet")
		if _, err := a.auditor().Recompute(t.Context(), month); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("someone published other rows under the same run", func(t *testing.T) {
		a := original.copy(t)
		forged := a.forge()
		got, err := a.auditor().Recompute(t.Context(), month)
		if err != nil || len(got.Findings) != 2 || got.SameBytes || got.Findings[1].Where != forged {
			t.Errorf("%v %+v", err, got)
		}
	})
	t.Run("a batch that is not published", func(t *testing.T) {
		_, err := original.auditor().Recompute(t.Context(), "2024-02")
		if err == nil || err.Error() != "batch 2024-02 of retailer is not published" {
			t.Errorf("err = %v", err)
		}
	})
}

// forge puts a file without its first row in the place of a data file, under a name
// that holds its digest, and lets the commit name it. It returns the file's path.
func (a *archive) forge() string {
	a.t.Helper()
	key := a.key("scores/retailer/batch=2024-01/*.parquet")
	data := a.read(key)
	f, err := columnar.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	var buf bytes.Buffer
	for rec, err := range f.Records(a.t.Context(), columnar.ReadOptions{}) {
		if err != nil {
			a.t.Fatal(err)
		}
		w, err := columnar.Create(&buf, rec.Schema(), nil)
		if err != nil {
			a.t.Fatal(err)
		}
		if err := errors.Join(w.Write(rec.NewSlice(1, rec.NumRows())), w.Close()); err != nil {
			a.t.Fatal(err)
		}
		break
	}
	name := strings.TrimPrefix(string(store.DigestOf(buf.Bytes())), "sha256:") + ".parquet"
	if err := os.WriteFile(filepath.Join(a.dir, path.Dir(key), name), buf.Bytes(), 0o644); err != nil {
		a.t.Fatal(err)
	}
	log := "scores/retailer/_delta_log/00000000000000000000.json"
	for strings.Contains(string(a.read(log)), path.Base(key)) {
		a.edit(log, path.Base(key), name)
	}
	return delta.FilePath(month, name)
}

func TestWhy(t *testing.T) {
	a := newArchive(t)
	rows := map[string]bool{}
	for _, id := range []string{"C000000007-13", "C000000301-04"} {
		o, err := a.auditor().Why(t.Context(), month, id)
		if err != nil {
			t.Fatal(err)
		}
		text := map[string]string{}
		for _, v := range o.Row {
			text[v.Name] = v.Text
		}
		if text["customer_id"] != id || text["run"] != string(a.out.Run) || text["model"] != string(a.out.Model) || o.Published == nil || len(o.LetIn) != 2 {
			t.Errorf("%s: %+v", id, o)
		}
		for _, v := range o.Inputs {
			if v.Name == "birthday" || v.Name == "customer_id" && v.Text != id {
				t.Errorf("%s: input %+v", id, v)
			}
		}
		rows[o.File] = true
	}
	if len(rows) != 2 {
		t.Errorf("both customers are in %v", rows)
	}
	if _, err := a.auditor().Why(t.Context(), month, "nobody"); err == nil || !strings.Contains(err.Error(), "no published row with this key") {
		t.Errorf("err = %v", err)
	}
}
