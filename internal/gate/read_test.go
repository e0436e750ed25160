package gate_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headgate/internal/gate"
	"headgate/internal/strictyaml"
)

var update = flag.Bool("update", false, "rewrite what is wanted")

// read reads a policy file, whose only key is gates.
func read(text string) (*gate.Policy, error) {
	root, file, err := strictyaml.Open("pipeline.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	fs, _ := root.Map("the file", "gates")
	v, ok := fs.Need("gates")
	if !ok {
		return nil, file.Err()
	}
	p, ok := gate.Read(v)
	if ok != (file.Err() == nil) {
		panic("Read does not say whether there are problems")
	}
	return p, file.Err()
}

// TestRead reads every case of testdata/read: a policy, and what is wrong with it or
// what it is in JSON.
func TestRead(t *testing.T) {
	cases, err := filepath.Glob("testdata/read/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, name := range cases {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			why, rest, ok1 := strings.Cut(string(data), "-- pipeline.yaml --\n")
			text, want, ok2 := strings.Cut(rest, "-- want --\n")
			if !ok1 || !ok2 || why == "" {
				t.Fatal("a case has a reason, pipeline.yaml and want")
			}
			p, err := read(text)
			got := ""
			if err != nil {
				got = err.Error() + "\n"
			} else {
				b, err := json.MarshalIndent(p, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				got = string(b) + "\n"
			}
			if *update {
				if err := os.WriteFile(name, []byte(why+"-- pipeline.yaml --\n"+text+"-- want --\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestAPolicyThatSaysNothingIsTheDefault(t *testing.T) {
	for text, want := range map[string]*gate.Policy{
		"gates: {}\n":                 gate.Default(),
		"gates: {kind: binary}\n":     gate.Default(),
		"gates: {kind: regression}\n": gate.DefaultRegression(),
	} {
		p, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.Digest() != want.Digest() {
			t.Errorf("%s is not the default", text)
		}
	}
}

func TestAPolicySurvivesJSON(t *testing.T) {
	p, err := read("gates: {advance: {guardrails: {auc: 0.01, logLoss: 2%}, slices: [{by: region}], rules: [{id: r, rule: 'outcome.rows > 10'}]}}\n")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again := new(gate.Policy)
	if err := json.Unmarshal(b, again); err != nil {
		t.Fatal(err)
	}
	if again.Digest() != p.Digest() {
		t.Errorf("%s became another policy", b)
	}
}

// FuzzRead: no file makes Read fall, and what it accepts can judge.
func FuzzRead(f *testing.F) {
	cases, err := filepath.Glob("testdata/read/*.txtar")
	if err != nil || len(cases) == 0 {
		f.Fatalf("no cases (%v)", err)
	}
	for _, name := range cases {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(data), "-- pipeline.yaml --\n")
		text, _, _ := strings.Cut(rest, "-- want --\n")
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := read(text)
		if err != nil {
			return
		}
		for _, subject := range []gate.Subject{gate.Publish, gate.Advance, gate.Canary, gate.Reverse} {
			d, err := gate.Judge(p, subject, gate.Evidence{}, nil)
			if err != nil {
				t.Fatalf("%s: %v", subject, err)
			}
			if d.Verdict == gate.Pass {
				t.Errorf("%s passes without evidence", subject)
			}
		}
	})
}
