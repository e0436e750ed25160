package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"headgate/internal/columnar"
	"headgate/internal/pass"
	"headgate/internal/profile"
)

// A place is something that a run leaves behind.
type place struct {
	name string
	data []byte
}

// A finding is a trace of a classified value in a place.
type finding struct {
	place  string
	column string
	form   string
}

func (f finding) String() string { return fmt.Sprintf("%s: %s as %s", f.place, f.column, f.form) }

// scan looks for all needles in all places.
func scan(places []place) []finding {
	var found []finding
	all := needles()
	for _, p := range places {
		for _, n := range all {
			if bytes.Contains(p.data, n.bytes) || bytes.Contains([]byte(p.name), n.bytes) {
				found = append(found, finding{p.name, n.column, n.form})
			}
		}
		found = append(found, p.rounded()...)
	}
	return slices.Compact(found)
}

var numberInText = regexp.MustCompile(`[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`)

// rounded looks for numbers that were rounded to six digits on their way, as papers
// write them.
func (p place) rounded() []finding {
	if !json.Valid(p.data) {
		return nil
	}
	secrets := map[string][]float64{"income": slices.Concat(incomes, newIncomes, []float64{badIncome}), "debt": {float64(badDebt)}}
	for _, v := range debts {
		secrets["debt"] = append(secrets["debt"], float64(v))
	}
	var found []finding
	for _, text := range numberInText.FindAllString(string(p.data), -1) {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		for _, column := range []string{"debt", "income"} {
			if slices.ContainsFunc(secrets[column], func(s float64) bool { return math.Abs(v-s) <= 1e-5*s }) {
				found = append(found, finding{p.name, column, "rounded number " + text})
			}
		}
	}
	return found
}

// gather returns all that a site has left: every file below dir, with Parquet files
// also decoded, what the server's database holds, and every workflow's history.
func gather(t *testing.T, s *site, dir string) []place {
	t.Helper()
	places := append(files(t, dir), database(t, dir)...)
	return append(places, histories(t, s)...)
}

// files reads every file below dir: the store, the logs, the database and its log.
func files(t *testing.T, dir string) []place {
	t.Helper()
	var places []place
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file that somebody works with, and leaves to nobody
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		p := place{filepath.ToSlash(rel), data}
		places = append(append(places, p), decoded(t, p)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// decoded returns the columns of a Parquet file as texts, one a line.
func decoded(t *testing.T, p place) []place {
	t.Helper()
	if !bytes.HasPrefix(p.data, []byte("PAR1")) {
		return nil
	}
	f, err := columnar.Open(bytes.NewReader(p.data), int64(len(p.data)), nil)
	if err != nil {
		return nil // one of the damaged deliveries
	}
	var names []string
	columns := map[string]*bytes.Buffer{}
	for _, field := range f.Schema().Fields() {
		names, columns[field.Name] = append(names, field.Name), new(bytes.Buffer)
	}
	for rec, err := range f.Records(t.Context(), columnar.ReadOptions{Columns: names}) {
		if err != nil {
			break
		}
		for i, name := range names {
			for row := range int(rec.NumRows()) {
				if rec.Column(i).IsValid(row) {
					columns[name].WriteString(pass.Text(rec.Column(i), row) + "\n")
				}
			}
		}
	}
	var places []place
	for _, name := range names {
		places = append(places, place{p.name + "#" + name, columns[name].Bytes()})
	}
	return places
}

// database reads every cell of the server's database. The file by itself does not do:
// a value can lie across two of its pages.
func database(t *testing.T, dir string) []place {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "temporal-*.db"))
	if err != nil || len(names) != 1 {
		t.Fatalf("databases: %v, %v", names, err)
	}
	db, err := sql.Open("sqlite", "file:"+names[0]+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var places []place
	for _, table := range cells(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		p := place{name: "database:" + table}
		for _, cell := range cells(t, db, `SELECT * FROM "`+table+`"`) {
			p.data = append(append(p.data, cell...), 0)
		}
		places = append(places, p)
	}
	return places
}

// cells returns all values of a query.
func cells(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var all []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			all = append(all, string(v))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// histories returns what the server tells of every workflow: its events, its memo and
// its search attributes, with payloads as the bytes that they are, and what the
// workflow shows of itself.
func histories(t *testing.T, s *site) []place {
	t.Helper()
	list, err := s.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var places []place
	for _, e := range list.Executions {
		p := place{name: "history:" + e.Execution.WorkflowId + "/" + e.Execution.RunId}
		p.data = append(p.data, marshal(t, e)...)
		events := s.client.GetWorkflowHistory(t.Context(), e.Execution.WorkflowId, e.Execution.RunId, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				t.Fatal(err)
			}
			p.data = append(p.data, marshal(t, event)...)
		}
		for _, query := range []string{"scorecard", "__temporal_workflow_metadata"} {
			shown, err := s.client.QueryWorkflow(t.Context(), e.Execution.WorkflowId, e.Execution.RunId, query)
			if query == "scorecard" && e.Type.Name != "ScoreBatch" {
				continue
			}
			var raw converter.RawValue
			if err == nil {
				err = shown.Get(&raw)
			}
			if err != nil {
				t.Fatal(err)
			}
			p.data = append(p.data, raw.Payload().Data...)
		}
		places = append(places, p)
	}
	return places
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A pardon is a place where values of some classified columns may be.
type pardon struct {
	place   *regexp.Regexp
	columns []string
	why     string
	used    map[string]bool
}

// pardons are all places where classified values may be, and why.
func pardons() []*pardon {
	all := slices.Concat(confident, restricted)
	published := []string{"person", "email"}
	may := func(place string, columns []string, why string) *pardon {
		return &pardon{regexp.MustCompile(place), columns, why, map[string]bool{}}
	}
	return []*pardon{
		may(`^store/incoming/`, all, "it is the delivery itself, and its supplier's to erase"),
		may(`^store/reference/`, all, "it is another set that the contract points to, and its supplier's"),
		may(`^store/runs/[^/]+/[^/]+/[^/]+/replay/`, all, "corrected rows are a delivery as well"),
		may(`^store/scores/[^/]+/batch=.*parquet`, published, "a score must say whose it is, and the pipeline asks for the kept columns"),
		may(`^store/runs/.*/(scores/champion|table)/.*parquet`, published, "these files become the published ones"),
		may(`^store/runs/.*/quarantine/.*parquet`, confident, "whoever corrects a row must see it; restricted columns are for those who have the delivery"),
		may(`^said:why$`, []string{"person", "email", "nickname", "income"}, "it answers who asks for one person by name; restricted columns stay hidden"),
	}
}

// leaks returns the findings that no pardon covers.
func leaks(found []finding, pardons []*pardon) []finding {
	var left []finding
	for _, f := range found {
		i := slices.IndexFunc(pardons, func(p *pardon) bool { return p.place.MatchString(f.place) && slices.Contains(p.columns, f.column) })
		if i < 0 {
			left = append(left, f)
		} else {
			pardons[i].used[f.column] = true
		}
	}
	return left
}

// tooMuch says what profiles keep of classified columns that they must not: a profile
// could hold a value in a form that no search for bytes finds.
func tooMuch(t *testing.T, places []place) []string {
	t.Helper()
	var wrong []string
	profiles := 0
	for _, p := range places {
		if !bytes.HasPrefix(p.data, []byte("hgprof\x00")) {
			continue
		}
		var described profile.Profile
		if err := described.UnmarshalBinary(p.data); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		profiles++
		for _, c := range described.Columns {
			switch {
			case slices.Contains(restricted, c.Name) && (!c.Restricted || c.Quantiles.Count() != 0 || c.Distincts() != 0):
				wrong = append(wrong, p.name+": "+c.Name+" has more than counts")
			case slices.Contains(confident, c.Name) && (!c.Confidential || c.Min != 0 || c.Max != 0 || c.MinText+c.MaxText != "" || len(c.Frequent.Values()) > 0):
				wrong = append(wrong, p.name+": "+c.Name+" has single values")
			}
		}
	}
	if profiles == 0 {
		t.Error("there are no profiles")
	}
	return wrong
}

// lines puts findings on lines of their own.
func lines[T any](items []T) string {
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, "\n  %v", item)
	}
	return b.String()
}
