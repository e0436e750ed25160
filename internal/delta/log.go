package delta

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"headgate/internal/store"
)

// parallel is the number of log entries that are read at a time.
const parallel = 16

// logKey returns the key of the log entry that makes a version.
func (t *Table) logKey(version int64) string {
	return fmt.Sprintf("%s/_delta_log/%020d.json", t.prefix, version)
}

// Snapshot returns the table as it is now. It reads every entry of the log;
// checkpoints of other writers are left aside.
func (t *Table) Snapshot(ctx context.Context) (*Snapshot, error) {
	head, err := t.head(ctx)
	if err != nil {
		return nil, err
	}
	commits := make([]*commit, head+1)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for v := range commits {
		group.Go(func() (err error) {
			commits[v], err = t.read(gctx, int64(v))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s := newSnapshot()
	for _, c := range commits {
		if err := s.apply(c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Commit returns the key of the log entry that makes a version, and the digest of its
// bytes. The error is [store.ErrNotFound] if there is none.
func (t *Table) Commit(ctx context.Context, version int64) (key string, d store.Digest, err error) {
	key = t.logKey(version)
	data, err := t.bucket.Get(ctx, key)
	if err != nil {
		return key, "", fmt.Errorf("delta: %w", err)
	}
	return key, store.DigestOf(data), nil
}

// History returns the batch's publications, the first one first.
func (t *Table) History(ctx context.Context, batch string) ([]Publication, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return s.History(batch), nil
}

// head returns the highest version in the log, or -1. A listing may overlook an
// entry that is written meanwhile, so it shows where the log ends and no more.
func (t *Table) head(ctx context.Context) (int64, error) {
	prefix := t.prefix + "/_delta_log/"
	head, first, found := int64(-1), int64(0), int64(0) // first is the first one missing
	for attrs, err := range t.bucket.List(ctx, prefix) {
		if err != nil {
			return 0, fmt.Errorf("delta: %w", err)
		}
		if v, ok := parseLogName(strings.TrimPrefix(attrs.Key, prefix)); ok {
			head = max(head, v)
			found++
			if v == first {
				first++
			}
		}
	}
	if first == 0 && found > 0 {
		return 0, &LogError{t.logKey(0), 0, "is missing: the log was cleaned up, and all of it is needed"}
	}
	if head+1-found > parallel { // too many to have been overlooked
		return 0, &LogError{t.logKey(first), 0, "is missing, and there are later ones"}
	}
	return head, nil
}

// parseLogName reads the version in the name of a log entry. Checkpoints,
// checksums and what else lies in the log's directory are not entries.
func parseLogName(name string) (version int64, ok bool) {
	digits, ok := strings.CutSuffix(name, ".json")
	if !ok || len(digits) != 20 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' || version > 1<<40 {
			return 0, false
		}
		version = version*10 + int64(c-'0')
	}
	return version, true
}

// read returns the log entry of a version.
func (t *Table) read(ctx context.Context, version int64) (*commit, error) {
	key := t.logKey(version)
	data, err := t.bucket.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &LogError{key, 0, "is missing, and there are later ones"}
	}
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	return parseCommit(key, version, data)
}
