package devserver

import (
	"os"
	"strings"
	"testing"

	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
)

func TestDatabaseFileNamesTheVersion(t *testing.T) {
	if name := databaseFile("dir"); !strings.Contains(name, headers.ServerVersion) {
		t.Errorf("got %s, want the version %s in it", name, headers.ServerVersion)
	}
}

// A process that dies while it makes the tables leaves an empty file, because they
// are made in one transaction.
func TestSetUp(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
	}{
		{name: "no file", prepare: func(*testing.T, string) {}},
		{name: "an empty file", prepare: func(t *testing.T, dir string) {
			if err := os.WriteFile(databaseFile(dir), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "a file that is set up already", prepare: func(t *testing.T, dir string) {
			if err := setUp(database(dir), log.NewNoopLogger()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			tc.prepare(t, dir)
			if err := setUp(database(dir), log.NewNoopLogger()); err != nil {
				t.Fatal(err)
			}
			checkNamespace(t, dir)
		})
	}
}

// checkNamespace fails unless the database holds exactly our namespace.
func checkNamespace(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.NewSQLDB(sqlplugin.DbKindMain, database(dir), resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	page := 10
	rows, err := db.SelectFromNamespace(t.Context(), sqlplugin.NamespaceFilter{PageSize: &page})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Name != Namespace {
		t.Errorf("got %d namespaces (%v), want only %s", len(rows), rows, Namespace)
	}
}
