package pipeline_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"headgate/internal/contract"
	"headgate/internal/pipeline"
	"headgate/internal/strictyaml"
)

var update = flag.Bool("update", false, "write what the code does now into the golden files")

func TestParse(t *testing.T) {
	cases, err := filepath.Glob("testdata/parse/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil || len(ar.Files) != 2 {
				t.Fatalf("want an input and an output: %v", err)
			}
			got := show(pipeline.Parse(ar.Files[0].Name, ar.Files[0].Data))
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

func show(c *pipeline.Config, err error) string {
	if err != nil {
		return err.Error() + "\n"
	}
	return string(c.JSON())
}

func parse(t *testing.T, text string) *pipeline.Config {
	t.Helper()
	c, err := pipeline.Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFiles(t *testing.T) {
	for _, tt := range []struct {
		name         string
		files        string
		base, prefix string
		match        []string
		not          []string
	}{
		{"a folder for each batch", "in/{batch}/*.parquet", "", "in/2024-01/",
			[]string{"in/2024-01/a.parquet"}, []string{"in/2024-01/x/a.parquet", "in/2024-02/a.parquet", "in/2024-01/a.parquet.tmp", "xin/2024-01/a.parquet"}},
		{"one file for each batch", "in/{batch}.parquet", "", "in/2024-01.parquet", []string{"in/2024-01.parquet"}, []string{"in/2024x01.parquet"}},
		{"folders in folders", "in/**/{batch}-?.parquet", "", "in/",
			[]string{"in/2024-01-a.parquet", "in/x/y/2024-01-b.parquet"}, []string{"in/2024-01-.parquet", "in/x2024-01-b.parquet"}},
		{"everything below", "in/{batch}/**", "", "in/2024-01/", []string{"in/2024-01/a", "in/2024-01/b/c"}, []string{"in/2024-011/a"}},
		{"a directory", "file:///data/in/{batch}/part-*.parquet", "file:///data/in", "2024-01/part-", []string{"2024-01/part-0.parquet"}, []string{"data/in/2024-01/part-0.parquet"}},
		{"a directory with the batch in a name", "file:///data/in/m{batch}.parquet", "file:///data/in", "m2024-01.parquet", []string{"m2024-01.parquet"}, nil},
		{"a bucket", "s3://lake/in/{batch}/*.parquet", "s3://lake", "in/2024-01/", []string{"in/2024-01/a.parquet"}, nil},
		{"a bucket with options", "s3://lake/in/{batch}.parquet?region=eu-west-1", "s3://lake?region=eu-west-1", "in/2024-01.parquet", []string{"in/2024-01.parquet"}, nil},
		{"letters beyond ASCII", "données/{batch}/*.parquet", "", "données/2024-01/", []string{"données/2024-01/é.parquet"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: \""+tt.files+"\" }\n")
			base, prefix, match := c.Files("2024-01")
			if base != tt.base || prefix != tt.prefix {
				t.Errorf("got %q and %q, want %q and %q", base, prefix, tt.base, tt.prefix)
			}
			for _, key := range tt.match {
				if !match(key) || !strings.HasPrefix(key, prefix) {
					t.Errorf("%s does not match, or is not under %s", key, prefix)
				}
			}
			for _, key := range tt.not {
				if match(key) {
					t.Errorf("%s matches", key)
				}
			}
		})
	}
}

func TestCheckBatch(t *testing.T) {
	for _, tt := range []struct {
		kind, batch, want string
	}{
		{"month", "2024-01", ""},
		{"month", "2024-1", `batch "2024-1" is not a month, as in 2024-01`},
		{"month", "2024-13", `batch "2024-13" is not a month, as in 2024-01`},
		{"month", "2024-01-31", `batch "2024-01-31" is not a month, as in 2024-01`},
		{"day", "2024-02-29", ""},
		{"day", "2023-02-29", `batch "2023-02-29" is not a day, as in 2024-01-31`},
		{"any", "Winter_2024.v2", ""},
		{"any", "../x", `batch "../x" must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or digit`},
		{"any", "", `batch "" must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or digit`},
	} {
		c := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nbatch: "+tt.kind+"\n")
		got := ""
		if err := c.CheckBatch(tt.batch); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.kind, tt.batch, got, tt.want)
		}
	}
}

func TestCheckContract(t *testing.T) {
	text := "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n- name: t\n  properties:\n" +
		"  - { name: segment }\n  - { name: disease, classification: restricted }\n  - { name: bought, customProperties: [{ property: mlRole, value: label }] }\n"
	key := "  - { name: id, primaryKey: true }\n"
	for _, tt := range []struct {
		name, contract, keep, want string
	}{
		{"a column is kept", text + key, "segment", ""},
		{"nothing says whose a score is", text, "segment", "the contract has no column with mlRole entityKey and no primary key, so a score could not say whose it is"},
		{"a column that is not there", text + key, "segmnt", "scores.keep: the contract has no column segmnt; did you mean segment?"},
		{"the key is kept anyway", text + key, "id", "scores.keep: id is the entity key, which is kept in any case"},
		{"what is restricted stays in the input", text + key, "disease", "scores.keep: disease is restricted, and its values must not leave the input"},
		{"a label is not known yet", text + key, "bought", "scores.keep: bought is a label, which a batch may come without"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, err := contract.Parse("c.yaml", []byte(tt.contract))
			if err != nil {
				t.Fatal(err)
			}
			c := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nscores: { keep: ["+tt.keep+"] }\n")
			got := ""
			if err := c.CheckContract(k); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	for _, tt := range []struct {
		yaml       string
		bad, total int64
		exceeded   bool
		words      string
	}{
		{"0", 0, 100, false, "no rows"},
		{"0", 1, 100, true, "no rows"},
		{"1%", 1, 100, false, "1% of the rows"},
		{"1%", 2, 100, true, "1% of the rows"},
		{"29%", 29, 100, false, "29% of the rows"}, // 0.29 * 100 is below 29 in floating point
		{"0.001", 20, 20000, false, "0.1% of the rows"},
		{"{ share: 1%, rows: 500 }", 501, 1000000, true, "1% of the rows, at most 500"},
		{"{ rows: 500 }", 500, 500, false, "500 rows"},
		{"{ rows: 500 }", 501, 501, true, "500 rows"},
		{"{ rows: 0 }", 1, 501, true, "no rows"},
		{"100%", 5, 5, false, "100% of the rows"},
	} {
		b := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\nquarantine: { budget: "+tt.yaml+" }\n").Quarantine.Budget
		if got := b.Exceeded(tt.bad, tt.total); got != tt.exceeded {
			t.Errorf("%s: %d of %d exceeded is %v", tt.yaml, tt.bad, tt.total, got)
		}
		if got := b.String(); got != tt.words {
			t.Errorf("%s: got %q, want %q", tt.yaml, got, tt.words)
		}
	}
}

// FuzzParse holds that a file is refused with places, or that its files can be
// looked for.
func FuzzParse(f *testing.F) {
	cases, err := filepath.Glob("testdata/parse/*.txtar")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, path := range cases {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(ar.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := pipeline.Parse("f.yaml", data)
		var bad *strictyaml.Error
		if err != nil {
			if !errors.As(err, &bad) || len(bad.Problems) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			return
		}
		_, prefix, match := c.Files("2024-01")
		match(prefix)
		if again, err := pipeline.Parse("json.yaml", c.JSON()); err != nil || string(again.JSON()) != string(c.JSON()) {
			t.Fatalf("the printed configuration does not mean the same (%v):\n%s", err, c.JSON())
		}
	})
}

func ExampleParse() {
	_, err := pipeline.Parse("pipeline.yaml", []byte("pipeline: churn\ncontract: contract.yaml\ninput:\n  files: in/{bacth}/*.parquet\n"))
	fmt.Println(err)
	// Output: pipeline.yaml:4:10: files "in/{bacth}/*.parquet" has {bacth}, and only {batch} can be filled in; did you mean {batch}?
}
