//go:build e2e && unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pages are those whose commands run, in this order and in one shell: later pages use
// what earlier ones made.
var pages = []string{"getting-started.md", "how-to/bring-your-model.md", "how-to/write-a-contract.md", "how-to/restore-from-disaster.md"}

// block is a piece of shell in a page, and what its first line says after ```sh.
var block = regexp.MustCompile("(?ms)^( *)```sh(.*?)\n(.*?)^ *```$")

// Whoever follows the pages gets where they say. The shell stops at the first command
// that fails. What belongs in a second terminal, a server with a worker, is started here.
func TestTheCommandsOfTheDocsRun(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	second := ""
	for _, page := range pages {
		b, err := os.ReadFile(filepath.Join(home(), "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllStringSubmatch(string(b), -1)
		if len(blocks) == 0 {
			t.Fatalf("%s has no commands", page)
		}
		for _, m := range blocks {
			if strings.TrimSpace(m[2]) == "second-terminal" {
				second += strings.TrimSpace(m[3])
				continue
			}
			script.WriteString("echo '# " + page + "'\n" + strings.ReplaceAll(m[3], "\n"+m[1], "\n"))
		}
	}
	if want := "go run -C cmd/dev . up --dir $WORK/headgate"; second != want {
		t.Fatalf("in the second terminal: %q, want %q", second, want)
	}
	up := start(t, nil, build(t, "cmd/dev", "dev"), "up", "--dir", filepath.Join(work, "headgate"), "--port", "0", "--ui-port", "0")
	up.waitFor(t, "ready")
	address := regexp.MustCompile(`Temporal server +(\S+)`).FindStringSubmatch(up.said(t))
	if address == nil {
		t.Fatalf("up does not say where its server is:\n%s", up.said(t))
	}

	const mktemp = "export WORK=$(mktemp -d)\n"
	if !strings.Contains(script.String(), mktemp) {
		t.Fatalf("no page says %q", mktemp)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-x")
	shell.Dir = home()
	shell.Stdin = strings.NewReader(strings.Replace(script.String(), mktemp, "", 1))
	shell.Env = append(os.Environ(), "WORK="+work, "TEMPORAL_ADDRESS="+address[1])
	shell.WaitDelay = 10 * time.Second
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"published as publication 1", "drift     warn", "champion  20,000", "everything is as it was recorded", "the batch keeps its contract"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing said %q:\n%s", want, out)
		}
	}
}
