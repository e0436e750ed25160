//go:build e2e

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"headgate/internal/store"
	"headgate/internal/store/storetest"
)

// The account that every Azurite has; it is no secret.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

func TestS3(t *testing.T) {
	address, dir := freeAddress(t), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "headgate"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "testsecret123")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("ROOT_ACCESS_KEY", "test")
	t.Setenv("ROOT_SECRET_KEY", "testsecret123")
	serve(t, address, program(t, "HEADGATE_VERSITYGW", "bin/versitygw"), "--port", address, "posix", dir)
	conform(t, "s3", "headgate", "?endpoint=http://"+address+"&use_path_style=true")
}

func TestGoogle(t *testing.T) {
	address := freeAddress(t)
	t.Setenv("STORAGE_EMULATOR_HOST", address)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, address, program(t, "HEADGATE_FAKE_GCS", "bin/fake-gcs-server"),
		"-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-public-host", address)
	answer, err := http.Post("http://"+address+"/storage/v1/b?project=p", "application/json", strings.NewReader(`{"name":"headgate"}`))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("making a bucket: %s", answer.Status)
	}
	conform(t, "gs", "headgate", "?anonymous=true")
}

func TestAzure(t *testing.T) {
	address := freeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_STORAGE_ACCOUNT", azuriteAccount)
	t.Setenv("AZURE_STORAGE_KEY", azuriteKey)
	serve(t, address, program(t, "HEADGATE_AZURITE", "node_modules/.bin/azurite-blob"),
		"--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
	key, err := azblob.NewSharedKeyCredential(azuriteAccount, azuriteKey)
	if err != nil {
		t.Fatal(err)
	}
	client, err := azblob.NewClientWithSharedKeyCredential("http://"+address+"/"+azuriteAccount, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateContainer(context.Background(), "headgate", nil); err != nil {
		t.Fatal(err)
	}
	conform(t, "azblob", "headgate", "?localemu=true&protocol=http&domain="+address)
}

// conform runs the suite under prefixes of a bucket, and what only services do.
func conform(t *testing.T, scheme, bucket, query string) {
	var n atomic.Int64
	storetest.Run(t, func(t *testing.T) *store.Bucket {
		return open(t, fmt.Sprintf("%s://%s/suite-%d%s", scheme, bucket, n.Add(1), query))
	})
	t.Run("prefixes keep stores apart", func(t *testing.T) {
		whole, part := open(t, scheme+"://"+bucket+query), open(t, scheme+"://"+bucket+"/apart/deep/"+query)
		defer whole.Close()
		defer part.Close()
		if err := part.Put(context.Background(), "x", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := whole.Get(context.Background(), "apart/deep/x"); err != nil {
			t.Error(err)
		}
		if got := storetest.Keys(t, part); len(got) != 1 || got[0] != "x" {
			t.Errorf("the part has %q", got)
		}
		if err := part.Put(context.Background(), "y/z", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got, err := part.Folders(context.Background(), ""); err != nil || len(got) != 1 || got[0] != "y/" {
			t.Errorf("the part's folders are %q, %v", got, err)
		}
	})
	t.Run("a missing bucket is not an empty one", func(t *testing.T) {
		absent(t, scheme+"://absent"+query)
	})
}

// absent checks that a bucket that is not there does not look like an empty one.
// (To a question about one object, S3 and Google give the same answer for both.)
func absent(t *testing.T, url string) {
	b := open(t, url)
	defer b.Close()
	ctx := context.Background()
	err := b.Probe(ctx)
	if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), b.URL()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Probe: %v", err)
	}
	t.Log(err)
	err = nil
	for _, err = range b.List(ctx, "") {
	}
	if err == nil || !strings.Contains(err.Error(), b.URL()) {
		t.Errorf("List: %v", err)
	}
	t.Log(err)
	if _, err := b.Folders(ctx, ""); err == nil || !strings.Contains(err.Error(), b.URL()) {
		t.Errorf("Folders: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	address := freeAddress(t)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "hunter2", "AWS_REGION": "us-east-1",
		"AZURE_STORAGE_ACCOUNT": azuriteAccount, "AZURE_STORAGE_KEY": azuriteKey, "STORAGE_EMULATOR_HOST": address,
	} {
		t.Setenv(name, value)
	}
	var group sync.WaitGroup
	defer group.Wait()
	for _, url := range []string{
		"s3://b/p?use_path_style=true&endpoint=http://" + address,
		"gs://b?anonymous=true",
		"azblob://b?localemu=true&protocol=http&domain=" + address,
	} {
		group.Go(func() {
			b, err := store.Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			began := time.Now()
			err = b.Probe(context.Background())
			t.Logf("after %v: %v", time.Since(began).Round(time.Millisecond), err)
			if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), b.URL()) ||
				!strings.Contains(err.Error(), "refused") || time.Since(began) > 25*time.Second {
				t.Errorf("Probe: %v", err)
			}
		})
	}
}

// program returns the path of a server: an environment variable's, or .tools'.
func program(t *testing.T, variable, name string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		path = filepath.Join("..", "..", ".tools", filepath.FromSlash(name))
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run .ci/servers, or set %s", err, variable)
	}
	return path
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serve starts a server, waits until it listens, and stops it with the test.
func serve(t *testing.T, address, path string, args ...string) {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(path), lastLines(output.String()))
		}
	})
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", path, err, output.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s: %v", path, address, err)
		}
	}
}

func lastLines(s string) string {
	const most = 2000
	if len(s) > most {
		s = "…" + s[len(s)-most:]
	}
	return s
}
