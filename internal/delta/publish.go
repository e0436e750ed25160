package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"headgate/internal/store"
)

// Publish makes c.Files all that the batch has, in one commit. It is a success,
// with Already set, if an earlier attempt of the same operation was the last to
// publish the batch. Commits to other batches do not disturb it.
//
// A new column becomes a nullable column of the table; a column that the files
// lack, or that may be null in them, becomes nullable. A column of another type
// is a [*SchemaError]. The errors [ErrConflict], [*ForeignError] and
// [*MissingError] mean that nothing was published. After any other error nobody
// knows: publish again, with the same Commit.
func (t *Table) Publish(ctx context.Context, c Commit) (Published, error) {
	ch := &change{table: t, pipeline: c.Pipeline, batch: c.Batch, expect: c.Expect, operation: c.Operation,
		info: c.Info, at: c.At, fields: c.Fields}
	if err := ch.check(); err != nil {
		return Published{}, err
	}
	if len(c.Fields)+len(c.Files) > 0 {
		if err := checkFields(c.Fields); err != nil {
			return Published{}, err
		}
	}
	files, err := checkFiles(c.Batch, c.Files)
	if err != nil {
		return Published{}, err
	}
	ch.files = func(s *Snapshot) ([]File, error) { return files, s.Intact(c.Batch) }
	return ch.commit(ctx)
}

// Restore puts publication c.To of the batch back in place, as a new publication.
// It repeats and fails as [Table.Publish] does, but repairs what other writers
// did to the batch. If files of that publication are gone, which [*MissingError]
// says, copy them to their place or to another, and name them in c.Files.
func (t *Table) Restore(ctx context.Context, c RestoreCommit) (Published, error) {
	ch := &change{table: t, pipeline: c.Pipeline, batch: c.Batch, expect: c.Expect, operation: c.Operation,
		info: c.Info, at: c.At, restoredFrom: c.To}
	if err := ch.check(); err != nil {
		return Published{}, err
	}
	if c.To < 1 || c.To > c.Expect {
		return Published{}, fmt.Errorf("delta: batch %s has no publication %d to restore; its last one is %d", c.Batch, c.To, c.Expect)
	}
	files, err := checkFiles(c.Batch, c.Files)
	if err != nil {
		return Published{}, err
	}
	ch.files = func(s *Snapshot) ([]File, error) {
		old := s.history[c.Batch][c.To-1]
		if len(files) == 0 {
			return old.Files, nil
		}
		if have, want := countRows(files), old.Rows(); want >= 0 && have != want {
			return nil, fmt.Errorf("delta: publication %d of batch %s has %d rows, the files that stand in for it %d", c.To, c.Batch, want, have)
		}
		return files, nil
	}
	return ch.commit(ctx)
}

// A change is a publication in the making.
type change struct {
	table           *Table
	pipeline, batch string
	expect          int64
	operation       string
	restoredFrom    int64
	info            map[string]string
	at              time.Time
	fields          []Field                           // none: the table's columns stay
	files           func(s *Snapshot) ([]File, error) // checked, by path; s is at expect
}

func (ch *change) check() error {
	switch {
	case ch.pipeline == "" || strings.Contains(ch.pipeline, "/"):
		return fmt.Errorf("delta: %q cannot name a pipeline", ch.pipeline)
	case ch.batch == "":
		return errors.New("delta: a batch without a name")
	case ch.operation == "":
		return fmt.Errorf("delta: a publication of batch %s without an operation id", ch.batch)
	case ch.expect < 0:
		return fmt.Errorf("delta: batch %s cannot be at publication %d", ch.batch, ch.expect)
	case ch.at.IsZero():
		return fmt.Errorf("delta: a publication of batch %s without a time", ch.batch)
	}
	return nil
}

// commit writes the change behind the last commit. If another writer takes the
// place, it moves on behind that one, unless that one settles the matter.
func (ch *change) commit(ctx context.Context) (Published, error) {
	s, err := ch.table.Snapshot(ctx)
	if err != nil {
		return Published{}, err
	}
	checked := false
	for {
		if done, err := ch.settled(s); done.Already || err != nil {
			return done, err
		}
		files, err := ch.files(s)
		if err != nil {
			return Published{}, err
		}
		if !checked {
			if err := ch.inPlace(ctx, files); err != nil {
				return Published{}, err
			}
			checked = true
		}
		data, err := ch.build(s, files)
		if err != nil {
			return Published{}, err
		}
		err = ch.table.bucket.Put(ctx, ch.table.logKey(s.version+1), data)
		if err == nil {
			return Published{Version: s.version + 1, Publication: ch.expect + 1}, nil
		}
		if !errors.Is(err, store.ErrExists) {
			return Published{}, fmt.Errorf("delta: publish batch %s: %w", ch.batch, err)
		}
		next, err := ch.table.read(ctx, s.version+1)
		if err != nil {
			return Published{}, err
		}
		if err := s.apply(next); err != nil {
			return Published{}, err
		}
	}
}

// settled answers without a commit: with an earlier attempt's success, which has
// Already set, or with an error. Neither means that the change is still to be made.
func (ch *change) settled(s *Snapshot) (Published, error) {
	if s.pipeline != "" && s.pipeline != ch.pipeline {
		return Published{}, fmt.Errorf("delta: %s holds the scores of pipeline %s, not of %s", ch.table.prefix, s.pipeline, ch.pipeline)
	}
	history := s.history[ch.batch]
	ours := slices.IndexFunc(history, func(p Publication) bool { return p.Operation == ch.operation })
	switch have := int64(len(history)); {
	case have == ch.expect+1 && ours == len(history)-1:
		return Published{Version: history[ours].Version, Publication: have, Already: true}, nil
	case have != ch.expect:
		return Published{}, fmt.Errorf("publish batch %s as publication %d: it is at %d: %w", ch.batch, ch.expect+1, have, ErrConflict)
	case ours >= 0:
		return Published{}, fmt.Errorf("delta: operation %q has already made publication %d of batch %s and cannot make another",
			ch.operation, ours+1, ch.batch)
	}
	return Published{}, nil
}

// inPlace returns a MissingError unless all the files are in the store.
func (ch *change) inPlace(ctx context.Context, files []File) error {
	number := ch.restoredFrom
	if number == 0 {
		number = ch.expect + 1
	}
	problems, err := ch.table.missing(ctx, ch.batch, number, files)
	if err == nil && len(problems) > 0 {
		err = &MissingError{ch.batch, problems}
	}
	return err
}

// build returns the bytes of the commit that follows s.
func (ch *change) build(s *Snapshot, files []File) ([]byte, error) {
	at := ch.at.UnixMilli()
	lines := []line{{CommitInfo: ch.commitInfo(at)}}
	table, err := ch.tableActions(s)
	if err != nil {
		return nil, err
	}
	lines = append(lines, table...)
	lines = append(lines, line{Txn: &txn{AppID: appID(ch.pipeline, ch.batch), Version: ch.expect + 1, LastUpdated: &at}})
	lines = append(lines, ch.fileActions(s.Files(ch.batch), files, at)...)
	return encodeLines(lines)
}

// fileActions turns the files that are live into those that are wanted. One commit
// must not remove and add the same path, so a file that is in both stays as it is.
func (ch *change) fileActions(live, wanted []File, at int64) []line {
	values := map[string]*string{partition: &ch.batch}
	sizes, keep := map[string]int64{}, map[string]bool{}
	for _, f := range live {
		sizes[f.Path] = f.Size
	}
	for _, f := range wanted {
		keep[f.Path] = true
	}
	var lines []line
	for _, f := range live {
		if !keep[f.Path] {
			lines = append(lines, line{Remove: &remove{Path: escapePath(f.Path), DeletionTimestamp: at, DataChange: true,
				ExtendedFileMetadata: true, PartitionValues: values, Size: f.Size}})
		}
	}
	for _, f := range wanted {
		if sizes[f.Path] == f.Size {
			continue
		}
		if f.ModTime == 0 {
			f.ModTime = at
		}
		lines = append(lines, line{Add: &add{Path: escapePath(f.Path), PartitionValues: values, Size: f.Size,
			ModificationTime: f.ModTime, DataChange: true, Stats: string(f.Stats)}})
	}
	return lines
}

func (ch *change) commitInfo(at int64) *commitInfo {
	info := &commitInfo{Timestamp: at, EngineInfo: "headgate", Headgate: &provenance{Pipeline: ch.pipeline, Batch: ch.batch,
		Publication: ch.expect + 1, Operation: ch.operation, Supersedes: ch.expect, RestoredFrom: ch.restoredFrom, Info: ch.info}}
	info.UserMetadata = fmt.Sprintf("headgate: publication %d of batch %s", ch.expect+1, ch.batch)
	if ch.restoredFrom > 0 {
		info.Operation = "RESTORE"
		info.OperationParameters = map[string]string{"batch": ch.batch, "publication": strconv.FormatInt(ch.restoredFrom, 10)}
		info.UserMetadata += fmt.Sprintf(", which restores publication %d", ch.restoredFrom)
		return info
	}
	info.Operation = "WRITE"
	info.OperationParameters = map[string]string{"mode": "Overwrite", "partitionBy": `["` + partition + `"]`,
		"predicate": partition + " = '" + strings.ReplaceAll(ch.batch, "'", "''") + "'"}
	return info
}

// tableActions returns what the commit changes of the table itself: all of it if
// it is the first one, the schema if the files bring other columns, else nothing.
func (ch *change) tableActions(s *Snapshot) ([]line, error) {
	var columns []column
	var meta metaData
	switch {
	case s.meta == nil && len(ch.fields) == 0:
		return nil, fmt.Errorf("delta: batch %s cannot be the table's first: it has no columns", ch.batch)
	case s.meta == nil:
		columns, meta = firstColumns(ch.fields), *ch.table.firstMetaData(ch.pipeline, ch.at)
	case len(ch.fields) == 0:
		return nil, nil
	default:
		evolved, changed, err := evolve(s.columns, ch.fields)
		if err != nil || !changed {
			return nil, err
		}
		columns = evolved
		meta = *s.meta
	}
	var err error
	if meta.SchemaString, err = encodeSchema(columns); err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	lines := []line{{MetaData: &meta}}
	if p := neededProtocol(s.protocol, columns); p != s.protocol {
		lines = slices.Insert(lines, 0, line{Protocol: p})
	}
	return lines, nil
}

// checkFiles returns the files by path, with statistics, or what is wrong with them.
func checkFiles(batch string, files []File) ([]File, error) {
	files = slices.Clone(files)
	slices.SortFunc(files, byPath)
	for i, f := range files {
		reason := checkPath(batch, f.Path)
		switch {
		case reason != "":
		case i > 0 && files[i-1].Path == f.Path:
			reason = "is there twice"
		case f.Size <= 0 || f.Rows < 0 || f.ModTime < 0:
			reason = fmt.Sprintf("has %d bytes, %d rows and the time %d", f.Size, f.Rows, f.ModTime)
		case f.Stats == nil:
			files[i].Stats = json.RawMessage(fmt.Sprintf(`{"numRecords":%d}`, f.Rows))
		default:
			_, rows, err := parseStats(string(f.Stats))
			if err != nil || rows != f.Rows {
				reason = fmt.Sprintf("has %d rows, and statistics that say %d (%v)", f.Rows, rows, err)
			}
		}
		if reason != "" {
			return nil, fmt.Errorf("delta: file %q of batch %s %s", f.Path, batch, reason)
		}
	}
	return files, nil
}
