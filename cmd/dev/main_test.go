package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWrongUsage(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{name: "an unknown flag", args: []string{"up", "--prot", "1"}, want: "dev: unknown flag: --prot; see dev up --help\n"},
		{name: "an unknown command", args: []string{"down"}, want: "dev: unknown command \"down\" for \"dev\"; see dev --help\n"},
		{name: "an argument too many", args: []string{"up", "now"}, want: "dev: unknown command \"now\" for \"dev up\"; see dev up --help\n"},
		{name: "too small a shop", args: []string{"demo", "--customers", "1000"}, want: "dev: --customers must be at least 20000: the labels of fewer say too little for the story\n"},
		{name: "no command", args: nil, want: "dev: which command? see dev --help\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stderr bytes.Buffer
			if code := run(t.Context(), tc.args, io.Discard, &stderr); code != 2 {
				t.Errorf("got exit code %d, want 2", code)
			}
			if stderr.String() != tc.want {
				t.Errorf("got %q, want %q", stderr.String(), tc.want)
			}
		})
	}
}

func TestADemoAsksBeforeAChallengerServes(t *testing.T) {
	for _, tc := range []struct {
		name, said string
		yes        bool
	}{
		{name: "yes", said: "y\n", yes: true},
		{name: "yes, in full", said: " YES \n", yes: true},
		{name: "no", said: "n\n"},
		{name: "nothing", said: "\n"},
		{name: "nobody is there", said: ""},
		{name: "an empty line, and then yes", said: "\ny\n", yes: true},
		{name: "neither yes nor no, and then nobody is there", said: "perhaps\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := asker(strings.NewReader(tc.said), io.Discard)(t.Context()); (err == nil) != tc.yes {
				t.Errorf("got %v, want yes to be %t", err, tc.yes)
			}
		})
	}
}

func TestUpSaysWhatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)

	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{
			name: "the server's port",
			args: []string{"--port", port, "--ui-port", "0"},
			want: "dev: port " + port + " is taken by another program; choose one with --port\n",
		},
		{
			name: "the web UI's port",
			args: []string{"--port", "0", "--ui-port", port},
			want: "dev: port " + port + " is taken by another program; choose one with --ui-port\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stderr bytes.Buffer
			args := append([]string{"up", "--dir", t.TempDir()}, tc.args...)
			if code := run(t.Context(), args, io.Discard, &stderr); code != 1 {
				t.Errorf("got exit code %d, want 1", code)
			}
			if stderr.String() != tc.want {
				t.Errorf("got %q, want %q", stderr.String(), tc.want)
			}
		})
	}
}

func TestUpRunsUntilInterrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b")
	for _, when := range []string{"first", "second"} {
		t.Run("the "+when+" time", func(t *testing.T) { upAndDown(t, dir) })
	}
}

// upAndDown runs the command up, visits its UI, is refused a second one on the same
// directory, and interrupts it.
func upAndDown(t *testing.T, dir string) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout, stderr lockedBuffer
	args := []string{"up", "--port", "0", "--ui-port", "0", "--dir", dir}
	code := make(chan int, 1)
	go func() { code <- run(ctx, args, &stdout, &stderr) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(stdout.String(), "ready") {
		select {
		case <-tick.C:
		case c := <-code:
			t.Fatalf("it ended with code %d: %s", c, stderr.String())
		}
	}

	ui := regexp.MustCompile(`http://\S+`).FindString(stdout.String())
	res, err := http.Get(ui)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: got %s, want 200", ui, res.Status)
	}

	var refusal bytes.Buffer
	want := "dev: " + dir + ": another server runs on this directory; choose one with --dir\n"
	if c := run(t.Context(), args, io.Discard, &refusal); c != 1 || refusal.String() != want {
		t.Errorf("a second one: got code %d and %q, want 1 and %q", c, refusal.String(), want)
	}

	interrupt()
	if c := <-code; c != 0 || stderr.String() != "" {
		t.Errorf("got exit code %d and %q, want 0 and nothing", c, stderr.String())
	}
}

// A lockedBuffer can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
