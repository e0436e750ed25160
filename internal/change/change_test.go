package change_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"headgate/internal/change"
	"headgate/internal/store"
)

// shipped are the retailer's files.
func shipped(t testing.TB) change.Files {
	t.Helper()
	var f change.Files
	for name, dst := range map[string]*[]byte{"pipeline.yaml": &f.Pipeline, "contract.yaml": &f.Contract} {
		data, err := os.ReadFile("../../testdata/retailer/" + name)
		if err != nil {
			t.Fatal(err)
		}
		*dst = data
	}
	return f
}

// edited replaces a text that must be there.
func edited(t testing.TB, text []byte, old, now string) []byte {
	t.Helper()
	if !bytes.Contains(text, []byte(old)) {
		t.Fatalf("no %q", old)
	}
	return bytes.Replace(text, []byte(old), []byte(now), 1)
}

func TestBetween(t *testing.T) {
	was := shipped(t)
	pipeline, contract := was, was
	pipeline.Pipeline = append(bytes.Clone(was.Pipeline), "owner: somebody\n"...)
	contract.Contract = edited(t, was.Contract, "maximum: 1200", "maximum: 900")
	output := was
	output.Output = was.Contract
	labels := was
	labels.Labels = was.Contract
	for _, tt := range []struct {
		name    string
		is      change.Files
		changed string // files, in order
		text    string
		what    string // of the first change of a contract
	}{
		{"nothing", was, "", "", ""},
		{"a line of the pipeline file", pipeline, "pipeline", "+owner: somebody\n", ""},
		{"a limit of the contract", contract, "contract", "maximum: 900", "1200"},
		{"a contract of the scores that was not there", output, "output", "+kind: DataContract\n", ""},
		{"a contract of the labels that was not there", labels, "labels", "+kind: DataContract\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := change.Between(was, tt.is)
			if err != nil {
				t.Fatal(err)
			}
			names, text, what := "", "", ""
			for _, f := range []struct {
				name string
				file *change.File
				is   []byte
			}{{"pipeline", c.Pipeline, tt.is.Pipeline}, {"contract", c.Contract, tt.is.Contract}, {"output", c.Output, tt.is.Output}, {"labels", c.Labels, tt.is.Labels}} {
				if f.file == nil {
					continue
				}
				names, text = names+f.name, text+f.file.Text
				if f.file.To != store.DigestOf(f.is) {
					t.Errorf("%s is %s, want %s", f.name, f.file.To, store.DigestOf(f.is))
				}
				if len(f.file.Changes) > 0 {
					what = f.file.Changes[0].What
				}
			}
			if names != tt.changed || !strings.Contains(text, tt.text) || !strings.Contains(what, tt.what) || (what == "") != (tt.what == "") {
				t.Errorf("%q changed, %q in\n%s", names, what, text)
			}
			if tt.changed == "output" && c.Output.From != "" {
				t.Errorf("there was %s before", c.Output.From)
			}
			roundTrip(t, c)
		})
	}
}

func roundTrip(t *testing.T, c *change.Change) {
	t.Helper()
	data, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	back, err := change.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := back.Bytes(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("%v; got\n%s\nwant\n%s", err, again, data)
	}
}

func TestAContractThatCannotBeRead(t *testing.T) {
	was := shipped(t)
	is := was
	is.Contract = []byte("kind: Nothing\n")
	if _, err := change.Between(was, is); err == nil || !strings.Contains(err.Error(), "the new contract") {
		t.Errorf("a broken new one: %v", err)
	}
	if _, err := change.Between(is, was); err == nil || !strings.Contains(err.Error(), "the contract in force") {
		t.Errorf("a broken old one: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"nothing", "", "EOF"},
		{"an unknown field", `{"format":1,"approved":true}`, "approved"},
		{"another format", `{"format":2}`, "its format is 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := change.Parse([]byte(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse: %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	was := shipped(f)
	is := was
	is.Pipeline = append(bytes.Clone(was.Pipeline), "owner: <a&b>\n"...)
	c, err := change.Between(was, is)
	if err != nil {
		f.Fatal(err)
	}
	data, err := c.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := change.Parse(data)
		if err != nil {
			return
		}
		roundTrip(t, c)
	})
}

// A new limit of the rows in quarantine.
func Example() {
	c, err := change.Between(
		change.Files{Pipeline: []byte("pipeline: shop\nquarantine: { budget: 1% }\n")},
		change.Files{Pipeline: []byte("pipeline: shop\nquarantine: { budget: 5% }\n")})
	if err != nil {
		panic(err)
	}
	fmt.Print(c.Pipeline.Text)
	// Output:
	// diff in force/pipeline.yaml new/pipeline.yaml
	// --- in force/pipeline.yaml
	// +++ new/pipeline.yaml
	// @@ -1,2 +1,2 @@
	//  pipeline: shop
	// -quarantine: { budget: 1% }
	// +quarantine: { budget: 5% }
}
