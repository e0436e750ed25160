package devserver

import (
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	schema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long a finished workflow stays visible. The server's default is
// a day; whoever looks at a month wants to see the months before it.
const retention = 10 * 365 * 24 * time.Hour

// databaseFile names the server's version, because the server does not migrate
// SQLite files: a new version begins a new file and leaves the old one alone.
func databaseFile(dir string) string {
	return filepath.Join(dir, "temporal-"+headers.ServerVersion+".db")
}

// database returns the connection settings of the file in dir. With a write-ahead
// log and synchronous=1 (normal), a killed process loses no committed step, and a
// machine that loses power keeps a consistent state that may be some steps older.
func database(dir string) *config.SQL {
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: uriPath(databaseFile(dir)),
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "1",
			"busy_timeout": "10000",
		},
	}
}

// A keeper is where a server keeps what it knows: SQLite in one file, or two databases
// of PostgreSQL.
type keeper struct {
	main, visibility *config.SQL
}

// keep returns where a server keeps what it knows, with tables and namespace made.
func keep(dir, postgresURL string, logger log.Logger) (keeper, error) {
	if postgresURL == "" {
		db := database(dir)
		if err := setUp(db, logger); err != nil {
			return keeper{}, fmt.Errorf("%s: %w", databaseFile(dir), err)
		}
		return keeper{db, db}, nil
	}
	main, visibility, err := postgres(postgresURL)
	if err != nil {
		return keeper{}, err
	}
	if err := migrate(main, "postgresql/v12/temporal", logger); err != nil {
		return keeper{}, err
	}
	if err := migrate(visibility, "postgresql/v12/visibility", logger); err != nil {
		return keeper{}, err
	}
	return keeper{main, visibility}, makeNamespace(main)
}

// setUp makes the tables and the namespace if the file has none.
func setUp(db *config.SQL, logger log.Logger) error {
	if err := makeTables(db, logger); err != nil {
		return err
	}
	return makeNamespace(db)
}

func makeNamespace(db *config.SQL) error {
	ns, err := schema.NewNamespaceConfig(cluster, Namespace, false, nil)
	if err != nil {
		return err
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	return schema.CreateNamespaces(db, ns)
}

// makeTables makes all tables or none: a process killed in the middle would
// otherwise leave a file that no later start can use. The plugin keeps a single
// connection, so that its statements fall into one transaction.
func makeTables(db *config.SQL, logger log.Logger) error {
	admin, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, db, resolver.NewNoopResolver(), logger, metrics.NoopMetricsHandler)
	if err != nil {
		return err
	}
	defer admin.Close()
	tables, err := admin.ListTables(db.DatabaseName)
	if err != nil || len(tables) > 0 {
		return err
	}
	if err := admin.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := schema.SetupSchemaOnDB(admin); err != nil {
		return err
	}
	return admin.Exec("COMMIT")
}

// uriPath escapes a file name for SQLite, which reads names as URIs.
func uriPath(name string) string {
	return (&url.URL{Path: filepath.ToSlash(name)}).EscapedPath()
}
