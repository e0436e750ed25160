package delta

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// appPrefix begins the txn application ids of publications.
const appPrefix = "headgate/"

// appID names the counter of a batch's publications in the txn actions.
func appID(pipeline, batch string) string { return appPrefix + pipeline + "/" + batch }

// A Snapshot is the table at one version. It does not change.
type Snapshot struct {
	version  int64 // -1 before the first commit
	pipeline string
	protocol *protocol
	meta     *metaData
	columns  []column
	live     map[string]fileAction    // files in the table, by path
	history  map[string][]Publication // by batch, in order
	foreign  map[string]int64         // last version that another writer touched the batch in
}

func newSnapshot() *Snapshot {
	return &Snapshot{version: -1, live: map[string]fileAction{}, history: map[string][]Publication{}, foreign: map[string]int64{}}
}

// Version returns the version of the table, or -1 if there is no table yet.
func (s *Snapshot) Version() int64 { return s.version }

// Publication returns the number of the batch's last publication, 0 if it has none.
func (s *Snapshot) Publication(batch string) int64 { return int64(len(s.history[batch])) }

// Current returns the batch's last publication; false if it has none.
func (s *Snapshot) Current(batch string) (Publication, bool) {
	h := s.history[batch]
	if len(h) == 0 {
		return Publication{}, false
	}
	return h[len(h)-1], true
}

// History returns the batch's publications, the first one first.
func (s *Snapshot) History(batch string) []Publication { return slices.Clone(s.history[batch]) }

// Files returns what readers of the table read of the batch, by path.
func (s *Snapshot) Files(batch string) []File {
	var files []File
	for _, a := range s.live {
		if a.batch == batch {
			files = append(files, a.file)
		}
	}
	slices.SortFunc(files, byPath)
	return files
}

// Batches returns the batches that were ever published, in order.
func (s *Snapshot) Batches() []string { return slices.Sorted(maps.Keys(s.history)) }

// Intact returns nil if the batch consists of its last publication's files, and a
// [*ForeignError] if another writer changed that.
func (s *Snapshot) Intact(batch string) error {
	current, _ := s.Current(batch)
	same := func(a, b File) bool { return a.Path == b.Path && a.Size == b.Size }
	if slices.EqualFunc(s.Files(batch), current.Files, same) {
		return nil
	}
	return &ForeignError{batch, current.Number, s.foreign[batch]}
}

func byPath(a, b File) int { return cmp.Compare(a.Path, b.Path) }

// apply moves the snapshot one commit on. After an error it is of no use.
func (s *Snapshot) apply(c *commit) error {
	if c.version == 0 && (c.protocol == nil || c.meta == nil) {
		return &LogError{c.key, 0, "the first commit has no protocol or no metaData"}
	}
	if c.protocol != nil {
		s.protocol = c.protocol
	}
	if c.meta != nil {
		s.meta, s.columns = c.meta, c.columns
	}
	p, err := s.publication(c)
	if err != nil {
		return err
	}
	for i := range c.removes {
		s.remove(&c.removes[i])
	}
	for _, a := range c.adds {
		s.live[a.file.Path] = a
	}
	s.version = c.version
	if p == nil {
		for _, a := range slices.Concat(c.adds, c.removes) {
			s.foreign[a.batch] = c.version
		}
		return nil
	}
	p.Files = s.Files(p.Batch)
	s.history[p.Batch] = append(s.history[p.Batch], *p)
	return nil
}

// remove takes a file away. A remove need not name the batch, its add did.
func (s *Snapshot) remove(a *fileAction) {
	if was, ok := s.live[a.file.Path]; ok {
		a.batch = was.batch
		delete(s.live, a.file.Path)
	}
}

// publication reads what the commit says of itself if it is one of ours, and
// returns nil if it is not. Numbers must follow each other.
func (s *Snapshot) publication(c *commit) (*Publication, error) {
	bad := func(format string, args ...any) error {
		return &LogError{c.key, 0, fmt.Sprintf(format, args...)}
	}
	var ours []txn
	for _, t := range c.txns {
		if strings.HasPrefix(t.AppID, appPrefix) {
			ours = append(ours, t)
		}
	}
	if len(ours) == 0 {
		return nil, nil
	}
	if c.info == nil || c.info.Headgate == nil {
		return nil, bad("counts a publication and does not say which")
	}
	h := c.info.Headgate
	switch want := s.Publication(h.Batch) + 1; {
	case len(ours) > 1 || ours[0].AppID != appID(h.Pipeline, h.Batch) || ours[0].Version != h.Publication:
		return nil, bad("is publication %d of batch %s, but counts %v", h.Publication, h.Batch, ours)
	case h.Publication != want || h.Supersedes != want-1 || h.RestoredFrom < 0 || h.RestoredFrom >= want:
		return nil, bad("is publication %d of batch %s, which supersedes %d and restores %d; the next one is %d",
			h.Publication, h.Batch, h.Supersedes, h.RestoredFrom, want)
	case s.pipeline != "" && s.pipeline != h.Pipeline:
		return nil, bad("is of pipeline %s in the table of %s", h.Pipeline, s.pipeline)
	case h.Operation == "":
		return nil, bad("names no operation")
	}
	for _, a := range slices.Concat(c.adds, c.removes) {
		if was, ok := s.live[a.file.Path]; a.batch != h.Batch || ok && was.batch != h.Batch {
			return nil, bad("is publication %d of batch %s, but touches %q of another", h.Publication, h.Batch, a.file.Path)
		}
	}
	s.pipeline = h.Pipeline
	return &Publication{Pipeline: h.Pipeline, Batch: h.Batch, Number: h.Publication, Version: c.version, Operation: h.Operation,
		Supersedes: h.Supersedes, RestoredFrom: h.RestoredFrom, Info: h.Info, At: time.UnixMilli(c.info.Timestamp).UTC(), Commit: c.digest}, nil
}
