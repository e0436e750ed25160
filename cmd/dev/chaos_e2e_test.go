//go:build e2e && unix

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"headgate/cmd/dev/devserver"
	"headgate/internal/audit"
	"headgate/internal/registry"
	"headgate/internal/retailer"
	"headgate/internal/worker"
)

var update = flag.Bool("update", false, "write workflows/testdata/killed.md and testdata/demo.txt anew")

// The test's own program is the worker that is killed, if these say so.
const (
	envKilled = "CHAOS_WORKER"  // address of the server
	envShelf  = "CHAOS_STORE"   // directory of the store
	envMarks  = "CHAOS_MARKS"   // directory with a file for each activity that was killed
	envPart   = "CHAOS_PART"    // activities of this part are killed, see partOf
	killsLong = 8 * time.Minute // that a story may take
)

// partsOfTheYear are how often the year is told at a time, each time with a part of the
// kills.
const partsOfTheYear = 4

// partOf returns in which telling of which story the activity of a workflow is killed.
func partOf(flow, name string) string {
	if slices.Contains(killedInLosses, name) {
		return "losses"
	}
	h := fnv.New32a()
	h.Write([]byte(flow + " " + name))
	return fmt.Sprint("year ", h.Sum32()%partsOfTheYear)
}

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(envKilled) == "" {
		os.Exit(m.Run())
	}
	if err := mortal(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// mortal is a worker that kills itself once in every activity of its part.
func mortal() error {
	ctx := context.Background()
	c, err := client.DialContext(ctx, client.Options{HostPort: os.Getenv(envKilled), Namespace: devserver.Namespace,
		Interceptors: []interceptor.ClientInterceptor{&killer{}}})
	if err != nil {
		return err
	}
	w, err := worker.New(ctx, worker.Config{Store: os.Getenv(envShelf)}, c)
	if err != nil {
		return err
	}
	fmt.Println("worker started")
	return w.Run(ctx)
}

// A killer kills the process in the first activity of a type: when its first file is in
// the store or, if it writes none, when its work is done.
type killer struct{ interceptor.InterceptorBase }

func (k *killer) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &killedActivity{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type killedActivity struct {
	interceptor.ActivityInboundInterceptorBase
}

func (a *killedActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	flow, name := info.WorkflowType.Name, info.ActivityType.Name
	if partOf(flow, name) != os.Getenv(envPart) {
		return a.Next.ExecuteActivity(ctx, in)
	}
	mark, err := os.OpenFile(filepath.Join(os.Getenv(envMarks), flow+" "+name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return a.Next.ExecuteActivity(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	mark.Close()
	before := filesBelow(os.Getenv(envShelf))
	go func() {
		for filesBelow(os.Getenv(envShelf)) == before {
			time.Sleep(time.Millisecond)
		}
		die()
	}()
	_, _ = a.Next.ExecuteActivity(ctx, in)
	die()
	return nil, nil
}

// die ends the process as kill -9 does.
func die() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }

// filesBelow counts the files in a directory and below.
func filesBelow(dir string) (n int) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return nil
	})
	return n
}

// A worker that is killed in the middle of any activity leaves nothing that the next one
// does not complete: every workflow ends as told, with the entries of an undisturbed one.
func TestWorkerKilledInEveryActivity(t *testing.T) {
	marks := t.TempDir()
	var year []string
	for part := range partsOfTheYear {
		year = append(year, fmt.Sprint("year ", part))
	}
	var all sync.WaitGroup // not t.Parallel, which waits for a free processor
	all.Go(func() { t.Run("year", func(t *testing.T) { killedIn(t, wholeYear, marks, year...) }) })
	all.Go(func() { t.Run("losses", func(t *testing.T) { killedIn(t, losses, marks, "losses") }) })
	all.Wait()
	files, err := os.ReadDir(marks)
	if err != nil {
		t.Fatal(err)
	}
	killed := map[string][]string{}
	for _, f := range files {
		flow, name, _ := strings.Cut(f.Name(), " ")
		killed[flow] = append(killed[flow], "`"+name+"`")
	}
	var b strings.Builder
	b.WriteString("## A worker that is killed\n\nWith `kill -9`, on a Temporal server, when the first file of the activity is in the store or, if it writes none, when\nits work is done; `go test -tags e2e -run TestWorkerKilledInEveryActivity` in `cmd/dev` does it, and `-update` writes this.\n\n" +
		"| workflow | killed in its | end |\n|---|---|---|\n")
	for _, flow := range slices.Sorted(maps.Keys(killed)) {
		fmt.Fprintf(&b, "| %s | %s | same end |\n", flow, strings.Join(killed[flow], ", "))
	}
	file := filepath.Join(home(), "workflows", "testdata", "killed.md")
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != b.String() {
		t.Errorf("%s is not what happens (%v): %s", file, err, b.String())
	}
}

// A plot is what a story tells, in its order.
type plot func(*recording, *team) []func(context.Context) error

// wholeYear is the story of a recording, and what it lacks.
func wholeYear(t *recording, _ *team) []func(context.Context) error {
	return []func(context.Context) error{t.register, t.months, t.restore, t.asked, t.loop, t.promised, t.colours}
}

// killedIn tells a story undisturbed, and then once with the kills of each part.
func killedIn(t *testing.T, p plot, marks string, parts ...string) {
	calm := tellKilled(t, p, "", t.TempDir())
	var all sync.WaitGroup
	for _, part := range parts {
		all.Go(func() {
			t.Run(part, func(t *testing.T) {
				if got := tellKilled(t, p, part, marks); !slices.Equal(got, calm) {
					t.Errorf("entries\n got %q\nwant %q", got, calm)
				}
			})
		})
	}
	all.Wait()
}

// tellKilled tells a story, with a worker that is started again whenever it has killed
// itself. It returns the entries of the registry and what the team was told, in words and
// sorted.
func tellKilled(t *testing.T, p plot, part, marks string) []string {
	ctx, cancel := context.WithTimeout(t.Context(), killsLong)
	defer cancel()
	dir := t.TempDir()
	server, err := devserver.Start(ctx, filepath.Join(dir, "server"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	c := dial(t, server.Address())
	if err := worker.EnsureSearchAttributes(ctx, c, devserver.Namespace); err != nil {
		t.Fatal(err)
	}
	shelf := filepath.Join(dir, "store")
	if err := os.MkdirAll(shelf, 0o777); err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	who := newTeam(t)
	env := append(os.Environ(), envKilled+"="+server.Address(), envShelf+"="+shelf, envPart+"="+part, envMarks+"="+marks, envTeam+"="+who.url, envSecret+"="+teamSecret)
	var workers sync.WaitGroup
	workers.Go(func() { revive(t, told, env) })
	s := &recording{story: &story{site: &site{server: server, client: c, store: shelf}, out: t.Output(), dir: dir, trail: map[string][]string{},
		shop: retailer.World{Seed: 1, Customers: 2000}}}
	err = s.open(ctx)
	for _, do := range p(s, who) {
		if err == nil {
			err = do(ctx)
		}
	}
	close(told)
	workers.Wait()
	if err != nil {
		t.Fatal(err)
	}
	defer s.bucket.Close()
	return slices.Concat(entriesOf(t, s), who.notices(t))
}

// revive keeps a worker alive until the story is told.
func revive(t *testing.T, told <-chan struct{}, env []string) {
	for {
		cmd := exec.Command(os.Args[0])
		cmd.Env = env
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		died := make(chan struct{})
		go func() { _ = cmd.Wait(); close(died) }()
		select {
		case <-died:
		case <-told:
			_ = cmd.Process.Kill()
			<-died
			return
		}
	}
}

// entriesOf audits a story and says its entries in words.
func entriesOf(t *testing.T, s *recording) (out []string) {
	t.Helper()
	a := &audit.Auditor{Store: s.bucket, Formats: worker.Formats(), Pipeline: "retailer"}
	report, err := a.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("verify: %v %+v", err, report)
	}
	log, err := registry.Load(t.Context(), s.bucket, "retailer")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Entries() {
		version := int64(-1)
		if e.TableVersion != nil {
			version = *e.TableVersion
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %s %d %d", e.Kind, e.Batch, e.Step, e.Verdict, cmp.Or(e.Answer, e.Control), e.Publication, version))
	}
	slices.Sort(out)
	return out
}
