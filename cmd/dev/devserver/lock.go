package devserver

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"

	"modernc.org/sqlite" // the driver of the server's database as well
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrInUse means that another server already runs on the same directory.
var ErrInUse = errors.New("another server runs on this directory")

// lockFile is the lock's name in a server's directory.
const lockFile = "lock"

// A lock keeps a second server off a directory. It is an SQLite transaction that
// is never committed: SQLite can do this on every system that Go can, and the
// lock ends with the process, however the process ends.
type lock struct {
	db   *sql.DB
	conn *sql.Conn
}

// acquire takes the lock in the named file, or returns [ErrInUse].
func acquire(ctx context.Context, name string) (*lock, error) {
	db, err := sql.Open("sqlite", "file:"+uriPath(name)+"?_pragma=busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	l := &lock{db: db, conn: conn}
	if _, err := conn.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		var answer *sqlite.Error
		if errors.As(err, &answer) && answer.Code() == sqlite3.SQLITE_BUSY {
			err = ErrInUse
		}
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// release lets the next server have the directory.
func (l *lock) release() error {
	return errors.Join(l.conn.Close(), l.db.Close())
}

// Free returns [ErrInUse] if a server runs on a directory, and nil if none does or
// the directory does not exist.
func Free(ctx context.Context, dir string) error {
	name := filepath.Join(dir, lockFile)
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	l, err := acquire(ctx, name)
	if err != nil {
		return err
	}
	return l.release()
}
