package devserver

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	tool "go.temporal.io/server/tools/common/schema"
	toolsql "go.temporal.io/server/tools/sql"
)

// maxConnections is how many connections the server holds to each of its databases.
const maxConnections = 20

// postgres returns the connection settings of the databases that a URL names: the one
// of the workflows as it stands there, and that of their lists with _visibility behind
// its name, as in Temporal's own deployments.
func postgres(text string) (main, visibility *config.SQL, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" || u.Hostname() == "" || u.User.Username() == "" || strings.Trim(u.Path, "/") == "" {
		// The URL may hold a password, which no message repeats.
		return nil, nil, fmt.Errorf("the URL of PostgreSQL is none: want postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	password, _ := u.User.Password()
	attributes := map[string]string{}
	for key := range u.Query() {
		attributes[key] = u.Query().Get(key)
	}
	settings := func(database string) *config.SQL {
		return &config.SQL{
			PluginName:        postgresql.PluginNamePGX,
			ConnectAddr:       net.JoinHostPort(u.Hostname(), port),
			ConnectProtocol:   "tcp",
			User:              u.User.Username(),
			Password:          password,
			DatabaseName:      database,
			ConnectAttributes: attributes,
			MaxConns:          maxConnections,
			MaxIdleConns:      maxConnections,
		}
	}
	name := strings.Trim(u.Path, "/")
	return settings(name), settings(name + "_visibility"), nil
}

// migrate makes a database and its tables if there are none, and brings older tables to
// the server's version. schema is the directory of the server's versions of them.
func migrate(db *config.SQL, schema string, logger log.Logger) error {
	target := *db
	if err := toolsql.DoCreateDatabase(&target, "postgres", logger); err != nil {
		return fmt.Errorf("PostgreSQL at %s: database %s: %w", db.ConnectAddr, db.DatabaseName, err)
	}
	connection, err := toolsql.NewConnection(db, logger)
	if err != nil {
		return fmt.Errorf("PostgreSQL at %s: database %s: %w", db.ConnectAddr, db.DatabaseName, err)
	}
	defer connection.Close()
	if _, err := connection.ReadSchemaVersion(); err != nil {
		first := &tool.SetupConfig{InitialVersion: "0.0"}
		if err := tool.NewSetupSchemaTask(connection, first, logger).Run(); err != nil {
			return fmt.Errorf("PostgreSQL at %s: tables of %s: %w", db.ConnectAddr, db.DatabaseName, err)
		}
	}
	if err := tool.NewUpdateSchemaTask(connection, &tool.UpdateConfig{SchemaName: schema}, logger).Run(); err != nil {
		return fmt.Errorf("PostgreSQL at %s: tables of %s: %w", db.ConnectAddr, db.DatabaseName, err)
	}
	return nil
}
