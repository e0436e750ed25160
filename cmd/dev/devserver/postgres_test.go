package devserver

import (
	"strings"
	"testing"
)

func TestPostgresURL(t *testing.T) {
	main, visibility, err := postgres("postgres://me:s%2Fcret@db.example.com/scoring?sslmode=require")
	if err != nil {
		t.Fatal(err)
	}
	if main.ConnectAddr != "db.example.com:5432" || main.User != "me" || main.Password != "s/cret" || main.DatabaseName != "scoring" || main.ConnectAttributes["sslmode"] != "require" {
		t.Errorf("got %s, user %s, database %s, %v", main.ConnectAddr, main.User, main.DatabaseName, main.ConnectAttributes)
	}
	if visibility.DatabaseName != "scoring_visibility" || visibility.ConnectAddr != main.ConnectAddr {
		t.Errorf("lists are kept in %s at %s", visibility.DatabaseName, visibility.ConnectAddr)
	}
}

func TestWrongPostgresURLsAreRefusedWithoutThePassword(t *testing.T) {
	for _, url := range []string{"", "mysql://me:secret@host/db", "postgres://host/db", "postgres://me:secret@host", "postgres://me:secret@/db", "postgres://me:secret@host:x/db"} {
		if _, _, err := postgres(url); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "want postgres://USER") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
