package headgate_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "headgate"

// rules is the architecture. A package may import the packages of this module on
// its line, and no others. Each name stands on a line above its uses, so the list
// cannot hold a cycle. Names without a directory of their own are under internal/.
const rules = `
	alert:
	calendar:
	metric:
	telemetry:           metric
	columnar:
	deliver:             alert
	deliver/delivertest:
	strictyaml:
	rowrule:             strictyaml
	contract:            rowrule strictyaml
	sketch:
	evaluate:            sketch
	figure:              evaluate
	release:             figure
	model:
	schemas:
	store:
	store/storetest:     store
	profile:             sketch
	drift:               profile sketch
	infer:               contract profile
	compare:             drift evaluate
	gate:                compare contract drift evaluate strictyaml
	pipeline:            alert calendar contract evaluate gate release strictyaml
	model/lightgbm:      model
	train/gbdt:          model
	report/chart:        figure
	report/page:         figure report/chart
	report/pagetest:
	domain:              columnar evaluate model model/lightgbm sketch train/gbdt
	train:               columnar contract evaluate model train/gbdt
	registry:            store
	delta:               store
	retailer:            columnar
	retailer/generate:   retailer
	bundle:              columnar contract model store
	run:                 contract delta figure release store
	pass:                columnar contract model profile run
	fallback:            columnar contract delta pass pipeline run store
	quarantine:          bundle columnar contract model pass pipeline registry run store
	bench/process:
	bench/drift:         drift model profile retailer
	bench/coverage:      compare evaluate
	bench:               bench/process columnar contract model model/lightgbm pass retailer run
	bench/train:         bench/process columnar model model/lightgbm retailer train/gbdt
	bench/gates:         evaluate gate model model/lightgbm retailer train/gbdt
	change:              contract store
	registration:        bundle calendar change columnar contract model pass pipeline profile registry store train train/gbdt
	labels:              columnar contract pass run store
	evidence:            columnar contract evaluate labels pass pipeline registry release run store
	version:             bundle model store train
	trail:               gate registry release run store
	serving:             columnar compare contract evaluate gate pass release run store
	audit:               bundle calendar change columnar contract delta evidence fallback gate labels model pass pipeline registry release run serving store
	trigger:             evaluate
	learn:               columnar contract evaluate labels model pass pipeline registry run store train trigger
	report:              compare drift evaluate figure gate model profile report/chart report/page sketch train
	dossier:             bundle contract delta drift evaluate evidence figure gate learn model pass pipeline profile registry release report run serving store trail train
	activities:          alert bundle calendar columnar contract deliver delta drift evaluate evidence fallback gate labels learn metric model pass pipeline profile registration registry release run serving store trail train trigger
	workflows:           activities alert calendar evaluate evidence figure metric release run store train trigger
	workflows/workflowstest: activities model store workflows
	standing:            activities drift evaluate evidence metric pipeline registry release run store trigger
	worker:              activities metric model model/lightgbm standing store workflows
	cmd/worker:          telemetry worker
	cmd/starter:         activities alert audit bundle calendar change columnar compare contract deliver delta domain dossier drift evaluate evidence figure gate infer labels learn model model/lightgbm pass pipeline profile quarantine registration registry release report report/page run store strictyaml telemetry train trigger version workflows
`

// only keeps a technology in its place: no other package may import it.
var only = map[string][]string{
	"go.temporal.io/":                        {"activities", "workflows", "workflows/workflowstest", "worker", "telemetry", "cmd/worker", "cmd/starter"},
	"go.opentelemetry.io/":                   {"telemetry"},
	"github.com/prometheus/":                 {"telemetry"},
	"gocloud.dev/":                           {"store"},
	"github.com/parquet-go/":                 {"columnar"},
	"github.com/apache/arrow/":               {"columnar", "rowrule", "contract", "profile", "infer", "model", "model/lightgbm", "train/gbdt", "domain", "train", "bundle", "pass", "audit", "activities", "quarantine", "registration", "retailer", "retailer/generate", "cmd/starter", "bench", "bench/drift", "bench/train", "bench/gates", "labels", "evidence", "serving", "learn"},
	"gonum.org/":                             {"drift"},
	"go.yaml.in/yaml":                        {"strictyaml", "pipeline", "contract"},
	"cel.dev/":                               {"rowrule", "gate"},
	"golang.org/x/crypto/":                   {"release"},
	"github.com/emersion/":                   {"deliver/delivertest"},
	"github.com/wneessen/go-mail":            {"deliver"},
	"github.com/rs/zerolog":                  {"cmd/worker"},
	"github.com/spf13/cobra":                 {"cmd/starter"},
	"github.com/apache/arrow/go/v17/parquet": {},
	"go.temporal.io/server":                  {},
}

func TestImports(t *testing.T) {
	allowed := parseRules(t)
	seen := 0
	// Read the sources here, not through the go command: go test must see which
	// files the result depends on, or it reports a cached pass.
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != "." || file == filepath.Join("cmd", "dev") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		seen++
		checkFile(t, filepath.ToSlash(file), allowed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no sources")
	}
}

func checkFile(t *testing.T, file string, allowed map[string][]string) {
	pkg := strings.TrimPrefix(path.Dir(file), "internal/")
	src, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	deps, ok := allowed[pkg]
	if !ok {
		t.Errorf("%s: package %s has no line in the rules", file, pkg)
	}
	for _, spec := range src.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if dep, ours := strings.CutPrefix(imp, module+"/"); ours && !slices.Contains(deps, strings.TrimPrefix(dep, "internal/")) {
			t.Errorf("%s imports %s", file, dep)
		}
		for tech, where := range only {
			if strings.HasPrefix(imp, tech) && !slices.Contains(where, pkg) {
				t.Errorf("%s imports %s; only %v may", file, imp, where)
			}
		}
	}
}

func parseRules(t *testing.T) map[string][]string {
	allowed := map[string][]string{}
	for line := range strings.Lines(rules) {
		pkg, list, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		deps := strings.Fields(list)
		for _, dep := range deps {
			if _, above := allowed[dep]; !above {
				t.Errorf("rules: %s uses %s before its line", pkg, dep)
			}
		}
		allowed[pkg] = deps
	}
	return allowed
}
