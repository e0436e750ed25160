//go:build e2e && unix

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headgate/internal/retailer"
)

// A stack is what deploy/compose.yaml runs, as processes of this machine: PostgreSQL, a
// Temporal server that keeps all in it, an S3 server, and the worker of production.
type stack struct {
	story   *story
	starter *commands
}

// newStack starts all of it. What it needs and does not find fails the test.
func newStack(t *testing.T, customers int) *stack {
	t.Helper()
	url, credentials := objectStore(t)
	database, port := postgresql(t)
	makeSchema(t, port)
	address := temporalOn(t, database)
	env := append(credentials, "HEADGATE_STORE="+url, "TEMPORAL_ADDRESS="+address, "USER=demo")
	worker := start(t, append(env, "HEADGATE_HEALTH=127.0.0.1:"+freePort(t)), build(t, "cmd/worker", "worker"))
	worker.waitFor(t, "worker started")

	dir := t.TempDir()
	s := &story{site: &site{client: dial(t, address), store: url}, out: t.Output(), dir: dir, trail: map[string][]string{},
		shop: retailer.World{Seed: 1, Customers: customers}, before: filepath.Join(dir, "deliveries")}
	for _, setting := range credentials {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
	c := &commands{story: s, program: buildStarter(t), env: env}
	s.by = c
	return &stack{story: s, starter: c}
}

// temporalOn runs a Temporal server without a worker on a PostgreSQL database, as dev up
// does, and returns its address.
func temporalOn(t *testing.T, url string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	port, done := freePort(t), make(chan int, 1)
	log, err := os.Create(filepath.Join(t.TempDir(), "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		done <- run(ctx, []string{"up", "--server-only", "--postgres", url, "--port", port, "--ui-port", "0", "--dir", t.TempDir()}, log, log)
		log.Close()
	}()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != 0 || t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Errorf("dev up ended with exit code %d:\n%s", code, said)
		}
	})
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		said, err := os.ReadFile(log.Name())
		if strings.Contains(string(said), "ready, without a worker") {
			return "127.0.0.1:" + port
		}
		if err != nil || time.Now().After(deadline) || len(done) > 0 {
			t.Fatalf("the Temporal server does not start (%v):\n%s", err, said)
		}
	}
}

// makeSchema makes Temporal's databases with the script of the compose stack.
func makeSchema(t *testing.T, port string) {
	t.Helper()
	dir := t.TempDir()
	tool := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "temporal-sql-tool"), "go.temporal.io/server/cmd/tools/sql")
	if out, err := tool.CombinedOutput(); err != nil {
		t.Fatalf("temporal-sql-tool: %v\n%s", err, out)
	}
	script := exec.CommandContext(t.Context(), "/bin/sh", filepath.Join(home(), "deploy", "compose", "temporal-schema.sh"))
	script.Env = []string{"PATH=" + dir, "SQL_PLUGIN=postgres12", "SQL_HOST=127.0.0.1", "SQL_PORT=" + port, "SQL_USER=temporal"}
	if out, err := script.CombinedOutput(); err != nil {
		t.Fatalf("temporal-schema.sh: %v\n%s", err, out)
	}
}

// postgresql starts a PostgreSQL cluster of its own and returns the URL of a database in
// it, which is yet to be made, and the port.
func postgresql(t *testing.T) (url, port string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Fatalf("no PostgreSQL (%v): install Debian's package postgresql", err)
	}
	bin := filepath.Dir(found[len(found)-1])
	// PostgreSQL wants a directory that its user can reach, which t.TempDir is not for root.
	dir, err := os.MkdirTemp("", "headgate-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as := unprivileged(t, dir)
	data := filepath.Join(dir, "data")
	port = freePort(t)
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
		return c
	}
	if out, err := command("initdb", "--pgdata", data, "--username", "temporal", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	// Nothing here outlives the test: no waiting for the disk.
	server := command("postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", dir, "-c", "fsync=off", "-c", "max_connections=100")
	log, err := os.Create(filepath.Join(t.TempDir(), "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGINT) // ends its sessions as well
		server.Wait()
	})
	ready := func() error { return command("pg_isready", "-h", "127.0.0.1", "-p", port, "-U", "temporal").Run() }
	until(t, "PostgreSQL", log.Name(), ready)
	return "postgres://temporal@127.0.0.1:" + port + "/temporal", port
}

// unprivileged gives a directory to a user that is not root, because PostgreSQL refuses
// to run as root. It returns nil if the test is not run as root.
func unprivileged(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("PostgreSQL does not run as root, and there is no user for it: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// objectStore starts an S3 server with a bucket and returns its URL and the settings that
// say who we are.
func objectStore(t *testing.T) (url string, env []string) {
	t.Helper()
	program := filepath.Join(home(), ".tools", "bin", "versitygw")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("no S3 server: %v; install it with .ci/servers", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "headgate"), 0o777); err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + freePort(t)
	server := start(t, []string{"ROOT_ACCESS_KEY=test", "ROOT_SECRET_KEY=testsecret123"}, program, "--port", address, "posix", dir)
	until(t, "the S3 server", server.log, func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err
	})
	return "s3://headgate/production/?endpoint=http://" + address + "&use_path_style=true",
		[]string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=testsecret123", "AWS_REGION=us-east-1"}
}

// until waits until a server is ready. log is the file that it writes to.
func until(t *testing.T, server, log string, ready func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		err := ready()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log)
			t.Fatalf("%s does not answer: %v\n%s", server, err, said)
		}
	}
}

// freePort returns a port of the loopback interface that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
