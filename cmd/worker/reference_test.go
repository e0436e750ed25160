package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/reference/worker.md")

// The reference of the settings is what the code says. After a change of [Config]:
//
//	go test -run TestReference ./cmd/worker -update
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Settings of the worker\n\nWhat `worker --help` says. It is written from the code; do not edit it.\n\n| variable | default | meaning |\n|---|---|---|\n")
	for _, s := range settingsOf(t) {
		byDefault := "–"
		if s.byDefault != "" {
			byDefault = "`" + s.byDefault + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.name, byDefault, strings.ReplaceAll(s.help, "|", `\|`))
	}
	b.WriteString("\nThe connection to Temporal is the SDK's own: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_*`, or a\nprofile of its TOML file (`TEMPORAL_PROFILE`). Stores other than directories take their credentials from the usual environment\nof their cloud.\n")
	const file = "../../docs/reference/worker.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what the code says; run go test -run TestReference ./cmd/worker -update", file)
	}
}
