//go:build e2e

package delta_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headgate/internal/delta"
	"headgate/internal/store"
)

// peers is the table on disk and the Python programs that read it.
type peers struct {
	t      *testing.T
	python string
	root   string // of the table
	table  *delta.Table
	values map[string][]string // rows of a data file, by path
}

func newPeers(t *testing.T) *peers {
	python := os.Getenv("HEADGATE_PYTHON")
	if python == "" {
		python = filepath.Join("..", "..", ".venv", "bin", "python")
	}
	dir := t.TempDir()
	b, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return &peers{t: t, python: python, root: filepath.Join(dir, "scores", "shop"),
		table: delta.Open(b, "scores/shop"), values: map[string][]string{}}
}

// ask runs a command of testdata/peer.py.
func ask[T any](p *peers, args ...string) T {
	p.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(p.python, append([]string{filepath.Join("testdata", "peer.py")}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	var answer T
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		p.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return answer
}

// A wish is a data file that pyarrow shall write.
type wish struct {
	Dir  string `json:"dir"`
	Seed int    `json:"seed"`
	Rows int    `json:"rows"`
	Wide bool   `json:"wide"`
}

// write returns one file of the batch for each seed.
func (p *peers) write(batch string, wide bool, seeds ...int) []delta.File {
	p.t.Helper()
	var wishes []wish
	for _, seed := range seeds {
		wishes = append(wishes, wish{filepath.Dir(delta.FilePath(batch, "x")), seed, 5 + seed, wide})
	}
	asked, err := json.Marshal(wishes)
	if err != nil {
		p.t.Fatal(err)
	}
	type answer struct {
		Path   string          `json:"path"`
		Size   int64           `json:"size"`
		Rows   int64           `json:"rows"`
		Stats  json.RawMessage `json:"stats"`
		Values []string        `json:"values"`
	}
	var files []delta.File
	for _, f := range ask[[]answer](p, "write", p.root, string(asked)) {
		files = append(files, delta.File{Path: f.Path, Size: f.Size, Rows: f.Rows, Stats: f.Stats})
		p.values[f.Path] = f.Values
	}
	return files
}

// state returns what readers should see: the rows of each batch.
func (p *peers) state() map[string][]string {
	p.t.Helper()
	s, err := p.table.Snapshot(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	want := map[string][]string{}
	for _, batch := range s.Batches() {
		if err := s.Intact(batch); err != nil {
			p.t.Error(err)
		}
		for _, f := range s.Files(batch) {
			want[batch] = append(want[batch], p.values[f.Path]...)
		}
		slices.Sort(want[batch])
	}
	return want
}

// wantRead checks what all peers read of the table as it is now.
func (p *peers) wantRead(want map[string][]string) {
	p.t.Helper()
	p.compare("now", ask[[]readings](p, "read", p.root, "-1")[0], want)
}

// readings are the rows of each batch that each peer reads.
type readings map[string]map[string][]string

func (p *peers) compare(version string, got readings, want map[string][]string) {
	p.t.Helper()
	if len(got) != 4 {
		p.t.Fatalf("%d peers answered", len(got))
	}
	for peer, state := range got {
		if !reflect.DeepEqual(state, want) {
			p.t.Errorf("version %s: %s reads\n%v\nwant\n%v", version, peer, state, want)
		}
	}
}

func TestPeersReadEveryVersion(t *testing.T) {
	const odd = "it's 5:00/a 50%"
	p := newPeers(t)
	wide := append(slices.Clone(fields), delta.Field{Name: "due", Type: "timestamp_ntz"}, delta.Field{Name: "amount", Type: "decimal(10,2)"})
	var states []map[string][]string
	step := func(got delta.Published, err error) {
		t.Helper()
		if err != nil || got.Version != int64(len(states)) {
			t.Fatalf("version %d: got %+v, %v", len(states), got, err)
		}
		states = append(states, p.state())
		p.wantRead(states[got.Version])
	}
	first := p.write("2024-01", false, 1, 2)
	step(p.table.Publish(t.Context(), commit("2024-01", 0, "1", first...)))
	step(p.table.Publish(t.Context(), commit("2024-02", 0, "2", p.write("2024-02", false, 3)...)))
	step(p.table.Publish(t.Context(), commit(odd, 0, "3", p.write(odd, false, 4)...)))
	second := commit("2024-01", 1, "4", append(p.write("2024-01", true, 5), first[0])...)
	second.Fields = wide
	step(p.table.Publish(t.Context(), second))
	step(p.table.Restore(t.Context(), restore("2024-01", 2, 1, "5")))
	step(p.table.Restore(t.Context(), restore("2024-01", 3, 3, "6"))) // changes no file
	step(p.table.Restore(t.Context(), restore("2024-01", 4, 2, "7")))
	travels := []string{"read", p.root}
	for version := range states {
		travels = append(travels, fmt.Sprint(version))
	}
	for version, got := range ask[[]readings](p, travels...) {
		p.compare(fmt.Sprint(version), got, states[version])
	}
	if reflect.DeepEqual(states[3], states[4]) || !reflect.DeepEqual(states[2], states[4]) || !reflect.DeepEqual(states[3], states[6]) {
		t.Error("the restores did not go back and forth")
	}
	for peer, got := range ask[map[string][]string](p, "one_batch", p.root, odd) {
		if !slices.Equal(got, states[6][odd]) {
			t.Errorf("%s reads %q of batch %s, want %q", peer, got, odd, states[6][odd])
		}
	}
	p.wantDescribed()
}

// wantDescribed checks what deltalake says of the table of TestPeersReadEveryVersion.
func (p *peers) wantDescribed() {
	p.t.Helper()
	type description struct {
		Version      int64    `json:"version"`
		ID           string   `json:"id"`
		Name         string   `json:"name"`
		Partitions   []string `json:"partitions"`
		Publications int64    `json:"publications"`
		Said         []string `json:"said"`
		Vacuum       []string `json:"vacuum"`
	}
	got := ask[description](p, "describe", p.root)
	want := description{Version: 6, ID: "b2921935-97f1-887e-a727-1e6241cea23d", Name: "shop", Partitions: []string{"batch"}, Publications: 5,
		Said: []string{
			"headgate: publication 1 of batch 2024-01",
			"headgate: publication 1 of batch 2024-02",
			"headgate: publication 1 of batch it's 5:00/a 50%",
			"headgate: publication 2 of batch 2024-01",
			"headgate: publication 3 of batch 2024-01, which restores publication 1",
			"headgate: publication 4 of batch 2024-01, which restores publication 3",
			"headgate: publication 5 of batch 2024-01, which restores publication 2",
		}, Vacuum: []string{}}
	if !reflect.DeepEqual(got, want) {
		p.t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWhatPeersWriteIsNoticedAndRepaired(t *testing.T) {
	p := newPeers(t)
	publish(t, p.table, commit("2024-01", 0, "1", p.write("2024-01", false, 1, 2)...))
	publish(t, p.table, commit("2024-02", 0, "2", p.write("2024-02", false, 3)...))
	want := p.state()
	c := commit("2024-01", 1, "3", p.write("2024-01", false, 4)...)

	for _, how := range []string{"checkpoint", "vacuum"} {
		ask[any](p, "change", p.root, how)
		if got := p.state(); !reflect.DeepEqual(got, want) {
			t.Errorf("after %s: got %v, want %v", how, got, want)
		}
	}
	expect := int64(1)
	for _, how := range []string{"delete", "compact"} {
		ask[any](p, "change", p.root, how)
		var foreign *delta.ForeignError
		if _, err := p.table.Publish(t.Context(), c); !errors.As(err, &foreign) {
			t.Errorf("after %s: publish got %v", how, err)
		}
		if _, err := p.table.Restore(t.Context(), restore("2024-01", expect, 1, how)); err != nil {
			t.Fatal(err)
		}
		p.wantRead(want)
		expect++
		c.Expect = expect
	}
	publish(t, p.table, c)
	p.wantRead(p.state())
}
