package pipeline_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"headgate/internal/contract"
	"headgate/internal/pipeline"
	"headgate/internal/release"
	"headgate/schemas"
)

func TestLabelFiles(t *testing.T) {
	c := parse(t, strings.Replace(loopText, "l/{batch}", "s3://lake/l/{batch}/*.parquet", 1))
	base, prefix, match := c.LabelFiles("2024-01")
	if base != "s3://lake" || prefix != "l/2024-01/" || !match("l/2024-01/a.parquet") || match("l/2024-02/a.parquet") {
		t.Errorf("got %q, %q", base, prefix)
	}
	if base, key := c.LabelMarker("2024-01", "_COMPLETE"); base != "s3://lake" || key != "l/2024-01/_COMPLETE" {
		t.Errorf("the marker is %q in %q", key, base)
	}
	none := parse(t, "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\n")
	if _, prefix, match := none.LabelFiles("2024-01"); prefix != "" || match("") || match("2024-01") {
		t.Error("there are labels without labels")
	}
}

// Steps have the names that package release plans them under.
func TestStepNames(t *testing.T) {
	for _, tt := range []struct {
		name, release string
		want          []string
	}{
		{"the default", "", []string{"10%", "100%"}},
		{"small shares", "steps: [0.01%, 0.5, 100%]", []string{"0.01%", "50%", "100%"}},
		{"two arms", "strategy: ab", []string{"50%", "100%"}},
		{"two colours", "strategy: blueGreen", []string{"idle", "100%"}},
		{"shadow only", "strategy: shadow", nil},
		{"all at once", "strategy: allAtOnce, approve: { steps: [100%] }", []string{"100%"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, loopText+"release: { "+tt.release+" }\n").Release
			if got := r.StepNames(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			steps, err := release.Plan(r.Settings())
			if err != nil {
				t.Fatal(err)
			}
			var planned []string
			for _, s := range steps {
				if s.Name != release.StepShadow && s.Name != release.StepWatch {
					planned = append(planned, s.Name)
				}
			}
			if !slices.Equal(planned, tt.want) {
				t.Errorf("the plan has %v, want %v", planned, tt.want)
			}
		})
	}
}

// A file that a registry has is read, although no new one may let a candidate in about which
// nothing speaks; and then a person is asked.
func TestAKeptFileIsReadForEver(t *testing.T) {
	for _, tt := range []struct{ release, asks string }{
		{"shadow: 0", "10%"},
		{"strategy: blueGreen, shadow: 0", "idle"},
		{"strategy: ab, shadow: 0", "50%"},
		{"strategy: allAtOnce", "100%"},
	} {
		text := []byte(loopText + "release: { " + tt.release + " }\n")
		if _, err := pipeline.Parse("new", text); err == nil || !strings.Contains(err.Error(), "add approve: { steps: ["+tt.asks+"] }") {
			t.Errorf("%s: a new file: %v", tt.release, err)
		}
		c, err := pipeline.ParseKept("kept", text)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := release.Plan(c.Release.Settings())
		if err != nil || steps[1].Name != tt.asks || !steps[1].Approve {
			t.Errorf("%s: %v, the plan has %+v", tt.release, err, steps)
		}
	}
	if _, err := pipeline.ParseKept("kept", []byte("pipeline: p\n")); err == nil {
		t.Error("a file without a contract is read")
	}
}

func TestReleaseSettings(t *testing.T) {
	r := parse(t, loopText+"release: { steps: [5%, 100%], approve: { steps: [5%], expire: 36h, people: [{ name: Ada, roles: [owner] }] } }\n").Release
	s := r.Settings()
	if s.Strategy != "canary" || !slices.Equal(s.Steps, []int{500, 10_000}) || s.Expire != 36*time.Hour || s.ActBy != 0 ||
		len(s.People) != 1 || s.People[0].Name != "Ada" || !slices.Equal(s.Approve, []string{"5%"}) || s.OnFail != "rollback" {
		t.Errorf("got %+v", s)
	}
	if !r.Approve.Asks("5%") || r.Approve.Asks("100%") {
		t.Error("the wrong steps need an approval")
	}
}

// Settings go through workflows as JSON.
func TestSettingsSurviveJSON(t *testing.T) {
	c := parse(t, strings.Replace(loopText, "training: {}", "training: { calibrate: isotonic, parameters: { num_leaves: 7 } }", 1)+"release: { steps: [0.5%, 100%], approve: { actBy: 36h } }\n")
	for _, part := range []struct{ is, again any }{
		{c.Labels, new(pipeline.Labels)}, {c.Training, new(pipeline.Training)}, {c.Retrain, new(pipeline.Retrain)}, {c.Release, new(pipeline.Release)},
	} {
		data, err := json.Marshal(part.is)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, part.again); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(part.again); string(again) != string(data) {
			t.Errorf("got %s, want %s", again, data)
		}
	}
	for text, to := range map[string]any{`"5 days"`: new(pipeline.Duration), `"10"`: new(pipeline.Share), `3`: new(pipeline.OrNone), `"0%"`: new(pipeline.Share), `7`: new(pipeline.Duration)} {
		if err := json.Unmarshal([]byte(text), to); err == nil {
			t.Errorf("%s is read as %v", text, to)
		}
	}
}

func TestCheckLabels(t *testing.T) {
	const head = "apiVersion: v3.1.0\nkind: DataContract\nid: l\nversion: 1.0.0\nstatus: active\nschema:\n- name: t\n"
	const window = "  customProperties: [{ property: labelWindow, value: 30d }]\n"
	const role = ", customProperties: [{ property: mlRole, value: "
	batch := parseContract(t, head+"  properties:\n  - { name: shop, logicalType: integer"+role+"entityKey }] }\n  - { name: id, logicalType: string"+role+"entityKey }] }\n"+
		"  - { name: age, logicalType: integer"+role+"feature }] }\n  - { name: w, logicalType: number"+role+"weight }] }\n")
	const key = "  - { name: shop, primaryKey: true }\n  - { name: id, logicalType: string, primaryKey: true }\n"
	const label = "  - { name: bought, logicalType: boolean" + role + "label }] }\n"
	const treated = "  - { name: treated, logicalType: boolean" + role + "treatment }] }\n"
	const propensity = "  - { name: propensity, logicalType: number" + role + "propensity }] }\n"
	for _, tt := range []struct {
		name, files, labels, want string
	}{
		{"a key and a label", "", window + "  properties:\n" + key + label, ""},
		{"a treatment with its propensity", "", window + "  properties:\n" + key + label + treated + propensity, ""},
		{"nobody says when", "", "  properties:\n" + key + label, "labels: the contract l does not say when labels are known; give its object the custom property labelWindow, as in 30d"},
		{"no label", "", window + "  properties:\n" + key, "labels: the contract l has no column with mlRole label"},
		{"half a key", "", window + "  properties:\n  - { name: id, primaryKey: true }\n" + label, "labels: the entity key of the batch has shop, and the contract l has no such column"},
		{"a misspelt key", "", window + "  properties:\n  - { name: shops, primaryKey: true }\n  - { name: id, primaryKey: true }\n" + label,
			"labels: the entity key of the batch has shop, and the contract l has no such column; did you mean shops?\nlabels: shops is of the entity key in the labels, and not in the batch"},
		{"a key that is none", "", window + "  properties:\n  - { name: shop, primaryKey: true }\n  - { name: id }\n" + label, "labels: id is of the entity key in the batch, and not in the contract l; give it mlRole entityKey"},
		{"another type", "", window + "  properties:\n  - { name: shop, primaryKey: true }\n  - { name: id, logicalType: integer, primaryKey: true }\n" + label,
			"labels: id is string in the batch and integer in the labels: no key would be found"},
		{"a treatment alone", "", window + "  properties:\n" + key + label + treated, "labels: treated says who was treated, and no column has mlRole propensity, so the untreated cannot be weighted"},
		{"a propensity alone", "", window + "  properties:\n" + key + label + propensity, "labels: propensity is the probability of a treatment, and no column has mlRole treatment"},
		{"a treatment in words", "", window + "  properties:\n" + key + label + propensity + strings.Replace(treated, "boolean", "string", 1), "labels: the treatment treated must be a boolean, or 0 and 1, not string"},
		{"two weights", "", window + "  properties:\n" + key + label + "  - { name: v, logicalType: number" + role + "weight }] }\n", "labels: w of the batch and v of the labels are both the weight; there can be one"},
		{"a column that is a feature", "", window + "  properties:\n" + key + strings.Replace(label, "bought", "age", 1), "labels: age is a feature of the batch, and a column of the labels must have another name"},
		{"a marker of no batch", "l/{batch}.parquet", strings.Replace(window, "}]", "}, { property: labelMarker, value: _DONE }]", 1) + "  properties:\n" + key + label,
			"labels: labelMarker _DONE lies in the folder of a batch's labels, and labels.files \"l/{batch}.parquet\" names none; write it as in labels/{batch}/*.parquet"},
		{"a marker of any folder", "l/{batch}/*/a.parquet", strings.Replace(window, "}]", "}, { property: labelMarker, value: _DONE }]", 1) + "  properties:\n" + key + label,
			"labels: labelMarker _DONE lies in the folder of a batch's labels, and labels.files \"l/{batch}/*/a.parquet\" names none; write it as in labels/{batch}/*.parquet"},
		{"a marker", "l/{batch}/*.parquet", strings.Replace(window, "}]", "}, { property: labelMarker, value: _DONE }]", 1) + "  properties:\n" + key + label, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, strings.Replace(loopText, "'l/{batch}'", "'"+orElse(tt.files, "l/{batch}")+"'", 1))
			got := ""
			if err := c.CheckLabels(batch, parseContract(t, head+tt.labels)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func parseContract(t *testing.T, text string) *contract.Contract {
	t.Helper()
	k, err := contract.Parse("c.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheLoopNamesColumns(t *testing.T) {
	k := parseContract(t, "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n- name: t\n  properties:\n"+
		"  - { name: id, primaryKey: true }\n  - { name: region, logicalType: string }\n  - { name: birthday, classification: restricted }\n"+
		"  - { name: age, customProperties: [{ property: mlRole, value: feature }] }\n  - { name: tenure, customProperties: [{ property: mlRole, value: feature }] }\n"+
		"  - { name: bought, customProperties: [{ property: mlRole, value: label }] }\n")
	for _, tt := range []struct{ name, training, gates, want string }{
		{"all is there", "features: [age], leak: { allow: [age] }", "by: region", ""},
		{"a feature that is none", "features: [age, regio]", "by: region", "training.features: regio is no feature of the contract"},
		{"a feature with a typo", "features: [agee]", "by: region", "training.features: agee is no feature of the contract; did you mean age?"},
		{"a leak in what is not learned from", "features: [age], leak: { allow: [tenure] }", "by: region", "training.leak.allow: tenure is no feature that is learned from"},
		{"a slice that is not there", "", "by: regin", "gates.advance.slices: the contract has no column regin; did you mean region?"},
		{"a slice of secrets", "", "by: birthday", "gates.advance.slices: values of birthday must not stand in a decision, for it is classified"},
		{"a slice of the future", "", "by: bought", "gates.advance.slices: bought is a label, which a batch may come without"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, strings.Replace(loopText, "training: {}", "training: { "+tt.training+" }", 1)+"gates: { advance: { slices: [{ "+tt.gates+" }] } }\n")
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

// The files of the simulated shop fit each other.
func TestTheShopClosesTheLoop(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile("../../testdata/retailer/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	c, err := pipeline.Parse("loop.yaml", read("loop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k, l := parseContract(t, string(read("contract.yaml"))), parseContract(t, string(read("labels.yaml")))
	if err := c.CheckContract(k); err != nil {
		t.Error(err)
	}
	if err := c.CheckLabels(k, l); err != nil {
		t.Error(err)
	}
	const day = 24 * time.Hour
	if want := (contract.LabelPolicy{Window: 30 * day, Settlement: 14 * day, Marker: "_COMPLETE"}); *l.Labels != want {
		t.Errorf("got %+v, want %+v", *l.Labels, want)
	}
}

// The examples of docs/pipeline.md can be run, the one with the defaults says what a
// file means that leaves them out, and every key of the schema is explained.
func TestTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/pipeline.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	for part := range strings.SplitSeq(string(page), "```yaml\n") {
		text, _, _ := strings.Cut(part, "```\n")
		examples = append(examples, text)
	}
	if len(examples) != 7 {
		t.Fatalf("%d examples, want 6 after the text", len(examples)-1)
	}
	const head = "pipeline: p\ncontract: c.yaml\ninput: { files: '{batch}' }\n"
	parse(t, examples[1])
	written := parse(t, head+examples[2])
	left := parse(t, head+"labels: { files: 'labels/retailer/{batch}/*.parquet', contract: labels.yaml }\ntraining: {}\nretrain: {}\n")
	if got, want := string(written.JSON()), string(left.JSON()); got != want {
		t.Errorf("the defaults are\n%s\nnot\n%s", want, got)
	}
	for _, e := range examples[3:] {
		parse(t, head+"labels: { files: 'l/{batch}', contract: l.yaml }\n"+e)
	}
	var root node
	if err := json.Unmarshal(schemas.Pipeline, &root); err != nil {
		t.Fatal(err)
	}
	explained(t, root, string(page))
}

func explained(t *testing.T, n node, page string) {
	for key, inner := range n.Properties {
		if !regexp.MustCompile(`\b` + key + `\b`).MatchString(page) {
			t.Errorf("docs/pipeline.md has no word of %s", key)
		}
		explained(t, inner, page)
		if inner.Items != nil {
			explained(t, *inner.Items, page)
		}
	}
}
