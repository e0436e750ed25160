package storetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"headgate/internal/store"
)

// Sizes of a race: each goroutine of each process puts every key.
const (
	racers    = 8
	raceKeys  = 25
	processes = 4
)

func raceKey(i int) string { return fmt.Sprintf("race/log/%010d.json", i) }

// race puts every key once from each of several goroutines, each with bytes of its
// own, and returns the bytes that won, by key.
func race(b *store.Bucket, name string) (won map[string][]string, err error) {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
	)
	won = make(map[string][]string)
	for racer := range racers {
		group.Go(func() {
			for i := range raceKeys {
				key, mine := raceKey(i), fmt.Sprintf("%s-%d-%d", name, racer, i)
				putErr := b.Put(context.Background(), key, []byte(mine))
				mu.Lock()
				switch {
				case putErr == nil:
					won[key] = append(won[key], mine)
				case !errors.Is(putErr, store.ErrExists):
					err = putErr
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return won, err
}

// judge checks that each key was won once, and that the winner's bytes are there.
func judge(t *testing.T, b *store.Bucket, won map[string][]string) {
	t.Helper()
	for i := range raceKeys {
		key := raceKey(i)
		if len(won[key]) != 1 {
			t.Errorf("%s has %d winners, want 1: %q", key, len(won[key]), won[key])
			continue
		}
		holds(t, b, key, []byte(won[key][0]))
	}
	if got := listKeys(t, b, ""); len(got) != raceKeys {
		t.Errorf("the store has %d objects, want %d: %q", len(got), raceKeys, got)
	}
}

func testOneWinner(t *testing.T, b *store.Bucket) {
	won, err := race(b, "here")
	if err != nil {
		t.Fatal(err)
	}
	judge(t, b, won)
}

func testSameBytesAtOnce(t *testing.T, b *store.Bucket) {
	var group sync.WaitGroup
	for range racers {
		group.Go(func() {
			for i := range raceKeys {
				wants(t, "Put", b.Put(context.Background(), raceKey(i), []byte("the same")), nil)
			}
		})
	}
	group.Wait()
	for i := range raceKeys {
		holds(t, b, raceKey(i), []byte("the same"))
	}
}

// Variables of a process that [Main] turns into a racer.
const (
	envURL  = "HEADGATE_STORETEST_URL"
	envName = "HEADGATE_STORETEST_NAME"
)

// mainCalled is set by Main, without which a process would run the tests again.
var mainCalled bool

// Main runs the tests of a package, and ends the process. Call it from TestMain:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
func Main(m *testing.M) {
	if url := os.Getenv(envURL); url != "" {
		if err := racer(url, os.Getenv(envName), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	mainCalled = true
	os.Exit(m.Run())
}

// racer is what a process does: open, say so, wait for the start, race, report.
func racer(url, name string, in io.Reader, out io.Writer) error {
	b, err := store.Open(context.Background(), url)
	if err != nil {
		return err
	}
	defer b.Close()
	fmt.Fprintln(out, "ready")
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return err
	}
	won, err := race(b, name)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(won)
}

func testOneWinnerAmongProcesses(t *testing.T, b *store.Bucket) {
	if strings.HasPrefix(b.URL(), "mem:") {
		return // no other process can see it
	}
	if !mainCalled {
		t.Fatal("the package's TestMain must call storetest.Main")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	crew := make([]*process, processes)
	for i := range crew {
		crew[i] = start(t, program, b.URL(), fmt.Sprintf("process-%d", i))
	}
	for _, p := range crew {
		if _, err := io.WriteString(p.in, "go\n"); err != nil {
			t.Error(err)
		}
	}
	all := make(map[string][]string)
	for _, p := range crew {
		var won map[string][]string
		if err := json.NewDecoder(p.out).Decode(&won); err != nil {
			t.Errorf("a process reports: %v %s", err, p.errors())
		}
		for key, winners := range won {
			all[key] = append(all[key], winners...)
		}
	}
	judge(t, b, all)
}

// A process is another program that races.
type process struct {
	in     io.WriteCloser
	out    *bufio.Reader
	cmd    *exec.Cmd
	stderr bytes.Buffer
	once   sync.Once
}

// errors waits for the end of the process and returns what it complained about.
func (p *process) errors() string {
	p.once.Do(func() {
		p.in.Close()
		io.Copy(io.Discard, p.out)
		p.cmd.Wait()
	})
	return p.stderr.String()
}

// start starts a process that is ready to race.
func start(t *testing.T, program, url, name string) *process {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), envURL+"="+url, envName+"="+name)
	p := &process{cmd: cmd}
	cmd.Stderr = &p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.errors() })
	if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("a process says %q, %v: %s", line, err, p.errors())
	}
	return p
}
