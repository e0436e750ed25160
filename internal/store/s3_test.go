package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fakeS3 speaks as much of the protocol as one bucket needs, and can fail in the
// ways that a real server fails only when nobody looks.
type fakeS3 struct {
	mu       sync.Mutex
	objects  map[string][]byte
	requests []string // "GET k bytes=0-9"

	dropPuts  int  // answers of puts to lose, after the object is written
	refuse409 int  // puts to refuse because another is under way
	cutBodies int  // bodies to break off in the middle
	hangUp    bool // end every connection without an answer
	silence   bool // keep every connection, and answer nothing
}

// tag is the ETag of some bytes.
func tag(data []byte) string { return `"` + string(DigestOf(data)[7:39]) + `"` }

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/b/")
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+key+" "+r.Header.Get("Range")))
	data, ok := s.objects[key]
	switch {
	case s.silence:
		s.mu.Unlock()
		io.Copy(io.Discard, r.Body) // only then the server notices that the client is gone
		<-r.Context().Done()
		s.mu.Lock()
	case s.hangUp:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	case r.Method == http.MethodPut:
		s.put(w, r, key)
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != tag(data):
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	default:
		s.get(w, r, data)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
}

func (s *fakeS3) put(w http.ResponseWriter, r *http.Request, key string) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if s.refuse409 > 0 {
		s.refuse409--
		refuse(w, http.StatusConflict, "ConditionalRequestConflict")
		return
	}
	if _, ok := s.objects[key]; ok && r.Header.Get("If-None-Match") == "*" {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	s.objects[key] = data
	if s.dropPuts > 0 {
		s.dropPuts--
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("ETag", tag(data))
}

func (s *fakeS3) get(w http.ResponseWriter, r *http.Request, data []byte) {
	whole := len(data)
	w.Header().Set("ETag", tag(data))
	w.Header().Set("Last-Modified", "Wed, 31 Jan 2024 12:00:00 GMT")
	var first, last int
	if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); n == 2 {
		data = data[first : last+1]
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, whole))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if whole != len(data) {
		w.WriteHeader(http.StatusPartialContent)
	}
	if r.Method == http.MethodHead {
		return
	}
	if s.cutBodies > 0 {
		s.cutBodies--
		w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(data)
}

// openFake returns a bucket over a fake server.
func openFake(t *testing.T) (*Bucket, *fakeS3) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	t.Setenv("AWS_REGION", "us-east-1")
	fake := &fakeS3{objects: make(map[string][]byte)}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	b, err := Open(ctx, "s3://b?use_path_style=true&request_checksum_calculation=when_required&endpoint="+server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, fake
}

func TestS3RetriesAgainstItsOwnPut(t *testing.T) {
	b, fake := openFake(t)
	// The client tries again by itself, and is told that the key is taken.
	fake.dropPuts = 1
	if err := b.Put(ctx, "log/1.json", []byte("one")); err != nil {
		t.Errorf("Put whose answer got lost: %v", err)
	}
	if err := b.Put(ctx, "log/1.json", []byte("two")); !errors.Is(err, ErrExists) {
		t.Errorf("Put of others: %v", err)
	}
	if got := string(fake.objects["log/1.json"]); got != "one" {
		t.Errorf("the store has %q", got)
	}
}

func TestS3AnswersThatAPutIsUnderWay(t *testing.T) {
	b, fake := openFake(t)
	fake.refuse409 = 2
	if err := b.Put(ctx, "log/1.json", []byte("one")); err != nil {
		t.Errorf("Put: %v", err)
	}
	if got := string(fake.objects["log/1.json"]); got != "one" {
		t.Errorf("the store has %q", got)
	}
}

func TestS3PutsInOneRequest(t *testing.T) {
	b, fake := openFake(t)
	if err := b.Put(ctx, "big", make([]byte, 20<<20)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(fake.requests, ", "); got != "PUT big" {
		t.Errorf("requests: %s", got)
	}
}

func TestS3ReadsGoOnWhereTheyBroke(t *testing.T) {
	b, fake := openFake(t)
	data := bytes.Repeat([]byte("0123456789"), 1000)
	if err := b.Put(ctx, "k", data); err != nil {
		t.Fatal(err)
	}
	r, err := b.Reader(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	fake.requests, fake.cutBodies = nil, 2
	p := make([]byte, 8000)
	if n, err := r.ReadAt(p, 1000); n != 8000 || err != nil || !bytes.Equal(p, data[1000:9000]) {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
	want := "GET k bytes=1000-8999, GET k bytes=5000-8999, GET k bytes=7000-8999"
	if got := strings.Join(fake.requests, ", "); got != want {
		t.Errorf("requests: %s\nwant      %s", got, want)
	}
	fake.cutBodies = 100
	if n, err := r.ReadAt(p, 0); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("ReadAt of a body that always breaks = %d, %v", n, err)
	}
	if data, err := b.Get(ctx, "k"); err == nil {
		t.Errorf("Get of a body that breaks = %d bytes", len(data))
	}
}

// A server that ends connections, or answers nothing, is neither an empty store nor one
// with short files.
func TestS3OutOfReach(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // or the client tries again for seconds
	for _, tt := range []struct {
		name, want string
		away       func(*fakeS3)
	}{
		{"a server that hangs up", "the connection broke: ", func(f *fakeS3) { f.hangUp = true }},
		{"a silent server", "no answer in time: the store was silent for 50ms", func(f *fakeS3) { f.silence = true }},
	} {
		b, fake := openFake(t)
		if err := b.Put(ctx, "k", []byte("first")); err != nil {
			t.Fatal(err)
		}
		r, err := b.Reader(ctx, "k")
		if err != nil {
			t.Fatal(err)
		}
		tt.away(fake)
		if fake.silence {
			b.driver.(*cloud).patience = 50 * time.Millisecond
		}
		calls := map[string]func() error{
			"List": func() error {
				for _, err := range b.List(ctx, "") {
					return err
				}
				return nil
			},
			"Get":    func() error { _, err := b.Get(ctx, "k"); return err },
			"Stat":   func() error { _, err := b.Stat(ctx, "k"); return err },
			"ReadAt": func() error { _, err := r.ReadAt(make([]byte, 2), 0); return err },
			"Put":    func() error { return b.Put(ctx, "new", []byte("x")) },
		}
		for name, call := range calls {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				err := call()
				if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrNotFound) {
					t.Fatalf("got %v, want an error that is no end and no absence", err)
				}
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %q does not say %q", err, tt.want)
				}
			})
		}
	}
}

func TestS3ReadsThatNameTheirVersion(t *testing.T) {
	b, fake := openFake(t)
	if err := b.Put(ctx, "k", []byte("first")); err != nil {
		t.Fatal(err)
	}
	r, err := b.Reader(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	fake.objects["k"] = []byte("other")
	if n, err := r.ReadAt(make([]byte, 2), 1); n != 0 || !errors.Is(err, ErrChanged) {
		t.Errorf("ReadAt of a replaced object = %d, %v", n, err)
	}
	delete(fake.objects, "k")
	if n, err := r.ReadAt(make([]byte, 2), 1); n != 0 || !errors.Is(err, ErrChanged) {
		t.Errorf("ReadAt of a removed object = %d, %v", n, err)
	}
}
